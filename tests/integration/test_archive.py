# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive of the collection contains what users need, and nothing else that is in the clone."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import tarfile

from tests.support.control import BIN
from tests.support.paths import ROOT

#: Files of the repository that only developers need.
DEVELOPMENT = (
    ".",
    "tests/",
    "extensions/molecule/",
    "docs/README.md",
    "docs/audit_findings.py",
    "docs/aws_errors.py",
    "docs/check.py",
    "docs/conf.py",
    "docs/copy.js",
    "docs/index.rst",
    "docs/pictures.py",
    "docs/record_audit.py",
    "docs/record_demo.py",
    "docs/style.css",
    "Makefile",
    "ansible.cfg",
    "execution-environment.yml",
    "galaxy.yml",
    "pyproject.toml",
)
#: Files that a user may leave in the clone.
STRAY = (
    ".env",
    ".lab/aws-credentials",
    "ansible.log",
    "handoff.yml",
    "vars.yml",
    "hosts.ini",
    "group_vars/all.yml",
    "playbooks/handoff.yml",
    "playbooks/mine.yml",
    "playbooks/group_vars/all.yml",
    "playbooks/vars/mine.yml",
    "meta/token.yml",
    "docs/handoff.json",
    "docs/examples/handoff.yml",
    "docs/examples/fleet/group_vars/all.yml",
    "docs/docsite/rst/handoff.yml",
    "roles/ecr_share/files/id_ed25519",
    "roles/ecr_share/vars/main.yml",
    "plugins/modules/notes.txt",
    "plugins/module_utils/__pycache__/_wait.cpython-311.pyc",
    "changelogs/notes.txt",
    "extensions/patterns/ecr_share/handoff.yml",
    "extensions/patterns/ecr_share/vars/mine.yml",
    "crossaccount-ecr-0.0.9.tar.gz",
)
#: The files that `ansible-galaxy` writes.
WRITTEN = {"MANIFEST.json", "FILES.json"}


def test_the_archive_contains_what_users_need_and_nothing_else(tmp_path: pathlib.Path) -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    tracked = [name for name in listed.split("\0") if name and (ROOT / name).is_file()]
    clone = tmp_path / "clone"
    for name in tracked:
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, clone / name)
    for name in STRAY:
        assert not (clone / name).exists()
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_text("of the user")

    command = [str(BIN / "ansible-galaxy"), "collection", "build", "--output-path", str(tmp_path), str(clone)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (path,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        found = {member.name for member in archive if member.isfile()}
    assert found - WRITTEN == {name for name in tracked if not name.startswith(DEVELOPMENT)}
    assert found >= WRITTEN
