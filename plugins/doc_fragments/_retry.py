# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and content may change in any release.
from __future__ import annotations


class ModuleDocFragment:
    # For modules of the consumer account.
    DOCUMENTATION = r"""
options:
  wait:
    description:
      - Retry while a denial can be due to a new share that has not yet propagated within AWS.
      - A denial with another cause is not retried. Examples are an explicit deny, a permissions boundary, a session
        policy, and a repository that does not exist.
    type: bool
    default: true
  wait_timeout:
    description:
      - The maximum time to retry, in seconds. It starts at O(shared_at), or at the start of the task if O(shared_at) is
        not set.
    type: int
    default: 60
  wait_interval:
    description: The time between two attempts, in seconds.
    type: float
    default: 2.0
  shared_at:
    description:
      - The time when the owner account last changed the share, such as V(2026-01-31T23:59:59Z), from the
        hand-off.
      - If the share is older than O(wait_timeout), a denial is not retried.
    type: str
"""
