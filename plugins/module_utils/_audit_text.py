# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Access of an audit as lines of text. Standard library only."""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._end_date import end_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._list_text import list_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._operators import date_of

_POLICIES = {"repository_policy": "the repository policy", "registry_policy": "the registry policy"}


def principal_text(row: Json) -> str:
    """The principal of a row, such as `222222222222 user/puller`, `222222222222` or `everyone`."""
    principal, account = str(row["principal"]), str(row.get("principal_account") or "")
    if row["principal_kind"] == "everyone":
        return "everyone"
    resource = principal.rpartition(":")[2]
    if not account or resource in (account, "root"):
        return account or principal
    return f"{account} {resource}"


def path_text(path: Json) -> str:
    """An access path, such as `role allow_ecr_release, statement ReadImages`."""
    role, statement = str(path.get("role") or ""), str(path.get("statement") or "")
    name = role.rpartition("/")[2]
    document = f"role {name}" if path["path"] == "role" and name else _POLICIES.get(path["path"], path["document"])
    return f"{document}, statement {statement}" if statement else str(document)


def _end(path: Json, now: datetime.datetime | None) -> str:
    """When access through an access path ends; empty if it has no end.

    :param now: None to leave out the end
    """
    until = date_of(str(path.get("until") or ""))
    return f"; access {end_text(until, now)}" if until and now else ""


def pull_lines(
    pairs: t.Iterable[tuple[Json, Json]],
    can: str,
    may: str,
    every_name: bool = False,
    several: bool = False,
    now: datetime.datetime | None = None,
) -> list[str]:
    """One line for each principal and access path, with the repositories that can be pulled.

    :param pairs: rows of the access, each with one of the paths through which a pull is allowed or unknown
    :param can: the verb for access that is allowed, such as `can pull`
    :param may: the verb for access that is unknown
    :param every_name: whether to list all names; if not, a line has at most ten
    :param several: whether the names need their regions
    :param now: the time of the report, to state when access ends; None to leave out the end
    """
    found: dict[tuple[str, str], dict[str, None]] = {}
    for row, path in pairs:
        allowed = row["actions"]["pull"] == "allowed"
        doubt = "" if allowed else f" (unknown: {row['reasons'].get('pull', '')})"
        name = f"{row['repository']} in {row['region']}" if several else row["repository"]
        claim = f"{principal_text(row)} {can if allowed else may}"
        found.setdefault((claim, f"{path_text(path)}{doubt}{_end(path, now)}"), {})[name] = None
    return [
        f"{claim} {list_text(sorted(names), every_name)} through {through}"
        for (claim, through), names in sorted(found.items())
    ]
