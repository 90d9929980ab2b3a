# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The tags and regions that a permissions document grants. Standard library only."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document, as_list, statements

_TAG = re.compile(r"(?:ecr|aws):resourcetag/(.+)", re.IGNORECASE)
_ARN = re.compile(r"arn:[^:]*:ecr:([a-z0-9-]+):.*", re.DOTALL)


def granting_tags(permissions: Document | None) -> list[dict[str, str]]:
    """The tags in the conditions of a permissions document. It grants access to repositories that have these tags."""
    return [{key: value} for key, value in dict.fromkeys(_conditions(permissions or {}))]


def _conditions(permissions: Document) -> t.Iterator[tuple[str, str]]:
    for statement in statements(permissions):
        condition = statement.get("Condition", {})
        for key, wanted in (condition.get("StringEquals", {}) if isinstance(condition, dict) else {}).items():
            match = _TAG.fullmatch(str(key))
            if match:
                yield from ((match[1], str(value)) for value in as_list(wanted))


def granting_regions(permissions: Document | None) -> list[str]:
    """The regions in the repository ARNs of a permissions document, without regions that only match a wildcard."""
    resources = [
        str(resource) for statement in statements(permissions or {}) for resource in as_list(statement.get("Resource"))
    ]
    return sorted({match[1] for match in map(_ARN.fullmatch, resources) if match})
