# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Parses the time of the last change of a share in a hand-off. Standard library only."""

from __future__ import annotations

import datetime
import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


def time_of(text: str) -> float | None:
    """The seconds since 1970 of a time such as `2026-01-31T23:59:59Z`; None if the text has another format."""
    try:
        return datetime.datetime.fromisoformat(text[:-1] + "+00:00").timestamp() if _TIME.fullmatch(text) else None
    except ValueError:
        return None


def shared_at_problems(text: str | None) -> t.Iterator[str]:
    """Problems with a `shared_at`."""
    if text is not None and time_of(text) is None:
        yield (
            f"{option('shared_at')} {text!r} is not a time in UTC such as 2026-01-31T23:59:59Z. Copy it from the"
            " hand-off."
        )
