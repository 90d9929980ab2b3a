# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Reads a hand-off from a variable of a role, such as `ecr_pull_handoff`, which is a path or the text.

The text comes from another organization, so Ansible must never evaluate it as a template. Therefore the unevaluated
variable is read. Only a path is evaluated, and only if every template in it is the name of a variable.
"""

from __future__ import annotations

import os
import re
import stat
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError

VARIABLE = "ecr_pull_handoff"
MAXIMUM_BYTES = 1024 * 1024
_MAXIMUM_REFERENCES = 10
_NAME = re.compile(r"\{\{\s*(\w+)\s*\}\}")
#: A template of a variable, optionally with a second variable as its default.
_REFERENCE = re.compile(r"\{\{\s*(\w+)(?:\s*\|\s*default\(\s*(\w+)\s*,\s*true\s*\))?\s*\}\}")
_TEMPLATE = re.compile(r"\{[{%#]")


def source_of(
    variables: t.Mapping[str, object], evaluate: t.Callable[[str], object], variable: str = VARIABLE
) -> tuple[str, str] | None:
    """The text of the hand-off, and its name in messages; None if the variable is not set or empty.

    :param variables: the unevaluated variables of the task
    :param evaluate: evaluates a path
    :param variable: the name of the variable
    :raises EcrError: if the variable is neither a path nor text, or the file cannot be read
    """
    value = _followed(variables, variable)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise EcrError(f"{variable} must be the path of a hand-off or its text; it is a {type(value).__name__}.")
    if is_text(value):
        _check_size(len(value.encode("utf-8", "surrogatepass")), f"The text in {variable}", variable)
        return value, f"The text in {variable}"
    if _TEMPLATE.search(_NAME.sub("", value)):
        raise EcrError(
            f"{variable} has a template that is not the name of a variable, so it is not evaluated: it could come from"
            " another organization. Pass the path itself, or compute it with set_fact and name that variable."
        )
    path = evaluate(value) if _NAME.search(value) else value
    if not isinstance(path, str):
        raise EcrError(f"{variable} must be the path of a hand-off or its text; it is a {type(path).__name__}.")
    return read_handoff(os.path.expanduser(path), variable), path


def is_text(value: str) -> bool:
    """Whether a value is the text of a hand-off, YAML or JSON, rather than the path of a file."""
    return "\n" in value or "\r" in value or bool(re.match(r"\s*\{(?![{%#])", value))


def read_handoff(path: str, variable: str = VARIABLE) -> str:
    """The text of a regular file of limited size. A link is followed.

    :raises EcrError: if the file cannot be read; the message names the path
    """
    try:
        with open(path, "rb", opener=_open_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise EcrError(f"The hand-off {path} is not a regular file. Check {variable}.")
            content = file.read(MAXIMUM_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise EcrError(f"The hand-off {path} cannot be read: {reason}. Check {variable}.") from None
    _check_size(len(content), f"The hand-off {path}", variable)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise EcrError(f"The hand-off {path}, line {line}, is not UTF-8 text. Check {variable}.") from None


def _open_without_waiting(path: str, flags: int) -> int:
    """Open a file without blocking on a FIFO without a writer or on a device."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def _followed(variables: t.Mapping[str, object], variable: str) -> object:
    """The value of the variable, or of the variable that it refers to, so that this value is not evaluated either."""
    value = variables.get(variable)
    for _reference in range(_MAXIMUM_REFERENCES):
        found = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
        if not found:
            return value
        if not found[2] and found[1] not in variables:
            raise EcrError(f"{variable} names the variable {found[1]}, which is not set.")
        value = variables.get(found[1]) or variables.get(found[2])
    raise EcrError(f"{variable} refers to a variable that refers to another variable. Pass the path itself.")


def _check_size(size: int, source: str, variable: str) -> None:
    if size > MAXIMUM_BYTES:
        raise EcrError(f"{source} has more than {MAXIMUM_BYTES} bytes, so it is not a hand-off. Check {variable}.")
