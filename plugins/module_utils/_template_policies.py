# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The two policies of a repository creation template: their problems, their texts and their meaning.
Standard library only.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils import _policy_document
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy import TOKEN_ACTION

#: Source: ECR API Reference, CreateRepositoryCreationTemplate; ECR User Guide, "Service quotas".
_REPOSITORY_POLICY_CHARACTERS, _LIFECYCLE_POLICY_CHARACTERS = 10240, 30720


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


def repository_policy_problems(policy: Json) -> t.Iterator[str]:
    """Problems with a repository policy. For the token, see cloudposse/terraform-aws-ecr#67."""
    if not policy:
        return
    try:
        statements = _policy_document.statements(_policy_document.parse(policy)) if "Statement" in policy else []
    except EcrError:
        statements = []
    complete = all(
        "Effect" in one and {"Principal", "NotPrincipal"} & one.keys() and {"Action", "NotAction"} & one.keys()
        for one in statements
    )
    if not statements or not complete:
        yield (
            f"{option('repository_policy')} is not a repository policy. It needs a list Statement, and each statement"
            " needs Effect, Principal and Action."
        )
    actions = [str(action).lower() for one in statements for action in _policy_document.as_list(one.get("Action", []))]
    if TOKEN_ACTION.lower() in actions:
        yield (
            f"{option('repository_policy')} has the action {TOKEN_ACTION}, which ECR rejects in a repository policy."
            " Remove it."
        )
    yield from _length_problems("repository_policy", policy, _REPOSITORY_POLICY_CHARACTERS)


def lifecycle_policy_problems(policy: Json) -> t.Iterator[str]:
    """Problems with a lifecycle policy. ECR checks the content of its rules."""
    rules = policy.get("rules")
    if policy and not (isinstance(rules, list) and rules and all(isinstance(rule, dict) for rule in rules)):
        yield (
            f"{option('lifecycle_policy')} is not a lifecycle policy. It needs a list rules with at least one rule."
            " To remove the lifecycle policy of the template, set an empty dictionary."
        )
    yield from _length_problems("lifecycle_policy", policy, _LIFECYCLE_POLICY_CHARACTERS)


def _length_problems(name: str, policy: Json, limit: int) -> t.Iterator[str]:
    length = len(_policy_document.text(policy))
    if length > limit:
        yield f"{option(name)} has {length:,} characters; ECR accepts up to {limit:,}. Shorten it."
