# SPDX-License-Identifier: GPL-3.0-or-later
"""Two programs change one document of a registry. AWS replaces the whole document with each write."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import Destination
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_merge import statement_elements
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_document import (
    RegistryDocument,
    write_merged,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_policy_declaration import (
    StatementDeclaration,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_policy_plan import merge_statement
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_declaration import RuleDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_plan import merge_rule, rule_elements
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_selection import Selection
from ansible_collections.crossaccount.ecr.plugins.module_utils._retry import NotConfirmedError
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WaitOptions
from botocore.exceptions import ClientError, ReadTimeoutError

WAIT = WaitOptions(True, 0, 0.0)
PLACE = Destination("222222222222", "eu-west-1")
REGISTRY = Identity("aws", "222222222222")
THROTTLED = ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, "PutRegistryPolicy")
DENIED = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "PutRegistryPolicy")
LOST = ReadTimeoutError(endpoint_url="x")


def rule(name: str, is_present: bool = True) -> Callable[[Any], Any]:
    """A change of a list of rules."""
    declared = RuleDeclaration(Selection((name,)), (PLACE,), is_present=is_present)
    return lambda rules: merge_rule(rules, declared).rules


def statement(name: str, is_present: bool = True) -> Callable[[Any], Any]:
    """A change of a policy."""
    declared = StatementDeclaration("1" * 12, name, Selection((name,)), is_present=is_present)
    return lambda policy: merge_statement(policy, declared, declared.statement(REGISTRY, "eu-west-1")).policy


class Registry:
    """A document in AWS. Before and after each request of the module, another program may act."""

    def __init__(self, content: Any) -> None:
        self.content, self.requests = content, list[str]()
        self.at: dict[int, Callable[[], None]] = {}
        self.failures: dict[int, tuple[bool, Exception]] = {}
        self.replies: dict[int, Any] = {}
        self.others_copy: Any = None

    def read(self) -> Any:
        number = self._request("read")
        return self.replies.get(number, self.content)

    def write(self, content: Any) -> None:
        number = self._request("write")
        is_applied, error = self.failures.get(number, (True, None))
        if is_applied:
            self.content = content
        if error:
            raise error

    def _request(self, name: str) -> int:
        number = len(self.requests)
        self.at.get(number, lambda: None)()
        self.requests.append(name)
        return number

    def read_by_other(self) -> None:
        self.others_copy = self.content

    def interleave(self, first: int, last: int, change: Callable[[Any], Any]) -> None:
        """The other program reads before one request of the module, and writes before the same or a later one."""
        write = self.other_writes(change)

        def read_and_write() -> None:
            self.read_by_other()
            write()

        self.at = {first: self.read_by_other, last: write} if first < last else {first: read_and_write}

    def other_writes(self, change: Callable[[Any], Any]) -> Callable[[], None]:
        """The other program writes what it read, with its own change."""

        def write() -> None:
            self.content = change(self.others_copy)

        return write


KINDS: dict[str, tuple[Callable[..., Any], Callable[[Any], Any], Any]] = {
    "rules": (rule, rule_elements, []),
    "policy": (statement, statement_elements, None),
}


def document(registry: Registry, kind: str, is_present: bool = True) -> RegistryDocument[Any]:
    change, elements, _empty = KINDS[kind]
    return RegistryDocument(kind, registry.read, registry.write, change("ours", is_present), elements)


def parts(kind: str, content: Any) -> set[str]:
    return set(KINDS[kind][1](content).values())


def made(kind: str, *names: str) -> Any:
    content = KINDS[kind][2]
    for name in names:
        content = KINDS[kind][0](name)(content)
    return content


#: The requests of a run: one read before the write, the write, and three reads after it.
REQUESTS = ["read", "write", "read", "read", "read"]
WRITE = 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_present", [True, False])
def test_only_the_window_of_one_request_loses_a_change(kind: str, is_present: bool) -> None:
    """The other program reads at one point and writes at the same or a later one, with what it read."""
    change = KINDS[kind][0]
    cases = 0
    foreigners = ("foreign1", "foreign2", "foreign3", "foreign4")
    for count, removes in itertools.product(range(len(foreigners) + 1), (False, True)):
        names = foreigners[:count]
        if removes and not names:
            continue
        others = change(names[0], False) if removes else change("other")
        points = itertools.combinations_with_replacement(range(len(REQUESTS) + 1), 2)
        for (first, last), order in itertools.product(points, itertools.permutations(names)):
            cases += 1
            start = made(kind, *order, *(() if is_present else ("ours",)))
            registry = Registry(start)
            registry.interleave(first, last, others)
            error = None
            try:
                write_merged(document(registry, kind, is_present), WAIT)
            except EcrError as raised:
                error = raised
            for number in range(len(registry.requests), len(REQUESTS) + 1):
                registry.at.get(number, lambda: None)()
            final = parts(kind, registry.content)
            texts = parts(kind, others(start))
            case = (names, removes, first, last, registry.requests, final, str(error))
            in_window = last == WRITE
            if not in_window:
                # The change of the other program remains, and every rule or statement that neither program manages.
                assert parts(kind, made(kind, *names[int(removes) :])) <= final, case
                assert removes or any("other" in text for text in final), case
                assert len(texts) >= len(final) - 1, case
            ours = any("ours" in text for text in final)
            is_lost = ours != is_present
            # The loss of the own change is an error, unless it happens after the last read.
            if is_lost and last < len(REQUESTS):
                assert isinstance(error, EcrError), case
            if error is None and last < len(REQUESTS):
                assert not is_lost, case
    assert cases == 1407  # for each document, twice: our part is added, and it is removed


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("planned", "first", "reads"), [("other", "other", 1), ("other", "", 3), ("", "other", 2)])
def test_an_earlier_document_is_read_again_before_the_write(kind: str, planned: str, first: str, reads: int) -> None:
    """Another program wrote before the plan, or between the plan and the write. Its part is kept."""
    registry = Registry(made(kind, "other"))
    registry.replies[0] = made(kind, *filter(None, [first]))
    known = made(kind, *filter(None, [planned]))
    write_merged(replace(document(registry, kind), planned=(known,)), WAIT)
    assert registry.content == KINDS[kind][0]("ours")(made(kind, "other"))
    assert registry.requests == ["read"] * reads + REQUESTS[WRITE:]


@pytest.mark.parametrize("kind", KINDS)
def test_conflict_shows_both_documents(kind: str) -> None:
    registry = Registry(made(kind, "foreign1"))
    registry.interleave(0, 2, KINDS[kind][0]("other"))
    with pytest.raises(EcrError) as raised:
        write_merged(document(registry, kind), WAIT)
    message = str(raised.value)
    assert message.startswith(f"Another program changed the {kind} at the same time: it lacks the ")
    assert "This run wrote: " in message
    assert "AWS returns now: " in message
    facts: Any = raised.value.facts
    assert facts["changed"] is True
    assert facts["conflict"]["written"] == made(kind, "foreign1", "ours")
    assert facts["conflict"]["found"] == made(kind, "foreign1", "other")


@pytest.mark.parametrize("kind", KINDS)
def test_old_document_is_read_again(kind: str) -> None:
    registry, old = Registry(made(kind, "foreign1")), made(kind, "foreign1")
    registry.replies = {2: old, 4: old}
    write_merged(document(registry, kind), WaitOptions(True, 60, 0.0))
    assert registry.requests == ["read", "write", *["read"] * 6]


@pytest.mark.parametrize("kind", KINDS)
def test_document_that_stays_old_is_not_confirmed(kind: str) -> None:
    registry, old = Registry(made(kind, "foreign1")), made(kind, "foreign1")
    registry.replies = dict.fromkeys(range(2, 10000), old)
    with pytest.raises(NotConfirmedError, match=f"does not confirm the {kind}: it lacks the "):
        write_merged(document(registry, kind), WAIT)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("is_applied", "error"), [(False, THROTTLED), (False, LOST), (True, LOST)])
def test_write_after_an_error_merges_what_was_written_meanwhile(kind: str, is_applied: bool, error: Exception) -> None:
    registry = Registry(made(kind, "foreign1"))
    registry.failures = {1: (is_applied, error)}

    def other() -> None:
        registry.content = KINDS[kind][0]("other")(registry.content)

    registry.at = {2: other}
    before, after = write_merged(document(registry, kind), WAIT)
    assert before != after
    assert parts(kind, registry.content) == parts(kind, made(kind, "foreign1", "ours", "other"))


@pytest.mark.parametrize("kind", KINDS)
def test_denied_write_is_sent_once(kind: str) -> None:
    registry = Registry(made(kind))
    registry.failures = {1: (False, DENIED)}
    with pytest.raises(ClientError):
        write_merged(document(registry, kind), WAIT)
    assert registry.requests == ["read", "write"]


@pytest.mark.parametrize("kind", KINDS)
def test_change_that_is_already_there_is_not_written(kind: str) -> None:
    registry = Registry(made(kind, "foreign1", "ours"))
    write_merged(document(registry, kind), WAIT)
    assert registry.requests == ["read"]
