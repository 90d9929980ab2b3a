# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Finds unknown variables with the prefix `ecr_share_`, which are misspelled options. Standard library only."""

from __future__ import annotations

import difflib
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._share_declaration import SHARE_ARGUMENTS

PREFIX = "ecr_share_"
#: The variables of the role that are not options of a share.
_OF_THE_ROLE = (
    *("shares", "account", "region", "profile", "assume_role_arn"),
    *("wait_timeout", "wait_interval", "trust_policy_quota"),
)
_OF_THE_PLAYBOOKS = ("hosts", "serial")
#: The suffixes of facts, registered results and artifacts, which a user does not set.
_PUBLISHED = ("plan", "role", "roles", "access_gained", "access_lost", "handoff", "written", "failure")
VALID = sorted(PREFIX + name for name in (*SHARE_ARGUMENTS, *_OF_THE_ROLE, *_OF_THE_PLAYBOOKS))
KNOWN = frozenset([*VALID, *(PREFIX + name for name in _PUBLISHED)])


def unknown_variables(names: t.Iterable[str]) -> t.Iterator[str]:
    """Problems with unknown variables, each with the most similar valid name."""
    for name in sorted(name for name in names if name.startswith(PREFIX) and name not in KNOWN):
        nearest = difflib.get_close_matches(name, VALID, 1, 0)[0]
        yield f"Variable {name} is unknown, so it would be ignored. The nearest valid name is {nearest}."
