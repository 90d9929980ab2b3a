# SPDX-License-Identifier: GPL-3.0-or-later
"""Every package that the environments install is the one that was locked."""

from __future__ import annotations

import pathlib
import re

import pytest

from tests.support.paths import ROOT

_PINNED = re.compile(r"([A-Za-z0-9._-]+)==(\S+)")
FOLDERS = [ROOT / "tests", ROOT / "tests/lab"]


def pinned(text: str) -> dict[str, str]:
    return {name.lower().replace("_", "-"): version for name, version in _PINNED.findall(text)}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_every_package_is_locked_with_its_version_and_hashes(folder: pathlib.Path) -> None:
    """About 130 packages were installed as root by version only (finding 16)."""
    text = (folder / "requirements.txt").read_text()
    entries = [entry for entry in re.split(r"\n(?=\S)", text) if not entry.startswith("#")]
    assert entries
    for entry in entries:
        assert _PINNED.match(entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry
    expected = pinned((folder / "requirements.in").read_text())
    assert expected
    assert {name: pinned(text).get(name) for name in expected} == expected, "run make lock"


def test_the_environments_are_installed_from_the_lock_files_only() -> None:
    script = (ROOT / "tests/make-venv").read_text()
    demo = (ROOT / "tests/make-demo-venv").read_text()
    installs = [line for line in (script + demo).splitlines() if "bin/pip" in line]
    assert len(installs) == 2
    assert all("--require-hashes --only-binary :all:" in line for line in installs)
    text = (ROOT / "Makefile").read_text() + demo
    assert re.findall(r"tests/make-venv \S+ \S+ (\S+\.txt)", text) == [
        "tests/requirements.txt",
        "tests/lab/requirements.txt",
        "tests/demo-requirements.txt",
    ]
