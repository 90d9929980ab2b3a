# SPDX-License-Identifier: GPL-3.0-or-later
"""Access through copies of repositories: replication, pull through caches, and templates of future repositories."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_access import audit_access
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_copies import (
    attempts_for,
    future_repositories,
    recipients,
    replication_into,
    unseen_copies,
    unseen_repositories,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_policies import REGISTRY_POLICY
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_principals import (
    Outsider,
    account_outsider,
    everyone,
    outsiders,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_rows import Attempt, Path, unknown_attempt
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_target import Target
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import (
    CacheRule,
    CreationTemplate,
    Estate,
    PolicyDocument,
    Registry,
    ReplicationRule,
    Unseen,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import Layer, layer_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import Principal
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import read_statements

from tests.unit.audited_estates import (
    CONSUMER,
    OTHER,
    OWNER,
    PULL,
    PULLER,
    REGION,
    document,
    estate,
    repository,
    role,
    root,
    rows_of,
    trust,
)

RELEASE = repository("release")
ABROAD, THERE = "us-east-1", "us-west-2"
HUB = "registry-1.docker.io"
ALLOWED = ("allowed", "")


def copied(number: int, *regions: str) -> Attempt:
    """The access to the copies of a replication rule."""
    document_of_it = f"rule {number} of the replication configuration"
    conditions = tuple(f"a copy in {region}" for region in regions)
    path = Path("replication", ("describe", "pull"), document_of_it, "", conditions)
    return Attempt({"describe": ALLOWED, "pull": ALLOWED}, (path,))


def through_copies(account: Estate, name: str = "release", outsider: Outsider | None = None) -> list[Attempt]:
    return attempts_for(account, outsider or account_outsider(CONSUMER, account), repository(name))


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([ReplicationRule(((CONSUMER, ABROAD),), ())], [copied(1, ABROAD)]),
        ([ReplicationRule(((CONSUMER, ABROAD), (OTHER, ABROAD), (CONSUMER, THERE)), ())], [copied(1, ABROAD, THERE)]),
        ([ReplicationRule(((OTHER, ABROAD),), ())], []),
        ([ReplicationRule(((CONSUMER, ABROAD),), ("dev", "rel"))], [copied(1, ABROAD)]),
        ([ReplicationRule(((CONSUMER, ABROAD),), ("dev",))], []),
        ([ReplicationRule(((CONSUMER, ABROAD),), ("release2",))], []),
        (
            [ReplicationRule(((CONSUMER, ABROAD),), ()), ReplicationRule(((CONSUMER, THERE),), ())],
            [copied(1, ABROAD), copied(2, THERE)],
        ),
    ],
)
def test_copies_of_replication_rules(rules: list[ReplicationRule], expected: list[Attempt]) -> None:
    account = estate(repositories=(RELEASE,), replication=tuple(rules))
    assert through_copies(account) == expected
    assert through_copies(account, outsider=Outsider("x", "service", Principal("Service", "x", CONSUMER))) == []


@pytest.mark.parametrize(
    ("prefix", "name", "is_pushed"),
    [("hub", "hub/nginx", True), ("hub/", "hub/nginx", True), ("hub", "hubs/nginx", False), ("hub", "hub", False)],
)
def test_caches_push_to_the_repositories_of_their_prefix(prefix: str, name: str, is_pushed: bool) -> None:
    account = estate(cache_rules=(CacheRule(prefix, HUB), CacheRule(prefix, "public.ecr.aws")))
    (upstream,) = [one for one in recipients(account, []) if one.name == HUB]
    assert (upstream.kind, upstream.principal) == ("service", Principal("Service", HUB))
    path = Path("pull_through_cache", ("push",), f"pull through cache rule {prefix}")
    expected = [Attempt({"push": ALLOWED}, (path,))] if is_pushed else []
    assert through_copies(account, name, upstream) == expected


@pytest.mark.parametrize(
    ("prefix", "name", "path"),
    [
        ("ROOT", "*", "new-repository"),
        ("team", "team/*", "team/new-repository"),
        ("a/b/", "a/b/*", "a/b/new-repository"),
    ],
)
def test_repository_that_a_template_would_create(prefix: str, name: str, path: str) -> None:
    policy = PolicyDocument("it", document())
    account = estate(templates=(CreationTemplate(prefix, ("REPLICATION",), {"team": "a"}, policy),))
    (registry,) = account.registries
    ((found, template),) = future_repositories(account, registry)
    assert template == f"repository creation template {prefix}"
    assert (found.name, found.region, found.tags, found.policy) == (name, REGION, {"team": "a"}, policy)
    assert found.arn == f"arn:aws:ecr:{REGION}:{OWNER}:repository/{path}"


def test_recipients_in_every_region() -> None:
    here, there = (
        Registry(region, (), None, (ReplicationRule(((account, ABROAD), (OWNER, ABROAD)), ()),), ())
        for region, account in ((REGION, CONSUMER), (THERE, OTHER))
    )
    account = replace(estate(), registries=(here, there))
    assert [one.name for one in recipients(account, [])] == [root(CONSUMER), root(OTHER)]
    assert [one.name for one in recipients(account, [account_outsider(CONSUMER, account)])] == [root(OTHER)]


@pytest.mark.parametrize(
    ("path", "copies", "repositories"),
    [
        ("replication", [unknown_attempt("it could not be read: no", "replication", ("describe", "pull"))], []),
        ("pull_through_cache", [unknown_attempt("it could not be read: no", "pull_through_cache", ("push",))], []),
        ("creation_template", [], [unknown_attempt("it could not be read: no", "creation_template")]),
        ("repositories", [], [unknown_attempt("it could not be read: no", "role")]),
        ("role", [], []),
    ],
)
def test_facts_that_cannot_be_read(path: str, copies: list[Attempt], repositories: list[Attempt]) -> None:
    account = estate(unseen=(Unseen("it", "no", path, REGION),))
    assert (unseen_copies(account, REGION), unseen_repositories(account, REGION)) == (copies, repositories)
    assert (unseen_copies(account, ABROAD), unseen_repositories(account, ABROAD)) == ([], [])


REPLICATE: dict[str, Any] = {
    "Sid": "Replicate",
    "Principal": {"AWS": root(CONSUMER)},
    "Action": ["ecr:ReplicateImage", "ecr:CreateRepository"],
    "Resource": "*",
}


@pytest.mark.parametrize(
    ("statements", "is_pushed"),
    [
        ([REPLICATE], True),
        ([{**REPLICATE, "Action": "ecr:*"}], True),
        ([{**REPLICATE, "Action": "ecr:CreateRepository"}], False),
        ([{**REPLICATE, "Principal": {"AWS": root(OTHER)}}], False),
        ([REPLICATE, {**REPLICATE, "Effect": "Deny"}], False),
        ([REPLICATE, {**REPLICATE, "Effect": "Deny", "Action": "ecr:PutImage"}], True),
        ([{**REPLICATE, "Effect": "Deny"}], False),
    ],
)
def test_replication_into_the_account(statements: list[dict[str, Any]], is_pushed: bool) -> None:
    account = estate(repositories=(RELEASE,))
    resource = layer_of([(REGISTRY_POLICY, document(*statements))], True)
    target = Target(RELEASE, Layer(), resource, "", [RELEASE])
    path = Path("replication", ("push",), REGISTRY_POLICY, "Replicate")
    expected = [Attempt({"push": ALLOWED}, (path,))] if is_pushed else []
    assert replication_into(account, account_outsider(CONSUMER, account), target) == expected
    assert replication_into(account, everyone(account), target) == []
    service = trust({"Service": "lambda.amazonaws.com"})
    (function,) = outsiders([read_statements(document(service), "a policy", True)], account)
    assert replication_into(account, function, target) == []


END = datetime.datetime(2026, 12, 24, tzinfo=datetime.timezone.utc)
UNTIL = {"DateLessThan": {"aws:CurrentTime": "2026-12-24T00:00:00Z"}}
FROM = {"DateGreaterThanEquals": {"aws:EpochTime": str(int(END.timestamp()))}}
OF_MEMBERS = {"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        ([{**REPLICATE, "Condition": UNTIL}], [("Replicate", ("until 2026-12-24T00:00:00Z",), END)]),
        ([REPLICATE, {**REPLICATE, "Effect": "Deny", "Condition": FROM}], [("Replicate", (), END)]),
        ([REPLICATE, {**REPLICATE, "Effect": "Deny", "Condition": UNTIL}], []),
        ([{**REPLICATE, "Condition": FROM}], []),
        (
            [{**REPLICATE, "Condition": UNTIL}, {**REPLICATE, "Sid": "Always"}],
            [("Replicate", ("until 2026-12-24T00:00:00Z",), END), ("Always", (), None)],
        ),
        (
            [{**REPLICATE, "Principal": "*", "Condition": {**OF_MEMBERS, **UNTIL}}],
            [("Replicate", ("organization o-abcdefghij", "until 2026-12-24T00:00:00Z"), END)],
        ),
    ],
)
def test_end_and_conditions_of_replication(
    statements: list[dict[str, Any]], found: list[tuple[str, tuple[str, ...], datetime.datetime | None]]
) -> None:
    account = estate(repositories=(RELEASE,), registry=document(*statements))
    paths = [one for row in rows_of(account).values() for one in row.access.paths]
    assert [(one.statement, one.conditions, one.until) for one in paths] == found
    assert {(one.path, one.actions) for one in paths} <= {("replication", ("push",))}


def test_replication_that_depends_on_unknown_facts() -> None:
    address = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
    account = estate(repositories=(RELEASE,), registry=document({**REPLICATE, "Condition": address}))
    (row,) = rows_of(account).values()
    assert row.access.actions["push"] == "unknown"
    assert "aws:SourceIp" in row.access.reasons["push"]
    assert [one.statement for one in row.access.paths] == ["Replicate"]


def below(name: str) -> str:
    return f"arn:aws:ecr:*:*:repository/{name}"


@pytest.mark.parametrize(
    ("pattern", "is_possible"),
    [
        ("team/app-*", True),
        ("team/app", True),
        ("team/?", True),
        ("t*/app-*", True),
        ("*/app-*", True),
        ("*-prod", True),
        ("team/${aws:PrincipalTag/app}-x", True),
        ("team-*", False),
        ("teams/app-*", False),
        ("team", False),
        ("team/App", False),
        ("team/old", False),  # exists
        ("team/sub/app-*", False),  # of another template
    ],
)
def test_names_below_a_template_that_policies_match(pattern: str, is_possible: bool) -> None:
    """In the registry policy, and in the policies of a role."""
    statement = {"Sid": "Some", "Action": PULL, "Resource": below(pattern)}
    templates = (CreationTemplate("team", ("REPLICATION",)), CreationTemplate("team/sub/", ("REPLICATION",)))
    facts: dict[str, Any] = {"repositories": (repository("team/old"),), "templates": templates}
    direct = estate(registry=document({**statement, "Principal": {"AWS": PULLER}}), **facts)
    through = estate(role(document(trust(PULLER)), document(statement), tags={"app": "a"}), **facts)
    for account in (direct, through):
        rows = [row for row in audit_access(account).rows if row.repository == "team/*"]
        verdict = "unknown" if "${" in pattern and account is direct else "allowed"
        assert [row.access.actions["pull"] for row in rows] == [verdict] * is_possible
        assert {path.path for row in rows for path in row.access.paths} <= {"creation_template"}


def test_one_row_for_all_names_of_a_template() -> None:
    """A template for every name does not create the repositories of another one."""
    allowed = {"Action": PULL, "Resource": [below("app-*"), below("team/app-*"), below("team/web-*"), below("*")]}
    denied = {"Effect": "Deny", "Action": PULL, "Resource": below("*new-repository")}
    templates = tuple(CreationTemplate(prefix, ("CREATE_ON_PUSH",)) for prefix in ("ROOT", "team"))
    account = estate(role(document(trust(PULLER)), document(allowed, denied)), templates=templates)
    found = [(row.repository, row.access.actions["pull"]) for row in audit_access(account).rows]
    assert sorted(found) == [("*", "allowed"), ("team/*", "allowed")]
    (registry,) = account.registries
    names = [one.arn.partition("/")[2] for one, _template in future_repositories(account, registry)]
    assert names[:2] == ["new-repository", "app-x"]
    assert len(names) == len(set(names))
