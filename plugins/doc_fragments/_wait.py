# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and content may change in any release.
from __future__ import annotations


class ModuleDocFragment:
    # For modules of the owner account.
    DOCUMENTATION = r"""
options:
  wait:
    description:
      - After a change, wait until AWS returns the new settings three times in a row.
      - AWS may still deny the consumer account for a few seconds. In the consumer account,
        M(crossaccount.ecr.ecr_access_info) proves the access, and retries during this time.
      - If a read before a removal does not return everything that is to be removed, read up to three times, because AWS
        may return an earlier state.
    type: bool
    default: true
  wait_timeout:
    description:
      - The maximum time to wait, in seconds. After this time, the module fails and names the settings that differ.
    type: int
    default: 120
  wait_interval:
    description: The time between two reads, in seconds.
    type: float
    default: 0.25
"""

    # For modules that change a registry.
    REGISTRY = r"""
options:
  wait:
    description: After a change, wait until AWS returns the new settings three times in a row.
    type: bool
    default: true
  wait_timeout:
    description:
      - The maximum time to wait, in seconds. After this time, the module fails and names the settings that differ.
    type: int
    default: 120
  wait_interval:
    description: The time between two reads, in seconds.
    type: float
    default: 0.25
"""
