# SPDX-License-Identifier: GPL-3.0-or-later
"""A principal under the tag guard cannot set a sharing tag in any way. All others are not affected."""

from __future__ import annotations

import itertools
import json
import pathlib
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from tests.lab import accounts
from tests.lab.clients import Account, Organization, Statement, allow, denial, trust
from tests.support.control import REPOSITORY_ARN, Control
from tests.support.lab import Lab
from tests.support.paths import ROOT

SCENARIO = ("-e", "@playbooks/vars/scenario.yml")
NAME = "deny_ecr_sharing_tag"
POLICY_ARN = f"arn:aws:iam::{accounts.OWNER}:policy/{NAME}"
CALLER = f"arn:aws:iam::{accounts.OWNER}:user/administrator"
ADMINISTRATOR = allow("ecr:*", "tag:*", "iam:PassRole")
REPOSITORY = REPOSITORY_ARN + "of-others"
TEMPLATE = "existing"
GUARDED = ["user/developer", "role/ci/deployer"]
VALUES = {"environment": ["release", "hotfix"], "team": "red"}
WRITES = ["create_policy", "attach_to", "attach_to"]
_numbers = itertools.count()


class People(NamedTuple):
    """The sessions of a guarded user, of a guarded role, and of a user who is not guarded."""

    developer: Any
    deployer: Any
    other: Any


@pytest.fixture(scope="module")
def people(lab: Lab) -> People:
    account = Account(lab)
    ecr = lab.client("owner", "ecr")
    ecr.create_repository(repositoryName="of-others")
    ecr.create_repository_creation_template(
        prefix=TEMPLATE, appliedFor=["REPLICATION"], customRoleArn=account.role(trust(accounts.OWNER), ADMINISTRATOR)
    )
    sts = lab.client("owner", "sts")
    for name in ("developer", "other"):
        account.iam.create_user(UserName=name)
        account.iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=_document(ADMINISTRATOR))
    account.iam.create_role(RoleName="deployer", Path="/ci/", AssumeRolePolicyDocument=trust(accounts.OWNER))
    account.iam.put_role_policy(RoleName="deployer", PolicyName="all", PolicyDocument=_document(ADMINISTRATOR))
    keys = [account.iam.create_access_key(UserName=name)["AccessKey"] for name in ("developer", "other")]
    users = [
        lab.session("owner", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
        for key in keys
    ]
    role = f"arn:aws:iam::{accounts.OWNER}:role/ci/deployer"
    session = sts.assume_role(RoleArn=role, RoleSessionName="any")["Credentials"]
    deployer = lab.session(
        "owner",
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )
    return People(users[0], deployer, users[1])


@pytest.fixture(scope="module")
def organization(lab: Lab) -> Organization:
    """The owner is a member. Policies of both types are enabled."""
    made = Organization(lab)
    made.client.enable_policy_type(RootId=made.root, PolicyType="RESOURCE_CONTROL_POLICY")
    made.join("owner")
    return made


@pytest.fixture
def guard(control: Control, people: People, tmp_path: pathlib.Path) -> Iterator[Callable[..., dict[str, Any]]]:
    """Runs the module; afterwards, the guard is absent."""

    def run(*flags: str, **options: Any) -> dict[str, Any]:
        declared = {"guard": "deny", "repository_tags": VALUES, "principals": GUARDED, "dest": str(tmp_path)}
        return control.module("iam_ecr_tag_guard", "owner", *flags, **{**declared, **options})

    yield run
    assert run(guard="absent")["code"] == 0


def _document(*statements: Statement) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _tags(**tags: str) -> dict[str, Any]:
    return {"tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def ways(session: Any, number: int = 0) -> dict[str, Callable[[], str]]:
    """Each way to set a sharing tag that the audit knows. A call returns the denial; empty if it succeeds."""
    ecr, tagging = session.client("ecr"), session.client("resourcegroupstaggingapi")
    template = {"resourceTags": _tags(environment="release")["tags"]}

    def tag(**tags: str) -> Callable[[], str]:
        return lambda: denial(ecr.tag_resource, resourceArn=REPOSITORY, **_tags(**tags))

    def tagging_api(**tags: str) -> str:
        failed = tagging.tag_resources(ResourceARNList=[REPOSITORY], Tags=tags)["FailedResourcesMap"]
        return str(failed[REPOSITORY]["ErrorMessage"]) if failed else ""

    def create(operation: Callable[..., Any], **options: Any) -> Callable[[], str]:
        return lambda: denial(operation, **options)

    new = {"repositoryName": f"new/{number}"}
    return {
        "tag": tag(environment="release"),
        "another value": tag(environment="hotfix"),
        "another key": tag(team="red"),
        "another spelling": tag(Environment="release"),
        "two spellings": tag(environment="other", Environment="release"),
        "two spellings, reversed": tag(Environment="release", environment="other"),
        "among others": tag(cost="1", environment="release"),
        "tagging API": lambda: tagging_api(environment="release"),
        "new repository": create(ecr.create_repository, **new, **_tags(environment="release")),
        "new template": create(
            ecr.create_repository_creation_template, prefix=f"team{number}", appliedFor=["REPLICATION"], **template
        ),
        "changed template": create(ecr.update_repository_creation_template, prefix=TEMPLATE, **template),
    }


def others(session: Any) -> dict[str, str]:
    """Requests with other tags, and without tags."""
    ecr, tagging = session.client("ecr"), session.client("resourcegroupstaggingapi")
    new = {"repositoryName": f"other/{next(_numbers)}"}
    return {
        "another key": denial(ecr.tag_resource, resourceArn=REPOSITORY, **_tags(cost="1")),
        "another value": denial(ecr.tag_resource, resourceArn=REPOSITORY, **_tags(environment="other")),
        "tagging API": str(
            tagging.tag_resources(ResourceARNList=[REPOSITORY], Tags={"a": "b"})["FailedResourcesMap"] or ""
        ),
        "new repository": denial(ecr.create_repository, **new, **_tags(environment="other", cost="1")),
        "removal": denial(ecr.untag_resource, resourceArn=REPOSITORY, tagKeys=["environment"]),
    }


def denied(session: Any) -> set[str]:
    """The ways that are denied. The tags of the others are removed."""
    found = {name for name, way in ways(session, next(_numbers)).items() if "explicit deny" in way()}
    keys = ["environment", "Environment", "team", "cost"]
    session.client("ecr").untag_resource(resourceArn=REPOSITORY, tagKeys=keys)
    return found


def attached(control: Control) -> set[str]:
    reply = control.lab.client("owner", "iam").list_entities_for_policy(PolicyArn=POLICY_ARN)
    kinds = ("User", "Role", "Group")
    return {f"{kind.lower()}/{one[f'{kind}Name']}" for kind in kinds for one in reply[f"Policy{kind}s"]}


def exists(control: Control) -> bool:
    listed = control.lab.client("owner", "iam").list_policies(Scope="Local")["Policies"]
    return POLICY_ARN in {policy["Arn"] for policy in listed}


def setters(control: Control) -> dict[str, list[str]]:
    """The principals that may set the tags, according to the audit."""
    audit = control.module("ecr_audit_info", "owner", repository_tags=VALUES)
    return {setter["principal"].rpartition("/")[2]: setter["actions"] for setter in audit["audit"]["tag_setters"]}


def test_guarded_principals_cannot_set_the_tags_in_any_way(control: Control, guard: Any, people: People) -> None:
    assert denied(people.developer) == set()
    done = guard()
    assert (done["code"], done["changed"], done["steps"]) == (0, True, WRITES)
    every = set(ways(people.developer))
    for session in (people.developer, people.deployer):
        assert denied(session) == every
        assert not any(others(session).values()), others(session)
    assert denied(people.other) == set()
    assert attached(control) == {"user/developer", "role/deployer"}


def test_the_audit_no_longer_lists_a_guarded_principal(control: Control, guard: Any, people: People) -> None:
    assert {"developer", "deployer", "other"} <= setters(control).keys()
    assert guard()["code"] == 0
    found = setters(control)
    assert "other" in found
    assert not {"developer", "deployer"} & found.keys()


def test_second_run_and_check_mode_write_nothing(control: Control, guard: Any) -> None:
    mark = len(control.lab.calls())
    predicted = guard("--check")
    assert (predicted["changed"], predicted["steps"], control.lab.writes_since(mark)) == (True, WRITES, [])
    assert guard()["changed"]
    mark = len(control.lab.calls())
    assert (guard()["changed"], control.lab.writes_since(mark)) == (False, [])
    assert guard("--check", guard="absent")["steps"] == ["detach_from", "detach_from", "delete_policy"]
    assert exists(control)


def test_undeclared_principals_are_detached(control: Control, guard: Any, people: People) -> None:
    iam = control.lab.client("owner", "iam")
    assert guard()["changed"]
    iam.create_group(GroupName="team")
    iam.attach_group_policy(GroupName="team", PolicyArn=POLICY_ARN)
    done = guard(principals=["user/other", "role/ci/deployer"])
    assert (done["steps"], attached(control)) == (
        ["attach_to", "detach_from", "detach_from"],
        {"user/other", "role/deployer"},
    )
    assert "No longer under the guard: user developer, group team" in done["lines"]
    assert (denied(people.developer), bool(denied(people.other))) == (set(), True)
    iam.delete_group(GroupName="team")


def test_changes_of_others_are_corrected(control: Control, guard: Any) -> None:
    iam = control.lab.client("owner", "iam")
    assert guard()["changed"]
    for number in range(4):
        document = _document({"Effect": "Deny", "Action": f"ecr:{number}", "Resource": "*"})
        iam.create_policy_version(PolicyArn=POLICY_ARN, PolicyDocument=document, SetAsDefault=True)
    iam.untag_policy(PolicyArn=POLICY_ARN, TagKeys=["managed-by"])
    mark = len(control.lab.calls())
    refused = guard()
    assert (refused["code"], control.lab.writes_since(mark)) == (2, [])
    assert f"Policy {NAME} exists and is not tagged managed-by=crossaccount.ecr" in refused["msg"]
    assert guard(adopt=True)["steps"] == ["set_default_version", "tag_policy"]
    assert not guard()["changed"]
    assert guard(repository_tags={"environment": "release"})["steps"] == ["delete_version", "create_version"]


def test_report_has_no_policy_and_deletes_that_of_a_guard(control: Control, guard: Any, people: People) -> None:
    assert guard(guard="report")["steps"] == []
    assert denied(people.developer) == set()
    assert guard()["changed"]
    assert guard(guard="report")["steps"] == ["detach_from", "detach_from", "delete_policy"]
    assert not exists(control)


def test_policy_that_allows_actions_is_never_changed(control: Control, guard: Any) -> None:
    iam = control.lab.client("owner", "iam")
    tags = [{"Key": "managed-by", "Value": "crossaccount.ecr"}]
    iam.create_policy(PolicyName=NAME, PolicyDocument=_document(allow("ecr:ListImages")), Tags=tags)
    mark = len(control.lab.calls())
    for mode in ("deny", "absent"):
        done = guard(guard=mode, adopt=True)
        assert (done["code"], "allows actions, so it is not a tag guard" in done["msg"]) == (2, True), done
    assert guard(guard="report")["code"] == 0
    assert control.lab.writes_since(mark) == []
    iam.delete_policy(PolicyArn=POLICY_ARN)


@pytest.mark.parametrize("kind", ["scp", "rcp"])
def test_policies_for_the_organization_deny_the_same(
    control: Control, lab: Lab, guard: Any, people: People, organization: Organization, kind: str
) -> None:
    text = next(file["text"] for file in guard(guard="report")["files"] if file["type"] == kind)
    organization.kind = {"scp": "SERVICE_CONTROL_POLICY", "rcp": "RESOURCE_CONTROL_POLICY"}[kind]
    every = set(ways(people.developer))
    # A request for a creation template has no resource, to which a resource control policy could apply.
    every -= {"new template", "changed template"} if kind == "rcp" else set()
    with organization.policy(accounts.OWNER, *json.loads(text)["Statement"]):
        for session in people:
            assert denied(session) == every
            assert not any(others(session).values())
        assert denied(lab.session("owner")) == set()
    assert denied(people.developer) == set()


def test_template_with_a_sharing_tag_is_a_warning(guard: Any, lab: Lab) -> None:
    ecr = lab.client("owner", "ecr")
    ecr.update_repository_creation_template(prefix=TEMPLATE, **{"resourceTags": _tags(Environment="release")["tags"]})
    assert f"Repository creation template {TEMPLATE} in " in str(guard()["warnings"])
    ecr.update_repository_creation_template(prefix=TEMPLATE, resourceTags=[])
    assert f"template {TEMPLATE} in " not in str(guard().get("warnings"))


def test_page_lists_the_permissions(control: Control, guard: Any) -> None:
    iam = control.lab.client("owner", "iam")
    page = (ROOT / "docs/docsite/rst/tag_guard.rst").read_text("utf-8").rpartition("\nPermissions\n")[2]
    called: set[str] = set()

    def run(**options: Any) -> None:
        mark = len(control.lab.calls())
        assert guard(**options)["code"] == 0
        called.update(control.lab.calls()[mark:])

    run(principals=["user/developer"])
    iam.create_group(GroupName="listed")
    iam.attach_group_policy(GroupName="listed", PolicyArn=POLICY_ARN)
    run(principals=["role/ci/deployer"])
    run(principals=["user/other"])
    for number in range(5):
        run(repository_tags={"environment": str(number)})
    run(repository_tags={"environment": "3"})
    iam.untag_policy(PolicyArn=POLICY_ARN, TagKeys=["managed-by"])
    run(repository_tags={"environment": "3"}, adopt=True)
    run(guard="absent")
    iam.delete_group(GroupName="listed")
    assert called - {"sts:GetCallerIdentity"} == set(re.findall(r"(?:ecr|iam):\w+", page))


BAD = {
    "user/absent": "'user/absent' does not exist in account",
    "role/deployer": "Its name belongs to arn:aws:iam::111111111111:role/ci/deployer. Declare this ARN.",
    "group/team": "'group/team' is a group",
    "user/*": "'user/*' contains a wildcard",
    "arn:aws:iam::222222222222:user/puller": "is in account 222222222222",
    "arn:aws-cn:iam::111111111111:user/a": "is in partition aws-cn",
    "arn:aws:sts::111111111111:assumed-role/deployer/any": "is a session of a role. Name the role.",
    "user/administrator": "is the caller of this run",
    "role/aws-service-role/ecr.amazonaws.com/AWSServiceRoleForECR": "is a role that AWS manages",
    "arn:aws:iam::111111111111:root": "is not user/NAME, role/NAME, or the ARN of a user or a role",
    "developer": "is not user/NAME, role/NAME, or the ARN of a user or a role",
}


def test_bad_principals_are_reported_together(control: Control, guard: Any) -> None:
    mark = len(control.lab.calls())
    done = guard(principals=[*GUARDED, *BAD], repository_tags={"a": []}, guard_name="a b", regions=["nowhere"])
    text = "\n".join(done["problems"])
    assert (done["code"], control.lab.writes_since(mark)) == (2, [])
    for message in ("Policy name 'a b'", "an empty list of values", "'nowhere' does not look like a region"):
        assert message in text
    done = guard(principals=[*GUARDED, *BAD])
    assert len(done["problems"]) == len(BAD), done
    for message in BAD.values():
        assert message in done["msg"]
    assert control.lab.writes_since(mark) == []


def test_guard_without_tags_or_principals_is_rejected(guard: Any) -> None:
    done = guard(repository_tags={}, principals=[])
    assert len(done["problems"]) == 2, done
    assert "The tag guard has no tag" in done["msg"]
    assert "principals is empty, so the tag guard denies nothing" in done["msg"]


def test_policy_above_its_quota_is_rejected(control: Control, guard: Any) -> None:
    mark = len(control.lab.calls())
    done = guard(repository_tags={f"key-{number}": "v" * 200 for number in range(14)})
    assert (done["code"], control.lab.writes_since(mark)) == (2, [])
    for label, quota in (("policy of the guard", "6,144"), ("resource control policy", "5,120")):
        assert f"{label} would have " in done["msg"]
        assert f"AWS accepts up to {quota}" in done["msg"]


DENY = {"ecr_share_tag_guard": "deny", "ecr_share_tag_guard_principals": GUARDED}


@pytest.fixture
def folder(control: Control, people: People, tmp_path: pathlib.Path) -> Iterator[str]:
    """The directory of the files. Afterwards, the share is absent."""
    yield str(tmp_path)
    assert control.playbook("unshare", "owner", *SCENARIO, **DENY).code == 0


def share(control: Control, folder: str, *arguments: str, **variables: Any) -> Any:
    return control.share(*arguments, **{**DENY, "ecr_share_tag_guard_dir": folder, **variables})


def test_share_applies_the_guard_and_unshare_removes_it(control: Control, folder: str, people: People) -> None:
    mark = len(control.lab.calls())
    checked = share(control, folder, "--check", "--diff")
    assert (checked.code, control.lab.writes_since(mark)) == (0, []), checked
    assert f"Tag guard: policy {POLICY_ARN} would deny environment=release" in checked.output
    assert not any(pathlib.Path(folder).iterdir())
    first = share(control, folder)
    assert first.code == 0, first
    files = sorted(str(path) for path in pathlib.Path(folder).iterdir())
    assert files == [f"{folder}/{NAME}-{accounts.OWNER}-{kind}.json" for kind in ("rcp", "scp")]
    for text in (
        f"Tag guard: policy {POLICY_ARN} denies environment=release to user developer, role deployer",
        f"to attach to account {accounts.OWNER}: {files[1]} and {files[0]}",
        f"to all principals except {CALLER}",
        "To remove the guard, set ecr_share_tag_guard: absent.",
    ):
        assert text in first.output, first
    assert "tag" in denied(people.developer)
    mark = len(control.lab.calls())
    second = share(control, folder)
    assert (second.code, second.changed, control.lab.writes_since(mark)) == (0, 0, []), second
    ended = control.playbook("unshare", "owner", *SCENARIO, **DENY)
    assert (ended.code, exists(control)) == (0, False), ended
    assert f"Tag guard: policy {POLICY_ARN} is deleted" in ended.output
    assert denied(people.developer) == set()


def test_share_without_a_guard_leaves_one_alone(control: Control, folder: str) -> None:
    assert share(control, folder).code == 0
    mark = len(control.lab.calls())
    assert control.share().code == 0
    assert POLICY_ARN not in str(control.lab.calls()[mark:])
    assert exists(control)
    assert share(control, folder, ecr_share_tag_guard="absent").code == 0
    assert not exists(control)


def test_several_shares_have_one_guard(control: Control, folder: str, people: People) -> None:
    consumers = [{"account": accounts.CONSUMER, "external_id": "test"}]
    release = {"role_name": "allow_release", "repositories": ["release"], "consumers": consumers}
    develop = {"role_name": "allow_develop", "repositories": ["develop"], "consumers": consumers}
    shares = [
        {**release, "repository_tags": {"environment": ["release", "hotfix"]}, "tags": {"environment": "release"}},
        {**develop, "repository_tags": {"team": "red"}},
    ]
    common: dict[str, Any] = {"ecr_share_denied": [], "ecr_share_images": [], "ecr_share_handoff_path": ""}
    run = share(control, folder, ecr_share_shares=shares, **common)
    assert "denies environment=release or hotfix, team=red to" in run.output, run
    assert denied(people.developer) == set(ways(people.developer))
    every = [{**one, "state": "absent"} for one in shares]
    ended = share(control, folder, ecr_share_shares=every, **common)
    assert "All shares are absent, so no tag shares a repository" in ended.output, ended
    assert share(control, folder, ecr_share_shares=every, ecr_share_tag_guard="absent", **common).code == 0


def test_bad_input_is_reported_with_that_of_the_share(control: Control, folder: str) -> None:
    mark = len(control.lab.calls())
    principals = ["user/absent", "group/team", "user/administrator"]
    wrong = {"ecr_share_tag_guard_dir": f"{folder}/missing", "ecr_share_tag_guard_name": "allow_ecr_release"}
    run = share(
        control, folder, **wrong, ecr_share_tag_guard_principals=principals, ecr_share_repositories=["missing-one"]
    )
    assert (run.code, control.lab.writes_since(mark)) == (2, [])
    for text in (
        "ecr_share_tag_guard_principals: 'user/absent' does not exist",
        "ecr_share_tag_guard_principals: 'group/team' is a group",
        "ecr_share_tag_guard_principals: 'user/administrator' is the caller of this run",
        f"ecr_share_tag_guard_dir {folder}/missing does not exist or is not a directory",
        "allow_ecr_release is the policy of a share. Choose another ecr_share_tag_guard_name.",
        "missing-one",
    ):
        assert text in run.output, run


def test_principals_without_a_guard_are_rejected(control: Control, folder: str) -> None:
    run = control.share(ecr_share_tag_guard_principals=GUARDED)
    assert run.code == 2
    assert "ecr_share_tag_guard_principals is set, but ecr_share_tag_guard is not" in run.output
