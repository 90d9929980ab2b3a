# SPDX-License-Identifier: GPL-3.0-or-later
"""The requests that the permissions policy allows, and the principals that the trust policy allows."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _policy
from ansible_collections.crossaccount.ecr.plugins.module_utils._consumer_problems import consumers_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._consumers import consumer_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.authority import Caller, assumes, reads
from tests.unit.roles import (
    ACCOUNTS,
    CONSUMER,
    EXTERNAL_IDS,
    IDENTITY,
    LOWER_UNIT,
    NAMES,
    OTHER_UNIT,
    OWNER,
    STRANGER,
    UNIT,
    consumers,
)

PULL = {"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}
READ = PULL | {
    "ecr:BatchCheckLayerAvailability",
    "ecr:DescribeImages",
    "ecr:DescribeRepositories",
    "ecr:ListImages",
    "ecr:ListTagsForResource",
}
NEVER = {
    "ecr:PutImage",
    "ecr:BatchDeleteImage",
    "ecr:DeleteRepository",
    "ecr:TagResource",
    "ecr:UntagResource",
    "ecr:SetRepositoryPolicy",
    "ecr:GetRepositoryPolicy",
    "ecr:GetRegistryPolicy",
    "ecr:DescribeRegistry",
    "ecr:CreateRepository",
    "iam:PassRole",
}
TOKEN = "ecr:GetAuthorizationToken"
texts = st.text(alphabet="abAB1 .:/=+@_-éリ", max_size=5)
keys = st.text(alphabet="abAB1 .:/=+@_-éリ", min_size=1, max_size=5).filter(lambda key: not key.startswith("aws:"))


@st.composite
def declarations(draw: st.DrawFn) -> dict[str, Any]:
    """Valid `repository_tags`: a value is a string or a list of them."""
    chosen = draw(st.lists(keys, min_size=1, max_size=3, unique_by=str.lower))
    return {key: draw(texts | st.lists(texts, min_size=1, max_size=3)) for key in chosen}


@st.composite
def tag_sets(draw: st.DrawFn, declared: dict[str, Any]) -> dict[str, str]:
    """Tags that come near to what is declared: some keys missing, some values wrong, others added."""
    tags = {}
    for key, value in declared.items():
        near = st.sampled_from(value if isinstance(value, list) else [value])
        actual = draw(st.none() | near | near | texts | near.map(str.swapcase))
        if actual is not None:
            tags[key] = actual
    known = {key.lower() for key in declared}
    tags.update(draw(st.dictionaries(keys.filter(lambda key: key.lower() not in known), texts, max_size=2)))
    return tags


@given(st.data(), st.sampled_from(["pull", "read"]), st.sampled_from(["ecr", "aws"]))
def test_permissions_allow_exactly_the_declared_pairs(data: st.DataObject, access: str, condition_key: str) -> None:
    declared = data.draw(declarations())
    assert list(_policy.repository_tags_problems(declared)) == []
    tags_of = _policy.repository_tags_of(declared)
    document = _policy.permissions_document(IDENTITY, tags_of, access, condition_key)
    tags = data.draw(tag_sets(declared))
    matches = all(
        key in tags and tags[key] in (value if isinstance(value, list) else [value]) for key, value in declared.items()
    )
    arn = f"arn:aws:ecr:eu-west-1:{OWNER}:repository/team/app"
    for action in READ | NEVER:
        expected = matches and action in (PULL if access == "pull" else READ)
        assert reads(document, action, arn, tags) is expected
        assert not reads(document, action, arn, {}), "an untagged repository is open"
        assert not reads(document, action, arn.replace(OWNER, STRANGER), tags), "of another account"
        assert not reads(document, action, "*", tags), "without a resource"
    assert reads(document, TOKEN, "*", {})


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_permissions_in_full(partition: str) -> None:
    tags: dict[str, tuple[str, ...]] = {"environment": ("release", "hotfix"), "team": ("a",)}
    owner = Identity(partition, OWNER)
    document = _policy.permissions_document(owner, tags, "pull", "aws", ["eu-west-1", "ap-northeast-1"])
    assert document == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ReadTaggedRepositories",
                "Effect": "Allow",
                "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                "Resource": [
                    f"arn:{partition}:ecr:ap-northeast-1:{OWNER}:repository/*",
                    f"arn:{partition}:ecr:eu-west-1:{OWNER}:repository/*",
                ],
                "Condition": {
                    "StringEquals": {
                        "aws:ResourceTag/environment": ["hotfix", "release"],
                        "aws:ResourceTag/team": "a",
                    }
                },
            },
            {"Sid": "GetToken", "Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        ],
    }


@pytest.mark.parametrize(
    ("regions", "region", "allowed"),
    [([], "eu-west-1", True), (["eu-west-1"], "eu-west-1", True), (["eu-west-1"], "eu-west-2", False)],
)
def test_regions(regions: list[str], region: str, allowed: bool) -> None:
    document = _policy.permissions_document(IDENTITY, {"share": ("yes",)}, regions=regions)
    arn = f"arn:aws:ecr:{region}:{OWNER}:repository/app"
    assert reads(document, "ecr:BatchGetImage", arn, {"share": "yes"}) is allowed


#: Where the caller's account is in its organization (in a unit, below it, in another one, in the root), whether the
#: caller has MFA, and whether the session is to have tags.
SITUATIONS = list(
    itertools.product([None, UNIT, LOWER_UNIT, OTHER_UNIT, "o-aaaaaaaaaa/r-ab12"], [False, True], [False, True])
)


def declared_for(consumer: dict[str, Any], caller: Caller) -> bool:
    name = caller.arn.rpartition(f"{caller.account}:")[2]
    principals, units = consumer.get("principals"), consumer["organization_units"]
    return (
        consumer.get("account") in (None, caller.account)
        and (not principals or any(principal in (name, caller.arn) for principal in principals))
        and consumer["external_id"] in (None, caller.external_id)
        and consumer["organization_id"] in (None, caller.organization)
        and (units is None or any((caller.path or "").startswith(f"{unit}/") for unit in units))
        and (consumer["session_tags"] or not caller.tagged)
        and (caller.mfa or not consumer["require_mfa"])
    )


@given(st.data(), st.sampled_from(["aws", "aws-cn", "aws-us-gov"]))
def test_trust_lets_in_exactly_the_declared_callers(data: st.DataObject, partition: str) -> None:
    declared = data.draw(st.lists(consumers(partition), min_size=1, max_size=3))
    document = _policy.trust_document(partition, map(consumer_of, declared))
    assert len(document["Statement"]) == len(declared)
    for account in ACCOUNTS:
        for name in NAMES:
            for external_id in [None, *EXTERNAL_IDS]:
                for place, mfa, tagged in SITUATIONS:
                    arn = f"arn:{partition}:iam::{account}:{name}"
                    organization, path = (place[:12], f"{place}/") if place else (None, None)
                    caller = Caller(arn, external_id, organization, mfa, path, tagged)
                    expected = any(declared_for(item, caller) for item in declared)
                    assert assumes(document, caller) is expected


def test_trust_in_full() -> None:
    declared: list[dict[str, Any]] = [
        {"account": CONSUMER, "principals": ["user/puller"], "external_id": "id-one"},
        {
            "account": STRANGER,
            "principals": ["role/b", "role/a"],
            "external_id": "id-two",
            "principal_match": "condition",
            "organization_id": "o-aaaaaaaaaa",
            "require_mfa": True,
        },
        {"account": CONSUMER, "allow_no_external_id": True},
        {
            "organization_id": "o-aaaaaaaaaa",
            "organization_units": [UNIT],
            "external_id": "id-three",
            "session_tags": True,
        },
        {"account": CONSUMER, "organization_id": "o-aaaaaaaaaa", "organization_units": [OTHER_UNIT, LOWER_UNIT]},
    ]
    named = [consumer_of(item) for item in declared]
    assert list(consumers_problems(named[:-1], "aws")) == []
    document = _policy.trust_document("aws", named)
    assert document == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{CONSUMER}:user/puller"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": "id-one"}},
            },
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{STRANGER}:root"},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": {"sts:ExternalId": "id-two", "aws:PrincipalOrgID": "o-aaaaaaaaaa"},
                    "Bool": {"aws:MultiFactorAuthPresent": "true"},
                    "ArnEquals": {
                        "aws:PrincipalArn": [f"arn:aws:iam::{STRANGER}:role/a", f"arn:aws:iam::{STRANGER}:role/b"]
                    },
                },
            },
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{CONSUMER}:root"}, "Action": "sts:AssumeRole"},
            {
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": ["sts:AssumeRole", "sts:TagSession"],
                "Condition": {
                    "StringEquals": {"sts:ExternalId": "id-three", "aws:PrincipalOrgID": "o-aaaaaaaaaa"},
                    "ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{UNIT}/*"},
                },
            },
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{CONSUMER}:root"},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": {"aws:PrincipalOrgID": "o-aaaaaaaaaa"},
                    "ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": [f"{LOWER_UNIT}/*", f"{OTHER_UNIT}/*"]},
                },
            },
        ],
    }


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"share": "yes", "team": ["a", "b"]}, []),
        ({"share": ""}, []),
        (
            {},
            [
                "repository_tags is empty. Without a tag, the role would reach every repository or none. Set at"
                " least one tag."
            ],
        ),
        ({"share": []}, ["repository_tags: share has an empty list of values. Set at least one value, or omit share."]),
        ({"share": True}, ["repository_tags: the value of share must be a string; True is not. Quote it."]),
        ({"share": None}, ["repository_tags: the value of share must be a string; None is not. Quote it."]),
        ({"share": ["a", 1]}, ["repository_tags: the value of share must be a string; 1 is not. Quote it."]),
        (
            {"share": [{"a": 1}, {"b": 2}]},
            [
                "repository_tags: the value of share must be a string; {'a': 1} is not. Quote it.",
                "repository_tags: the value of share must be a string; {'b': 2} is not. Quote it.",
            ],
        ),
        (
            {"share": "*"},
            [
                "repository_tags: tag value '*' has a character that ECR does not accept. Valid are letters, digits,"
                " spaces and +-=._:/@"
            ],
        ),
        (
            {"share": "a", "Share": "b"},
            [
                "repository_tags: share is declared in several spellings. IAM ignores the case of a tag key. Keep"
                " one spelling.",
                "repository_tags: Share is declared in several spellings. IAM ignores the case of a tag key. Keep"
                " one spelling.",
            ],
        ),
    ],
)
def test_repository_tags(declared: dict[str, Any], expected: list[str]) -> None:
    assert list(_policy.repository_tags_problems(declared)) == expected
    tags = _policy.repository_tags_of(declared)
    assert list(tags) == list(declared)
    _policy.permissions_document(IDENTITY, tags)  # is made before the problems are reported


def test_repository_tags_are_alternatives() -> None:
    assert _policy.repository_tags_of({"a": "b", "c": ["d", "e"]}) == {"a": ("b",), "c": ("d", "e")}
