# SPDX-License-Identifier: GPL-3.0-or-later
"""Misspelled variables of the role ecr_share."""

from __future__ import annotations

import re

import pytest
import yaml
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_variables import KNOWN, unknown_variables

from tests.support.paths import ROOT


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("ecr_share_exlusive", "ecr_share_exclusive"),
        ("ecr_share_repository", "ecr_share_repositories"),
        ("ecr_share_handoff_file", "ecr_share_handoff_path"),
    ],
)
def test_an_unknown_variable_is_named_with_the_nearest_name(name: str, nearest: str) -> None:
    (problem,) = unknown_variables(["ecr_share_exclusive", "ecr_pull_x", "other", name])
    assert problem == f"Variable {name} is unknown, so it would be ignored. The nearest valid name is {nearest}."


def test_every_variable_of_the_role_and_its_playbooks_is_known() -> None:
    spec = yaml.safe_load((ROOT / "roles/ecr_share/meta/argument_specs.yml").read_text())
    options = set(spec["argument_specs"]["main"]["options"])
    tasks = (ROOT / "roles/ecr_share/tasks/main.yml").read_text()
    playbooks = "".join((ROOT / f"playbooks/{name}.yml").read_text() for name in ("share", "unshare"))
    used = set(re.findall(r"\becr_share_\w+", tasks + playbooks)) - {"ecr_share_info"}
    assert options | used <= KNOWN
    assert list(unknown_variables(options | used)) == []


def test_the_role_is_short_and_has_no_private_variables() -> None:
    text = (ROOT / "roles/ecr_share/tasks/main.yml").read_text()
    assert len(text.splitlines()) <= 120
    assert len(re.findall(r"^ +- name: ", text, re.MULTILINE)) <= 10
    assert "__" not in text
    others = [
        path for folder in ("tasks", "vars", "templates") for path in (ROOT / "roles/ecr_share").glob(f"{folder}/*")
    ]
    assert [path.name for path in others] == ["main.yml"]
