# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and content may change in any release.
from __future__ import annotations


class ModuleDocFragment:
    # For filters that summarize the hosts of a play.
    DOCUMENTATION = r"""
options:
  _input:
    description: The variables of the hosts, C(hostvars).
    type: dict
    required: true
  hosts:
    description:
      - The host names. C(ansible_play_hosts_all) includes the hosts that failed. C(ansible_play_hosts) does not.
    type: list
    elements: str
    required: true
"""
