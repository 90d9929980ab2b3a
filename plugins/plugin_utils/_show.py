# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""For action plugins: lines for whoever watches `ansible-playbook`."""

from __future__ import annotations

import typing as t

from ansible import constants
from ansible.utils.display import Display
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import printable


def show(line: str) -> None:
    """Display a line without color or quotes; nothing if the output is one JSON document.

    Hosts, AWS, registries and engines wrote parts of it, so control characters are escaped, line breaks included.
    """
    if "json" not in constants.DEFAULT_STDOUT_CALLBACK:
        Display().display(printable(line).replace("\n", "\\n"))


def displayable(value: t.Any) -> t.Any:
    """A result that a host returned, as Ansible may display it: control characters in its texts are escaped.

    The lines of a message are indented after the first one, so that none of them looks like a line about another host.
    """
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return [displayable(item) for item in value]
    if not isinstance(value, dict):
        return value
    # From ansible-core 2.19 on, Ansible displays `exception`, which repeats the message, instead of the message.
    shown = {displayable(key): displayable(item) for key, item in value.items() if key != "exception"}
    if isinstance(shown.get("msg"), str):
        shown["msg"] = shown["msg"].replace("\n", "\n  ")
    return shown
