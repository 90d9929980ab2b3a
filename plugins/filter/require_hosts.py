# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: require_hosts
short_description: Fail if a host pattern matches no host
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Returns the pattern. If no host of the inventory matches it, the playbook fails.
  - Without this filter, Ansible skips a play without hosts and reports success, although nothing is shared or unshared.
options:
  _input:
    description: The value of C(hosts) of the play, a pattern or a list of patterns.
    type: raw
    required: true
  found:
    description: The matching hosts, from the lookup C(ansible.builtin.inventory_hostnames).
    type: list
    elements: str
    required: true
  variable:
    description: The name of the variable with the pattern, for the error message.
    type: str
    required: true
seealso:
  - plugin: ansible.builtin.inventory_hostnames
    plugin_type: lookup
    description: Lists the hosts that match a pattern.
"""

EXAMPLES = r"""
- name: Show the owner accounts
  hosts: >-
    {{ owners | crossaccount.ecr.require_hosts(
    query('ansible.builtin.inventory_hostnames', *[owners] | flatten), 'owners') }}
  gather_facts: false
  vars:
    owners: localhost
  tasks:
    - name: Show one owner account
      ansible.builtin.debug:
        var: inventory_hostname
"""

RETURN = r"""
_value:
  description: The pattern.
  type: raw
"""

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import printable

Pattern = t.Union[str, t.Sequence[str]]


def require_hosts(pattern: Pattern, found: t.Sequence[str], variable: str) -> Pattern:
    """Return `pattern` if it matches hosts.

    :param found: the hosts that match the pattern
    :raises AnsibleFilterError: if `found` is empty
    """
    if not found:
        shown = pattern if isinstance(pattern, str) else ", ".join(map(str, pattern))
        raise AnsibleFilterError(
            printable(
                f"No host of the inventory matches {variable} ({shown}), so nothing was done. Check the pattern, and"
                " whether Ansible could parse the inventory: ansible-inventory --graph shows its hosts."
            )
        )
    return pattern


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., Pattern]]:
        return {"require_hosts": require_hosts}
