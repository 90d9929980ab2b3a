# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The type of a row in the tables of AWS errors. Standard library only."""

from __future__ import annotations

import re
from dataclasses import dataclass

OWNER, CONSUMER, HOST, AWS, CALLER = "owner account", "consumer account", "this host", "AWS", "the caller"


@dataclass(frozen=True)
class AwsError:
    """One kind of error.

    :param kind: its name in results, such as `clock`
    :param codes: the error codes, a regular expression that matches a whole code
    :param message: a regular expression that is searched in AWS's message, in any case; empty for every message
    :param calls: the operations, a regular expression that matches a whole name; empty for every operation
    :param side: the party that can fix it, such as the owner account
    :param transient: whether the same request may succeed soon
    :param next_step: one or more sentences
    :param source: the document of AWS, or the public report, that shows this error
    """

    kind: str
    codes: str
    message: str
    calls: str
    side: str
    transient: bool
    next_step: str
    source: str

    def matches(self, call: str, code: str, message: str) -> bool:
        return bool(
            re.fullmatch(self.codes, code)
            and re.search(self.message, message, re.I)
            and re.fullmatch(self.calls or ".*", call)
        )
