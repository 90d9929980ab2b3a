# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings about the sharing tags."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_tag_setters import TagSetter

from tests.unit.estates import (
    CONSUMER,
    ON,
    OWNER,
    REGION,
    REGISTRY,
    ROLE,
    TAGGED,
    admits,
    allows,
    aws_calls,
    estate,
    findings,
    grants,
    repository,
    role,
    task_in,
    words_in,
)

ACCIDENT, CASE, NOTHING, SETTERS = (
    "shared-by-accident",
    "tag-key-case",
    "tag-shares-nothing",
    "too-many-tag-setters",
)
UNTAG = "crossaccount.ecr.ecr_repository_tag"


def share(**given: Any) -> dict[str, Any]:
    """A declared share, as in the option `shares` of `ecr_share_info`."""
    return {
        "role_name": "share",
        "repository_tags": ON,
        "repositories": ["release"],
        "consumers": [{"account": CONSUMER, "external_id": "share-1"}],
        **given,
    }


def setters(number: int, verdict: str = "allowed") -> list[TagSetter]:
    arns = [f"arn:aws:iam::{OWNER}:role/setter-{one:03}" for one in range(number)]
    return [TagSetter(arn, ("ecr:TagResource",), verdict, "", "", "") for arn in arns]


# --- shared by accident


@pytest.mark.parametrize(
    ("name", "tags", "declared", "is_found"),
    [
        ("develop", ON, [share()], True),
        ("develop", {"Environment": "release"}, [share()], True),
        ("develop", ON, [share(state="absent")], True),
        ("develop", ON, [share(regions=["us-east-1"], repositories=["*"])], True),
        ("develop", ON, [share(), share(role_name="other", repositories=["tools/*"])], True),
        ("release", ON, [share()], False),
        ("tools/build", ON, [share(repositories=["tools/*"])], False),
        ("develop", {"environment": "internal"}, [share()], False),
        ("develop", {}, [share()], False),
        ("develop", None, [share()], False),
        ("develop", ON, [], False),
    ],
)
def test_shared_by_accident(name: str, tags: dict[str, str] | None, declared: list[Any], is_found: bool) -> None:
    found = findings(estate(role(), repositories=[repository(name, tags=tags)]), ACCIDENT, declared=declared)
    assert [one.title for one in found] == (
        [f"Repository {name} has the sharing tags, but no declaration lists it"] if is_found else []
    )
    assert all((one.severity, one.region) == ("high", REGION) for one in found)


def test_repository_needs_all_sharing_tags() -> None:
    tags = {"environment": "release", "team": ["red", "blue"]}
    for own, is_found in (({**ON, "team": "blue"}, True), (ON, False), ({**ON, "team": "green"}, False)):
        account = estate(repositories=[repository("develop", tags=own)])
        assert (
            bool(findings(account, ACCIDENT, declared=[share(repository_tags={"x": "y"})], repository_tags=tags))
            is is_found
        )


def test_fix_for_an_accident_removes_only_the_sharing_tags() -> None:
    account = estate(repositories=[repository("develop", tags={"Environment": "release", "team": "red"})])
    [found] = findings(account, ACCIDENT, declared=[share()])
    assert task_in(found.fix) == (
        UNTAG,
        {"region": REGION, "names": ["develop"], "state": "absent", "tags": {"Environment": "release"}},
    )
    assert json.loads(found.evidence.text) == {"Environment": "release", "team": "red"}


# --- keys that differ in case


@pytest.mark.parametrize(
    ("tags", "keys"),
    [
        ({"Environment": "release"}, ["Environment"]),
        ({"environment": "release", "ENVIRONMENT": "internal"}, ["ENVIRONMENT"]),
        ({"environment": "release", "env": "release"}, []),
        (None, []),
    ],
)
def test_tag_keys_that_differ_in_case(tags: dict[str, str] | None, keys: list[str]) -> None:
    found = findings(estate(role(), repositories=[repository(tags=tags)]), CASE)
    assert [words_in(one.fix)[-1] for one in found] == keys
    for one in found:
        assert words_in(one.fix)[:5] == ["aws", "ecr", "untag-resource", "--region", REGION]
        assert (one.severity, one.resource) == ("medium", repository().arn)


# --- tags without effect


@pytest.mark.parametrize(
    ("account", "resources"),
    [
        (estate(role(), repositories=[repository(tags={})]), [ROLE]),
        (estate(role(), repositories=[repository(tags={"environment": "internal"})]), [ROLE]),
        (estate(repositories=[repository()]), [REGISTRY]),
        (estate(role(policy=[allows()]), repositories=[repository()]), [REGISTRY]),
        (
            estate(role(policy=[allows(condition={"StringNotEquals": {"ecr:ResourceTag/environment": "x"}})])),
            [REGISTRY],
        ),
        (estate(role(policy=[allows(condition={"StringEquals": {"ecr:ResourceTag/team": "x"}})])), [REGISTRY]),
        (estate(role()), []),
        (estate(role(policy=[allows(condition={"StringLike": {"aws:ResourceTag/Environment": "rel*"}})])), []),
        (estate(repositories=[repository("release", grants(CONSUMER, condition=TAGGED))]), []),
        (estate(registry=[grants(CONSUMER, condition=TAGGED, Resource="*")]), []),
        (estate(repositories=[repository(tags={})]), []),
        (estate(role([admits(OWNER)]), repositories=[repository(tags={})]), []),
        (estate(role(policy="not JSON")), []),
        (estate(repositories=[repository(), repository("develop", tags=None)]), []),
    ],
)
def test_tag_without_effect(account: Any, resources: list[str]) -> None:
    found = findings(account, NOTHING)
    assert [one.resource for one in found] == resources
    assert all(one.severity == "low" and "environment=release shares nothing" in one.title for one in found)


def test_fix_for_a_tag_without_repositories_deletes_the_role() -> None:
    [found] = findings(estate(role(), repositories=[]), NOTHING)
    assert task_in(found.fix) == ("amazon.aws.iam_role", {"name": "share", "state": "absent"})
    own = role(kind="managed", arn=f"arn:aws:iam::{OWNER}:role/ci/share", tags={"managed-by": "crossaccount.ecr"})
    [found] = findings(estate(own, repositories=[]), NOTHING)
    assert task_in(found.fix) == (
        "crossaccount.ecr.iam_ecr_pull_role",
        {"name": "share", "state": "absent", "path": "/ci/", "policy_name": "access"},
    )


def test_fix_for_a_tag_without_roles_removes_each_value() -> None:
    tagged = [repository("one"), repository("two", tags={"environment": "stable"}), repository("three")]
    [found] = findings(estate(repositories=tagged), NOTHING, repository_tags={"environment": ["release", "stable"]})
    first, second = (task[UNTAG] for task in yaml.safe_load(found.fix))
    assert (first["names"], first["tags"]) == (["one", "three"], {"environment": "release"})
    assert (second["names"], second["tags"]) == (["two"], {"environment": "stable"})
    assert found.title == "The tag environment=release or stable shares nothing: no role requires it"


# --- tag setters


@pytest.mark.parametrize(
    ("found", "limit", "is_found"),
    [
        (setters(11), 10, True),
        (setters(10), 10, False),
        (setters(3), 2, True),
        (setters(1), 0, True),
        (setters(11, "unknown"), 10, True),
        (setters(11, "denied"), 10, False),
        ([*setters(10), *setters(5)], 10, False),
    ],
)
def test_number_of_tag_setters(found: list[TagSetter], limit: int, is_found: bool) -> None:
    assert bool(findings(estate(role()), SETTERS, found, tag_setters_max=limit)) is is_found


def test_tag_setters_without_sharing_tags_are_not_counted() -> None:
    assert findings(estate(role()), SETTERS, setters(11), repository_tags={}) == []


def test_fix_for_too_many_tag_setters_has_three_policies() -> None:
    tags = {"environment": ["release", "stable"], "team": "red"}
    [found] = findings(estate(role()), SETTERS, setters(3), tag_setters_max=2, repository_tags=tags)
    assert (found.severity, found.key) == ("medium", f"{SETTERS}:arn:aws:iam::{OWNER}:root")
    assert found.title == "3 principals may set the sharing tags; the limit is 2"
    policy, attach, *organization = aws_calls(found.fix, "p-1234")
    first, _spelling, second, _other_spelling, templates = json.loads(policy[-1])["Statement"]
    assert first == {
        "Effect": "Deny",
        "Action": ["ecr:CreateRepository", "ecr:TagResource"],
        "Resource": f"arn:aws:ecr:*:{OWNER}:repository/*",
        "Condition": {"StringEquals": {"aws:RequestTag/environment": ["release", "stable"]}},
    }
    assert second["Condition"] == {"StringEquals": {"aws:RequestTag/team": "red"}}
    assert templates["Action"] == ["ecr:CreateRepositoryCreationTemplate", "ecr:UpdateRepositoryCreationTemplate"]
    arn = f"arn:aws:iam::{OWNER}:policy/deny_setting_sharing_tag"
    assert attach == ["iam", "attach-role-policy", "--role-name", "setter-002", "--policy-arn", arn]
    allowed = {"ArnNotLike": {"aws:PrincipalArn": [setter.principal for setter in setters(2)]}}
    for number, kind, principal in ((0, "SERVICE", None), (2, "RESOURCE", "*")):
        created, attached = organization[number : number + 2]
        assert created[:4] == ["organizations", "create-policy", "--type", f"{kind}_CONTROL_POLICY"]
        assert attached == ["organizations", "attach-policy", "--target-id", OWNER, "--policy-id", "p-1234"]
        for statement in json.loads(created[created.index("--content") + 1])["Statement"]:
            assert (statement["Effect"], statement.get("Principal")) == ("Deny", principal)
            assert statement["Condition"].items() >= allowed.items()
    assert "inside and outside the organization" in found.fix
