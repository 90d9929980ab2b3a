# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdicts of an audit, for each principal outside the account and each repository."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _audit_verdicts
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_access import audit_access
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_copies import recipients
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import (
    CacheRule,
    CreationTemplate,
    PolicyDocument,
    Registry,
    ReplicationRule,
    Repository,
    Unseen,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import Decision, Layers, decide_layers
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_policy_declaration import StatementDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_selection import Selection
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Request

from tests.unit.audited_estates import (
    BOTH,
    CONSUMER,
    NOW,
    OTHER,
    OWNER,
    PULL,
    PULL_ALL,
    PULLER,
    REGION,
    ROLE,
    SHARE,
    document,
    estate,
    repository,
    role,
    root,
    rows_of,
    trust,
    verdicts,
)


def test_role_with_an_external_id_and_a_tag_condition() -> None:
    [row] = audit_access(estate(SHARE, repositories=BOTH)).rows
    assert row.as_json() == {
        "principal": PULLER,
        "principal_kind": "principal",
        "principal_account": CONSUMER,
        "repository": "release",
        "region": REGION,
        "actions": {
            "describe": "denied",
            "pull": "allowed",
            "push": "denied",
            "delete": "denied",
            "tag": "denied",
        },
        "reasons": dict.fromkeys(["describe", "push", "delete", "tag"], "no statement allows it"),
        "paths": [
            {
                "path": "role",
                "actions": ["pull"],
                "document": f"policy 1 of role {ROLE}",
                "statement": "Pull",
                "conditions": ["external ID", "tag environment=release"],
                "role": ROLE,
                "role_created": None,
                "role_last_used": None,
                "until": None,
            }
        ],
    }


@pytest.mark.parametrize(
    ("principal", "condition", "expected"),
    [
        (root(CONSUMER), None, {root(CONSUMER): "allowed"}),
        (CONSUMER, None, {root(CONSUMER): "allowed"}),
        (root(OWNER), None, {}),
        ("*", None, {"*": "allowed"}),
        ("*", {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, {"o-1": "allowed"}),
        ("*", {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-1/r-1/*"}}, {"o-1/r-1/*": "allowed"}),
        (
            "*",
            {
                "StringEquals": {"aws:PrincipalOrgID": "o-1"},
                "ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-1/r-1/ou-1/*"},
            },
            {"o-1/r-1/ou-1/*": "allowed"},
        ),
        ("*", {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-1/*"}}, {"o-1/*": "allowed"}),
        ("*", {"StringEquals": {"aws:PrincipalAccount": CONSUMER}}, {root(CONSUMER): "allowed"}),
        ("*", {"ArnLike": {"aws:PrincipalArn": PULLER}}, {PULLER: "allowed"}),
        (root(CONSUMER), {"ArnEquals": {"aws:PrincipalArn": PULLER}}, {PULLER: "allowed"}),
        (root(CONSUMER), {"StringEquals": {"aws:PrincipalArn": f"arn:aws:iam::{OTHER}:user/x"}}, {}),
        (root(CONSUMER), {"Bool": {"aws:MultiFactorAuthPresent": "true"}}, {root(CONSUMER): "allowed"}),
        (root(CONSUMER), {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, {root(CONSUMER): "unknown"}),
        (root(CONSUMER), {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, {root(CONSUMER): "unknown", "o-1": "denied"}),
        (root(CONSUMER), {"DateLessThan": {"aws:CurrentTime": "2026-11-28T00:00:00Z"}}, {root(CONSUMER): "allowed"}),
        (root(CONSUMER), {"DateLessThan": {"aws:CurrentTime": "2026-11-26T00:00:00Z"}}, {}),
        ({"Service": "lambda.amazonaws.com"}, None, {"lambda.amazonaws.com": "allowed"}),
        (
            {"Service": "lambda.amazonaws.com"},
            {"StringEquals": {"aws:SourceAccount": OWNER}},
            {"lambda.amazonaws.com": "allowed"},
        ),
    ],
)
def test_trusted_principals(principal: Any, condition: Any, expected: dict[str, str]) -> None:
    shared = role(document(trust(principal, condition)), PULL_ALL)
    found = verdicts(estate(shared, repositories=BOTH[:1]))
    wanted = {(name, "release"): verdict for name, verdict in expected.items() if verdict != "denied"}
    assert found == wanted


OIDC = f"arn:aws:iam::{OWNER}:oidc-provider/token.actions.githubusercontent.com"
SAML = f"arn:aws:iam::{OWNER}:saml-provider/idp"


@pytest.mark.parametrize(
    ("provider", "action", "verdict"),
    [
        (OIDC, "sts:AssumeRoleWithWebIdentity", "allowed"),
        (SAML, "sts:AssumeRoleWithSAML", "allowed"),
        (SAML, "sts:AssumeRoleWithWebIdentity", None),
        ("cognito-identity.amazonaws.com", "sts:AssumeRoleWithWebIdentity", "allowed"),
    ],
)
def test_identity_providers(provider: str, action: str, verdict: str | None) -> None:
    condition = {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:org/*"}} if provider == OIDC else {}
    shared = role(document(trust({"Federated": provider}, condition, Action=action)), PULL_ALL)
    assert verdicts(estate(shared, repositories=BOTH[:1])).get((provider, "release")) == verdict


def consumer_policy(**more: Any) -> dict[str, Any]:
    return {"Sid": "Consumer", "Principal": {"AWS": root(CONSUMER)}, "Action": PULL, **more}


@pytest.mark.parametrize("path", ["repository_policy", "registry_policy"])
def test_resource_policies(path: str) -> None:
    granting = document(consumer_policy(**({} if path == "repository_policy" else {"Resource": "*"})))
    found = rows_of(
        estate(repositories=(repository("release", granting),))
        if path == "repository_policy"
        else estate(repositories=BOTH[:1], registry=granting)
    )
    [row] = found.values()
    assert row.outsider.name == root(CONSUMER)
    assert row.access.actions == {
        "describe": "denied",
        "pull": "allowed",
        "push": "denied",
        "delete": "denied",
        "tag": "denied",
    }
    [used] = row.access.paths
    assert (used.path, used.document, used.statement) == (path, path.replace("_", " "), "Consumer")


def test_two_statements_that_allow_a_pull_together_are_named() -> None:
    both = document(*({"Sid": sid, "Action": one, "Resource": "*"} for sid, one in zip(("First", "Second"), PULL)))
    [row] = rows_of(estate(role(document(trust(PULLER)), both), repositories=BOTH[:1])).values()
    assert [(path.statement, path.actions) for path in row.access.paths] == [
        ("First", ("pull",)),
        ("Second", ("pull",)),
    ]


def test_a_deny_of_the_registry_policy_wins() -> None:
    granting, denying = document(consumer_policy()), document(consumer_policy(Effect="Deny", Resource="*"))
    assert verdicts(estate(repositories=(repository("release", granting),), registry=denying)) == {}


def test_deny_for_one_principal_does_not_affect_its_account() -> None:
    denying = {"Effect": "Deny", "Principal": {"AWS": PULLER}, "Action": "*"}
    shared = repository("release", document(consumer_policy(), denying))
    assert verdicts(estate(repositories=(shared,))) == {(root(CONSUMER), "release"): "allowed"}


def test_a_boundary_limits_the_sessions_of_a_role() -> None:
    boundary = PolicyDocument("permissions boundary", document({"Action": "ecr:Describe*", "Resource": "*"}))
    shared = role(document(trust(PULLER)), PULL_ALL, boundary=boundary)
    [row] = rows_of(estate(shared, repositories=BOTH[:1])).values()
    assert (row.access.actions["describe"], row.access.actions["pull"]) == ("allowed", "denied")


def test_tags_that_cannot_be_read_are_unknown() -> None:
    hidden = Repository("release", REGION, f"arn:aws:ecr:{REGION}:{OWNER}:repository/release", None)
    [row] = rows_of(estate(SHARE, repositories=(hidden,))).values()
    assert row.access.actions["pull"] == "unknown"
    assert "ecr:ResourceTag/environment" in row.access.reasons["pull"]


@pytest.mark.parametrize("path", ["role", "registry_policy"])
def test_policies_that_cannot_be_read_are_unknown(path: str) -> None:
    hidden = (Unseen("the policies", "AWS denies it", path),)
    [row] = rows_of(estate(repositories=BOTH[:1], unseen=hidden)).values()
    assert (row.outsider.name, set(row.access.actions.values())) == ("*", {"unknown"})
    assert row.access.reasons["pull"] == "the policies could not be read: AWS denies it"


def test_repository_policy_that_cannot_be_read_is_unknown() -> None:
    hidden = Repository("release", REGION, BOTH[0].arn, {}, None, "the repository policy could not be read: no")
    [row] = rows_of(estate(repositories=(hidden, BOTH[1]))).values()
    assert (row.repository, row.access.actions["pull"]) == ("release", "unknown")


def test_malformed_policy_is_unknown() -> None:
    [row] = rows_of(estate(repositories=(repository("release", "not JSON"),))).values()
    assert (row.outsider.name, row.access.actions["push"]) == ("*", "unknown")


def test_replication_to_another_account() -> None:
    rule = ReplicationRule(((CONSUMER, "us-east-1"), (OWNER, "us-east-1")), ("rel",))
    [row] = rows_of(estate(repositories=BOTH, replication=(rule,))).values()
    assert (row.outsider.name, row.repository, row.access.actions["pull"]) == (root(CONSUMER), "release", "allowed")
    assert row.access.paths[0].conditions == ("a copy in us-east-1",)


def test_the_second_replication_rule_is_named() -> None:
    rules = tuple(ReplicationRule(((account, "us-east-1"),), ()) for account in (OTHER, CONSUMER))
    found = rows_of(estate(repositories=BOTH[:1], replication=rules))
    [path] = found[root(CONSUMER), "release"].access.paths
    assert (path.document, path.actions) == ("rule 2 of the replication configuration", ("describe", "pull"))


def test_replication_from_another_account() -> None:
    granting = consumer_policy(Action=["ecr:ReplicateImage", "ecr:CreateRepository"], Resource="*")
    [row] = rows_of(estate(repositories=BOTH[:1], registry=document(granting))).values()
    assert (row.access.actions["push"], row.access.paths[0].path) == ("allowed", "replication")


def test_a_repository_policy_decides_about_no_replication() -> None:
    granting = consumer_policy(Action="ecr:ReplicateImage")
    assert verdicts(estate(repositories=(repository("release", document(granting)),)), "push") == {}


def test_replication_is_of_the_account_not_of_a_principal() -> None:
    one = {"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{CONSUMER}:role/job"}}
    granting = consumer_policy(Action="ecr:ReplicateImage", Resource="*", Condition=one)
    assert verdicts(estate(repositories=BOTH[:1], registry=document(granting)), "push") == {}


def test_replication_from_every_account() -> None:
    granting = consumer_policy(Principal="*", Action="ecr:ReplicateImage", Resource="*")
    assert verdicts(estate(repositories=BOTH[:1], registry=document(granting)), "push") == {("*", "release"): "allowed"}


def test_replication_on_a_condition_that_is_not_known() -> None:
    later = {"StringEquals": {"aws:SourceVpce": "vpce-1"}}
    granting = consumer_policy(Action="ecr:ReplicateImage", Resource="*", Condition=later)
    [row] = rows_of(estate(repositories=BOTH[:1], registry=document(granting))).values()
    assert (row.access.actions["push"], row.access.paths[0].path) == ("unknown", "replication")


@pytest.mark.parametrize(
    ("more", "expected"), [((), {}), (("ecr:CreateRepository",), {(root(CONSUMER), "team/*"): "allowed"})]
)
def test_replication_into_a_new_repository(more: tuple[str, ...], expected: dict[Any, str]) -> None:
    granting = consumer_policy(Action=["ecr:ReplicateImage", *more], Resource="*")
    new = CreationTemplate("team/", ("REPLICATION",))
    assert verdicts(estate(repositories=(), templates=(new,), registry=document(granting)), "push") == expected


@pytest.mark.parametrize("denying", [{"Effect": "Deny"}, {"Action": "ecr:CreateRepository"}])
def test_replication_that_the_registry_policy_does_not_allow(denying: dict[str, Any]) -> None:
    granting = consumer_policy(Action="ecr:ReplicateImage", Resource="*")
    statements = [{**granting, **denying}, *([granting] if "Effect" in denying else [])]
    assert verdicts(estate(repositories=BOTH[:1], registry=document(*statements)), "push") == {}


def test_service_cannot_replicate_images() -> None:
    granting = consumer_policy(Principal={"Service": "lambda.amazonaws.com"}, Action="ecr:ReplicateImage", Resource="*")
    assert verdicts(estate(repositories=BOTH[:1], registry=document(granting)), "push") == {}


def test_rules_copy_only_repositories_of_their_region() -> None:
    rule = ReplicationRule(((CONSUMER, "us-east-1"),), ())
    abroad = Repository("develop", "us-east-1", BOTH[1].arn.replace(REGION, "us-east-1"), {})
    account = estate(repositories=BOTH[:1], replication=(rule,))
    account = replace(account, registries=(*account.registries, Registry("us-east-1", (abroad,), None)))
    assert verdicts(account) == {(root(CONSUMER), "release"): "allowed"}


def test_recipients_of_copies_are_added_once() -> None:
    rule = ReplicationRule(((CONSUMER, "us-east-1"), (OWNER, "us-east-1"), (OTHER, "us-east-1")), ())
    cache = CacheRule("hub", "registry-1.docker.io")
    account = estate(replication=(rule, rule), cache_rules=(cache, cache))
    known = recipients(account, [])
    assert [one.name for one in known] == [root(CONSUMER), root(OTHER), "registry-1.docker.io"]
    assert recipients(account, known[1:]) == known[:1]


def test_pull_through_cache_rule() -> None:
    rule = CacheRule("hub", "registry-1.docker.io")
    [row] = rows_of(estate(repositories=(repository("hub/nginx"), *BOTH), cache_rules=(rule,))).values()
    assert (row.outsider.name, row.repository, row.access.actions["push"]) == (
        "registry-1.docker.io",
        "hub/nginx",
        "allowed",
    )


def test_cache_rule_for_every_name_leaves_names_to_others() -> None:
    rules = (CacheRule("hub", "registry-1.docker.io"), CacheRule("ROOT", f"{OTHER}.dkr.ecr.{REGION}.amazonaws.com"))
    found = verdicts(estate(repositories=(repository("hub/nginx"), BOTH[0]), cache_rules=rules), "push")
    assert found == {(rules[0].upstream, "hub/nginx"): "allowed", (rules[1].upstream, "release"): "allowed"}


def test_role_of_a_cache_pulls_from_its_upstream() -> None:
    """The statement is the one that ecr_cache writes in the owner account of the upstream registry."""
    role_of_cache = f"arn:aws:iam::{CONSUMER}:role/ecr-cache"
    declared = StatementDeclaration(CONSUMER, "Cache", Selection(("release",)), cache_role="ecr-cache")
    policy = document(declared.statement(Identity("aws", OWNER), REGION))
    [row] = rows_of(estate(repositories=BOTH, registry=policy)).values()
    assert (row.outsider.name, row.repository, row.access.actions["pull"]) == (role_of_cache, "release", "allowed")
    assert [(path.path, path.statement) for path in row.access.paths] == [("registry_policy", "Cache")]


def test_creation_template_with_open_policy_and_sharing_tag() -> None:
    opened = PolicyDocument("policy of template team", document({"Principal": "*", "Action": PULL}))
    template = CreationTemplate("team", ("CREATE_ON_PUSH",), {"environment": "release"}, opened)
    found = rows_of(estate(SHARE, repositories=(), templates=(template,)))
    assert set(found) == {("*", "team/*"), (PULLER, "team/*")}
    assert {path.path for row in found.values() for path in row.access.paths} == {"creation_template"}


def test_equal_repositories_are_evaluated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    actions = []

    def decide(request: Request, layers: Layers) -> Decision:
        actions.append(request.action)
        return decide_layers(request, layers)

    monkeypatch.setattr(_audit_verdicts, "decide_layers", decide)
    equal = tuple(repository(f"app-{number}", environment="release") for number in range(50))
    assert len(rows_of(estate(SHARE, repositories=equal))) == 50
    assert actions == PULL


def test_patterns_of_names_divide_equal_repositories() -> None:
    shared = role(document(trust(PULLER)), document({"Action": PULL, "Resource": "arn:aws:ecr:*:*:repository/team-*"}))
    found = verdicts(estate(shared, repositories=(repository("team-a"), repository("other"))))
    assert found == {(PULLER, "team-a"): "allowed"}


def test_variables_in_resources_divide_repositories_by_name() -> None:
    resource = "arn:aws:ecr:*:*:repository/${aws:PrincipalTag/team}"
    shared = role(document(trust(PULLER)), document({"Action": PULL, "Resource": resource}), tags={"team": "a"})
    assert verdicts(estate(shared, repositories=(repository("a"), repository("b")))) == {(PULLER, "a"): "allowed"}


@pytest.mark.parametrize(
    ("members", "verdict"), [(frozenset({CONSUMER}), "allowed"), (frozenset(), None), (None, "unknown")]
)
def test_members_of_the_organization(members: frozenset[str] | None, verdict: str | None) -> None:
    condition = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
    shared = role(document(trust(root(CONSUMER), condition)), PULL_ALL)
    audited = estate(shared, repositories=BOTH[:1], organization="o-1", member_accounts=members)
    assert verdicts(audited).get((root(CONSUMER), "release")) == verdict


@pytest.mark.parametrize(
    "time",
    ["2026-12-24T00:00:00Z", "2026-12-24T01:00:00+01:00", "2026-12-24", "1798070400", ["2026-12-01", "2026-12-24"]],
)
def test_end_of_access_is_the_earliest_condition_on_time(time: str | list[str]) -> None:
    ends = {"DateLessThan": {"aws:CurrentTime": time}}
    later = {"DateLessThan": {"aws:CurrentTime": "2026-12-31T00:00:00Z"}}
    shared = role(
        document(trust(PULLER, later)), document({"Action": PULL, "Resource": "*", "Condition": ends}), last_used=NOW
    )
    [row] = rows_of(estate(shared, repositories=BOTH[:1])).values()
    [path] = row.access.paths
    assert (path.until, path.role_last_used) == (datetime.datetime(2026, 12, 24, tzinfo=datetime.timezone.utc), NOW)
