# SPDX-License-Identifier: GPL-3.0-or-later
"""The pattern, its parts, and how it is applied."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
from collections.abc import Iterator

import pytest
import yaml

from tests.awx.server import TOKEN, Awx
from tests.support.control import BIN, Control
from tests.support.paths import ROOT
from tests.support.serving import serving

FOLDER = ROOT / "extensions/patterns/ecr_share"
PATTERN = json.loads((FOLDER / "meta/pattern.json").read_text())
RESOURCES = PATTERN["aap_resources"]
TEMPLATES = {template["name"]: template for template in RESOURCES["controller_job_templates"]}


class _Loader(yaml.SafeLoader):
    """Takes what Ansible marks as no template of its own for what it is."""


_Loader.add_constructor("!unsafe", lambda _loader, node: node.value)
AWX = yaml.load((FOLDER / "vars/awx.yml").read_text(), _Loader)  # noqa: S506  (a SafeLoader)
TYPES = {kind["name"]: kind for kind in AWX["ecr_awx_credential_types"]}


@pytest.fixture
def awx() -> Iterator[Awx]:
    with Awx() as server, serving(server):
        yield server


#: The image and the project of the jobs, which apply.yml requires.
IMAGE = f"registry.example.com/ecr-ee@sha256:{'0' * 64}"
PROJECT = "https://git.example.com/crossaccount/ecr.git"
EXACT = ("-e", f"ecr_awx_image={IMAGE}", "-e", f"ecr_awx_project_url={PROJECT}", "-e", "ecr_awx_project_release=0.1.0")


def apply(folder: pathlib.Path, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
    environment |= {"ANSIBLE_PIPELINING": "1", "ANSIBLE_NOCOLOR": "1"}
    environment |= {"CONTROLLER_HOST": url, "CONTROLLER_OAUTH_TOKEN": TOKEN} if url else {}
    program = Control.ansible_playbook or BIN / "ansible-playbook"
    command = [str(program), str(FOLDER / "playbooks/apply.yml"), *EXACT, *arguments]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
