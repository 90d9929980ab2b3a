# SPDX-License-Identifier: GPL-3.0-or-later
"""The built archive, installed somewhere else, runs by the names of its playbooks."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess

import pytest

from tests.support.control import BIN, Control, Run
from tests.support.paths import ROOT


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("build")
    command = [str(BIN / "ansible-galaxy"), "collection", "build", "--output-path", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = folder.iterdir()
    return built


PLAYBOOK = """---
- name: Share
  hosts: localhost
  gather_facts: false
  roles:
    - role: crossaccount.ecr.ecr_share
      ecr_share_role_name: allow_ecr_release
      ecr_share_repository_tags:
        environment: release
      ecr_share_repositories: [release]
      ecr_share_consumers:
        - account: "222222222222"
          external_id: 7c2f4e0b-share

- name: Pull
  hosts: localhost
  gather_facts: false
  vars:
    ecr_pull_handoff: handoff.yml
  roles:
    - crossaccount.ecr.ecr_pull
    - crossaccount.ecr.ecr_credential_helper

- name: Audit, replicate and revoke
  hosts: localhost
  gather_facts: false
  roles:
    - crossaccount.ecr.ecr_audit
    - role: crossaccount.ecr.ecr_replicate
      ecr_replicate_owner_account: "111111111111"
      ecr_replicate_consumer_account: "222222222222"
      ecr_replicate_prefixes: [release]
    - role: crossaccount.ecr.ecr_cache
      ecr_cache_owner_account: "111111111111"
      ecr_cache_consumer_account: "222222222222"
      ecr_cache_prefix: cache
      ecr_cache_allowed_prefixes: [release]
  tasks:
    - name: End all sessions
      ansible.builtin.import_role:
        name: crossaccount.ecr.ecr_share
        tasks_from: revoke
      vars:
        ecr_share_role_name: allow_ecr_release
"""


def test_linter_reports_nothing_in_the_roles(archive: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """ansible-lint reads the roles that a playbook uses, if the collection is installed in the project."""
    collections = tmp_path / "collections"
    galaxy = [str(BIN / "ansible-galaxy"), "collection", "install", "--offline", "--no-deps", "-p", str(collections)]
    environment = {
        "HOME": str(tmp_path),
        "PATH": f"{ROOT}/.venv/bin:{os.environ['PATH']}",
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "NO_COLOR": "1",
    }
    subprocess.run([*galaxy, str(archive)], env=environment, check=True, capture_output=True)
    (tmp_path / "site.yml").write_text(PLAYBOOK)
    command = [str(ROOT / ".venv/bin/ansible-lint"), "--offline", "--project-dir", str(tmp_path), "site.yml"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    shown = done.stdout + done.stderr
    assert done.returncode == 0, shown
    assert "Passed: 0 failure(s), 0 warning(s)" in shown, shown
    files = int(shown.partition(" files processed")[0].split()[-1])
    roles = [path for path in (ROOT / "roles").glob("*/*/*.yml") if path.parent.name in ("tasks", "defaults", "meta")]
    assert files > len(roles), "the roles were not read"


def test_the_installed_collection_shares_and_pulls(
    control: Control, archive: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    # Elsewhere than the collection of this repository, which would count as installed.
    environment = {**control.environment(None), "ANSIBLE_COLLECTIONS_PATH": str(tmp_path)}
    del environment["ANSIBLE_CONFIG"]
    galaxy = [str(BIN / "ansible-galaxy"), "collection", "install", "--offline", "--no-deps", "-p", str(tmp_path)]
    subprocess.run([*galaxy, str(archive)], env=environment, check=True, capture_output=True)

    def play(playbook: str, *variables: str, **profile: str) -> Run:
        command = [str(BIN / "ansible-playbook"), playbook, *variables]
        return Run(
            subprocess.run(
                command, cwd=tmp_path, env={**environment, **profile}, capture_output=True, text=True, check=False
            )
        )

    scenario = f"@{ROOT}/playbooks/vars/scenario.yml"
    run = play(
        "crossaccount.ecr.share", "-e", scenario, "-e", "ecr_share_handoff_path=handoff.yml", AWS_PROFILE="owner"
    )
    assert run.code == 0, run
    image = f"ecr_pull_engine=oci_layout ecr_pull_dest={tmp_path}/image"
    pull = ["crossaccount.ecr.pull", "-e", "ecr_pull_handoff=handoff.yml", "-e", image]
    run = play(*pull, AWS_PROFILE="consumer")
    assert run.code == 0, run
    assert (tmp_path / "image/index.json").exists()

    # A user's own playbook, that the archive brings along. Nothing but its module_defaults says the profile.
    own = tmp_path / "own.yml"
    shutil.copy(tmp_path / "ansible_collections/crossaccount/ecr/docs/examples/playbook-modules.yml", own)
    assert "group/crossaccount.ecr.aws:" in own.read_text()
    run = play(str(own))
    assert run.code == 0, run
