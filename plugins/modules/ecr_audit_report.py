#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This is a virtual module that is entirely implemented as an action plugin and runs on the control node.

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_audit_report
short_description: Write the report of an audit as HTML, JSON, Markdown, SARIF, OCSF and JUnit
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Writes the files of the report of one account, and compares the report with the previous one in the same directory.
  - The module runs on the control node and writes the files there, with the mode C(0600). Known secrets are masked.
  - C(audit.json) has the complete report. Its schema is C(docs/schemas/audit.schema.json). C(changes) in it states what
    is new, changed and gone since the previous report.
  - C(audit.html) is one self-contained page for people. It requests nothing from the network, and is readable without
    JavaScript. C(audit.md) has the same content as Markdown.
  - C(audit.sarif) (SARIF 2.1.0), C(audit.ocsf.json) (OCSF 1.8.0, class Compliance Finding) and C(audit.junit.xml) have
    the findings for other programs. Findings that are gone are C(absent) in SARIF, and closed in OCSF.
  - All options and existing files are validated before the first file is written.
  - If the audit has the same result as C(audit.json), no file changes. The files then keep the time and the changes of
    the existing report. A missing or modified file is written again.
options:
  dest:
    description:
      - The directory of the files, one for each account. It is created if it does not exist.
      - A leading C(~) is expanded. Environment variables are not expanded.
      - An existing C(audit.json) must be a report of the same account with the same schema.
    type: str
    required: true
  report:
    description:
      - The value RV(crossaccount.ecr.ecr_audit_info#module:audit).
      - If omitted, the module writes nothing. It only checks that a report can be written to O(dest), and that the
        previous report can be read. Use this before the audit sends its first request.
    type: dict
extends_documentation_fragment:
  - crossaccount.ecr._attributes
  - crossaccount.ecr._requirements
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: The diff shows C(audit.md). The other files have the same content in other formats.
  idempotent:
    support: full
  async:
    support: none
  action_group:
    support: none
    membership: []
seealso:
  - module: crossaccount.ecr.ecr_access_info
    description: Proves the access of a consumer with real requests.
"""

EXAMPLES = r"""
- name: Check that the report can be written
  crossaccount.ecr.ecr_audit_report:
    dest: reports/111111111111

- name: Audit the account
  crossaccount.ecr.ecr_audit_info:
    regions: [eu-west-1]
  register: audited

- name: Write the report
  crossaccount.ecr.ecr_audit_report:
    dest: reports/111111111111
    report: "{{ audited.audit }}"
"""

RETURN = r"""
files:
  description: The files of the report, changed or not.
  returned: success
  type: list
  elements: str
  sample: [/srv/reports/111111111111/audit.html, /srv/reports/111111111111/audit.json]
changes:
  description:
    - The differences from the previous report, as in C(audit.json). V(null) if no previous report exists, or if the
      result of the audit is the same.
  returned: if O(report) is set
  type: dict
  contains:
    since:
      description: The time of the previous report.
      type: str
      sample: "2026-11-26T02:40:00Z"
    findings:
      description: The findings that are C(new), C(changed) and C(gone).
      type: dict
    access:
      description:
        - The access that is C(new), C(changed) and C(gone), by principal, repository and region, with the verdicts
          C(before) and C(after).
      type: dict
"""
