# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The repository creation templates of a replication. Standard library only."""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_declaration import EVERY_NAME
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_ownership import (
    OWNED_TEMPLATE_OPTIONS,
    OwnedTemplate,
)

TEMPLATES_ARGUMENT: Json = {
    "templates": {"type": "list", "elements": "dict", "default": [], "options": OWNED_TEMPLATE_OPTIONS}
}


def replication_template(entry: Json, owner: object, is_present: bool) -> OwnedTemplate:
    """The template of an entry of the option `templates`.

    :param owner: the account whose images are replicated
    """
    return OwnedTemplate.of(entry, "REPLICATION", f"replication from account {owner}", "templates", is_present)


def repeated_problems(templates: t.Sequence[OwnedTemplate]) -> t.Iterator[str]:
    """Problems with prefixes that are declared more than once."""
    prefixes = [one.prefix for one in templates]
    for prefix in dict.fromkeys(prefixes):
        if prefixes.count(prefix) > 1:
            yield f"{option('templates')}: the prefix {prefix} is declared more than once. Keep one entry."


def unused_templates(templates: t.Iterable[OwnedTemplate], repositories: t.Sequence[str]) -> t.Iterator[str]:
    """Warnings about templates that match no repository.

    Source: ECR User Guide, "Creating a repository creation template": ECR assumes a slash at the end of the prefix.
    """
    for prefix in (one.prefix for one in templates if one.prefix != EVERY_NAME):
        if not any(name.startswith(f"{prefix}/") for name in repositories):
            yield (
                f"{option('templates')}: no selected repository begins with {prefix}/. The template {prefix} sets"
                f" nothing until such a repository exists. The prefix {EVERY_NAME} matches every name."
            )
