# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: access_kept
short_description: List the principals that keep access after a share changes or ends
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Returns one line for each principal outside the account that can pull a repository of the shares through another
    access path, such as a repository policy.
  - Returns one line that begins with C(not checked) for each part of the account that could not be read.
options:
  _input:
    description: The result of M(crossaccount.ecr.ecr_share_info), which plans the shares.
    type: dict
    required: true
  audited:
    description:
      - The result of M(crossaccount.ecr.ecr_audit_info) before the plan is applied, or its failure. If the task was
        skipped, the list is empty.
    type: dict
    required: true
positional: audited
seealso:
  - ref: ansible_collections.crossaccount.ecr.ecr_share_role
    description: The role C(crossaccount.ecr.ecr_share) shows these lines in check mode.
"""

EXAMPLES = r"""
- name: Plan the share
  crossaccount.ecr.ecr_share_info:
    region: ap-northeast-1
    shares:
      - role_name: allow_ecr_release
        repository_tags:
          environment: release
        repositories: [release]
        consumers:
          - account: "222222222222"
            external_id: 7c2f4e0b-share
  register: plan

- name: Read who can pull what
  crossaccount.ecr.ecr_audit_info:
    regions: [ap-northeast-1]
  register: audited

- name: Show who keeps access through another path
  crossaccount.ecr.display_lines:
    lines: "{{ plan | crossaccount.ecr.access_kept(audited) }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_kept import kept_access, unchecked
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._guard import guarded_filter


def filter_access_kept(plan: Json, audited: Json) -> list[str]:
    if audited.get("skipped"):
        return []
    return [*(kept_access(plan, audited["audit"]) if "audit" in audited else ()), *unchecked(audited)]


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., list[str]]]:
        return {"access_kept": guarded_filter("access_kept", filter_access_kept)}
