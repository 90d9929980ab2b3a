# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The declaration of a repository creation template, and the limits of AWS for it. Standard library only."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import split_arn
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import (
    MAXIMUM_TAGS,
    spelling_problems,
    tag_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_policies import (
    lifecycle_policy_problems,
    repository_policy_problems,
)

MUTABLE, WITH_EXCLUSION, UNENCRYPTED = "MUTABLE", "_WITH_EXCLUSION", "AES256"
#: The prefix of the template for every name.
EVERY_NAME = "ROOT"
#: Source of the limits and patterns: ECR API Reference, CreateRepositoryCreationTemplate, and the service model. A pull
#: through cache rule has the same pattern.
PREFIX = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*|ROOT")
_PREFIX_CHARACTERS, _DESCRIPTION_CHARACTERS = 256, 256
_EXCLUSION, _EXCLUSIONS = re.compile(r"[0-9a-zA-Z._*-]{1,128}"), 5
_KMS_KEY = re.compile(r"arn:aws[a-z0-9-]*:kms:([a-z0-9-]+):[0-9]{12}:key/[a-z0-9-]+")

TEMPLATE_ARGUMENTS: Json = {
    "prefix": {"type": "str", "required": True},
    "applied_for": {
        "type": "list",
        "elements": "str",
        "choices": ["REPLICATION", "PULL_THROUGH_CACHE", "CREATE_ON_PUSH"],
    },
    "description": {"type": "str"},
    "image_tag_mutability": {
        "type": "str",
        "choices": ["MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION"],
    },
    "image_tag_mutability_exclusions": {"type": "list", "elements": "str"},
    "encryption_type": {"type": "str", "choices": ["AES256", "KMS", "KMS_DSSE"]},
    "kms_key": {"type": "str", "no_log": False},
    "repository_policy": {"type": "dict"},
    "lifecycle_policy": {"type": "dict"},
    "tags": {"type": "dict"},
    "custom_role_arn": {"type": "str"},
    "sharing_tags": {"type": "dict"},
    "allow_sharing_tags": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


@dataclass(frozen=True)
class TemplateDeclaration:
    """A declared template. A setting that is None keeps its current value; an empty value removes it.

    :param sharing_tags: further tags that share a repository, with their values; None if they are not declared
    """

    prefix: str
    is_present: bool = True
    applied_for: tuple[str, ...] | None = None
    description: str | None = None
    mutability: str | None = None
    exclusions: tuple[str, ...] | None = None
    encryption_type: str | None = None
    kms_key: str | None = None
    repository_policy: Json | None = None
    lifecycle_policy: Json | None = None
    tags: Json | None = None
    custom_role_arn: str | None = None
    sharing_tags: Json | None = None
    allow_sharing_tags: bool = False

    @classmethod
    def of(cls, params: Json) -> TemplateDeclaration:
        """The declaration in the parameters of the module."""
        return cls(
            without_slash(params["prefix"]),
            params["state"] == "present",
            _listed(params["applied_for"]),
            params["description"],
            params["image_tag_mutability"],
            _listed(params["image_tag_mutability_exclusions"]),
            params["encryption_type"],
            params["kms_key"],
            params["repository_policy"],
            params["lifecycle_policy"],
            params["tags"],
            params["custom_role_arn"],
            params["sharing_tags"],
            params["allow_sharing_tags"],
        )

    def problems(self) -> t.Iterator[str]:
        """Problems that can be found without a request to AWS."""
        if not PREFIX.fullmatch(self.prefix) or len(self.prefix) > _PREFIX_CHARACTERS:
            yield (
                f"{option('prefix')} {self.prefix!r} is not a valid prefix of repository names, such as release or"
                f" team/release. Use lowercase letters, digits and ._-/, up to {_PREFIX_CHARACTERS} characters, or ROOT"
                " for every name."
            )
        if not self.is_present:
            return
        if self.applied_for == ():
            yield (
                f"{option('applied_for')} is empty. Set at least one of REPLICATION, PULL_THROUGH_CACHE and"
                " CREATE_ON_PUSH."
            )
        if len(self.description or "") > _DESCRIPTION_CHARACTERS:
            yield (
                f"{option('description')} has {len(self.description or '')} characters; ECR accepts up to"
                f" {_DESCRIPTION_CHARACTERS}."
            )
        yield from _exclusion_problems(self.exclusions or ())
        yield from _tags_problems(self.tags or {})
        yield from repository_policy_problems(self.repository_policy or {})
        yield from lifecycle_policy_problems(self.lifecycle_policy or {})

    def problems_in(self, partition: str, account: str, region: str) -> t.Iterator[str]:
        """Problems with the role and the key, which depend on the registry."""
        yield from custom_role_problems(self.custom_role_arn, partition, account)
        key = _KMS_KEY.fullmatch(self.kms_key) if self.kms_key else None
        if self.kms_key and not key:
            yield (
                f"{option('kms_key')} {self.kms_key!r} is not the ARN of a KMS key, such as"
                f" arn:{partition}:kms:{region}:{account}:key/ID. ECR accepts no alias."
            )
        elif key and key[1] != region:
            yield (
                f"{option('kms_key')} {self.kms_key} is in region {key[1]}, but the registry is in {region}. Use a"
                f" key of {region}."
            )


def custom_role_problems(role_arn: str | None, partition: str, account: str) -> t.Iterator[str]:
    """Problems with the role that ECR assumes.

    :param account: the account of the registry
    """
    arn = split_arn(role_arn) if role_arn else None
    is_role = arn and arn.service == "iam" and arn.resource.startswith("role/")
    if role_arn and not is_role:
        yield (
            f"{option('custom_role_arn')} {role_arn!r} is not the ARN of a role, such as"
            f" arn:{partition}:iam::{account}:role/NAME."
        )
    elif arn and (arn.partition, arn.account) != (partition, account):
        yield (
            f"{option('custom_role_arn')} {role_arn} is not in account {account}. ECR accepts only"
            " a role of the account of the registry."
        )


def without_slash(prefix: str) -> str:
    """A prefix without the slash at its end, which ECR assumes anyway."""
    return prefix.removesuffix("/")


def _listed(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(sorted(set(values)))


def _exclusion_problems(exclusions: t.Sequence[str]) -> t.Iterator[str]:
    if len(exclusions) > _EXCLUSIONS:
        yield (
            f"{option('image_tag_mutability_exclusions')} has {len(exclusions)} filters; ECR accepts up to"
            f" {_EXCLUSIONS}."
        )
    for exclusion in exclusions:
        if not _EXCLUSION.fullmatch(exclusion):
            yield (
                f"{option('image_tag_mutability_exclusions')}: {exclusion!r} is not a filter. Use 1 to 128 letters,"
                " digits and ._-*, such as dev-*."
            )


def _tags_problems(tags: Json) -> t.Iterator[str]:
    if len(tags) > MAXIMUM_TAGS:
        yield f"{option('tags')} has {len(tags)} tags; a repository can have up to {MAXIMUM_TAGS}."
    for key, value in tags.items():
        yield from (f"{option('tags')}: {problem}" for problem in tag_problems(str(key), value))
    yield from (f"{option('tags')}: {problem}" for problem in spelling_problems(map(str, tags)))
