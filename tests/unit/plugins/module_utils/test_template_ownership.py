# SPDX-License-Identifier: GPL-3.0-or-later
"""The repository creation templates that a role manages."""

from __future__ import annotations

from typing import Any

from ansible_collections.crossaccount.ecr.plugins.module_utils._template_ownership import (
    OWNED_TEMPLATE_OPTIONS,
    OwnedTemplate,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_plan import Template, declared_template

CREATOR = "cache of account 111111111111"
MARK = f"crossaccount.ecr: {CREATOR}"
PURPOSE = "PULL_THROUGH_CACHE"


def declared(is_present: bool = True, **options: Any) -> OwnedTemplate:
    entry = {name: spec.get("default") for name, spec in OWNED_TEMPLATE_OPTIONS.items()}
    return OwnedTemplate.of({**entry, "prefix": "cache/", **options}, PURPOSE, CREATOR, "template", is_present)


def test_a_template_is_ours_by_its_description() -> None:
    template = declared()
    assert (template.prefix, template.declaration().description) == ("cache", MARK)
    assert template.is_ours(Template("cache", description=MARK))
    assert not template.is_ours(Template("cache"))
    assert not template.is_ours(Template("cache", description=MARK.replace("1", "3")))


def test_a_template_keeps_its_other_purposes() -> None:
    assert declared().for_registry(None).declaration().applied_for == (PURPOSE,)
    current = Template("cache", applied_for=("CREATE_ON_PUSH", PURPOSE))
    assert declared().for_registry(current).declaration().applied_for == ("CREATE_ON_PUSH", PURPOSE)


def test_the_end_deletes_a_template_without_other_purposes() -> None:
    for current in (None, Template("cache", applied_for=(PURPOSE,))):
        assert not declared(is_present=False).for_registry(current).declaration().is_present


def test_the_end_releases_a_template_with_other_purposes() -> None:
    current = Template("cache", ("CREATE_ON_PUSH", PURPOSE), MARK, "IMMUTABLE", tags={"team": "a"}, custom_role_arn="r")
    ended = declared(is_present=False, image_tag_mutability="MUTABLE", tags={}).for_registry(current).declaration()
    assert (ended.is_present, ended.allow_sharing_tags) == (True, True)
    after = declared_template(ended, current)
    assert after == Template("cache", ("CREATE_ON_PUSH",), "", "IMMUTABLE", tags={"team": "a"}, custom_role_arn="r")
    assert not declared().is_ours(after)


def test_messages_name_the_template_and_its_creator() -> None:
    assert declared().foreign(Template("cache", description="theirs")) == (
        "Repository creation template cache was not created by a cache of account 111111111111: its description is"
        " 'theirs'. Set adopt to true to manage it anyway, or remove it from template."
    )
