# SPDX-License-Identifier: GPL-3.0-or-later
"""A trust policy that a person widened by hand: the next share revokes the sessions issued by it and reports the
loss."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab import accounts
from tests.support.control import REPOSITORY_ARN, ROLE, Control, Run

CONSUMER_ROOT, STRANGER_ROOT = f"arn:aws:iam::{accounts.CONSUMER}:root", f"arn:aws:iam::{accounts.STRANGER}:root"
PULLER = f"arn:aws:iam::{accounts.CONSUMER}:user/puller"
EXTERNAL_ID = {"sts:ExternalId": "test"}
REVOCATION = ["begin_revocation", "update_trust", "revoke_sessions", "end_revocation"]


def allow(principal: Any, **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return {**statement, "Condition": condition} if condition else statement


#: Statements that a person may have written into the trust policy by hand.
OPENINGS = {
    "everyone": allow("*"),
    "every-aws-principal": allow({"AWS": "*"}),
    "service": allow({"Service": "ec2.amazonaws.com"}),
    "federated": allow({"Federated": f"arn:aws:iam::{accounts.OWNER}:oidc-provider/example.com"}),
    "canonical-user": allow({"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}),
    "arn-not-equals": allow({"AWS": "*"}, ArnNotEquals={"aws:PrincipalArn": CONSUMER_ROOT}, StringEquals=EXTERNAL_ID),
    "arn-like": allow({"AWS": "*"}, ArnLike={"aws:PrincipalArn": PULLER}, StringEquals=EXTERNAL_ID),
    "arn-if-exists": allow({"AWS": "*"}, ArnEqualsIfExists={"aws:PrincipalArn": PULLER}, StringEquals=EXTERNAL_ID),
    "without-mfa": allow(
        {"AWS": CONSUMER_ROOT}, Bool={"aws:MultiFactorAuthPresent": "false"}, StringEquals=EXTERNAL_ID
    ),
    "other-bool": allow({"AWS": CONSUMER_ROOT}, Bool={"aws:SecureTransport": "true"}, StringEquals=EXTERNAL_ID),
    "external-id-if-exists": allow({"AWS": CONSUMER_ROOT}, StringEqualsIfExists=EXTERNAL_ID),
}


def trust(iam: Any, role: str, *statements: dict[str, Any]) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=document)


def statements_of(iam: Any, role: str) -> list[dict[str, Any]]:
    return list(iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"])


def reads(ecr: Any) -> bool:
    try:
        ecr.batch_get_image(repositoryName="release", imageIds=[{"imageTag": accounts.IMAGE_TAG}])
    except ClientError as error:
        if error.response["Error"]["Code"] == "AccessDeniedException":
            return False
        raise
    return True


def opened(control: Control, role: str, opening: dict[str, Any]) -> Any:
    """ECR with a session of the third account; afterwards the trust policy is the declared one and the opening.

    The lab cannot sign in a service or a federated identity. So the trust policy names the third account for a moment,
    and
    not at the time of the next share.
    """
    iam = control.lab.client("owner", "iam")
    declared = statements_of(iam, role)
    trust(iam, role, *declared, allow({"AWS": STRANGER_ROOT}))
    ecr = control.lab.assume("stranger", "ecr", role)
    trust(iam, role, *declared, opening)
    assert reads(ecr)
    return ecr


def pull_role(control: Control, name: str, *flags: str, **options: Any) -> dict[str, Any]:
    consumer = {"account": accounts.CONSUMER, "external_id": "test", "require_mfa": True}
    declared = {"repository_tags": {"environment": "release"}, "consumers": [consumer], **options}
    return control.module("iam_ecr_pull_role", "owner", *flags, name=name, **declared)


@pytest.fixture(scope="module")
def tagged(control: Control) -> None:
    ecr = control.lab.client("owner", "ecr")
    ecr.tag_resource(resourceArn=REPOSITORY_ARN + "release", tags=[{"Key": "environment", "Value": "release"}])


@pytest.mark.usefixtures("tagged")
@pytest.mark.parametrize("kind", OPENINGS)
@pytest.mark.parametrize("adopt", [False, True], ids=["ours", "adopted"])
def test_a_session_from_an_open_trust_policy_is_revoked(control: Control, kind: str, adopt: bool) -> None:
    """A session of an outsider read images until it expired, because the opening was not seen (finding 3)."""
    name = f"open-{kind}-{adopt}"
    assert pull_role(control, name).get("msg") is None
    if adopt:
        control.lab.client("owner", "iam").untag_role(RoleName=name, TagKeys=["managed-by"])
    ecr = opened(control, name, OPENINGS[kind])
    predicted = pull_role(control, name, "--check", adopt=adopt)
    assert reads(ecr)
    result = pull_role(control, name, adopt=adopt)
    assert result["steps"] == predicted["steps"] == REVOCATION + (["tag_role"] if adopt else []), result
    assert not reads(ecr)


def words(run: Run) -> str:
    return " ".join(run.output.split())


@pytest.mark.parametrize(("kind", "who"), [("everyone", "everyone"), ("service", "service ec2.amazonaws.com")])
def test_the_share_reports_what_an_open_trust_policy_allowed(control: Control, kind: str, who: str) -> None:
    """The share closed the opening with the words "No access is gained or lost." (finding 3)."""
    assert control.share().code == 0
    if kind == "everyone":
        iam = control.lab.client("owner", "iam")
        trust(iam, ROLE, *statements_of(iam, ROLE), OPENINGS[kind])
        ecr = control.lab.assume("stranger", "ecr", ROLE)
        assert reads(ecr)
    else:
        ecr = opened(control, ROLE, OPENINGS[kind])
    for arguments in (["--check"], []):
        assert reads(ecr)
        run = control.share(*arguments)
        assert run.code == 0, run
        assert f"- {who} loses release" in words(run), run
        assert "No access is gained or lost." not in run.output
    assert not reads(ecr)
    again = control.share()
    assert "No access is gained or lost." in again.output, again


@pytest.mark.parametrize(
    ("restriction", "change"),
    [
        ({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, f"{accounts.CONSUMER}: may now come from any address"),
        (
            {"DateLessThan": {"aws:CurrentTime": "2099-01-01T00:00:00Z"}},
            f"{accounts.CONSUMER}: access no longer ends on 2099-01-01T00:00:00Z",
        ),
        (
            {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
            f"+ {accounts.CONSUMER} (external ID) can pull release",
        ),
    ],
    ids=["address", "date", "past date"],
)
def test_the_share_reports_a_restriction_that_ends(control: Control, restriction: dict[str, Any], change: str) -> None:
    """Consumers gained access with the words "No access is gained or lost." (the other direction of finding 3)."""
    assert control.share().code == 0
    iam = control.lab.client("owner", "iam")
    trust(iam, ROLE, allow({"AWS": CONSUMER_ROOT}, StringEquals=EXTERNAL_ID, **restriction))
    run = control.share()
    assert run.code == 0, run
    assert change in words(run), run


@pytest.mark.parametrize(
    "statement",
    [{**allow("*"), "Condition": {"StringEquals": "odd"}}, {**allow({"Service": 7}), "Action": "sts:*"}],
    ids=["condition", "principal"],
)
def test_a_trust_policy_that_cannot_be_evaluated_is_not_replaced(control: Control, statement: dict[str, Any]) -> None:
    """Access without a known principal must not end up as "No access is gained or lost." (finding 3)."""
    assert pull_role(control, "odd").get("msg") is None
    iam = control.lab.client("owner", "iam")
    trust(iam, "odd", statement)
    mark = len(control.lab.calls())
    result = pull_role(control, "odd")
    assert result["code"] == 2, result
    assert control.lab.writes_since(mark) == []
    trust(iam, "odd", allow({"AWS": CONSUMER_ROOT}))
