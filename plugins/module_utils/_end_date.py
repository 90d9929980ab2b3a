# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The end of access, as declared, as fixed by the first run, and as text. Standard library only.

An end is a time such as `2026-12-31T00:00:00Z`, or a duration such as `14d`. The first run with a duration adds it to
the current time, and keeps both in a tag of the role. Later runs with the same duration read the time from that tag.
"""

from __future__ import annotations

import datetime
import re
import typing as t
from dataclasses import dataclass, replace

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"[1-9][0-9]{0,8}[smhdw]", re.ASCII)
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.0+)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_FORM = "%Y-%m-%dT%H:%M:%SZ"
#: The longest duration: 10 years.
_MAXIMUM_SECONDS = 3_652 * _SECONDS["d"]


@dataclass(frozen=True)
class End:
    """The end of access.

    :param duration: the declared duration; empty for a declared time
    :param time: the end in UTC; None for a duration that is not fixed yet
    """

    duration: str = ""
    time: datetime.datetime | None = None

    @property
    def text(self) -> str:
        """The end as an option: the duration, the time, or both for a fixed duration. A tag has the same text."""
        return " ".join(part for part in (self.duration, utc_text(self.time) if self.time else "") if part)

    def fixed(self, current: End | None, now: datetime.datetime) -> End:
        """The end with its time.

        :param current: the end that an earlier run fixed; None if no earlier run fixed it
        """
        if self.time is not None:
            return self
        if current is not None and current.time is not None and current.duration == self.duration:
            return current
        return replace(self, time=now.replace(microsecond=0) + datetime.timedelta(seconds=_seconds(self.duration)))


def utc_text(time: datetime.datetime) -> str:
    """A time in the format of AWS, in UTC."""
    return time.astimezone(datetime.timezone.utc).strftime(_FORM)


def parse_end(declared: object) -> End | None:
    """The end that an option or a tag declares; None if it declares none, or if it is not valid."""
    text = "" if declared is None else str(declared).strip()
    if not text or any(end_problems(text)):
        return None
    duration, _space, time = text.partition(" ") if _DURATION.match(text) else ("", "", text)
    return End(duration, _time_of(time))


def end_problems(declared: object) -> t.Iterator[str]:
    """Problems with the form of an end. The plan reports a new end in the past."""
    if declared is None:
        return
    text = str(declared).strip()
    duration, _space, time = text.partition(" ") if _DURATION.match(text) else ("", "", text)
    if not text:
        yield "expires is empty. For access without an end, omit it."
    elif duration and _DURATION.fullmatch(duration) and _seconds(duration) > _MAXIMUM_SECONDS:
        yield f"expires {text!r} is longer than 10 years. Declare a shorter duration, or omit expires."
    elif not (duration and not time and _DURATION.fullmatch(duration)):
        match = _TIME.fullmatch(time)
        if match and not match[4]:
            yield f"expires {text!r} has no time zone. For a time in UTC, append Z."
        elif not match or _time_of(time) is None or (duration and not _DURATION.fullmatch(duration)):
            yield (
                f"expires {text!r} is neither a time in whole seconds, such as 2026-12-31T00:00:00Z, nor a duration,"
                " such as 14d or 12h."
            )


def end_text(time: datetime.datetime, now: datetime.datetime) -> str:
    """When access ends or ended, for the user."""
    left = (time - now).total_seconds()
    if left <= 0:
        return f"ended on {utc_text(time)}"
    unit, seconds = next(
        ((unit, seconds) for unit, seconds in (("day", 86_400), ("hour", 3_600), ("minute", 60)) if left >= seconds),
        ("second", 1),
    )
    number = max(round(left / seconds), 1)
    return f"ends on {utc_text(time)} (in {number} {unit}{'' if number == 1 else 's'})"


def _seconds(duration: str) -> int:
    return int(duration[:-1]) * _SECONDS[duration[-1]]


def _time_of(text: str) -> datetime.datetime | None:
    match = _TIME.fullmatch(text)
    if match is None or match[4] is None:
        return None
    zone = "+00:00" if match[4] == "Z" else match[4]
    try:
        return datetime.datetime.fromisoformat(f"{match[1]}T{match[2]}{zone}").astimezone(datetime.timezone.utc)
    except (ValueError, OverflowError):
        return None
