# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The ends of a pull role: fixed by the first run, kept in tags of the role, and validated. Standard library only."""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import replace

from ansible_collections.crossaccount.ecr.plugins.module_utils._end_condition import earlier, end_in, end_in_policy
from ansible_collections.crossaccount.ecr.plugins.module_utils._end_date import (
    End,
    end_problems,
    end_text,
    parse_end,
    utc_text,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_declaration import RoleDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import (
    END_TAG,
    ROLE_END_TAG,
    RoleState,
    Tags,
    lowercase_keys,
)


def with_fixed_ends(declared: RoleDeclaration, tags: t.Sequence[Tags], now: datetime.datetime) -> RoleDeclaration:
    """The declaration with a time for each duration.

    :param tags: the current tags of the role, and of the other roles of its share, which have the same end of the share
    """
    of_share = [parse_end(lowercase_keys(each).get(END_TAG)) for each in tags]
    of_role = parse_end(lowercase_keys(tags[0]).get(ROLE_END_TAG)) if tags else None
    expires = _fixed(declared.expires, of_share, now)
    return replace(declared, expires=expires, role_expires=_fixed(declared.role_expires, [of_role], now))


def _fixed(declared: object, known: t.Iterable[End | None], now: datetime.datetime) -> object:
    end = parse_end(declared)
    if end is None:
        return declared
    same = next((one for one in known if one is not None and one.duration == end.duration), None)
    return end.fixed(same, now).text


def role_end_problems(before: RoleState, declared: RoleDeclaration, now: datetime.datetime) -> t.Iterator[str]:
    """Problems with the ends of a declaration. A past end that AWS already has is not a problem.

    The trust policy has the earlier end, even if someone removed it from the permissions.
    """
    of_trust = end_in(before.trust)
    for declared_end, end, current, remedy in (
        (declared.expires, declared.end, end_in(before.permissions), "end the share with state: absent"),
        (declared.role_expires, declared.role_end, end_in_policy(before.end_policy), "remove the consumer"),
    ):
        yield from end_problems(declared_end)
        if declared_end is not None and end is not None and end <= now and end not in (current, of_trust):
            yield (f"expires {utc_text(end)} of role {declared.name} is in the past. Declare a later end, or {remedy}.")


def end_of_role(state: RoleState) -> datetime.datetime | None:
    """When the access through a role ends; None if it has no end."""
    return earlier(end_in(state.permissions), end_in_policy(state.end_policy))


def has_ended_by(state: RoleState, now: datetime.datetime) -> bool:
    """Whether the access through a role has ended."""
    end = end_of_role(state)
    return end is not None and end <= now


def end_line(state: RoleState, now: datetime.datetime) -> str:
    """When the access through a role ends or ended, for the user; empty if it has no end."""
    end = end_of_role(state)
    return "" if end is None else end_text(end, now)
