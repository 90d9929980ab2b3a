# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulates eventual consistency. On AWS, roles, policies, attachments and tags take 3 to 30 seconds.

While the file `state.PROPAGATION` exists in the lab's folder, writes to roles, policies and tags of repositories reach
each replica of the lab after a random delay. A replica receives the writes to one object in their order. Each
read and each authorization uses a random replica, which has the previous state until the write arrives. Writes use the
current state. The file is JSON: `seed` makes the delays repeatable, and `seconds` is the longest delay.
"""

from __future__ import annotations

import contextlib
import copy
import json
import pathlib
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import ecr, iam, sts, tagging

from . import state

COPIES = 3
_TAG_CALLS = ("TagResources", "UntagResources", "GetResources", "GetTagKeys")


class _Store:
    """The roles, or the policies, of all accounts."""

    def __init__(self, data: dict[Any, Any]) -> None:
        self.data = data

    def snapshot(self) -> dict[Any, Any]:
        return copy.deepcopy(self.data)

    def get(self, key: Any) -> Any:
        return self.data.get(key)

    def put(self, key: Any, value: Any) -> None:
        if value is None:
            self.data.pop(key, None)
        else:
            self.data[key] = value


class _Tags(_Store):
    """The tags of the repositories, separate from the repositories."""

    def snapshot(self) -> dict[Any, Any]:
        return {key: copy.deepcopy(repository.get("tags", [])) for key, repository in self.data.items()}

    def get(self, key: Any) -> Any:
        return self.data[key].get("tags", []) if key in self.data else None

    def put(self, key: Any, value: Any) -> None:
        if key in self.data and value is not None:
            self.data[key]["tags"] = value


@dataclass(frozen=True)
class _Write:
    """The state before a write, and the time at which each replica discards it."""

    former: Any
    known: list[float]


class Propagation:
    """The writes that have not reached all replicas."""

    def __init__(self, control: pathlib.Path) -> None:
        self.control = control
        self.things = (_Store(iam._roles._data), _Store(iam._policies._data), _Tags(ecr._repositories._data))
        self.writes: dict[tuple[int, Any], list[_Write]] = {}
        self._content, self._seconds, self._random = "", 0.0, random.Random()  # noqa: S311  (no secret)

    def on(self) -> bool:
        """Whether writes are delayed now, according to the file."""
        content = self.control.read_text() if self.control.exists() else ""
        if content != self._content:
            options = json.loads(content or "{}")
            self._content, self._seconds = content, float(options.get("seconds", 0))
            self._random.seed(options.get("seed"))
            self.writes.clear()
        return bool(content)

    def late(self, handle: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap the handler of a write, which reaches the replicas later."""

        def writing(*arguments: Any) -> Any:
            if not self.on():
                return handle(*arguments)
            before = [things.snapshot() for things in self.things]
            reply = handle(*arguments)
            now = time.monotonic()
            for number, things in enumerate(self.things):
                after = things.snapshot()
                for key in sorted({*before[number], *after}, key=repr):
                    if before[number].get(key) != after.get(key):
                        self._note((number, key), before[number].get(key), now)
            return reply

        return writing

    def _note(self, item: tuple[int, Any], former: Any, now: float) -> None:
        writes = self.writes.setdefault(item, [])
        earlier = writes[-1].known if writes else [now] * COPIES
        writes.append(_Write(former, [max(at, now + self._random.uniform(0, self._seconds)) for at in earlier]))

    def reading(self, handle: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap the handler of a read, which uses a replica."""

        def asking(*arguments: Any, **options: Any) -> Any:
            with self.as_of_a_copy():
                return handle(*arguments, **options)

        return asking

    def reading_soon(self, handle: Callable[..., Any]) -> Callable[..., Any]:
        """The same for a coroutine. It does not wait, so no other request runs during it."""

        async def asking(*arguments: Any) -> Any:
            with self.as_of_a_copy():
                return await handle(*arguments)

        return asking

    @contextlib.contextmanager
    def as_of_a_copy(self) -> Iterator[None]:
        """Context manager in which the state is that of one replica."""
        true: list[tuple[_Store, Any, Any]] = []
        if self.on():
            now, number = time.monotonic(), self._random.randrange(COPIES)
            for (place, key), writes in self.writes.items():
                unknown = [write for write in writes if write.known[number] > now]
                if unknown:
                    things = self.things[place]
                    true.append((things, key, things.get(key)))
                    things.put(key, copy.deepcopy(unknown[0].former))
        try:
            yield
        finally:
            for things, key, value in reversed(true):
                things.put(key, value)


def install(folder: pathlib.Path) -> None:
    """Add the delays to MiniStack, after all other additions."""
    propagation = Propagation(folder / state.PROPAGATION)
    for handlers, operations in ((iam._IAM_HANDLERS, list(iam._IAM_HANDLERS)), (tagging._HANDLERS, _TAG_CALLS)):
        for operation in operations:
            wrap = propagation.reading if operation.startswith(state.READS) else propagation.late
            handlers[operation] = wrap(handlers[operation])
    ecr._list_tags_for_resource = propagation.reading(ecr._list_tags_for_resource)
    ecr._tag_resource = propagation.late(ecr._tag_resource)
    ecr._untag_resource = propagation.late(ecr._untag_resource)
    sts.handle_request = propagation.reading_soon(sts.handle_request)
    iam_evaluator.enforce = propagation.reading(iam_evaluator.enforce)
