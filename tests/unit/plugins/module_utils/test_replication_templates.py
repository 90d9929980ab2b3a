# SPDX-License-Identifier: GPL-3.0-or-later
"""The repository creation templates of a replication."""

from __future__ import annotations

from typing import Any

from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import Destination
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_templates import (
    TEMPLATES_ARGUMENT,
    repeated_problems,
    replication_template,
    unused_templates,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_ownership import OwnedTemplate
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_plan import Template


def declared(prefix: str = "release/", is_present: bool = True, **options: Any) -> OwnedTemplate:
    entry = {name: spec.get("default") for name, spec in TEMPLATES_ARGUMENT["templates"]["options"].items()}
    return replication_template({**entry, "prefix": prefix, **options}, "111111111111", is_present)


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
        "Repository creation template release was not created by a replication from account 111111111111: its"
        " description is 'theirs'. Set adopt to true to manage it anyway, or remove it from templates."
    )
    assert declared().kept(Destination("222222222222", "eu-west-1")) == (
        "Repository creation template release of account 222222222222 in eu-west-1 was not created by a replication"
        " from account 111111111111. This run does not delete it."
    )
