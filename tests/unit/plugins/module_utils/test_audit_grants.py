# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions that a statement allows to principals outside an account."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_documents import audited
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_grants import effective_actions, outside_grants
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_options import AuditOptions
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Estate, PolicyDocument

from tests.unit.estates import (
    CONSUMER,
    OTHER,
    OWNER,
    ROLE,
    TAGGED,
    admits,
    allows,
    days,
    document,
    estate,
    grants,
    repository,
    role,
    time_text,
)

PUT, CREATE, POLICY = "ecr:PutImage", "ecr:CreateRepository", "ecr:PutRegistryPolicy"
ALL = (PUT, CREATE, POLICY)
UNTAGGED = {"Null": {"ecr:ResourceTag/environment": "true"}}
ENDED = {"DateLessThan": {"aws:CurrentTime": time_text(days(-1))}}


def allowed(account: Estate, untagged: bool = False) -> list[list[str]]:
    """The effective actions of `ALL` of each grant."""
    found = outside_grants(audited(account), AuditOptions())
    return [effective_actions(grant, ALL, untagged) for grant in found]


def deny(actions: Any = "*", condition: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {**allows(actions, condition), "Effect": "Deny", **more}


@pytest.mark.parametrize(
    ("policy", "actions"),
    [
        ([allows("ecr:*")], [*ALL]),
        ([allows("ecr:*", TAGGED)], [PUT]),
        ([{**allows("ecr:*"), "Resource": "arn:aws:ecr:*:*:repository/*"}], [PUT, CREATE]),
        ([{"Action": "ecr:*", "NotResource": "arn:aws:ecr:*:*:repository/a"}], [*ALL]),
        ([{"NotAction": "ecr:Put*", "Resource": "*"}], [CREATE]),
        ([allows("ecr:*"), deny(PUT)], [CREATE, POLICY]),
        ([allows("ecr:*"), deny("ecr:Put*")], [CREATE]),
        ([allows("ecr:*"), deny(Resource="arn:aws:ecr:*:*:repository/a")], [*ALL]),
        ([allows("ecr:*"), deny(condition=UNTAGGED)], [*ALL]),
    ],
)
def test_actions_that_a_role_allows(policy: list[dict[str, Any]], actions: list[str]) -> None:
    assert allowed(estate(role(policy=policy))) == [actions]


@pytest.mark.parametrize(
    ("condition", "actions"),
    [
        (UNTAGGED, []),
        (None, []),
        (TAGGED, [*ALL]),
        ({**UNTAGGED, "Bool": {"aws:SecureTransport": "true"}}, [*ALL]),
    ],
)
def test_deny_for_untagged_repositories(condition: dict[str, Any] | None, actions: list[str]) -> None:
    assert allowed(estate(role(policy=[allows("ecr:*"), deny(condition=condition)])), untagged=True) == [actions]


@pytest.mark.parametrize(
    ("boundary", "actions"),
    [
        (document(allows(PUT)), [PUT]),
        (document(allows("ecr:*"), deny(PUT)), [CREATE, POLICY]),
        (document(allows("s3:*")), []),
        ("not JSON", [*ALL]),
    ],
)
def test_boundary_limits_the_actions(boundary: Any, actions: list[str]) -> None:
    limit = PolicyDocument("permissions boundary", boundary)
    assert allowed(estate(role(policy=[allows("ecr:*")], boundary=limit))) == [actions]


@pytest.mark.parametrize(
    ("others", "actions"),
    [
        ([], [PUT]),
        ([{**grants("*", PUT), "Effect": "Deny"}], []),
        ([{**grants(OTHER, PUT), "Effect": "Deny"}], [PUT]),
        ([{"NotPrincipal": {"AWS": "*"}, "Action": PUT, "Effect": "Deny"}], [PUT]),
    ],
)
def test_actions_that_a_repository_policy_allows(others: list[dict[str, Any]], actions: list[str]) -> None:
    assert allowed(estate(repositories=[repository("release", grants(CONSUMER, "ecr:*"), *others)])) == [actions]


def test_registry_policy_allows_all_actions() -> None:
    assert allowed(estate(registry=[grants(CONSUMER, "ecr:*")])) == [[*ALL]]
    assert allowed(estate(registry=[grants(CONSUMER, "ecr:*", Resource="*")])) == [[*ALL]]
    in_repositories = grants(CONSUMER, "ecr:*", Resource="arn:aws:ecr:*:*:repository/*")
    assert allowed(estate(registry=[in_repositories])) == [[PUT, CREATE]]


def test_grants_of_a_role_have_the_parties_of_its_trust_policy() -> None:
    account = estate(role([admits(CONSUMER), admits(OTHER), admits(OWNER)], [allows(PUT), allows(CREATE)]))
    found = list(outside_grants(audited(account), AuditOptions()))
    assert [[party.value for party in grant.parties] for grant in found] == [[CONSUMER, OTHER]] * 2
    assert {grant.role.arn for grant in found if grant.role} == {ROLE}


@pytest.mark.parametrize(
    "account",
    [
        estate(role(policy=[allows(PUT, ENDED)])),
        estate(repositories=[repository("release", grants(CONSUMER, PUT, ENDED))]),
    ],
)
def test_ended_statements_are_grants_only_if_requested(account: Estate) -> None:
    assert list(outside_grants(audited(account), AuditOptions())) == []
    assert len(list(outside_grants(audited(account), AuditOptions(), with_ended=True))) == 1


def test_role_whose_trust_has_ended_has_no_grants() -> None:
    account = audited(estate(role([admits(CONSUMER, ENDED)], [allows(PUT)])))
    assert list(outside_grants(account, AuditOptions(), with_ended=True)) == []
