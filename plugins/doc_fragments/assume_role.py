# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  assume_role_arn:
    description:
      - A role to assume before anything else, so that one credential serves many accounts.
      - The session stays inside the module.
    type: str
  assume_role_external_id:
    description: The external ID for O(assume_role_arn).
    type: str
"""
