# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: audit_failures
short_description: List the findings of an audit for which a run fails
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Returns one line for each finding that is as severe as required, and its fix. The list is empty if there is none.
options:
  _input:
    description: The report, RV(crossaccount.ecr.ecr_audit_info#module:audit).
    type: dict
    required: true
  fail_on:
    description:
      - The lowest severity that fails. V(drift) selects the differences from the declaration, whatever their severity
        is. V(none) selects no finding.
    type: str
    choices: [none, drift, low, medium, high, critical]
    required: true
positional: fail_on
seealso:
  - ref: ansible_collections.crossaccount.ecr.ecr_audit_role
    description: The role C(crossaccount.ecr.ecr_audit) fails with these lines.
"""

EXAMPLES = r"""
- name: Read who can pull what
  crossaccount.ecr.ecr_audit_info:
    regions: [ap-northeast-1]
  register: audited

- name: Fail if a finding is critical
  ansible.builtin.fail:
    msg: "{{ audited.audit | crossaccount.ecr.audit_failures('critical') | join('\n') }}"
  when: audited.audit | crossaccount.ecr.audit_failures('critical') | length > 0
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_summary import failures
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._guard import guarded_filter


def filter_audit_failures(audit: Json, fail_on: str) -> list[str]:
    return failures(audit, fail_on)


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., list[str]]]:
        return {"audit_failures": guarded_filter("audit_failures", filter_audit_failures)}
