# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: access_junit
short_description: A proof of access as a JUnit report
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Formats a proof as JUnit XML, which build servers show.
  - The report has a test case for each repository, with the message of AWS, and a test case for each other problem.
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
"""

EXAMPLES = r"""
- name: Keep the proof for the build server
  ansible.builtin.copy:
    content: "{{ proof | crossaccount.ecr.access_junit }}"
    dest: junit.xml
    mode: "0644"
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
