# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""A finding of an audit. Standard library only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import printable
from ansible_collections.crossaccount.ecr.plugins.module_utils._finding_kinds import KIND_OF, SEVERITIES
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json

#: The maximum number of characters of a name in a title or a key, and of the text of an evidence.
_LONGEST_NAME, _LONGEST_TEXT = 120, 4000


@dataclass(frozen=True)
class Evidence:
    """The fact behind a finding.

    :param document: the name of the document
    :param statement: the Sid of the statement, or its number; empty if the fact is not in a statement
    :param text: the statement as JSON, or the fact
    """

    document: str
    statement: str = ""
    text: str = ""


@dataclass(frozen=True)
class Finding:
    """One finding.

    :param id: the ID of its kind
    :param key: identifies this finding in all reports
    :param resource: the ARN of the resource
    :param region: empty if the resource is global
    :param fix: a task in YAML, or commands for a shell
    """

    id: str
    key: str
    title: str
    resource: str
    region: str
    evidence: Evidence
    fix: str

    @property
    def severity(self) -> str:
        return KIND_OF[self.id].severity

    @property
    def rank(self) -> tuple[int, str]:
        """Sorts findings by severity and key."""
        return SEVERITIES.index(self.severity), self.key

    def as_json(self) -> Json:
        return {
            "id": self.id,
            "key": self.key,
            "severity": self.severity,
            "title": self.title,
            "resource": self.resource,
            "region": self.region,
            "evidence": {
                "document": self.evidence.document,
                "statement": shortened(self.evidence.statement, 256),
                "text": shortened(self.evidence.text, _LONGEST_TEXT),
            },
            "fix": self.fix,
        }


def finding(
    kind: str, title: str, resource: str, evidence: Evidence, fix: str, region: str = "", about: tuple[str, ...] = ()
) -> Finding:
    """A finding with its key.

    :param about: the texts that distinguish it from other findings of the same kind about the same resource
    """
    key = ":".join(
        [kind, *filter(None, [resource, region if region not in resource else "", *map(_short_name, about)])]
    )
    return Finding(kind, key, shortened(printable(title).replace("\n", "\\n"), 300), resource, region, evidence, fix)


def shortened(text: str, limit: int = _LONGEST_NAME) -> str:
    """The text, or its beginning with the number of its characters."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"


def _short_name(text: str) -> str:
    """A name for a key. A long name is replaced by its beginning and its hash, so that the key remains unique."""
    if len(text) <= _LONGEST_NAME:
        return text
    return f"{text[:_LONGEST_NAME]}…{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:12]}"
