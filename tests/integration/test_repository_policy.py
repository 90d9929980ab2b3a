# SPDX-License-Identifier: GPL-3.0-or-later
"""The module ecr_repository_policy_statement: pulls without a role, other writers, and states made by others."""

from __future__ import annotations

import base64
import json
import pathlib
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._access_statement import sid_of

from tests.lab import accounts
from tests.lab.clients import REPOSITORIES, Account, allow, refusal, trust
from tests.support.control import Control
from tests.support.lab import Lab
from tests.support.manifests import manifest
from tests.support.second_writer import SecondWriter
from tests.support.serving import serving

MODULE = "ecr_repository_policy_statement"
SHARE: dict[str, Any] = {"name": "release-images", "consumers": [{"account": accounts.CONSUMER}], "access": "pull"}
SID = sid_of("release-images")
OURS = {
    "Sid": SID,
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{accounts.CONSUMER}:root"},
    "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
}
THEIRS = {
    "Sid": "theirs",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{accounts.STRANGER}:root"},
    "Action": ["ecr:DescribeImages"],
}
NEW = {**THEIRS, "Sid": "new"}
#: Another program changed the statement of the share.
EDITED = {**OURS, "Action": ["ecr:*"]}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


class Repositories:
    """The policies of the owner's repositories, which other programs write as a whole."""

    def __init__(self, lab: Lab) -> None:
        self.ecr = lab.client("owner", "ecr")

    def policy(self, name: str) -> dict[str, Any]:
        if refusal(self.ecr.get_repository_policy, repositoryName=name)[0]:
            return {}
        found: dict[str, Any] = json.loads(self.ecr.get_repository_policy(repositoryName=name)["policyText"])
        return found

    def put(self, name: str, *statements: dict[str, Any]) -> None:
        self.ecr.set_repository_policy(repositoryName=name, policyText=json.dumps(policy(*statements)))

    def add(self, name: str, new: dict[str, Any]) -> None:
        self.put(name, *self.policy(name)["Statement"], new)

    def delete(self, name: str) -> None:
        refusal(self.ecr.delete_repository_policy, repositoryName=name)

    def tag(self, name: str, **tags: str) -> None:
        arn = REPOSITORIES + name
        self.ecr.untag_resource(resourceArn=arn, tagKeys=["environment"])
        self.ecr.tag_resource(resourceArn=arn, tags=[{"Key": key, "Value": value} for key, value in tags.items()])


@pytest.fixture
def repositories(lab: Lab) -> Iterator[Repositories]:
    """The owner's repositories release and develop, without policies and tags."""
    found = Repositories(lab)
    yield found
    for name in accounts.REPOSITORIES:
        found.delete(name)
        found.tag(name)


def both(control: Control, **options: Any) -> dict[str, Any]:
    """The result in check mode, which writes nothing, equals the result of the run."""
    mark = len(control.lab.calls())
    predicted = control.module(MODULE, "owner", "--check", "--diff", **options)
    assert control.lab.writes_since(mark) == []
    result = control.module(MODULE, "owner", "--diff", **options)
    assert predicted == result, (predicted, result)
    assert bool(control.lab.writes_since(mark)) == result["changed"], result
    return result


def test_own_role_of_the_consumer_pulls(
    control: Control, lab: Lab, repositories: Repositories, skopeo: str, tmp_path: pathlib.Path
) -> None:
    consumer = Account(lab, "consumer-administrator")
    arn = consumer.role(
        trust(accounts.CONSUMER),
        allow("ecr:GetAuthorizationToken"),
        allow(*OURS["Action"], Resource=f"{REPOSITORIES}*"),
    )
    principal = f"role/{arn.rpartition('/')[2]}"
    options = {**SHARE, "names": ["release"], "consumers": [{"account": accounts.CONSUMER, "principals": [principal]}]}
    assert both(control, **options)["changed"]
    assert not both(control, **options)["changed"]
    role = consumer.session("ecr", arn)
    assert (manifest(lab, role, "release")[0], manifest(lab, role, "develop")[0]) == (200, 403)
    token = role.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    password = base64.b64decode(token).decode()
    for name, is_pulled in [("release", True), ("develop", False)]:
        image = f"docker://{lab.endpoint.partition('://')[2]}/{name}:{accounts.IMAGE_TAG}"
        command = [skopeo, "copy", "--src-tls-verify=false", "--src-creds", password, image, f"dir:{tmp_path / name}"]
        process = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (process.returncode == 0) == is_pulled, process.stderr
        assert is_pulled or "no resource-based policy allows the ecr:BatchGetImage action" in process.stderr
    # Another principal of the account, and one without an identity policy
    assert manifest(lab, consumer.lab.client("consumer-administrator", "ecr"), "release")[0] == 403
    assert both(control, name=SHARE["name"], names=["release"], state="absent")["changed"]
    assert manifest(lab, role, "release")[0] == 403
    assert repositories.policy("release") == {}


def test_statement_walks_through_its_life(control: Control, repositories: Repositories) -> None:
    repositories.put("release", THEIRS)
    read = {**OURS, "Action": sorted([*OURS["Action"], *READS])}
    for options, release, develop in [
        ({**SHARE, "names": ["re*"]}, [THEIRS, OURS], []),
        ({**SHARE, "names": ["re*"]}, [THEIRS, OURS], []),
        ({**SHARE, "names": ["*"]}, [THEIRS, OURS], [OURS]),
        ({**SHARE, "names": ["*"], "access": "read"}, [THEIRS, read], [read]),
        ({**SHARE, "names": ["develop"], "exclusive": True}, [THEIRS], [OURS]),
        ({"name": SHARE["name"], "names": ["absent", "develop", "release"], "state": "absent"}, [THEIRS], []),
        ({"name": SHARE["name"], "names": ["*"], "state": "absent"}, [THEIRS], []),
    ]:
        before = [repositories.policy(name) for name in ("release", "develop")]
        result = both(control, **options)
        assert result["code"] == 0, result
        after = [policy(*listed) if listed else {} for listed in (release, develop)]
        assert [repositories.policy(name) for name in ("release", "develop")] == after
        assert result["changed"] == (before != after)
        assert [one["name"] for one in result["repositories"] if one["changed"]] == [
            name for name, old, new in zip(("develop", "release"), before[::-1], after[::-1]) if old != new
        ]


def test_statement_follows_the_tags(control: Control, repositories: Repositories) -> None:
    options = {**SHARE, "repository_tags": {"environment": ["release", "stable"]}, "exclusive": True}
    result = both(control, **options)
    assert (result["changed"], "No repository in ap-northeast-1 has environment=release or" in str(result)) == (
        False,
        True,
    )
    for tags, holders in [
        ({"release": "release"}, ["release"]),
        ({"release": "release", "develop": "stable"}, ["develop", "release"]),
        ({"release": "other", "develop": "stable"}, ["develop"]),
        ({}, []),
    ]:
        for name in accounts.REPOSITORIES:
            repositories.tag(name, **({"environment": tags[name]} if name in tags else {}))
        result = both(control, **options)
        assert [one["name"] for one in result["repositories"] if one["state"] == "present"] == holders
        assert [name for name in ("develop", "release") if repositories.policy(name)] == holders


def test_changed_statement_needs_consent(control: Control, repositories: Repositories) -> None:
    repositories.put("release", EDITED, THEIRS)
    mark = len(control.lab.calls())
    for state in ("present", "absent"):
        result = control.module(MODULE, "owner", **SHARE, names=["*"], state=state)
        assert f"Statement {SID} in the policy of release is not one that this collection writes" in result["msg"]
    assert control.lab.writes_since(mark) == []
    assert both(control, **SHARE, names=["*"], adopt=True)["changed"]
    assert (repositories.policy("release"), repositories.policy("develop")) == (policy(OURS, THEIRS), policy(OURS))


def test_all_problems_are_found_before_the_first_write(control: Control, repositories: Repositories) -> None:
    repositories.put("release", {**THEIRS, "Action": [f"ecr:{'x' * 100}{number}" for number in range(95)]})
    mark = len(control.lab.calls())
    options = {**SHARE, "names": ["absent", "devel?p", "release", "none*"]}
    message = control.module(MODULE, "owner", **options)["msg"]
    for part in ("Repository absent does not exist", "'none*' matches none", "limit of ECR: release (10,"):
        assert part in message
    wrong = {"name": "a b", "repository_tags": {}, "exclusive": True, "state": "absent"}
    message = control.module(MODULE, "owner", **wrong)["msg"]
    for part in ("Share name 'a b' must have", "repository_tags is empty", "exclusive keeps the statement"):
        assert part in message
    consumers = [
        {"account": accounts.OWNER},
        {"account": accounts.CONSUMER, "external_id": "shared-id"},
        {"service": "lambda.amazonaws.com"},
    ]
    message = control.module(MODULE, "owner", **{**SHARE, "consumers": consumers}, names=["release"])["msg"]
    for part in ("is the owner account", "external_id has no effect", "neither source_arns nor source_accounts"):
        assert part in message
    assert control.lab.writes_since(mark) == []


def through(control: Control, writer: SecondWriter, **options: Any) -> dict[str, Any]:
    with serving(writer):
        return control.module(MODULE, "owner", endpoint_url=writer.url, **options)


@pytest.mark.parametrize("state", ["present", "absent"])
def test_statement_written_before_the_last_read_is_kept(
    control: Control, repositories: Repositories, state: str
) -> None:
    repositories.put("release", *([OURS] if state == "absent" else []), THEIRS)
    writer = SecondWriter(control.lab, {("GetRepositoryPolicy", 2): lambda: repositories.add("release", NEW)})
    result = through(control, writer, **SHARE, names=["release"], state=state)
    assert (result["code"], writer.actions) == (0, {}), result
    assert repositories.policy("release") == policy(THEIRS, NEW, *([OURS] if state == "present" else []))


def test_overwritten_statement_is_a_conflict_with_both_contents(control: Control, repositories: Repositories) -> None:
    repositories.put("release", THEIRS)
    # The reads before the plan, before the write and after the write
    writer = SecondWriter(control.lab, {("GetRepositoryPolicy", 3): lambda: repositories.put("release", THEIRS, NEW)})
    result = through(control, writer, **SHARE, names=["release"])
    assert (result["code"], result["changed"], writer.actions) == (2, True, {}), result
    message = result["failed_repositories"]["release"]
    assert message.startswith("Another program changed the policy of repository release at the same time: it lacks the")
    assert json.dumps(policy(THEIRS, OURS)) in message
    assert json.dumps(policy(THEIRS, NEW)) in message
    assert both(control, **SHARE, names=["release"])["changed"]
    assert repositories.policy("release") == policy(THEIRS, NEW, OURS)


def test_user_that_does_not_exist_is_named(control: Control, repositories: Repositories) -> None:
    consumers = [{"account": accounts.CONSUMER, "principals": ["user/nobody"]}]
    result = control.module(MODULE, "owner", **{**SHARE, "consumers": consumers}, names=["release"])
    assert "ECR rejects the policy of repository release: " in result["msg"]
    assert "Each declared user and role must exist." in result["msg"]
    assert (result["changed"], repositories.policy("release")) == (False, {})


READS = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:DescribeImages",
    "ecr:DescribeRepositories",
    "ecr:ListImages",
    "ecr:ListTagsForResource",
]
