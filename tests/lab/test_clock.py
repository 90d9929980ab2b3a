# SPDX-License-Identifier: GPL-3.0-or-later
"""The clock that a test sets decides every condition on the time, and ends sessions and registry tokens."""

from __future__ import annotations

import datetime
import email.utils
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.lab import Lab, LabClock
from tests.support.lab_accounts import Keys
from tests.support.pulling import ALLOWED, DENIED, Puller

from . import accounts
from .clients import Account, allow, document, trust

END = datetime.datetime(2031, 2, 28, 23, 59, 59, tzinfo=datetime.timezone.utc)
SECOND, HOUR = datetime.timedelta(seconds=1), datetime.timedelta(hours=1)
EPOCH = str(int(END.timestamp()))
CURRENT_TIME = {"DateLessThan": {"aws:CurrentTime": "2031-02-28T23:59:59Z"}}
CONDITIONS = {
    "date": CURRENT_TIME,
    "time zone": {"DateLessThan": {"aws:CurrentTime": "2031-03-01T08:59:59+09:00"}},
    "seconds": {"NumericLessThan": {"aws:EpochTime": EPOCH}},
    "seconds as date": {"DateLessThan": {"aws:EpochTime": EPOCH}},
    "deny": {"DateGreaterThanEquals": {"aws:CurrentTime": "2031-02-28T23:59:59Z"}},
}


@pytest.fixture
def clock(lab: Lab) -> Iterator[LabClock]:
    with lab.clock() as clock:
        yield clock


@pytest.fixture(scope="module")
def account(lab: Lab) -> Account:
    return Account(lab)


def puller(lab: Lab, account: Account, limit: dict[str, Any], *permissions: dict[str, Any]) -> Puller:
    """A consumer, and a new role.

    :param limit: a condition of the trust policy
    """
    condition = {**limit, "StringEquals": {"sts:ExternalId": "test"}}
    principal = {"AWS": accounts.CONSUMER}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition}
    found = lab.session("consumer").get_credentials()
    keys = Keys(found.access_key, found.secret_key)
    return Puller(lab.endpoint, keys, account.role(document(statement), *permissions), "test", "release")


def outcomes(puller: Puller, session: Keys, token: str) -> set[str]:
    answers = (puller.token(session)[0], puller.describe(session), puller.manifest(token), puller.layer(token))
    return {answer.outcome for answer in answers}


def dates(answer: dict[str, Any]) -> datetime.datetime:
    return email.utils.parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])


@pytest.mark.parametrize("name", CONDITIONS)
def test_clock_decides_for_every_operation(lab: Lab, clock: LabClock, account: Account, name: str) -> None:
    condition = CONDITIONS[name]
    ecr: tuple[dict[str, Any], ...] = (allow("ecr:*", Condition=condition),)
    if name == "deny":
        ecr = (allow("ecr:*"), {**allow("*", Condition=condition), "Effect": "Deny"})
    consumer = puller(lab, account, CURRENT_TIME if name == "deny" else condition, *ecr)
    clock.stop_at(END - SECOND)
    session = consumer.assume()[1]
    token = consumer.token(session)[1]
    assert consumer.manifest(token).outcome == ALLOWED
    for moment, expected in ((END - SECOND, ALLOWED), (END, DENIED), (END + SECOND, DENIED), (END - SECOND, ALLOWED)):
        clock.stop_at(moment)
        assert {consumer.assume()[0].outcome, *outcomes(consumer, session, token)} == {expected}, moment
    consumer.close()


def test_sessions_and_tokens_begin_and_expire_by_the_clock(lab: Lab, clock: LabClock, account: Account) -> None:
    clock.stop_at(END)
    role = account.role(trust(accounts.CONSUMER), allow("ecr:*"))
    reply = lab.client("consumer", "sts").assume_role(RoleArn=role, RoleSessionName="any")
    assert (dates(reply), reply["Credentials"]["Expiration"]) == (END, END + HOUR)
    token = lab.client("owner", "ecr").get_authorization_token()["authorizationData"][0]
    assert token["expiresAt"] == END + 12 * HOUR
    created = account.iam.get_role(RoleName=role.rpartition("/")[2])["Role"]
    assert (created["CreateDate"], created["RoleLastUsed"]["LastUsedDate"]) == (END, END)


def test_session_and_token_are_denied_after_they_expire(lab: Lab, clock: LabClock, account: Account) -> None:
    consumer = puller(lab, account, {}, allow("ecr:*"))
    clock.stop_at(END)
    session = consumer.assume()[1]
    token = consumer.token(session)[1]
    assert consumer.manifest(token).outcome == ALLOWED
    clock.stop_at(END + HOUR)
    assert outcomes(consumer, session, token) == {ALLOWED}
    clock.stop_at(END + HOUR + SECOND)
    assert "expired" in consumer.describe(session).outcome
    assert "expired" in consumer.manifest(token).outcome
    consumer.close()


def test_condition_on_the_issue_time_of_a_session(lab: Lab, clock: LabClock, account: Account) -> None:
    before = {"DateLessThan": {"aws:TokenIssueTime": "2031-02-28T23:59:59Z"}}
    consumer = puller(lab, account, {}, allow("ecr:*"), {**allow("*", Condition=before), "Effect": "Deny"})
    for moment, expected in ((END - SECOND, DENIED), (END, ALLOWED)):
        clock.stop_at(moment)
        assert consumer.describe(consumer.assume()[1]).outcome == expected
    consumer.close()


def test_clock_runs_ahead(lab: Lab, clock: LabClock) -> None:
    sts, ahead = lab.client("owner", "sts"), datetime.timedelta(days=400)
    clock.advance(ahead)
    began = datetime.datetime.now(datetime.timezone.utc)
    answered = dates(sts.get_caller_identity())
    assert began - SECOND <= answered - ahead <= datetime.datetime.now(datetime.timezone.utc)


def test_clock_of_the_machine_is_the_default(lab: Lab) -> None:
    sts = lab.client("owner", "sts")
    with lab.clock() as clock:
        clock.stop_at(END)
        assert dates(sts.get_caller_identity()) == END
    began = datetime.datetime.now(datetime.timezone.utc)
    assert began - SECOND <= dates(sts.get_caller_identity()) <= datetime.datetime.now(datetime.timezone.utc)
