# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command on every page runs as printed, in the order of the page, and the printed output is the real one."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterator

import pytest

from tests.support import quick_python

from .blocks import blocks
from .output import stale_lines
from .run import PAGES, commands, not_run, pages_that_run, run_page
from .session import ROOT, Quick, Terminal, terminal

RUN = pages_that_run()
#: The pages whose commands pull into docker or podman.
WITH_ENGINE = ("README", "backfill", "replication")


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quick]:
    folder, real = tmp_path_factory.mktemp("quick"), ROOT / ".venv/bin/python"
    with (
        quick_python.running(folder, real) as python,
        quick_python.running_ansible(folder, real, python, quick_python.CONFIGURATION) as ansible,
    ):
        yield Quick(ansible, python)


def assert_runs(path: pathlib.Path, reader: Terminal, start_lab: Callable[[pathlib.Path], None]) -> None:
    """Run a page. If it does not start a lab itself, one runs before."""
    if not any("make lab-up" in block.text for block in commands(path)):
        lab = reader.folder / ".lab"
        lab.mkdir(mode=0o700)
        start_lab(lab)
    problems = list(run_page(path, reader, {}))
    assert problems == [], "\n".join(problems)


@pytest.mark.parametrize("path", [path for path in RUN if path.stem not in WITH_ENGINE], ids=lambda path: path.stem)
def test_page_runs_as_printed(
    tmp_path: pathlib.Path, quick: Quick, path: pathlib.Path, start_lab: Callable[[pathlib.Path], None]
) -> None:
    with terminal(tmp_path, quick) as reader:
        assert_runs(path, reader, start_lab)


@pytest.mark.engine
@pytest.mark.parametrize("path", [path for path in RUN if path.stem in WITH_ENGINE], ids=lambda path: path.stem)
def test_page_with_engine_runs_as_printed(
    tmp_path: pathlib.Path,
    quick: Quick,
    path: pathlib.Path,
    docker: dict[str, str],
    start_lab: Callable[[pathlib.Path], None],
) -> None:
    with terminal(tmp_path, quick, docker) as reader:
        assert_runs(path, reader, start_lab)


def test_quick_program_runs_in_place_of_the_real_one(tmp_path: pathlib.Path) -> None:
    program, folder = tmp_path / "program", tmp_path / "clone"
    program.write_text('#!/bin/sh\necho "quick $1 with $ANSIBLE_CONFIG"\n')
    program.chmod(0o700)
    folder.mkdir()
    with terminal(folder, Quick(program, program)) as reader:
        status, output = reader.run(". .venv/bin/activate; ansible-playbook a.yml; .venv/bin/ansible-playbook b.yml")
        assert (status, output) == (0, "".join(f"quick {name}.yml with {ROOT}/ansible.cfg\n" for name in "ab"))
        status, output = reader.run("ANSIBLE_FORCE_COLOR=1 ansible-playbook --version")
        assert (status, output[:22]) == (0, "ansible-playbook [core"), output


def test_every_page_runs_or_states_a_reason() -> None:
    assert {path.stem for path in RUN} >= {"README", "tutorial", "revoke", "own_playbook", "many_hosts", "third_party"}
    assert [line for line in not_run() if len(line.partition(": ")[2].split()) <= 3] == []
    for path in PAGES:
        unknown = [block for block in blocks(path) if block.language in ("console", "bash", "sh")]
        assert unknown == [], path


def test_every_example_runs_on_a_page() -> None:
    typed = "".join(block.text for path in RUN for block in commands(path))
    examples = [path for path in (ROOT / "docs/examples").glob("*.yml") if path.name not in ELSEWHERE]
    assert [path.name for path in examples if path.name not in typed] == []


#: Examples that other tests run: in a job of AWX, in an organization, and with the requests of EKS.
ELSEWHERE = ("playbook-awx.yml", "playbook-fleet.yml", "share-eks-pod-identity.yml")


def test_stale_output_is_found() -> None:
    output = "TASK [Show] *****\n+ 222222222222 can pull release\nok: [localhost]\nsha256:" + "0" * 64 + "\n"
    assert stale_lines("TASK [Show] ***\n…\nsha256:" + "1" * 64, output) == {}
    assert stale_lines("+ 222222222222 can …", output) == {}
    assert stale_lines("+ 222222222222 may pull release", output) == {
        "+ 222222222222 may pull release": "+ 222222222222 can pull release"
    }
    assert stale_lines("ok: [localhost]\nTASK [Show] ***", output) == {"TASK [Show] ***": ""}
