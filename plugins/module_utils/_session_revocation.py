# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The module `iam_ecr_session_revocation`: reads the roles, and revokes their sessions."""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import ASSUME_ROLE_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._concurrency import map_concurrently
from ansible_collections.crossaccount.ecr.plugins.module_utils._declared_account import (
    OWNER_ACCOUNT_ARGUMENT,
    OwnerAccount,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._failed_result import may_have_been_sent, message_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._iam import PullRole
from ansible_collections.crossaccount.ecr.plugins.module_utils._iam_reads import Client
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import arn_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import Module, Progress, no_progress
from ansible_collections.crossaccount.ecr.plugins.module_utils._own_roles import roles_of_this_collection
from ansible_collections.crossaccount.ecr.plugins.module_utils._revocation import (
    Revocation,
    incomplete,
    revocation_lines,
    revocation_of,
    revocation_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._revocation_choice import (
    CHOICE_ARGUMENTS,
    RevocationOptions,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleState
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_steps import RevokeSessions
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import session_of

REVOCATION_ARGUMENTS: Json = {
    **CHOICE_ARGUMENTS,
    **OWNER_ACCOUNT_ARGUMENT,
    **ASSUME_ROLE_ARGUMENTS,
}


def session_revocation(module: Module, progress: Progress = no_progress) -> Json:
    """The result of the module.

    :param progress: receives the current activity
    """
    options, declared_owner, problems = (
        RevocationOptions.of(module.params),
        OwnerAccount.of(module.params),
        Problems(),
    )
    problems.extend(options.problems())
    problems.extend(declared_owner.problems())
    problems.check()

    session = session_of(module)
    owner = arn_of(session.identity["arn"]).identity
    declared_owner.check(owner.account)
    iam = session.client("iam")
    roles = {chosen: PullRole(iam, owner, chosen.name, chosen.name, "/") for chosen in options.roles}
    names = [chosen.name for chosen in roles]
    states = dict(zip(names, map_concurrently(PullRole.read_role, list(roles.values()))))
    problems.extend(revocation_problems(states, owner.account, lambda: _known_roles(iam)))
    problems.check()

    progress("revoking sessions")
    revoked: list[Revocation] = []
    for chosen, role in roles.items():
        state, done = states[role.name], [] if module.check_mode else [before.name for before in revoked]
        until = _revoke(role, state, module.check_mode, done)
        arn = owner.role(state.path, role.name)
        revoked.append(revocation_of(chosen, arn, until, state, session.now))
    return {
        "changed": True,
        "account": owner.account,
        "roles": [role.result for role in revoked],
        "steps": [RevokeSessions.name for _role in revoked],
        "lines": revocation_lines(revoked, options.parties is not None, module.check_mode),
    }


def _known_roles(iam: Client) -> t.Iterable[str]:
    try:
        return roles_of_this_collection(iam)
    except Exception:  # the names are only a suggestion
        return ()


def _revoke(role: PullRole, before: RoleState, check_mode: bool, done: t.Sequence[str]) -> str:
    """Revoke the sessions of one role, and return the time before which they were issued.

    :param done: the roles whose sessions are already revoked
    :raises EcrError: with these roles
    """
    is_open = False
    try:
        until = role.revocation_time()
        if not check_mode:
            is_open = True
            role.revoke_sessions(until)
    except Exception as error:
        is_open = is_open and may_have_been_sent(error)
        raise EcrError(
            incomplete(message_of(error), done),
            changed=bool(done) or (is_open and _is_revoked_since(role, before)),
            steps=[RevokeSessions.name for _role in done],
        ) from None
    return until


def _is_revoked_since(role: PullRole, before: RoleState) -> bool:
    """Whether AWS applied the write although its response was lost."""
    try:
        return role.read_role() != before
    except Exception:
        return False  # the caller raises the error of the write, which is more specific
