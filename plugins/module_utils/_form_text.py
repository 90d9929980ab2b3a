# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Values and comments in the syntax of the forms of a hand-off. Standard library only.

The values of a hand-off have no character that needs an escape, because `form_problems` rejects all others. The escapes
are complete nevertheless, so that a wider rule for a value cannot let it leave its place in a file.
"""

from __future__ import annotations

import re
import textwrap
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import printable
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff import (
    Handoff,
    no_access_lines,
    yaml_value,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff_values import PREFIX, value_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option

#: A key that YAML 1.1 and 1.2 read as a string without quotation marks.
_PLAIN_KEY = re.compile(r"(?!(?i:on|off|y|yes|n|no|true|false|null)$)[a-zA-Z][a-zA-Z0-9_-]*")
#: Source of its characters: IAM User Guide, "IAM JSON policy elements: Sid".
_SID = re.compile("[a-zA-Z0-9]+")


def form_problems(handoff: Handoff) -> t.Iterator[str]:
    """Problems with values that a consumer would reject in the YAML file."""
    values = {name.removeprefix(PREFIX): value for name, value in handoff.values().items()}
    for problem in value_problems(values):
        yield f"No form is written: {problem}"
    if handoff.sid is not None and not _SID.fullmatch(handoff.sid):
        yield f"No form is written: the sid {printable(handoff.sid)!r} in {option('role')} is not letters and digits."


def introduction(handoff: Handoff, subject: str, only_you: t.Mapping[str, str], *notes: str) -> list[str]:
    """The comment at the top of a form.

    :param only_you: the values that only the consumer knows, each with its description
    """
    end = [f"The access ends on {handoff.expires}."] if handoff.expires else []
    return comment(
        f"{subject}, with which {handoff.consumer} pulls from account {handoff.owner} in {handoff.region}.",
        "Before you use this file, compare the owner account with your own records. The file contains no secret.",
        *end,
        *no_access_lines(handoff),
        *notes,
        "Values that only you know:",
        *(line for name, description in only_you.items() for line in _wrapped(f"  {name}: {description}")),
    )


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, 110, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)


def own_account(handoff: Handoff) -> str:
    """The account of the consumer's own credentials. A consumer that is an organization has several."""
    return f"account {handoff.consumer_account}" if handoff.consumer_account else "your account"


def comment(*lines: str) -> list[str]:
    """Comments of INI files, shell scripts, YAML and HCL."""
    return [f"# {line}".rstrip() for line in lines]


def form_text(lines: t.Iterable[str]) -> str:
    """The text of a file."""
    return "".join(f"{line}\n" for line in lines)


def yaml_lines(value: t.Any, indent: str = "") -> list[str]:
    """A value in the block style of YAML. Every string is quoted, so that none is read as another type."""
    if isinstance(value, dict) and value:
        return [line for key, entry in value.items() for line in _yaml_entry(f"{indent}{_yaml_key(key)}:", entry)]
    if isinstance(value, list) and value:
        return [line for entry in value for line in _yaml_item(entry, indent)]
    return [indent + yaml_value(value)]


def _yaml_entry(start: str, value: t.Any) -> list[str]:
    indent = start[: len(start) - len(start.lstrip())] + "  "
    return [start, *yaml_lines(value, indent)] if _is_block(value) else [f"{start} {yaml_value(value)}"]


def _yaml_item(value: t.Any, indent: str) -> list[str]:
    lines = yaml_lines(value, f"{indent}  ")
    return [f"{indent}- {lines[0].lstrip()}", *lines[1:]]


def _is_block(value: t.Any) -> bool:
    return isinstance(value, (dict, list)) and bool(value)


def _yaml_key(key: str) -> str:
    return key if _PLAIN_KEY.fullmatch(key) else yaml_value(key)


def github_text(text: str) -> str:
    """A text in a workflow of GitHub Actions, which evaluates `${{ }}` in every string."""
    return text.replace("${{", "${{ '${{' }}")


def hcl_text(text: str) -> str:
    """A quoted template of HCL for a text, without interpolations and directives."""

    def escaped(match: re.Match[str]) -> str:
        character = match[0]
        if character in '"\\':
            return f"\\{character}"
        return character if character.isprintable() else f"\\U{ord(character):08x}"

    quoted = re.sub(r"[^\x20!#-\[\]-~]", escaped, text)
    return '"' + re.sub(r"([$%])(?={)", r"\1\1", quoted) + '"'
