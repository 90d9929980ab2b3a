# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The roles whose sessions a run revokes, their problems, and the lines for the user. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._admission import admissions
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import name_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import OWNERSHIP_TAG, RoleState, is_ours
from ansible_collections.crossaccount.ecr.plugins.module_utils._suggestion import did_you_mean

#: The lifetime of a presigned URL of a layer, in seconds. Source: AWS CLI Command Reference,
#: get-download-url-for-layer. Its example has X-Amz-Expires=3600. AWS states no maximum.
PRESIGNED_URL_SECONDS = 3600


@dataclass(frozen=True)
class RevocationOptions:
    """The names of the roles whose sessions are revoked. A share with `state: absent` has no role."""

    role_names: tuple[str, ...]

    @classmethod
    def of(cls, params: Json) -> RevocationOptions:
        """The options in the parameters of the module."""
        shares = [{}] if params["shares"] is None else params["shares"]
        present = [share for share in shares if share.get("state") != "absent"]
        names = [share.get("role_name") or params["role_name"] for share in present]
        return cls(tuple(dict.fromkeys(str(name or "") for name in names)))

    def problems(self) -> t.Iterator[str]:
        """Problems with the options."""
        if not self.role_names:
            yield f"{option('shares')} has no share to revoke. Declare a share with state: present."
        for name in self.role_names:
            if not name:
                yield f"The role to revoke is not named. Set {option('role_name')}, or role_name in {option('shares')}."
            else:
                yield from name_problems(name, "unused", "/")


@dataclass(frozen=True)
class Revocation:
    """The revoked sessions of one role.

    :param issued_before: the time by the clock of AWS; sessions that were issued before it are denied
    :param admitted: the principals in the trust policy, which can start a new session
    """

    name: str
    role_arn: str
    issued_before: str
    admitted: tuple[str, ...]

    @property
    def result(self) -> Json:
        return {**asdict(self), "admitted": list(self.admitted)}


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
            f"{did_you_mean(name, known)} Check {option('role_name')}."
        )
    for name, state in roles.items():
        if state.role_exists and not is_ours(state.role_tags):
            yield (
                f"Role {name} is not tagged {'='.join(OWNERSHIP_TAG)}, so this collection did not create it. To revoke"
                f" its sessions, use the IAM console. To manage the role, share it with {option('adopt')}: true first."
            )


def admitted_by(state: RoleState) -> tuple[str, ...]:
    """The principals that can start a session of the role, as labels for the user."""
    return tuple(dict.fromkeys(admission.label for admission in admissions(state.trust))) if state.trust else ()


def incomplete(message: str, revoked: t.Iterable[str]) -> str:
    """The message for an error after which not all sessions are revoked."""
    names = ", ".join(revoked) or "none"
    return f"{message.rstrip('.')}. Roles whose sessions were revoked before that: {names}. Run again."


def revocation_lines(revoked: t.Sequence[Revocation], check_mode: bool) -> list[str]:
    """The revoked sessions, the credentials that cannot be revoked, and the next step."""
    verb = "would be" if check_mode else "are"
    lines = []
    for role in revoked:
        lines.append(
            f"{role.name}: all sessions of all consumers that were issued before {role.issued_before} {verb} denied"
        )
        lines += [f"  {label} is still declared, and can start a new session" for label in role.admitted]
    return [
        *lines,
        f"To end the access of a consumer, remove it from {option('consumers')} and run crossaccount.ecr.share.",
        "To end the whole share, run crossaccount.ecr.unshare.",
        "Not revocable: a presigned URL of a layer, until it expires. AWS's example expires after"
        f" {PRESIGNED_URL_SECONDS:,} seconds.",
    ]
