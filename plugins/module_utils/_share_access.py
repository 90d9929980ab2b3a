# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who gains and who loses access by a plan, and how it is shown to people. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._access import access_change
from ansible_collections.crossaccount.ecr.plugins.module_utils._plan import RoleState, listed


@dataclass(frozen=True)
class Place:
    """A repository in a region, with its tags before and after the run."""

    region: str
    name: str
    arn: str
    before: dict[str, str]
    after: dict[str, str]


@dataclass(frozen=True)
class RoleChange:
    """A role before and after the run."""

    name: str
    before: RoleState
    after: RoleState


@dataclass(frozen=True)
class AccessChange:
    """Access gained and lost: `principal`, `repository` and `region` of each, without duplicates.

    :param lines: for people; a line names at most ten repositories
    :param all_lines: the same with every name
    """

    gained: list[dict[str, str]]
    lost: list[dict[str, str]]
    lines: list[str]
    all_lines: list[str]


def access_of(roles: t.Sequence[RoleChange], places: t.Sequence[Place]) -> AccessChange:
    """The change of access through each role. Access through two roles counts twice: each role has its own hand-off."""
    repositories = [{"name": one.name, "arn": one.arn, "before": one.before, "tags": one.after} for one in places]
    changes = {
        role.name: access_change(_documents(role.before), _documents(role.after), repositories) for role in roles
    }
    several_regions = len({one.region for one in places}) > 1
    several_roles = sum(bool(change["lines"]) for change in changes.values()) > 1
    shown: dict[bool, list[str]] = {True: [], False: []}
    for every_name, lines in shown.items():
        for sign, key in (("+ {} can pull {}", "gained"), ("- {} loses {}", "lost")):
            for name, change in changes.items():
                through = f" through role {name}" if several_roles else ""
                lines += [line + through for line in _lines(sign, change[key], several_regions, every_name)]
    gained, lost = (
        _distinct(pair for change in changes.values() for pair in change[key]) for key in ("gained", "lost")
    )
    return AccessChange(gained, lost, shown[False], shown[True])


def _documents(state: RoleState) -> dict[str, t.Any]:
    return {"permissions": state.permissions or {}, "trust": state.trust or {}, "attached": state.attached}


def _distinct(pairs: t.Iterable[dict[str, str]]) -> list[dict[str, str]]:
    found = {(one["principal"], one["repository"], one["region"]): one for one in pairs}
    return [found[key] for key in sorted(found)]


def _lines(form: str, pairs: t.Sequence[dict[str, str]], several_regions: bool, every_name: bool) -> list[str]:
    by_principal: dict[str, list[str]] = {}
    for one in pairs:
        name = f"{one['repository']} in {one['region']}" if several_regions else one["repository"]
        by_principal.setdefault(one["principal"], []).append(name)
    return [form.format(principal, listed(names, every_name)) for principal, names in by_principal.items()]
