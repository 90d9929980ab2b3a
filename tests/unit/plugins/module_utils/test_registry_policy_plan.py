# SPDX-License-Identifier: GPL-3.0-or-later
"""The merge of a declared statement into the policy of a registry."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_merge import read_policy, rejected
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_policy_declaration import (
    StatementDeclaration,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_policy_plan import (
    MergedPolicy,
    merge_statement,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_selection import Selection

OWNER, CONSUMER = "111111111111", "222222222222"
REGISTRY = Identity("aws", CONSUMER)
SID = f"CrossaccountEcrReplication{OWNER}"
ROOT = f"arn:aws:iam::{OWNER}:root"


def declared(*prefixes: str, sid: str = SID, source: object = OWNER, **options: Any) -> StatementDeclaration:
    return StatementDeclaration(source, sid, Selection(prefixes, not prefixes), **options)


def merge(policy: dict[str, Any] | None, wanted: StatementDeclaration) -> MergedPolicy:
    return merge_statement(policy, wanted, wanted.statement(REGISTRY, "eu-west-1"))


def ours(*prefixes: str, **changed: Any) -> dict[str, Any]:
    """The statement, as the console of AWS may write it."""
    resources = [f"arn:aws:ecr:eu-west-1:{CONSUMER}:repository/{prefix}*" for prefix in prefixes or ("",)]
    return {
        "Sid": SID,
        "Effect": "Allow",
        "Principal": {"AWS": ROOT},
        "Action": ["ecr:CreateRepository", "ecr:ReplicateImage"],
        "Resource": resources,
        **changed,
    }


def policy(*statements: dict[str, Any], **elements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", **elements, "Statement": list(statements)}


THEIRS = {"Sid": "theirs", "Effect": "Deny", "Principal": "*", "Action": "ecr:TagResource", "Resource": "*"}
NARROW = ours("release", Action=["ecr:ReplicateImage"])


@pytest.mark.parametrize(
    ("before", "wanted", "after"),
    [
        (None, declared("release"), policy(ours("release"))),
        (policy(THEIRS), declared("release"), policy(THEIRS, ours("release"))),
        ({"Statement": THEIRS, "Id": "x"}, declared(), {"Statement": [THEIRS, ours()], "Id": "x"}),
        # Another spelling of the same statement
        (policy(ours("release", Principal={"AWS": [OWNER]}), THEIRS), declared("release"), ...),
        (policy(ours("release"), THEIRS), declared("develop"), policy(ours("develop"), THEIRS)),
        (policy(ours("release")), declared("release", creates=False), policy(NARROW)),
        (policy(NARROW), declared("release"), policy(ours("release"))),
        (policy(ours(), THEIRS), declared(is_present=False), policy(THEIRS)),
        (policy(ours()), declared(is_present=False), None),
        (policy(THEIRS), declared(is_present=False), ...),
        (None, declared(is_present=False), ...),
        (policy({**THEIRS, "Sid": SID}, THEIRS), declared(adopt=True), policy(ours(), THEIRS)),
        (policy(ours("a1"), THEIRS, ours("b1")), declared("a1"), policy(ours("a1"), THEIRS)),
    ],
)
def test_merge_keeps_every_other_statement(before: Any, wanted: StatementDeclaration, after: Any) -> None:
    result = merge(before, wanted)
    assert (result.policy, result.problems) == (before if after is ... else after, ())
    again = merge(result.policy, wanted)
    assert (again.policy, again.problems) == (result.policy, ())


@pytest.mark.parametrize(
    "statement",
    [
        {**THEIRS, "Sid": SID},
        ours(Principal={"AWS": "arn:aws:iam::333333333333:root"}),
        ours(Action=["ecr:*"]),
        ours(Action=["ecr:ReplicateImage", "ecr:BatchGetImage"]),
        ours(Effect="Deny"),
        ours(Condition={"Bool": {"aws:SecureTransport": "true"}}),
    ],
)
@pytest.mark.parametrize("is_present", [True, False])
def test_sid_of_another_statement_is_a_problem(statement: dict[str, Any], is_present: bool) -> None:
    (problem,) = merge(policy(statement), declared(is_present=is_present)).problems
    assert problem.startswith(
        f"Statement {SID} of the registry policy is not one that accepts replication from account"
    )


def test_several_statements_with_a_sid_of_others_are_one_problem() -> None:
    theirs = {**THEIRS, "Sid": SID}
    for statements in ([theirs, theirs], [ours(), theirs]):
        assert len(merge(policy(*statements), declared()).problems) == 1


def test_no_warning_about_the_declared_statement() -> None:
    assert merge(policy(ours(), THEIRS), declared(is_present=False)).warnings == ()


def test_policy_beyond_the_limit_is_a_problem() -> None:
    rest = len(json.dumps(policy(THEIRS, ours("release")), separators=(",", ":")))
    fitting = {**THEIRS, "Resource": "*" + "x" * (10240 - rest)}
    assert merge(policy(fitting), declared("release")).problems == ()
    (problem,) = merge(policy({**fitting, "Resource": fitting["Resource"] + "x"}), declared("release")).problems
    assert problem.startswith("The registry policy would have 10,241 characters; ECR accepts up to 10,240.")
    long = {**THEIRS, "Resource": ["x" * 10000]}
    (problem,) = merge(policy(long), declared("release")).problems
    assert problem.startswith("The registry policy would have 10,")
    # The end of a replication is always possible.
    assert merge(policy(long, ours(), long), declared(is_present=False)).problems == ()


@pytest.mark.parametrize("action", ["ecr:*", "*", "ecr:replicateimage"])
@pytest.mark.parametrize("principal", ["*", {"AWS": ROOT}, {"AWS": ["9" * 12, OWNER]}])
def test_other_statements_that_decide_are_warnings(action: str, principal: Any) -> None:
    other = {**THEIRS, "Action": action, "Principal": principal}
    (warning,) = merge(policy(other), declared()).warnings
    assert warning.startswith("Statement theirs of the registry policy may deny replication from account")
    allow = {**other, "Effect": "Allow"}
    assert merge(policy(allow), declared()).warnings == ()
    (warning,) = merge(policy(allow), declared(is_present=False)).warnings
    assert warning.startswith("Statement theirs of the registry policy still accepts replication from account")


@pytest.mark.parametrize(
    "changed",
    [
        {"Principal": {"AWS": "arn:aws:iam::333333333333:root"}},
        {"Principal": {"Service": "ecr.amazonaws.com"}},
        {"Principal": {}},
        {"Action": "ecr:CreateRepository"},
        {"Action": []},
    ],
)
@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_statements_about_others_are_not_warnings(changed: dict[str, Any], effect: str) -> None:
    other = {**THEIRS, "Action": "ecr:*", "Effect": effect, **changed}
    assert merge(policy(other), declared(is_present=False)).warnings == ()


def test_warning_about_a_statement_without_a_sid() -> None:
    other = {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}
    (warning,) = merge(policy(other), declared()).warnings
    assert warning.startswith("Statement without a Sid of the registry policy may deny")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "{",
        '{"Statement": [1]}',
        '{"Statement": "x"}',
        '{"Statement": [], "Statement": []}',
        '{"Statement": [{"Effect": "Allow", "Effect": "Deny"}]}',
        '{"Statement": [{"Action": {}}]}',
        "[" * 100000,
    ],
)
def test_policy_that_cannot_be_merged_is_an_error(text: str) -> None:
    with pytest.raises(EcrError, match=r"^The registry policy of x is not a valid policy\. Nothing was written"):
        read_policy(text, "registry policy of x")


def test_policy_is_read_with_all_its_elements() -> None:
    document = policy(THEIRS, Id="x")
    assert read_policy(json.dumps(document), "registry policy") == document


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, declared()),
        ({"sid": "Own", "create_repositories": False}, declared(sid="Own", creates=False)),
        ({"adopt": True, "prefixes": ["release"], "all_repositories": False}, declared("release", adopt=True)),
        ({"state": "absent"}, declared(is_present=False)),
        (
            {"source_account": None, "cache_account": OWNER, "cache_role": "/team/ecr-cache"},
            declared(sid=f"CrossaccountEcrCache{OWNER}", cache_role="team/ecr-cache"),
        ),
    ],
)
def test_declaration_of_the_options(changed: dict[str, Any], expected: StatementDeclaration) -> None:
    params = {
        "source_account": OWNER,
        "cache_account": None,
        "cache_role": None,
        "sid": None,
        "prefixes": None,
        "all_repositories": True,
        "create_repositories": True,
        "adopt": False,
        "state": "present",
    }
    assert StatementDeclaration.of({**params, **changed}) == expected


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        (declared(source=111111111111), "source_account: 111111111111 is a number"),
        (declared(sid="with space"), "sid 'with space' needs 1 to 100 letters and digits."),
        (StatementDeclaration(OWNER, SID, Selection(())), "prefixes is empty."),
    ],
)
def test_invalid_declaration_is_a_problem(wanted: StatementDeclaration, part: str) -> None:
    (problem,) = wanted.problems()
    assert part in problem


def test_registry_needs_no_policy_for_its_own_account() -> None:
    (problem,) = declared().problems_in(Identity("aws", OWNER))
    assert "Replication within an account needs no registry policy." in problem
    assert list(declared().problems_in(REGISTRY)) == []


def test_rejected_policy_names_deleted_principals() -> None:
    gone = {**THEIRS, "Principal": {"AWS": "AIDA12345678901234567"}}
    assert "AIDA12345678901234567" in rejected(policy(gone))
    assert rejected(policy(THEIRS)) == rejected(None) == ""


def cache(*prefixes: str, **options: Any) -> StatementDeclaration:
    options = {"sid": "CrossaccountEcrCache111111111111", "cache_role": "team/ecr-cache", **options}
    return declared(*prefixes, **options)


def test_statement_of_a_cache_accepts_only_its_role() -> None:
    statement = cache("release").statement(REGISTRY, "eu-west-1")
    assert statement["Principal"] == {"AWS": ROOT}
    role = f"arn:aws:iam::{OWNER}:role/team/ecr-cache"
    assert statement["Condition"] == {"ArnEquals": {"aws:PrincipalArn": role}}
    assert statement["Resource"] == [f"arn:aws:ecr:eu-west-1:{CONSUMER}:repository/release*"]
    assert merge(policy(THEIRS, statement), cache("release")).policy == policy(THEIRS, statement)
    assert merge(policy(statement), cache(is_present=False)).policy is None
    for foreign in (
        {**statement, "Action": "ecr:*"},
        {**statement, "Condition": {}},
        {**ours(), "Sid": statement["Sid"]},
    ):
        (problem,) = merge(policy(foreign), cache()).problems
        assert "is not one that accepts a cache of account 111111111111." in problem
    narrower = {**statement, "Action": ["ecr:BatchGetImage"]}
    assert merge(policy(narrower), cache("release")) == MergedPolicy(policy(statement), (), ())
    deny = {**THEIRS, "Action": "ecr:Batch*"}
    (warning,) = merge(policy(deny), cache()).warnings
    assert "may deny a cache of account 111111111111." in warning


@pytest.mark.parametrize(
    ("wanted", "registry", "part"),
    [
        (cache(), OWNER, "A cache within an account needs no registry policy."),
        (cache(cache_role="ecr*"), CONSUMER, "cache_role: Role name 'ecr*' must have 1 to 64 of"),
        (cache(cache_role="a b"), CONSUMER, "cache_role: Role name 'a b' must have 1 to 64 of"),
    ],
)
def test_wrong_cache_is_a_problem(wanted: StatementDeclaration, registry: str, part: str) -> None:
    (problem,) = (*wanted.problems(), *wanted.problems_in(Identity("aws", registry)))
    assert part in problem
