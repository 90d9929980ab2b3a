# SPDX-License-Identifier: GPL-3.0-or-later
"""Which repositories of a region are evaluated together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_classes import Candidate, RepositoryClasses
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import (
    Estate,
    PolicyDocument,
    Registry,
    Repository,
)

from tests.unit.audited_estates import PULL, PULLER, document, estate, repository, role, trust

APP, BASE = repository("app"), repository("base")


def classes(account: Estate, *candidates: Candidate) -> list[list[str]]:
    """The names of the repositories of each class."""
    found = RepositoryClasses(account, account.registries[0], candidates).groups()
    return [[one.name for one in members] for _first, members in found]


def are_equal(*repositories: Repository, account: Estate | None = None) -> bool:
    return len(classes(account or estate(), *((one, "") for one in repositories))) == 1


@pytest.mark.parametrize(
    ("other", "equal"),
    [
        (BASE, True),
        (replace(BASE, tags={"team": "a"}), False),
        (replace(BASE, tags=None), False),
        (repository("base", document()), False),
        (replace(BASE, policy_denied="AWS denies it"), False),
        (replace(BASE, mutable_image_tags=False, archived=3), True),
    ],
)
def test_repositories_with_the_same_facts_are_one_class(other: Repository, equal: bool) -> None:
    assert are_equal(APP, other) is equal


def test_equal_policies_and_tags_are_one_class() -> None:
    policy, tags = document({"Principal": "*", "Action": PULL}), {"a": "1", "b": "2"}
    same = [Repository(name, "", name, dict(some), PolicyDocument(name, policy)) for name, some in
            (("one", tags), ("two", dict(reversed(tags.items()))))]  # fmt: skip
    assert are_equal(*same)


def test_each_repository_with_an_unknown_policy_is_a_class() -> None:
    hidden = [replace(one, policy_denied="AWS denies it") for one in (APP, BASE)]
    assert not are_equal(*hidden)


def test_classes_are_in_the_order_of_their_first_repositories() -> None:
    team = replace(repository("team"), tags={"team": "a"})
    found = RepositoryClasses(estate(), estate().registries[0], [(APP, ""), (team, ""), (BASE, "")]).groups()
    assert list(found) == [((APP, ""), [APP, BASE]), ((team, ""), [team])]


def test_repositories_of_a_template_are_not_those_that_exist() -> None:
    assert classes(estate(), (APP, ""), (BASE, "template team")) == [["app"], ["base"]]


def naming(*resources: str, element: str = "Resource") -> Estate:
    """An account with a role whose policy names resources."""
    return estate(role(document(trust(PULLER)), document({"Action": PULL, element: list(resources)})))


@pytest.mark.parametrize("element", ["Resource", "NotResource"])
@pytest.mark.parametrize(
    ("resource", "equal"),
    [
        ("*", True),
        ("arn:aws:ecr:*:*:repository/*", True),
        ("arn:aws:ecr:*:*:repository/app", False),
        ("arn:aws:ecr:*:*:repository/b*", False),
        ("*/app", False),
        ("arn:aws:s3:::app", True),
        # Policy variables may have any value, so each repository is a class.
        ("${aws:PrincipalTag/arn}", False),
        ("arn:${aws:PrincipalTag/partition}:ecr:*", False),
        ("arn:aws:${aws:PrincipalTag/service}:*", False),
        ("arn:aws:ecr:*:*:repository/${aws:PrincipalTag/team}", False),
        ("arn:aws:*:::${aws:PrincipalTag/team}", False),
        ("arn:a?s:s3:::${aws:PrincipalTag/team}", False),
        ("*:aws:s3:::${aws:PrincipalTag/team}", False),
        # These are of another service.
        ("arn:aws:s3:::${aws:username}", True),
        ("arn:aws:ecr-public::${aws:username}", True),
    ],
)
def test_resources_of_policies_divide_repositories(resource: str, element: str, equal: bool) -> None:
    assert are_equal(APP, BASE, account=naming("arn:aws:sqs:::x", resource, element=element)) is equal


def test_policies_of_other_regions_do_not_divide_repositories() -> None:
    dividing = {"Principal": "*", "Action": PULL, "Resource": "arn:aws:ecr:*:*:repository/app"}
    account = estate(registry=document(dividing))
    assert not are_equal(APP, BASE, account=account)
    (own,) = account.registries
    abroad = Registry("us-east-1", (), own.policy)
    assert are_equal(APP, BASE, account=replace(account, registries=(replace(own, policy=None), abroad)))


@pytest.mark.parametrize("policy", ["not JSON", {"Statement": [None]}, {"Statement": [{"Resource": [1, {}]}]}, {}])
def test_malformed_policies_do_not_divide_repositories(policy: Any) -> None:
    assert are_equal(APP, BASE, account=estate(registry=policy))
