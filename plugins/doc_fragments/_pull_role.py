# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and content may change in any release.
from __future__ import annotations


class ModuleDocFragment:
    # For modules that assume the pull role.
    DOCUMENTATION = r"""
options:
  external_id:
    description: The external ID of the share, from the hand-off.
    type: str
  consumer_account:
    description:
      - The account ID of the consumer account, from the hand-off. Credentials of another account are rejected before
        the role is assumed.
      - If the pull role is in the same account as the credentials, the module always fails.
    type: str
  registry_account:
    description:
      - For a share without a role, the account ID of the owner account, from the hand-off. The caller sends all
        requests with its own identity. A policy of the owner account and an IAM policy of the caller must both allow
        them. A denial names the side that is missing.
      - Mutually exclusive with O(role_arn).
    type: str
  role_session_name:
    description:
      - The name of the session in the CloudTrail logs of the owner account, 2 to 64 letters, digits and characters of
        C(_+=,.@-).
      - The default is the name of the role.
    type: str
"""
