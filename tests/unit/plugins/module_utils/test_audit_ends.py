# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of access, with each policy that can cause it. Random ends agree with an audit at each second."""

from __future__ import annotations

import datetime
import random
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_ends import ends_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Estate, PolicyDocument
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import ALLOWED, DENIED, Decision
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import read_statements

from tests.unit.audited_estates import (
    BOTH,
    CONSUMER,
    NOW,
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
)

END = datetime.datetime(2026, 12, 24, tzinfo=datetime.timezone.utc)
SECOND = datetime.timedelta(seconds=1)
TEXT, EPOCH = "2026-12-24T00:00:00Z", str(int(END.timestamp()))
ALLOW: dict[str, Any] = {"Action": PULL, "Resource": "*"}
UNTIL = {"DateLessThan": {"aws:CurrentTime": TEXT}}
FROM = {"DateGreaterThanEquals": {"aws:CurrentTime": TEXT}}


def deny(condition: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition, **more}


def ends(audited: Estate) -> list[tuple[list[str], datetime.datetime | None]]:
    """The actions and the end of each access path of the only row."""
    [row] = rows_of(audited).values()
    return [(list(path.actions), path.until) for path in row.access.paths]


def shared(*permissions: dict[str, Any], trusted: dict[str, Any] | None = None, **more: Any) -> Estate:
    """An account with one role and one repository."""
    return estate(role(document(trusted or trust(PULLER)), *permissions, **more), repositories=BOTH[:1])


def test_denied_access_has_no_end() -> None:
    """Also if it is allowed later for some time."""
    statements = read_statements(document({**ALLOW, "Condition": UNTIL}), "a policy", False)

    def decide(at: Estate) -> dict[str, Decision]:
        verdict = DENIED if at.now >= END else ALLOWED
        return {"pull": Decision(verdict, ""), "push": Decision(DENIED, "")}

    _decided, found = ends_of(shared(PULL_ALL), statements, decide)
    assert found == {"pull": END}


@pytest.mark.parametrize(
    ("condition", "end"),
    [
        (FROM, END),
        ({"DateGreaterThan": {"aws:CurrentTime": TEXT}}, END + SECOND),
        ({"DateGreaterThanEquals": {"AWS:currenttime": "2026-12-24T01:00:00+01:00"}}, END),
        ({"DateGreaterThanEquals": {"aws:EpochTime": EPOCH}}, END),
        ({"NumericGreaterThanEquals": {"aws:EpochTime": EPOCH}}, END),
        ({"NumericGreaterThan": {"aws:EpochTime": EPOCH}}, END + SECOND),
        ({"DateGreaterThanEqualsIfExists": {"aws:CurrentTime": TEXT}}, END),
        ({"ForAnyValue:DateGreaterThanEquals": {"aws:CurrentTime": TEXT}}, END),
        ({"DateGreaterThanEquals": {"aws:CurrentTime": ["2027-01-01T00:00:00Z", TEXT]}}, END),
        ({"DateNotEquals": {"aws:CurrentTime": "2026-11-27T00:00:00Z"}}, NOW + SECOND),
        ({"DateEquals": {"aws:CurrentTime": "2026-12-24"}}, END),
        ({"DateGreaterThanEquals": {"aws:CurrentTime": "2026-12-23T23:59:59.5Z"}}, END),
        ({"DateLessThan": {"aws:CurrentTime": "2026-11-27T00:00:00Z"}}, None),
        ({"DateGreaterThanEquals": {"aws:TokenIssueTime": TEXT}}, None),
        ({"DateGreaterThanEquals": {"aws:CurrentTime": "9999-12-31T23:59:59Z"}}, None),
        ({**FROM, "Bool": {"aws:SecureTransport": "false"}}, None),
        ({**FROM, "DateLessThan": {"aws:CurrentTime": "2026-12-24T00:00:01Z"}}, END),
    ],
)
def test_deny_that_begins_ends_access(condition: dict[str, Any], end: datetime.datetime | None) -> None:
    inline = shared(document(ALLOW), document(deny(condition)))
    boundary = PolicyDocument("permissions boundary", document({"Action": "*", "Resource": "*"}, deny(condition)))
    in_trust = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Condition": condition}
    of_trust = estate(role(document(trust(PULLER), in_trust), document(ALLOW)), repositories=BOTH[:1])
    policy = document({"Principal": {"AWS": PULLER}, "Action": PULL}, deny(condition, Principal="*"))
    direct = estate(repositories=(repository("release", policy),))
    for account in (inline, shared(document(ALLOW), boundary=boundary), of_trust, direct):
        assert ends(account) == [(["pull"], end)]


def test_deny_of_one_action_ends_this_action_only() -> None:
    account = shared(PULL_ALL, document(deny(FROM, Action="ecr:PutImage")))
    assert ends(account) == [(["describe", "pull", "delete", "tag"], None), (["push"], END)]


def test_earliest_end_counts() -> None:
    account = shared(
        document({**ALLOW, "Condition": {"DateLessThan": {"aws:CurrentTime": "2026-12-31T00:00:00Z"}}}),
        document(deny(FROM)),
        trusted=trust(PULLER, {"DateLessThan": {"aws:CurrentTime": "2027-02-01T00:00:00Z"}}),
    )
    assert ends(account) == [(["pull"], END)]


def test_another_statement_without_an_end_continues_access() -> None:
    continued = shared(document({**ALLOW, "Condition": UNTIL}, ALLOW))
    assert ends(continued) == [(["pull"], END), (["pull"], None)]
    overlapping = {"DateGreaterThan": {"aws:CurrentTime": "2026-12-01T00:00:00Z"}}
    starting = shared(document({**ALLOW, "Condition": UNTIL}, {**ALLOW, "Condition": overlapping}))
    assert ends(starting) == [(["pull"], None)]
    trusted = document(trust(PULLER, UNTIL), trust(root(CONSUMER)))
    both = estate(role(trusted, document(ALLOW)), repositories=BOTH[:1])
    [row] = [row for (principal, _name), row in rows_of(both).items() if principal == PULLER]
    assert [path.until for path in row.access.paths] == [None]


def test_boundary_whose_allow_ends_access() -> None:
    other = {"Action": "s3:*", "Resource": "*", "Condition": {"DateLessThan": {"aws:CurrentTime": "2026-12-01"}}}
    boundary = PolicyDocument("permissions boundary", document({"Action": "ecr:*", "Resource": "*"}, other))
    assert ends(shared(document(ALLOW), boundary=boundary)) == [(["pull"], None)]
    ending = PolicyDocument("permissions boundary", document({"Action": "*", "Resource": "*", "Condition": UNTIL}))
    assert ends(shared(document(ALLOW), boundary=ending)) == [(["pull"], END)]


@pytest.mark.parametrize("place", ["trust of the first", "permission of the first", "trust of the second"])
def test_chain_of_roles_ends_with_any_of_its_steps(place: str) -> None:
    first, second = (f"arn:aws:iam::{OWNER}:role/{name}" for name in ("first", "second"))
    assume = {"Action": "sts:AssumeRole", "Resource": second}
    denied = [document(deny(FROM, Action="sts:AssumeRole"))] if place == "permission of the first" else []
    one = role(
        document(trust(PULLER, UNTIL if place == "trust of the first" else None)), document(assume), *denied, arn=first
    )
    other = document(trust(first, UNTIL if place == "trust of the second" else None))
    account = estate(one, role(other, document(ALLOW), arn=second), repositories=BOTH[:1])
    assert ends(account) == [(["pull"], END)]


def test_repository_policy_ends_the_access_of_a_named_session() -> None:
    session = {"AWS": f"arn:aws:sts::{OWNER}:assumed-role/allow_ecr_release/ci"}
    policy = document({"Principal": session, "Action": PULL, "Condition": UNTIL})
    shared_role = role(document(trust(PULLER)), document({"Action": "s3:*", "Resource": "*"}))
    assert ends(estate(shared_role, repositories=(repository("release", policy),))) == [(["pull"], END)]


def test_access_that_has_ended_has_no_row() -> None:
    past = {"DateGreaterThanEquals": {"aws:CurrentTime": "2026-11-27T00:00:00Z"}}
    assert rows_of(shared(document(ALLOW), document(deny(past)))) == {}


@pytest.mark.parametrize("seed", range(150))
def test_end_agrees_with_an_audit_at_each_second(seed: int) -> None:
    pick = random.Random(seed)  # noqa: S311
    latest = 12

    def condition() -> dict[str, Any]:
        time = NOW + SECOND * pick.randrange(-2, latest)
        operator = pick.choice(("LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals", "NotEquals"))
        if pick.random() < 0.3:
            return {f"Numeric{operator}": {"aws:EpochTime": str(int(time.timestamp()))}}
        return {f"Date{operator}": {"aws:CurrentTime": time.strftime("%Y-%m-%dT%H:%M:%SZ")}}

    def statement() -> dict[str, Any]:
        effect = "Deny" if pick.random() < 0.3 else "Allow"
        return {"Effect": effect, "Action": PULL, "Resource": "*", "Condition": condition()}

    statements = [statement() for _number in range(pick.randrange(1, 4))]
    boundary = PolicyDocument(
        "permissions boundary", document({"Action": "*", "Resource": "*", "Condition": condition()})
    )
    limit: dict[str, Any] = {"boundary": boundary} if pick.random() < 0.5 else {}
    trusted = [trust(PULLER, condition()) for _number in range(pick.randrange(1, 3))]
    account = estate(role(document(*trusted), document(*statements), **limit), repositories=BOTH[:1])
    times = [replace(account, now=NOW + SECOND * number) for number in range(latest + 2)]
    if not rows_of(account):
        return
    first = next((at.now for at in times if not rows_of(at)), None)
    found = [end for actions, end in ends(account) if actions == ["pull"]]
    assert (None if None in found else max(end for end in found if end)) == first
