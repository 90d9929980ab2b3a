# SPDX-License-Identifier: GPL-3.0-or-later
"""A control node that runs the playbooks and the modules as a user does, by their command lines."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
from typing import Any

from tests.lab import accounts
from tests.support import quick_python
from tests.support.lab import Lab
from tests.support.paths import ROOT

#: tests/matrix names the programs of another ansible-core.
BIN = pathlib.Path(os.environ.get("ANSIBLE_BIN", ROOT / ".venv/bin"))
WAIT_INTERVAL = 0.05  # seconds; the lab returns a write at once
#: Deprecations of amazon.aws (a module of its group, how it returns warnings), and of the option --tree below.
DEPRECATED = ("amazon.aws.ec2_vpc_peer", "Passing `warnings` to `exit_json`", "tree callback")
#: The modules that change a document of a registry.
REGISTRY_MODULES = (
    "ecr_replication_rule",
    "ecr_registry_policy_statement",
    "ecr_repository_creation_template",
    "ecr_pull_through_rule",
    "iam_ecr_cache_role",
)
#: The modules that change the owner account.
OWNER_MODULES = ("ecr_repository_policy_statement", "ecr_repository_tag", "iam_ecr_pull_role")
ROLE = "allow_ecr_release"
ROLE_ARN = f"arn:aws:iam::{accounts.OWNER}:role/{ROLE}"
REPOSITORY_ARN = f"arn:aws:ecr:{accounts.REGION}:{accounts.OWNER}:repository/"


class Run:
    """A finished run of ansible or ansible-playbook."""

    def __init__(self, process: subprocess.CompletedProcess[str]) -> None:
        self.code = process.returncode
        self.output = process.stdout + process.stderr

    def __repr__(self) -> str:
        return f"exit status {self.code}\n{self.output}"

    @property
    def changed(self) -> int:
        return int(self.output.rpartition("changed=")[2].split()[0])


class Control:
    """A control node with this collection, an AWS environment, and container engines."""

    #: The Python for modules. None: the Python that Ansible chooses, and the real ansible-playbook.
    python: pathlib.Path | None = None
    #: The same under another name, for which a quick ansible-playbook runs a module as on a host.
    host_python: pathlib.Path | None = None
    #: A quick ansible-playbook, if one runs. With `python`, the modules that may run in its process do so.
    ansible_playbook: pathlib.Path | None = None

    def __init__(self, lab: Lab, folder: pathlib.Path) -> None:
        self.lab, self.folder = lab, folder
        self.handoff = folder / "handoff.yml"
        self.engines: dict[str, str] = {}

    def environment(self, profile: str | None) -> dict[str, str]:
        kept = {
            name: os.environ[name]
            for name in ("PATH", "LANG", "LC_ALL", "ANSIBLE_COLLECTIONS_PATH")
            if name in os.environ
        }
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        profiles = {"AWS_PROFILE": profile} if profile else {}
        return {
            **kept,
            **self.lab.environment,
            **profiles,
            **self.engines,
            "HOME": str(home),
            # As Ansible displays it without the configuration of this repository: the name of a task before its lines.
            **quick_python.CONFIGURED,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def playbook(self, name: str, profile: str | None, /, *arguments: str, **variables: Any) -> Run:
        variables.setdefault("ecr_share_wait_interval", WAIT_INTERVAL)
        if self.python:
            variables.setdefault("ansible_python_interpreter", str(self.python))
        path = name if name.endswith(".yml") else f"playbooks/{name}.yml"
        return self._run([self.program(profile), path, *arguments, "-e", json.dumps(variables)], profile)

    def program(self, profile: str | None) -> pathlib.Path:
        """The program ansible-playbook, the quick one if it has the configuration of this control node."""
        return self._quick(profile) or BIN / "ansible-playbook"

    def ad_hoc(self, profile: str | None) -> list[Any]:
        """The words that call the program ansible."""
        quick = self._quick(profile)
        return [quick, "--ad-hoc"] if quick else [BIN / "ansible"]

    def _quick(self, profile: str | None) -> pathlib.Path | None:
        return self.ansible_playbook if self.python and quick_python.serves(self.environment(profile)) else None

    def share(self, *arguments: str, profile: str | None = "owner", **variables: Any) -> Run:
        """Run share.yml with the scenario's declaration, overridden by `variables`."""
        variables.setdefault("ecr_share_handoff_path", str(self.handoff))
        return self.playbook("share", profile, "-e", "@playbooks/vars/scenario.yml", *arguments, **variables)

    def pull(self, *arguments: str, profile: str | None = "consumer", **variables: Any) -> Run:
        """Run pull.yml with the hand-off. By default, it does not wait, because these shares need no propagation."""
        variables.setdefault("ecr_pull_wait_timeout", 0)
        return self.playbook("pull", profile, "-e", f"ecr_pull_handoff={self.handoff}", *arguments, **variables)

    def module(self, module: str, profile: str | None, /, *flags: str, **options: Any) -> dict[str, Any]:
        """The result of one module; `code` is the exit status. The consumer's modules do not wait.

        A module runs as on a host, which is faster. A module with an action plugin runs as an ad hoc command.
        """
        if module in ("ecr_audit_info", "iam_ecr_session_revocation"):  # they never wait
            return self._module_itself(module, profile, *flags, **options)
        if module == "ecr_replication_backfill":
            options = {"wait_interval": WAIT_INTERVAL, "wait_timeout": 60, **options}
            return self._module_itself(module, profile, *flags, **options)
        owners = module in (*REGISTRY_MODULES, *OWNER_MODULES)
        options = {**({"wait_interval": WAIT_INTERVAL} if owners else {"wait_timeout": 0}), **options}
        in_steps = not owners and options["wait_timeout"] != 0
        if not in_steps and options.get("credentials") != "control_node" and {*flags} <= {"--check", "--diff"}:
            return self._module_itself(module, profile, *flags, **options)
        words = ["localhost", "-m", f"crossaccount.ecr.{module}", "-a", json.dumps(options), *flags]
        tree = self.folder / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        self.last = run = self._run([*self.ad_hoc(profile), *words, "--tree", str(tree)], profile)
        result: dict[str, Any] = json.loads((tree / "localhost").read_text())
        return {**result, "code": run.code}

    def _module_itself(self, module: str, profile: str | None, /, *flags: str, **options: Any) -> dict[str, Any]:
        keywords = {"_ansible_check_mode": "--check" in flags, "_ansible_diff": "--diff" in flags}
        arguments = json.dumps({"ANSIBLE_MODULE_ARGS": {**options, **keywords}})
        command = [
            self.python or BIN / "python",
            "-m",
            f"ansible_collections.crossaccount.ecr.plugins.modules.{module}",
        ]
        self.last = run = self._run(command, profile, arguments, PYTHONPATH=str(ROOT / ".venv/collections"))
        result: dict[str, Any] = json.loads(run.output.splitlines()[-1])
        # As `ansible --tree` writes it, and with its exit status.
        kept = {key: value for key, value in result.items() if key not in ("failed", "invocation")}
        return {"changed": False, **kept, "code": 2 if run.code else 0}

    def _run(self, command: list[Any], profile: str | None, typed: str = "", **variables: str) -> Run:
        environment = {**self.environment(profile), **variables}
        process = subprocess.run(
            command, input=typed, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False
        )
        run = Run(process)
        deprecated = [line for line in run.output.splitlines() if "[DEPRECATION WARNING]" in line]
        assert not [line for line in deprecated if not any(known in line for known in DEPRECATED)], run
        return run
