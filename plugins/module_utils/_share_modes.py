# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The modes of a share, and the options that a mode cannot express. Standard library only."""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff_forms import WITHOUT_ROLE
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import REGISTRY_POLICY, REPOSITORY_POLICY, ROLE

MODES = (ROLE, REPOSITORY_POLICY, REGISTRY_POLICY)
#: The options that only a role can express, with the values that mean that the option is not used.
_OF_A_ROLE: dict[str, tuple[object, ...]] = {
    "policy_name": (None,),
    "condition_key": (None, "ecr"),
    "path": (None, "/"),
    "description": (None,),
    "max_session_duration": (None,),
    "permissions_boundary": (None,),
    "roles": (None, "shared"),
    "expires": (None,),
}


def mode_problems(share: Json) -> t.Iterator[str]:
    """Problems with options of a share that its mode cannot express.

    :param share: the options of the share, with their defaults
    """
    if share["mode"] == ROLE:
        return
    used = [name for name, unused in _OF_A_ROLE.items() if share[name] not in unused]
    if used:
        yield (
            f"{option('mode')} {share['mode']} has no role, so it cannot express"
            f" {', '.join(option(name) for name in used)}. Remove {'it' if len(used) == 1 else 'them'}, or set"
            f" {option('mode')} to role."
        )
    forms = [form for form in share["handoff_forms"] if form != WITHOUT_ROLE]
    if forms:
        yield (
            f"{option('mode')} {share['mode']} has no role, so {option('handoff_forms')} cannot contain"
            f" {', '.join(forms)}. Valid is {WITHOUT_ROLE}."
        )
