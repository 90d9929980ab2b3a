# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The settings of a repository creation template, and the request that changes them as declared.
Standard library only.

An update of AWS may reset a setting that the request omits: the API reference states this for imageTagMutability. So a
request has all settings. A setting that is not declared keeps its current value, and one that is removed has an empty
value.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_declaration import (
    MUTABLE,
    UNENCRYPTED,
    WITH_EXCLUSION,
    TemplateDeclaration,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_policies import (
    policy_of,
    policy_text,
    same_lifecycle,
    same_policy,
)

#: The members of a request that are texts, by the field of a template.
_TEXTS = {
    "description": "description",
    "repository_policy": "repositoryPolicy",
    "lifecycle_policy": "lifecyclePolicy",
    "custom_role_arn": "customRoleArn",
}


@dataclass(frozen=True)
class Template:
    """The settings of a template. The two policies are JSON texts, or empty."""

    prefix: str
    applied_for: tuple[str, ...] = ()
    description: str = ""
    mutability: str = MUTABLE
    exclusions: tuple[str, ...] = ()
    encryption_type: str = UNENCRYPTED
    kms_key: str = ""
    repository_policy: str = ""
    lifecycle_policy: str = ""
    tags: t.Mapping[str, str] = field(default_factory=dict)
    custom_role_arn: str = ""

    @classmethod
    def of(cls, reply: Json) -> Template:
        """The template in a response of ECR."""
        encryption = reply.get("encryptionConfiguration") or {}
        filters = reply.get("imageTagMutabilityExclusionFilters") or []
        return cls(
            reply["prefix"],
            tuple(sorted(reply.get("appliedFor") or [])),
            mutability=reply.get("imageTagMutability") or MUTABLE,
            exclusions=tuple(sorted(one["filter"] for one in filters)),
            encryption_type=encryption.get("encryptionType") or UNENCRYPTED,
            kms_key=encryption.get("kmsKey") or "",
            tags={tag["Key"]: tag["Value"] for tag in reply.get("resourceTags") or []},
            **{name: reply.get(member) or "" for name, member in _TEXTS.items()},
        )

    @property
    def is_encrypted_with_kms(self) -> bool:
        return self.encryption_type != UNENCRYPTED

    def result(self) -> Json:
        """The settings, with the names of the options."""
        return {
            "prefix": self.prefix,
            "applied_for": list(self.applied_for),
            "description": self.description,
            "image_tag_mutability": self.mutability,
            "image_tag_mutability_exclusions": list(self.exclusions),
            "encryption_type": self.encryption_type,
            "kms_key": self.kms_key,
            "repository_policy": policy_of(self.repository_policy),
            "lifecycle_policy": policy_of(self.lifecycle_policy),
            "tags": dict(self.tags),
            "custom_role_arn": self.custom_role_arn,
        }

    def request(self, before: Template | None) -> Json:
        """The parameters of the request that creates the template, or changes `before` to it."""
        encryption = {"encryptionType": self.encryption_type, **({"kmsKey": self.kms_key} if self.kms_key else {})}
        filters = [{"filterType": "WILDCARD", "filter": one} for one in self.exclusions]
        texts = {
            member: getattr(self, name)
            for name, member in _TEXTS.items()
            if getattr(self, name) or (before and getattr(before, name))
        }
        return {
            "prefix": self.prefix,
            "appliedFor": list(self.applied_for),
            "imageTagMutability": self.mutability,
            **({"imageTagMutabilityExclusionFilters": filters} if filters else {}),
            "encryptionConfiguration": encryption,
            "resourceTags": [{"Key": key, "Value": value} for key, value in self.tags.items()],
            **texts,
        }


def declared_template(declared: TemplateDeclaration, before: Template | None) -> Template:
    """The template after the run: the declared settings, and the current ones that are not declared.

    A declared policy with the same meaning as the current one keeps the text of the current one.
    """
    current = before or Template(declared.prefix)
    mutability = _chosen(declared.mutability, current.mutability)
    encryption_type = _chosen(declared.encryption_type, current.encryption_type)
    kept_exclusions = current.exclusions if mutability.endswith(WITH_EXCLUSION) else ()
    kept_key = "" if encryption_type == UNENCRYPTED else current.kms_key
    return replace(
        current,
        applied_for=_chosen(declared.applied_for, current.applied_for),
        description=_chosen(declared.description, current.description),
        mutability=mutability,
        exclusions=_chosen(declared.exclusions, kept_exclusions),
        encryption_type=encryption_type,
        kms_key=_chosen(declared.kms_key, kept_key),
        repository_policy=policy_text(declared.repository_policy, current.repository_policy, same_policy),
        lifecycle_policy=policy_text(declared.lifecycle_policy, current.lifecycle_policy, same_lifecycle),
        tags=_chosen(declared.tags, current.tags),
        custom_role_arn=_chosen(declared.custom_role_arn, current.custom_role_arn),
    )


def template_problems(after: Template) -> t.Iterator[str]:
    """Problems with the declared and the current settings together.

    Source for the role: ECR User Guide, "Creating a repository creation template"; aws/containers-roadmap#2398.
    """
    if not after.applied_for:
        yield (
            f"Repository creation template {after.prefix} does not exist. To create it, set {option('applied_for')},"
            " such as [REPLICATION]."
        )
    allowed = f"{after.mutability}{WITH_EXCLUSION}"
    if after.exclusions and not after.mutability.endswith(WITH_EXCLUSION):
        yield (
            f"Repository creation template {after.prefix} has exclusions, but the image tag mutability"
            f" {after.mutability}. Set {option('image_tag_mutability')} to {allowed}, or remove"
            f" {option('image_tag_mutability_exclusions')}."
        )
    if not after.exclusions and after.mutability.endswith(WITH_EXCLUSION):
        yield (
            f"Repository creation template {after.prefix} has the image tag mutability {after.mutability}, but no"
            f" exclusions. Set {option('image_tag_mutability_exclusions')}."
        )
    if after.kms_key and not after.is_encrypted_with_kms:
        yield (
            f"Repository creation template {after.prefix} has a KMS key, but the encryption type"
            f" {after.encryption_type}. Set {option('encryption_type')} to KMS or KMS_DSSE, or remove"
            f" {option('kms_key')}."
        )
    needs = [*(["tags"] if after.tags else []), *(["KMS encryption"] if after.is_encrypted_with_kms else [])]
    if needs and not after.custom_role_arn:
        yield (
            f"Repository creation template {after.prefix} sets {' and '.join(needs)}, but has no custom role. ECR then"
            " creates no repository, and replication, pull or push fails as if the repository did not exist. Set"
            f" {option('custom_role_arn')} to a role that ecr.amazonaws.com can assume."
        )


def differences(expected: Template | None, actual: Template | None) -> list[str]:
    """The settings that differ from the written ones, as texts. None is a missing template."""
    if expected is None or actual is None:
        prefix = (expected or actual or Template("")).prefix
        return [] if expected is actual else [f"repository creation template {prefix}"]
    before, after = actual.result(), expected.result()
    kept = declared_template(_as_declaration(expected), actual)
    return [
        f"{name} of repository creation template {expected.prefix}"
        for name in after
        if kept.result()[name] != before[name]
    ]


def template_diff(before: Template | None, after: Template | None) -> Json:
    """The change in the format of Ansible's diff."""
    return {"before": before.result() if before else {}, "after": after.result() if after else {}}


def _as_declaration(template: Template) -> TemplateDeclaration:
    """A declaration of every setting of a template."""
    return TemplateDeclaration(
        template.prefix,
        applied_for=template.applied_for,
        description=template.description,
        mutability=template.mutability,
        exclusions=template.exclusions,
        encryption_type=template.encryption_type,
        kms_key=template.kms_key or None,  # ECR may return the key that it chose
        repository_policy=policy_of(template.repository_policy),
        lifecycle_policy=policy_of(template.lifecycle_policy),
        tags=dict(template.tags),
        custom_role_arn=template.custom_role_arn,
    )


Value = t.TypeVar("Value")


def _chosen(declared: Value | None, current: Value) -> Value:
    return current if declared is None else declared
