# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The declaration of a tag guard, and its validation. Standard library only."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils import _tag_guard
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Arn, Identity, split_arn
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import name_problems, region_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy import (
    repository_tags_of,
    repository_tags_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import (
    Attachment,
    AttachmentKind,
    Tags,
    is_ours,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_guard import PolicyType

_ENTITY = re.compile(r"(user|role)(/(?:[\w+=,.@-]+/)*)([\w+=,.@-]{1,64})", re.ASCII)
#: The paths of the roles that AWS manages. IAM attaches no policy of a customer to them.
_MANAGED_PATHS = ("/aws-service-role/", "/aws-reserved/")
_LABELS = {
    PolicyType.MANAGED: "The policy of the guard",
    PolicyType.SERVICE_CONTROL: "The service control policy",
    PolicyType.RESOURCE_CONTROL: "The resource control policy",
}


@dataclass(frozen=True)
class GuardedPrincipal:
    """A user or a role under the guard.

    :param resource: the declared resource of its ARN, such as `role/PATH/NAME`
    """

    attachment: Attachment
    resource: str


@dataclass(frozen=True)
class ExistingPrincipal:
    """A user or a role as IAM returns it."""

    arn: str
    tags: Tags


@dataclass(frozen=True)
class TagGuardDeclaration:
    """The declaration of a guard.

    :param guard: `report`, `deny` or `absent`
    :param dest: the directory of the files
    :param regions: the regions whose creation templates are read; empty for the region of the session
    """

    name: str
    guard: str
    repository_tags: Json
    principals: tuple[str, ...] = ()
    adopt: bool = False
    dest: str = "."
    regions: tuple[str, ...] = ()

    @property
    def is_present(self) -> bool:
        return self.guard != "absent"

    @property
    def denies(self) -> bool:
        """Whether the guard has a managed policy."""
        return self.guard == "deny"

    @property
    def tag_values(self) -> dict[str, tuple[str, ...]]:
        return _tag_guard.merged_tags([repository_tags_of(self.repository_tags)])

    def guarded(self, owner: Identity) -> list[GuardedPrincipal]:
        """The valid principals, each once."""
        found = (_entity(principal, owner) for principal in self.principals)
        return list(dict.fromkeys(entity for entity in found if entity))

    @property
    def options(self) -> Json:
        """The options of `iam_ecr_tag_guard` for this declaration."""
        return {
            "guard_name": self.name,
            "guard": self.guard,
            "repository_tags": self.repository_tags,
            "principals": list(self.principals),
            "adopt": self.adopt,
            "dest": self.dest,
            "regions": list(self.regions),
        }


def tag_guard_of(options: Json) -> TagGuardDeclaration:
    """The declaration in options.

    :param options: the options of `iam_ecr_tag_guard`
    """
    return TagGuardDeclaration(
        name=options["guard_name"],
        guard=options["guard"],
        repository_tags=options["repository_tags"] or {},
        principals=tuple(options["principals"] or ()),
        adopt=options["adopt"],
        dest=options["dest"],
        regions=tuple(options["regions"] or ()),
    )


def _entity(declared: str, owner: Identity) -> GuardedPrincipal | None:
    """The user or role of this account that an entry names; None for anything else."""
    resource = declared.removeprefix(owner.iam(""))
    match = None if _is_managed_by_aws(resource) else _ENTITY.fullmatch(resource)
    return GuardedPrincipal(Attachment(AttachmentKind(match[1]), match[3]), resource) if match else None


def _is_managed_by_aws(resource: str) -> bool:
    return resource.removeprefix("role").startswith(_MANAGED_PATHS)


def tag_guard_problems(declared: TagGuardDeclaration, caller: Arn) -> t.Iterator[str]:
    """Problems with a declaration that can be found without a request to IAM.

    :param caller: the principal that runs the module
    """
    yield from guard_name_problems(declared)
    yield from (problem for region in declared.regions for problem in region_problems(region))
    if not declared.is_present:
        return
    if not declared.repository_tags:
        yield (
            f"The tag guard has no tag: {option('repository_tags')} is empty. Set the tags that grant access, or remove"
            " the guard."
        )
    else:
        yield from repository_tags_problems(declared.repository_tags)
        yield from _size_problems(declared, caller)
    if declared.denies and not declared.principals:
        yield (
            f"{option('principals')} is empty, so the tag guard denies nothing. Name the users and roles under the"
            f" guard, or set {option('guard')}: report."
        )
    for principal in dict.fromkeys(declared.principals):
        yield from _principal_problems(principal, caller)


def guard_name_problems(declared: TagGuardDeclaration) -> t.Iterator[str]:
    """Problems with the name of the policy."""
    yield from name_problems("unused", declared.name, "/")


def _principal_problems(declared: str, caller: Arn) -> t.Iterator[str]:
    label, owner = f"{option('principals')}: {declared!r}", caller.identity
    arn, entity = split_arn(declared), _entity(declared, owner)
    resource = arn.resource if arn else declared
    if "*" in declared or "?" in declared:
        yield f"{label} contains a wildcard. Name each user or role."
    elif resource.startswith("group/"):
        yield f"{label} is a group, to which the guard is not attached. Name its users."
    elif resource.startswith("assumed-role/"):
        yield f"{label} is a session of a role. Name the role."
    elif arn and arn.partition != owner.partition:
        yield f"{label} is in partition {arn.partition}, but the owner account is in {owner.partition}. Remove it."
    elif arn and arn.account != owner.account:
        yield (
            f"{label} is in account {arn.account}. The guard applies only to users and roles of account"
            f" {owner.account}; use the resource control policy for other accounts."
        )
    elif _is_managed_by_aws(resource):
        yield f"{label} is a role that AWS manages, so no policy can be attached to it. Use the service control policy."
    elif entity is None:
        yield f"{label} is not user/NAME, role/NAME, or the ARN of a user or a role."
    elif is_caller(entity, caller):
        yield (
            f"{label} is the caller of this run, which sets the tags of the shares. The guard would deny it to the next"
            " run. Remove it, or run with other credentials."
        )


def is_caller(entity: GuardedPrincipal, caller: Arn) -> bool:
    """Whether the caller is this user, or a session of this role. IAM compares names without regard to case."""
    kind, *rest = caller.resource.split("/")
    name = rest[0] if kind == "assumed-role" else caller.name
    kinds = {"user": AttachmentKind.USER, "assumed-role": AttachmentKind.ROLE}
    return kinds.get(kind) is entity.attachment.kind and name.lower() == entity.attachment.name.lower()


def _size_problems(declared: TagGuardDeclaration, caller: Arn) -> t.Iterator[str]:
    for kind, document in guard_documents(declared, caller).items():
        size, quota = _tag_guard.policy_size(document, kind), _tag_guard.QUOTAS[kind]
        if size > quota:
            yield (
                f"{_LABELS[kind]} would have {size:,} characters; AWS accepts up to {quota:,}. Declare fewer tags, or"
                f" guard some shares in another run with another {option('guard_name')}."
            )


def guard_documents(declared: TagGuardDeclaration, caller: Arn) -> dict[PolicyType, Json]:
    """The policies of a guard. The caller is exempt from the policies of the organization."""
    owner, tags, exempt = caller.identity, declared.tag_values, _tag_guard.exempt_arns(caller)
    return {
        kind: _tag_guard.deny_tagging(owner, tags, () if kind is PolicyType.MANAGED else exempt, kind)
        for kind in PolicyType
    }


def existence_problems(
    guarded: t.Iterable[GuardedPrincipal], existing: t.Mapping[str, ExistingPrincipal | None], owner: Identity
) -> t.Iterator[str]:
    """Problems with declared principals that do not exist, or are pull roles.

    :param existing: each principal by its declared resource; None if it does not exist
    """
    for principal in guarded:
        label, found = f"{option('principals')}: {principal.resource!r}", existing[principal.resource]
        if found is None:
            yield f"{label} does not exist in account {owner.account}. Correct it, or remove it."
        elif found.arn != owner.iam(principal.resource):
            yield f"{label} does not exist. Its name belongs to {found.arn}. Declare this ARN."
        elif is_ours(found.tags):
            yield f"{label} is a pull role of this collection, which sets no tags. Remove it."
