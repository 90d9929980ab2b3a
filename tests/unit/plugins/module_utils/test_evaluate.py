"""Decisions: which principals a statement names, and how the policies of a request are combined."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._context import Context
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import Decision, Policies, decide
from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import Principal, includes, read_names
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Request

OWNER, ONE, TWO = "111111111111", "222222222222", "333333333333"
USER = f"arn:aws:iam::{ONE}:user/team/puller"
SESSION = f"arn:aws:sts::{ONE}:assumed-role/deployer/build"
ROLE = f"arn:aws:iam::{ONE}:role/ci/deployer"
ROOT = f"arn:aws:iam::{ONE}:root"
PROVIDER = f"arn:aws:iam::{OWNER}:oidc-provider/example.com"
CALLERS = {
    "user": Principal.of(USER, unique_id="AIDAEXAMPLEEXAMPLE123"),
    "session": Principal.of(SESSION, unique_id="AROAEXAMPLEEXAMPLE123:build"),
    "session with path": Principal.of(SESSION, ROLE),
    "role": Principal.of(ROLE),
    "root": Principal.of(ROOT),
    "service": Principal("Service", "ec2.amazonaws.com"),
    "provider": Principal("Federated", PROVIDER),
    "canonical": Principal("CanonicalUser", "79a59df900b949e5"),
    "someone of the account": Principal(account=ONE),
    "someone": Principal(),
}
AWS_CALLERS = {"user", "session", "session with path", "role", "root", "someone of the account", "someone"}
OF_THE_ACCOUNT = AWS_CALLERS - {"someone"}
OTHER_KINDS = set(CALLERS) - AWS_CALLERS


@pytest.mark.parametrize(
    ("principal", "named", "unknown"),
    [
        ("*", AWS_CALLERS, OTHER_KINDS),
        ({"AWS": "*"}, AWS_CALLERS, OTHER_KINDS),
        ({"AWS": ONE}, OF_THE_ACCOUNT, {"someone"}),
        ({"AWS": ROOT}, OF_THE_ACCOUNT, {"someone"}),
        ({"AWS": [TWO, ONE]}, OF_THE_ACCOUNT, {"someone"}),
        ({"AWS": TWO}, set(), {"someone"}),
        ({"AWS": USER}, {"user"}, {"someone", "someone of the account"}),
        ({"AWS": USER.upper()}, set(), {"someone", "someone of the account"}),
        ({"AWS": ROLE}, {"session", "session with path", "role"}, {"someone", "someone of the account"}),
        ({"AWS": ROLE.replace(ONE, TWO)}, set(), {"someone"}),
        ({"AWS": ROLE.replace("role", "user")}, set(), {"someone", "someone of the account"}),
        ({"AWS": SESSION}, {"session", "session with path"}, {"someone", "someone of the account"}),
        ({"AWS": SESSION + "2"}, set(), {"someone", "someone of the account"}),
        ({"AWS": f"arn:aws:iam::{ONE}:user/*"}, set(), AWS_CALLERS),  # IAM does not accept it
        ({"AWS": "AIDAEXAMPLEEXAMPLE123"}, {"user"}, set()),
        ({"AWS": "AROAEXAMPLEEXAMPLE123"}, {"session"}, set()),
        ({"Service": "ec2.amazonaws.com"}, {"service"}, set()),
        ({"Service": ["ecs.amazonaws.com", "ec2.amazonaws.com"]}, {"service"}, set()),
        ({"Service": "ecs.amazonaws.com"}, set(), set()),
        ({"Federated": PROVIDER}, {"provider"}, set()),
        ({"CanonicalUser": "79a59df900b949e5"}, {"canonical"}, set()),
        ({"Service": "ec2.amazonaws.com", "AWS": USER}, {"service", "user"}, {"someone", "someone of the account"}),
    ],
)
def test_a_principal_is_named(principal: Any, named: set[str], unknown: set[str]) -> None:
    answers = {name: includes(read_names(principal, False), caller).holds for name, caller in CALLERS.items()}
    assert {name for name, answer in answers.items() if answer} == named
    assert {name for name, answer in answers.items() if answer is None} == unknown


@pytest.mark.parametrize(
    ("listed", "caller", "applies"),
    [
        ({"AWS": [USER, ROOT]}, "user", False),
        ({"AWS": [USER, ONE]}, "user", False),
        ({"AWS": USER}, "user", None),  # AWS may compare the account first
        ({"AWS": ROOT}, "user", None),
        ({"AWS": [f"{USER}2", TWO]}, "user", True),
        ({"AWS": [ROLE, ROOT]}, "session", False),
        ({"AWS": [SESSION, ROOT]}, "session", False),
        ({"AWS": SESSION}, "session", None),
        ({"AWS": USER}, "session", True),
        ({"AWS": "*"}, "user", False),
        ({"Service": "ec2.amazonaws.com"}, "service", False),
        ({"Service": "ec2.amazonaws.com"}, "user", True),
        ({"AWS": USER}, "service", True),
        ({"AWS": USER}, "someone", None),
        ({"AWS": TWO}, "someone of the account", True),
    ],
)
def test_a_principal_is_exempt(listed: Any, caller: str, applies: bool | None) -> None:
    assert includes(read_names(listed, True), CALLERS[caller]).holds is applies


@pytest.mark.parametrize("value", ["someone", "", {}, [], None, {"AWS": 1}, {"AWS": [None]}, {"User": "x"}, ["*"]])
def test_a_principal_of_another_form_is_rejected(value: Any) -> None:
    with pytest.raises(ValueError, match="its Principal"):
        read_names(value, False)


@pytest.mark.parametrize("arn", ["", "user", "arn:aws:s3:::bucket", "arn:aws:iam::1:user/a"])
def test_what_is_not_an_arn_of_a_principal_is_rejected(arn: str) -> None:
    with pytest.raises(ValueError, match="is not the ARN of a principal"):
        Principal.of(arn)


# --- how the policies are combined ---------------------------------------------------------------------------------

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
        ({"identity": [{}, DENY]}, "unknown"),
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
def test_within_an_account(policies: dict[str, Any], verdict: str) -> None:
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
def test_a_grant_to_a_role_is_limited_and_a_grant_to_a_session_is_not(caller: str, verdict: str) -> None:
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


@pytest.mark.parametrize(
    ("element", "value", "verdict"),
    [
        ("Action", "ECR:batchgetimage", "allowed"),
        ("Action", ["ecr:Get*", "ecr:Batch?etImage"], "allowed"),
        ("Action", "[e]cr:*", "denied"),
        ("Action", [], "denied"),
        ("NotAction", "iam:*", "allowed"),
        ("NotAction", ["iam:*", "ecr:*image"], "denied"),
        ("Resource", REPOSITORY, "allowed"),
        ("Resource", REPOSITORY.upper(), "denied"),
        ("Resource", "arn:aws:ecr:*:repository/*", "allowed"),
        ("Resource", "*release", "unknown"),
        ("Resource", "arn:aws:ecr:eu-west-1:${aws:missing, '111111111111'}:repository/release", "allowed"),
        ("Resource", "${aws:missing}*", "denied"),
        ("NotResource", REPOSITORY, "denied"),
        ("NotResource", "arn:aws:s3:::*", "allowed"),
        ("NotResource", "*release", "unknown"),
    ],
)
def test_the_elements_of_a_statement(element: str, value: Any, verdict: str) -> None:
    document = policy(**{element: value})
    if element == "NotAction":
        del document["Statement"][0]["Action"]
    assert ask(identity=[document]).verdict == verdict


def test_variables_are_text_in_the_older_version() -> None:
    document = policy(Condition={"StringEquals": {"a": "${*}"}})
    context = Context.of({"a": ["${*}"]})
    question = Request("ecr:BatchGetImage", REPOSITORY, ONE, CALLERS["user"], context)
    assert decide(question, Policies([document])).verdict == "denied"
    for older in ({**document, "Version": "2008-10-17"}, {"Statement": document["Statement"]}):
        assert decide(question, Policies([older])).verdict == "allowed"


@pytest.mark.parametrize(
    "changed",
    [
        {"Effect": "allow"},
        {"Effect": ["Allow"]},
        {"Action": 1},
        {"Action": [["ecr:*"]]},
        {"NotAction": "ecr:*"},
        {"Resource": None},
        {"NotResource": "*"},
        {"Principal": "*"},
        {"Condition": "odd"},
        {"Comment": "odd"},
    ],
)
def test_a_policy_that_iam_would_not_accept_is_unknown_with_the_reason(changed: dict[str, Any]) -> None:
    document = policy()
    document["Statement"][0].update(Sid="Mine", **changed)
    decision = ask(identity=[document])
    assert decision.verdict == "unknown"
    assert decision.reason.startswith("statement 1 (Mine) of identity policy 1 cannot be read: ")


@pytest.mark.parametrize("document", [None, 1, [], "x", {"Version": "2020-01-01", "Statement": []}])
def test_what_is_not_a_policy_is_unknown(document: Any) -> None:
    assert ask(identity=[document]).reason.startswith("identity policy 1 ")


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
