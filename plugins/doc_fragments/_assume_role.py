# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and content may change in any release.
from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  assume_role_arn:
    description:
      - A role to assume before the first request. It lets one set of credentials manage several accounts.
      - The credentials of this role stay inside the module.
    type: str
  assume_role_external_id:
    description: The external ID for O(assume_role_arn).
    type: str
"""
