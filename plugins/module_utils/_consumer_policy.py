# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The consumer's side of a share without a role: an IAM policy for its principals. Standard library only."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._policy import ACTIONS, TOKEN_ACTION
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document, text

#: The maximum number of characters of a managed policy. Source: IAM User Guide, "IAM and AWS STS quotas".
_LIMIT = 6144


def consumer_policy(repositories: t.Sequence[str], access: str) -> Document:
    """The identity policy that a principal of the consumer account needs beside the policy of each repository.

    If the list of repositories exceeds the limit of IAM, the policy allows all repositories of their registries. The
    owner's side limits it to the shared ones.

    :param repositories: the ARNs of the shared repositories
    :param access: `pull` or `read`
    """
    policy = _policy(repositories, access)
    if len(text(policy)) <= _LIMIT:
        return policy
    return _policy(sorted({re.sub("/.*", "/*", repository) for repository in repositories}), access)


def _policy(repositories: t.Sequence[str], access: str) -> Document:
    token = {"Sid": "RegistryToken", "Effect": "Allow", "Action": TOKEN_ACTION, "Resource": "*"}
    read = {
        "Sid": "SharedRepositories",
        "Effect": "Allow",
        "Action": sorted(ACTIONS[access]),
        "Resource": list(repositories),
    }
    return {"Version": "2012-10-17", "Statement": [read, token] if repositories else [token]}
