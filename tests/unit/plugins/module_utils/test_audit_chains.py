# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions of roles, direct and through other roles: their names, their tags, and the end of each way to them."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Estate, IamPrincipal

from tests.unit.audited_estates import (
    BOTH,
    OWNER,
    PULL,
    PULL_ALL,
    PULLER,
    document,
    estate,
    repository,
    role,
    root,
    rows_of,
    trust,
    verdicts,
)

FIRST, SECOND, THIRD = (f"arn:aws:iam::{OWNER}:role/{name}" for name in ("first", "second", "third"))
TAGGED = document({"Action": PULL, "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/team": "a"}}})
NOTHING = document({"Action": "s3:*", "Resource": "*"})
UNTIL = {"DateLessThan": {"aws:CurrentTime": "2026-12-24T00:00:00Z"}}
TAGGING: dict[str, Any] = {"Action": ["sts:AssumeRole", "sts:TagSession"]}


def named(name: str) -> dict[str, Any]:
    return {"StringEquals": {"sts:RoleSessionName": name}}


def granting(session: str) -> Any:
    """A repository whose policy lets one session of the second role pull."""
    policy = {"Principal": {"AWS": f"arn:aws:sts::{OWNER}:assumed-role/second/{session}"}, "Action": PULL}
    return repository("release", document(policy))


def assuming(target: str, **more: Any) -> dict[str, Any]:
    return document({"Action": "sts:*", "Resource": target, **more})


def first(trusted: dict[str, Any] | None = None, *more: dict[str, Any]) -> IamPrincipal:
    """A role that the consumer can assume, and whose sessions can assume the second role."""
    return role(document(trusted or trust(PULLER)), *(more or (assuming(SECOND),)), arn=FIRST)


def pull(*roles: IamPrincipal, session: str = "") -> str | None:
    """The verdict for the pull of the consumer. Only a session of the second role with this name may pull, if given."""
    repositories = (granting(session),) if session else BOTH[:1]
    return verdicts(estate(*roles, repositories=repositories)).get((PULLER, "release"))


def test_chain_allows_another_session_name_than_the_direct_way() -> None:
    direct = role(document(trust(PULLER, named("other"))), NOTHING, arn=SECOND)
    both = role(document(trust(PULLER, named("other")), trust(FIRST)), NOTHING, arn=SECOND)
    limited = role(document(trust(PULLER, named("other")), trust(FIRST, named("other"))), NOTHING, arn=SECOND)
    assert pull(first(), direct, session="ci") is None
    assert pull(first(), both, session="ci") == "allowed"
    assert pull(first(), limited, session="ci") is None


def test_longer_chain_allows_another_session_name() -> None:
    third = role(document(trust(FIRST)), assuming(SECOND), arn=THIRD)
    second = role(document(trust(FIRST, named("other")), trust(THIRD)), NOTHING, arn=SECOND)
    start = first(None, assuming("*"))
    assert pull(start, third, second, session="ci") == "allowed"
    assert pull(start, second, session="ci") is None


@pytest.mark.parametrize(("session", "verdict"), [("alice", "allowed"), ("audit", None), ("bob", None)])
def test_trust_policy_decides_the_session_name(session: str, verdict: str | None) -> None:
    second = role(document(trust(PULLER, named("alice"))), NOTHING, arn=SECOND)
    assert pull(second, session=session) == verdict


def test_excluded_session_name() -> None:
    second = role(document(trust(PULLER, {"StringNotEquals": {"sts:RoleSessionName": "audit"}})), NOTHING, arn=SECOND)
    assert pull(second, session="audit") is None
    assert pull(second, session="ci") == "allowed"


def test_named_session_of_a_role_that_may_be_assumed_is_unknown() -> None:
    address = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
    second = role(document(trust(PULLER, address)), NOTHING, arn=SECOND)
    assert pull(second, session="ci") == "unknown"
    either = document(trust(PULLER, named("other")), trust(PULLER, {**address, **named("ci")}))
    assert pull(role(either, NOTHING, arn=SECOND), session="ci") == "unknown"
    assert pull(role(either, NOTHING, arn=SECOND), session="other") == "allowed"


@pytest.mark.parametrize("tagging", [True, False])
def test_tags_of_a_session_through_a_chain(tagging: bool) -> None:
    second = role(document(trust(root(OWNER), **(TAGGING if tagging else {}))), TAGGED, arn=SECOND)
    assert pull(first(), second) == ("allowed" if tagging else None)
    untagged = first(None, assuming(SECOND, Action="sts:AssumeRole"))
    assert pull(untagged, second) is None


def test_tags_of_the_first_session_open_the_second_role() -> None:
    condition = {"StringEquals": {"aws:PrincipalTag/team": "a"}}
    second = role(document(trust(root(OWNER))), PULL_ALL, arn=SECOND)
    conditional = assuming(SECOND, Condition=condition)
    assert pull(first(trust(PULLER, **TAGGING), conditional), second) == "allowed"
    assert pull(first(trust(PULLER), conditional), second) is None


def test_direct_way_with_tags_is_found_behind_one_without() -> None:
    tagging = trust(PULLER, {"StringEquals": {"sts:ExternalId": "x"}}, Action="sts:TagSession")
    second = role(document(trust(PULLER), tagging), TAGGED, arn=SECOND)
    assert pull(second) == "allowed"
    denied = {**tagging, "Effect": "Deny"}
    assert pull(role(document(trust(PULLER), denied), TAGGED, arn=SECOND)) is None


@pytest.mark.parametrize(("tag", "verdict"), [("a", "allowed"), ("b", "unknown")])
def test_uncertain_tags_may_replace_those_of_the_role(tag: str, verdict: str) -> None:
    tagging = trust(PULLER, {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, Action="sts:TagSession")
    second = role(document(trust(PULLER), tagging), TAGGED, arn=SECOND, tags={"team": tag})
    assert pull(second) == verdict
    assert pull(role(document(trust(PULLER)), TAGGED, arn=SECOND, tags={"team": "b"})) is None


def test_uncertain_tags_may_open_the_second_role() -> None:
    condition = {"StringEquals": {"aws:PrincipalTag/team": "a"}}
    second = role(document(trust(root(OWNER))), PULL_ALL, arn=SECOND)
    tagging = trust(PULLER, {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, Action="sts:TagSession")
    trusted = document(trust(PULLER), tagging)
    start = role(trusted, assuming(SECOND, Condition=condition), arn=FIRST, tags={"team": "b"})
    assert pull(start, second) == "unknown"


def ends(audited: Estate) -> set[datetime.datetime | None]:
    return {path.until for path in rows_of(audited)[PULLER, "release"].access.paths}


def test_chain_that_lasts_longer_than_the_direct_way_is_reported() -> None:
    end = datetime.datetime(2026, 12, 24, tzinfo=datetime.timezone.utc)
    direct = trust(PULLER, UNTIL)
    second = role(document(direct, trust(FIRST)), PULL_ALL, arn=SECOND)
    assert ends(estate(first(), second, repositories=BOTH[:1])) == {end, None}
    assert ends(estate(first(direct), second, repositories=BOTH[:1])) == {end}


def test_circle_of_roles_ends() -> None:
    circle = [
        role(document(trust(PULLER, **TAGGING), trust(before, **TAGGING)), assuming("*"), PULL_ALL, arn=arn)
        for before, arn in ((SECOND, FIRST), (FIRST, SECOND))
    ]
    [row] = rows_of(estate(*circle, repositories=BOTH[:1])).values()
    assert {path.role for path in row.access.paths} == {FIRST, SECOND}


def denying(*sessions: str, name: str = "second") -> dict[str, Any]:
    """A statement of a resource policy that denies everything to sessions of a role."""
    listed = [f"arn:aws:sts::{OWNER}:assumed-role/{name}/{session}" for session in sessions]
    return {"Effect": "Deny", "Principal": {"AWS": listed}, "Action": "*"}


@pytest.mark.parametrize(
    ("required", "denied", "verdict"),
    [
        (["alice", "bob"], ["alice"], "allowed"),
        (["bob", "alice"], ["alice"], "allowed"),
        (["alice", "bob"], ["bob", "alice"], None),
        (["alice"], ["alice"], None),
        (["audit"], ["audit"], None),
        (None, ["audit"], "allowed"),
        (None, ["audit", "audit-2", "another-value"], "allowed"),
    ],
)
@pytest.mark.parametrize("is_chain", [True, False])
def test_denied_session_name_leaves_the_other_names(
    required: Any, denied: list[str], verdict: str | None, is_chain: bool
) -> None:
    trusted = trust(PULLER, named(required) if required else None)
    second = role(document(trusted), PULL_ALL, arn=SECOND)
    limited = repository("release", document(denying(*denied)))
    if is_chain:  # the trust policy of the second role denies sessions of the first one
        second = role(document(trust(FIRST), denying(*denied, name="first")), PULL_ALL, arn=SECOND)
        limited = BOTH[0]
    roles = (first(trusted), second) if is_chain else (second,)
    assert verdicts(estate(*roles, repositories=(limited,))).get((PULLER, "release")) == verdict


@pytest.mark.parametrize("provider", ["oidc-provider/token.actions.githubusercontent.com", "saml-provider/idp"])
def test_denied_session_name_of_an_identity_provider(provider: str) -> None:
    federated = {"Federated": f"arn:aws:iam::{OWNER}:{provider}"}
    actions = ["sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"]
    second = role(document(trust(federated, Action=actions)), PULL_ALL, arn=SECOND)
    limited = repository("release", document(denying("audit")))
    assert set(verdicts(estate(second, repositories=(limited,))).values()) == {"allowed"}


@pytest.mark.parametrize(("denied", "verdict"), [("bot", None), ("ci", "allowed"), ("other", "allowed")])
def test_only_some_session_names_may_have_tags(denied: str, verdict: str | None) -> None:
    second = role(document(trust(PULLER, named("ci")), trust(PULLER, named("bot"), **TAGGING)), TAGGED, arn=SECOND)
    limited = repository("release", document(denying(denied)))
    assert verdicts(estate(second, repositories=(limited,))).get((PULLER, "release")) == verdict


END = datetime.datetime(2026, 12, 24, tzinfo=datetime.timezone.utc)
AFTER = {"DateGreaterThanEquals": {"aws:CurrentTime": "2026-12-24T00:00:00Z"}}


def test_end_of_a_session_name_that_another_name_outlives() -> None:
    trusted = document(trust(PULLER, {**named("ci"), **UNTIL}), trust(PULLER, named("other")))
    second = role(trusted, NOTHING, arn=SECOND)
    assert ends(estate(second, repositories=(granting("ci"),))) == {END}
    assert ends(estate(second, repositories=(granting("other"),))) == {None}
    assert ends(estate(role(trusted, PULL_ALL, arn=SECOND), repositories=BOTH[:1])) == {None}


OF_ACCOUNT = trust(root(OWNER))
OPEN = role(document(OF_ACCOUNT), PULL_ALL, arn=SECOND)
MAY_TAG = trust(PULLER, UNTIL, Action="sts:TagSession")
NOT_AFTER = {"Effect": "Deny", "Principal": "*", "Action": "sts:TagSession", "Condition": AFTER}
ONLY_TAGGED = assuming(SECOND, Condition={"StringEquals": {"aws:PrincipalTag/team": "a"}})
NOT_TAGGING_AFTER = document({"Effect": "Deny", "Action": "sts:TagSession", "Resource": "*", "Condition": AFTER})


@pytest.mark.parametrize(
    "roles",
    [
        [role(document(trust(PULLER), MAY_TAG), TAGGED, arn=SECOND)],
        [role(document(trust(PULLER, **TAGGING), NOT_AFTER), TAGGED, arn=SECOND)],
        [role(document(trust(PULLER), MAY_TAG), ONLY_TAGGED, arn=FIRST), OPEN],
        [first(), role(document(OF_ACCOUNT, {**MAY_TAG, **trust(FIRST, Action="sts:TagSession")}), TAGGED, arn=SECOND)],
        [first(), role(document(trust(root(OWNER), **TAGGING), NOT_AFTER), TAGGED, arn=SECOND)],
        [first(None, assuming(SECOND), NOT_TAGGING_AFTER), role(document(trust(FIRST, **TAGGING)), TAGGED, arn=SECOND)],
    ],
)  # fmt: skip
def test_end_of_the_permission_to_set_tags(roles: list[IamPrincipal]) -> None:
    assert ends(estate(*roles, repositories=BOTH[:1])) == {END}


def test_end_of_tags_does_not_end_access_without_tags() -> None:
    second = role(document(trust(PULLER), MAY_TAG), PULL_ALL, arn=SECOND)
    [row] = rows_of(estate(second, repositories=BOTH[:1])).values()
    assert [path.until for path in row.access.paths] == [None]
    ended = role(document(trust(PULLER, UNTIL), trust(PULLER, Action="sts:TagSession")), TAGGED, arn=SECOND)
    assert ends(estate(ended, repositories=BOTH[:1])) == {END}


IDENTIFYING = ["sts:AssumeRole", "sts:SetSourceIdentity"]


def identified(operator: str, *values: str) -> dict[str, Any]:
    return {operator: {"sts:SourceIdentity": list(values)}}


ALICE, BOB = identified("StringEquals", "alice"), identified("StringEquals", "bob")


@pytest.mark.parametrize(
    ("required", "then", "verdict"),
    [
        (ALICE, ALICE, "allowed"),
        (ALICE, BOB, None),
        (ALICE, None, "allowed"),
        (None, BOB, "allowed"),
        (identified("StringEquals", "alice", "bob"), BOB, "allowed"),
        (identified("StringLike", "b*"), BOB, "allowed"),
        (identified("StringLike", "a*"), BOB, None),
        (identified("StringNotEquals", "bob"), BOB, "allowed"),  # no source identity in the first session
        ({**identified("StringNotEquals", "bob"), **identified("Null", "false")}, BOB, None),
        (identified("Null", "false"), BOB, "allowed"),
        (ALICE, identified("Null", "true"), None),
        (identified("Null", "true"), ALICE, "allowed"),
    ],
)
def test_chain_keeps_the_source_identity(required: Any, then: Any, verdict: str | None) -> None:
    start = first(trust(PULLER, required, Action=IDENTIFYING))
    second = role(document(trust(FIRST, then, Action=IDENTIFYING)), PULL_ALL, arn=SECOND)
    assert pull(start, second) == verdict


def test_chain_keeps_the_source_identity_through_three_roles() -> None:
    third = role(document(trust(FIRST, Action=IDENTIFYING)), assuming(SECOND), arn=THIRD)
    for then, verdict in ((ALICE, "allowed"), (BOB, None)):
        second = role(document(trust(THIRD, then, Action=IDENTIFYING)), PULL_ALL, arn=SECOND)
        start = first(trust(PULLER, ALICE, Action=IDENTIFYING), assuming("*"))
        assert pull(start, third, second) == verdict


@pytest.mark.parametrize(
    ("trusted", "permitted", "verdict"),
    [
        (IDENTIFYING, IDENTIFYING, "allowed"),
        ("sts:AssumeRole", IDENTIFYING, None),
        (IDENTIFYING, "sts:AssumeRole", None),
    ],
)
def test_each_role_of_a_chain_admits_a_source_identity(trusted: Any, permitted: Any, verdict: str | None) -> None:
    start = first(trust(PULLER, ALICE, Action=IDENTIFYING), assuming(SECOND, Action=permitted))
    second = role(document(trust(root(OWNER), Action=trusted)), PULL_ALL, arn=SECOND)
    assert pull(start, second) == verdict
    without = first(trust(PULLER), assuming(SECOND, Action=permitted))
    assert pull(without, second) == "allowed"


def test_more_source_identities_are_as_good_as_none() -> None:
    """A session without a source identity may set one later, so the others need no paths of their own."""
    either = document(trust(PULLER, ALICE, Action=IDENTIFYING), trust(PULLER))
    [row] = rows_of(estate(role(either, PULL_ALL, arn=SECOND), repositories=BOTH[:1])).values()
    assert [path.conditions for path in row.access.paths] == [()]
