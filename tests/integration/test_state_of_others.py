# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes that other people made to a share by hand: the run restores the declaration or rejects the state, and shows
what it removes.

Held elsewhere: a role or a policy that others made (`test_modules`), what others attached, before a deletion
(`test_share`, `test_modules`), deleted principals (`test_dangling`), tags in another case before they are put on
(`test_declarations`).
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.lab import accounts
from tests.support.control import REPOSITORY_ARN, ROLE, Control
from tests.support.forwarding import ResponseDroppingProxy
from tests.support.owner_side import OURS, RELEASE, TRUST_OF_OTHERS, owner, policy_arn, pull_role, tags_of, versions
from tests.support.policies import allow, deny, document

DELETED = "It was deleted during this run. Create it again, or remove it from the declaration."


def edit_trust(control: Control, name: str, *statements: dict[str, Any]) -> None:
    """Add statements to the trust of a role."""
    iam = control.lab.client("owner", "iam")
    existing = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=document(*existing, *statements))


def test_edited_share_is_reported_and_restored(alone: Control) -> None:
    declared: dict[str, Any] = {"ecr_share_exclusive": True, "ecr_share_wait_interval": 0}
    first = alone.share(**declared)
    assert first.code == 0, first
    iam, ecr = alone.lab.client("owner", "iam"), alone.lab.client("owner", "ecr")
    ecr.create_repository(repositoryName="theirs")
    ecr.tag_resource(resourceArn=REPOSITORY_ARN + "theirs", tags=[{"Key": "Environment", "Value": "release"}])
    edited = document(allow("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"), allow("ecr:GetAuthorizationToken"))
    iam.create_policy_version(PolicyArn=policy_arn(ROLE), PolicyDocument=edited, SetAsDefault=True)
    edit_trust(alone, ROLE, TRUST_OF_OTHERS)
    added = iam.create_policy(PolicyName="added", PolicyDocument=document(allow("s3:GetObject")))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=ROLE, PolicyArn=added)
    iam.put_role_policy(RoleName=ROLE, PolicyName="inline", PolicyDocument=document(allow("s3:PutObject")))

    run = alone.share("--diff", **declared)
    assert run.code == 0, run
    output = " ".join(run.output.split())
    for line in (
        f"- {accounts.CONSUMER} (external ID) loses develop, theirs",
        f"- {accounts.STRANGER} loses develop, release, theirs",
        f"Role {ROLE} has policy {added} attached; Role {ROLE} has the inline policy inline. Others added it, so the"
        " role allows more than the declaration.",
    ):
        assert line in output, run
    for removed in ("Environment: release", "AWS: '333333333333'", "- ecr:GetAuthorizationToken"):
        assert re.search(rf"^- +{re.escape(removed)}$", run.output, re.MULTILINE), run  # in the diff
    assert [tags_of(alone, name) for name in ("release", "develop", "theirs")] == [RELEASE, {}, {}]
    assert versions(alone, ROLE) == {"v1": True, "v2": False}
    attached = iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]
    assert {policy["PolicyArn"] for policy in attached} == {policy_arn(ROLE), added}
    assert "inline" in iam.list_role_policies(RoleName=ROLE)["PolicyNames"]
    (statement,) = iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"AWS": f"arn:aws:iam::{accounts.CONSUMER}:root"}


@pytest.mark.parametrize("default", ["v1", "v3", "v5"])
def test_five_versions_whatever_the_default_leave_place_for_one(control: Control, default: str) -> None:
    name, iam = f"five-{default}", control.lab.client("owner", "iam")
    pull_role(control, name)
    for number in range(4):
        theirs = document(allow("ecr:DescribeImages", Sid=f"By{number}"))
        iam.create_policy_version(PolicyArn=policy_arn(name), PolicyDocument=theirs)
    iam.set_default_policy_version(PolicyArn=policy_arn(name), VersionId=default)
    result = pull_role(control, name, access="pull")
    assert (result.get("msg"), result["steps"]) == (None, ["delete_version", "create_version"])
    left = {"v1", "v2", "v3", "v4", "v5"} - {"v2" if default == "v1" else "v1"}
    assert versions(control, name) == {"v6": True, **dict.fromkeys(left, False)}
    assert result["diff"]["before"]["policy"] != result["diff"]["after"]["policy"]


@pytest.mark.parametrize(
    "statement",
    [TRUST_OF_OTHERS, {**TRUST_OF_OTHERS, "Effect": "Deny", "Principal": {"AWS": "*"}}],
    ids=["allow", "deny"],
)
def test_removed_trust_statement_of_others_is_reported(control: Control, statement: dict[str, Any]) -> None:
    name = "trust-" + statement["Effect"]
    pull_role(control, name)
    edit_trust(control, name, statement)
    predicted = pull_role(control, name, check_mode=True)
    result = pull_role(control, name)
    assert result == predicted
    assert statement in result["diff"]["before"]["role"]["trust"]["Statement"]
    assert statement not in result["trust"]["Statement"]
    again = pull_role(control, name)
    assert (again["changed"], again["before"]["trust"]) == (False, result["trust"])


def test_settings_that_others_removed_are_restored(control: Control) -> None:
    iam, name = control.lab.client("owner", "iam"), "taken"
    pull_role(control, name)
    iam.detach_role_policy(RoleName=name, PolicyArn=policy_arn(name))
    assert pull_role(control, name)["steps"] == ["attach"]
    iam.detach_role_policy(RoleName=name, PolicyArn=policy_arn(name))
    iam.delete_role(RoleName=name)
    assert pull_role(control, name)["steps"] == ["create_role", "attach"]
    iam.detach_role_policy(RoleName=name, PolicyArn=policy_arn(name))
    iam.delete_policy(PolicyArn=policy_arn(name))
    assert pull_role(control, name)["steps"] == ["create_policy", "attach"]
    iam.untag_role(RoleName=name, TagKeys=["managed-by"])
    assert pull_role(control, name)["steps"] == [
        "tag_role"
    ]  # with exactly the declared trust policy, the role is not foreign


def test_ownership_is_known_in_any_case_of_its_key(control: Control) -> None:
    iam, name = control.lab.client("owner", "iam"), "other-case"
    pull_role(control, name)
    iam.untag_role(RoleName=name, TagKeys=["managed-by"])
    iam.tag_role(RoleName=name, Tags=[{"Key": "Managed-By", "Value": OURS[0]["Value"]}])
    edit_trust(control, name, TRUST_OF_OTHERS)
    assert pull_role(control, name).get("msg") is None
    assert iam.get_role(RoleName=name)["Role"]["Tags"] == [{"Key": "Managed-By", "Value": OURS[0]["Value"]}]
    assert owner(control, "iam_ecr_pull_role", name=name, state="absent").get("msg") is None


def test_unmanaged_policy_prevents_deletion_of_the_role(control: Control) -> None:
    iam, name = control.lab.client("owner", "iam"), "laden"
    pull_role(control, name)
    added = iam.create_policy(PolicyName="laden-more", PolicyDocument=document(deny("s3:*")))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=name, PolicyArn=added)
    mark = len(control.lab.calls())
    result = owner(control, "iam_ecr_pull_role", name=name, state="absent")
    assert result["msg"] == f"Role {name} has policy {added} attached. Remove it first. Nothing was changed."
    assert control.lab.writes_since(mark) == []
    warned = pull_role(control, name)  # a run without changes still warns about other policies
    assert (warned["changed"], warned["warnings"]) == (
        False,
        [f"Role {name} has policy {added} attached. Others added it, so the role allows more than the declaration."],
    )


@pytest.mark.parametrize("state", ["present", "absent"])
def test_repository_deleted_between_plan_and_write(
    control: Control, dropping_proxy: ResponseDroppingProxy, state: str
) -> None:
    ecr = control.lab.client("owner", "ecr")
    tags = [{"Key": "share", "Value": "yes"}] if state == "absent" else []
    ecr.create_repository(repositoryName="passing", tags=tags)
    if state == "absent":
        ecr.tag_resource(resourceArn=REPOSITORY_ARN + "release", tags=tags)
    dropping_proxy.after("DescribeRepositories", lambda: ecr.delete_repository(repositoryName="passing") and None)
    options: dict[str, Any] = {"names": ["passing", "release"], "tags": {"share": "yes"}, "state": state}
    result = owner(control, "ecr_repository_tag", endpoint_url=dropping_proxy.url, **options)
    if state == "absent":  # a deleted repository has no tag
        assert (result.get("msg"), tags_of(control, "release").get("share")) == (None, None)
        return
    assert result["msg"] == f"1 of 2 repositories could not be changed:\n- passing: {DELETED}"
    assert (result["changed"], result["changed_repositories"]) == (True, ["release"])
    assert tags_of(control, "release")["share"] == "yes"
    dropping_proxy.after("TagResources", lambda: ecr.delete_repository(repositoryName="passing") and None)
    ecr.create_repository(repositoryName="passing")
    result = owner(control, "ecr_repository_tag", endpoint_url=dropping_proxy.url, **options)
    assert (result["msg"], result["changed"]) == (f"Repository passing: {DELETED}", True)


def test_tag_keys_in_other_cases_are_replaced(control: Control) -> None:
    ecr = control.lab.client("owner", "ecr")
    theirs = [{"Key": "CASE", "Value": "yes"}, {"Key": "Case-2", "Value": "yes"}]
    ecr.tag_resource(resourceArn=REPOSITORY_ARN + "develop", tags=theirs)
    options: dict[str, Any] = {"names": ["develop"], "tags": {"case": "yes"}}
    mark = len(control.lab.calls())
    refused = owner(control, "ecr_repository_tag", **options)
    assert (
        refused["msg"]
        == "Repository develop has a tag 'CASE', which differs from 'case' only in case. IAM ignores the case. Remove"
        " it first."
    )
    assert control.lab.writes_since(mark) == []
    others = owner(control, "ecr_repository_tag", tags={"case": "yes"}, all_except=["release"], state="absent")
    assert (others["changed"], others["diff"]["before"]["develop"]["CASE"]) == (True, "yes")
    assert "CASE" not in others["diff"]["after"]["develop"]
    assert tags_of(control, "develop")["Case-2"] == "yes"
    assert owner(control, "ecr_repository_tag", **options).get("msg") is None
