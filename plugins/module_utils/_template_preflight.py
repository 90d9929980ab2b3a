# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Plans a repository creation template that a role manages."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import Destination
from ansible_collections.crossaccount.ecr.plugins.module_utils._creation_template import plan_template, read_template
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import Session
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_ownership import OwnedTemplate


@dataclass(frozen=True)
class PlannedTemplate:
    """A planned change.

    :param options: the options of the module that writes it; None if nothing changes
    :param problems: the reasons for which it cannot be written
    """

    options: Json | None = None
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def plan_owned_template(session: Session, place: Destination, template: OwnedTemplate, adopt: bool) -> PlannedTemplate:
    """Read the template, and plan its settings or its end. Nothing is written.

    :param adopt: whether a template of another creator is replaced
    """
    current = read_template(session.client("ecr", place.region), template.prefix)
    is_foreign = current is not None and not template.is_ours(current)
    if not template.is_present and (current is None or is_foreign):
        return PlannedTemplate(warnings=(template.kept(place),) if is_foreign else ())
    planned = template.for_registry(current)
    plan = plan_template(session, place.region, planned.declaration())
    foreign = [template.foreign(t.cast(t.Any, current))] if is_foreign and not adopt else []
    options = {name: value for name, value in planned.options.items() if value is not None}
    return PlannedTemplate(
        {**options, "region": place.region} if plan.before != plan.after else None,
        tuple(f"{place}: {problem}" for problem in (*foreign, *plan.problems)),
    )
