# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The options of `ecr_repository_tag` as a value, and their validation. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import (
    repository_or_pattern_problems,
    tag_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option

TAG_ARGUMENTS: Json = {
    "names": {"type": "list", "elements": "str", "default": []},
    "tags": {"type": "dict", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "all_except": {"type": "list", "elements": "str"},
}


@dataclass(frozen=True)
class TagDeclaration:
    """The tags that repositories must have, or must not have.

    :param names: names and `fnmatch` patterns
    :param is_present: whether the repositories must have the tags
    :param all_except: the repositories that keep the tags when all others lose them; None to use `names`
    """

    names: tuple[str, ...]
    tags: dict[str, str]
    is_present: bool = True
    all_except: tuple[str, ...] | None = None


def tag_declaration(params: Json) -> TagDeclaration:
    """The declaration in the options of the module. `tag_declaration_problems` validates it."""
    kept = params["all_except"]
    return TagDeclaration(
        names=tuple(params["names"]),
        tags=params["tags"],
        is_present=params["state"] == "present",
        all_except=None if kept is None else tuple(kept),
    )


def tag_declaration_problems(declared: TagDeclaration) -> t.Iterator[str]:
    """Problems with a declaration that can be found without a request to AWS."""
    if declared.all_except is not None and (declared.is_present or declared.names):
        yield "all_except needs state: absent and excludes names. Remove names, or remove all_except."
    if declared.all_except is None and not declared.names:
        yield f"{option('names')} is empty: list at least one repository."
    for name in (*declared.names, *(declared.all_except or ())):
        yield from repository_or_pattern_problems(name)
    if not declared.tags:
        yield f"{option('tags')} is empty: set at least one tag."
    for key, value in declared.tags.items():
        yield from tag_problems(str(key), value)
