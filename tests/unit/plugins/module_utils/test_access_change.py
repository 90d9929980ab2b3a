# SPDX-License-Identifier: GPL-3.0-or-later
"""The access that principals gain and lose when documents of other authors are replaced."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _consumers, _policy
from ansible_collections.crossaccount.ecr.plugins.module_utils._access_change import (
    Repository,
    Role,
    access_by_principal,
    change_of_access,
    pull_decision,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._admission import lost_admissions
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity

OWNER, ONE, TWO = "111111111111", "222222222222", "333333333333"
NOW = datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.timezone.utc)
PROVIDER = f"arn:aws:iam::{OWNER}:oidc-provider/token.actions.githubusercontent.com"
TAGGED = {"environment": "release"}
RELEASE = Repository("release", f"arn:aws:ecr:eu-west-1:{OWNER}:repository/release", TAGGED)
DEVELOP = Repository("develop", f"arn:aws:ecr:eu-west-1:{OWNER}:repository/develop", {})
PERMISSIONS = _policy.permissions_document(Identity("aws", OWNER), {"environment": ("release",)})
ROOT = {"AWS": f"arn:aws:iam::{ONE}:root"}


def allow(principal: Any = None, **condition: Any) -> dict[str, Any]:
    """A trust statement, of account ONE by default; the operators are keywords."""
    statement = {"Effect": "Allow", "Principal": principal or ROOT, "Action": "sts:AssumeRole"}
    return {**statement, "Condition": condition} if condition else statement


def trust(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def external_id(value: str = "id-one", **more: str) -> dict[str, Any]:
    return {"sts:ExternalId": value, **more}


DECLARED = allow(StringEquals=external_id())


def lines(old: Any, new: Any, *repositories: Repository, permissions: Any = None) -> list[str]:
    looked_at = repositories or (RELEASE,)
    before, after = Role(old, permissions or PERMISSIONS), Role(new, PERMISSIONS)
    return list(change_of_access(before, after, looked_at, looked_at, NOW).lines)


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        (
            {"Effect": "Allow", "Principal": {"Federated": PROVIDER}, "Action": "sts:AssumeRoleWithWebIdentity"},
            [f"- identity provider {PROVIDER} loses release"],
        ),
        (allow("*"), ["- everyone loses release"]),
        (allow({"AWS": "*"}), ["- everyone loses release"]),
        (allow({"Service": "ec2.amazonaws.com"}), ["- service ec2.amazonaws.com loses release"]),
        (allow({"CanonicalUser": "79a59df900b949e5"}), ["- canonical user 79a59df900b949e5 loses release"]),
        (
            {"Effect": "Allow", "NotPrincipal": {"AWS": TWO}, "Action": "sts:AssumeRole"},
            [f"- everyone except {TWO} loses release"],
        ),
        ({**allow({"AWS": TWO}), "Action": "sts:TagSession"}, []),  # admits no caller alone
        ({"Effect": "Allow", "Principal": {"AWS": TWO}, "NotAction": "iam:*"}, [f"- {TWO} loses release"]),
        (allow({"AWS": TWO}, DateLessThan={"aws:CurrentTime": "2026-01-01T00:00:00Z"}), []),  # it is over
        (
            allow({"AWS": TWO}, Bool={"aws:MultiFactorAuthPresent": "false"}, StringEquals=external_id()),
            [f"- {TWO} (Bool aws:MultiFactorAuthPresent false, external ID) loses release"],
        ),
        (
            allow({"AWS": TWO}, Bool={"aws:MultiFactorAuthPresent": "true"}),
            [f"- {TWO} (MFA) loses release"],
        ),
        (
            allow(
                {"AWS": TWO},
                ArnNotEquals={"aws:PrincipalArn": f"arn:aws:iam::{TWO}:user/blocked"},
                StringEquals={"aws:PrincipalTag/user-role": "puller"},
            ),
            [
                f"- {TWO} (ArnNotEquals aws:PrincipalArn arn:aws:iam::{TWO}:user/blocked,"
                " StringEquals aws:PrincipalTag/user-role puller) loses release"
            ],
        ),
        (
            allow({"AWS": TWO}, ArnLike={"aws:PrincipalArn": f"arn:aws:iam::{TWO}:user/*"}),
            [f"- {TWO} (ArnLike aws:PrincipalArn arn:aws:iam::{TWO}:user/*) loses release"],
        ),
        (
            allow({"AWS": TWO}, ArnEquals={"aws:PrincipalArn": f"arn:aws:iam::{TWO}:user/puller"}),
            [f"- {TWO} user/puller loses release"],
        ),
    ],
)
def test_undeclared_consumers_lose_access(added: dict[str, Any], expected: list[str]) -> None:
    assert lines(trust(DECLARED, added), trust(DECLARED)) == expected


def test_a_trust_policy_loses_what_is_not_proven_to_be_kept() -> None:
    over = allow({"AWS": TWO}, DateLessThan={"aws:CurrentTime": "2026-01-01T00:00:00Z"})
    assert [
        admission.principal for admission in lost_admissions(trust(DECLARED, allow("*"), over), trust(DECLARED))
    ] == [
        "everyone",
        TWO,
    ]
    assert lost_admissions(trust(DECLARED), trust(allow())) == []
    assert [admission.label for admission in lost_admissions(trust(allow()), trust(DECLARED))] == [ONE]
    assert lost_admissions({"Statement": "odd"}, trust(DECLARED))[0].doubt
    assert lost_admissions(trust(), trust(DECLARED)) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            allow(StringEquals=external_id(), IpAddress={"aws:SourceIp": "203.0.113.0/24"}),
            DECLARED,
            [f"{ONE}: may now come from any address"],
        ),
        (
            allow(StringEquals=external_id("id-old"), IpAddress={"aws:SourceIp": "203.0.113.0/24"}),
            DECLARED,
            [f"{ONE}: external ID changes; may now come from any address"],
        ),
        (allow(), DECLARED, [f"{ONE}: must now present an external ID"]),
        (DECLARED, allow(), [f"{ONE}: no longer needs an external ID"]),
        (
            DECLARED,
            allow(StringEquals=external_id(**{"aws:PrincipalOrgID": "o-abcdefghij"})),
            [f"{ONE}: must now belong to organization o-abcdefghij"],
        ),
        (
            DECLARED,
            allow(StringEquals=external_id(), Bool={"aws:MultiFactorAuthPresent": "true"}),
            [f"{ONE}: now needs MFA"],
        ),
        (
            allow(StringEquals=external_id(), Bool={"aws:MultiFactorAuthPresent": "false"}),
            DECLARED,
            [f"{ONE}: no longer has to meet Bool aws:MultiFactorAuthPresent false"],
        ),
        (
            allow(StringEquals=external_id(), DateLessThan={"aws:CurrentTime": "2030-01-01T00:00:00Z"}),
            DECLARED,
            [f"{ONE}: access no longer ends on 2030-01-01T00:00:00Z"],
        ),
        (
            allow(StringEquals=external_id(), DateLessThan={"aws:CurrentTime": "2026-01-01T00:00:00Z"}),
            DECLARED,
            [f"+ {ONE} (external ID) can pull release"],
        ),
        (
            allow(StringNotEquals=external_id()),
            DECLARED,
            [f"{ONE}: must now meet StringEquals sts:ExternalId an external ID"],
        ),
    ],
)
def test_changed_conditions_are_named_as_conditions(
    old: dict[str, Any], new: dict[str, Any], expected: list[str]
) -> None:
    assert lines(trust(old), trust(new)) == expected
    assert "id-o" not in str(expected)


def test_change_of_session_permissions_is_a_separate_change() -> None:
    tagging = {**DECLARED, "Action": ["sts:AssumeRole", "sts:TagSession"]}
    assert lines(trust(DECLARED), trust(tagging)) == [f"{ONE}: may now use sts:TagSession"]
    assert lines(trust(tagging), trust(DECLARED)) == [f"{ONE}: may no longer use sts:TagSession"]
    assert lines(trust({**DECLARED, "Action": "sts:*"}), trust({**DECLARED, "Action": "*"})) == []
    both = {"StringEquals": external_id(), "IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    assert lines(trust({**tagging, "Condition": both}), trust(DECLARED)) == [
        f"{ONE}: may now come from any address; may no longer use sts:TagSession"
    ]


def test_regions_are_named_if_repositories_are_in_several() -> None:
    abroad = Repository("release", RELEASE.arn.replace("eu-west-1", "us-east-1"), TAGGED)
    elsewhere = Repository("other", RELEASE.arn.replace("eu-west-1", "eu-north-1"), {})
    gains = f"+ {ONE} (external ID) can pull release"
    assert lines(trust(), trust(DECLARED), RELEASE, DEVELOP) == [gains]
    for others in ([abroad], [abroad, elsewhere]):
        assert lines(trust(), trust(DECLARED), RELEASE, *others) == [f"{gains} in eu-west-1, release in us-east-1"]


def test_long_lists_of_repositories_are_shortened() -> None:
    many = [Repository(f"r{number:02}", f"{RELEASE.arn}-{number:02}", TAGGED) for number in range(12)]
    change = change_of_access(None, Role(trust(DECLARED), PERMISSIONS), [], many)
    named = ", ".join(repository.name for repository in many)
    assert change.all_lines == (f"+ {ONE} (external ID) can pull {named}",)
    assert change.lines == (f"+ {ONE} (external ID) can pull 12 repositories: {named[:48]} and 2 more",)


def test_changed_conditions_of_several_principals() -> None:
    with_mfa = allow({"AWS": TWO}, Bool={"aws:MultiFactorAuthPresent": "true"})
    assert lines(trust(allow(), allow({"AWS": TWO})), trust(with_mfa, DECLARED)) == [
        f"{ONE}: must now present an external ID",
        f"{TWO}: now needs MFA",
    ]
    # The second statement of a principal is not compared with the same one again.
    both = trust(DECLARED, allow(Bool={"aws:MultiFactorAuthPresent": "true"}))
    assert lines(both, trust(allow())) == [f"{ONE}: no longer needs an external ID"]


def test_conditions_of_other_repositories_do_not_change() -> None:
    develop = Repository("develop", DEVELOP.arn, TAGGED)
    old, new = (Role(trust(statement), PERMISSIONS) for statement in (allow(), DECLARED))
    assert change_of_access(old, new, [RELEASE], [develop]).lines == (
        f"+ {ONE} (external ID) can pull develop",
        f"- {ONE} loses release",
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("aws:PrincipalAccount", OWNER),
        ("aws:ResourceAccount", OWNER),
        ("aws:RequestedRegion", "eu-west-1"),
        ("aws:PrincipalType", "AssumedRole"),
        ("ecr:ResourceTag/environment", "release"),
        ("aws:ResourceTag/environment", "release"),
    ],
)
def test_known_condition_keys_of_a_pull_are_compared(key: str, value: str) -> None:
    granting = {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}
    for expected, verdict in ((value, "allowed"), ("other", "denied")):
        document = trust({**granting, "Condition": {"StringEquals": {key: expected}}})
        assert pull_decision(document, RELEASE.arn, TAGGED).verdict == verdict


def test_a_denial_that_is_lifted_or_added_is_a_change_of_access() -> None:
    denied = trust(DECLARED, {**allow("*"), "Effect": "Deny"})
    gains, loses = f"+ {ONE} (external ID) can pull release", f"- {ONE} (external ID) loses release"
    assert lines(denied, trust(DECLARED)) == [gains]
    assert lines(trust(DECLARED), denied) == [loses]
    assert lines(denied, denied) == []
    partly = {**allow("*", Bool={"aws:SecureTransport": "false"}), "Effect": "Deny"}
    assert lines(trust(DECLARED, partly), trust(partly, DECLARED)) == []
    doubt = "(unknown, counted as allowed: statement 2 of the trust policy: it depends on aws:SecureTransport)"
    assert lines(trust(DECLARED, partly), trust(DECLARED)) == [gains]
    assert lines(trust(DECLARED), trust(DECLARED, partly)) == [loses]
    assert lines(trust(DECLARED, partly), trust()) == [f"{loses} {doubt}"]


def test_same_principals_in_another_form_change_nothing() -> None:
    named = _policy.trust_document("aws", [_consumers.Consumer(ONE, ("user/a", "role/b/c"), "id-one")])
    by_condition = _policy.trust_document(
        "aws", [_consumers.Consumer(ONE, ("user/a", "role/b/c"), "id-one", "condition")]
    )
    assert lines(named, by_condition) == lines(by_condition, named) == []


def test_not_action_in_the_old_permissions_is_a_loss_and_no_gain() -> None:
    powerful = {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*"], "Resource": "*"}
    assert lines(trust(DECLARED), trust(DECLARED), RELEASE, DEVELOP, permissions=trust(powerful)) == [
        f"- {ONE} (external ID) loses develop"
    ]


def test_unknown_access_counts_as_allowed_and_is_marked() -> None:
    by_address: dict[str, Any] = {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}
    by_address["Condition"] = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    change = change_of_access(None, Role(trust(DECLARED), trust(by_address)), [], [DEVELOP])
    reason = "statement 1 of identity policy 1: it depends on aws:SourceIp"
    assert change.lines == (f"+ {ONE} (external ID) can pull develop (unknown, counted as allowed: {reason})",)
    assert [pair.doubt for pair in change.gained] == [reason]
    some = allow("*", StringEquals=external_id())
    denied = trust(some, {**allow(), "Effect": "Deny"})
    (access,) = access_by_principal(Role(denied, PERMISSIONS), [RELEASE])
    assert access.doubts == {RELEASE.arn: f"statement 2 of the trust policy: it applies to {ROOT['AWS']} only"}


def test_a_trust_policy_that_cannot_be_read_counts_as_access() -> None:
    (access,) = access_by_principal(Role({"Statement": [{"Effect": "Maybe"}]}, PERMISSIONS), [RELEASE])
    assert access.admission.label == "unknown principals"
    assert "Effect is neither Allow nor Deny" in access.doubts[RELEASE.arn]


@pytest.mark.parametrize(
    ("statements", "tags", "verdict"),
    [
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], {}, "allowed"),
        ([{"Effect": "Allow", "NotAction": "ecr:Batch*", "Resource": "*"}], {}, "denied"),
        ([{"Effect": "Allow", "Action": "ecr:*", "NotResource": f"{RELEASE.arn}x"}], {}, "allowed"),
        ([{"Effect": "Allow", "Action": "ecr:*", "NotResource": "arn:aws:ecr:*"}], {}, "denied"),
        ([{"Effect": "Allow", "Action": "ecr:*", "NotResource": "*release"}], {}, "unknown"),
        ([{"Effect": "Allow", "Action": "[e]cr:*", "Resource": "*"}], {}, "denied"),
        (
            [{"Effect": "Allow", "Action": "ecr:*", "Resource": RELEASE.arn.replace("release", "[r]elease")}],
            {},
            "denied",
        ),
        (
            [
                {
                    "Effect": "Allow",
                    "Action": "ecr:*",
                    "Resource": "*",
                    "Condition": {"StringEquals": {"ecr:ResourceTag/Share": "yes"}},
                }
            ],
            {"share": "yes", "Share": "no"},
            "unknown",
        ),
        ({"Effect": "Allow", "Action": "ecr:*"}, {}, "unknown"),
        ([], {}, "denied"),
    ],
)
def test_the_permissions_that_others_wrote_are_evaluated(statements: Any, tags: dict[str, str], verdict: str) -> None:
    document = {"Version": "2012-10-17", "Statement": statements}
    assert pull_decision(document, RELEASE.arn, tags).verdict == verdict
