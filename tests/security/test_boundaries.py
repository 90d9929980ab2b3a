# SPDX-License-Identifier: GPL-3.0-or-later
"""Hostile values in every input that crosses a trust boundary execute nothing, and write, show and send nothing wrong.

`make test` tries the same examples each time; HYPOTHESIS_PROFILE=long tries twenty times as many, and others each time.
Real runs of the playbooks are in test_boundaries_playbooks.py, which also runs on other versions of ansible-core.
"""

from __future__ import annotations

import os
import pathlib
import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.support.paths import ROOT

from . import hostile_aws
from .boundaries import BOUNDARIES, Boundary
from .fake_servers import FakeServers
from .observers import Sandbox, findings

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
fuzz = settings(
    max_examples=600 if LONG else 30,
    derandomize=not LONG,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def servers() -> Iterator[FakeServers]:
    with ExitStack() as stack:
        yield FakeServers(stack)


@pytest.mark.parametrize("boundary", BOUNDARIES, ids=lambda boundary: boundary.name.replace(" ", "-"))
def test_hostile_input(boundary: Boundary, servers: FakeServers, tmp_path: pathlib.Path) -> None:
    sandbox = Sandbox(tmp_path, *hostile_aws.SECRETS)

    @fuzz
    @given(boundary.values)
    def is_data(value: Any) -> None:
        sandbox.clear()
        servers.clear()
        value = sandbox.plant(value)
        assert findings(sandbox, lambda observations: boundary.run(sandbox, servers, observations, value)) == []

    is_data()


def names_in(path: str) -> list[str]:
    """The boundaries of a documentation page: the first column of its table."""
    section = (ROOT / path).read_text().partition("Trust boundaries\n")[2]
    if path.endswith(".md"):
        rows = re.findall(r"^\| ([^|]+) \|", section.partition("\n## ")[0], re.M)
    else:
        rows = re.findall(r"^   \* - (.+)$", section.partition("\nSecrets\n")[0], re.M)
    assert rows[0] == "Boundary"
    return rows[1:]


@pytest.mark.parametrize("path", ["SECURITY.md", "docs/docsite/rst/security.rst"])
def test_documentation_lists_every_boundary(path: str) -> None:
    assert names_in(path) == [boundary.name for boundary in BOUNDARIES]
