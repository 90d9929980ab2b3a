# SPDX-License-Identifier: GPL-3.0-or-later
"""For each kind of denial, at each call that AWS may deny: the message names the policy to change."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _pull
from ansible_collections.crossaccount.ecr.plugins.module_utils._access_probe import probe_request
from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import SessionOptions
from ansible_collections.crossaccount.ecr.plugins.module_utils._aws_errors import is_retryable
from ansible_collections.crossaccount.ecr.plugins.module_utils._denial import ROLE
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, explain
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import Reference
from ansible_collections.crossaccount.ecr.plugins.module_utils._observation import Observation
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import Session
from ansible_collections.crossaccount.ecr.plugins.module_utils._verdict import Expectations, verdicts_of
from botocore.exceptions import ClientError

ROLE_ARN = "arn:aws:iam::111111111111:role/allow_ecr_release"
POLICY = "arn:aws:organizations::999999999999:policy/o-exampleorgid/service_control_policy/p-example"
USER = "arn:aws:iam::222222222222:user/dev"
ALLOWED = Observation("allowed")


class Row(NamedTuple):
    """The end of AWS's sentence; the texts that the message must contain for each caller, and whether the denial is
    transient."""

    end: str
    assume: str
    role: str
    owner: str
    is_retryable: bool = False


def row(end: str, named: str, is_retryable: bool = False) -> Row:
    """The message names the same for each caller."""
    return Row(end, named, named, named, is_retryable)


def explicit(kind: str) -> str:
    return f" with an explicit deny in {'an' if kind[0] in 'ai' else 'a'} {kind}"


def none(kind: str) -> str:
    return f" because no {kind} allows the {{action}} action"


ROWS = [
    Row("", "trust policy of the role", "did not state which policy", "Grant this action to the caller", True),
    Row(" with an explicit deny", "A policy has a Deny", "A policy has a Deny", "A policy has a Deny"),
    Row(
        none("identity-based policy"),
        "identity-based policy of the caller",
        "The role's policy",
        "Grant this action to the caller",
        True,
    ),
    row(explicit("identity-based policy"), "The identity-based policy has a Deny"),
    Row(
        none("resource-based policy"),
        "The trust policy of the role",
        "repository policy does not allow it",
        "belongs to another account than the resource",
    ),
    row(explicit("resource-based policy"), "The resource-based policy has a Deny"),
    Row(
        none("permissions boundary"),
        "permissions boundary of the caller",
        "permissions boundary of the role",
        "permissions boundary of the caller",
    ),
    Row(
        explicit("permissions boundary"),
        "permissions boundary of the caller",
        "permissions boundary of the role",
        "permissions boundary of the caller",
    ),
    *(row(make("session policy"), "The session policy does not allow") for make in (none, explicit)),
    *(row(make("VPC endpoint policy"), "policy of the VPC endpoint") for make in (none, explicit)),
    *(
        row(make(f"{which} control policy"), f"The {which} control policy denies")
        for which in ("service", "resource")
        for make in (none, explicit)
    ),
    row(none("data perimeter policy"), "The data perimeter policy does not allow it", is_retryable=True),
    row(explicit("data perimeter policy"), "The data perimeter policy has a Deny"),
]
#: With the ARN, which AWS adds within one account or organization.
WITH_ARN = [
    row._replace(end=f"{row.end}: {POLICY}", assume=POLICY, role=POLICY, owner=POLICY)
    for row in ROWS
    if "explicit deny in" in row.end
]
TABLE = [*ROWS, *WITH_ARN]


def denial(action: str, end: str, operation: str = "", code: str = "AccessDeniedException") -> ClientError:
    sentence = f"User: {USER} is not authorized to perform: {action} on resource: {ROLE_ARN}{end.format(action=action)}"
    return error(code, sentence, operation or action.partition(":")[2])


def error(code: str, sentence: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": sentence}}, operation)


def raising(raised: Exception) -> Any:
    def call(**_arguments: Any) -> Any:
        raise raised

    return call


def assumed(raised: ClientError) -> EcrError:
    """The error of `Session.assume`."""
    session = Session.__new__(Session)
    session.__dict__["_sts"] = type("Sts", (), {"assume_role": staticmethod(raising(raised))})
    with pytest.raises(EcrError) as caught:
        session.assume(SessionOptions(ROLE_ARN, "test"))
    return caught.value


def proven(raised: ClientError, name: str = "readable") -> Any:
    """The verdict on a repository whose requests are all denied."""
    observations = dict.fromkeys(("describe", "manifest", "layer"), probe_request(raising(raised)))
    expected = Expectations(("app",), ()) if name == "readable" else Expectations((), ("app",))
    (verdict,) = verdicts_of(expected, {"app": observations}, ALLOWED, {})
    return verdict


def test_there_are_more_than_thirty_kinds() -> None:
    assert len({row.end for row in TABLE}) * 3 > 60
    assert len({row.end for row in TABLE}) >= 25


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.end or "nothing")
def test_a_denial_of_the_role_to_the_caller(row: Row) -> None:
    caught = assumed(denial("sts:AssumeRole", row.end, code="AccessDenied"))
    assert row.assume in str(caught), caught
    assert ROLE_ARN in str(caught)
    assert is_retryable(caught.facts["denial_kind"]) is row.is_retryable


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.end or "nothing")
def test_a_denial_of_a_repository_to_the_role(row: Row) -> None:
    raised = denial("ecr:BatchGetImage", row.end)
    verdict = proven(raised)
    assert (verdict.verdict, row.role in verdict.advice) == ("fail", True), verdict
    assert is_retryable(verdict.denial_kind) is row.is_retryable
    sentence = raised.response["Error"]["Message"]
    pulled = _pull._failure(Reference("app", "v1", None), "AccessDeniedException", sentence, ROLE)
    assert row.role in str(pulled), pulled
    assert is_retryable(pulled.facts["denial_kind"]) is row.is_retryable


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.end or "nothing")
def test_a_denial_of_the_registry_token(row: Row) -> None:
    raised = denial("ecr:GetAuthorizationToken", row.end)
    hint = row.role if not row.is_retryable or "perimeter" in row.end else "to allow ecr:GetAuthorizationToken"
    ecr = type("Ecr", (), {"get_authorization_token": staticmethod(raising(raised))})
    with pytest.raises(EcrError) as caught:
        _pull._token(ecr, ROLE)
    if "perimeter" not in row.end:
        assert hint in str(caught.value)
        assert hint in probe_request(raising(raised)).advice


@pytest.mark.parametrize("operation", ["GetRole", "CreateRole", "PutRolePolicy", "PutRolePermissionsBoundary"])
@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.end or "nothing")
def test_a_denial_of_a_call_of_the_owner(row: Row, operation: str) -> None:
    message = explain(denial(f"iam:{operation}", row.end, operation))
    is_usual = row.owner.startswith("Grant") and operation == "PutRolePermissionsBoundary"
    assert ("administrator of the account" if is_usual else row.owner) in message, message


@pytest.mark.parametrize(
    ("sentence", "words", "passes"),
    [
        (f"User: {USER} is not authorized to perform: sts:TagSession on resource: {ROLE_ARN}", "sts:TagSession", False),
        (
            f"User: {USER} is not authorized to perform: sts:TagSession on resource: {ROLE_ARN} because no"
            " identity-based policy allows the sts:TagSession action",
            "sts:TagSession",
            False,
        ),
        (
            f"User: {USER} is not authorized to perform: sts:SetSourceIdentity on resource: {ROLE_ARN}",
            "sts:SetSourceIdentity",
            False,
        ),
        ("Roles may not be assumed by root accounts.", "The root user cannot assume a role", False),
        ("Not authorized to perform sts:AssumeRole", "the trust policy of the role names", True),
        ("", "the trust policy of the role names", True),
    ],
)
def test_a_denial_of_the_role_with_a_sentence_of_its_own(sentence: str, words: str, passes: bool) -> None:
    caught = assumed(error("AccessDenied", sentence, "AssumeRole"))
    assert words in str(caught)
    assert is_retryable(caught.facts["denial_kind"]) is passes


def test_the_role_of_a_profile_that_is_denied_is_named() -> None:
    """A profile with role_arn assumes that role first, with the same operation."""
    sentence = (
        f"User: {USER} is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::222222222222:role/jump"
    )
    assert str(assumed(error("AccessDenied", sentence, "AssumeRole"))).startswith(
        "Role arn:aws:iam::222222222222:role/jump cannot be assumed: "
    )


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.end or "nothing")
def test_an_expected_denial_is_proven_only_by_the_share(row: Row) -> None:
    verdict = proven(denial("ecr:BatchGetImage", row.end), "denied")
    by_the_share = "identity-based" in row.end or row.end.startswith(" with an explicit deny in a resource-based")
    assert (verdict.verdict == "pass") is by_the_share, verdict
