# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Finds unknown variables with the prefix of a role, which are misspelled options. Standard library only."""

from __future__ import annotations

import difflib
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import VARIABLES

#: The variables of a role and of its playbooks that are not an option of one module, by the role.
_OTHERS: dict[str, tuple[str, ...]] = {
    "crossaccount.ecr.ecr_share": ("ecr_share_hosts", "ecr_share_serial"),
    "crossaccount.ecr.ecr_audit": ("ecr_audit_hosts",),
    "crossaccount.ecr.ecr_replicate": ("ecr_replicate_handoff",),
    "crossaccount.ecr.ecr_cache": (),
    "crossaccount.ecr.ecr_pull": ("ecr_pull_hosts", "ecr_pull_handoff", "ecr_pull_junit_path", "ecr_pull_prove_only"),
    "crossaccount.ecr.ecr_credential_helper": ("ecr_credential_helper_install", "ecr_credential_helper_package"),
}
#: The suffixes of facts, registered results, artifacts and keys of a hand-off, which a user does not set.
_PUBLISHED = {
    "ecr_share_": (
        "plan",
        "role",
        "results",
        "access_gained",
        "access_lost",
        "handoff",
        "written",
        "failure",
        "paths",
        "revocation",
        "guarded",
    ),
    "ecr_replicate_": ("plan", "statement", "rule", "existing", "proof", "pulled", "result"),
    "ecr_cache_": ("plan", "statement", "rule", "proof", "result"),
    "ecr_audit_": ("options", "read", "plan", "result", "written"),
    "ecr_pull_": ("share", "proof", "result", "consumer_account", "consumer_organization", "consumer_units"),
    "ecr_credential_helper_": ("share", "result"),
}


def valid_variables(role: str) -> list[str]:
    """The variables that a user can set for a role.

    :param role: the full name of a role of this collection
    """
    return sorted({*VARIABLES[role].values(), *_OTHERS[role]})


def variables_of_another_playbook(names: t.Container[str]) -> t.Iterator[str]:
    """Problems with variables of the role `ecr_share` that only revoke.yml reads, in a run of share.yml."""
    if "ecr_share_revoke_consumers" in names:
        yield (
            "ecr_share_revoke_consumers selects the sessions that crossaccount.ecr.revoke ends. A share does not"
            " read it. Remove it, or run crossaccount.ecr.revoke."
        )


def unknown_variables(role: str, names: t.Iterable[str]) -> t.Iterator[str]:
    """Problems with unknown variables that have the prefix of a role, each with the most similar valid name.

    :param role: the full name of a role; if it is not a role of this collection, no variable is unknown
    """
    prefix = f"{role.rpartition('.')[2]}_"
    if role not in VARIABLES:
        return
    valid = [name for name in valid_variables(role) if name.startswith(prefix)]
    known = {*valid, *(prefix + name for name in _PUBLISHED[prefix])}
    for name in sorted(name for name in names if name.startswith(prefix) and name not in known):
        (nearest,) = difflib.get_close_matches(name, valid, 1, 0)
        yield f"Variable {name} is unknown, so it would be ignored. The nearest valid name is {nearest}."
