# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The variables whose names begin with `ecr_share_`. Other names are mistakes. Standard library only."""

from __future__ import annotations

import difflib
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._share_declaration import SHARE_ARGUMENTS

PREFIX = "ecr_share_"
#: Of the role, beside the options of a share.
_OF_THE_ROLE = (
    *("shares", "account", "region", "profile", "assume_role_arn"),
    *("wait_timeout", "wait_interval", "trust_policy_quota"),
)
_OF_THE_PLAYBOOKS = ("hosts", "serial")
#: Facts, registered results and artifacts. A user does not set them.
_PUBLISHED = ("plan", "role", "roles", "access_gained", "access_lost", "handoff", "written", "failure")
VALID = sorted(PREFIX + name for name in (*SHARE_ARGUMENTS, *_OF_THE_ROLE, *_OF_THE_PLAYBOOKS))
KNOWN = frozenset([*VALID, *(PREFIX + name for name in _PUBLISHED)])


def unknown_variables(names: t.Iterable[str]) -> t.Iterator[str]:
    """What is wrong with the names of variables, each with the nearest valid name."""
    for name in sorted(name for name in names if name.startswith(PREFIX) and name not in KNOWN):
        nearest = difflib.get_close_matches(name, VALID, 1, 0)[0]
        yield f"Variable {name} is unknown, so it would be ignored. The nearest valid name is {nearest}."
