# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The options for how long a module waits for AWS. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._timestamp import shared_at_problems, time_of

_FOREVER = 10**9  # seconds

#: The options of the modules for the owner account.
WAIT_ARGUMENTS: Json = {
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 120},
    "wait_interval": {"type": "float", "default": 0.25},
}
#: The options of the modules for the consumer account. A change in IAM usually takes effect within seconds, and rarely
#: takes a minute. Source: IAM User Guide, "Troubleshoot IAM".
RETRY_ARGUMENTS: Json = {
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 60},
    "wait_interval": {"type": "float", "default": 2.0},
    "shared_at": {"type": "str"},
}


@dataclass(frozen=True)
class WaitOptions:
    """The time to wait and the interval between two requests, in seconds.

    :param shared_at: the time of the last change of the share, in seconds since 1970; None if it is unknown
    """

    wait: bool
    timeout: int
    interval: float
    shared_at: str | None = None

    @classmethod
    def of(cls, params: Json) -> WaitOptions:
        """The options in the parameters of a module."""
        return cls(params["wait"], params["wait_timeout"], params["wait_interval"], params.get("shared_at"))

    @property
    def seconds(self) -> float:
        """The time to wait; 0 without `wait`."""
        return float(min(max(self.timeout, 0), _FOREVER)) if self.wait else 0.0

    def retry_window(self, now: float) -> float:
        """The time during which a denial may be caused by a change that has not propagated yet, in seconds.

        :param now: seconds since 1970
        """
        shared_at = time_of(self.shared_at or "")
        since = 0.0 if shared_at is None else max(0.0, now - shared_at)
        return max(0.0, self.seconds - since)


def wait_problems(options: WaitOptions) -> t.Iterator[str]:
    """Problems with the options."""
    yield from shared_at_problems(options.shared_at)
    if not options.interval >= 0:  # also rejects nan
        yield f"{option('wait_interval')} is {options.interval} seconds; it cannot be negative."
