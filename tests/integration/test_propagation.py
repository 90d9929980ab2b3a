# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes that are not known everywhere at once: the owner waits until they are, the consumer by doing."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._retry import CONSISTENT_READS
from botocore.exceptions import ClientError

from tests.lab import accounts, state
from tests.support.consumer_side import ONE_ATTEMPT, count, prove
from tests.support.control import REPOSITORY_ARN, Control
from tests.support.lab import Lab
from tests.support.owner_resources import Owner
from tests.support.owner_side import RELEASE, STRANGER, declared, owner, pull_role, versions
from tests.support.policies import ASSUME, READ, allow, deny, document

#: A second here is twenty on AWS, where changes take up to thirty.
SECONDS = 1.5


@contextlib.contextmanager
def propagation(lab: Lab, seed: int, seconds: float = SECONDS) -> Iterator[None]:
    """Within, changes take up to so many seconds; afterwards everything is known everywhere."""
    file = lab.folder / state.PROPAGATION
    file.write_text(json.dumps({"seed": seed, "seconds": seconds}))
    try:
        yield
    finally:
        file.unlink()


# --- the lab ---------------------------------------------------------------------------------------------------------


def responses(ask: Callable[[], Any], number: int = 40) -> list[Any]:
    """The different answers to many questions, in the order in which they came first."""
    return list(dict.fromkeys(ask() for _number in range(number)))


def until(ask: Callable[[], Any], answer: Any) -> None:
    """Wait until ten answers in a row are this one."""
    deadline, agreed = time.monotonic() + 300, 0
    while agreed < 10:
        assert time.monotonic() < deadline, ask()
        agreed = agreed + 1 if ask() == answer else 0


def test_lab_returns_a_change_late_and_then_always(lab: Lab) -> None:
    iam, ecr, sts = lab.client("owner", "iam"), lab.client("owner", "ecr"), lab.client("consumer", "sts")
    arn = f"arn:aws:iam::{accounts.OWNER}:role/slow"
    trust = document({"Effect": "Allow", "Principal": {"AWS": accounts.CONSUMER}, "Action": ASSUME})

    def allowed(call: Callable[..., Any], **arguments: str) -> bool:
        try:
            call(**arguments)
        except ClientError:
            return False
        return True

    def assumed() -> bool:
        return allowed(sts.assume_role, RoleArn=arn, RoleSessionName="slow")

    def description() -> str:
        try:
            return str(iam.get_role(RoleName="slow")["Role"].get("Description", ""))
        except iam.exceptions.NoSuchEntityException:
            return "no role"

    def tags() -> int:
        listed = ecr.list_tags_for_resource(resourceArn=REPOSITORY_ARN + "release")["tags"]
        return sum(tag["Key"] == "slow" for tag in listed)

    with propagation(lab, 1, 600):  # longer than this test: nothing becomes known
        iam.create_role(RoleName="slow", AssumeRolePolicyDocument=trust, Description="first")
        ecr.tag_resource(resourceArn=REPOSITORY_ARN + "release", tags=[{"Key": "slow", "Value": "yes"}])
        assert (responses(description), responses(assumed), responses(tags)) == (["no role"], [False], [0])
        with pytest.raises(iam.exceptions.EntityAlreadyExistsException):  # a write applies to the current state
            iam.create_role(RoleName="slow", AssumeRolePolicyDocument=trust)
    assert (responses(description), responses(assumed), responses(tags)) == (["first"], [True], [1])
    ecr.untag_resource(resourceArn=REPOSITORY_ARN + "release", tagKeys=["slow"])
    assert responses(tags) == [0]  # off: at once

    session = lab.assume("consumer", "ecr", "slow")

    def described() -> bool:
        return allowed(session.describe_images, repositoryName="release")

    policy = {"RoleName": "slow", "PolicyName": "all", "PolicyDocument": document(allow("ecr:*"))}
    with propagation(lab, 2, 600):
        iam.put_role_policy(**policy)
        assert responses(described) == [False]
    iam.delete_role_policy(RoleName="slow", PolicyName="all")
    with propagation(lab, 3, 1):
        iam.put_role_policy(**policy)
        iam.update_role(RoleName="slow", Description="second")
        iam.update_role(RoleName="slow", Description="third")
        until(description, "third")
        until(described, True)
        iam.delete_role_policy(RoleName="slow", PolicyName="all")
        iam.delete_role(RoleName="slow")
        until(description, "no role")


# --- the collection --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_owner_modules_wait_until_aws_returns_the_write(control: Control, seed: int) -> None:
    name, team = f"slow-{seed}", {"team": str(seed)}
    changed: dict[str, Any] = {"consumers": [STRANGER], "access": "pull", "tags": team, "description": "changed"}
    for module, options in (
        ("iam_ecr_pull_role", declared(name)),
        ("iam_ecr_pull_role", declared(name, **changed)),
        ("ecr_repository_tag", {"names": ["release"], "tags": team}),
        ("ecr_repository_tag", {"all_except": [], "tags": team, "state": "absent"}),
        ("iam_ecr_pull_role", {"name": name, "state": "absent"}),
    ):
        mark = len(control.lab.calls())
        with propagation(control.lab, seed, 0.5):
            result = owner(control, module, **options)
        assert (result.get("msg"), result["changed"]) == (None, True)
        if module == "iam_ecr_pull_role":  # of which so much is read that some of it is always late
            assert count(control, mark, "iam:GetPolicy") > 1 + CONSISTENT_READS
        assert owner(control, module, **options)["changed"] is False
        assert module != "iam_ecr_pull_role" or "state" in options or len(versions(control, name)) <= 2


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_removal_of_what_aws_does_not_return_yet(control: Control, seed: int) -> None:
    """The first read of a removal may return the state before the access existed. Later writes rely on the removal."""
    name, consumers = f"late-{seed}", [{"account": accounts.CONSUMER}]
    statement = {"name": name, "consumers": consumers, "region": accounts.REGION}
    for module, options in (
        ("ecr_repository_tag", {"names": ["release"], "tags": {"late": "yes"}}),
        ("ecr_repository_policy_statement", {**statement, "names": ["release"]}),
        ("ecr_repository_policy_statement", {**statement, "policy": "registry", "repository_tags": RELEASE}),
    ):
        with propagation(control.lab, seed, 0.6):
            assert owner(control, module, **options, wait=False)["changed"]
            removed = owner(control, module, **options, state="absent", wait_interval=0.5)
        assert (removed.get("msg"), removed["changed"]) == (None, True)
        assert owner(control, module, **options, state="absent")["changed"] is False


def test_the_consumer_waits_by_doing(control: Control) -> None:
    """The owner's side did not wait; each call may ask a copy that does not know the share, or a part of it, yet."""
    with propagation(control.lab, 6, 4):
        created = pull_role(control, "eager", repository_tags={"eager": "yes"}, wait=False)
        owner(control, "ecr_repository_tag", names=["release"], tags={"eager": "yes"}, wait=False)
        mark = len(control.lab.calls())
        expected: dict[str, Any] = {"readable": ["release"], "denied": ["develop"]}
        result = prove(control, created["role_arn"], wait_timeout=60, wait_interval=0.1, **expected)
        assert result["verdict"] == "pass", result
        assert count(control, mark) > ONE_ATTEMPT


def test_a_share_and_its_pull_wait_and_succeed(control: Control) -> None:
    with propagation(control.lab, 4):
        shared = control.share(ecr_share_wait_interval=0.1)
        assert shared.code == 0, shared
    with propagation(control.lab, 4, 8):  # longer than the playbook takes to begin
        owner(control, "ecr_repository_tag", names=["release"], tags=RELEASE, state="absent", wait=False)
        owner(control, "ecr_repository_tag", names=["develop"], tags=RELEASE, wait=False)
        pulled = control.pull(
            ecr_pull_repositories=["develop"],
            ecr_pull_denied=["release"],
            ecr_pull_images=["develop:v1.0"],
            ecr_pull_wait_timeout=60,
            ecr_pull_wait_interval=0.2,
            ecr_pull_engine="oci_layout",
            ecr_pull_dest=str(control.folder / "layout"),
        )
    assert pulled.code == 0, pulled
    assert (control.folder / "layout/index.json").exists()


def test_a_denial_that_no_propagation_explains_is_not_waited_for(control: Control) -> None:
    by_hand = Owner(control.lab)
    explicit, old = by_hand.role(*READ, deny("ecr:BatchGetImage")), by_hand.role(*READ[:1])
    with propagation(control.lab, 5):
        by_hand.tag("release", unrelated="change")
        for role, options in (
            (explicit, {"readable": ["release"]}),
            (explicit, {"readable": ["nowhere"]}),
            (old, {"readable": ["release"], "shared_at": "2026-01-31T12:00:00Z"}),
        ):
            mark = len(control.lab.calls())
            result = prove(control, role, wait_timeout=60, wait_interval=60, **options)
            assert (result["verdict"], count(control, mark)) == ("fail", ONE_ATTEMPT)
