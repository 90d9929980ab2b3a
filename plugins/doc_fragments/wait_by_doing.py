# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  wait:
    description:
      - A share that is new needs some seconds until AWS knows it everywhere. Try again while the answer may be due to
        that.
      - An answer that no propagation explains (an explicit deny, a permissions boundary, a session policy, a repository
        that does not exist) is not waited for.
    type: bool
    default: true
  wait_timeout:
    description: How long after the start, and after O(shared_at), an answer may still change, in seconds.
    type: int
    default: 60
  wait_interval:
    description: The time between two tries, in seconds.
    type: float
    default: 2.0
  shared_at:
    description:
      - When the owner account last changed the share, as C(2026-01-31T23:59:59Z). From the hand-off.
      - A denial that comes O(wait_timeout) later is settled, and is not waited for at all.
      - Without it, nothing is known of the share's age, and the full O(wait_timeout) is waited.
    type: str
"""
