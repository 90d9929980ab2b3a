# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Merges the profiles of a host that uses the credential helper into an AWS configuration file. Standard library only.

Source: AWS SDKs and Tools Reference Guide, "Assume role credential provider".
"""

from __future__ import annotations

import configparser
import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._merged_file import MergedFile, decoded, shown_if_valid

#: The keys that this collection sets in its profiles. Other keys of these profiles are kept.
KEYS = ("role_arn", "external_id", "role_session_name", "credential_source", "source_profile")
#: Former values that a diff may show.
_ONE_LINE = re.compile(r"[^\r\n]{0,1300}")

Sections = dict[str, dict[str, str]]


def merge_profiles(content: bytes | None, profiles: Sections) -> MergedFile:
    """The content with the keys of this collection replaced in these sections. Everything else is unchanged."""
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
    return MergedFile(merged, _shown_profiles(before, profiles), _shown_profiles(after, profiles))


def _parsed(text: str | None) -> Sections:
    """Parse the text in the same way as botocore.

    The messages of the parser quote lines, which may contain secret keys, so the error has only the line number.
    """
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
    """The text with the keys of this collection replaced in one section. Comments and the order of lines are kept.

    A section that is added to an existing file follows an empty line. So a file that begins with a section of this
    collection was created by it. When nothing else remains in such a file, it is deleted (None).
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
    """The lines of a section without the keys of this collection and their values."""
    kept, ours = [], False
    for line in lines:
        if not line[:1].isspace():  # an indented line continues the previous value
            ours = re.split("[=:]", line)[0].strip().lower() in KEYS
        if not ours:
            kept.append(line)
    return kept
