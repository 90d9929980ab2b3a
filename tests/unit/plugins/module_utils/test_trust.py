"""Which principals lose access and which gain access when a trust policy changes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _plan, _policy, _trust
from ansible_collections.crossaccount.ecr.plugins.module_utils._access import access_change
from ansible_collections.crossaccount.ecr.plugins.module_utils._plan import RoleState

OWNER, CONSUMER, STRANGER = "111111111111", "222222222222", "333333333333"
ROOT, PULLER = f"arn:aws:iam::{CONSUMER}:root", f"arn:aws:iam::{CONSUMER}:user/puller"
WHOLE = _policy.Consumer(CONSUMER, (), "id-one")
NAMED = _policy.Consumer(CONSUMER, ("user/puller", "role/ci"), "id-one")
BY_CONDITION = _policy.Consumer(CONSUMER, ("user/puller", "role/ci"), "id-one", "condition")
MFA = _policy.Consumer(CONSUMER, (), "id-one", require_mfa=True)
EXTERNAL_ID = {"StringEquals": {"sts:ExternalId": "id-one"}}


def trust(*parts: Any) -> dict[str, Any]:
    """A trust policy of consumers and statements."""
    found = [
        *_policy.trust_document("aws", [one for one in parts if isinstance(one, _policy.Consumer)])["Statement"],
        *(one for one in parts if isinstance(one, dict)),
    ]
    return {"Version": "2012-10-17", "Statement": found}


def allow(principal: Any, condition: dict[str, Any] | None = None, **elements: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **elements}
    statement = {**statement, "Condition": condition} if condition else statement
    return {key: value for key, value in statement.items() if value is not None}


def labels(entries: list[_trust.Entry]) -> list[str]:
    return [entry.label for entry in entries]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (trust(WHOLE), trust(WHOLE)),
        (trust(allow({"AWS": CONSUMER}, EXTERNAL_ID, Sid="X", Action=["STS:assumerole"])), trust(WHOLE)),
        (trust(NAMED), trust(BY_CONDITION)),
        (trust(BY_CONDITION), trust(NAMED)),
        (trust(NAMED), trust(_policy.Consumer(CONSUMER, ("role/ci", "user/puller", "user/new"), "id-one"))),
        # More conditions can only narrow, whatever they are.
        (trust(MFA), trust(WHOLE)),
        (trust(allow({"AWS": ROOT}, {**EXTERNAL_ID, "IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})), trust(WHOLE)),
        (trust(allow({"AWS": ROOT}, {**EXTERNAL_ID, "Null": {"aws:SourceIp": "true"}})), trust(WHOLE)),
        (_plan.NOBODY, trust(WHOLE)),
        (None, trust(WHOLE)),
    ],
)
def test_nothing_is_lost(before: Any, after: Any) -> None:
    assert _trust.lost(before, after) == []


OPENINGS = {
    "everyone": allow("*"),
    "every-aws-principal": allow({"AWS": "*"}),
    "service": allow({"Service": "ec2.amazonaws.com"}),
    "federated": allow({"Federated": "arn:aws:iam::111111111111:oidc-provider/example.com"}),
    "saml": allow({"Federated": "arn:aws:iam::111111111111:saml-provider/x"}, Action="sts:AssumeRoleWithSAML"),
    "canonical-user": allow({"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}),
    "not-principal": allow(None, NotPrincipal={"AWS": f"arn:aws:iam::{OWNER}:root"}),
    "negated-arn": allow({"AWS": "*"}, {"ArnNotEquals": {"aws:PrincipalArn": ROOT}, **EXTERNAL_ID}),
    "arn-like": allow({"AWS": "*"}, {"ArnLike": {"aws:PrincipalArn": PULLER}}),
    "arn-wildcard": allow({"AWS": ROOT}, {"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{CONSUMER}:user/*"}}),
    "arn-of-another-account": allow({"AWS": STRANGER}, {"ArnEquals": {"aws:PrincipalArn": PULLER}}),
    "arn-if-exists": allow({"AWS": "*"}, {"ArnEqualsIfExists": {"aws:PrincipalArn": PULLER}}),
    "no-mfa": allow({"AWS": ROOT}, {**EXTERNAL_ID, "Bool": {"aws:MultiFactorAuthPresent": "false"}}),
    "other-bool": allow({"AWS": ROOT}, {**EXTERNAL_ID, "Bool": {"aws:SecureTransport": "true"}}),
    "external-id-or-another": allow({"AWS": ROOT}, {"StringEquals": {"sts:ExternalId": ["id-one", "x"]}}),
    "external-id-like": allow({"AWS": ROOT}, {"StringLike": {"sts:ExternalId": "id-*"}}),
    "external-id-if-exists": allow({"AWS": ROOT}, {"StringEqualsIfExists": {"sts:ExternalId": "id-one"}}),
    "for-all-values": allow({"AWS": ROOT}, {"ForAllValues:StringEquals": {"sts:ExternalId": "id-one"}}),
    "no-external-id": allow({"AWS": ROOT}),
    "every-action": allow({"AWS": ROOT}, EXTERNAL_ID, Action="sts:*"),
    "not-action": allow({"AWS": ROOT}, EXTERNAL_ID, Action=None, NotAction="sts:TagSession"),
    "stranger": allow({"AWS": STRANGER}, EXTERNAL_ID),
    "deleted-user": allow({"AWS": "AIDAEXAMPLEEXAMPLE123"}, EXTERNAL_ID),
    "session": allow({"AWS": f"arn:aws:sts::{CONSUMER}:assumed-role/x/y"}, EXTERNAL_ID),
    "several-kinds": allow({"AWS": ROOT, "Service": "lambda.amazonaws.com"}, EXTERNAL_ID),
}


@pytest.mark.parametrize("opening", OPENINGS.values(), ids=OPENINGS)
def test_every_other_opening_is_lost_and_revokes_sessions(opening: dict[str, Any]) -> None:
    declared = MFA if opening in (OPENINGS["no-mfa"], OPENINGS["other-bool"]) else WHOLE
    before, after = trust(declared, opening), trust(declared)
    assert len(_trust.lost(before, after)) == 1
    there = RoleState(role_exists=True, policy_exists=True, attached=True, trust=before, permissions={})
    steps = [step.call for step in _plan.plan_role(there, RoleState(**{**vars(there), "trust": after})).steps]
    assert steps == ["begin_revocation", "update_trust", "revoke_sessions", "end_revocation"]


@pytest.mark.parametrize(
    ("opening", "label"),
    [
        ("everyone", 'anyone that the trust policy allowed by {"Principal": "*"}'),
        ("every-aws-principal", 'anyone that the trust policy allowed by {"Principal": {"AWS": "*"}}'),
        ("service", 'anyone that the trust policy allowed by {"Principal": {"Service": "ec2.amazonaws.com"}}'),
        (
            "not-principal",
            f'anyone that the trust policy allowed by {{"NotPrincipal": {{"AWS": "arn:aws:iam::{OWNER}:root"}}}}',
        ),
        (
            "negated-arn",
            'anyone that the trust policy allowed by {"Principal": {"AWS": "*"}} (external id, ArnNotEquals'
            " aws:PrincipalArn)",
        ),
        ("no-mfa", f"{CONSUMER} (external id, Bool aws:MultiFactorAuthPresent)"),
        ("every-action", f'{CONSUMER} (external id, {{"Action": "sts:*"}})'),
        ("stranger", f"{STRANGER} (external id)"),
    ],
)
def test_a_loss_names_the_principal_element_and_the_conditions(opening: str, label: str) -> None:
    assert labels(_trust.lost(trust(OPENINGS[opening]), trust(MFA))) == [label]


def test_a_label_has_no_control_characters() -> None:
    hostile = allow({"AWS": "x\x1b[2J\n"}, {"String\x07": {"k\r": "v"}})
    (label,) = labels(_trust.entries(trust(hostile)))
    assert label.isprintable() or "\n" in label
    assert "\x1b" not in label
    assert "\x07" not in label


IP = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
PAST = {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}


@pytest.mark.parametrize(
    ("before", "label"),
    [
        (trust(WHOLE), None),
        (trust(allow({"AWS": CONSUMER}, EXTERNAL_ID)), None),
        (None, f"{CONSUMER} (external id)"),
        (trust(allow("*")), f"{CONSUMER} (external id)"),  # not proven to be within
        (
            trust(allow({"AWS": ROOT}, {**EXTERNAL_ID, **IP})),
            f"{CONSUMER} (external id, now without the condition IpAddress aws:SourceIp)",
        ),
        (
            trust(allow({"AWS": ROOT}, {**EXTERNAL_ID, **IP, **PAST})),
            f"{CONSUMER} (external id, now without the condition IpAddress aws:SourceIp and the condition DateLessThan"
            " aws:CurrentTime)",
        ),
        (trust(MFA), f"{CONSUMER} (external id, now without the condition MFA)"),
        (
            trust(WHOLE, {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Condition": PAST}),
            f"{CONSUMER} (external id, now without a Deny statement)",
        ),
    ],
)
def test_a_restriction_that_ends_is_gained(before: Any, label: str | None) -> None:
    assert labels(_trust.gained(before, trust(WHOLE))) == ([label] if label else [])


def role(document: Any) -> dict[str, Any]:
    permissions = _policy.permissions_document("aws", OWNER, {"share": ("yes",)})
    return {"permissions": permissions, "trust": document, "attached": True}


REPOSITORY = {
    "name": "release",
    "arn": f"arn:aws:ecr:eu-west-1:{OWNER}:repository/release",
    "before": {"share": "yes"},
    "tags": {"share": "yes"},
}


@pytest.mark.parametrize(
    ("before", "lines"),
    [
        (
            trust(WHOLE, allow("*")),
            ['- anyone that the trust policy allowed by {"Principal": "*"} loses release'],
        ),
        (
            trust(allow({"AWS": ROOT}, {**EXTERNAL_ID, **IP})),
            [f"+ {CONSUMER} (external id, now without the condition IpAddress aws:SourceIp) can pull release"],
        ),
        (
            trust(allow({"AWS": ROOT}, {**EXTERNAL_ID, "Bool": {"aws:MultiFactorAuthPresent": "false"}}, Sid="x")),
            [f"+ {CONSUMER} (external id, now without the condition Bool aws:MultiFactorAuthPresent) can pull release"],
        ),
    ],
)
def test_the_change_of_a_trust_policy_is_reported(before: Any, lines: list[str]) -> None:
    assert access_change(role(before), role(trust(WHOLE)), [REPOSITORY])["lines"] == lines
