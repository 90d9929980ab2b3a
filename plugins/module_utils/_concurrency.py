# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Requests at the same time. Standard library only."""

from __future__ import annotations

import threading
import typing as t

#: Requests at the same time, and connections of a client to its service.
CONCURRENCY = 32

Item = t.TypeVar("Item")
Answer = t.TypeVar("Answer")


def map_concurrently(call: t.Callable[[Item], Answer], items: t.Iterable[Item]) -> list[Answer]:
    """What `call` returns for each item, in their order. The first error is raised.

    The threads are daemons, so that a run that is interrupted does not wait for their requests.
    """
    asked = list(items)
    answers: dict[int, Answer] = {}
    errors: list[BaseException] = []
    numbers = iter(range(len(asked)))

    def work() -> None:
        for number in numbers:
            try:
                answers[number] = call(asked[number])
            except BaseException as error:
                errors.append(error)
            if errors:
                return

    threads = [threading.Thread(target=work, daemon=True) for _item in asked[:CONCURRENCY]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return [answers[number] for number in range(len(asked))]
