# SPDX-License-Identifier: GPL-3.0-or-later
"""Session tags and source identities need permissions of the caller and of the trust policy, even in a role chain."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.lab import Lab

from . import accounts
from .clients import Account, allow, denial, document, refusal, trust

ASSUME, TAG, IDENTIFY = "sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"
TAGS: dict[str, Any] = {"Tags": [{"Key": "team", "Value": "platform"}]}
TRANSITIVE: dict[str, Any] = {**TAGS, "TransitiveTagKeys": ["team"]}
IDENTITY: dict[str, Any] = {"SourceIdentity": "alice"}
PULLER = f"arn:aws:iam::{accounts.CONSUMER}:user/puller"


@pytest.fixture(scope="module")
def owner(lab: Lab) -> Account:
    return Account(lab)


@pytest.fixture(scope="module")
def consumer(lab: Lab) -> Account:
    return Account(lab, "consumer-administrator")


def refused(call: Any, role: str, **options: Any) -> str:
    """The sentence of a denial; empty if the role can be assumed."""
    code, sentence = refusal(call, RoleArn=role, RoleSessionName="any", **options)
    assert code in ("", "AccessDenied")
    return sentence


def not_authorized(user: str, action: str, role: str) -> str:
    return f"User: {user} is not authorized to perform: {action} on resource: {role}"


def session_of(lab: Lab, keys: dict[str, str]) -> Any:
    """A boto3 session with the credentials that STS returned."""
    return lab.session(
        "consumer",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


@pytest.mark.parametrize(("options", "action"), [(TAGS, TAG), (IDENTITY, IDENTIFY)], ids=["tags", "identity"])
def test_trust_policy_has_to_allow_it(lab: Lab, owner: Account, options: dict[str, Any], action: str) -> None:
    sts = lab.client("consumer", "sts")
    plain = owner.role(trust(accounts.CONSUMER), allow("*"))
    assert not refused(sts.assume_role, plain)
    assert refused(sts.assume_role, plain, **options) == not_authorized(PULLER, action, plain)
    tagging = owner.role(trust(accounts.CONSUMER, actions=(ASSUME, action)), allow("*"))
    assert not refused(sts.assume_role, tagging, **options)
    only = owner.role(trust(accounts.CONSUMER, actions=(action,)), allow("*"))
    assert refused(sts.assume_role, only, **options) == not_authorized(PULLER, ASSUME, only)


@pytest.mark.parametrize(("options", "action"), [(TAGS, TAG), (IDENTITY, IDENTIFY)], ids=["tags", "identity"])
def test_policies_of_the_caller_have_to_allow_it(
    owner: Account, consumer: Account, options: dict[str, Any], action: str
) -> None:
    role = owner.role(trust(accounts.CONSUMER, actions=(ASSUME, TAG, IDENTIFY)), allow("*"))
    arguments = {"RoleArn": role, "RoleSessionName": "any"}
    limited = consumer.user("sts", allow(ASSUME))
    assert not denial(limited.assume_role, **arguments)
    expected = f"because no identity-based policy allows the {action} action"
    assert denial(limited.assume_role, **arguments, **options) == expected
    assert not denial(consumer.user("sts", allow(ASSUME, action)).assume_role, **arguments, **options)


def test_condition_on_a_tag_of_the_request_decides(owner: Account, consumer: Account) -> None:
    role = owner.role(trust(accounts.CONSUMER, actions=(ASSUME, TAG)), allow("*"))
    condition = {"Condition": {"StringEquals": {"aws:RequestTag/team": "platform"}}}
    sts = consumer.user("sts", allow(ASSUME), allow(TAG, **condition))
    arguments = {"RoleArn": role, "RoleSessionName": "any"}
    assert not denial(sts.assume_role, **arguments, **TAGS)
    assert denial(sts.assume_role, **arguments, Tags=[{"Key": "team", "Value": "other"}])


@pytest.mark.parametrize("inherited", [True, False])
def test_transitive_tags_need_the_permission_of_the_next_role(lab: Lab, owner: Account, inherited: bool) -> None:
    everything = trust(accounts.CONSUMER, accounts.OWNER, actions=(ASSUME, TAG))
    first, second = owner.role(everything, allow("*")), owner.role(trust(accounts.OWNER), allow("*"))
    tagged = owner.role(everything, allow("*", Condition={"StringEquals": {"aws:PrincipalTag/team": "platform"}}))
    arguments = {"RoleArn": first, "RoleSessionName": "any", **(TRANSITIVE if inherited else TAGS)}
    keys = lab.client("consumer", "sts").assume_role(**arguments)["Credentials"]
    sts = session_of(lab, keys).client("sts")
    user = f"arn:aws:sts::{accounts.OWNER}:assumed-role/{first.rpartition('/')[2]}/any"
    expected = not_authorized(user, TAG, second) if inherited else ""
    assert refused(sts.assume_role, second) == expected
    keys = sts.assume_role(RoleArn=tagged, RoleSessionName="any")["Credentials"]
    assert bool(denial(session_of(lab, keys).client("ecr").describe_repositories)) != inherited


def test_source_identity_passes_down_the_chain(lab: Lab, owner: Account) -> None:
    everything = trust(accounts.CONSUMER, accounts.OWNER, actions=(ASSUME, IDENTIFY))
    first, second = owner.role(everything, allow("*")), owner.role(trust(accounts.OWNER), allow("*"))
    alice = {"Condition": {"StringEquals": {"aws:SourceIdentity": "alice"}}}
    third = owner.role(everything, allow("*", **alice))
    reply = lab.client("consumer", "sts").assume_role(RoleArn=first, RoleSessionName="any", **IDENTITY)
    assert reply["SourceIdentity"] == "alice"
    sts = session_of(lab, reply["Credentials"]).client("sts")
    user = f"arn:aws:sts::{accounts.OWNER}:assumed-role/{first.rpartition('/')[2]}/any"
    assert refused(sts.assume_role, second) == not_authorized(user, IDENTIFY, second)
    reply = sts.assume_role(RoleArn=third, RoleSessionName="any")
    assert reply["SourceIdentity"] == "alice"
    assert not denial(session_of(lab, reply["Credentials"]).client("ecr").describe_repositories)


def test_source_identity_is_a_condition_key_of_the_trust_policy(lab: Lab, owner: Account) -> None:
    alice = {"Condition": {"StringEquals": {"sts:SourceIdentity": "alice"}}}
    statement = {**allow(ASSUME, IDENTIFY, **alice), "Principal": {"AWS": accounts.CONSUMER}}
    del statement["Resource"]
    role = owner.role(document(statement), allow("*"))
    sts = lab.client("consumer", "sts")
    assert not refused(sts.assume_role, role, SourceIdentity="alice")
    for options in ({}, {"SourceIdentity": "mallory"}):
        assert refused(sts.assume_role, role, **options) == not_authorized(PULLER, ASSUME, role)
