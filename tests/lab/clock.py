# SPDX-License-Identifier: GPL-3.0-or-later
"""The clock of the lab, which a test can stop or advance. By default, it is the clock of the machine.

The file `state.CLOCK` is JSON: `at` is the time at which the clock stands, and `ahead` is how far it is ahead of the
clock of the machine, both in seconds. The lab reads the file for each question about the time:

1. `aws:CurrentTime` and `aws:EpochTime` in every policy.
2. The issue time and the expiration of sessions and registry tokens.
3. The `Date` header of responses.
4. The dates of objects, such as `CreateDate` of a role.

Code in the lab can set `AT` to get the answer to a question at another time.

Signatures are checked with the clock of the machine, because clients sign with it. The request log and `propagation`
also use the clock of the machine.
"""

from __future__ import annotations

import contextvars
import datetime
import email.utils
import json
import pathlib
import time
from time import struct_time
from typing import Any

import ministack.app
from ministack.core import iam_evaluator
from ministack.services import ecr as ministack_ecr
from ministack.services import iam, organizations, sts

from . import account_details, creation_templates, ecr, image_states, pull_through_cache, service_control, state

#: The files that read the time of AWS.
_READERS: tuple[Any, ...] = (
    *(iam_evaluator, iam, sts, ministack_ecr, organizations),
    *(account_details, creation_templates, ecr, image_states, pull_through_cache, service_control),
)

#: The time of a question, in seconds; None for the time of the clock.
AT: contextvars.ContextVar[float | None] = contextvars.ContextVar("AT", default=None)


class Clock:
    """Replaces the module `time` in the files that read the time of AWS."""

    def __init__(self, control: pathlib.Path) -> None:
        self._control = control

    @staticmethod
    def strftime(form: str, moment: struct_time) -> str:
        return time.strftime(form, moment)

    def gmtime(self, seconds: float | None = None) -> struct_time:
        return time.gmtime(self.time() if seconds is None else seconds)

    def time(self) -> float:
        at = AT.get()
        if at is not None:
            return at
        try:
            chosen = json.loads(self._control.read_bytes())
        except FileNotFoundError:
            return time.time()
        return float(chosen["at"]) if "at" in chosen else time.time() + float(chosen["ahead"])


def install(folder: pathlib.Path) -> None:
    """Put the clock into MiniStack and into the additions of the lab."""
    clock, resolve = Clock(folder / state.CLOCK), iam_evaluator._resolve_condition_key

    def resolve_condition_key(key: str, context: Any) -> Any:
        if key.lower() == "aws:currenttime":
            return datetime.datetime.fromtimestamp(clock.time(), datetime.timezone.utc).isoformat()
        if key.lower() == "aws:epochtime":
            return str(int(clock.time()))
        return resolve(key, context)

    iam_evaluator._resolve_condition_key = resolve_condition_key
    for reader in _READERS:
        reader.time = clock
    ministack.app.formatdate = lambda **options: email.utils.formatdate(clock.time(), **options)
