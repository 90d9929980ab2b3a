# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares the report of an audit with real calls, cell by cell."""

from __future__ import annotations

import json
import random
from typing import Any, NamedTuple

from .copies import RealCopies
from .lab_estate import External, Outside, RealAccess, created_by
from .random_estate import EstateSpec

ACTIONS = ("describe", "pull", "push", "delete", "tag")


class Comparison(NamedTuple):
    """The result for one estate.

    :param wrong: a line for each cell whose verdict differs from the real calls
    """

    cells: int
    unknown: int
    calls: int
    wrong: list[str]


def compare(report: dict[str, Any], spec: EstateSpec, outside: Outside, sample: int = 0, seed: int = 0) -> Comparison:
    """Compare the cells of every principal outside the owner account.

    A repository that a template would create is created. Whether others may replicate to it is not compared.

    :param sample: compare so many cells that are denied, and at most as many others, of one principal, because each of
        them tries to assume every role; 0 for all cells of all principals
    """
    real, copies = RealAccess(outside, spec), RealCopies(outside, spec)
    rows = {(row["principal"], row["repository"]): row for row in report["access"]}
    described = [*spec.repositories.values(), *spec.templates.values()]
    text = json.dumps([spec.roles, [policy for _tags, policy in described], spec.registry_policy, spec.replication])
    named = {name: name for name in spec.repositories} | {
        created_by(prefix): f"{prefix}/*" for prefix in spec.templates
    }
    cells = [
        (principal, name, action, _verdict(rows, name_in_report(principal, outside, text), row, action))
        for principal in outside.principals
        for name, row in named.items()
        for action in ACTIONS
        if name == row or action != "push"
    ]
    copies.create_new()
    chosen = cells
    if sample:
        pick = random.Random(seed)  # noqa: S311
        one = pick.choice(outside.principals)
        denied = [cell for cell in cells if cell[0] == one and cell[3] == "denied"]
        others = [cell for cell in cells if cell[0] == one and cell[3] != "denied"]
        chosen = [cell for listed in (denied, others) for cell in pick.sample(listed, min(sample, len(listed)))]
    wrong = []
    for principal, repository, action, verdict in chosen:
        allowed = real.is_allowed(principal, repository, action) or copies.allow(principal, repository, action)
        if verdict != "unknown" and (verdict == "allowed") != allowed:
            name = name_in_report(principal, outside, text)
            wrong.append(f"{principal.arn} (as {name}) {action} {repository}: {verdict}, but AWS: {allowed}")
    copies.delete()
    return Comparison(len(chosen), sum(cell[3] == "unknown" for cell in cells), real.calls + copies.calls, wrong)


def name_in_report(principal: External, outside: Outside, text: str) -> str:
    """The row of a report that applies to a principal: its own, that of its account, its organization, or everyone.

    :param text: all policies of the estate
    """
    if f'"{principal.arn}"' in text:
        return principal.arn
    if f'"{principal.account}"' in text or f"::{principal.account}:root" in text:
        return f"arn:aws:iam::{principal.account}:root"
    if principal.in_organization and f'"{outside.organization}"' in text:
        return outside.organization
    return "*"


def _verdict(rows: dict[tuple[str, str], Any], name: str, repository: str, action: str) -> str:
    row = rows.get((name, repository))
    return str(row["actions"][action]) if row else "denied"
