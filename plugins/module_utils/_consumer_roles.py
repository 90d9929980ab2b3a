# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""A share with a role for each consumer: the names of the roles, and the share of each role. Standard library only.

Each of these roles is planned as a share of its own, with one consumer. All of them have the same policy, repositories
and tags. The policy is created with the first role, and deleted with the last one.
"""

from __future__ import annotations

import os.path
import typing as t
from dataclasses import replace

from ansible_collections.crossaccount.ecr.plugins.module_utils._consumer_problems import identity_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._consumers import Consumer
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import name_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import (
    SHARE_TAG,
    AttachmentKind,
    RoleState,
    is_ours,
    lowercase_keys,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import ROLE, Share

#: The settings of a consumer that require its own role.
_OF_ROLE = ("role_name", "max_session_duration", "expires")


def role_name_of(share_name: str, consumer: Consumer) -> str:
    """The name of the role of one consumer."""
    return consumer.role_name or f"{share_name}-{consumer.in_partition(None).party}"


def shares_of_consumers(share: Share) -> list[Share]:
    """The share once for each consumer. A share without consumers is returned as it is, with its problems."""
    consumers = share.role.consumers
    names = [role_name_of(share.name, consumer) for consumer in consumers]
    found = [_share_of_consumer(share, number, names) for number in range(len(consumers))]
    return found or [replace(share, declared_name=share.name)]


def _share_of_consumer(share: Share, index: int, names: t.Sequence[str]) -> Share:
    consumer, name = share.role.consumers[index], names[index]
    duration = consumer.max_session_duration
    role = replace(
        share.role,
        name=name,
        consumers=(replace(consumer, number=index + 1),),
        max_session_duration=share.role.max_session_duration if duration is None else duration,
        role_expires=consumer.expires,
        share=share.name,
    )
    path = share.handoff.path
    if path and names[1:]:
        stem, extension = os.path.splitext(path)
        path = f"{stem}-{index + 1}-{consumer.in_partition(None).party}{extension}"
    is_named = share.is_named and not any(identity_problems(consumer.in_partition(None)))
    return replace(
        share,
        role=role,
        handoff=replace(share.handoff, path=path),
        is_named=is_named and not any(name_problems(name, role.policy_name, role.path)),
        declared_name=share.name,
    )


def shared_role_problems(consumers: t.Sequence[Consumer]) -> t.Iterator[str]:
    """Problems with settings of a single consumer although all consumers use one role."""
    for number, consumer in enumerate(consumers, 1):
        for name in _OF_ROLE:
            if getattr(consumer, name) is not None:
                yield (
                    f"Consumer {number} ({consumer.party}) has {name}, but all consumers of the share use one role."
                    f" Set {option('roles')}: per_consumer, or set {name} for the whole share."
                )


def role_of_consumer_problems(share_name: str, consumers: t.Sequence[Consumer]) -> t.Iterator[str]:
    """Problems with the names of the roles of the consumers."""
    known: dict[str, int] = {}
    for number, consumer in enumerate(consumers, 1):
        name = role_name_of(share_name, consumer)
        if any(identity_problems(consumer.in_partition(None))):
            continue  # another problem reports the account or organization
        for problem in name_problems(name, "unused", "/"):
            yield f"Consumer {number} ({consumer.party}): {problem} Set role_name of this consumer."
        other = known.setdefault(name.lower(), number)  # IAM ignores the case of names
        if other != number:
            yield (
                f"Consumers {other} and {number} would both have role {name}. Set role_name of one of them, or declare"
                " both as one consumer."
            )


def role_names_to_read(share: Share, states: t.Mapping[str, RoleState], others: t.Mapping[str, RoleState]) -> set[str]:
    """The names of roles that may serve consumers of the share, although the declaration does not name them.

    :param states: the declared roles that were read
    :param others: the other roles of this collection
    """
    attached = {
        attachment.name
        for state in states.values()
        for attachment in state.attachments
        if attachment.kind is AttachmentKind.ROLE
    }
    return attached | {share.label} | {name for name, state in others.items() if is_role_of(share, name, state)}


def is_role_of(share: Share, name: str, state: RoleState) -> bool:
    """Whether a role belongs to a share: its tag is the name of the share, or it has no such tag but the name itself.

    IAM ignores the case of names.
    """
    return lowercase_keys(state.role_tags).get(SHARE_TAG, name).lower() == share.label.lower()


def with_removed_roles(shares: t.Sequence[Share], states: t.Mapping[str, RoleState]) -> list[Share]:
    """The shares. Absent shares for the roles of consumers that are no longer declared precede those of their share.

    Only roles that this collection created belong to a share. If its mode is not `role`, all of them are removed.
    """
    declared = {share.name.lower() for share in shares if share.has_role}
    found: list[Share] = []
    for own in families(shares):
        first, *_others = own
        removed = [
            name
            for name, state in sorted(states.items())
            if name.lower() not in declared and is_role_of(first, name, state) and _is_left(first, state)
        ]
        found += [_removed(first, name, states[name]) for name in removed]
        found += own
    return found


def _is_left(share: Share, state: RoleState) -> bool:
    """Whether this collection created the role; without a role, whether it created the policy of a former one."""
    is_policy = not share.has_role and not state.role_exists and state.policy_exists
    return is_ours(state.policy_tags) if is_policy else state.role_exists and is_ours(state.role_tags)


def _removed(share: Share, name: str, state: RoleState) -> Share:
    """An absent share for a role of `share`. The declaration of another mode does not have its path and its policy."""
    role = replace(share.role, name=name, is_present=False, consumers=(), role_expires=None)
    if not share.has_role:
        role = replace(role, path=state.path, policy_name=state.policy_name or share.policy_name)
    return replace(share, role=role, declared_name=share.label, mode=ROLE)


def families(shares: t.Iterable[Share]) -> list[list[Share]]:
    """The shares in groups that have one declaration."""
    found: dict[str, list[Share]] = {}
    for share in shares:
        found.setdefault(share.label, []).append(share)
    return list(found.values())


def with_common_policy(shares: t.Sequence[Share]) -> list[Share]:
    """The shares, each with the names of the other roles that have its policy, and whether its policy is kept."""
    found: list[Share] = []
    for own in families(shares):
        with_role = [share for share in own if share.has_role]
        for share in own:
            others = [other for other in with_role if other is not share]
            is_kept = any(other.is_present for other in others) or with_role[-1:] != [share]
            role = replace(
                share.role,
                policy_roles=tuple(other.name for other in others),
                keep_policy=not share.is_present and bool(others) and is_kept,
            )
            found.append(replace(share, role=role))
    return found
