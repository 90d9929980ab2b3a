# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdicts of an audit for unusual policies, role chains, chosen values, and facts that cannot be read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _audit_chains
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_access import audit_access
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_policies import documents_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_tag_setters import tag_setters
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_trust import concerning
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import (
    CreationTemplate,
    Estate,
    IamPrincipal,
    PolicyDocument,
    Unseen,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import Decision, Layer, Layers, decide_layers
from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import Principal
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Request, Statement

from tests.unit.audited_estates import (
    BOTH,
    CONSUMER,
    OTHER,
    OWNER,
    PULL,
    PULL_ALL,
    PULLER,
    REGION,
    document,
    estate,
    repository,
    role,
    root,
    rows_of,
    trust,
    verdicts,
)

JOB = f"arn:aws:iam::{CONSUMER}:role/ci/job"
A, B, C = (f"arn:aws:iam::{OWNER}:role/path/{name}" for name in ("a", "b", "c"))
EVERYONE = {"Principal": "*", "Action": PULL}
CONDITIONS: dict[str, Any] = {"Effect": "Deny", "Principal": "*", "Action": "*"}


def denied_except(**condition: Any) -> dict[str, Any]:
    return {**CONDITIONS, "Condition": condition}


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([EVERYONE, denied_except(StringNotEquals={"aws:PrincipalArn": PULLER})], {PULLER: "allowed"}),
        ([EVERYONE, denied_except(ArnNotLike={"aws:PrincipalArn": f"{JOB}*"})], {f"{JOB}*": "allowed"}),
        ([EVERYONE, denied_except(StringNotEquals={"aws:PrincipalAccount": CONSUMER})], {root(CONSUMER): "allowed"}),
        ([EVERYONE, denied_except(StringNotEquals={"aws:PrincipalOrgID": "o-1"})], {"o-1": "allowed"}),
        (
            [EVERYONE, denied_except(StringNotEqualsIfExists={"aws:PrincipalOrgID": "o-1"})],
            {"o-1": "allowed"},
        ),
        (
            [{**EVERYONE, "Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}}],
            {"o-1": "allowed", "*": "allowed"},
        ),
        ([EVERYONE, denied_except(Bool={"aws:SecureTransport": "false"})], {"*": "allowed"}),
        ([EVERYONE, denied_except(Bool={"aws:ViaAWSService": "false"})], {"*": "unknown"}),
        ([EVERYONE, {"Effect": "Deny", "NotPrincipal": {"AWS": [PULLER, root(CONSUMER)]}, "Action": "*"}],
         {PULLER: "allowed", root(CONSUMER): "unknown"}),
        ([{**EVERYONE, "Principal": {"AWS": ["*"]}}], {"*": "allowed"}),
        ([{**EVERYONE, "Condition": {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ci"}}}],
         {"arn:aws:iam::*:role/ci": "allowed"}),
        ([{**EVERYONE, "Condition": {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ci"},
                                     "StringEquals": {"aws:PrincipalOrgID": "o-1"}}}],
         {"arn:aws:iam::*:role/ci": "allowed"}),
        ([{**EVERYONE, "Principal": {"AWS": root(CONSUMER)},
           "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ci"}}}],
         {f"arn:aws:iam::{CONSUMER}:role/ci": "allowed"}),
        ([{**EVERYONE, "Condition": {"StringEqualsIfExists": {"aws:PrincipalArn": PULLER}}}], {PULLER: "allowed"}),
        ([{**EVERYONE, "Principal": {"AWS": f"arn:aws:sts::{CONSUMER}:assumed-role/job/one"}}],
         {f"arn:aws:sts::{CONSUMER}:assumed-role/job/one": "allowed"}),
        ([{**EVERYONE, "Principal": {"AWS": f"arn:aws:sts::{CONSUMER}:federated-user/bob"}}],
         {f"arn:aws:sts::{CONSUMER}:federated-user/bob": "allowed"}),
        ([{**EVERYONE, "Principal": {"AWS": "AIDAABCDEFGHIJKLMNOP"}}], {}),
        ([{**EVERYONE, "Principal": {"AWS": CONSUMER},
           "Condition": {"StringEquals": {"aws:PrincipalType": "AssumedRole"}}}],
         {root(CONSUMER): "allowed"}),
        ([{**EVERYONE, "Principal": {"AWS": CONSUMER},
           "Condition": {"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}}], {root(CONSUMER): "allowed"}),
    ],
)  # fmt: skip
def test_principals_of_a_repository_policy(statements: list[dict[str, Any]], expected: dict[str, str]) -> None:
    found = verdicts(estate(repositories=(repository("release", document(*statements)),)))
    assert found == {(name, "release"): verdict for name, verdict in expected.items()}


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"sts:RoleSessionName": "${aws:username}"}},
        {"StringLike": {"sts:RoleSessionName": "${aws:username}-*"}},
        {"StringEquals": {"sts:ExternalId": "a*b"}},
        {"StringEqualsIgnoreCase": {"sts:ExternalId": "One"}},
        {"StringLike": {"sts:ExternalId": "a-*"}, "StringNotLike": {"sts:ExternalId": "b*"}},
        {"NumericLessThan": {"sts:DurationSeconds": "3601"}},
        {"NumericLessThan": {"aws:MultiFactorAuthAge": "60"}, "Bool": {"aws:MultiFactorAuthPresent": "true"}},
        {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}},
        {"StringEquals": {"sts:ExternalId": [f"id-{n}" for n in range(600)]}},
        {"Bool": {"aws:SecureTransport": "true", "aws:PrincipalIsAWSService": "false"}},
        {"StringEquals": {"aws:ResourceAccount": OWNER}},
    ],
)
def test_conditions_that_the_caller_of_a_role_can_meet(condition: dict[str, Any]) -> None:
    shared = role(document(trust(PULLER, condition)), PULL_ALL)
    assert verdicts(estate(shared, repositories=BOTH[:1])) == {(PULLER, "release"): "allowed"}


def test_a_denied_external_id_can_be_avoided() -> None:
    denying = {**trust(PULLER, {"StringLike": {"sts:ExternalId": "x*"}}), "Effect": "Deny"}
    shared = role(document(trust(PULLER, {"StringLike": {"sts:ExternalId": "*"}}), denying), PULL_ALL)
    assert verdicts(estate(shared, repositories=BOTH[:1])) == {(PULLER, "release"): "allowed"}


def test_too_many_combinations_of_values_are_unknown() -> None:
    keys = ("sts:ExternalId", "sts:RoleSessionName", "sts:SourceIdentity")
    condition = {"StringEquals": {key: [f"{number}" for number in range(20)] for key in keys}}
    never = {**condition, "StringNotEquals": condition["StringEquals"]}
    [row] = rows_of(estate(role(document(trust(PULLER, never)), PULL_ALL), repositories=BOTH[:1])).values()
    assert (row.access.actions["pull"], "combinations" in row.access.reasons["pull"]) == ("unknown", True)


@pytest.mark.parametrize(("actions", "verdict"), [("sts:AssumeRole", None), ("sts:*", "allowed")])
def test_a_source_identity_requires_an_action_of_its_own(actions: str, verdict: str | None) -> None:
    identified = trust(PULLER, {"StringEquals": {"sts:SourceIdentity": "one"}}, Action=actions)
    found = verdicts(estate(role(document(identified), PULL_ALL), repositories=BOTH[:1]))
    assert found.get((PULLER, "release")) == verdict


def assume(*roles: str) -> dict[str, Any]:
    return {"Action": "sts:AssumeRole", "Resource": list(roles)}


@pytest.mark.parametrize(
    ("trusted", "permissions", "boundary", "verdict"),
    [
        (trust(root(OWNER)), assume(B), None, "allowed"),
        (trust(root(OWNER)), {**assume(B), "Resource": "*"}, None, "allowed"),
        (trust(root(OWNER)), assume(C), None, None),
        (trust(A), assume(C), None, "allowed"),
        (trust(A.replace("path/", "")), assume(C), None, "allowed"),
        (trust(A, {"StringEquals": {"sts:ExternalId": "one"}}), assume(C), None, "allowed"),
        (trust(A, {"Bool": {"aws:MultiFactorAuthPresent": "true"}}), assume(C), None, None),
        (trust(A, {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}), assume(C), None, "unknown"),
        (trust(C), assume(B), None, None),
        (trust(root(OWNER)), assume(B), {"Action": "ecr:*", "Resource": "*"}, None),
        (trust(root(OWNER)), {**assume(B), "Effect": "Deny"}, None, None),
        (trust(f"arn:aws:sts::{OWNER}:assumed-role/a/audit"), assume(C), None, "allowed"),
        (trust(root(OWNER), {"ArnLike": {"aws:PrincipalArn": A}}), assume(B), None, "allowed"),
    ],
)  # fmt: skip
def test_a_session_assumes_another_role(
    trusted: dict[str, Any], permissions: dict[str, Any], boundary: Any, verdict: str | None
) -> None:
    limit = boundary and PolicyDocument("permissions boundary", document(boundary))
    first = role(document(trust(PULLER)), document(permissions), arn=A, boundary=limit)
    second = role(document(trusted), PULL_ALL, arn=B)
    assert verdicts(estate(first, second, repositories=BOTH[:1])).get((PULLER, "release")) == verdict


S3 = {"Action": "s3:*", "Resource": "*"}


@pytest.mark.parametrize(
    ("trusted", "permissions", "verdict"),
    [
        (trust(A), document(S3), "allowed"),
        (trust(A.replace("path/", "")), document(S3), "allowed"),
        (trust("*"), document(S3), "allowed"),
        (trust(f"arn:aws:sts::{OWNER}:assumed-role/a/audit"), document(S3), "allowed"),
        (trust(root(OWNER)), document(S3), None),
        (trust(root(OWNER)), document({"NotAction": ["iam:*", "ecr:*"], "Resource": "*"}), "allowed"),
        (trust(root(OWNER)), document({"NotAction": ["sts:*", "ecr:*"], "Resource": "*"}), None),
        (trust(root(OWNER)), "not JSON", "unknown"),
        ({"NotPrincipal": {"AWS": PULLER}, "Action": "sts:AssumeRole"}, document(assume(B)), "allowed"),
        (trust(root(OWNER), Action="sts:TagSession"), document(assume(B)), None),
        (trust(root(OWNER), Effect="Deny"), document(assume(B)), None),
    ],
)  # fmt: skip
def test_only_a_named_role_needs_no_policy_of_its_own(trusted: Any, permissions: Any, verdict: str | None) -> None:
    first, second = role(document(trust(PULLER)), permissions, arn=A), role(document(trusted), PULL_ALL, arn=B)
    assert verdicts(estate(first, second, repositories=BOTH[:1])).get((PULLER, "release")) == verdict


@pytest.mark.parametrize(
    ("trusted", "permissions", "evaluated"),
    [
        (trust(A), S3, True),
        (trust(root(OWNER)), assume(B), True),
        (trust("*"), assume(B), True),
        (trust(root(OWNER)), S3, False),  # no identity policy allows it
        (trust(root(OWNER)), {**assume(B), "Effect": "Deny"}, False),
        (trust(C), assume(B), False),  # no statement is about the session
        (trust(A, Effect="Deny"), assume(B), False),
    ],
)
def test_chains_evaluate_only_what_may_be_allowed(
    monkeypatch: pytest.MonkeyPatch, trusted: Any, permissions: Any, evaluated: bool
) -> None:
    found = []

    def decide(request: Request, layers: Layers) -> Decision:
        found.append(request.resource)
        return decide_layers(request, layers)

    monkeypatch.setattr(_audit_chains, "decide_layers", decide)
    first, second = role(document(trust(PULLER)), document(permissions), arn=A), role(document(trusted), arn=B)
    audit_access(estate(first, second, repositories=BOTH[:1]))
    assert set(found) == ({B} if evaluated else set())


@pytest.mark.parametrize(
    ("trusted", "is_inside"),
    [
        (trust(OWNER), True),
        (trust(root(OWNER)), True),
        (trust(A), True),
        (trust("*"), True),
        (trust({"AWS": [root(CONSUMER), A]}), True),
        ({"NotPrincipal": {"AWS": root(OWNER)}, "Action": "sts:*"}, True),
        (trust(root(CONSUMER)), False),
        (trust({"Service": "ec2.amazonaws.com"}), False),
        (trust(A, Effect="Deny"), False),
        (trust(A, Action="sts:TagSession"), False),
    ],
)  # fmt: skip
def test_roles_that_a_chain_can_reach(monkeypatch: pytest.MonkeyPatch, trusted: Any, is_inside: bool) -> None:
    """A role that trusts only others is never compared with the roles of the account."""
    compared = []

    def of_principal(layer: Layer, principal: Principal) -> list[Statement]:
        compared.append(layer.statements[0].place)
        return concerning(layer, principal)

    monkeypatch.setattr(_audit_chains, "concerning", of_principal)
    first, second = role(document(trust(PULLER)), document(assume(B)), arn=A), role(document(trusted), arn=B)
    audit_access(estate(first, second, repositories=BOTH[:1]))
    assert bool(compared) is is_inside


UNCERTAIN = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}


@pytest.mark.parametrize(("second", "verdict"), [(UNCERTAIN, "unknown"), (None, "allowed")])
def test_a_second_chain_counts_only_if_it_is_certain(second: Any, verdict: str) -> None:
    ahead = [role(document(trust(PULLER)), document(assume(C)), arn=arn) for arn in (A, B)]
    last = role(document(trust(A, UNCERTAIN), trust(B, second)), PULL_ALL, arn=C)
    [row] = rows_of(estate(*ahead, last, repositories=BOTH[:1])).values()
    assert row.access.actions["pull"] == verdict
    assert [path.conditions[0] for path in row.access.paths] == (
        [f"session of role {A}"] if second else [f"session of role {A}", f"session of role {B}"]
    )


def test_a_chain_has_the_conditions_of_each_step() -> None:
    first = role(document(trust(PULLER)), document(S3), arn=A)
    second = role(document(trust(A, {"StringEquals": {"sts:ExternalId": "one"}})), PULL_ALL, arn=B)
    [row] = rows_of(estate(first, second, repositories=BOTH[:1])).values()
    assert [path.conditions for path in row.access.paths] == [(f"session of role {A}", "external ID")]


def test_a_chain_of_three_roles_is_named() -> None:
    first = role(document(trust(PULLER, {"StringEquals": {"sts:ExternalId": "one"}})), document(assume(B)), arn=A)
    second = role(document(trust(root(OWNER))), document(assume(A, C)), arn=B)
    third = role(document(trust(B)), PULL_ALL, arn=C)
    [row] = rows_of(estate(third, second, first, repositories=BOTH[:1])).values()
    [path] = row.access.paths
    assert (path.path, path.role) == ("role", C)
    assert path.conditions == ("external ID", f"session of role {A}", f"session of role {B}")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (None, {(PULLER, "release"): "allowed"}),
        ({"StringEquals": {"sts:RoleSessionName": ["job", "other"]}}, {(PULLER, "release"): "allowed"}),
        ({"StringEquals": {"sts:RoleSessionName": "other"}}, {}),
    ],
)
@pytest.mark.parametrize("is_further", [False, True])
def test_chain_chooses_the_session_name_of_a_resource_policy(
    condition: Any, expected: dict[Any, str], is_further: bool
) -> None:
    """The policy of the repository, or the trust policy of a third role, names the session of the second role."""
    session = f"arn:aws:sts::{OWNER}:assumed-role/{B.rpartition('/')[2]}/job"
    first = role(document(trust(PULLER)), document(assume(B)), arn=A)
    second = role(document(trust(root(OWNER), condition)), document(S3), arn=B)
    third = role(document(trust(session)), PULL_ALL, arn=C)
    open_to_session = document({"Principal": {"AWS": session}, "Action": PULL})
    shared = repository("release", None if is_further else open_to_session)
    principals = (first, second, third) if is_further else (first, second)
    assert verdicts(estate(*principals, repositories=(shared,))) == expected


def test_all_documents_of_an_account_with_their_regions() -> None:
    boundary = PolicyDocument("boundary", PULL_ALL)
    template = CreationTemplate("team", ("CREATE_ON_PUSH",), {}, PolicyDocument("template", PULL_ALL))
    account = estate(
        role(document(trust(PULLER)), PULL_ALL, arn=A, boundary=boundary),
        IamPrincipal(B, ()),
        repositories=(repository("release", document(EVERYONE)), repository("develop")),
        registry=document(EVERYONE),
        templates=(template, CreationTemplate("other", (), {}, None)),
    )
    assert [(policy.name, region) for policy, region in documents_of(account)] == [
        (f"policy 1 of role {A}", ""),
        ("boundary", ""),
        (f"trust policy of role {A}", ""),
        (f"registry policy of {REGION}", REGION),
        (f"repository policy of release in {REGION}", REGION),
        ("template", REGION),
    ]


def test_equal_documents_of_two_roles_keep_their_names() -> None:
    shares = [role(document(trust(PULLER)), PULL_ALL, arn=arn) for arn in (A, B)]
    [row] = rows_of(estate(*shares, repositories=BOTH[:1])).values()
    assert [(path.role, path.document) for path in row.access.paths] == [
        (arn, f"policy 1 of role {arn}") for arn in (A, B)
    ]


@pytest.mark.parametrize(
    ("tagged", "verdict"), [(["sts:AssumeRole", "sts:TagSession"], "allowed"), ("sts:AssumeRole", None)]
)
def test_session_tags_that_the_caller_can_choose(tagged: Any, verdict: str | None) -> None:
    granted = {"Action": PULL, "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/team": "b"}}}
    shared = role(document(trust(PULLER, Action=tagged)), document(granted), tags={"team": "a"})
    assert verdicts(estate(shared, repositories=BOTH[:1])).get((PULLER, "release")) == verdict


@pytest.mark.parametrize(("required", "verdict"), [("ci", "allowed"), ("c*", "allowed"), ("other", None)])
def test_a_repository_policy_that_names_a_session(required: str, verdict: str | None) -> None:
    session = {"AWS": f"arn:aws:sts::{OWNER}:assumed-role/a/ci"}
    boundary = PolicyDocument("permissions boundary", document({"Action": "s3:*", "Resource": "*"}))
    admitting = document(trust(PULLER, {"StringLike": {"sts:RoleSessionName": required}}))
    shared = role(admitting, document({"Action": "s3:*", "Resource": "*"}), arn=A, boundary=boundary)
    named = repository("release", document({"Principal": session, "Action": PULL}))
    assert verdicts(estate(shared, repositories=(named,))).get((PULLER, "release")) == verdict


def test_a_boundary_limits_a_role_that_a_repository_policy_names() -> None:
    boundary = PolicyDocument("permissions boundary", document({"Action": "s3:*", "Resource": "*"}))
    named = repository("release", document({"Principal": {"AWS": A}, "Action": PULL}))
    for limit, expected in ((boundary, {}), (None, {(PULLER, "release"): "allowed"})):
        shared = role(document(trust(PULLER)), document({"Action": "s3:*", "Resource": "*"}), arn=A, boundary=limit)
        assert verdicts(estate(shared, repositories=(named,))) == expected


@pytest.mark.parametrize("resource", ["arn:*:repository/release", "arn:*release", "*/release", "arn:aws:ecr*release"])
def test_wildcards_before_a_name_divide_equal_repositories(resource: str) -> None:
    shared = role(document(trust(PULLER)), document({"Action": PULL, "Resource": resource}))
    found = verdicts(estate(shared, repositories=(repository("develop"), repository("release"))))
    assert set(found) == {(PULLER, "release")}


def test_revoked_sessions_do_not_limit_a_new_session() -> None:
    revoked = {"DateLessThan": {"aws:TokenIssueTime": "2026-11-26T00:00:00Z"}}
    denying = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": revoked}
    shared = role(document(trust(PULLER)), PULL_ALL, document(denying))
    assert verdicts(estate(shared, repositories=BOTH[:1])) == {(PULLER, "release"): "allowed"}


@pytest.mark.parametrize(
    ("members", "condition", "verdict"),
    [
        (frozenset({OTHER}), {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}, "unknown"),
        (frozenset({OTHER}), {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-1/*"}}, None),
        (frozenset({CONSUMER}), {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}, "allowed"),
    ],
)
def test_accounts_outside_the_organization(members: frozenset[str], condition: Any, verdict: str | None) -> None:
    shared = role(document(trust(root(CONSUMER), condition)), PULL_ALL)
    audited = estate(shared, repositories=BOTH[:1], organization="o-1", member_accounts=members)
    assert verdicts(audited).get((root(CONSUMER), "release")) == verdict


@pytest.mark.parametrize(
    ("path", "repository_name", "unknown"),
    [
        ("replication", "release", {"describe", "pull"}),
        ("pull_through_cache", "release", {"push"}),
        ("creation_template", "*", {"describe", "pull", "push", "delete", "tag"}),
        ("repositories", "*", {"describe", "pull", "push", "delete", "tag"}),
    ],
)
def test_access_paths_that_cannot_be_read_are_unknown(path: str, repository_name: str, unknown: set[str]) -> None:
    [row] = rows_of(estate(repositories=BOTH[:1], unseen=(Unseen("it", "AWS denies it", path, REGION),))).values()
    assert (row.outsider.name, row.repository) == ("*", repository_name)
    assert {action for action, verdict in row.access.actions.items() if verdict == "unknown"} == unknown
    assert row.access.reasons["push" if path == "pull_through_cache" else "pull"].endswith("AWS denies it")
    assert [one.path for one in row.access.paths] == ["role" if path == "repositories" else path]


def user(*statements: dict[str, Any], **more: Any) -> IamPrincipal:
    arn = f"arn:aws:iam::{OWNER}:user/team/admin"
    return IamPrincipal(arn, (PolicyDocument(f"inline policy of user {arn}", document(*statements)),), **more)


NO_MFA = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
TAG = {"Action": "ecr:TagResource", "Resource": "*"}
CREATE = {"Action": ["ecr:CreateRepository", "ecr:TagResource"], "Resource": f"arn:aws:ecr:*:{OWNER}:repository/team-*"}


@pytest.mark.parametrize(
    ("setter", "registry", "actions"),
    [
        (user(TAG, {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": NO_MFA}), None, {"ecr:TagResource"}),
        (user({**TAG, "Resource": f"arn:aws:ecr:*:{OWNER}:repository/develop"}), None, {"ecr:TagResource"}),
        (user({**TAG, "Condition": {"StringEquals": {"aws:PrincipalTag/team": "a"}}}), None, None),
        (user(CREATE), None, {"ecr:TagResource", "ecr:CreateRepository"}),
        (user({"Action": "s3:*", "Resource": "*"}), {**TAG, "Principal": {"AWS": root(OWNER)}}, None),
        (user(TAG), {**TAG, "Principal": "*", "Effect": "Deny"}, None),
        (user({"Action": "s3:*", "Resource": "*"}),
         {**TAG, "Principal": {"AWS": f"arn:aws:iam::{OWNER}:user/team/admin"}}, {"ecr:TagResource"}),
        (user(TAG, boundary=PolicyDocument("boundary", document({"Action": "s3:*", "Resource": "*"}))), None, None),
    ],
)  # fmt: skip
def test_users_who_may_set_a_tag(setter: IamPrincipal, registry: Any, actions: set[str] | None) -> None:
    equal = (repository("release"), repository("develop"))
    found = tag_setters(estate(setter, repositories=equal, registry=registry and document(registry)))
    assert [set(one.actions) for one in found] == ([] if actions is None else [actions])
    assert {one.verdict for one in found} <= {"allowed"}


@pytest.mark.parametrize(
    ("condition", "is_able"),
    [
        ({"StringEquals": {"aws:RequestTag/environment": "release"}}, True),
        ({"StringEquals": {"ecr:RequestTag/environment": "release"}}, True),
        ({"StringEquals": {"aws:RequestTag/environment": "develop"}}, False),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["environment"]}}, True),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["team"]}}, False),
        ({"Null": {"aws:TagKeys": "true"}}, False),
        ({"StringEquals": {"ecr:ResourceTag/environment": "release"}}, True),
        ({"Null": {"aws:RequestTag/team": "true"}}, True),
    ],
)
def test_a_request_to_tag_has_the_tags_that_share(condition: dict[str, Any], is_able: bool) -> None:
    audited = estate(
        user({**TAG, "Condition": condition}), repositories=BOTH, requested_tags={"environment": "release"}
    )
    assert [one.actions for one in tag_setters(audited)] == ([("ecr:TagResource",)] if is_able else [])


def test_a_request_to_pull_has_no_tags() -> None:
    granted = {"Action": PULL, "Resource": "*", "Condition": {"Null": {"aws:TagKeys": "true"}}}
    shared = role(document(trust(PULLER)), document(granted))
    audited = estate(shared, repositories=BOTH[:1], requested_tags={"environment": "release"})
    assert verdicts(audited) == {(PULLER, "release"): "allowed"}


DEEP: Any = []
for _ in range(500):
    DEEP = [DEEP]
MALFORMED: tuple[Any, ...] = (
    "x" * 10_000,
    "",
    {"Statement": [{"Effect": "Allow", "Principal": {"AWS": ["x" * 10_000, "arn:" + "a:" * 5_000]}, "Action": "*"}]},
    {"Statement": [{"Effect": "Allow", "Principal": {"AWS": {}}, "Action": "*", "Resource": "*"}]},
    {"Version": "2012-10-17", "Statement": "x" * 10_000},
    {"Version": {}, "Statement": []},
    {"Version": ["2012-10-17"], "Statement": {"Effect": ["Allow"], "Action": "*"}},
    {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": ["*" * 10_000], "Resource": "${" * 5_000}]},
    {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:*", "Resource": ["?*" * 3_000, "*:" * 3_000]}]},
    {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*",
                    "Condition": {"StringLike": {"aws:PrincipalArn": ["", ":", "a:b:c:d:e:f", "arn:*:*:*:*:*", "*" * 9],
                                                 "aws:PrincipalOrgID": ["", "*"], "sts:ExternalId": ""},
                                  "NumericLessThan": {"sts:DurationSeconds": ["9" * 9_000, "x", ""]},
                                  "Unknown": {"": ""}}}]},
    {"Statement": DEEP},
    {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Condition": DEEP}]},
    {"Statement": [None, 1, [], {}]},
)  # fmt: skip


@pytest.mark.parametrize("hostile", MALFORMED)
@pytest.mark.parametrize("place", ["trust", "permissions", "boundary", "repository", "registry"])
def test_malformed_policies_never_end_an_audit(place: str, hostile: Any) -> None:
    documents = {
        "trust": document(trust(PULLER)),
        "permissions": PULL_ALL,
        "boundary": PULL_ALL,
        "repository": None,
        "registry": None,
        place: hostile,
    }
    boundary = PolicyDocument("permissions boundary", documents["boundary"])
    shared: IamPrincipal = role(documents["trust"], documents["permissions"], boundary=boundary)
    repositories = (repository("release", documents["repository"]), BOTH[1])
    audited: Estate = estate(shared, repositories=repositories, registry=documents["registry"])
    rows = [row.as_json() for row in audit_access(audited).rows]
    assert json.dumps([rows, [setter.as_json() for setter in tag_setters(audited)]])
    is_unknown = "unknown" in {verdict for row in rows for verdict in row["actions"].values()}
    assert is_unknown or isinstance(hostile, dict)


GITHUB = "token.actions.githubusercontent.com"
OIDC, SAML = f"arn:aws:iam::{OWNER}:oidc-provider/{GITHUB}", f"arn:aws:iam::{OWNER}:saml-provider/idp"


@pytest.mark.parametrize(
    ("provider", "condition", "verdict"),
    [
        (OIDC, {"StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"}, "StringLike": {f"{GITHUB}:sub": "repo:o/r:*"}},
         "allowed"),
        (OIDC, {"ForAnyValue:StringLike": {f"{GITHUB}:sub": ["repo:o/*", "repo:p/*"]}}, "allowed"),
        (OIDC, {"ForAllValues:StringLike": {f"{GITHUB}:sub": "repo:o/*"}, "Null": {f"{GITHUB}:sub": "false"}},
         "allowed"),
        (OIDC, {"StringEquals": {"aws:FederatedProvider": OIDC}}, "allowed"),
        (OIDC, {"StringEquals": {"aws:FederatedProvider": SAML}}, None),
        (OIDC, {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, "unknown"),
        (SAML, {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml", "saml:iss": "idp"}}, "allowed"),
        (SAML, {"StringEquals": {"sts:ExternalId": "one"}}, None),
        (OIDC, {"Bool": {"aws:MultiFactorAuthPresent": "true"}}, None),
        (SAML, {"DateLessThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}, None),
    ],
)  # fmt: skip
def test_conditions_on_identity_providers(provider: str, condition: Any, verdict: str | None) -> None:
    action = "sts:AssumeRoleWithSAML" if provider == SAML else "sts:AssumeRoleWithWebIdentity"
    statement = trust({"Federated": provider}, condition, Action=action)
    found = verdicts(estate(role(document(statement), PULL_ALL), repositories=BOTH[:1]))
    assert found.get((provider, "release")) == verdict


LAMBDA = "lambda.amazonaws.com"


@pytest.mark.parametrize(
    ("condition", "verdict"),
    [
        ({"ArnLike": {"aws:SourceArn": f"arn:aws:lambda:*:{CONSUMER}:function:*"}}, "allowed"),
        ({"StringEquals": {"aws:SourceAccount": CONSUMER}, "Bool": {"aws:PrincipalIsAWSService": "true"}}, "allowed"),
        ({"Bool": {"aws:PrincipalIsAWSService": "false"}}, None),
        ({"StringEquals": {"aws:PrincipalServiceName": "ec2.amazonaws.com"}}, None),
    ],
)
def test_conditions_on_services(condition: Any, verdict: str | None) -> None:
    granting = {"Principal": {"Service": LAMBDA}, "Action": PULL, "Condition": condition}
    found = verdicts(estate(repositories=(repository("release", document(granting)),)))
    assert found.get((LAMBDA, "release")) == verdict
