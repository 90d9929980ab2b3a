# SPDX-License-Identifier: GPL-3.0-or-later
"""The declaration of the statement of a share in the policies of repositories, or of the registry."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._access_statement import sid_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._consumers import Consumer
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_declaration import AccessDeclaration

OWNER, REGION = Identity("aws", "111111111111"), "eu-west-1"
TAGS = {"environment": ("release", "test")}
EITHER = "Set either names or repository_tags, to select the repositories."
REGISTRY = "policy: registry needs repository_tags, and excludes names and exclusive,"
PARAMETERS = {
    "name": "share",
    "names": ["release"],
    "repository_tags": None,
    "exclusive": False,
    "consumers": [{"account": "222222222222"}],
    "access": "pull",
    "adopt": True,
    "state": "present",
    "policy": "repositories",
}


def declared(**changes: Any) -> AccessDeclaration:
    return AccessDeclaration("share", **{"consumers": (Consumer("222222222222"),), **changes})


def test_declaration_has_the_parameters_of_the_module() -> None:
    consumers = (Consumer("222222222222"),)
    assert AccessDeclaration.of(PARAMETERS) == AccessDeclaration(
        "share", ("release",), None, (), False, consumers, "pull", True, True, False
    )
    other = {"names": None, "repository_tags": {"a": "b"}, "exclusive": True, "consumers": None, "adopt": False}
    assert AccessDeclaration.of({**PARAMETERS, **other, "state": "absent", "policy": "registry"}) == AccessDeclaration(
        "share", (), {"a": ("b",)}, (), True, (), "pull", False, False, True
    )


def test_problems_with_tags_are_found_in_the_parameters() -> None:
    assert AccessDeclaration.of({**PARAMETERS, "repository_tags": {}}).tag_problems
    assert not AccessDeclaration.of({**PARAMETERS, "repository_tags": {"a": "b"}}).tag_problems


def test_statement_of_the_share_has_its_sid() -> None:
    assert [declared().is_own(sid) for sid in (declared().sid, "other")] == [True, False]
    assert declared().sid == sid_of("share")


@pytest.mark.parametrize(
    ("changes", "lists_all"),
    [
        ({"names": ("release",)}, False),
        ({"names": ("release", "tools/*")}, True),
        ({"names": ("release",), "is_exclusive": True}, True),
        ({"tags": TAGS}, False),
    ],
)
def test_names_of_all_repositories_are_requested(changes: dict[str, Any], lists_all: bool) -> None:
    assert declared(**changes).lists_all is lists_all


@pytest.mark.parametrize(
    ("changes", "starts"),
    [
        ({"names": ("release", "tools/*")}, []),
        ({"tags": TAGS}, []),
        ({"tags": TAGS, "is_exclusive": True}, []),
        ({}, [EITHER]),
        ({"names": ("release",), "tags": TAGS}, [EITHER]),
        ({"names": ("Release",)}, ["'Release' is not a repository name."]),
        ({"tags": TAGS, "tag_problems": ("invalid",)}, ["invalid"]),
        ({"names": ("release",), "is_exclusive": True, "is_present": False}, ["exclusive keeps the statement"]),
        ({"tags": TAGS, "in_registry": True}, []),
        ({"tags": TAGS, "in_registry": True, "tag_problems": ("invalid",)}, ["invalid"]),
        ({"in_registry": True, "is_present": False}, []),
        ({"in_registry": True}, [REGISTRY]),
        ({"tags": TAGS, "in_registry": True, "names": ("release",)}, [REGISTRY]),
        ({"tags": TAGS, "in_registry": True, "is_exclusive": True}, [REGISTRY]),
    ],
)
def test_selection_of_repositories_is_checked(changes: dict[str, Any], starts: list[str]) -> None:
    problems = list(declared(**changes).problems())
    assert [problem[: len(start)] for problem, start in zip(problems, starts)] == starts
    assert len(problems) == len(starts)


def test_name_of_the_share_is_checked() -> None:
    (problem,) = AccessDeclaration("a b", ("release",)).problems()
    assert problem.startswith("Share name 'a b' must have")


@pytest.mark.parametrize(
    ("consumers", "part"),
    [
        ((), "consumers"),
        ((Consumer(OWNER.account),), OWNER.account),
        ((Consumer("222222222222", external_id="abc"),), "external_id"),
    ],
)
def test_consumers_are_checked_in_the_account(consumers: tuple[Consumer, ...], part: str) -> None:
    assert list(declared().problems_in(OWNER)) == []
    assert part in " ".join(declared(consumers=consumers).problems_in(OWNER))
    assert list(declared(consumers=consumers, is_present=False).problems_in(OWNER)) == []


@pytest.mark.parametrize("partition", ["aws", "aws-cn"])
@pytest.mark.parametrize("notation", ["2222-2222-2222", " 222222222222\n", "arn:{}:iam::222222222222:root"])
def test_notations_of_an_account_are_those_of_a_role(notation: str, partition: str) -> None:
    """An account with its users, and an account for which a service acts."""
    owner, account = Identity(partition, OWNER.account), notation.format(partition)
    principals = ("role/ci", f"arn:{partition}:iam::222222222222:user/a")
    service = Consumer(service="lambda.amazonaws.com", source_accounts=(account, "222222222222"))
    other = declared(consumers=(Consumer(account, principals), service))
    digits = Consumer("222222222222", principals), replace(service, source_accounts=("222222222222",))
    assert list(other.problems_in(owner)) == []
    assert other.statements(owner, REGION) == declared(consumers=digits).statements(owner, REGION)


@pytest.mark.parametrize("notation", ["1111-1111-1111", f" {OWNER.account} ", OWNER.root])
def test_owner_account_is_found_in_each_notation(notation: str) -> None:
    (problem,) = declared(consumers=(Consumer(notation),)).problems_in(OWNER)
    assert problem.startswith(f"Consumer {OWNER.account} is the owner account.")


@pytest.mark.parametrize(
    "notation", ["arn:aws-cn:iam::222222222222:root", "arn:aws:iam::222222222222:role/ci", "2222-22222222", ""]
)
def test_other_notation_of_an_account_is_a_problem(notation: str) -> None:
    service = Consumer(service="lambda.amazonaws.com", source_accounts=(notation,))
    for consumer in (Consumer(notation), service):
        (problem,) = declared(consumers=(consumer,)).problems_in(OWNER)
        assert f"{notation!r} is not an AWS account ID of 12 digits." in problem


def test_statement_in_the_registry_has_the_tags() -> None:
    (registry,) = declared(tags=TAGS, in_registry=True).statements(OWNER, "eu-west-1")
    assert registry["Resource"] in (OWNER.repository("eu-west-1", "*"), [OWNER.repository("eu-west-1", "*")])
    assert registry["Condition"]["StringEquals"] == {"ecr:ResourceTag/environment": ["release", "test"]}
    (own,) = declared(tags=TAGS).statements(OWNER, "eu-west-1")
    assert ("Resource" in own, "Condition" in own) == (False, False)
    assert declared(tags=TAGS, is_present=False).statements(OWNER, "eu-west-1") == []


def test_consumers_have_the_partition_of_the_owner() -> None:
    (statement,) = declared(names=("release",)).statements(Identity("aws-cn", "111111111111"), "cn-north-1")
    assert statement["Principal"] == {"AWS": "arn:aws-cn:iam::222222222222:root"}
