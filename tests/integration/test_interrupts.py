# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that are ended as users end them, in the middle of a share and of a pull: nothing stays, and the next goes on.

Ctrl-C is a SIGINT to the foreground process group; systemd and Kubernetes stop a process with SIGTERM. The group is
`ansible-playbook` alone: its workers have their own sessions, and it forwards the signal to them. ansible-runner,
and AWX with it, kills the container of a job that is canceled, with everything in it; without a container it sends
SIGKILL to the group, and the workers, which receive no signal, finish their task.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from typing import Any

import pytest

from tests.lab import accounts
from tests.support.control import BIN, Control, Run
from tests.support.paths import ROOT
from tests.support.waiting import until
from tests.support.watching import ENGINES, Site, Watch, left

pytestmark = pytest.mark.engine

#: The real program, whose workers are processes.
PROGRAM = BIN / "ansible-playbook"
INT, TERM, KILL = signal.SIGINT, signal.SIGTERM, signal.SIGKILL
#: How `ansible-playbook` ends by each.
CODES = {INT: 99, TERM: -TERM, KILL: -KILL}


@pytest.fixture(scope="module")
def holding(site: Site) -> Site:
    site.begin()
    return site


def end(site: Site, command: list[Any], profile: str, number: signal.Signals, held: int) -> Run:
    """Send a signal to the process group of a command once so many requests are held, and see that all of it ends."""
    watch = Watch(site)
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=site.environment(profile),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            text=True,
            start_new_session=True,
        )
        try:
            until(lambda: len(site.proxy.held) >= held or process.poll() is not None, f"held: {site.proxy.held}")
            assert process.poll() is None
            os.killpg(process.pid, number)
            if number == KILL:
                site.proxy.released.set()
            assert process.wait(300) == CODES[number]
            until(lambda: not watch.running(), f"still running: {watch.running()}", 60 if number == KILL else 10)
        finally:
            site.proxy.released.set()
            site.proxy.pass_on()
            for pid, _arguments in watch._marked():  # there are some when a test fails
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, KILL)
            process.kill()
            process.wait(300)
        output.seek(0)
        return Run(subprocess.CompletedProcess(command, process.returncode, output.read(), ""))


def hold(site: Site, call: str, answer: bool) -> None:
    site.proxy.hold_call(call, answer)


def test_interrupted_share_continues_with_the_next_run(holding: Site, control: Control) -> None:
    command = [PROGRAM, "playbooks/share.yml", "-e", "@playbooks/vars/scenario.yml"]
    command += ["-e", f"ecr_share_handoff_path={holding.handoff}", "-e", "ecr_share_wait_interval=0"]
    assert control.playbook("unshare", "owner", "-e", "@playbooks/vars/scenario.yml").code == 0  # of another test
    hold(holding, "CreatePolicy", answer=True)
    cut = end(holding, command, "owner", INT, 1)
    assert "User interrupted execution" in cut.output, cut
    assert left(holding) == []
    hold(holding, "TagResources", answer=False)
    end(holding, command, "owner", TERM, 1)
    assert left(holding) == []
    assert not holding.handoff.exists()
    iam = holding.lab.client("owner", "iam")
    (attached,) = iam.list_attached_role_policies(RoleName="allow_ecr_release")["AttachedPolicies"]
    assert len(iam.list_policy_versions(PolicyArn=attached["PolicyArn"])["Versions"]) == 1
    handoff = {"ecr_share_handoff_path": str(holding.handoff)}
    shared = control.share(**handoff)
    assert (shared.code, shared.changed > 0) == (0, True), shared
    mark = len(holding.lab.calls())
    again = control.share(**handoff)
    assert (again.code, again.changed, holding.lab.writes_since(mark)) == (0, 0, []), again


CONSUMERS = [
    {"account": account, "external_id": f"id-{account}"} for account in (accounts.CONSUMER, accounts.STRANGER, "4" * 12)
]
#: Changes of a share with three roles: the variables, the call that is held, whether AWS answers it, and the signal.
#: A process that is killed at any other call is a fault of `tests.faults`.
CHANGES: list[tuple[dict[str, Any], str, bool, signal.Signals]] = [
    ({"ecr_share_consumers": CONSUMERS[1:]}, "DetachRolePolicy", True, INT),
    ({"ecr_share_expires": "2099-01-01T00:00:00Z"}, "CreatePolicyVersion", False, INT),
    ({"ecr_share_roles": "shared"}, "DeleteRole", True, TERM),
]


def test_interrupted_change_of_consumer_roles_continues(holding: Site, control: Control) -> None:
    always: dict[str, Any] = {
        "ecr_share_role_name": "own_roles",
        "ecr_share_roles": "per_consumer",
        "ecr_share_consumers": CONSUMERS,
        "ecr_share_handoff_path": "",
        "ecr_share_wait_interval": 0,
    }
    assert control.share(**always).code == 0
    for change, call, answer, number in CHANGES:
        variables = {**always, **change}
        holding.begin()
        hold(holding, call, answer=answer)
        command = [PROGRAM, "playbooks/share.yml", "-e", "@playbooks/vars/scenario.yml"]
        end(holding, [*command, "-e", json.dumps(variables)], "owner", number, 1)
        assert left(holding) == []
        completed = control.share(**variables)
        assert (completed.code, completed.changed > 0) == (0, True), completed
        mark = len(holding.lab.calls())
        again = control.share(**variables)
        assert (again.code, again.changed, holding.lab.writes_since(mark)) == (0, 0, []), again
    ended = control.playbook("unshare", "owner", "-e", "@playbooks/vars/scenario.yml", **always)
    assert ended.code == 0, ended
    roles = [role["RoleName"] for role in holding.lab.client("owner", "iam").list_roles()["Roles"]]
    assert [name for name in roles if name.startswith("own_roles")] == []


def test_interrupted_pull_continues_with_the_next_run(holding: Site) -> None:
    if not holding.handoff.exists():
        assert holding.share().code == 0
    holding.begin()
    remote = holding.run_folder / "remote"
    # test_secrets ends a pull with SIGTERM.
    for number, credentials in ((INT, "control_node"), (KILL, "host")):
        holding.proxy.hold()
        before = set(remote.iterdir())
        end(holding, [PROGRAM, *holding.pull_arguments(credentials, *ENGINES)], "consumer", number, len(ENGINES))
        assert left(holding) == [], (number, credentials)
    assert set(remote.iterdir()) == before, "the last one was left to itself, and finished"
    pulled = subprocess.run(
        [holding.program("consumer"), *holding.pull_arguments("control_node", *ENGINES)],
        cwd=ROOT,
        env=holding.environment("consumer"),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (pulled.returncode, pulled.stdout.count("changed=0")) == (0, len(ENGINES)), pulled


def test_a_proof_that_is_ended_does_not_wait_for_answers(holding: Site) -> None:
    if not holding.handoff.exists():
        assert holding.share().code == 0
    holding.begin()
    for number in (INT, TERM):
        hold(holding, "BatchGetImage", answer=False)
        end(holding, [PROGRAM, *holding.pull_arguments("host", "oci_layout")], "consumer", number, 2)
        assert left(holding) == [], number
