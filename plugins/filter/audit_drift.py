# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: audit_drift
short_description: Add the differences from a declaration to an audit
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Returns the report with a finding for each difference between a declaration of shares and the account. A finding
    states which access differs, and has the command that removes the difference.
  - Access to a declared repository through another path, such as a repository policy, is a difference as well.
  - If the declaration could not be compared, one finding has the reason.
options:
  _input:
    description: The report, RV(crossaccount.ecr.ecr_audit_info#module:audit).
    type: dict
    required: true
  plan:
    description:
      - The result of M(crossaccount.ecr.ecr_share_info) for the declaration. If the task was skipped, nothing is added.
    type: dict
    required: true
  file:
    description: The path of the declaration, for the command.
    type: str
    required: true
positional: plan, file
seealso:
  - ref: ansible_collections.crossaccount.ecr.ecr_audit_role
    description: The role C(crossaccount.ecr.ecr_audit) compares a declaration with the account.
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

- name: Show the differences with the other findings
  crossaccount.ecr.display_lines:
    lines: "{{ audited.audit | crossaccount.ecr.audit_drift(plan, 'shares.yml') | crossaccount.ecr.audit_summary }}"
"""

RETURN = r"""
_value:
  description: The report with the additional findings.
  type: dict
"""

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_drift import drift_findings, other_path_findings
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._guard import guarded_filter
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._unsafe import as_data


def filter_audit_drift(audit: Json, plan: Json, file: str) -> Json:
    if plan.get("skipped"):
        return audit
    found = [*drift_findings(plan, file), *other_path_findings(plan, audit, file)]
    return {**audit, "findings": [*audit["findings"], *as_data(found)]}


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., Json]]:
        return {"audit_drift": guarded_filter("audit_drift", filter_audit_drift)}
