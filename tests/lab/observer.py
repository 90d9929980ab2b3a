# SPDX-License-Identifier: GPL-3.0-or-later
"""Computes the possible access after each API call, for the fault matrix. The lab runs it on request (`up --observe`).

Invariant 1: at no moment may a principal read a repository unless the old or the new declaration allows exactly that
pair. Here, a pair is a *claim* (account, principal, external ID) and a repository. The lab's IAM engine evaluates the
trust policy of each role for every claim, and the requests of its session for every repository. A session continues
after its trust policy changes. Therefore, all sessions that were possible earlier in the run are evaluated again after
each call.

A claim without an external ID is also a request of the principal's own identity, which the policy of the repository and
that of the registry may allow. The identity policies of the principal allow everything.

Access may have an end, and a killed run may be the last one before it. Therefore, the access after each end of the
declarations is evaluated as well, as if nothing else changed until then.

The evaluation follows each call that may change the access. The trusted principals depend on the stores. The access of
a session also depends on the revocations after its start (`_kind`). These results are cached until a call changes the
stores. After a read, only new kinds of sessions are evaluated. A new kind can arise without a change, because a
revocation does not end sessions that start after it.

The clock of AWS advances by `TICK` seconds with each call, as with a slow network. A session between two writes starts
after the first one.

Tests control it with `POST /_lab/<command>` and JSON. Only one request is served at a time.
"""

from __future__ import annotations

import asyncio
import calendar
import contextvars
import copy
import email.utils
import itertools
import json
import pickle
import re
import time
from collections.abc import Callable, Hashable
from typing import Any

from ministack.core import iam_evaluator, responses
from ministack.services import ecr, iam, sts

from . import (
    accounts,
    clock,
    creation_templates,
    cross_account,
    pull_through_cache,
    registry_policy,
    replication,
    replication_backfill,
    state,
)

TICK = 3  # seconds
PREFIX = "/_lab/"
#: account, user or role. `administrator` is another user of the consumer; no declaration has the last account.
PRINCIPALS = (
    (accounts.CONSUMER, "user/puller"),
    (accounts.CONSUMER, "user/administrator"),
    (accounts.STRANGER, "user/stranger"),
    (accounts.STRANGER, "role/visitor"),
    ("444444444444", "user/nobody"),
)
WRONG_ID = "not-an-external-id"
ACTIONS = {"describe": ("DescribeImages",), "pull": ("BatchGetImage", "GetDownloadUrlForLayer")}
#: The stores that an API's calls change.
STORES = {
    "iam": (iam._roles, iam._policies),
    "ecr": (
        *(ecr._repositories, ecr._images, ecr._layer_blobs, ecr._repo_policies, ecr._lifecycle_policies),
        *(registry_policy._policies, replication._configurations),
        *(creation_templates._templates, replication_backfill._backfills, pull_through_cache._rules),
    ),
}
READS_FROM = {"iam": "iam", "sts": "iam", "ecr": "ecr", "tagging": "ecr"}
_VOLATILE = (
    "CreateDate",
    "UpdateDate",
    "RoleId",
    "PolicyId",
    "VersionId",
    "DefaultVersionId",
    "createdAt",
    "updatedAt",
)
_FORM = "%Y-%m-%dT%H:%M:%SZ"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
#: The condition key of revocations. The time of a revocation is not part of the state, but an end of access is.
_REVOKED = "aws:TokenIssueTime"
Claim = tuple[str, str, "str | None"]
#: A session of a role: role name, its id, and when it started.
Session = tuple[str, str, int]
#: The role of sessions, and whether they started before each of its revocations.
Kind = tuple[str, tuple[bool, ...]]


class ObserverMiddleware:
    """Wraps the application.

    :param name_call: makes `service:Operation` of a request's scope, headers and body
    """

    def __init__(self, application: Any, name_call: Callable[[Any, dict[str, str], bytes], str]) -> None:
        self.application, self.name_call = application, name_call
        self.lock = asyncio.Lock()
        self.snapshots: list[bytes] = []
        #: The response of each API before the last write to it.
        self.former: dict[str, bytes] = {}
        self.clock = time.time()
        #: Sessions that could have been had, to who could.
        self.sessions: dict[Session, set[Claim]] = {}
        #: The stores, ends and claims that these answers are of; after each end, who each role trusts; a session of
        #: each kind, and who could have had one; after each end, the repositories that each kind of session can read.
        self.judged: list[Any] = []
        self.trusted: dict[int, dict[tuple[str, str], set[Claim]]] = {}
        self.kinds: dict[Kind, tuple[Session, set[Claim]]] = {}
        self.readable: dict[Hashable, set[tuple[str, str]]] = {}
        #: The same for own identities: account, name, repository and kind of request.
        self.allowed: dict[int, set[tuple[str, str, str, str]]] = {}
        #: Whether these answers may have changed since the last judgement.
        self.is_new = True
        self.begin([])

    # --- requests

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        async with self.lock:
            if scope["path"].startswith(PREFIX):
                await self._answer(scope["path"].removeprefix(PREFIX), json.loads(body or b"{}"), send)
            else:
                await self._serve(scope, body, receive, send)

    async def _answer(self, command: str, arguments: dict[str, Any], send: Any) -> None:
        allowed = {"begin", "report", "restore"}
        answer = getattr(self, command)(**arguments) if command in allowed else None
        await send({"type": "http.response.start", "status": 404 if command not in allowed else 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    async def _serve(self, scope: Any, body: bytes, receive: Any, send: Any) -> None:
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        call = self.name_call(scope, headers, body)
        service = READS_FROM.get(call.partition(":")[0])
        never = self._never_stale(call, service)
        self.calls.append((call, never))
        self.clock += TICK
        parts: list[bytes] = [body]

        async def once() -> Any:
            return {"type": "http.request", "body": parts.pop(), "more_body": False} if parts else await receive()

        async def in_our_time(message: Any) -> None:
            if message["type"] == "http.response.start":
                kept = [(name, value) for name, value in message["headers"] if name.lower() != b"date"]
                date = email.utils.formatdate(self.clock, usegmt=True).encode()
                message = {**message, "headers": [*kept, (b"date", date)]}
            await send(message)

        if service and state.is_write(call):
            self._let_in()
            before = self._pickled(service)
            await self.application(scope, once, in_our_time)
            if self._pickled(service) != before:
                self.former[service] = before
        elif service and len(self.calls) == self.stale_at and not never:
            now = self._pickled(service)
            self._put(service, self.former[service])
            await self.application(scope, once, in_our_time)
            self._put(service, now)
        else:
            await self.application(scope, once, in_our_time)
        self._look(call)

    def _never_stale(self, call: str, service: str | None) -> str:
        """The reason why a response cannot come from the state before the last write. Empty if it can."""
        if state.is_write(call):
            return "it is a write"
        if service is None or call in ("sts:GetCallerIdentity", "ecr:GetAuthorizationToken"):
            return "no write changes its answer"
        return "" if service in self.former else "nothing was written before"

    # --- commands

    def begin(self, declarations: list[dict[str, Any]], stale_at: int = 0, forget: bool = False, at: int = 0) -> None:
        """Start the observation with these declarations: `consumers` and `expires` (as in the role) and `repositories`.

        :param stale_at: the number of the call whose response comes from the state before the last write
        :param forget: whether earlier sessions are ignored
        :param at: the time from which the clock goes on; 0 for its own
        """
        self.declarations, self.stale_at = declarations, stale_at
        self.clock = at or self.clock
        every = [_ends(declaration, consumer) for declaration in declarations for consumer in declaration["consumers"]]
        self.ends = sorted({end for ends in every for end in ends})
        self.is_new = True
        self.calls: list[tuple[str, str]] = []
        self.violations: list[dict[str, Any]] = []
        if forget:
            self.sessions = {}
        self._let_in()
        self._look("before the first call")

    def report(self) -> dict[str, Any]:
        """The calls since `begin`, each with the reason why it cannot be stale, the undeclared access, and the state.

        `restore` accepts the number `snapshot` to return to this state.
        """
        kept = {service: self._pickled(service) for service in STORES}
        self.snapshots.append(pickle.dumps((kept, self.former, self.sessions, self.clock)))
        return {
            "calls": self.calls,
            "violations": self.violations,
            "state": self._dump(),
            "sessions": sorted(self._kinds_of_sessions()),
            "snapshot": len(self.snapshots) - 1,
        }

    def restore(self, snapshot: int) -> None:
        """Restore the state of a snapshot."""
        kept, self.former, self.sessions, self.clock = pickle.loads(self.snapshots[snapshot])  # noqa: S301, our own
        self.judged = []
        for service, pickled in kept.items():
            self._put(service, pickled)

    # --- the stores

    @staticmethod
    def _dump() -> dict[str, Any]:
        """The roles and policies of all accounts, the tags of repositories, and all registries, without ids, times."""
        roles = {f"{account} {name}": role for (account, name), role in iam._roles._data.items()}
        policies = {arn: policy for (_account, arn), policy in iam._policies._data.items()}
        tags = {key[-1]: value.get("tags", []) for key, value in ecr._repositories._data.items()}
        statements = {key[-1]: text for key, text in ecr._repo_policies._data.items()}
        return {
            **{"roles": _plain(roles), "policies": _plain(policies), "repositories": _plain(tags)},
            "statements": _plain(statements),
            "registries": _plain(_registries()),
            "backfills": [(one.destination, one.status, len(one.remaining)) for one in _backfills().values()],
        }

    @staticmethod
    def _pickled(service: str) -> bytes:
        return pickle.dumps([store._data for store in STORES[service]])

    @staticmethod
    def _put(service: str, pickled: bytes) -> None:
        for store, data in zip(STORES[service], pickle.loads(pickled)):  # noqa: S301, our own
            store._data.clear()
            store._data.update(data)

    # --- the judgement

    def _claims(self) -> list[Claim]:
        consumers = [consumer for declaration in self.declarations for consumer in declaration["consumers"]]
        every = [consumer.get("external_id") for consumer in consumers]
        declared = {external_id for external_id in every if external_id not in (None, WRONG_ID)}
        ids: list[str | None] = [*sorted(declared), WRONG_ID, None]
        return [(*principal, external_id) for principal, external_id in itertools.product(PRINCIPALS, ids)]

    def _let_in(self) -> None:
        """Record the sessions that can be started now."""
        now = [*map(self._pickled, STORES), self.ends, self._period(self.clock), self._claims()]
        if now != self.judged:
            self.judged, self.trusted, self.kinds, self.readable, self.is_new = now, {}, {}, {}, True
            self.allowed = {}
            for session, claims in self.sessions.items():
                self._sort(session, claims)
        for session, claims in self._startable(self.clock).items():
            self.sessions.setdefault(session, set()).update(claims)
            self._sort(session, claims)

    def _sort(self, session: Session, claims: set[Claim]) -> None:
        """Add a session to those of its kind. The sessions of a role end with it."""
        kind = _kind(*session)
        if kind is not None:
            known = self.kinds.setdefault(kind, (session, set()))[1]
            self.is_new = self.is_new or not claims <= known
            known |= claims

    def _startable(self, moment: float) -> dict[Session, set[Claim]]:
        """The sessions that can be started at a moment, to who can."""
        period = self._period(moment)
        if period not in self.trusted:
            self.trusted[period] = {
                (name, role["RoleId"]): {claim for claim in self._claims() if _at(moment, _trusts, role, claim)}
                for (account, name), role in iam._roles._data.items()
                if account == accounts.OWNER
            }
        return {(*role, int(moment)): claims for role, claims in self.trusted[period].items() if claims}

    def _moments(self) -> list[float]:
        """Now, and each later end."""
        return [self.clock, *(end for end in self.ends if end > self.clock)]

    def _period(self, moment: float) -> int:
        """The last end before a moment; 0 before the first end. Access remains the same until the next end."""
        return max((end for end in self.ends if end <= moment), default=0)

    def _readable(self, moment: float) -> dict[Claim, set[tuple[str, str]]]:
        """The repositories, each with the action, that recorded and new sessions can read at a moment."""
        found: dict[Claim, set[tuple[str, str]]] = {}
        later = {} if moment == self.clock else self._startable(moment)
        kinds = [*self.kinds.items(), *((_kind(*session), (session, claims)) for session, claims in later.items())]
        for kind, (session, claims) in kinds:
            key = (self._period(moment), kind)
            if key not in self.readable:
                self.readable[key] = _at(moment, _reads, *session)
            for claim in claims:
                found.setdefault(claim, set()).update(self.readable[key])
        period = self._period(moment)
        if period not in self.allowed:
            self.allowed[period] = _at(moment, _allowed_by_policies)
        for account, name, repository, what in self.allowed[period]:
            found.setdefault((account, name, None), set()).add((repository, what))
        return found

    def _kinds_of_sessions(self) -> set[str]:
        """The recorded sessions, one of each kind that IAM distinguishes now or later."""
        return {f"{claim} {kind}" for kind, (_session, claims) in self.kinds.items() for claim in claims}

    def _look(self, call: str) -> None:
        self._let_in()
        for moment in self._moments() if self.is_new else ():
            for claim, readable in self._readable(moment).items():
                for repository, what in sorted(readable):
                    if not any(_allows(declaration, claim, repository, moment) for declaration in self.declarations):
                        self.violations.append(self._violation(call, claim, repository, what, moment))
        self.is_new = False

    def _violation(self, call: str, claim: Claim, repository: str, what: str, moment: float) -> dict[str, Any]:
        account, name, external_id = claim
        return {
            "after": call,
            "number": len(self.calls),
            "account": account,
            "principal": name,
            "external_id": external_id,
            "repository": repository,
            "what": what,
            "later": "" if moment == self.clock else _text(moment),
        }


def _registries() -> dict[str, Any]:
    """The documents, the templates, the cache rules and the digests of the images of all registries."""
    images = {key: sorted(image["imageDigest"] for image in found) for key, found in ecr._images._data.items()}
    documents = (registry_policy._policies, replication._configurations, creation_templates._templates)
    rules = {(*key, "cache rule"): value for key, value in pull_through_cache._rules._data.items()}
    listed = (images, rules, *(store._data for store in documents))
    return {str(key): value for found in listed for key, value in found.items()}


def _backfills() -> dict[Any, replication_backfill.Backfill]:
    found: dict[Any, replication_backfill.Backfill] = replication_backfill._backfills._data
    return found


def _allows(declaration: dict[str, Any], claim: Claim, repository: str, moment: float) -> bool:
    account, name, external_id = claim
    return repository in declaration["repositories"] and any(
        consumer["account"] == account
        and name in (consumer.get("principals") or [name])
        and consumer.get("external_id") == external_id
        and all(moment < end for end in _ends(declaration, consumer))
        for consumer in declaration["consumers"]
    )


def _ends(declaration: dict[str, Any], consumer: dict[str, Any]) -> list[int]:
    """The ends of the access of a consumer, in seconds."""
    texts = [text for text in (declaration.get("expires"), consumer.get("expires")) if text]
    return [calendar.timegm(time.strptime(text, _FORM)) for text in texts]


def _text(moment: float) -> str:
    return time.strftime(_FORM, time.gmtime(moment))


def _at(moment: float, function: Callable[..., Any], *arguments: Any) -> Any:
    """The result of a function for which it is another time."""

    def then() -> Any:
        clock.AT.set(moment)
        return function(*arguments)

    return contextvars.Context().run(then)


def _session_arn(account: str, name: str) -> str:
    """The ARN of a principal in its requests."""
    is_role = name.startswith("role/")
    return f"arn:aws:sts::{account}:assumed-{name}/session" if is_role else f"arn:aws:iam::{account}:{name}"


def _trusts(role: dict[str, Any], claim: Claim) -> bool:
    account, name, external_id = claim
    arn = _session_arn(account, name)
    context = iam_evaluator.EvalContext(
        principal_arn=arn,
        principal_type="AssumedRole" if name.startswith("role/") else "User",
        principal_account=account,
        action="sts:AssumeRole",
        resource_arn=role["Arn"],
        region=accounts.REGION,
        service_context={"sts:externalid": external_id},
    )
    return bool(iam_evaluator.evaluate_trust_policy(role["AssumeRolePolicyDocument"], arn, context))


def _kind(name: str, role_id: str, issued: int) -> Kind | None:
    """The later revocations, by which IAM distinguishes sessions of a role. None if the role was deleted."""
    role = iam._roles._data.get((accounts.OWNER, name))
    if role is None or role["RoleId"] != role_id:
        return None
    revocations = [text for text in map(str, role["InlinePolicies"].values()) if _REVOKED in text]
    return name, tuple(_text(issued) < match for match in sorted(_TIME.findall(str(revocations))))


def _reads(name: str, role_id: str, issued: int) -> set[tuple[str, str]]:
    """The repositories that a session of the role, issued at a given time, can read now."""
    responses._request_account_id.set(accounts.OWNER)
    key = "ASIAOBSERVER"
    sts._sessions[key] = {
        "Arn": f"arn:aws:sts::{accounts.OWNER}:assumed-role/{name}/observer",
        "UserId": f"{role_id}:observer",
        "SecretAccessKey": "none",
        "AccountId": accounts.OWNER,
        "PrincipalType": "AssumedRole",
        "IssuedAt": issued,
    }
    found = set()
    for account, region, repository in list(ecr._repositories._data):
        arn = f"arn:aws:ecr:{region}:{account}:repository/{repository}"
        for what, actions in ACTIONS.items():
            if any(iam_evaluator.enforce(key, f"ecr:{action}", "ecr", region, arn) is None for action in actions):
                found.add((repository, what))
    del sts._sessions[key]
    return found


def _allowed_by_policies() -> set[tuple[str, str, str, str]]:
    """The principals whose own requests the policies of repositories and registries allow: account, name, repository
    and kind of request.
    """
    found = set()
    for account, region, repository in list(ecr._repositories._data):
        arn = f"arn:aws:ecr:{region}:{account}:repository/{repository}"
        policy = ecr.repository_policy_for_arn(arn)[0]
        for (principal_account, name), (what, actions) in itertools.product(PRINCIPALS, ACTIONS.items()):
            contexts = [
                iam_evaluator.EvalContext(
                    principal_arn=_session_arn(principal_account, name),
                    principal_type="AssumedRole" if name.startswith("role/") else "User",
                    principal_account=principal_account,
                    action=f"ecr:{action}",
                    resource_arn=arn,
                    region=region,
                    service_context=cross_account.repository_tags(arn),
                )
                for action in actions
            ]
            decisions = [iam_evaluator.evaluate_resource_policy(policy, context).decision for context in contexts]
            if "Allow" in decisions and principal_account != account:
                found.add((principal_account, name, repository, what))
    return found


def _plain(value: Any) -> Any:
    """Documents as objects, sets in a fixed order, and no values that differ between runs."""
    if isinstance(value, dict):
        kept = {key: _plain(element) for key, element in value.items() if key not in _VOLATILE}
        if "Versions" in kept:
            kept["Versions"] = sorted(kept["Versions"].values(), key=json.dumps)
        return kept
    if isinstance(value, (list, tuple)):
        return sorted((_plain(element) for element in value), key=lambda element: json.dumps(element, sort_keys=True))
    if isinstance(value, str):
        value = _TIME.sub("*", value) if _REVOKED in value else value
        return _plain(json.loads(value)) if value.startswith("{") else value
    return copy.deepcopy(value)
