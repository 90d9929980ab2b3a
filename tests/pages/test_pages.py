# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command on every page runs as printed, in the order of the page, and the printed output is the real one."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from tests.support import quick_python

from .blocks import blocks, page_word
from .output import stale_lines
from .run import commands, run_page
from .session import ROOT, terminal

GUIDES = sorted((ROOT / "docs/docsite/rst").glob("*.rst"))
PAGES = [ROOT / "README.md", *GUIDES]
RUN = [path for path in PAGES if commands(path) and not page_word(path)]


@pytest.fixture(scope="module")
def ansible_playbook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pathlib.Path]:
    with quick_python.running_ansible(
        tmp_path_factory.mktemp("quick"), ROOT / ".venv/bin/python", quick_python.CONFIGURATION
    ) as program:
        yield program


@pytest.mark.parametrize("path", RUN, ids=lambda path: path.stem)
def test_page_runs_as_printed(tmp_path: pathlib.Path, ansible_playbook: pathlib.Path, path: pathlib.Path) -> None:
    with terminal(tmp_path, ansible_playbook) as reader:
        assert list(run_page(path, reader, {})) == []


def test_every_page_runs_or_states_a_reason() -> None:
    assert {path.stem for path in RUN} >= {"README", "tutorial", "revoke", "own_playbook", "many_hosts", "third_party"}
    for path in PAGES:
        reasons = [block.word for block in blocks(path) if block.word.startswith("no")]
        assert all(len(reason.removeprefix("no, ").split()) > 3 for reason in reasons), path
        unknown = [block for block in blocks(path) if block.language in ("console", "bash", "sh")]
        assert unknown == [], path


def test_every_example_runs_on_a_page() -> None:
    typed = "".join(block.text for path in RUN for block in commands(path))
    examples = [path for path in (ROOT / "docs/examples").glob("*.yml") if path.name not in ELSEWHERE]
    assert [path.name for path in examples if path.name not in typed] == []


#: Examples that other tests run: in a job of AWX, and in an organization.
ELSEWHERE = ("playbook-awx.yml", "playbook-fleet.yml")


def test_stale_output_is_found() -> None:
    output = "TASK [Show] *****\n+ 222222222222 can pull release\nok: [localhost]\nsha256:" + "0" * 64 + "\n"
    assert stale_lines("TASK [Show] ***\n…\nsha256:" + "1" * 64, output) == {}
    assert stale_lines("+ 222222222222 can …", output) == {}
    assert stale_lines("+ 222222222222 may pull release", output) == {
        "+ 222222222222 may pull release": "+ 222222222222 can pull release"
    }
    assert stale_lines("ok: [localhost]\nTASK [Show] ***", output) == {"TASK [Show] ***": ""}
