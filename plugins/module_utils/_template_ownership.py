# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The repository creation templates that a role manages. Standard library only.

A template has neither tags of its own nor an owner. So the description of a template shows that a replication or a
cache created it, and for which account. Its end deletes only such templates. A template that also applies for another
reason stays for that reason.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import Destination
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_declaration import (
    TEMPLATE_ARGUMENTS,
    TemplateDeclaration,
    without_slash,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_plan import Template

#: The options of a template that the role sets itself.
_OWN = ("applied_for", "description", "state")
#: The options of a template that a user declares.
OWNED_TEMPLATE_OPTIONS: Json = {name: spec for name, spec in TEMPLATE_ARGUMENTS.items() if name not in _OWN}


@dataclass(frozen=True)
class OwnedTemplate:
    """A declared template.

    :param options: the options of the module `ecr_repository_creation_template`
    :param purpose: the reason for which it applies
    :param creator: the end of its description, such as `replication from account 111111111111`
    :param option: the option that declares it
    """

    options: Json
    purpose: str
    creator: str
    option: str

    @classmethod
    def of(cls, entry: Json, purpose: str, creator: str, name: str, is_present: bool) -> OwnedTemplate:
        """
        :param entry: the options in `OWNED_TEMPLATE_OPTIONS`
        :param name: the option that declares it
        """
        own = {
            "prefix": without_slash(entry["prefix"]),
            "applied_for": [purpose],
            "description": f"crossaccount.ecr: {creator}",
            "state": "present" if is_present else "absent",
        }
        return cls({**entry, **own}, purpose, creator, name)

    @property
    def prefix(self) -> str:
        return str(self.options["prefix"])

    @property
    def is_present(self) -> bool:
        return bool(self.options["state"] == "present")

    def for_registry(self, current: Template | None) -> OwnedTemplate:
        """The template in a registry, where it keeps the other purposes of the current one."""
        others = sorted({*(current.applied_for if current else ())} - {self.purpose})
        if self.is_present or not others:
            return replace(self, options={**self.options, "applied_for": sorted([self.purpose, *others])})
        # The other purposes keep the settings of the template, also its tags.
        released = {"prefix": self.prefix, "applied_for": others, "description": "", "state": "present"}
        return replace(self, options={**dict.fromkeys(self.options), **released, "allow_sharing_tags": True})

    def declaration(self) -> TemplateDeclaration:
        return TemplateDeclaration.of(self.options)

    def is_ours(self, current: Template) -> bool:
        """Whether the same creator created the current template."""
        return bool(current.description == self.options["description"])

    def foreign(self, current: Template) -> str:
        """The problem with a template that another creator created."""
        return (
            f"Repository creation template {self.prefix} was not created by a {self.creator}: its description is"
            f" {current.description!r}. Set {option('adopt')} to true to manage it anyway, or remove it from"
            f" {option(self.option)}."
        )

    def kept(self, place: Destination) -> str:
        """The warning about a template that the end does not delete."""
        return (
            f"Repository creation template {self.prefix} of {place} was not created by a {self.creator}. This run does"
            " not delete it."
        )
