# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""For action plugins: lines for whoever watches `ansible-playbook`."""

from __future__ import annotations

from ansible import constants
from ansible.utils.display import Display
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import printable
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._secrets import KNOWN


def show(line: str) -> None:
    """Display a line without color or quotes; nothing if the output is one JSON document.

    Hosts, AWS, registries and engines wrote parts of it, so known secrets are masked, and control characters are
    escaped, line breaks included.
    """
    if "json" not in constants.DEFAULT_STDOUT_CALLBACK:
        Display().display(printable(KNOWN.mask(line)).replace("\n", "\\n"))


#: What Ansible acts on in a result: variables of the host, and artifacts. It removes other instructions itself.
_INSTRUCTIONS = ("ansible_facts", "ansible_stats")


def displayable(result: Json) -> Json:
    """A result that a host returned, as data that Ansible may display.

    The secrets of this process are masked. No module of this collection returns instructions to Ansible, so those of a
    host are removed. Of its facts, only the interpreter that Ansible found remains.
    """
    kept = {key: value for key, value in result.items() if key not in _INSTRUCTIONS}
    facts = result.get("ansible_facts")
    found = {
        key: value
        for key, value in (facts.items() if isinstance(facts, dict) else ())
        if key.startswith("discovered_interpreter_")
    }
    texts: Json = {"warnings": _texts_of(kept["warnings"])} if "warnings" in kept else {}
    if kept.get("failed") and not kept.get("msg"):  # a module that crashed
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
    """The same for a dictionary.

    The lines of a message are indented after the first one, so that none of them looks like a line about another host.
    """
    # From ansible-core 2.19 on, Ansible displays `exception`, which repeats the message, instead of the message.
    shown = {printable(str(key)): _escaped(item) for key, item in value.items() if key != "exception"}
    message = shown.get("msg")
    return {**shown, "msg": message.replace("\n", "\n  ")} if isinstance(message, str) else shown
