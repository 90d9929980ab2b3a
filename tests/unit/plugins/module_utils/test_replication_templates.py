# SPDX-License-Identifier: GPL-3.0-or-later
"""The repository creation templates of a replication."""

from __future__ import annotations

from typing import Any

from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import Destination
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_templates import (
    TEMPLATES_ARGUMENT,
    ReplicationTemplate,
    repeated_problems,
    unused_templates,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_plan import Template

MARK = "crossaccount.ecr: replication from account 111111111111"


def declared(prefix: str = "release/", is_present: bool = True, **options: Any) -> ReplicationTemplate:
    entry = {name: spec.get("default") for name, spec in TEMPLATES_ARGUMENT["templates"]["options"].items()}
    return ReplicationTemplate.of({**entry, "prefix": prefix, **options}, "111111111111", is_present)


def test_a_template_is_ours_by_its_description() -> None:
    template = declared()
    assert (template.prefix, template.declaration().description) == ("release", MARK)
    assert template.is_ours(Template("release", description=MARK))
    assert not template.is_ours(Template("release"))
    assert not template.is_ours(Template("release", description=MARK.replace("1", "3")))


def test_a_template_keeps_its_other_purposes() -> None:
    assert declared().for_registry(None).declaration().applied_for == ("REPLICATION",)
    current = Template("release", applied_for=("CREATE_ON_PUSH",))
    assert declared().for_registry(current).declaration().applied_for == ("CREATE_ON_PUSH", "REPLICATION")
    assert not declared(is_present=False).declaration().is_present


def test_each_prefix_is_declared_once() -> None:
    assert list(repeated_problems([declared(), declared("ROOT")])) == []
    (problem,) = repeated_problems([declared(), declared("ROOT"), declared("release")])
    assert problem == "templates: the prefix release is declared more than once. Keep one entry."


def test_templates_without_a_repository() -> None:
    templates = [declared(), declared("ROOT"), declared("team")]
    (unused,) = unused_templates(templates, ["release", "release/web", "teams/x"])
    assert unused.startswith("templates: no selected repository begins with team/.")


def test_template_of_others_is_named_with_its_description() -> None:
    assert declared().foreign(Template("release", description="theirs")) == (
        "Repository creation template release was not created by a replication from the same account: its description"
        " is 'theirs'. Set adopt to true to manage it anyway, or remove it from templates."
    )
    assert declared().kept(Destination("222222222222", "eu-west-1")) == (
        "Repository creation template release of account 222222222222 in eu-west-1 was not created by a replication"
        " from the same account. This run does not delete it."
    )
