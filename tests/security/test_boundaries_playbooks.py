# SPDX-License-Identifier: GPL-3.0-or-later
"""Hostile values in real runs of ansible-playbook and ansible-inventory, on each supported version of ansible-core.

test_boundaries.py tries many more values in one process, with one version. Here each run has as many of them as fit in.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import yaml

from tests.awx import rules
from tests.security.host_result import ANSWER
from tests.support.control import BIN, Control
from tests.support.paths import ROOT
from tests.support.registry import OCI_MANIFEST

from . import hostile, hostile_aws
from .fake_servers import FakeServers
from .handoff_boundaries import CHOICES, HANDOFF, SURVEY
from .observers import Observations, Sandbox, findings
from .registry_boundaries import LAYER

PATTERN = ROOT / "extensions/patterns/ecr_share/playbooks"
#: Values that Ansible itself executes, displays, or refuses to load.
PAYLOADS = [*hostile.TEMPLATES[:6], *hostile.COMMANDS[:2], *hostile.TAGS[:1], *hostile.CONTROL_CHARACTERS[:3]]
LIMIT = 300  # seconds


class Play:
    """Runs the programs of ansible-core, and notes what they show."""

    def __init__(self, sandbox: Sandbox, servers: FakeServers, python: pathlib.Path | None) -> None:
        self.sandbox, self.servers, self.python = sandbox, servers, python
        self.output = ""

    def run(self, observations: Observations, program: str, *arguments: Any, **variables: Any) -> None:
        """Standard input is closed; the working directory and the home are outside."""
        environment = {
            **{name: os.environ[name] for name in ("LANG", "LC_ALL") if name in os.environ},
            **self.servers.aws.environment,
            "PATH": os.environ["PATH"],
            "HOME": str(self.sandbox.inside),
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".venv/collections"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_SHOW_CUSTOM_STATS": "1",
        }
        if self.python:
            variables.setdefault("ansible_python_interpreter", str(self.python))
        extra = ["-e", json.dumps(variables)] if variables else []
        quick = Control.ansible_playbook if program == "ansible-playbook" else None
        process = subprocess.run(
            [quick or BIN / program, *arguments, *extra],
            cwd=self.sandbox.outside / "cwd",
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LIMIT,
            check=False,
        )
        self.output = (process.stdout + process.stderr).decode("utf-8", "surrogateescape")
        observations.shown.append(self.output)

    def pull(self, observations: Observations, *arguments: Any, **variables: Any) -> None:
        self.run(observations, "ansible-playbook", ROOT / "playbooks/pull.yml", *arguments, **variables)

    def survey(self, observations: Observations, playbook: str, answers: dict[str, Any]) -> None:
        """As AWX passes the answers of a survey and the artifacts of other jobs."""
        own = {"ecr_share_wait_timeout": 0, "ecr_pull_wait_timeout": 0, "ansible_python_interpreter": str(self.python)}
        file = self.sandbox.inside / "extra_vars.yml"
        file.write_text(rules.extra_vars_file({**answers, **own}))
        self.run(observations, "ansible-playbook", PATTERN / playbook, "-e", f"@{file}")

    def write(self, name: str, value: Any) -> pathlib.Path:
        path = self.sandbox.inside / name
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        return path


@pytest.fixture(scope="module")
def servers() -> Iterator[FakeServers]:
    with ExitStack() as stack:
        yield FakeServers(stack)


@pytest.fixture
def play(servers: FakeServers, tmp_path: pathlib.Path) -> Play:
    servers.clear()
    return Play(Sandbox(tmp_path, *hostile_aws.SECRETS), servers, Control.host_python)


def everywhere(payload: str) -> dict[str, Any]:
    """A hand-off with the payload in each value, in a new key, and as a variable of Ansible."""
    values: dict[str, Any] = dict.fromkeys(HANDOFF, payload)
    for name in ("repositories", "denied", "images"):
        values[f"ecr_pull_{name}"] = [f"release{payload}", payload]
    foreign = {payload: payload, "ansible_shell_executable": payload, "ansible_python_interpreter": payload}
    return {**values, "ecr_pull_repository_tags": {payload: payload}, **foreign}


def pull_handoffs(play: Play, observations: Observations) -> None:
    """A host for each payload and each form of its hand-off, in one run."""
    variables: dict[str, Any] = {}
    hosts = []
    for number, payload in enumerate(map(play.sandbox.plant, PAYLOADS)):
        documents = [everywhere(payload), {**HANDOFF, "ecr_pull_images": [f"release:{payload}"]}]
        for form, text in (("json", json.dumps(documents[0])), ("yaml", yaml.safe_dump(documents[1]))):
            variables[f"text_{number}_{form}"] = text
            hosts.append(f"text-{number}-{form} ecr_pull_handoff='{{{{ text_{number}_{form} }}}}'")
        path = play.write(f"{number}.yml", yaml.safe_dump(documents[number % 2]))
        hosts.append(f"file-{number} ecr_pull_handoff={path}")
    for number, file in enumerate(hostile.SPECIAL_FILES):
        hostile.create(play.sandbox.plant(file), play.sandbox.inside / f"special-{number}")
        hosts.append(f"special-{number} ecr_pull_handoff={play.sandbox.inside}/special-{number}")
    local = "ansible_connection=local ansible_python_interpreter=/nonexistent"
    inventory = play.write("hosts", "".join(f"{host} {local}\n" for host in hosts))
    play.python = None
    play.pull(observations, "-i", inventory, "--forks", "4", **variables)
    assert play.output.count("failed=1") == len(hosts), play.output


def pull_handoff_text(play: Play, observations: Observations) -> None:
    """Not by the name of a variable: the text itself in -e, which Ansible trusts."""
    for payload in map(play.sandbox.plant, PAYLOADS[:3]):
        play.pull(observations, ecr_pull_handoff=json.dumps(everywhere(payload)))
        assert "A hand-off cannot contain" in " ".join(play.output.split()), play.output


def share_survey(play: Play, observations: Observations) -> None:
    for number in range(3):
        payloads = map(play.sandbox.plant, PAYLOADS[number:] + PAYLOADS[:number])
        answers = {name: value + payload for (name, value), payload in zip(SURVEY.items(), payloads)}
        for playbook in ("share.yml", "unshare.yml") if number == 0 else ("share.yml",):
            play.survey(observations, playbook, {**answers, **CHOICES})
            assert "failed=1" in play.output, play.output


def pull_artifacts(play: Play, observations: Observations) -> None:
    for name in ("ecr_share_handoff", "survey_handoff"):
        for document in (everywhere(play.sandbox.plant(PAYLOADS[0])), HANDOFF["ecr_pull_denied"]):
            play.survey(
                observations, "prove.yml", {name: json.dumps(document), "survey_dest": play.sandbox.plant(PAYLOADS[0])}
            )
            assert "failed=1" in play.output, play.output


def pull_on_hosts(play: Play, observations: Observations) -> None:
    """A host for each payload, whose Python prints it in every value of a result."""
    hosts = []
    for number, payload in enumerate(map(play.sandbox.plant, PAYLOADS)):

        def spoil(value: Any, payload: str = payload) -> Any:
            if isinstance(value, dict):
                return {key: spoil(element) for key, element in value.items()}
            return [payload] if isinstance(value, list) else payload

        fact = {"ansible_facts": {"ecr_pull_junit_path": f"{play.sandbox.outside}/new", payload: payload}}
        statistics = {"ansible_stats": {"data": {"ecr_share_handoff": payload}}}
        answer = {**spoil(ANSWER), **fact, **statistics, "verdict": "pass", "images": [], "changed": False}
        failure = {"failed": True, "msg": payload, "exception": payload, **fact}
        for kind, result in (("answer", answer), ("failure", failure)):
            content = play.write(f"{kind}-{number}.json", result)
            program = play.write(f"{kind}-{number}.sh", f"#!/bin/sh\ncat '{content}'\n")
            program.chmod(0o755)
            hosts.append(f"{kind}-{number} ansible_connection=local ansible_python_interpreter={program}\n")
    play.python = None
    inventory = play.write("hosts", "".join(hosts))
    share = {"ecr_pull_role_arn": hostile_aws.ROLE_ARN, "ecr_pull_wait_timeout": 0}
    play.pull(observations, "-i", inventory, "--forks", "4", **share)
    assert play.output.count("failure-") > len(PAYLOADS), play.output


def pull_from_aws(play: Play, observations: Observations) -> None:
    """Calls of the consumer are refused or answered with payloads."""
    own = {"ecr_pull_handoff": json.dumps(HANDOFF), "ecr_pull_engine": "oci_layout", "ecr_pull_wait_timeout": 0}
    own["ecr_pull_dest"] = str(play.sandbox.inside / "layout")
    printable = [payload for payload in PAYLOADS if payload not in hostile.CONTROL_CHARACTERS]  # XML has no others
    text = play.sandbox.plant(" ".join(printable))
    for call in ("GetCallerIdentity", "AssumeRole", "DescribeImages"):
        play.servers.aws.answers = {call: hostile_aws.error("AccessDenied", f"not authorized: {text}")}
        play.servers.aws.refused = {call}
        play.pull(observations, **own)
        assert "failed=1" in play.output, play.output
    play.servers.aws.answers, play.servers.aws.refused = {}, set()
    identity = hostile_aws.ANSWERS["GetCallerIdentity"]
    play.servers.aws.answers["GetCallerIdentity"] = {**identity, "Arn": identity["Arn"] + text, "UserId": text}
    play.pull(observations, **own)


def share_at_aws(play: Play, observations: Observations) -> None:
    """Descriptions, tags and documents that others wrote in the owner account."""
    text = play.sandbox.plant(" ".join(PAYLOADS))
    role = hostile_aws.ANSWERS["GetRole"]["Role"]
    play.servers.aws.answers = {
        "GetCallerIdentity": {**hostile_aws.ANSWERS["GetCallerIdentity"], "Account": hostile_aws.OWNER},
        "GetRole": {"Role": {**role, "Description": text, "AssumeRolePolicyDocument": text}},
        "ListTagsForResource": {"tags": [{"Key": "environment", "Value": text}, {"Key": text, "Value": text}]},
    }
    for mode in ("--check", "--diff"):
        scenario = ROOT / "playbooks/vars/scenario.yml"
        own = {"ecr_share_wait_timeout": 0, "ecr_share_handoff_path": str(play.sandbox.inside / "handoff.yml")}
        play.run(observations, "ansible-playbook", ROOT / "playbooks/share.yml", mode, "-e", f"@{scenario}", **own)
        assert "failed=1" in play.output, play.output


def pull_from_registry(play: Play, observations: Observations) -> None:
    """A registry whose refusals and documents have payloads, and which repeats the token."""
    registry = play.servers.registry
    text = play.sandbox.plant(" ".join(PAYLOADS))
    image = registry.push_image("release", LAYER)
    layer = registry.push("release", LAYER)["digest"]
    token = f"{hostile_aws.REGISTRY_TOKEN} {hostile_aws.REGISTRY_PASSWORD}"
    errors = json.dumps({"errors": [{"code": text, "message": f"{text} {token}"}]}).encode()
    manifest = json.dumps({"schemaVersion": 2, "config": {"mediaType": text, "digest": text, "size": 1}, "layers": []})
    spoiled = registry.push("release", manifest.encode(), OCI_MANIFEST)
    answer = dict(hostile_aws.ANSWERS["BatchGetImage"]["images"][0])
    entry = dict(hostile_aws.ANSWERS["GetAuthorizationToken"]["authorizationData"][0])
    play.servers.aws.answers["GetAuthorizationToken"] = {
        "authorizationData": [{**entry, "proxyEndpoint": registry.url}]
    }
    registry.serve(f"/v2/release/blobs/{layer}", 403, errors)
    for digest in (image["digest"], spoiled["digest"]):
        answer["imageId"] = {"imageDigest": digest, "imageTag": "v1.0"}
        play.servers.aws.answers["BatchGetImage"] = {"images": [answer], "failures": []}
        options = {
            "role_arn": hostile_aws.ROLE_ARN,
            "images": ["release:v1.0"],
            "engine": "oci_layout",
            "dest": str(play.sandbox.inside / "layout"),
            "wait_timeout": 0,
        }
        task = {"crossaccount.ecr.ecr_image_pull": options}
        book = play.write("play.yml", [{"hosts": "localhost", "gather_facts": False, "tasks": [task]}])
        play.run(observations, "ansible-playbook", book, ansible_connection="local")
        assert "failed=1" in play.output, play.output


def list_accounts(play: Play, observations: Observations) -> None:
    """Accounts, units and tags with payloads as names, in every option that evaluates expressions."""
    answers = play.servers.aws.answers
    accounts = [
        {"Id": f"{number:012}", "Name": play.sandbox.plant(payload), "Status": "ACTIVE"}
        for number, payload in enumerate(PAYLOADS)
    ]
    answers["ListRoots"] = {"Roots": [{"Id": "r-ab12", "Name": "Root"}]}
    answers["ListAccountsForParent"] = {"Accounts": accounts}
    answers["ListOrganizationalUnitsForParent"] = {"OrganizationalUnits": []}
    answers["ListTagsForResource"] = {
        "Tags": [{"Key": account["Name"], "Value": account["Name"]} for account in accounts]
    }
    source = {
        "plugin": "crossaccount.ecr.aws_organizations_accounts",
        "compose": {"label": "account_name ~ account_tags", "ansible_connection": "'local'"},
        "groups": {"same": "account_name in account_tags"},
        "keyed_groups": [{"key": "account_name", "prefix": "name"}],
    }
    inventory = play.write("x.aws_organizations_accounts.yml", source)
    play.run(Observations(), "ansible-inventory", "-i", inventory, "--list")  # JSON for programs, as it is
    assert "000000000001" in play.output, play.output
    shown = {"lines": ["{{ label }} {{ account_name }} {{ account_tags }}"]}
    book = {"hosts": "all", "gather_facts": False, "tasks": [{"crossaccount.ecr.display_lines": shown}]}
    play.run(observations, "ansible-playbook", play.write("play.yml", [book]), "-i", inventory)
    assert f"ok={len(PAYLOADS)}" in play.output or play.output.count("ok=1") == len(PAYLOADS), play.output


RUNS: list[Callable[[Play, Observations], None]] = [
    pull_handoffs,
    pull_handoff_text,
    share_survey,
    pull_artifacts,
    pull_on_hosts,
    pull_from_aws,
    share_at_aws,
    pull_from_registry,
    list_accounts,
]


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.__name__)
def test_hostile_run(run: Callable[[Play, Observations], None], play: Play) -> None:
    assert findings(play.sandbox, lambda observations: run(play, observations), seconds=LIMIT) == []
