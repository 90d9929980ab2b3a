# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Reads the policies of many repositories concurrently."""

from __future__ import annotations

import typing as t

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule reports it

from ansible_collections.crossaccount.ecr.plugins.module_utils import _ecr
from ansible_collections.crossaccount.ecr.plugins.module_utils._concurrency import map_concurrently
from ansible_collections.crossaccount.ecr.plugins.module_utils._ecr import Client
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import error_code

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
