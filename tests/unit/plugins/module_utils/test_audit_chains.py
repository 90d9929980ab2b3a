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
