# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and content may change in any release.
from __future__ import annotations


class ModuleDocFragment:
    # The fragment amazon.aws.boto3 is not used: it states an older Python.
    DOCUMENTATION = r"""
options: {}
requirements:
  - python >= 3.9
"""

    AWS = r"""
options: {}
requirements:
  - python >= 3.9
  - boto3 >= 1.34.0
  - botocore >= 1.34.0
"""
