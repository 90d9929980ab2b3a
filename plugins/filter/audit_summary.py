# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: audit_summary
short_description: Summarize an audit, line by line
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Lists who can pull which repositories through which access path, the findings by severity, and the facts that are
    not visible.
options:
  _input:
    description: The report, RV(crossaccount.ecr.ecr_audit_info#module:audit).
    type: dict
    required: true
  written:
    description: The result of M(crossaccount.ecr.ecr_audit_report). If omitted, the summary does not name the reports.
    type: dict
    default: {}
  every_line:
    description: Whether to list all repositories and all findings. If V(false), at most ten of each are listed.
    type: bool
    default: false
positional: written, every_line
seealso:
  - ref: ansible_collections.crossaccount.ecr.ecr_audit_role
    description: The role C(crossaccount.ecr.ecr_audit) shows this summary.
"""

EXAMPLES = r"""
- name: Read who can pull what
  crossaccount.ecr.ecr_audit_info:
    regions: [ap-northeast-1]
  register: audited

- name: Show the summary
  crossaccount.ecr.display_lines:
    lines: "{{ audited.audit | crossaccount.ecr.audit_summary }}"
    all_lines: "{{ audited.audit | crossaccount.ecr.audit_summary(every_line=true) }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_summary import audit_lines
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._guard import guarded_filter


def filter_audit_summary(audit: Json, written: Json | None = None, every_line: bool = False) -> list[str]:
    return audit_lines(audit, written or {}, every_line)


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., list[str]]]:
        return {"audit_summary": guarded_filter("audit_summary", filter_audit_summary)}
