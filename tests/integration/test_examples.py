# SPDX-License-Identifier: GPL-3.0-or-later
"""Every example of the documentation does what it says: declarations are shared and taken back."""

from __future__ import annotations

import pytest

from tests.support.control import Control
from tests.support.lab import Lab
from tests.support.paths import ROOT

EXAMPLES = ROOT / "docs/examples"
DECLARATIONS = sorted(path.name for path in EXAMPLES.glob("share-*.yml"))
PLAYBOOKS = sorted(path.name for path in EXAMPLES.glob("playbook-*.yml"))


@pytest.fixture(scope="module", autouse=True)
def _other_region(lab: Lab) -> None:
    lab.session("owner").client("ecr", region_name="eu-west-1").create_repository(repositoryName="release")


def test_there_are_examples() -> None:
    assert len(DECLARATIONS) >= 5
    assert len(PLAYBOOKS) >= 3


@pytest.mark.parametrize("name", DECLARATIONS)
def test_a_declaration_is_shared_and_taken_back(control: Control, name: str) -> None:
    declaration = ["-e", f"@{EXAMPLES / name}"]
    several = "ecr_share_shares" in (EXAMPLES / name).read_text()
    variables = {} if several else {"ecr_share_handoff_path": str(control.handoff)}
    shared = control.playbook("share", "owner", *declaration, **variables)
    assert shared.code == 0, shared
    assert " can pull " in " ".join(shared.output.split())
    back = control.playbook("unshare", "owner", *declaration, **variables)
    assert back.code == 0, back
    assert " loses " in " ".join(back.output.split())


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_a_playbook_runs_and_says_the_same_twice(control: Control, name: str) -> None:
    profile = None if "profile" in (EXAMPLES / name).read_text() else "owner"
    first = control.playbook(str(EXAMPLES / name), profile)
    run = control.playbook(str(EXAMPLES / name), profile)
    assert (first.code, run.code) == (0, 0), (first, run)
    assert run.changed == 0, run
    back = control.playbook("unshare", "owner", "-e", f"@{EXAMPLES / DECLARATIONS[0]}")
    assert back.code == 0, back
