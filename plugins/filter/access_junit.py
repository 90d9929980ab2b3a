# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: access_junit
short_description: Convert a proof of access to a JUnit report
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - The report has one test case for each repository, with the error message of AWS, and one for each other problem.
  - With O(crossaccount.ecr.ecr_access_info#module:expect=denied), it also has a test case for the assumption of the
    role.
  - The report contains no times, so it changes only if the proof changes.
options:
  _input:
    description: The result of M(crossaccount.ecr.ecr_access_info).
    type: dict
    required: true
  suite:
    description: The name of the test suite.
    type: str
    default: crossaccount.ecr
positional: suite
seealso:
  - module: crossaccount.ecr.ecr_access_info
    description: Returns the proof.
"""

EXAMPLES = r"""
- name: Prove that release can be pulled
  crossaccount.ecr.ecr_access_info:
    role_arn: arn:aws:iam::111111111111:role/allow_ecr_release
    external_id: 7c2f4e0b-share
    region: ap-northeast-1
    readable: [release]
  register: proof

- name: Write the report for the CI server
  ansible.builtin.copy:
    content: "{{ proof | crossaccount.ecr.access_junit }}"
    dest: junit.xml
    mode: "0644"
  delegate_to: localhost
"""

RETURN = r"""
_value:
  description: The report as XML.
  type: str
"""

import typing as t

from ansible_collections.crossaccount.ecr.plugins.plugin_utils._guard import guarded_filter
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._report import junit


def filter_access_junit(proof: dict[str, t.Any], suite: str = "crossaccount.ecr") -> str:
    return junit(proof, suite)


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., str]]:
        return {"access_junit": guarded_filter("access_junit", filter_access_junit)}
