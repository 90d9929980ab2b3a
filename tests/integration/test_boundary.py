# SPDX-License-Identifier: GPL-3.0-or-later
"""boundary.yml creates the permissions boundary of pull roles, and leaves the policies of others alone."""

from __future__ import annotations

import json
from typing import Any

from tests.lab import accounts
from tests.support.control import Control, Run
from tests.support.paths import ROOT

ARN = f"arn:aws:iam::{accounts.OWNER}:policy/"
NAME = "EcrPullBoundary"
EXPECTED = json.loads(
    (ROOT / "playbooks/vars/boundary-policy.json").read_text("utf-8").replace("OWNER_ACCOUNT", accounts.OWNER)
)
WIDE = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})


def document(iam: Any, name: str) -> Any:
    version = iam.get_policy(PolicyArn=ARN + name)["Policy"]["DefaultVersionId"]
    return iam.get_policy_version(PolicyArn=ARN + name, VersionId=version)["PolicyVersion"]["Document"]


def both(control: Control, **variables: Any) -> tuple[Run, list[str]]:
    """A run, and the calls with which it wrote; check mode before it predicts whether it changes something."""
    mark = len(control.lab.calls())
    predicted = control.playbook("boundary", "owner", "--check", **variables)
    assert control.lab.writes_since(mark) == [], predicted
    run = control.playbook("boundary", "owner", **variables)
    assert (run.code, predicted.changed) == (predicted.code, run.changed), (predicted, run)
    return run, control.lab.writes_since(mark)


def test_boundary_is_created_kept_and_restored(control: Control) -> None:
    iam = control.lab.client("owner", "iam")
    run, written = both(control)
    assert (run.code, written, document(iam, NAME)) == (0, ["iam:CreatePolicy"], EXPECTED), run
    lines = run.output.splitlines()
    assert json.loads("".join(lines[lines.index("{") : lines.index("}") + 1])) == EXPECTED
    assert f"Set ecr_share_permissions_boundary to {ARN}{NAME}" in run.output
    run, written = both(control)
    assert (run.code, run.changed, written) == (0, 0, []), run

    iam.create_policy_version(PolicyArn=ARN + NAME, PolicyDocument=WIDE, SetAsDefault=True)
    run, written = both(control)
    assert (run.changed, written, document(iam, NAME)) == (1, ["iam:SetDefaultPolicyVersion"], EXPECTED), run


def test_policy_of_the_same_name_is_left_alone(control: Control) -> None:
    """Such as the policy of a pull role, which would then grant every image to its consumers."""
    iam = control.lab.client("owner", "iam")
    for name, tags in (("theirs", {}), ("allow_ecr_release", {"managed-by": "crossaccount.ecr"})):
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        iam.create_policy(PolicyName=name, PolicyDocument=WIDE, Tags=listed)
        run, written = both(control, ecr_boundary_name=name)
        assert (run.code, written, document(iam, name)) == (2, [], json.loads(WIDE)), run
        output = " ".join(run.output.split())
        assert f"Policy {ARN}{name} exists, and this playbook did not create it. Nothing was changed." in output
