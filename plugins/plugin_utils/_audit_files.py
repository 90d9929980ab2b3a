# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Validates, reads and replaces the files of an audit report on the control node."""

from __future__ import annotations

import json
import os
import stat
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_report import SCHEMA
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._files import read_regular, replacing
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_html import html_report
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_junit import audit_junit
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_markdown import markdown_report
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_ocsf import ocsf_report
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_sarif import sarif_report
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_shape import first_fault

JSON, MARKDOWN = "audit.json", "audit.md"
#: The files of a report. audit.json is the last one: the next run compares with it, and so repeats an interrupted run.
FILES = ("audit.html", MARKDOWN, "audit.sarif", "audit.ocsf.json", "audit.junit.xml", JSON)
_MODE, _FOLDER_MODE = 0o600, 0o700
_LIMIT = 1024 * 1024 * 1024


def file_texts(document: Json) -> dict[str, str]:
    """The text of each file of a report.

    :param document: the content of audit.json
    """
    return {
        "audit.html": html_report(document),
        MARKDOWN: markdown_report(document),
        "audit.sarif": json.dumps(sarif_report(document), indent=1) + "\n",
        "audit.ocsf.json": json.dumps(ocsf_report(document), indent=1) + "\n",
        "audit.junit.xml": audit_junit(document),
        JSON: _json_text(document),
    }


def _json_text(document: Json) -> str:
    """The document as JSON, in which each element of a list has its own line."""
    parts = []
    for key, value in document.items():
        lines = ",\n  ".join(map(json.dumps, value)) if isinstance(value, list) else ""
        parts.append(f" {json.dumps(key)}: " + (f"[\n  {lines}\n ]" if lines else json.dumps(value)))
    return "{\n" + ",\n".join(parts) + "\n}\n"


def report_folder_problems(dest: str) -> t.Iterator[str]:
    """Why the files of a report cannot be written to a directory. The check writes nothing.

    :param dest: the absolute path of the directory
    """
    if not dest.isprintable():
        yield f"{option('dest')} {dest!r} contains an unprintable character. Remove it."
        return
    folder = dest
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK | os.X_OK):
        yield (
            f"No report can be written to {option('dest')} {dest}: {folder} is not a writable directory. Change its"
            " permissions or the path."
        )
        return
    for path in (os.path.join(dest, name) for name in FILES):
        if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
            yield f"{path} exists and is not a regular file, so it is not replaced. Remove it, or use another path."


def previous_document(dest: str, account: str | None) -> Json | None:
    """The content of the existing audit.json; None if it does not exist.

    :param account: the account of the new report; None if it is not known yet
    :raises EcrError: if the file is not a report of this account that this version can read
    """
    path = os.path.join(dest, JSON)
    content = read_regular(path, _LIMIT)
    if content is None:
        return None
    next_step = "Move it away, or use another directory."
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise EcrError(f"{path} is not an audit report, because it is not valid JSON. {next_step}") from None
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA:
        raise EcrError(f"{path} has the schema {schema!r}, and this version reads {SCHEMA}. {next_step}")
    fault = first_fault(document)
    if fault:
        raise EcrError(f"{path} is not a valid audit report: {fault} is missing, unknown or invalid. {next_step}")
    if account is not None and document["account"] != account:
        raise EcrError(
            f"{path} is the report of account {document['account']}, not of account {account}. Use a directory for"
            " each account."
        )
    return t.cast(Json, document)


def text_of_file(path: str) -> str | None:
    """The text of a file; None if it does not exist."""
    content = read_regular(path, _LIMIT)
    return None if content is None else content.decode(errors="replace")


def is_current(path: str, text: str) -> bool:
    """Whether a file has this text and the mode of a report."""
    return text_of_file(path) == text and os.stat(path).st_mode & 0o777 == _MODE


def replace_file(path: str, text: str) -> None:
    """Replace a file atomically. An interrupted run leaves the old file."""
    os.makedirs(os.path.dirname(path), _FOLDER_MODE, exist_ok=True)
    with replacing(path, _MODE) as file:
        file.write(text.encode())
