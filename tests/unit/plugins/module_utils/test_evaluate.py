# SPDX-License-Identifier: GPL-3.0-or-later
"""How the policies of a request are combined."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._context import Context
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import Decision, Policies, decide
from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import Principal
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Request

from tests.unit.callers import CALLERS, ONE, OWNER, PROVIDER, ROLE, ROOT, SESSION, TWO, USER

TRUSTED = f"arn:aws:iam::{OWNER}:role/pull"
REPOSITORY = f"arn:aws:ecr:eu-west-1:{OWNER}:repository/release"


def policy(effect: str = "Allow", principal: Any = None, **more: Any) -> dict[str, Any]:
    """A document with one statement: an identity policy, or the policy of a resource if there is a principal."""
    target: dict[str, Any] = {"Resource": "*"} if principal is None else {"Principal": principal}
    if "NotResource" in more:
        target = {}
    return {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": "*", **target, **more}]}


def ask(caller: str = "user", account: str = ONE, action: str = "ecr:BatchGetImage", **policies: Any) -> Decision:
    resource = TRUSTED if action.startswith("sts:") else REPOSITORY
    return decide(Request(action, resource, account, CALLERS[caller], Context()), Policies(**policies))


ALLOW, DENY = policy(), policy("Deny")
UNCLEAR = policy(Condition={"StringMatches": {"a": "b"}})
UNCLEAR_DENY = policy("Deny", Condition={"StringMatches": {"a": "b"}})


@pytest.mark.parametrize(
    ("policies", "verdict"),
    [
        ({}, "denied"),
        ({"identity": [ALLOW]}, "allowed"),
        ({"identity": [policy(Resource="*x"), ALLOW]}, "allowed"),
        ({"identity": [ALLOW, DENY]}, "denied"),
        ({"identity": [DENY, ALLOW]}, "denied"),
        ({"identity": [UNCLEAR]}, "unknown"),
        ({"identity": [UNCLEAR, ALLOW]}, "allowed"),
        ({"identity": [ALLOW, UNCLEAR_DENY]}, "unknown"),
        ({"identity": [UNCLEAR_DENY]}, "denied"),
        ({"identity": [{"Statement": []}]}, "denied"),
        ({"identity": [{}]}, "unknown"),
        ({"identity": [{}, DENY]}, "denied"),
        ({"identity": [{}, ALLOW]}, "unknown"),
        ({"identity": [ALLOW], "boundary": policy(Action="s3:*")}, "denied"),
        ({"identity": [ALLOW], "boundary": ALLOW}, "allowed"),
        ({"identity": [ALLOW], "boundary": DENY}, "denied"),
        ({"identity": [ALLOW], "boundary": UNCLEAR}, "unknown"),
        ({"boundary": ALLOW}, "denied"),
        ({"identity": [ALLOW], "session": [policy(Action="s3:*")]}, "denied"),
        ({"identity": [ALLOW], "session": [policy(Action="s3:*"), ALLOW]}, "allowed"),
        ({"identity": [ALLOW], "session": [ALLOW], "boundary": policy(Action="s3:*")}, "denied"),
        ({"identity": [ALLOW], "resource": policy("Deny", "*")}, "denied"),
        ({"identity": [ALLOW], "resource": policy("Deny", {"AWS": TWO})}, "allowed"),
        ({"resource": policy(principal={"AWS": USER})}, "allowed"),
        ({"resource": policy(principal="*")}, "allowed"),
        ({"resource": policy(principal={"AWS": ROOT})}, "denied"),
        ({"resource": policy(principal={"AWS": ROOT}), "identity": [ALLOW]}, "allowed"),
        ({"resource": policy(principal={"AWS": USER}), "boundary": policy(Action="s3:*")}, "allowed"),
        ({"resource": policy(principal={"AWS": USER}), "boundary": DENY}, "denied"),
        ({"resource": policy(principal={"AWS": TWO})}, "denied"),
        ({"resource": {"Statement": 1}}, "unknown"),
    ],
)
def test_access_within_an_account(policies: dict[str, Any], verdict: str) -> None:
    assert ask(**policies).verdict == verdict


@pytest.mark.parametrize("principal", [{"AWS": USER}, {"AWS": ROOT}, "*"])
def test_across_accounts_both_sides_must_allow(principal: Any) -> None:
    resource = policy(principal=principal)
    assert ask(account=OWNER, identity=[ALLOW], resource=resource).verdict == "allowed"
    assert ask(account=OWNER, resource=resource).verdict == "denied"
    assert ask(account=OWNER, identity=[ALLOW]).verdict == "denied"
    assert ask(account=OWNER, identity=[ALLOW], resource=policy(principal={"AWS": TWO})).verdict == "denied"
    assert ask(account=OWNER, identity=[UNCLEAR], resource=resource).verdict == "unknown"
    assert ask(account=OWNER, identity=[ALLOW], resource=resource, boundary=policy(Action="s3:*")).verdict == "denied"


@pytest.mark.parametrize(
    ("caller", "verdict"), [("role", "denied"), ("session", "denied"), ("session with path", "denied")]
)
def test_boundary_limits_grants_to_roles_not_to_sessions(caller: str, verdict: str) -> None:
    limit = policy(Action="s3:*")
    assert ask(caller, resource=policy(principal={"AWS": ROLE}), boundary=limit).verdict == verdict
    granted = ask("session", resource=policy(principal={"AWS": SESSION}), session=[limit], boundary=limit)
    assert granted.verdict == "allowed"


def test_a_trust_policy_must_allow_in_any_case() -> None:
    action = "sts:AssumeRole"
    assert ask(action=action, identity=[ALLOW], resource=policy(principal={"AWS": TWO})).verdict == "denied"
    assert ask(action=action, identity=[ALLOW], resource=policy(principal={"AWS": ROOT})).verdict == "allowed"
    assert ask(action=action, resource=policy(principal={"AWS": ROOT})).verdict == "denied"
    assert ask(action=action, resource=policy(principal={"AWS": USER})).verdict == "allowed"


def test_services_and_providers_have_no_identity_policies() -> None:
    assert ask("service", resource=policy(principal={"Service": "ec2.amazonaws.com"})).verdict == "allowed"
    assert ask("provider", resource=policy(principal={"Federated": PROVIDER})).verdict == "allowed"
    assert ask("service", identity=[ALLOW], resource=policy(principal={"AWS": ROOT})).verdict == "denied"


def test_the_root_user_is_not_judged() -> None:
    assert ask("root", identity=[ALLOW]).verdict == "unknown"
    assert ask("root", resource=policy("Deny", "*")).verdict == "denied"


def test_a_caller_of_an_unknown_account_may_be_of_any() -> None:
    resource = policy(principal="*")
    request = Request("ecr:BatchGetImage", REPOSITORY, OWNER, Principal(), Context())
    found = decide(request, Policies(identity=[ALLOW], resource=resource))
    assert (found.verdict, found.reason) == ("unknown", "the account of the caller is not known")
    assert decide(request, Policies(identity=[ALLOW], resource=policy("Deny", "*"))).verdict == "denied"


def test_the_reason_names_the_policy_of_the_session() -> None:
    assert ask(identity=[ALLOW], session=[ALLOW, DENY]).reason == "statement 1 of session policy 2 denies it"


def test_the_reason_names_the_statement() -> None:
    two = {"Version": "2012-10-17", "Statement": [*policy(Action="s3:*")["Statement"], *ALLOW["Statement"]]}
    assert ask(identity=[DENY, two]).reason == "statement 1 of identity policy 1 denies it"
    assert ask(identity=[two]).reason == "statement 2 of identity policy 1 allows it"
    assert ask().reason == "no statement allows it"
    assert ask(identity=[UNCLEAR]).reason == (
        "statement 1 of identity policy 1: StringMatches is not a condition operator"
    )
    assert ask(identity=[ALLOW, UNCLEAR_DENY]).reason.startswith(
        "whether it is denied: statement 1 of identity policy 2"
    )


@pytest.mark.parametrize("document", [None, {"Version": "2020-01-01", "Statement": []}, policy("allow")])
def test_a_policy_that_iam_rejects_is_unknown_with_the_reason(document: Any) -> None:
    decision = ask(identity=[document])
    assert (decision.verdict, "identity policy 1" in decision.reason) == ("unknown", True)
