# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The repository creation templates of a replication, and who created them. Standard library only.

A template has neither tags of its own nor an owner. So the description of a template shows that a replication created
it, and from which account. The end of the replication deletes only such templates.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import Destination
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_declaration import (
    EVERY_NAME,
    TEMPLATE_ARGUMENTS,
    TemplateDeclaration,
    without_slash,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_plan import Template

_PURPOSE = "REPLICATION"
#: The options of a template that the replication sets itself.
_OWN = ("applied_for", "description", "state")
TEMPLATES_ARGUMENT: Json = {
    "templates": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {name: spec for name, spec in TEMPLATE_ARGUMENTS.items() if name not in _OWN},
    }
}


@dataclass(frozen=True)
class ReplicationTemplate:
    """A declared template, with the options of the module `ecr_repository_creation_template`."""

    options: Json

    @classmethod
    def of(cls, entry: Json, owner: object, is_present: bool) -> ReplicationTemplate:
        """
        :param entry: an entry of the option `templates`
        :param owner: the account whose images are replicated
        """
        own = {
            "applied_for": [_PURPOSE],
            "description": f"crossaccount.ecr: replication from account {owner}",
            "state": "present" if is_present else "absent",
        }
        return cls({**entry, "prefix": without_slash(entry["prefix"]), **own})

    @property
    def prefix(self) -> str:
        return str(self.options["prefix"])

    def for_registry(self, current: Template | None) -> ReplicationTemplate:
        """The template in a registry, where it keeps the other purposes of the current one."""
        purposes = sorted({_PURPOSE, *(current.applied_for if current else ())})
        return ReplicationTemplate({**self.options, "applied_for": purposes})

    def declaration(self) -> TemplateDeclaration:
        return TemplateDeclaration.of(self.options)

    def is_ours(self, current: Template) -> bool:
        """Whether a replication from the same account created the current template."""
        return current.description == self.options["description"]

    def foreign(self, current: Template) -> str:
        """The problem with a template that no replication from the account created."""
        return (
            f"Repository creation template {self.prefix} was not created by a replication from the same account: its"
            f" description is {current.description!r}. Set {option('adopt')} to true to manage it anyway, or remove it"
            f" from {option('templates')}."
        )

    def kept(self, place: Destination) -> str:
        """The warning about a template that the end of the replication does not delete."""
        return (
            f"Repository creation template {self.prefix} of {place} was not created by a replication from the same"
            " account. This run does not delete it."
        )


def repeated_problems(templates: t.Sequence[ReplicationTemplate]) -> t.Iterator[str]:
    """Problems with prefixes that are declared more than once."""
    prefixes = [one.prefix for one in templates]
    for prefix in dict.fromkeys(prefixes):
        if prefixes.count(prefix) > 1:
            yield f"{option('templates')}: the prefix {prefix} is declared more than once. Keep one entry."


def unused_templates(templates: t.Iterable[ReplicationTemplate], repositories: t.Sequence[str]) -> t.Iterator[str]:
    """Warnings about templates that match no repository.

    Source: ECR User Guide, "Creating a repository creation template": ECR assumes a slash at the end of the prefix.
    """
    for prefix in (one.prefix for one in templates if one.prefix != EVERY_NAME):
        if not any(name.startswith(f"{prefix}/") for name in repositories):
            yield (
                f"{option('templates')}: no selected repository begins with {prefix}/. The template {prefix} sets"
                f" nothing until such a repository exists. The prefix {EVERY_NAME} matches every name."
            )
