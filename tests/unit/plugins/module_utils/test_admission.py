# SPDX-License-Identifier: GPL-3.0-or-later
"""Which openings of a trust policy count as lost, so that the sessions of their principals are revoked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import (
    _admission,
    _consumers,
    _policy,
    _role_narrowing,
    _role_plan,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleState

OWNER, CONSUMER, STRANGER = "111111111111", "222222222222", "333333333333"
ROOT, PULLER = f"arn:aws:iam::{CONSUMER}:root", f"arn:aws:iam::{CONSUMER}:user/puller"
WHOLE = _consumers.Consumer(CONSUMER, (), "id-one")
NAMED = _consumers.Consumer(CONSUMER, ("user/puller", "role/ci"), "id-one")
BY_CONDITION = _consumers.Consumer(CONSUMER, ("user/puller", "role/ci"), "id-one", "condition")
MFA = _consumers.Consumer(CONSUMER, (), "id-one", require_mfa=True)
UNIT, LOWER_UNIT = "o-abcdefghij/r-ab12/ou-ab12-11111111", "o-abcdefghij/r-ab12/ou-ab12-11111111/ou-ab12-22222222"
MEMBERS = _consumers.Consumer(external_id="id-one", organization_id="o-abcdefghij")
IN_UNIT, IN_LOWER_UNIT = (replace(MEMBERS, organization_units=(unit,)) for unit in (UNIT, LOWER_UNIT))
EXTERNAL_ID = {"StringEquals": {"sts:ExternalId": "id-one"}}


def trust(*parts: Any) -> dict[str, Any]:
    """A trust policy of consumers and statements."""
    found = [
        *_policy.trust_document("aws", [part for part in parts if isinstance(part, _consumers.Consumer)])["Statement"],
        *(part for part in parts if isinstance(part, dict)),
    ]
    return {"Version": "2012-10-17", "Statement": found}


def allow(principal: Any, condition: dict[str, Any] | None = None, **elements: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **elements}
    statement = {**statement, "Condition": condition} if condition else statement
    return {key: value for key, value in statement.items() if value is not None}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (trust(WHOLE), trust(WHOLE)),
        (trust(allow({"AWS": CONSUMER}, EXTERNAL_ID, Sid="X", Action=["STS:assumerole"])), trust(WHOLE)),
        (trust(NAMED), trust(BY_CONDITION)),
        (trust(BY_CONDITION), trust(NAMED)),
        (trust(NAMED), trust(_consumers.Consumer(CONSUMER, ("role/ci", "user/puller", "user/new"), "id-one"))),
        # More conditions can only narrow, whatever they are.
        (trust(MFA), trust(WHOLE)),
        (trust(allow({"AWS": ROOT}, {**EXTERNAL_ID, "IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})), trust(WHOLE)),
        (trust(allow({"AWS": ROOT}, {**EXTERNAL_ID, "Null": {"aws:SourceIp": "true"}})), trust(WHOLE)),
        (trust(WHOLE, allow({"AWS": f"arn:aws:sts::{CONSUMER}:assumed-role/x/y"}, EXTERNAL_ID)), trust(WHOLE)),
        (_role_narrowing.DENY_ALL_TRUST, trust(WHOLE)),
        (trust(IN_UNIT), trust(MEMBERS)),
        (trust(IN_LOWER_UNIT), trust(IN_UNIT)),
        (trust(replace(WHOLE, organization_id="o-abcdefghij", organization_units=(UNIT,))), trust(IN_UNIT)),
        (trust(MEMBERS), trust(replace(MEMBERS, session_tags=True))),
    ],
)
def test_nothing_is_lost(before: Any, after: Any) -> None:
    assert _admission.lost_admissions(before, after) == []


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        (MEMBERS, IN_UNIT, "organization o-abcdefghij (external ID)"),
        (IN_UNIT, IN_LOWER_UNIT, f"organization o-abcdefghij (external ID, unit {UNIT})"),
        (MEMBERS, WHOLE, "organization o-abcdefghij (external ID)"),
        (WHOLE, MEMBERS, CONSUMER + " (external ID)"),
        (replace(WHOLE, session_tags=True), WHOLE, CONSUMER + " (external ID)"),
    ],
)
def test_access_is_lost(before: _consumers.Consumer, after: _consumers.Consumer, name: str) -> None:
    assert [one.label for one in _admission.lost_admissions(trust(before), trust(after))] == [name]


def test_a_statement_for_everyone_is_not_one_for_an_organization() -> None:
    """Without a condition that names one organization, the label does not name one."""
    for values in (["o-abcdefghij", "o-bbbbbbbbbb"], "o-*"):
        operator = "StringLike" if values == "o-*" else "StringEquals"
        (one,) = _admission.admissions(trust(allow("*", {operator: {"aws:PrincipalOrgID": values}})))
        assert one.principal == "everyone"


def test_deny_for_an_excluded_principal_is_not_for_others() -> None:
    others = allow(None, NotPrincipal={"AWS": ROOT})
    (one,) = _admission.admissions(trust(others, allow({"AWS": ROOT}, Effect="Deny")))
    assert (one.principal, bool(one.doubt)) == (f"everyone except {CONSUMER}", True)


OPENINGS = {
    "organization-without-condition": allow({"AWS": "*"}, EXTERNAL_ID),
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
    "several-kinds": allow({"AWS": ROOT, "Service": "lambda.amazonaws.com"}, EXTERNAL_ID),
}


@pytest.mark.parametrize("opening", OPENINGS.values(), ids=OPENINGS)
def test_every_other_opening_is_lost_and_revokes_sessions(opening: dict[str, Any]) -> None:
    declared = MFA if opening in (OPENINGS["no-mfa"], OPENINGS["other-bool"]) else WHOLE
    before, after = trust(declared, opening), trust(declared)
    role = RoleState(role_exists=True, policy_exists=True, attached=True, trust=before, permissions={})
    steps = [step.name for step in _role_plan.plan_role(role, RoleState(**{**vars(role), "trust": after})).steps]
    assert steps == ["begin_revocation", "update_trust", "revoke_sessions", "end_revocation"]
