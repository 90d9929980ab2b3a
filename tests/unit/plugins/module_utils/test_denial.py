# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts in AWS's messages about denials."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _denial
from ansible_collections.crossaccount.ecr.plugins.module_utils._aws_errors import is_retryable
from ansible_collections.crossaccount.ecr.plugins.module_utils._denial import ASSUME, CALLER, OWN, ROLE, read_denial

SESSION = "arn:aws:sts::111111111111:assumed-role/allow_ecr_release/job"
REPOSITORY = "arn:aws:ecr:ap-northeast-1:111111111111:repository/team/release"
POLICY = "arn:aws:organizations::999999999999:policy/o-exampleorgid/service_control_policy/p-example"
DENIED = f"User: {SESSION} is not authorized to perform: ecr:BatchGetImage on resource: {REPOSITORY}"
TYPES = {
    "identity-based policy": ("no_identity_policy", "explicit_deny"),
    "resource-based policy": ("no_resource_policy", "explicit_deny"),
    "permissions boundary": ("boundary", "boundary"),
    "session policy": ("session_policy", "session_policy"),
    "VPC endpoint policy": ("endpoint_policy", "endpoint_policy"),
    "service control policy": ("organization_policy", "organization_policy"),
    "resource control policy": ("organization_policy", "organization_policy"),
    "role trust policy": ("trust", "explicit_deny"),
}


@pytest.mark.parametrize("policy", TYPES)
@pytest.mark.parametrize("called", [ROLE, ASSUME, CALLER])
def test_no_policy_of_a_type_allows(policy: str, called: str) -> None:
    denial = read_denial(f"{DENIED} because no {policy} allows the ecr:BatchGetImage action", called)
    assert (denial.kind, denial.explicit, denial.policy, denial.policy_arn) == (TYPES[policy][0], False, policy, "")
    assert (denial.action, denial.resource) == ("ecr:BatchGetImage", REPOSITORY)


@pytest.mark.parametrize("policy", TYPES)
@pytest.mark.parametrize("arn", ["", POLICY, "arn:aws-cn:iam::111111111111:policy/path/deny@all"])
@pytest.mark.parametrize("end", ["", "."])
def test_a_deny_statement_of_a_type(policy: str, arn: str, end: str) -> None:
    article = "an" if policy[0] in "aeiou" else "a"
    sentence = f"{DENIED} with an explicit deny in {article} {policy}{': ' if arn else ''}{arn}{end}"
    for called in (ROLE, ASSUME, CALLER):
        denial = read_denial(sentence, called)
        assert (denial.kind, denial.explicit, denial.policy, denial.policy_arn) == (TYPES[policy][1], True, policy, arn)
        assert not is_retryable(denial.kind)
    advice = read_denial(sentence, ROLE).advice(ROLE)
    assert f"The {policy} {arn}".rstrip() in advice


@pytest.mark.parametrize("article", ["a", "the"])
def test_a_deny_statement_in_the_trust_policy(article: str) -> None:
    """IAM documents `with an explicit deny in the role trust policy`."""
    end = f"with an explicit deny in {article} role trust policy"
    sentence = f"User: {SESSION} is not authorized to perform: sts:AssumeRole {end}"
    denial = read_denial(sentence, ASSUME)
    assert (denial.kind, denial.policy, denial.is_by_the_share) == ("explicit_deny", "role trust policy", False)
    assert denial.advice(ASSUME).startswith("The role trust policy has a Deny statement")


@pytest.mark.parametrize("called", [ROLE, ASSUME, CALLER])
@pytest.mark.parametrize(
    "sentence",
    [
        "Account 111111111111 is suspended",
        "MultiFactorAuthentication failed with invalid MFA one time pass code.",
        "Cannot call GetSessionToken with session credentials",
        "The web proxy blocked this",
    ],
)
def test_a_message_about_no_permission_is_not_explained(sentence: str, called: str) -> None:
    denial = read_denial(sentence, called)
    assert (denial.kind, denial.is_missing_permission) == ("unknown", False)
    assert denial.advice(called) == "AWS did not state which policy decided."


@pytest.mark.parametrize("action", ["kms:Decrypt", "s3:GetObject", "secretsmanager:GetSecretValue"])
def test_a_denied_action_of_another_service_proves_nothing(action: str) -> None:
    """The repository may have the tag, although its image cannot be decrypted."""
    sentence = (
        f"User: {SESSION} is not authorized to perform: {action} on resource: arn:aws:kms:eu-west-1:1:key/k because no"
        f" identity-based policy allows the {action} action"
    )
    denial = read_denial(sentence, ROLE)
    assert not denial.is_by_the_share
    assert denial.advice(ROLE) == f"The policies of the role do not allow {action}: the owner account has to allow it."


def test_the_older_form_of_a_service_control_policy() -> None:
    denial = read_denial(f"{DENIED} due to an explicit deny in a Service Control Policy", ROLE)
    assert (denial.kind, denial.explicit) == ("organization_policy", True)


@pytest.mark.parametrize(
    ("sentence", "called", "kind"),
    [
        (DENIED, ROLE, "unknown"),
        (DENIED, CALLER, "unknown"),
        ("", ROLE, "unknown"),
        ("", ASSUME, "trust"),
        (f"{DENIED} with an explicit deny", ROLE, "explicit_deny"),
        (f"User: {SESSION} is not authorized to perform: sts:AssumeRole on resource: arn:x", ASSUME, "trust"),
        ("Not authorized to perform sts:AssumeRole", ASSUME, "trust"),
        ("Not authorized to perform sts:AssumeRoleWithWebIdentity", ASSUME, "trust"),
        ("Roles may not be assumed by root accounts.", ASSUME, "root_user"),
        (f"User: {SESSION} is not authorized to perform: sts:TagSession on resource: arn:x", ASSUME, "session_tags"),
        ("User: u is not authorized to perform: sts:SetSourceIdentity on resource: arn:x", ASSUME, "source_identity"),
        (
            f"User: {SESSION} is not authorized to perform: sts:TagSession on resource: arn:x"
            " because no identity-based policy allows the sts:TagSession action",
            ASSUME,
            "session_tags",
        ),
    ],
)
def test_sentences_without_a_policy(sentence: str, called: str, kind: str) -> None:
    assert read_denial(sentence, called).kind == kind


def test_a_name_in_the_sentence_does_not_decide_the_kind() -> None:
    """A repository, a role or a session may be called after a policy."""
    for name in (
        "permissions boundary",
        "session policy",
        "explicit-deny",
        "service control policy",
        "VPC endpoint policy",
    ):
        hostile = name.replace(" ", "-")
        sentence = (
            f"User: arn:aws:sts::111111111111:assumed-role/allow/{hostile} is not authorized to perform:"
            f" ecr:BatchGetImage on resource: arn:aws:ecr:eu-west-1:111111111111:repository/{hostile}"
            " because no identity-based policy allows the ecr:BatchGetImage action"
        )
        assert read_denial(sentence, ROLE).kind == "no_identity_policy"


@pytest.mark.parametrize("policy", ["service-linked policy", "data perimeter policy", "role policy"])
def test_an_unknown_type_is_not_taken_for_another(policy: str) -> None:
    deny = read_denial(f"{DENIED} with an explicit deny in a {policy}", ROLE)
    assert (
        deny.advice(ROLE) == f"The {policy} has a Deny statement for it: change that policy, or ask its administrator."
    )
    assert not deny.is_by_the_share
    denial = read_denial(f"{DENIED} because no {policy} allows the ecr:BatchGetImage action", ROLE)
    assert (denial.kind, denial.policy) == ("unknown", policy)
    assert not denial.is_by_the_share


@pytest.mark.parametrize(
    ("end", "by_the_share"),
    [
        (" because no identity-based policy allows the ecr:BatchGetImage action", True),
        (" with an explicit deny in an identity-based policy", True),
        (" with an explicit deny in a resource-based policy", True),
        (" with an explicit deny", False),
        (" with an explicit deny in a data perimeter policy", False),
        (" because no resource-based policy allows the ecr:BatchGetImage action", False),
        (" because no permissions boundary allows the ecr:BatchGetImage action", False),
        (" because no session policy allows the ecr:BatchGetImage action", False),
        (" because no VPC endpoint policy allows the ecr:BatchGetImage action", False),
        (" with an explicit deny in a VPC endpoint policy", False),
        (" with an explicit deny in a service control policy", False),
        (" with an explicit deny in a resource control policy", False),
        ("", False),
    ],
)
def test_denial_of_this_run_or_host_proves_nothing(end: str, by_the_share: bool) -> None:
    assert read_denial(DENIED + end, ROLE).is_by_the_share is by_the_share


def test_each_kind_of_denial_has_advice_for_its_calls() -> None:
    texts = {(kind, called): text for kind, called, text in _denial.kinds()}
    for kind, called in itertools.product({kind for both in TYPES.values() for kind in both}, (ROLE, ASSUME, CALLER)):
        assert texts[kind, called]
    assert all("{" not in text.replace("{policy}", "") for text in texts.values())


@pytest.mark.parametrize(
    ("end", "side", "by_the_share"),
    [
        (
            " because no identity-based policy allows the ecr:BatchGetImage action",
            "The consumer's side is",
            False,
        ),
        (" because no resource-based policy allows the ecr:BatchGetImage action", "The owner's side is missing", True),
        (" with an explicit deny in a resource-based policy", "change that statement, or use other", True),
        (" with an explicit deny in an identity-based policy", "change that statement, or use other", False),
        (" because no permissions boundary allows the ecr:BatchGetImage action", "boundary of the caller", False),
        ("", "AWS did not state which side denies it", False),
    ],
)
def test_own_identity_is_told_which_side_is_missing(end: str, side: str, by_the_share: bool) -> None:
    denial = read_denial(DENIED + end, OWN)
    assert side in denial.advice(OWN)
    assert denial.is_by_the_share is by_the_share
