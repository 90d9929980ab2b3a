# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation that `ansible-doc` shows is complete, and agrees with the code."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from ansible_collections.crossaccount.ecr.plugins.module_utils._host_declaration import ARGUMENTS as HELPER_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_declaration import (
    SHARE_ARGUMENTS,
    SHARE_CONSUMER_ARGUMENTS,
)

from tests.support.documentation import PLUGINS, PREFIX, ROLES, documented
from tests.support.paths import ROOT

MODULES = [name for kind, name in PLUGINS if kind == "module"]
GROUP = "crossaccount.ecr.aws"
ATTRIBUTES = {"action_group", "async", "check_mode", "diff_mode", "idempotent"}
#: The keys of a task other than its module.
TASK_KEYWORDS = {"become", "delegate_to", "name", "register", "run_once", "tags", "vars", "when"}


def role_entry(role: str) -> dict[str, Any]:
    entry: dict[str, Any] = documented("role")[role]["entry_points"]["main"]
    return entry


def options_of_all_entry_points(role: str) -> dict[str, Any]:
    return {
        name: option
        for entry in documented("role")[role]["entry_points"].values()
        for name, option in entry["options"].items()
    }


def group_members() -> list[str]:
    runtime = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())
    return [module for module in runtime["action_groups"]["aws"] if isinstance(module, str)]


def facts(options: dict[str, Any]) -> dict[str, Any]:
    """The properties that an argument spec and the documentation share."""
    keys = {"type", "choices", "default", "required", "elements"}
    return {
        name: {key: value for key, value in option.items() if key in keys and value not in (None, False)}
        for name, option in options.items()
    }


def tasks(blocks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The tasks of a list of tasks or plays, including those in blocks."""
    for block in blocks:
        inner = [entry for key in ("tasks", "block", "rescue", "always") for entry in block.get(key, [])]
        yield from tasks(inner) if inner else [block]


# --- modules and plugins


@pytest.mark.parametrize(("kind", "name"), PLUGINS)
def test_plugin_has_examples_and_related_content(kind: str, name: str) -> None:
    entry = documented(kind)[name]
    assert yaml.safe_load(entry["examples"])
    assert entry["doc"]["seealso"]
    assert kind == "inventory" or entry["return"]


@pytest.mark.parametrize("name", MODULES)
def test_module_requires_the_python_of_the_collection(name: str) -> None:
    requirements = documented("module")[name]["doc"]["requirements"]
    assert [requirement for requirement in requirements if requirement.startswith("python")] == ["python >= 3.9"]
    sdk = (ROOT / "meta/ee-requirements.txt").read_text().split() if name in group_members() else []
    assert sorted(requirement.replace(" ", "") for requirement in requirements if "boto" in requirement) == sorted(sdk)


@pytest.mark.parametrize("name", MODULES)
def test_module_documents_its_attributes(name: str) -> None:
    attributes = documented("module")[name]["doc"]["attributes"]
    assert set(attributes) == ATTRIBUTES
    assert attributes["check_mode"]["support"] == "full"
    assert attributes["action_group"]["membership"] == ([GROUP] if name in group_members() else [])
    assert (attributes["action_group"]["support"] == "full") == (name in group_members())


@pytest.mark.parametrize("name", MODULES)
def test_documented_async_support_is_that_of_the_action(name: str) -> None:
    supported = True
    if (ROOT / f"plugins/action/{name}.py").exists():
        action = importlib.import_module(f"ansible_collections.crossaccount.ecr.plugins.action.{name}").ActionModule
        supported = action._supports_async
    entry = documented("module")[name]["doc"]
    by_controller = "credentials" in entry["options"] and "control_node" in entry["options"]["credentials"].get(
        "choices", []
    )
    expected = "partial" if by_controller else "full"
    assert entry["attributes"]["async"]["support"] == (expected if supported else "none")


@pytest.mark.parametrize(("kind", "name"), [plugin for plugin in PLUGINS if plugin[0] != "inventory"])
def test_examples_use_documented_options(kind: str, name: str) -> None:
    modules = documented("module")
    examples = yaml.safe_load(documented(kind)[name]["examples"])
    used = set()
    for task in tasks(examples):
        for key in task.keys() - TASK_KEYWORDS:
            used.add(key)
            if key.removeprefix(PREFIX) in modules:
                options = modules[key.removeprefix(PREFIX)]["doc"]["options"]
                assert set(task[key] or {}) <= set(options)
    assert kind == "filter" or PREFIX + name in used
    assert kind == "module" or PREFIX + name in documented(kind)[name]["examples"]


def test_action_group_contains_every_module_that_uses_aws() -> None:
    controller = ("display_lines", "ecr_audit_options_info", "ecr_audit_report", "ecr_handoff", "ecr_handoff_info")
    ask_no_aws = (*controller, "ecr_credential_helper_config")
    assert group_members() == [name for name in MODULES if name not in ask_no_aws]


# --- roles and playbooks


@pytest.mark.parametrize("role", ROLES)
def test_role_defaults_are_those_of_the_argument_spec(role: str) -> None:
    defaults = yaml.safe_load((ROOT / "roles" / role / "defaults/main.yml").read_text())
    options = role_entry(role)["options"]
    assert defaults == {name: option["default"] for name, option in options.items() if "default" in option}


@pytest.mark.parametrize("role", ROLES)
def test_role_documents_every_variable_that_it_reads(role: str) -> None:
    texts = [
        path.read_text()
        for folder in ("tasks", "templates", "vars")
        for path in (ROOT / "roles" / role / folder).glob("*")
    ]
    read = set(re.findall(rf"(?<![\w.]){role}_\w+", "\n".join(texts)))
    made = set(re.findall(rf"(?:register: |^ +)({role}_\w+)(?=$|:)", "\n".join(texts), re.MULTILINE))
    options = set(options_of_all_entry_points(role))
    assert read - made <= options, read - made - options
    assert options <= set(re.findall(r"\w+", "\n".join(texts)))


@pytest.mark.parametrize("role", ROLES)
def test_role_has_examples_and_related_content(role: str) -> None:
    entry = role_entry(role)
    assert entry["seealso"]
    plays = yaml.safe_load(entry["examples"])
    assert [play for play in plays if PREFIX + role in json.dumps(play)] == plays
    variables = set(re.findall(rf"\b{role}_\w+(?=:)", entry["examples"]))
    assert variables <= {*entry["options"], "ecr_pull_handoff"}  # never an option: Ansible would evaluate it


@pytest.mark.parametrize("role", ROLES)
def test_role_documents_the_suboptions_of_dictionaries(role: str) -> None:
    free = {"repository_tags", "tags", "sharing_tags", "repository_policy", "lifecycle_policy"}  # any keys

    def without(options: dict[str, Any]) -> Iterator[str]:
        for name, option in options.items():
            has_dictionaries = "options" in option or option["type"] == "dict" or option.get("elements") == "dict"
            if has_dictionaries and name.removeprefix(f"{role}_") not in free and not option.get("options"):
                yield name
            yield from without(option.get("options", {}))

    assert list(without(role_entry(role)["options"])) == []


def test_suboptions_of_roles_are_those_of_the_modules() -> None:
    options = role_entry("ecr_share")["options"]
    share = options["ecr_share_shares"]["options"]
    for consumers in (options["ecr_share_consumers"], share["consumers"]):
        assert facts(consumers["options"]) == facts(SHARE_CONSUMER_ARGUMENTS)
    raw = {**SHARE_ARGUMENTS, "consumers": {**SHARE_ARGUMENTS["consumers"], "elements": "raw"}}
    assert facts(share) == facts(raw)
    helper = role_entry("ecr_credential_helper")["options"]
    for option in ("registries", "credentials"):
        documented_here = helper[f"ecr_credential_helper_{option}"]["options"]
        assert facts(documented_here) == facts(HELPER_ARGUMENTS[option]["options"])


@pytest.mark.parametrize("role", ROLES)
def test_entry_points_of_a_role_agree(role: str) -> None:
    """Each file of tasks that a user can name has an argument spec, and variables have one type in all of them."""
    entries = documented("role")[role]["entry_points"]
    main = facts(entries["main"]["options"])
    for entry in entries.values():
        own = facts(entry["options"])
        assert {name: own[name] for name in own if name in main} == {name: main[name] for name in own if name in main}
    included = {
        task["ansible.builtin.include_role"].get("tasks_from", "main")
        for path in (ROOT / "playbooks").glob("*.yml")
        for task in tasks(yaml.safe_load(path.read_text()))
        if task.get("ansible.builtin.include_role", {}).get("name") == PREFIX + role
    }
    assert included <= set(entries)


@pytest.mark.parametrize("role", ROLES)
def test_role_tasks_set_the_required_options_themselves(role: str) -> None:
    """Defaults of a block do not count: linters do not read them."""
    modules = documented("module")
    files = (ROOT / "roles" / role / "tasks").glob("*.yml")
    for task in (task for file in files for task in tasks(yaml.safe_load(file.read_text()))):
        for key in task:
            if key.removeprefix(PREFIX) in modules:
                options = modules[key.removeprefix(PREFIX)]["doc"]["options"]
                required = {name for name, option in options.items() if option.get("required")}
                assert required <= set(task[key] or {}), task["name"]


def test_reference_documents_the_variables_of_playbooks() -> None:
    page = (ROOT / "docs/docsite/rst/playbooks.rst").read_text()
    texts = "\n".join(path.read_text() for path in (ROOT / "playbooks").glob("*.yml"))
    read = set(re.findall(r"\b(ecr_[a-z]+_\w+)", re.sub(r"crossaccount\.ecr\.\w+", "", texts)))
    made = {*re.findall(r"register: (\w+)", texts), *re.findall(r"^ +(ecr_\w+):", texts, re.MULTILINE)}
    variables = read - made - {name for role in ROLES for name in options_of_all_entry_points(role)}
    assert variables == set(re.findall(r"^\* - ``(\w+)``$", page.replace("   * -", "* -"), re.MULTILINE))
    playbooks = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}
    assert playbooks == set(re.findall(r"^crossaccount\.ecr\.(\w+)$", page, re.MULTILINE))
