# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  wait:
    description:
      - After a change, wait until AWS reads back what was written, three times in a row.
      - This is the owner account's half of the truth. The proof is the consumer's, who waits by doing.
    type: bool
    default: true
  wait_timeout:
    description: How long to wait, in seconds. What is still missing then is in the error.
    type: int
    default: 120
  wait_interval:
    description: The time between two reads, in seconds.
    type: float
    default: 0.25
"""
