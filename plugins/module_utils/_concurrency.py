# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Concurrent requests. Standard library only."""

from __future__ import annotations

import threading
import typing as t
from concurrent.futures import Future

#: The maximum number of concurrent requests, and of connections of a client.
CONCURRENCY = 32

Item = t.TypeVar("Item")
Result = t.TypeVar("Result")


def map_concurrently(call: t.Callable[[Item], Result], items: t.Iterable[Item]) -> list[Result]:
    """Call a function for each item concurrently, and return the results in the order of the items.

    The first error is raised. The threads are daemons, so that an interrupt does not wait for pending requests.
    """
    values = list(items)
    results: dict[int, Result] = {}
    errors: list[BaseException] = []
    numbers = iter(range(len(values)))

    def work() -> None:
        for number in numbers:
            try:
                results[number] = call(values[number])
            except BaseException as error:
                errors.append(error)
            if errors:
                return

    threads = [threading.Thread(target=work, daemon=True) for _item in values[:CONCURRENCY]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return [results[number] for number in range(len(values))]


def start(call: t.Callable[[], Result]) -> t.Callable[[], Result]:
    """Call a function in a thread. The returned function waits, and returns its result or raises its error."""
    future: Future[Result] = Future()

    def work() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return future.result
