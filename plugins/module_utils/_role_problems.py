# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The validation of the declaration of a pull role. Standard library only."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils import (
    _consumer_problems,
    _names,
    _parties,
    _policy,
    _policy_document,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_declaration import RoleDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import OWNERSHIP_TAG, RoleState


def role_problems(before: RoleState, declared: RoleDeclaration, owner: Identity) -> t.Iterator[str]:
    """Problems with the declaration of a role."""
    yield from _consumer_problems.consumers_problems(declared.consumers, owner.partition)
    yield from _parties.consumer_problems(declared.consumers, owner.account)
    yield from _policy.repository_tags_problems(declared.repository_tags)
    yield from settings_problems(before, declared)
    if declared.regions == ():
        yield f"{option('regions')} is an empty list. Name the regions, or omit the option to include all regions."
    for region in declared.regions or ():
        yield from _names.region_problems(region)
    yield from _tags_problems(before, declared)
    yield from _size_problems(declared, owner)


def settings_problems(before: RoleState, declared: RoleDeclaration) -> t.Iterator[str]:
    """Problems with the settings of a role."""
    name, duration, description = declared.name, declared.max_session_duration, declared.description or ""
    if before.role_exists and before.path != declared.path:
        yield (
            f"Role {name} has the path {before.path}; IAM cannot move it to {declared.path}."
            f" Declare its current path, or delete the role first ({option('state')}: absent)."
        )
    if duration is not None and not 3600 <= duration <= 43200:
        yield f"{option('max_session_duration')} is {duration} seconds; IAM accepts 3,600 to 43,200."
    # Latin-1 without most control characters, at most 1,000 characters. Source: IAM API Reference, CreateRole.
    wrong = [character for character in description if not re.match(r"[\t\n\r\x20-\x7e\xa1-\xff]", character)]
    if wrong:
        yield f"The description has {wrong[0]!r}; IAM accepts only Latin-1 characters in the description of a role."
    if len(description) > 1000:
        yield f"The description has {len(description)} characters; IAM accepts at most 1,000."
    if declared.permissions_boundary is not None:
        yield from _names.boundary_problems(declared.permissions_boundary, name, declared.policy_name)


def _tags_problems(before: RoleState, declared: RoleDeclaration) -> t.Iterator[str]:
    tags, (key, value) = declared.role_tags, OWNERSHIP_TAG
    for name, text in tags.items():
        for problem in _names.tag_problems(name, text):
            yield f"tags: {problem}"
    for problem in _names.spelling_problems(tags):
        yield f"tags: {problem}"
    if tags[key] != value:
        yield f"tags: {key} identifies the roles and policies of this collection. Choose another key."
    for label, existing in ((f"Role {declared.name}", before.role_tags), ("Its policy", before.policy_tags)):
        if len({name.lower() for name in {**existing, **tags}}) > _names.MAXIMUM_TAGS:
            yield f"{label} would have more than {_names.MAXIMUM_TAGS} tags. Declare fewer, or remove some first."


def _size_problems(declared: RoleDeclaration, owner: Identity) -> t.Iterator[str]:
    for label, document, limit in (
        ("The trust policy", declared.trust(owner), declared.trust_policy_quota),
        ("The permissions policy", declared.permissions(owner), _policy.POLICY_CHARACTERS),
    ):
        size = _policy_document.size(document)
        if size > limit:
            yield (
                f"{label} of {declared.name} would have {size} characters; AWS accepts up to {limit}. Declare two"
                " roles."
            )
