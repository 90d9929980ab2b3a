# SPDX-License-Identifier: GPL-3.0-or-later
"""The repositories of the bench, beside the lab's own. Standard library only."""

from __future__ import annotations

#: Every one carries this: the Resource Groups Tagging API knows repositories only that were tagged once.
KNOWN_BY = {"team": "bench"}
#: The last ones carry this too, from the start.
SHARED_BY = {"environment": "release"}
SHARED = 100


def names(count: int, first: int = 0) -> list[str]:
    """The names of `count` repositories, from number `first` on."""
    return [f"bench/{number:05}" for number in range(first, first + count)]


def shared(total: int) -> list[str]:
    """The names of those that carry `SHARED_BY`, of `total`."""
    return names(min(SHARED, total), max(total - SHARED, 0))


def several(number: int) -> str:
    """The name of one of several shares: of its role, its repository, and the value of its tag."""
    return f"share-{number:02}"
