# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""For action plugins: displays lines in the output of `ansible-playbook`."""

from __future__ import annotations

from ansible import constants
from ansible.utils.display import Display
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import printable
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._secrets import KNOWN


def display_line(line: str) -> None:
    """Display a line without color or quotes, unless the output is one JSON document.

    Parts of the line come from hosts, AWS, registries and engines. So known secrets are masked, and control characters,
    including line breaks, are escaped.
    """
    if "json" not in constants.DEFAULT_STDOUT_CALLBACK:
        Display().display(printable(KNOWN.mask(line)).replace("\n", "\\n"))


#: The keys of a result that Ansible processes: variables of the host, and artifacts. Ansible removes other such keys.
_INSTRUCTIONS = ("ansible_facts", "ansible_stats")


def displayable(result: Json) -> Json:
    """The result that a host returned, as data that is safe to display.

    The secrets of this process are masked. The keys in `_INSTRUCTIONS` are removed, because no module of this
    collection returns them. The only fact that remains is the Python interpreter that Ansible found.
    """
    kept = {key: value for key, value in result.items() if key not in _INSTRUCTIONS}
    facts = result.get("ansible_facts")
    found = {
        key: value
        for key, value in (facts.items() if isinstance(facts, dict) else ())
        if key.startswith("discovered_interpreter_")
    }
    texts: Json = {"warnings": _texts_of(kept["warnings"])} if "warnings" in kept else {}
    if kept.get("failed") and not kept.get("msg"):  # the module crashed
        texts["msg"] = " ".join(_texts_of([kept.get("exception")])) or "The host returned no message."
    shown = {**kept, **texts, **({"ansible_facts": found} if found else {})}
    return _escaped_dictionary(KNOWN.mask(shown))


def _texts_of(values: object) -> list[str]:
    """The messages of warnings or errors, which ansible-core returns as text, dictionaries or objects."""
    found = []
    for value in values if isinstance(values, (list, tuple)) else ():
        message = value.get("msg") if isinstance(value, dict) else getattr(getattr(value, "event", None), "msg", value)
        found += [message] if isinstance(message, str) else []
    return found


def _escaped(value: object) -> object:
    """The value with the control characters in its texts escaped."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    return _escaped_dictionary(value) if isinstance(value, dict) else value


def _escaped_dictionary(value: Json) -> Json:
    """The dictionary with the control characters in its texts escaped.

    The lines of a message are indented after the first one, so that no line looks like a line about another host.
    """
    # Since ansible-core 2.19, Ansible displays `exception`, which repeats the message, in place of the message.
    shown = {printable(str(key)): _escaped(item) for key, item in value.items() if key != "exception"}
    message = shown.get("msg")
    return {**shown, "msg": message.replace("\n", "\n  ")} if isinstance(message, str) else shown
