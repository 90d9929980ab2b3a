# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""An audit report as one self-contained HTML page. Pure, except that it reads its three files.

The page contains no address that a browser requests. Its Content-Security-Policy allows one style and one script, by
their hashes, and nothing else. Jinja2 escapes every value.
"""

from __future__ import annotations

import base64
import collections
import functools
import hashlib
import pathlib

import jinja2
import markupsafe
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import printable
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_diagram import (
    BOX,
    PATHS,
    WIDTH,
    diagram_of,
    headings,
)
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_escape import one_line
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_markdown import changed_access_text
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_matrix import MARK, Matrix, matrix_of
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_shape import SEVERITIES

#: Of each kind of finding and of change, the page has this number. audit.json has all of them.
SHOWN = 25
#: The text in place of the name of a repository in an explanation, until the script replaces it.
_NAMELESS = markupsafe.Markup("<i>this repository</i>")


def html_report(document: Json) -> str:
    """The text of audit.html."""
    matrix = matrix_of(document)
    style, script = _file("audit_page.css"), _file("audit_page.js")
    changes = document.get("changes")
    return _template().render(
        document=document,
        matrix=matrix,
        style=markupsafe.Markup(style),  # noqa: S704  files of this collection
        script=markupsafe.Markup(script),  # noqa: S704
        policy=f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none';"
        " form-action 'none'",
        groups=_groups(document),
        severities=collections.Counter(finding["severity"] for finding in document["findings"]),
        changes=changes and _changes(changes),
        new={finding["key"] for finding in changes["findings"]["new"]} if changes else (),
        reached=sum(len(row.repositories) for row in matrix.rows),
        can=_counts(matrix),
        diagram=diagram_of(matrix),
        **{"headings": list(headings()), "paths": PATHS, "width": WIDTH, "box": BOX, "shown": SHOWN},
    )


def _file(name: str) -> str:
    return pathlib.Path(__file__).with_name(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@functools.lru_cache(maxsize=1)
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(line=one_line, text=printable, number="{:,}".format, marked=_marked)
    return environment.from_string(_file("audit_page.html.j2"))


def _marked(text: str) -> markupsafe.Markup:
    """The text of an explanation, with an element in place of the name of the repository."""
    return _NAMELESS.join(map(markupsafe.escape, text.split(MARK)))


def _groups(document: Json) -> list[list[Json]]:
    """The findings by severity and kind."""
    found: dict[tuple[int, str], list[Json]] = {}
    for finding in document["findings"]:
        found.setdefault((SEVERITIES.index(finding["severity"]), finding["id"]), []).append(finding)
    return [findings for _order, findings in sorted(found.items())]


def _changes(changes: Json) -> list[tuple[str, list[tuple[str, str]]]]:
    """The changes by kind, each as the name of what changed and the change."""
    lists: list[tuple[str, list[tuple[str, str]]]] = []
    for kind in ("new", "changed", "gone"):
        rows, findings = changes["access"][kind], changes["findings"][kind]
        named = [(f"{row['principal']} to {row['repository']} in {row['region']}", row) for row in rows]
        lists.append((f"Access, {kind}", [(name, changed_access_text(row)) for name, row in named]))
        lists.append((f"Findings, {kind}", [(finding["title"], finding["severity"]) for finding in findings]))
    return [(title, found) for title, found in lists if found]


def _counts(matrix: Matrix) -> list[collections.Counter[str]]:
    """For each consumer, the number of repositories by the letter of their cells, without question marks."""
    counts = [collections.Counter[str]() for _consumer in matrix.consumers]
    for row in matrix.rows:
        for count, cell in zip(counts, row.cells):
            if cell is not None:
                count[matrix.cells[cell].letter.rstrip("?") or "?"] += len(row.repositories)
    return counts
