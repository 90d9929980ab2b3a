# SPDX-License-Identifier: GPL-3.0-or-later
"""The policies that we hand out are what the playbooks need: no action is missing, and none is too much."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _policy
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity

from tests.lab import accounts, state
from tests.support.control import REPOSITORY_ARN, Control
from tests.support.lab import Lab
from tests.support.owner_side import owner
from tests.support.paths import ROOT

Document = dict[str, Any]

OWNER, CONSUMER = "owner", "consumer"
ADMINISTRATORS = {OWNER: "owner", CONSUMER: "consumer-administrator"}
#: Permissions that AWS requires in addition to the action of a call. The Resource Groups Tagging API tags a
#: repository only for who may tag it through ECR; IAM accepts tags for a new role or policy only from a caller that may
#: tag it.
#: By this rule these four are in the policy of the owner. The lab asks for them too.
ALSO_NEEDED = {
    "tag:TagResources": "ecr:TagResource",
    "tag:UntagResources": "ecr:UntagResource",
    "iam:CreateRole": "iam:TagRole",
    "iam:CreatePolicy": "iam:TagPolicy",
}
#: The permissions boundary of every pull role here, and the key of the tags that grant access.
BOUNDARY, TAG_KEY = "boundary", "environment"
BOUNDARY_ARN = f"arn:aws:iam::{accounts.OWNER}:policy/{BOUNDARY}"
#: The declaration of the scenario, and its role.
SCENARIO, ROLE_NAME = "playbooks/vars/scenario.yml", "allow_ecr_release"
#: AWS allows this to everybody.
NEEDS_NO_PERMISSION = "sts:GetCallerIdentity"

READS = [
    "iam:GetRole",
    "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",
    "iam:ListInstanceProfilesForRole",
    "iam:GetPolicy",
    "iam:ListPolicyVersions",
    "iam:GetPolicyVersion",
    "iam:ListEntitiesForPolicy",
]
CREATION = ["iam:CreatePolicy", "iam:TagPolicy", "iam:CreateRole", "iam:TagRole", "iam:AttachRolePolicy"]
CHANGE = [
    "iam:PutRolePolicy",
    "iam:UpdateAssumeRolePolicy",
    "iam:CreatePolicyVersion",
    "iam:DeletePolicyVersion",
    "iam:UpdateRole",
]
#: For a role whose access has an end.
END = ["iam:GetRolePolicy", "iam:UntagRole"]
RETURN = ["iam:SetDefaultPolicyVersion"]
DELETION = ["iam:DetachRolePolicy", "iam:DeleteRolePolicy", "iam:DeleteRole", "iam:DeletePolicy"]
TAGGING = ["ecr:DescribeRepositories", "ecr:ListTagsForResource", "tag:TagResources", "ecr:TagResource"]
UNTAGGING = ["tag:UntagResources", "ecr:UntagResource"]
FALL_BACK = ["tag:GetResources", "tag:GetTagKeys"]
#: For statements of an earlier mode of the share.
STATEMENTS = ["ecr:GetRegistryPolicy", "ecr:GetRepositoryPolicy"]

NOTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})


def policy(name: str, role: str, variant: str = "") -> Document:
    """The policy that we hand out, for the owner account of the lab and a role."""
    text = (ROOT / f"playbooks/vars/{name}-policy{variant}.json").read_text(encoding="utf-8")
    values = {"OWNER_ACCOUNT": accounts.OWNER, "ROLE": role, "POLICY": role, "BOUNDARY": BOUNDARY, "TAG_KEY": TAG_KEY}
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    document: Document = json.loads(text)
    return document


def with_roles_of_consumers(document: Document, role: str, consumers: list[str]) -> Document:
    """The policy for a share with a role for each consumer: it also names these roles."""
    arn = f"arn:aws:iam::{accounts.OWNER}:role/{role}"
    arns = [arn, *(f"{arn}-{consumer}" for consumer in consumers)]
    statements = [
        {**statement, "Resource": arns if statement["Resource"] == arn else statement["Resource"]}
        for statement in document["Statement"]
    ]
    return {**document, "Statement": statements}


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def actions(document: Document) -> list[str]:
    return [action for statement in document["Statement"] for action in as_list(statement["Action"])]


def without(document: Document, missing: str) -> Document:
    """The same policy, but for one action."""
    kept = [
        {**statement, "Action": [action for action in as_list(statement["Action"]) if action != missing]}
        for statement in document["Statement"]
    ]
    return {**document, "Statement": [statement for statement in kept if statement["Action"]]}


class LimitedUsers:
    """Users with few permissions, each a profile in a configuration of its own, beside the administrators."""

    def __init__(self, lab: Lab, folder: pathlib.Path) -> None:
        self.lab, self.folder = lab, folder
        self.keys = {profile: self._keys(profile) for profile in ADMINISTRATORS.values()}

    def _keys(self, profile: str) -> tuple[str, str]:
        credentials = self.lab.session(profile).get_credentials()
        return credentials.access_key, credentials.secret_key

    def hire(self, user: str, document: Document, account: str = OWNER) -> str:
        """A new user who may do exactly this; the profile has the user's name."""
        iam = self.lab.client(ADMINISTRATORS[account], "iam")
        iam.create_user(UserName=user)
        self.allow(user, document, account)
        key = iam.create_access_key(UserName=user)["AccessKey"]
        self.keys[user] = (key["AccessKeyId"], key["SecretAccessKey"])
        state.write(self.folder, self.lab.endpoint, self.keys)
        return user

    def allow(self, user: str, document: Document, account: str = OWNER) -> None:
        """From now on the user may do exactly this."""
        iam = self.lab.client(ADMINISTRATORS[account], "iam")
        iam.put_user_policy(UserName=user, PolicyName="exactly", PolicyDocument=json.dumps(document))

    def control(self, name: str) -> Control:
        """A control node on which every profile of the staff is known."""
        state.write(self.folder, self.lab.endpoint, self.keys)
        folder = self.folder / name
        folder.mkdir()
        return Control(Lab(self.folder), folder)

    def calls(self, profile: str, since: int = 0) -> set[str]:
        """The IAM actions of the calls that a user made, after the first `since` calls of the log."""
        entries = state.requests(self.lab.folder)[since:]
        called = {entry["call"] for entry in entries if entry["access_key_id"] == self.keys[profile][0]}
        return {call.replace("tagging:", "tag:") for call in called} - {NEEDS_NO_PERMISSION}


@pytest.fixture(scope="module")
def staff(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> LimitedUsers:
    lab.client("owner", "iam").create_policy(PolicyName=BOUNDARY, PolicyDocument=json.dumps(policy("boundary", "")))
    return LimitedUsers(lab, tmp_path_factory.mktemp("staff"))


@pytest.fixture
def staff_alone(alone: Control) -> LimitedUsers:
    """The users of an account without the roles and tags of other tests."""
    return LimitedUsers(alone.lab, alone.folder)


# --- whole playbooks -----------------------------------------------------------------------------------------------


CONSUMER_OF_WALK = {"account": accounts.CONSUMER, "external_id": "test"}
#: A share with a role for each consumer, one of which ends.
EACH: dict[str, Any] = {
    "ecr_share_roles": "per_consumer",
    "ecr_share_consumers": [
        {**CONSUMER_OF_WALK, "expires": "7d"},
        {"account": accounts.STRANGER, "external_id": "other"},
    ],
}


class Walk:
    """Everything that two users run, one in each account: share, change it, go back, repeat, pull, revoke, unshare.

    One change is to a role for each consumer and to an end.

    Each walk has a role, a repository and a tag of its own, so that two can go at once.
    """

    def __init__(self, control: Control, profiles: dict[str, str], role: str, repository: str, other: str) -> None:
        self.control, self.profiles = control, profiles
        self.declaration: dict[str, Any] = {
            "ecr_share_role_name": role,
            "ecr_share_repositories": [repository],
            "ecr_share_repository_tags": {TAG_KEY: role},
            "ecr_share_permissions_boundary": BOUNDARY_ARN,
            "ecr_share_images": [f"{repository}:{accounts.IMAGE_TAG}"],
            "ecr_share_denied": [other],
            "ecr_share_wait_interval": 0,
        }

    def go(self) -> list[tuple[str, int]]:
        """Every step, and how many tasks changed something."""
        return list(self._steps())

    def _steps(self) -> Iterator[tuple[str, int]]:
        consumers = [{"account": accounts.STRANGER, "external_id": "other"}]
        changed = {
            "ecr_share_access": "pull",
            "ecr_share_consumers": consumers,
            "ecr_share_max_session_duration": 7200,
        }
        yield "share", self._share()
        yield "change", self._share(**changed)
        yield "ends", self._share(ecr_share_expires="30d", **EACH)
        yield "no end", self._share(**{**EACH, "ecr_share_consumers": [CONSUMER_OF_WALK]})
        yield "back", self._share()
        yield "repeat", self._share()
        yield "pull", self._pull()
        yield "revoke", self._owner("revoke")
        yield "unshare", self._owner("unshare")

    def _share(self, **variables: Any) -> int:
        return self._owner("share", ecr_share_handoff_path=str(self.control.handoff), **variables)

    def _owner(self, playbook: str, **variables: Any) -> int:
        variables = {**self.declaration, **variables}
        scenario = "@playbooks/vars/scenario.yml"
        run = self.control.playbook(playbook, self.profiles[OWNER], "-e", scenario, **variables)
        assert run.code == 0, run
        return run.changed

    def _pull(self) -> int:
        dest = str(self.control.folder / "image")
        run = self.control.pull(profile=self.profiles[CONSUMER], ecr_pull_engine="oci_layout", ecr_pull_dest=dest)
        assert run.code == 0, run
        return run.changed


@dataclass(frozen=True)
class WalkResult:
    """The steps of the administrators, what they called, and the steps of those who have exactly our policies."""

    administrators: list[tuple[str, int]]
    called: dict[str, set[str]]
    exact: list[tuple[str, int]]


@pytest.fixture(scope="module")
def walked(staff: LimitedUsers) -> WalkResult:
    exact = {OWNER: "owner-exact", CONSUMER: "consumer-exact"}
    for name, user in exact.items():
        document = policy(name, "shared_by_exact")
        consumers = [accounts.CONSUMER, accounts.STRANGER]
        staff.hire(user, with_roles_of_consumers(document, "shared_by_exact", consumers), name)
    walks = [
        Walk(staff.control("administrators"), ADMINISTRATORS, "shared_by_administrator", "release", "develop"),
        Walk(staff.control("exact"), exact, "shared_by_exact", "develop", "release"),
    ]
    mark = len(staff.lab.calls())
    with ThreadPoolExecutor() as pool:
        steps = list(pool.map(Walk.go, walks))
    called = {name: staff.calls(profile, since=mark) for name, profile in ADMINISTRATORS.items()}
    return WalkResult(steps[0], called, steps[1])


def test_documented_policies_are_sufficient(walked: WalkResult) -> None:
    assert walked.exact == walked.administrators
    changed = dict(walked.exact)
    assert (changed.pop("repeat"), 0 in changed.values()) == (0, False), walked


@pytest.mark.parametrize("name", [OWNER, CONSUMER])
def test_policies_allow_exactly_the_called_actions(walked: WalkResult, name: str) -> None:
    called = walked.called[name]
    needed = called | {ALSO_NEEDED[action] for action in called if action in ALSO_NEEDED}
    assert sorted(actions(policy(name, "any"))) == sorted(needed)


def test_auditor_policy_has_exactly_the_calls_of_an_audit(staff_alone: LimitedUsers) -> None:
    staff, shared = staff_alone, staff_alone.control("audit")
    assert shared.share(profile="owner").code == 0
    auditor, audit = staff.hire("auditor", policy("auditor", ROLE_NAME)), {"ecr_audit_regions": [accounts.REGION]}
    variables = {**audit, "ecr_audit_declaration": SCENARIO, "ecr_audit_fail_on": "drift"}
    mark = len(staff.lab.calls())
    runs = [shared.playbook("audit", profile, **variables) for profile in ("owner", auditor)]
    assert [run.code for run in runs] == [0, 0], runs
    assert sorted(actions(policy("auditor", ROLE_NAME))) == sorted(staff.calls("owner", since=mark))
    assert staff.calls(auditor, since=mark) == staff.calls("owner", since=mark)
    shown = [
        [line for line in run.output.splitlines() if line.startswith((accounts.CONSUMER, "findings"))] for run in runs
    ]
    assert shown[0] == shown[1]
    assert f"{accounts.CONSUMER} can pull release through role {ROLE_NAME}" in shown[0][0]


def test_check_mode_names_what_it_is_not_allowed_to_check(staff_alone: LimitedUsers) -> None:
    """The run succeeds, even if the plan cannot search for statements of an earlier mode."""
    staff, shared = staff_alone, staff_alone.control("check")
    assert shared.share(profile="owner").code == 0
    limited = policy(OWNER, ROLE_NAME)
    for action in STATEMENTS:
        limited = without(limited, action)
    user = staff.hire("owner-checks", limited)
    run = shared.playbook("unshare", user, "-e", f"@{SCENARIO}", "--check")
    assert run.code == 0, run
    assert f"- {accounts.CONSUMER} (external ID) loses release" in run.output
    for what in ("registry policy", "repository policy of release"):
        assert f"not checked: {what} in {accounts.REGION}: " in run.output
    warning = f"Whether policies in {accounts.REGION} still have statements of these shares from an earlier"
    assert warning in " ".join(run.output.split())


@pytest.mark.parametrize("action", STATEMENTS)
def test_first_share_must_be_able_to_read_policies(staff_alone: LimitedUsers, action: str) -> None:
    """A statement of an earlier mode would give its consumers access by the tags of the new role."""
    user = staff_alone.hire("owner-creates", without(policy(OWNER, ROLE_NAME), action))
    mark = len(staff_alone.lab.calls())
    run = staff_alone.control("first").share(profile=user)
    assert (run.code, staff_alone.lab.writes_since(mark)) == (2, []), run
    assert action in run.output, run


def test_unbounded_policy_only_lacks_the_conditions() -> None:
    bounded, unbounded = (
        {(action, item["Resource"]) for item in document["Statement"] for action in as_list(item["Action"])}
        for document in (policy(OWNER, "any"), policy(OWNER, "any", "-unbounded"))
    )
    assert bounded == unbounded
    assert "Condition" not in json.dumps(policy(OWNER, "any", "-unbounded"))


def test_boundary_allows_only_actions_of_pull_roles() -> None:
    """In the owner account only: a repository of another account that trusts this one stays out of reach."""
    widest = _policy.permissions_document(Identity("aws", accounts.OWNER), {TAG_KEY: ("any",)})
    found, needed = (
        {action: item["Resource"] for item in document["Statement"] for action in as_list(item["Action"])}
        for document in (policy("boundary", ""), widest)
    )
    assert found == needed


# --- a role from before --------------------------------------------------------------------------------------------


def test_role_without_boundary_needs_an_administrator_once(staff: LimitedUsers) -> None:
    control, iam = staff.control("unbounded"), staff.lab.client("owner", "iam")
    options = {**CHANGED_ROLE, "name": staff.hire("unbounded", policy(OWNER, "unbounded"))}
    former = {**ROLE, "name": options["name"], "permissions_boundary": None}
    assert control.module("iam_ecr_pull_role", "owner", **former)["code"] == 0

    run = control.module("iam_ecr_pull_role", "unbounded", **options)
    assert run["msg"].startswith("PutRolePermissionsBoundary: AccessDenied: "), run
    assert "Have an administrator of the account run this once" in run["msg"]
    assert "Completed before that: nothing" in run["msg"]
    assert access(iam, "unbounded") == (accounts.CONSUMER, "release")
    run = control.module("iam_ecr_pull_role", "unbounded", **{**options, "permissions_boundary": None})
    assert "If the role lacks the permissions boundary that the policy of the caller requires, have an" in run["msg"], (
        run
    )

    mark = len(staff.lab.calls())
    run = control.module("iam_ecr_pull_role", "owner", **{**former, "permissions_boundary": BOUNDARY_ARN})
    assert staff.lab.writes_since(mark) == ["iam:PutRolePermissionsBoundary"], run
    run = control.module("iam_ecr_pull_role", "unbounded", **options)
    assert (run["code"], access(iam, "unbounded")) == (0, (accounts.STRANGER, "hotfix")), run


# --- one action less -----------------------------------------------------------------------------------------------


#: Stands for the name of a user in options.
USER = "USER"


def user_of(action: str) -> str:
    """The user who lacks an action. The role and the repository of that user have the same name."""
    return action.replace(":", "-").lower()


def everybody(
    control: Control, users: list[str], module: str, /, profile: str = "", **options: Any
) -> tuple[bool, dict[str, Any]]:
    """One run of a module for each user, in whose options `USER` is the name of the user: whether one fails, and
    the results.

    :param profile: whose credentials the runs have; empty: those of each user
    """
    results = {}
    for user in users:
        own = json.loads(json.dumps(options).replace(USER, user))
        results[user] = owner(control, module, profile=profile or user, wait_interval=0, **own)
    return any(result.get("failed") for result in results.values()), results


def lacking(staff: LimitedUsers, missing: list[str]) -> list[str]:
    """A user for each of the actions, who lacks just that one."""
    return [staff.hire(user_of(action), without(policy(OWNER, user_of(action)), action)) for action in missing]


def fail_then_converge(
    staff: LimitedUsers, missing: list[str], module: str, /, **options: Any
) -> Iterator[dict[str, Any]]:
    """Every user's run fails and names what is missing; with the whole policy it succeeds.

    Yields once between the two.
    """
    users = [user_of(action) for action in missing]
    control = staff.control(f"{module}-{user_of(missing[0])}")
    _failed, results = everybody(control, users, module, **options)
    for action, result in zip(missing, results.values(), strict=True):
        assert result["failed"], (action, result)
        assert f" is not authorized to perform: {action} on resource: " in result["msg"]
        assert "to the caller, or use other credentials." in result["msg"]  # the next step
        assert "exception" not in result
    yield results
    for user in users:
        staff.allow(user, policy(OWNER, user))
    failed, results = everybody(control, users, module, **options)
    assert not failed, results
    # A success is what is declared: the modules check their writes.


ROLE: dict[str, Any] = {
    "name": USER,
    "repository_tags": {"environment": "release"},
    "consumers": [{"account": accounts.CONSUMER, "external_id": "test"}],
    "permissions_boundary": BOUNDARY_ARN,
}
CHANGED_ROLE: dict[str, Any] = {
    **ROLE,
    "repository_tags": {"environment": "hotfix"},
    "consumers": [{"account": accounts.STRANGER, "external_id": "other"}],
    "max_session_duration": 7200,
}

OLD_NEW_OR_NOBODY = [(accounts.CONSUMER, "release"), (accounts.STRANGER, "hotfix"), ("", "release"), ("", "hotfix")]


def existing_roles(staff: LimitedUsers, missing: list[str], **options: Any) -> list[str]:
    """Users who lack one action each, and the roles of these users as an administrator made them."""
    users, control = lacking(staff, missing), staff.control(f"before-{user_of(missing[0])}")
    failed, results = everybody(control, users, "iam_ecr_pull_role", **{**ROLE, **options}, profile="owner")
    assert not failed, results
    return users


def access(iam: Any, role: str) -> tuple[str, str]:
    """Whom a role trusts, and the tag value that it reaches."""
    trust = json.dumps(iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"])
    arn = f"arn:aws:iam::{accounts.OWNER}:policy/{role}"
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    permissions = json.dumps(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])
    trusted = [account for account in (accounts.CONSUMER, accounts.STRANGER) if account in trust]
    return ",".join(trusted), ",".join(value for value in ("release", "hotfix") if value in permissions)


def test_every_action_of_the_owner_is_taken_away_once() -> None:
    once = [*READS, *CREATION, *CHANGE, *END, *RETURN, *DELETION, *TAGGING, *UNTAGGING, *FALL_BACK]
    once.append("iam:GetAccountAuthorizationDetails")  # of the plan, which warns without it: test_one_plan.py
    once += STATEMENTS  # of the plan, which warns without them
    assert sorted(once) == sorted(actions(policy(OWNER, "any")))


def test_first_share_without_an_action_converges_later(staff: LimitedUsers) -> None:
    missing = [*READS, *CREATION]
    lacking(staff, missing)
    list(fail_then_converge(staff, missing, "iam_ecr_pull_role", **ROLE))


def test_change_without_permission_never_mixes_old_and_new(staff: LimitedUsers) -> None:
    iam = staff.lab.client("owner", "iam")
    for user in existing_roles(staff, CHANGE):
        arn = f"arn:aws:iam::{accounts.OWNER}:policy/{user}"
        for _version in range(4):  # five is the most that AWS takes
            iam.create_policy_version(PolicyArn=arn, PolicyDocument=NOTHING)
    for results in fail_then_converge(staff, CHANGE, "iam_ecr_pull_role", **CHANGED_ROLE):
        access_of = {user: access(iam, user) for user in results}
        for trusted, allowed in access_of.values():
            assert (trusted, allowed) in OLD_NEW_OR_NOBODY, access_of
    assert {access(iam, user_of(action)) for action in CHANGE} == {(accounts.STRANGER, "hotfix")}


def test_an_end_is_removed_only_with_its_actions(staff: LimitedUsers) -> None:
    users = existing_roles(staff, END, role_expires="7d")
    list(fail_then_converge(staff, END, "iam_ecr_pull_role", **ROLE))
    iam = staff.lab.client("owner", "iam")
    assert [iam.list_role_policies(RoleName=user)["PolicyNames"] for user in users] == [[], []]


def test_a_return_that_lacks_an_action_leaves_the_old_version(staff: LimitedUsers) -> None:
    iam = staff.lab.client("owner", "iam")
    (user,) = existing_roles(staff, RETURN)
    arn = f"arn:aws:iam::{accounts.OWNER}:policy/{user}"
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=NOTHING, SetAsDefault=True)
    for _results in fail_then_converge(staff, RETURN, "iam_ecr_pull_role", **ROLE):
        assert access(iam, user) == (accounts.CONSUMER, "")
    assert access(iam, user) == (accounts.CONSUMER, "release")


def test_unshare_without_an_action_converges_later(staff: LimitedUsers) -> None:
    iam = staff.lab.client("owner", "iam")
    for user in existing_roles(staff, DELETION):
        iam.put_role_policy(RoleName=user, PolicyName="AWSRevokeOlderSessions", PolicyDocument=NOTHING)
    list(fail_then_converge(staff, DELETION, "iam_ecr_pull_role", name=ROLE["name"], state="absent"))
    names = {role["RoleName"] for role in iam.list_roles()["Roles"]}
    names |= {policy["PolicyName"] for policy in iam.list_policies(Scope="Local")["Policies"]}
    assert not names & {user_of(action) for action in DELETION}


@pytest.mark.parametrize(("missing", "desired"), [(TAGGING, "present"), (UNTAGGING, "absent")])
def test_tagging_that_lacks_an_action_changes_no_tag(staff: LimitedUsers, missing: list[str], desired: str) -> None:
    ecr = staff.lab.client("owner", "ecr")
    before = [] if desired == "present" else [{"Key": "environment", "Value": "release"}]
    users = lacking(staff, missing)
    for user in users:
        ecr.create_repository(repositoryName=user, tags=before)

    def tags() -> list[Any]:
        return [ecr.list_tags_for_resource(resourceArn=REPOSITORY_ARN + user)["tags"] for user in users]

    options = {"names": [USER], "tags": {"environment": "release"}, "state": desired}
    for _results in fail_then_converge(staff, missing, "ecr_repository_tag", **options):
        assert tags() == [before] * len(users)
    assert all(bool(found) == (desired == "present") for found in tags())


# --- the output of the playbooks


def test_share_names_missing_permission_or_reads_all(staff: LimitedUsers) -> None:
    """Without `ecr:TagResource` it grants nothing; without `tag:GetResources` it asks every repository instead."""
    control, ecr = staff.control("half"), staff.lab.client("owner", "ecr")
    user = staff.hire("half", without(policy(OWNER, "half"), "ecr:TagResource"))
    tag = {"Key": TAG_KEY, "Value": "half"}
    ecr.create_repository(repositoryName="not-declared")

    def tagged() -> list[str]:
        names = ("release", "not-declared")
        return [name for name in names if tag in ecr.list_tags_for_resource(resourceArn=REPOSITORY_ARN + name)["tags"]]

    variables: dict[str, Any] = {
        "ecr_share_role_name": "half",
        "ecr_share_repository_tags": {tag["Key"]: tag["Value"]},
        "ecr_share_permissions_boundary": BOUNDARY_ARN,
        "ecr_share_exclusive": True,
        "ecr_share_wait_interval": 0,
    }
    run = control.share(profile=user, **variables)
    assert (run.code, tagged(), control.handoff.exists()) == (2, [], False), run
    output = " ".join(run.output.split())
    assert "is not authorized to perform: ecr:TagResource on resource:" in output
    assert "Allow ecr:TagResource on these repositories to the caller, or use other credentials." in output
    assert "Traceback" not in output

    ecr.tag_resource(resourceArn=REPOSITORY_ARN + "not-declared", tags=[tag])
    missing = FALL_BACK[0]
    staff.allow(user, without(policy(OWNER, "half"), missing))
    mark = len(staff.lab.calls())
    run = control.share(profile=user, **variables)
    assert (run.code, tagged(), control.handoff.exists()) == (0, ["release"], True), run
    assert missing in staff.calls(user, since=mark)  # asked, refused, and done without
