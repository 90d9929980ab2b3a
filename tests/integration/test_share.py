# SPDX-License-Identifier: GPL-3.0-or-later
"""The owner's side as playbooks: order of writes, change shown as access, several shares, several regions, and
unshare."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import botocore.exceptions
import pytest
import yaml

from tests.lab import accounts
from tests.support.control import REPOSITORY_ARN, ROLE, Control, Run

TAGS = {"environment": "release"}
OTHER_REGION = "eu-west-1"
TAG, UNTAG, TRUST = "tagging:TagResources", "tagging:UntagResources", "iam:UpdateAssumeRolePolicy"
GAINED = {"principal": f"{accounts.CONSUMER} (external ID)", "repository": "release", "region": accounts.REGION}
CONSUMER = {"account": accounts.CONSUMER, "external_id": "test"}
STRANGER = {"account": accounts.STRANGER, "principals": ["user/stranger"], "external_id": "other"}
REVOKE, END_REVOCATION = "iam:PutRolePolicy", "iam:DeleteRolePolicy"
GONE = ["iam:DetachRolePolicy", TRUST, "iam:DeleteRolePolicy", "iam:DeleteRole", "iam:DeletePolicy"]


@pytest.fixture(autouse=True)
def _nothing_shared_afterwards(control: Control) -> Iterator[None]:
    """The tests of this file use one lab. Each test begins without roles, policies and tags."""
    yield
    delete_roles_and_policies(control)
    for region in (accounts.REGION, OTHER_REGION):
        ecr = control.lab.session("owner").client("ecr", region_name=region)
        for repository in ecr.describe_repositories()["repositories"]:
            arn = repository["repositoryArn"]
            keys = [tag["Key"] for tag in ecr.list_tags_for_resource(resourceArn=arn)["tags"]]
            if keys:
                ecr.untag_resource(resourceArn=arn, tagKeys=keys)


def delete_roles_and_policies(control: Control) -> None:
    iam = control.lab.client("owner", "iam")
    for name in [role["RoleName"] for role in iam.list_roles()["Roles"]]:
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        for attached in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=name, PolicyArn=attached["PolicyArn"])
        iam.delete_role(RoleName=name)
    for arn in [policy["Arn"] for policy in iam.list_policies(Scope="Local")["Policies"]]:
        for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
            if not version["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
        iam.delete_policy(PolicyArn=arn)


def unshare(control: Control, *arguments: str, **variables: Any) -> Any:
    return control.playbook("unshare", "owner", "-e", "@playbooks/vars/scenario.yml", *arguments, **variables)


def tags_of(control: Control, name: str, region: str = accounts.REGION) -> dict[str, str]:
    ecr = control.lab.session("owner").client("ecr", region_name=region)
    arn = f"arn:aws:ecr:{region}:{accounts.OWNER}:repository/{name}"
    return {tag["Key"]: tag["Value"] for tag in ecr.list_tags_for_resource(resourceArn=arn)["tags"]}


def tag_by_others(control: Control, **tags: str) -> None:
    """A user tags the repository `develop`."""
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    control.lab.client("owner", "ecr").tag_resource(resourceArn=REPOSITORY_ARN + "develop", tags=listed)


def words(run: Run) -> str:
    """The output of a run without its line breaks."""
    return " ".join(run.output.split())


def test_change_of_everything_has_the_safe_order(control: Control) -> None:
    tag_by_others(control, team="platform")
    assert control.share().code == 0
    changed: dict[str, Any] = {
        "ecr_share_repositories": ["develop"],
        "ecr_share_images": [],
        "ecr_share_denied": [],
        "ecr_share_consumers": [STRANGER],
        "ecr_share_access": "pull",
        "ecr_share_exclusive": True,
    }
    lines = [
        f"+ {accounts.STRANGER} user/stranger (external ID) can pull develop",
        f"- {accounts.CONSUMER} (external ID) loses release",
    ]
    mark = len(control.lab.calls())
    predicted = control.share("--check", **changed)
    assert (predicted.code, control.lab.writes_since(mark)) == (0, []), predicted
    run = control.share(**changed)
    assert run.code == 0, run
    for line in lines:
        assert line in predicted.output
        assert line in run.output
    # Untag; no principal, and no earlier session; the permissions; the new consumer; tag.
    narrow = [REVOKE, TRUST, REVOKE, END_REVOCATION]
    assert control.lab.writes_since(mark) == [UNTAG, *narrow, "iam:CreatePolicyVersion", TRUST, TAG]
    assert (tags_of(control, "release"), tags_of(control, "develop")) == ({}, {**TAGS, "team": "platform"})
    again = control.share(**changed)
    assert (again.code, again.changed) == (0, 0), again
    assert "No access is gained or lost." in again.output


def test_session_of_removed_consumer_is_denied(control: Control) -> None:
    """The old declaration allowed the session. It can read neither the old nor the new repositories."""
    assert control.share(ecr_share_consumers=[CONSUMER], ecr_share_repositories=["release"]).code == 0
    out = control.lab.assume("consumer", "ecr", ROLE, ExternalId="test")
    assert out.describe_images(repositoryName="release")["imageDetails"]
    both: dict[str, Any] = {"ecr_share_repositories": ["release", "develop"], "ecr_share_denied": []}
    assert control.share(ecr_share_consumers=[STRANGER], **both).code == 0
    for name in accounts.REPOSITORIES:
        with pytest.raises(botocore.exceptions.ClientError, match="with an explicit deny in an identity-based policy"):
            out.describe_images(repositoryName=name)
    time.sleep(1)  # AWS returns whole seconds: a session of the same second as the revocation is revoked as well
    fresh = control.lab.assume("stranger", "ecr", ROLE, ExternalId="other")
    assert fresh.describe_images(repositoryName="develop")["imageDetails"]


def test_a_repository_that_others_tagged_is_named_and_left_alone(control: Control) -> None:
    tag_by_others(control, **TAGS)
    run = control.share()
    assert run.code == 0, run
    assert "also shared because of existing tags: develop in ap-northeast-1" in run.output
    assert f"+ {accounts.CONSUMER} (external ID) can pull develop, release" in run.output, run
    assert tags_of(control, "develop")["environment"] == "release"


def test_changed_tags_remove_access_of_former_tags(control: Control) -> None:
    other: dict[str, Any] = {
        "ecr_share_repository_tags": {"share": "yes"},
        "ecr_share_repositories": ["release"],
    }
    tag_by_others(control, **TAGS)
    assert control.share().code == 0
    run = control.share("--check", **other)
    assert run.code == 0, run
    assert f"- {accounts.CONSUMER} (external ID) loses develop" in run.output, run


def test_unshare_removes_only_what_the_share_created(control: Control) -> None:
    tag_by_others(control, **TAGS, team="platform")
    assert control.share(ecr_share_consumers=[STRANGER]).code == 0
    assert control.share().code == 0  # the role keeps the revocation of the former consumer's sessions
    mark = len(control.lab.calls())
    predicted = unshare(control, "--check")
    assert (predicted.code, control.lab.writes_since(mark)) == (0, []), predicted
    run = unshare(control)
    assert run.code == 0, run
    assert f"- {accounts.CONSUMER} (external ID) loses develop, release" in run.output
    writes = control.lab.writes_since(mark)
    assert [call for call in writes if call != "iam:DeletePolicyVersion"] == [UNTAG, *GONE]
    assert tags_of(control, "release") == {}
    assert tags_of(control, "develop") == {**TAGS, "team": "platform"}  # tagged, but not by this share
    mark = len(control.lab.calls())
    again = unshare(control)
    assert (again.code, again.changed, control.lab.writes_since(mark)) == (0, 0, []), again


def test_unmanaged_attachment_stops_unshare_early(control: Control) -> None:
    assert control.share().code == 0
    iam = control.lab.client("owner", "iam")
    iam.create_user(UserName="other")
    policy = f"arn:aws:iam::{accounts.OWNER}:policy/{ROLE}"
    iam.attach_user_policy(UserName="other", PolicyArn=policy)
    mark = len(control.lab.calls())
    run = unshare(control)
    assert run.code == 2, run
    assert f"Policy {ROLE} is attached to user other. Remove it first. Nothing was changed." in run.output
    assert control.lab.writes_since(mark) == []
    iam.detach_user_policy(UserName="other", PolicyArn=policy)
    assert unshare(control).code == 0


def test_unshare_does_not_delete_an_unmanaged_role(control: Control) -> None:
    iam = control.lab.client("owner", "iam")
    trust = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}'
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust)
    run = unshare(control)
    assert run.code == 2, run
    assert f"Role {ROLE} is not tagged managed-by=crossaccount.ecr, so this collection did not create it." in run.output
    iam.delete_role(RoleName=ROLE)


SHARES: list[dict[str, Any]] = [
    {
        "role_name": "first",
        "repository_tags": TAGS,
        "repositories": ["release"],
        "consumers": [{"account": accounts.CONSUMER, "external_id": "generate"}, STRANGER],
    },
    {
        "role_name": "second",
        "repository_tags": {"audience": ["inner", "outer"]},
        "tags": {"audience": "inner"},
        "repositories": ["dev*"],
        "access": "pull",
        "consumers": [{**CONSUMER, "principals": ["user/puller"], "principal_match": "condition"}],
    },
]


def test_several_shares_are_all_checked_before_the_first_write(control: Control) -> None:
    wrong = [SHARES[0], {**SHARES[1], "repositories": ["nowhere"]}]
    mark = len(control.lab.calls())
    run = control.playbook("share", "owner", ecr_share_shares=wrong, ecr_share_handoff_path=str(control.handoff))
    assert run.code == 2, run
    assert "Repository nowhere does not exist" in run.output
    assert f"Two shares have the hand-off {control.handoff}. Give each share its own handoff_path." in words(run)
    assert control.lab.writes_since(mark) == []
    missing = control.playbook("share", "owner", ecr_share_shares=[{"role_name": "first"}])
    assert "missing required arguments: consumers, repositories, repository_tags" in " ".join(missing.output.split())


def test_several_shares_are_made_proven_and_taken_back(control: Control) -> None:
    shares = [{**share, "handoff_path": str(control.folder / f"{share['role_name']}.yml")} for share in SHARES]
    run = control.playbook("share", "owner", ecr_share_shares=shares)
    assert run.code == 0, run
    first = yaml.safe_load((control.folder / f"first-1-{accounts.CONSUMER}.yml").read_text())
    assert len(first["ecr_pull_external_id"]) == 32
    for path, profile, denied in (
        (f"first-1-{accounts.CONSUMER}.yml", "consumer", "develop"),
        (f"first-2-{accounts.STRANGER}.yml", "stranger", "develop"),
        ("second.yml", "consumer", "release"),
    ):
        handoff = str(control.folder / path)
        proof = control.playbook("pull", profile, ecr_pull_handoff=handoff, ecr_pull_denied=[denied])
        assert proof.code == 0, proof
    again = control.playbook("share", "owner", ecr_share_shares=shares)
    assert (again.code, again.changed) == (0, 0), again  # the generated external ID as well
    back = control.playbook("unshare", "owner", ecr_share_shares=shares)
    assert back.code == 0, back
    assert tags_of(control, "release") == {}


def test_several_regions_have_one_role_and_tags_in_each(control: Control) -> None:
    regions = [accounts.REGION, "eu-west-1"]
    control.lab.session("owner").client("ecr", region_name="eu-west-1").create_repository(repositoryName="release")
    run = control.share(ecr_share_regions=regions)
    assert run.code == 0, run
    for region in regions:
        assert tags_of(control, "release", region) == TAGS
        handoff = control.folder / f"handoff-{region}.yml"
        assert yaml.safe_load(handoff.read_text())["ecr_pull_region"] == region
        empty: dict[str, list[str]] = {"ecr_pull_images": [], "ecr_pull_denied": []}
        proof = control.playbook("pull", "consumer", ecr_pull_handoff=str(handoff), **empty)
        assert proof.code == 0, proof
    document = control.lab.client("owner", "iam").get_policy_version(
        PolicyArn=f"arn:aws:iam::{accounts.OWNER}:policy/{ROLE}", VersionId="v1"
    )["PolicyVersion"]["Document"]
    assert document["Statement"][0]["Resource"] == [
        f"arn:aws:ecr:{region}:{accounts.OWNER}:repository/*" for region in sorted(regions)
    ]
    gained = f"can pull release in {accounts.REGION}, release in eu-west-1"
    assert f"+ {accounts.CONSUMER} (external ID) {gained}" in words(run)
    # A region that is removed from the declaration is shown as lost access, although it is no longer managed.
    fewer = control.share(ecr_share_regions=[accounts.REGION])
    assert fewer.code == 0, fewer
    assert f"- {accounts.CONSUMER} (external ID) loses release in eu-west-1" in words(fewer)
    assert unshare(control, ecr_share_regions=regions).code == 0


@pytest.mark.parametrize("flag", [("--check",), ()])
def test_the_role_can_be_included_by_others(control: Control, flag: tuple[str, ...]) -> None:
    """A user's playbook, with variables at the task and module_defaults for the group."""
    playbook = control.folder / "theirs.yml"
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "module_defaults": {"group/crossaccount.ecr.aws": {"region": accounts.REGION}},
        "tasks": [
            {
                "ansible.builtin.include_role": {"name": "crossaccount.ecr.ecr_share"},
                "vars": {
                    "ecr_share_role_name": "theirs",
                    "ecr_share_repository_tags": TAGS,
                    "ecr_share_repositories": ["release"],
                    "ecr_share_consumers": [CONSUMER],
                },
            },
            {
                "ansible.builtin.assert": {
                    "that": [
                        "ecr_share_role.role_arn is match('arn:aws:iam::1{12}:role/theirs')",
                        f"{GAINED} in ecr_share_access_gained",
                        "ecr_share_access_lost == []",
                    ]
                }
            },
        ],
    }
    playbook.write_text(yaml.safe_dump([play]), encoding="utf-8")
    run = control.playbook(str(playbook), "owner", *flag)
    assert run.code == 0, run


def test_json_output_stays_json_and_contains_the_lines(control: Control) -> None:
    control.engines = {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"}
    try:
        run = control.share("--check", ecr_share_role_name="as_json", ecr_share_repository_tags={"as": "json"})
    finally:
        control.engines = {}
    tasks = [task["hosts"]["localhost"] for play in json.loads(run.output)["plays"] for task in play["tasks"]]
    lines = [task["lines"] for task in tasks if "lines" in task]
    assert lines[0] == [f"+ {accounts.CONSUMER} (external ID) can pull release"]
    assert lines[-1][0] == "Check mode writes nothing. After a run without check mode:"
