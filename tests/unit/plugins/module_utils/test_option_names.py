# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of options in messages, and whether they are those that the roles set."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import (
    VARIABLES,
    option,
    options_in,
    unknown_option,
    use_names_of,
)

from tests.support.paths import ROOT

SHARE = "crossaccount.ecr.ecr_share"
#: Variables that are not options of a module: of the role's own tasks.
OWN = {
    "crossaccount.ecr.ecr_pull": {"ecr_pull_prove_only", "ecr_pull_junit_path"},
    "crossaccount.ecr.ecr_credential_helper": {"ecr_credential_helper_install", "ecr_credential_helper_package"},
}


@pytest.fixture(autouse=True)
def _names_of_options() -> Iterator[None]:
    yield
    use_names_of("")


@pytest.mark.parametrize("role", VARIABLES)
def test_every_variable_of_a_role_is_known(role: str) -> None:
    folder = ROOT / "roles" / role.rpartition(".")[2]
    entry_points = yaml.safe_load((folder / "meta/argument_specs.yml").read_text("utf-8"))["argument_specs"]
    declared = {name for entry_point in entry_points.values() for name in entry_point["options"]}
    assert set(VARIABLES[role].values()) | OWN.get(role, set()) == declared


@pytest.mark.parametrize("role", VARIABLES)
def test_each_variable_is_that_of_the_option_in_the_tasks(role: str) -> None:
    tasks = (ROOT / "roles" / role.rpartition(".")[2] / "tasks/main.yml").read_text("utf-8")
    found = re.findall(r'(\w+): "\{\{ (ecr_\w+)(?: \| default\(omit(?:, true)?\))? \}\}"', tasks)
    variables: dict[str, set[str]] = {}
    for name, value in found:
        if value in VARIABLES[role].values():
            variables.setdefault(name, set()).add(value)
    assert len(variables) > 8
    for name, values in variables.items():
        # The variable of an option that tasks set in two ways depends on the task.
        known = VARIABLES[role].get(name)
        assert known in values or (known is None and len(values) > 1), (name, values)


def test_option_outside_of_roles() -> None:
    assert (option("dest"), options_in("Set O(dest).")) == ("dest", "Set dest.")


def test_option_in_a_role() -> None:
    use_names_of("crossaccount.ecr.ecr_pull")
    assert (option("dest"), options_in("Set O(dest).")) == ("ecr_pull_dest", "Set ecr_pull_dest.")
    assert (option("readable"), option("endpoint_url")) == ("ecr_pull_repositories", "endpoint_url")


def test_names_of_a_role_of_others_are_unchanged() -> None:
    use_names_of(SHARE)
    use_names_of("other.collection.ecr_share")
    assert option("adopt") == "adopt"


def test_only_marked_words_are_replaced() -> None:
    use_names_of(SHARE)
    assert options_in("The images have tags; the state of region O(region) is (state).") == (
        "The images have tags; the state of region ecr_share_region is (state)."
    )


SPEC: dict[str, Any] = {
    "defaults": {"options": {"consumers": {"options": {"account": {}, "principals": {}}}}},
    "state": {},
}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            ("defaults", "consumers", "acount"),
            "An entry of ecr_share_consumers has an unknown option acount. Did you mean account? Valid are account,"
            " principals.",
        ),
        (("sate",), "Module m has an unknown option sate. Did you mean state? Valid are defaults, state."),
        (("x",), "Module m has an unknown option x. Valid are defaults, state."),
        (("unknown", "x"), "An entry of unknown has an unknown option x. Valid are ."),
    ],
)
def test_unknown_option(path: tuple[str, ...], message: str) -> None:
    use_names_of(SHARE)
    assert unknown_option("m", path, SPEC) == message


def test_marked_options_are_rendered_in_messages() -> None:
    """Every text that marks an option is rendered: these files do so."""
    marked = {
        path.name for path in pathlib.Path(ROOT / "plugins/module_utils").glob("*.py") if "O(" in path.read_text()
    }
    assert marked == {
        "_engine_errors.py",
        "_errors.py",
        "_observation.py",
        "_option_names.py",
        "_request_errors.py",
    }
