"""The kind of a denial, by every message of AWS."""

from __future__ import annotations

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._denial import ADVICE, classify, may_pass

IMPLICIT = (
    "User: arn:aws:sts::111111111111:assumed-role/a/b is not authorized to perform: ecr:BatchGetImage on resource: r"
)


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("because no identity-based policy allows the ecr:BatchGetImage action", "no_identity_policy"),
        ("with an explicit deny in an identity-based policy", "explicit_deny"),
        ("with an explicit deny in an identity-based policy: arn:aws:iam::1:policy/deny", "explicit_deny"),
        ("because no permissions boundary allows the ecr:BatchGetImage action", "boundary"),
        ("with an explicit deny in a permissions boundary", "boundary"),
        ("because no session policy allows the ecr:BatchGetImage action", "session_policy"),
        ("with an explicit deny in a session policy", "session_policy"),
        ("because no service control policy allows the ecr:BatchGetImage action", "organization_policy"),
        ("with an explicit deny in a service control policy", "organization_policy"),
        ("with an explicit deny in a resource control policy", "organization_policy"),
        ("because no VPC endpoint policy allows the ecr:BatchGetImage action", "endpoint_policy"),
        ("with an explicit deny in a VPC endpoint policy", "endpoint_policy"),
        ("with an explicit deny in a resource-based policy", "explicit_deny"),
        ("with an explicit deny in the role trust policy", "explicit_deny"),
        ("", "unknown"),
    ],
)
def test_every_sentence_of_aws_has_its_kind(reason: str, kind: str) -> None:
    sentence = f"{IMPLICIT} {reason}".strip()
    assert classify(sentence) == kind
    assert kind in ADVICE


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        ("User: u is not authorized to perform: sts:AssumeRole on resource: r", "trust"),
        ("User: u is not authorized to perform: sts:AssumeRole because no role trust policy allows it", "trust"),
        ("because no identity-based policy allows the sts:AssumeRole action", "no_identity_policy"),
        ("with an explicit deny in an identity-based policy", "explicit_deny"),
        ("with an explicit deny in a service control policy", "organization_policy"),
    ],
)
def test_what_a_role_that_is_refused_is_taken_for(sentence: str, kind: str) -> None:
    """Where the sentence names no policy, the default says which one decides."""
    assert classify(sentence, "trust") == kind


@pytest.mark.parametrize("kind", sorted(ADVICE))
def test_only_a_denial_that_a_new_share_explains_may_pass(kind: str) -> None:
    assert may_pass(kind) is (kind in ("no_identity_policy", "trust", "unknown"))


def test_what_is_not_a_denial_cannot_pass() -> None:
    assert not may_pass(None)
    assert not may_pass("")
