# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The profiles of a pull host, merged into an AWS configuration file. Standard library only.

Source: AWS SDKs and Tools Reference Guide, "Assume role credential provider".
"""

from __future__ import annotations

import configparser
import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._merged_file import Merged, decoded, shown_if_valid

#: The keys of our profiles that this collection sets. Other keys in them stay.
KEYS = ("role_arn", "external_id", "role_session_name", "credential_source", "source_profile")
#: What a diff shows of the former values of our entries.
_ONE_LINE = re.compile(r"[^\r\n]{0,1300}")

Sections = dict[str, dict[str, str]]


def merge_profiles(content: bytes | None, profiles: Sections) -> Merged:
    """The content with our keys of these sections as given, and nothing else changed."""
    text = decoded(content)
    before = _parsed(text)
    for section, wanted in profiles.items():
        if _our_part(before, section) != wanted:
            text = _replaced(text, section, wanted)
    after = _parsed(text)
    if _foreign_part(after, profiles) != _foreign_part(before, profiles) or any(
        _our_part(after, section) != wanted for section, wanted in profiles.items()
    ):
        raise EcrError(f"has one of {', '.join(profiles)} in a form that cannot be merged. Remove it by hand.")
    merged = None if text is None else text.encode()
    return Merged(merged, _shown_profiles(before, profiles), _shown_profiles(after, profiles))


def _parsed(text: str | None) -> Sections:
    """Read as botocore reads it. The parser's messages quote lines, which may hold keys: only their number is shown."""
    parser = configparser.RawConfigParser(default_section="\0")
    try:
        parser.read_string(text or "")
    except configparser.Error as error:
        number = getattr(error, "lineno", None) or getattr(error, "errors", [("?",)])[0][0]
        raise EcrError(f"is not an AWS configuration file (line {number}).") from None
    return {section: dict(parser.items(section)) for section in parser.sections()}


def _our_part(sections: Sections, section: str) -> dict[str, str]:
    return {key: value for key, value in sections.get(section, {}).items() if key in KEYS}


def _foreign_part(sections: Sections, ours: t.Iterable[str]) -> Sections:
    parts = {
        section: {key: value for key, value in values.items() if section not in ours or key not in KEYS}
        for section, values in sections.items()
    }
    return {section: values for section, values in parts.items() if values or section not in ours}


def _shown_profiles(sections: Sections, ours: t.Iterable[str]) -> str:
    parts = {section: _our_part(sections, section) for section in ours}
    return "".join(
        _written(section, {key: shown_if_valid(value, _ONE_LINE) for key, value in part.items()})
        for section, part in parts.items()
        if part
    )


def _written(section: str, values: dict[str, str]) -> str:
    return "\n".join([f"[{section}]", *(f"{key} = {value}" for key, value in values.items())]) + "\n"


def _replaced(text: str | None, section: str, wanted: dict[str, str]) -> str | None:
    """The text with our keys of one section replaced; line by line, so that comments and order stay.

    Only a file that this collection created begins with one of its sections, because an empty line goes before a
    section that is added to a file. Such a file is deleted (None) when nothing else is left in it.
    """
    lines = (text or "").split("\n")
    headers = [number for number, line in enumerate(lines) if line.startswith("[")]
    start = next((number for number in headers if lines[number].startswith(f"[{section}]")), None)
    if start is None:
        return _appended(text, _written(section, wanted))
    end = next((number for number in headers if number > start), len(lines))
    kept = _foreign_lines(lines[start + 1 : end])
    if wanted:
        kept = [*_written(section, wanted).split("\n")[:-1], *kept]
    elif any(line.strip() and line.strip()[0] not in "#;" for line in kept):
        kept = [lines[start], *kept]
    elif start and not lines[start - 1]:
        start -= 1  # the empty line that was added before the section
    elif not start:
        return "\n".join([*kept[1 if kept[:1] == [""] else 0 :], *lines[end:]]) or None
    return "\n".join([*lines[:start], *kept, *lines[end:]])


def _appended(text: str | None, section: str) -> str:
    if text is None:
        return section
    return text + ("\n" if text and not text.endswith("\n") else "") + "\n" + section


def _foreign_lines(lines: list[str]) -> list[str]:
    """The lines of a section without our keys and their values."""
    kept, ours = [], False
    for line in lines:
        if not line[:1].isspace():  # else it continues the value before it
            ours = re.split("[=:]", line)[0].strip().lower() in KEYS
        if not ours:
            kept.append(line)
    return kept
