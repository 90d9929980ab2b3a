# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles in other people's playbooks: twice in a play, in blocks, delegated, under another strategy, by tags."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.lab import accounts, state
from tests.support.control import Control, Run

CONSUMER = {"account": accounts.CONSUMER, "external_id": "test"}
OF = f"arn:aws:iam::{accounts.OWNER}:role/"
#: Two shares that differ in all that one could leave to the other.
FIRST: dict[str, Any] = {
    "role_name": "first",
    "repository_tags": {"environment": "release"},
    "repositories": ["release"],
    "consumers": [CONSUMER],
    "exclusive": True,
    "access": "read",
}
SECOND: dict[str, Any] = {
    "role_name": "second",
    "repository_tags": {"audience": "inner"},
    "repositories": ["dev*"],
    "consumers": [{**CONSUMER, "external_id": "other"}],
}
#: No way leads there: a task that runs on this host, and not where it is delegated to, fails.
NOWHERE = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
HERE = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}


def include(role: str, values: dict[str, Any], **keywords: Any) -> dict[str, Any]:
    """A task that includes a role, with its variables at the task and nowhere else."""
    variables = {f"{role}_{name}": value for name, value in values.items()}
    how = {"name": f"crossaccount.ecr.{role}", **keywords.pop("how", {})}
    return {"ansible.builtin.include_role": how, "vars": variables, **keywords}


def assertion(*that: str) -> dict[str, Any]:
    return {"ansible.builtin.assert": {"that": list(that)}}


def proof(role: str, external_id: str, readable: str, denied: str) -> dict[str, Any]:
    """The variables of the consumer's role."""
    return {
        "profile": "consumer",
        "role_arn": OF + role,
        "external_id": external_id,
        "repositories": [readable],
        "denied": [denied],
        "wait_timeout": 0,
    }


def play(control: Control, plays: list[dict[str, Any]], *arguments: str) -> Run:
    path = control.folder / "theirs.yml"
    path.write_text(json.dumps([{"gather_facts": False, **play} for play in plays]), encoding="utf-8")
    return control.playbook(str(path), "owner", *arguments)


def condition(control: Control, role: str) -> dict[str, Any]:
    """Under which the policy of a role grants."""
    iam = control.lab.client("owner", "iam")
    version = iam.get_policy_version(PolicyArn=f"arn:aws:iam::{accounts.OWNER}:policy/{role}", VersionId="v1")
    found: dict[str, Any] = version["PolicyVersion"]["Document"]["Statement"][0]["Condition"]["StringEquals"]
    return found


@pytest.fixture(scope="module")
def hosts(control: Control) -> str:
    """Two hosts that cannot be reached, and one that can."""
    path = control.folder / "hosts.yml"
    inventory = {"far": {"hosts": {"one": {**NOWHERE, "at": FIRST}, "two": {**NOWHERE, "at": SECOND}}}}
    path.write_text(json.dumps({**inventory, "near": {"hosts": {"here": HERE}}}), encoding="utf-8")
    return str(path)


class DelegatedRun:
    """Both shares made and proven from two hosts under the strategy free: statically with the keywords at the task, and
    dynamically with `apply`."""

    def __init__(self, control: Control, hosts: str) -> None:
        self.control, self.hosts = control, hosts
        shares = {
            "ansible.builtin.import_role": {"name": "crossaccount.ecr.ecr_share"},
            "vars": {f"ecr_share_{name}": f"{{{{ at.{name} }}}}" for name in SECOND},
            "delegate_to": "here",
            "tags": "share",
        }
        role, external_id = "{{ at.role_name }}", "{{ at.consumers[0].external_id }}"
        proves = include(
            "ecr_pull",
            {**proof(role, external_id, "", ""), "repositories": [], "denied": []},
            how={"apply": {"delegate_to": "here", "tags": ["prove"]}},
            tags="prove",
        )
        self.plays = [{"hosts": "far", "strategy": "ansible.builtin.free", "tasks": [shares, proves]}]

    def run(self, tags: str, *flags: str) -> tuple[Run, list[str]]:
        """The run of the tasks with these tags, and the calls that it made."""
        mark = len(self.control.lab.calls())
        return play(self.control, self.plays, "-i", self.hosts, "--tags", tags, *flags), self.control.lab.calls()[mark:]


@pytest.fixture(scope="module")
def delegated(control: Control, hosts: str) -> DelegatedRun:
    return DelegatedRun(control, hosts)


@pytest.fixture(scope="module")
def predicted(delegated: DelegatedRun) -> tuple[Run, list[str]]:
    return delegated.run("share", "--check")


@pytest.fixture(scope="module")
def shared(delegated: DelegatedRun, predicted: tuple[Run, list[str]]) -> tuple[Run, list[str]]:
    """After the prediction."""
    return delegated.run("share")


def test_roles_work_with_free_strategy_delegation_and_tags(
    delegated: DelegatedRun, predicted: tuple[Run, list[str]], shared: tuple[Run, list[str]]
) -> None:
    assert (predicted[0].code, [call for call in predicted[1] if state.is_write(call)]) == (0, []), predicted
    run, calls = shared
    assert (run.code, run.changed) == (0, predicted[0].changed), run
    assert (calls.count("iam:CreateRole"), calls.count("sts:AssumeRole")) == (2, 0), run
    for host, role in (("one", "first"), ("two", "second")):
        callers = re.findall(rf"(\w+): Owner account {accounts.OWNER}, role {OF}{role}\n", run.output)
        assert callers == [host], run
    proven, calls = delegated.run("prove")
    assert (proven.code, [call for call in calls if state.is_write(call)]) == (0, []), proven
    assert proven.output.count("role refused without the external ID: true") == 2, proven


@pytest.mark.usefixtures("shared")
def test_roles_can_be_included_twice_and_in_blocks(control: Control, delegated: DelegatedRun) -> None:
    """Each inclusion has its own variables only; one that fails is rescued, and leaves nothing to the next."""
    wrong = {**FIRST, "repositories": ["nowhere"]}
    changed = {**SECOND, "consumers": [{**CONSUMER, "external_id": "another"}]}
    tasks = [
        {
            "block": [include("ecr_share", wrong)],
            "rescue": [assertion("'Repository nowhere does not exist' in ansible_failed_result.msg")],
            "always": [
                include("ecr_share", FIRST),
                assertion(
                    f"ecr_share_role.role_arn == '{OF}first'", "ecr_share_role.consumers[0].external_id == 'test'"
                ),
            ],
        },
        include("ecr_share", changed),
        assertion(
            f"ecr_share_role.role_arn == '{OF}second'",
            "ecr_share_role.consumers[0].external_id == 'another'",
            "ecr_share_access_gained | map(attribute='repository') == ['develop']",
            "ecr_share_access_lost | map(attribute='repository') == ['develop']",
            "ecr_share_exclusive is not defined",
        ),
        {
            "block": [
                include("ecr_pull", proof("first", "test", "release", "develop")),
                assertion("ecr_pull_proof.verdict == 'pass'"),
                include("ecr_pull", proof("second", "another", "release", "develop")),
            ],
            "rescue": [assertion("'Repository release cannot be pulled.' in ansible_failed_result.msg")],
            "always": [
                assertion("ecr_pull_proof.assumed.arn is search('assumed-role/second/')"),
                {"ansible.builtin.debug": {"msg": "always, at last"}},
            ],
        },
    ]
    run = play(control, [{"hosts": "localhost", "tasks": tasks}])
    assert (run.code, "always, at last" in run.output, "rescued=2" in run.output) == (0, True, True), run
    assert run.changed == 1, run  # the second; the first was so
    assert condition(control, "first") == {"ecr:ResourceTag/environment": "release"}
    assert condition(control, "second") == {"ecr:ResourceTag/audience": "inner"}
    assert delegated.run("share")[0].changed == 1  # the second is as before
