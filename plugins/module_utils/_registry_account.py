# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The account whose registry a module changes. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import account_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option

#: The option `account` of the modules that change a registry, which may be the owner's or the consumer's.
REGISTRY_ACCOUNT_ARGUMENT: Json = {"account": {"type": "raw"}}


@dataclass(frozen=True)
class RegistryAccount:
    """The declared account.

    :param declared: the value of the option; None if it is not set
    """

    declared: object = None

    @classmethod
    def of(cls, params: Json) -> RegistryAccount:
        return cls(params["account"])

    def problems(self) -> t.Iterator[str]:
        """Problems that can be found without a request to AWS."""
        if self.declared is not None:
            yield from (f"{option('account')}: {problem}" for problem in account_problems(self.declared))

    def check(self, actual: str) -> None:
        """Fail if the credentials belong to another account.

        :param actual: the account of the credentials
        """
        if self.declared not in (None, actual):
            raise EcrError(
                f"The credentials belong to account {actual}, but the declared account is {self.declared}. Use"
                f" credentials of account {self.declared}, or correct {option('account')}."
            )
