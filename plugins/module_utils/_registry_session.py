# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The session of a module that changes a registry, after the validation of its options."""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._declared_account import RegistryAccount
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import Module
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import Session, session_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WaitOptions, wait_problems


def registry_session(module: Module, declaration_problems: t.Iterable[str]) -> Session:
    """The session in the declared account.

    :param declaration_problems: the problems with the other options, which are reported together with those of the
        account and of the wait
    :raises EcrError: with all problems, or if the credentials belong to another account
    """
    account, problems = RegistryAccount.of(module.params), Problems()
    problems.extend(declaration_problems)
    problems.extend(account.problems())
    problems.extend(wait_problems(WaitOptions.of(module.params)))
    problems.check()
    session = session_of(module)
    account.check(session.identity["account"])
    return session
