# SPDX-License-Identifier: GPL-3.0-or-later
"""Consumers in accounts of their own, and threads that pull as them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tests.lab import accounts
from tests.support.control import ROLE
from tests.support.lab import Lab
from tests.support.lab_accounts import Accounts, Keys
from tests.support.pulling import ALLOWED, Answer, Puller

ACCESS_ROLE = "OrganizationAccountAccessRole"
REPOSITORY = "release"
ASSUME = "assume"


class Consumer(NamedTuple):
    """A user in an account of its own, with the role that serves it."""

    account: str
    keys: Keys

    @property
    def external_id(self) -> str:
        return f"load-{self.account}"

    @property
    def declared(self) -> dict[str, Any]:
        """The consumer in a declaration."""
        return {"account": self.account, "external_id": self.external_id}

    @property
    def role(self) -> str:
        return f"{ROLE}-{self.account}"

    def puller(self, lab: Lab) -> Puller:
        arn = f"arn:aws:iam::{accounts.OWNER}:role/{self.role}"
        return Puller(lab.endpoint, self.keys, arn, self.external_id, REPOSITORY)


def new_consumers(lab: Lab, count: int) -> list[Consumer]:
    """Consumers in new accounts of an organization to which the owner account does not belong."""
    known, management = Accounts(lab), lab.client("stranger-administrator", "organizations")
    return [_new_consumer(known, management, number) for number in range(count)]


def _new_consumer(known: Accounts, management: Any, number: int) -> Consumer:
    name, email = f"load {number}", f"load-{number}@example.com"
    created = management.create_account(AccountName=name, Email=email, RoleName=ACCESS_ROLE)
    account = str(created["CreateAccountStatus"]["AccountId"])
    administrator = known.administrators[accounts.STRANGER]
    session = known.assume(administrator, f"arn:aws:iam::{account}:role/{ACCESS_ROLE}")
    iam = known.client("iam", session)
    iam.create_user(UserName="puller")
    statement = '{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}'
    document = f'{{"Version": "2012-10-17", "Statement": [{statement}]}}'
    iam.put_user_policy(UserName="puller", PolicyName="assume", PolicyDocument=document)
    key = iam.create_access_key(UserName="puller")["AccessKey"]
    return Consumer(account, Keys(key["AccessKeyId"], key["SecretAccessKey"]))


class Pulls(threading.Thread):
    """Pulls as one consumer until it is stopped: a new session, a token, the image, its manifest and a layer."""

    def __init__(self, lab: Lab, consumer: Consumer, stop: threading.Event) -> None:
        super().__init__(name=consumer.account)
        self._puller, self._stop_event = consumer.puller(lab), stop
        self.count = 0
        #: The requests that did not succeed.
        self.failures: list[str] = []

    def run(self) -> None:
        while not self._stop_event.is_set():
            try:
                self._pull()
            except Exception as error:
                self.failures.append(f"{self.name}: {error!r}")
                break
        self._puller.close()

    def _pull(self) -> None:
        puller = self._puller
        assumed, session = puller.assume()
        if not self._is_allowed(ASSUME, assumed):
            return
        asked, token = puller.token(session)
        steps: dict[str, Callable[[], Answer]] = {
            "token": lambda: asked,
            "describe": lambda: puller.describe(session),
            "manifest": lambda: puller.manifest(token),
            "layer": lambda: puller.layer(token),
        }
        self.count += all(self._is_allowed(name, request()) for name, request in steps.items())

    def _is_allowed(self, step: str, answer: Answer) -> bool:
        if answer.outcome != ALLOWED:
            self.failures.append(f"{self.name} {step} at {time.time():.3f}: {answer.outcome}")
        return answer.outcome == ALLOWED


class Seen(NamedTuple):
    """A request: when it began and ended, and its outcome."""

    operation: str
    began: float
    ended: float
    outcome: str


class Watcher(threading.Thread):
    """Requests everything as one consumer, with a session and a registry token from before, until it is stopped."""

    def __init__(self, lab: Lab, consumer: Consumer, stop: threading.Event) -> None:
        super().__init__(name=consumer.account)
        self.consumer = consumer
        self._puller, self._stop_event = consumer.puller(lab), stop
        self.seen: list[Seen] = []
        self.error = ""
        answer, self._session = self._puller.assume()
        assert answer.outcome == ALLOWED, answer
        self._token = self._puller.token(self._session)[1]
        assert self._puller.manifest(self._token).outcome == ALLOWED

    def run(self) -> None:
        while not self._stop_event.is_set() and not self.error:
            try:
                for operation, request in self._requests():
                    began = time.time()
                    outcome = request().outcome
                    self.seen.append(Seen(operation, began, time.time(), outcome))
            except Exception as error:
                self.error = repr(error)
        self._puller.close()

    def _requests(self) -> Iterator[tuple[str, Callable[[], Answer]]]:
        puller, session, token = self._puller, self._session, self._token
        yield ASSUME, lambda: puller.assume()[0]
        yield "token", lambda: puller.token(session)[0]
        yield "describe", lambda: puller.describe(session)
        yield "manifest", lambda: puller.manifest(token)
        yield "layer", lambda: puller.layer(token)
