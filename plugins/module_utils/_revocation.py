# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Reasons not to revoke the sessions of a role, the revoked sessions, and lines for the user. Standard library only.

Which roles a run revokes is decided in `_revocation_choice`.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import asdict, dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._admission import admissions
from ansible_collections.crossaccount.ecr.plugins.module_utils._end_condition import (
    active,
    earlier,
    end_in,
    end_in_policy,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._end_date import end_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._revocation_choice import ChosenRole
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import OWNERSHIP_TAG, RoleState, is_ours
from ansible_collections.crossaccount.ecr.plugins.module_utils._suggestion import did_you_mean

#: The lifetime of a presigned URL of a layer, in seconds. Source: AWS CLI Command Reference,
#: get-download-url-for-layer. Its example has X-Amz-Expires=3600. AWS states no maximum.
PRESIGNED_URL_SECONDS = 3600


@dataclass(frozen=True)
class Revocation:
    """The revoked sessions of one role.

    :param issued_before: the time by the clock of AWS; sessions that were issued before it are denied
    :param admitted: the principals in the trust policy, which can start a new session
    :param consumer: the account or organization of the only consumer; empty if all consumers use the role
    :param end: when the access through the role ends or ended, as text; empty if it has no end
    """

    name: str
    role_arn: str
    issued_before: str
    admitted: tuple[str, ...]
    consumer: str = ""
    end: str = ""

    @property
    def result(self) -> Json:
        result = {**asdict(self), "admitted": list(self.admitted)}
        result.pop("end")
        return result


def revocation_problems(
    roles: t.Mapping[str, RoleState], account: str, others: t.Callable[[], t.Iterable[str]]
) -> t.Iterator[str]:
    """Reasons why the sessions of these roles cannot be revoked.

    :param others: returns the names of the roles of this collection, for suggestions
    """
    missing = [name for name, state in roles.items() if not state.role_exists]
    known = list(others()) if missing else []
    for name in missing:
        yield (
            f"Role {name} does not exist in account {account}, so it has no sessions to revoke."
            f"{did_you_mean(name, known)} Check {option('role_name')} and {option('roles')}."
        )
    for name, state in roles.items():
        if state.role_exists and not is_ours(state.role_tags):
            yield (
                f"Role {name} is not tagged {'='.join(OWNERSHIP_TAG)}, so this collection did not create it. To revoke"
                f" its sessions, use the IAM console. To manage the role, share it with {option('adopt')}: true first."
            )


def admitted_by(state: RoleState, now: datetime.datetime) -> tuple[str, ...]:
    """The principals that can start a session of the role now, as labels for the user."""
    trust = active(state.trust, _end_of(state), now) if state.trust else None
    return tuple(dict.fromkeys(admission.label for admission in admissions(trust, now))) if trust else ()


def _end_of(state: RoleState) -> datetime.datetime | None:
    """When the access through a role ends. Its managed policy is not read, and has the same end as its trust policy."""
    return earlier(end_in(state.trust), end_in_policy(state.end_policy))


def revocation_of(
    role: ChosenRole, role_arn: str, issued_before: str, state: RoleState, now: datetime.datetime
) -> Revocation:
    """The revoked sessions of a role.

    :param state: the state of the role before the run
    """
    end = _end_of(state)
    admitted = admitted_by(state, now)
    return Revocation(role.name, role_arn, issued_before, admitted, role.consumer, end_text(end, now) if end else "")


def incomplete(message: str, revoked: t.Iterable[str]) -> str:
    """The message for an error after which not all sessions are revoked."""
    names = ", ".join(revoked) or "none"
    return f"{message.rstrip('.')}. Roles whose sessions were revoked before that: {names}. Run again."


def revocation_lines(revoked: t.Sequence[Revocation], is_selection: bool, check_mode: bool) -> list[str]:
    """The revoked sessions, the credentials that cannot be revoked, and the next step.

    :param is_selection: whether the run revokes only the sessions of the consumers that the user named
    """
    verb = "would be" if check_mode else "are"
    lines = []
    for role in revoked:
        whose = f"consumer {role.consumer}" if role.consumer else "all consumers"
        lines.append(f"{role.name}: all sessions of {whose} that were issued before {role.issued_before} {verb} denied")
        lines += [f"  {label} is still declared, and can start a new session" for label in role.admitted]
        lines += [f"  the access {role.end}"] if role.end else []
    return [
        *lines,
        *(["The sessions of all other consumers remain valid."] if is_selection else []),
        f"To end the access of a consumer, remove it from {option('consumers')} and run crossaccount.ecr.share.",
        "To end the whole share, run crossaccount.ecr.unshare.",
        "Not revocable: a presigned URL of a layer, until it expires. AWS's example expires after"
        f" {PRESIGNED_URL_SECONDS:,} seconds.",
    ]
