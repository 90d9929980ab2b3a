# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Reads the policies of repositories concurrently, and the registry policy."""

from __future__ import annotations

import typing as t

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule reports it

from ansible_collections.crossaccount.ecr.plugins.module_utils import _ecr
from ansible_collections.crossaccount.ecr.plugins.module_utils._concurrency import map_concurrently
from ansible_collections.crossaccount.ecr.plugins.module_utils._ecr import Client
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import error_code, is_denied
from ansible_collections.crossaccount.ecr.plugins.module_utils._failed_result import message_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._former_modes import PolicySearch
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_declaration import REGISTRY
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import REGISTRY_POLICY

#: The result of a read of a repository that does not exist.
_MISSING = ""


def repository_policies(ecr: Client, names: t.Iterable[str]) -> dict[str, str | None]:
    """The text of the policy of each repository that exists, by its name; None without a policy."""

    def read(name: str) -> str | None:
        try:
            return _ecr.repository_policy(ecr, name)
        except botocore.exceptions.ClientError as error:
            if error_code(error) != "RepositoryNotFoundException":
                raise
            return _MISSING

    listed = list(dict.fromkeys(names))
    found = dict(zip(listed, map_concurrently(read, listed)))
    return {name: policy for name, policy in found.items() if policy != _MISSING}


def policies_of_shares(
    ecr: Client, search: PolicySearch, listed: t.Sequence[str] | None
) -> tuple[dict[str, str | None], str]:
    """The texts of the policies that may have statements of shares, and why others are unknown; empty if none is.

    :param listed: the names of all repositories; None if they were not listed
    """

    def read(mode: str) -> dict[str, str | None]:
        if mode == REGISTRY_POLICY:
            return {REGISTRY: _ecr.registry_policy(ecr)}
        return repository_policies(ecr, _ecr.repository_names(ecr) if listed is None else listed)

    policies: dict[str, str | None] = {}
    unknown = ""
    for mode in sorted(search.modes):
        try:
            policies.update(read(mode))
        except botocore.exceptions.ClientError as error:
            if mode in search.required or not is_denied(error):
                raise
            unknown = message_of(error)
    return policies, unknown


def policies_with(sids: t.Sequence[str], policies: t.Mapping[str, str | None]) -> list[str]:
    """The repositories whose policies have one of the Sids."""
    return [
        name for name, policy in policies.items() if name != REGISTRY and policy and any(sid in policy for sid in sids)
    ]
