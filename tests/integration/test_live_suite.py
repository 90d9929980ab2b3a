# SPDX-License-Identifier: GPL-3.0-or-later
"""The suite for two real accounts (`make test-live`), with the lab in their place: that it works, and cleans up."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from tests.lab import accounts
from tests.lab.clients import allow
from tests.live.__main__ import main
from tests.support.control import BIN, Control
from tests.support.lab import Lab
from tests.support.paths import ROOT

PREFIX = "live-lab"
SUITE = [sys.executable, "-m", "tests.live"]


@pytest.fixture
def environment(lab: Lab, tmp_path: pathlib.Path) -> dict[str, str]:
    """A user of the suite, with credentials that would take precedence over the profiles."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        **lab.environment,
        "AWS_ACCESS_KEY_ID": "of-someone-else",
        "AWS_SECRET_ACCESS_KEY": "of-someone-else",
        "OWNER_PROFILE": "owner",
        "CONSUMER_PROFILE": "consumer",
        "LIVE_PREFIX": PREFIX,
        "LIVE_CONFIRM": "yes",
        "LIVE_WAIT_INTERVAL": "0.05",
        "LIVE_ANSWERS": str(tmp_path / "answers.json"),
    }


@pytest.fixture
def quick(tmp_path: pathlib.Path) -> dict[str, str]:
    """Variables with which the suite finds the quick programs in place of the real ones."""
    folder = tmp_path / "programs"
    folder.mkdir()
    programs = {"ansible-playbook": Control.ansible_playbook, "python": Control.python}
    for name, program in programs.items():
        (folder / name).symlink_to(program or BIN / name)
    return {"ANSIBLE_BIN": str(folder)}


def things(lab: Lab) -> set[str]:
    """Everything in the owner account that the suite could have made."""
    iam, ecr = lab.client("owner", "iam"), lab.client("owner", "ecr")
    return {
        *(role["RoleName"] for role in iam.list_roles()["Roles"]),
        *(policy["PolicyName"] for policy in iam.list_policies(Scope="Local")["Policies"]),
        *(user["UserName"] for user in iam.list_users()["Users"]),
        *(
            f"{repository['repositoryName']}"
            f" {ecr.list_tags_for_resource(resourceArn=repository['repositoryArn'])['tags']}"
            for repository in ecr.describe_repositories()["repositories"]
        ),
    }


def running() -> list[str]:
    """The processes that still work for a run of the suite."""
    names = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"LIVE_PREFIX={PREFIX}".encode() in (process / "environ").read_bytes().split(b"\0"):
                names.append((process / "cmdline").read_text())
    return names


def test_live_suite_writes_answers_and_leaves_nothing(
    lab: Lab, environment: dict[str, str], quick: dict[str, str]
) -> None:
    """The test below runs the real `ansible-playbook`."""
    before, environment = things(lab), {**environment, **quick}
    own = allow("ecr:BatchGetImage")
    lab.client("consumer-administrator", "iam").put_user_policy(
        UserName="puller", PolicyName="own", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [own]})
    )
    run = subprocess.run(SUITE, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert things(lab) == before
    assert "about 0.10 USD" in run.stdout
    written = pathlib.Path(environment["LIVE_ANSWERS"]).read_text()
    assert accounts.OWNER not in written
    assert accounts.CONSUMER not in written
    answers = json.loads(written)["answers"]
    brief = {question: answer.partition(":")[0].partition(" within")[0] for question, answer in answers.items()}
    denied = "AccessDeniedException"
    assert brief.pop("Time until a new share could be used").startswith("proven and pulled by pull.yml ")
    assert brief.pop("The registry's words for a denial").startswith("403 ")
    assert brief == {
        "Assuming a role that does not exist": "AccessDenied",
        "A tag whose value differs in its case (Release)": denied,
        "A tag whose key differs in its case": "allowed",
        "DescribeRepositories with one permitted and one not permitted name": denied,
        "DescribeRepositories without names": denied,
        "A repository that does not exist": denied,
        "The API's words for a denial": denied,
        "A pull by the consumer's own identity, without a statement in the registry policy": denied,
        "A pull by the consumer's own identity, with a statement in the registry policy": "allowed",
        "A session with tags, if sts:TagSession has a condition on the external ID": "allowed",
        **{
            f"{what} after {event}": answer
            for event in ("the tag was taken off", "the consumer was dropped", "unshare.yml")
            for what, answer in (
                ("A session of the role", "denied"),
                ("A registry token", "denied"),
                ("The address of a layer", "none was given"),
            )
        },
    }


def test_ctrl_c_in_the_middle_of_the_share_leaves_nothing(lab: Lab, environment: dict[str, str]) -> None:
    before = things(lab)
    with subprocess.Popen(SUITE, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as suite:
        deadline, calls = time.monotonic() + 300, lab.calls().count("iam:CreateRole")
        while lab.calls().count("iam:CreateRole") == calls:
            assert time.monotonic() < deadline
            assert suite.poll() is None
            time.sleep(0.05)
        suite.send_signal(signal.SIGINT)
        created = things(lab) - before
        output, _nothing = suite.communicate(timeout=300)
    assert suite.returncode not in (0, 1), output
    assert running() == []  # objects that exist after the cleanup
    assert f"Nothing that begins with {PREFIX}- is left." in output
    assert created
    assert all(name.startswith(f"{PREFIX}-") for name in created)
    assert things(lab) == before


def test_live_suite_requires_accounts_prefix_and_consent(
    lab: Lab, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    lab.client("owner", "ecr").create_repository(repositoryName="taken-by-others")
    mark, environment = len(lab.calls()), {**environment, "LIVE_CONFIRM": "no"}
    for change, reason in (
        (
            {"OWNER_PROFILE": "", "CONSUMER_PROFILE": ""},
            "OWNER_PROFILE is not set. CONSUMER_PROFILE is not set. Name the AWS profiles of two accounts: make",
        ),
        ({"OWNER_PROFILE": "consumer-administrator"}, f"are both of account {accounts.CONSUMER}."),
        ({"OWNER_PROFILE": "nobody"}, "The accounts cannot be used: The config profile (nobody) could not be found"),
        ({"LIVE_PREFIX": "Of_Mine"}, "LIVE_PREFIX 'Of_Mine' needs lower-case letters"),
        ({"LIVE_PREFIX": "taken"}, f"Account {accounts.OWNER} has repository taken-by-others. Delete that, or"),
        ({}, "Not confirmed. Say LIVE_CONFIRM=yes, or answer y."),
    ):
        assert main({**environment, **change}) == 2
        errors = capsys.readouterr().err
        assert reason in errors
        assert errors.endswith(" Nothing was made.\n")
    assert lab.writes_since(mark) == []
