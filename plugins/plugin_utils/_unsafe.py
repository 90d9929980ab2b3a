# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Marks external data so that Ansible never evaluates it as a template."""

from __future__ import annotations

import typing as t

Value = t.TypeVar("Value")


def as_data(value: Value) -> Value:
    """The value, marked so that Ansible evaluates none of its texts as a template.

    ansible-core 2.17 and 2.18 evaluate every text in a variable unless it is marked as unsafe. Since 2.19, a text is a
    template only if Ansible itself read it from a playbook, an inventory, or the command line.

    :param value: text, or lists and dictionaries of text
    """
    try:
        from ansible.utils.unsafe_proxy import wrap_var
    except ImportError:  # ansible-core 2.23 removes it
        return value
    marked: Value = wrap_var(value)
    return marked
