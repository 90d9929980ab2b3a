# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The two policies of a repository creation template: their texts, and whether they have the same meaning.
Standard library only.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils import _policy_document
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json


def policy_text(declared: Json | None, current: str, is_same: t.Callable[[Json, Json], bool]) -> str:
    """The text of a policy after the run: the current one, unless a policy with another meaning is declared."""
    if declared is None or is_same(declared, policy_of(current)):
        return current
    return _policy_document.text(declared) if declared else ""


def policy_of(text: str) -> Json:
    """A policy as a document: empty without a policy, or the text itself if it is not a JSON object."""
    try:
        document = json.loads(text or "{}")
    except (ValueError, RecursionError):
        document = None
    return document if isinstance(document, dict) else {"text": text}


def same_policy(one: Json, other: Json) -> bool:
    """Whether two repository policies have the same meaning."""
    if not one or not other:
        return one == other
    try:
        return _policy_document.equivalent(_policy_document.parse(one), _policy_document.parse(other))
    except EcrError:
        return one == other


def same_lifecycle(one: Json, other: Json) -> bool:
    """Whether two lifecycle policies have the same meaning. Each rule has a priority, so no list has an order."""
    return _unordered(one) == _unordered(other)


def _unordered(value: object) -> object:
    if isinstance(value, dict):
        return {key: _unordered(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted((_unordered(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return value
