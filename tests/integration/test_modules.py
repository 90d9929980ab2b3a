# SPDX-License-Identifier: GPL-3.0-or-later
"""Each module of the owner's side: create, repeat, modify, repeat, delete, repeat, each in check mode first."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.lab import accounts
from tests.support.control import REPOSITORY_ARN, Control
from tests.support.owner_side import owner

ROLE: dict[str, Any] = {
    "name": "walked",
    "repository_tags": {"environment": "release"},
    "consumers": [{"account": accounts.CONSUMER, "external_id": "test"}],
}
EVERYTHING = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
NOBODY = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"sts:AssumeRole","Principal":{"AWS":"*"}}]}'
REVOKE = "iam:PutRolePolicy"
TRUST = "iam:UpdateAssumeRolePolicy"
NARROW = [REVOKE, TRUST, REVOKE, "iam:DeleteRolePolicy"]


def both(control: Control, module: str, /, **options: Any) -> tuple[dict[str, Any], list[str]]:
    """The result in check mode, which writes nothing, equals the result of the run; and the run's writes."""
    mark = len(control.lab.calls())
    predicted = owner(control, module, check_mode=True, **options)
    assert control.lab.writes_since(mark) == []
    result = owner(control, module, **options)
    assert predicted == result, (predicted, result)
    writes = control.lab.writes_since(mark)
    assert bool(writes) == result["changed"]
    return result, writes


def test_pull_role_is_created_changed_and_deleted(control: Control) -> None:
    for options, writes in [
        (ROLE, ["iam:CreateRole", "iam:CreatePolicy", "iam:AttachRolePolicy"]),
        (ROLE, []),
        ({**ROLE, "access": "pull"}, ["iam:CreatePolicyVersion"]),
        ({**ROLE, "access": "pull"}, []),
        (ROLE, ["iam:SetDefaultPolicyVersion"]),  # the first version is back, not written anew
        ({**ROLE, "repository_tags": {"environment": ["release", "hotfix"]}}, ["iam:CreatePolicyVersion"]),
        ({**ROLE, "condition_key": "aws"}, ["iam:CreatePolicyVersion"]),
        ({**ROLE, "regions": [accounts.REGION]}, ["iam:CreatePolicyVersion"]),
        ({**ROLE, "regions": ["eu-west-1"]}, ["iam:DeletePolicyVersion", "iam:CreatePolicyVersion"]),
        ({**ROLE, "regions": ["eu-west-1"], "max_session_duration": 7200}, ["iam:UpdateRole"]),
        ({**ROLE, "regions": ["eu-west-1"], "tags": {"team": "platform"}}, ["iam:TagPolicy", "iam:TagRole"]),
        ({**ROLE, "regions": ["eu-west-1"]}, []),  # omitted options do not change
        (
            {**ROLE, "regions": ["eu-west-1"], "consumers": [{"account": accounts.STRANGER, "external_id": "other"}]},
            NARROW,
        ),
        # Trust and permissions change together: no principal, then the permissions, then the new consumer.
        (ROLE, [*NARROW, "iam:DeletePolicyVersion", "iam:CreatePolicyVersion", TRUST]),
        (
            {"name": "walked", "state": "absent"},
            [
                "iam:DetachRolePolicy",
                TRUST,  # closed: sessions were revoked
                "iam:DeleteRolePolicy",
                "iam:DeleteRole",
                *["iam:DeletePolicyVersion"] * 4,
                "iam:DeletePolicy",
            ],
        ),
        ({"name": "walked", "state": "absent"}, []),
    ]:
        result, written = both(control, "iam_ecr_pull_role", **options)
        assert (result.get("msg"), written) == (None, writes), (options, result)


def consumer(**options: Any) -> dict[str, Any]:
    return {"account": accounts.CONSUMER, "external_id": "test", **options}


def test_each_other_option_of_a_pull_role_changes_once(control: Control) -> None:
    iam = control.lab.client("owner", "iam")
    boundaries = [
        iam.create_policy(PolicyName=name, PolicyDocument=EVERYTHING)["Policy"]["Arn"] for name in ("one", "two")
    ]
    version, boundary, narrow = "iam:CreatePolicyVersion", "iam:PutRolePermissionsBoundary", NARROW
    options = {**ROLE, "name": "optional", "policy_name": "optional-policy", "path": "/shares/", "wait_interval": 0.01}
    for change, writes in [
        ({}, ["iam:CreateRole", "iam:CreatePolicy", "iam:AttachRolePolicy"]),
        ({"description": "for the release"}, ["iam:UpdateRole"]),
        ({"permissions_boundary": boundaries[0]}, [boundary]),
        ({"permissions_boundary": boundaries[1]}, [boundary]),
        ({"max_session_duration": 3601}, ["iam:UpdateRole"]),
        ({"tags": {"Team": "platform"}}, ["iam:TagPolicy", "iam:TagRole"]),
        ({"tags": {"team": "platform"}}, []),  # IAM does not tell keys apart by case
        ({"consumers": [consumer(principals=["user/puller"])]}, narrow),
        ({"consumers": [consumer(principals=["user/puller"], principal_match="condition")]}, [TRUST]),
        ({"consumers": [consumer(organization_id="o-abcdefghij")]}, narrow),
        ({"consumers": [consumer(require_mfa=True)]}, narrow),
        ({"consumers": [consumer(external_id="other")]}, narrow),
        # Without the external ID the same accounts may, and more: no session has to end.
        ({"consumers": [consumer(external_id=None, allow_no_external_id=True)]}, [TRUST]),
        ({"consumers": [consumer(), {"account": accounts.STRANGER, "external_id": "other"}]}, narrow),
        ({"trust_policy_quota": 4096}, []),
        ({"repository_tags": {"environment": "release", "team": "a"}}, [version]),
        ({"access": "pull", "condition_key": "aws", "regions": [accounts.REGION]}, [version]),
    ]:
        options |= change
        result, written = both(control, "iam_ecr_pull_role", **options)
        assert (result.get("msg"), written) == (None, writes), (change, result)
        again, written = both(control, "iam_ecr_pull_role", **options)
        assert (again.get("msg"), written) == (None, []), (change, again)
    mark = len(control.lab.calls())
    moved = control.module("iam_ecr_pull_role", "owner", **{**options, "path": "/"})
    assert moved["msg"].startswith("Role optional has the path /shares/; IAM cannot move it to /."), moved
    assert control.lab.writes_since(mark) == []


def test_a_run_that_breaks_off_says_what_it_wrote(control: Control) -> None:
    iam = control.lab.client("owner", "iam")
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": accounts.OWNER}}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.create_role(RoleName="no-attaching", AssumeRolePolicyDocument=trust)
    deny = {"Effect": "Deny", "Action": "iam:AttachRolePolicy", "Resource": "*"}
    everything = json.loads(EVERYTHING)
    everything["Statement"].append(deny)
    iam.put_role_policy(RoleName="no-attaching", PolicyName="all", PolicyDocument=json.dumps(everything))
    through = {"assume_role_arn": f"arn:aws:iam::{accounts.OWNER}:role/no-attaching"}
    result = control.module("iam_ecr_pull_role", "owner", **{**ROLE, **through, "name": "half"})
    assert (result["changed"], result["steps"]) == (True, ["create_role", "create_policy"]), result
    assert "iam:AttachRolePolicy" in result["msg"]
    assert "Completed before that: the role was created, the policy was created. Run again" in result["msg"]
    assert control.module("iam_ecr_pull_role", "owner", **{**ROLE, "name": "half"})["steps"] == ["attach"]


def test_policy_with_other_attachments_changes_with_warning(control: Control) -> None:
    options = {**ROLE, "name": "lent"}
    assert control.module("iam_ecr_pull_role", "owner", **options)["code"] == 0
    iam = control.lab.client("owner", "iam")
    iam.create_user(UserName="borrower")
    iam.attach_user_policy(UserName="borrower", PolicyArn=f"arn:aws:iam::{accounts.OWNER}:policy/lent")
    result = control.module("iam_ecr_pull_role", "owner", **options, access="pull")
    assert (result["code"], result["changed"]) == (0, True)
    warning = "Policy lent is attached to user borrower. Others attached it, so their access changes with the policy."
    assert warning in " ".join(control.last.output.split())


def test_role_of_others_is_adopted_only_with_the_option(control: Control) -> None:
    iam = control.lab.client("owner", "iam")
    iam.create_role(RoleName="theirs", AssumeRolePolicyDocument=NOBODY)
    options = {**ROLE, "name": "theirs"}
    mark = len(control.lab.calls())
    result = control.module("iam_ecr_pull_role", "owner", **options)
    assert result["msg"].startswith("Role theirs exists, is not tagged managed-by=crossaccount.ecr, and differs")
    assert control.lab.writes_since(mark) == []
    adopted, _writes = both(control, "iam_ecr_pull_role", **options, adopt=True)
    assert adopted.get("msg") is None


def test_role_with_attachments_of_others_is_not_deleted(control: Control) -> None:
    options = {**ROLE, "name": "busy"}
    assert control.module("iam_ecr_pull_role", "owner", **options)["code"] == 0
    iam = control.lab.client("owner", "iam")
    iam.put_role_policy(RoleName="busy", PolicyName="extra", PolicyDocument=EVERYTHING)
    mark = len(control.lab.calls())
    result = control.module("iam_ecr_pull_role", "owner", name="busy", state="absent")
    assert result["msg"] == "Role busy has the inline policy extra. Remove it first. Nothing was changed."
    assert control.lab.writes_since(mark) == []


def test_tags_are_set_changed_and_removed_beside_others(control: Control) -> None:
    ecr = control.lab.client("owner", "ecr")
    theirs = {"Key": "team", "Value": "platform"}
    ecr.tag_resource(resourceArn=REPOSITORY_ARN + "develop", tags=[theirs])
    tag, untag = ["tagging:TagResources"], ["tagging:UntagResources"]
    names: dict[str, Any] = {"names": ["release", "dev*"]}
    for options, writes in [
        ({**names, "tags": {"environment": "release"}}, tag),
        ({**names, "tags": {"environment": "release"}}, []),
        ({**names, "tags": {"environment": "hotfix"}}, tag),
        ({**names, "tags": {"environment": "release"}, "state": "absent"}, []),  # another value is not ours to take
        ({**names, "tags": {"a": "b"}}, tag),
        (
            {**names, "tags": {"environment": "release", "a": "b"}, "state": "absent"},
            untag,
        ),  # and stays with one that is
        ({"all_except": ["rel*"], "tags": {"environment": "hotfix"}, "state": "absent"}, untag),
        ({"all_except": [], "tags": {"environment": "hotfix"}, "state": "absent"}, untag),
        ({"all_except": [], "tags": {"environment": "hotfix"}, "state": "absent"}, []),
    ]:
        result, written = both(control, "ecr_repository_tag", **options)
        assert (result.get("msg"), written) == (None, writes), (options, result)
    assert ecr.list_tags_for_resource(resourceArn=REPOSITORY_ARN + "develop")["tags"] == [theirs]


@pytest.mark.parametrize("module", ["ecr_repository_tag", "iam_ecr_pull_role"])
def test_one_credential_serves_another_account_through_a_role(control: Control, module: str) -> None:
    iam = control.lab.client("owner", "iam")
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": accounts.CONSUMER}}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    name = f"administer-{module}"
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=EVERYTHING)
    options = {"names": ["release"], "tags": {"a": "b"}} if module == "ecr_repository_tag" else {**ROLE, "name": "far"}
    result = control.module(module, "consumer", **options, assume_role_arn=f"arn:aws:iam::{accounts.OWNER}:role/{name}")
    assert (result["code"], result["changed"]) == (0, True), result
