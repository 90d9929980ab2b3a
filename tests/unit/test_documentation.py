# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documentation says is there, is there; and what is there, is documented."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import Any

import pytest
import yaml

from tests.support.paths import ROOT

ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
PLUGINS = [
    (kind, path.stem)
    for folder, kind in (("modules", "module"), ("filter", "filter"))
    for path in sorted((ROOT / "plugins" / folder).glob("[a-z]*.py"))
]


def role_options(role: str) -> dict[str, dict[str, Any]]:
    specs = yaml.safe_load((ROOT / "roles" / role / "meta/argument_specs.yml").read_text())
    return {name: option for entry in specs["argument_specs"].values() for name, option in entry["options"].items()}


@pytest.mark.parametrize("role", ROLES)
def test_the_defaults_of_a_role_are_those_of_its_argument_spec(role: str) -> None:
    defaults = yaml.safe_load((ROOT / "roles" / role / "defaults/main.yml").read_text())
    assert defaults == {name: spec["default"] for name, spec in role_options(role).items() if "default" in spec}


@pytest.mark.parametrize("role", ROLES)
def test_every_variable_that_a_role_reads_is_in_its_argument_spec_or_its_own(role: str) -> None:
    texts = [
        path.read_text()
        for folder in ("tasks", "templates", "vars")
        for path in (ROOT / "roles" / role / folder).glob("*")
    ]
    read = set(re.findall(rf"(?<![\w.]){role}_\w+", "\n".join(texts)))
    made = set(re.findall(rf"(?:register: |^ +)({role}_\w+)(?=$|:)", "\n".join(texts), re.MULTILINE))
    assert read - made <= set(role_options(role)), read - made - set(role_options(role))
    assert set(role_options(role)) <= set(re.findall(r"\w+", "\n".join(texts)))


def ansible_doc(*arguments: str) -> dict[str, Any]:
    command = [str(ROOT / ".venv/bin/ansible-doc"), "--json", *arguments]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=300)
    documented: dict[str, Any] = json.loads(shown.stdout)
    return documented


@pytest.mark.parametrize("kind", ["module", "filter"])
def test_ansible_doc_shows_every_plugin(kind: str) -> None:
    names = [f"crossaccount.ecr.{name}" for of, name in PLUGINS if of == kind]
    documented = ansible_doc("--type", kind, *names)
    assert sorted(documented) == names
    for name, one in documented.items():
        assert one["examples"].strip(), name
        assert one["return"], name


def test_ansible_doc_shows_every_role() -> None:
    documented = ansible_doc("--type", "role", *[f"crossaccount.ecr.{role}" for role in ROLES])
    assert sorted(documented) == [f"crossaccount.ecr.{role}" for role in ROLES]
    for role in ROLES:
        entries = documented[f"crossaccount.ecr.{role}"]["entry_points"].values()
        assert {name for entry in entries for name in entry["options"]} == set(role_options(role))


def test_every_module_is_in_the_action_group_and_in_the_readme() -> None:
    runtime = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())
    listed = [one for one in runtime["action_groups"]["aws"] if isinstance(one, str)]
    ask_no_aws = ("ecr_handoff_info", "ecr_credential_helper_config", "display_lines", "ecr_handoff")
    assert listed == [name for kind, name in PLUGINS if kind == "module" and name not in ask_no_aws]
    readme = (ROOT / "README.md").read_text()
    named = [name for _kind, name in PLUGINS] + ROLES + [path.name for path in (ROOT / "playbooks").glob("*.yml")]
    assert [name for name in named if f"`{name}`" not in readme] == []
