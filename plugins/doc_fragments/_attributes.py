# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and content may change in any release.
from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: In check mode, the result has the same keys and the same C(changed), and the module writes nothing.
  diff_mode:
    description: In diff mode, the module shows what changed, or what would change in check mode.
  idempotent:
    description:
      - A second run with the same options reports no change, provided that the objects did not change in the
        meantime.
  async:
    description: Supports the C(async) keyword.
  action_group:
    description: Use C(group/crossaccount.ecr.aws) in C(module_defaults) to set defaults for these modules together.
"""

    # For modules of the action group.
    ACTION_GROUP = r"""
options: {}
attributes:
  action_group:
    support: full
    membership: [crossaccount.ecr.aws]
    details: The group also contains all modules of the group C(amazon.aws.aws).
"""

    # For modules that only read.
    INFO = r"""
options: {}
attributes:
  check_mode:
    support: full
    details: The module changes nothing.
  diff_mode:
    support: N/A
    details: The module changes nothing.
  idempotent:
    support: full
    details: The module changes nothing.
"""
