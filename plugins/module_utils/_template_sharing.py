# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Whether the tags of a repository creation template share each new repository. Standard library only.

A tag shares a repository through a pull role of this collection, or through a statement of this collection in the
registry policy. A tag that is one of several tags of a role or of a statement counts, because the other tags may be set
later.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.crossaccount.ecr.plugins.module_utils._access_change import pull_decision
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import DENIED
from ansible_collections.crossaccount.ecr.plugins.module_utils._granted_access import granting_tags
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy import repository_tags_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document, statements
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_declaration import TemplateDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_plan import Template

_Tags = t.Mapping[str, str]


@dataclass(frozen=True)
class Grants:
    """The access that tags grant in an account.

    :param roles: the permissions of each pull role of this collection
    :param unknown: why the roles or the statements could not be read; empty if they were read
    :param statements: the permissions of each statement of this collection in the registry policy, by its Sid
    """

    roles: t.Mapping[str, Document]
    unknown: str = ""
    statements: t.Mapping[str, Document] = field(default_factory=dict)


@dataclass(frozen=True)
class Sharing:
    """The tags of a template that share a repository, and the roles and the Sids of the statements that use them."""

    tags: tuple[str, ...]
    roles: tuple[str, ...]
    statements: tuple[str, ...] = ()

    @property
    def grantors(self) -> list[str]:
        """The roles and the statements, for messages."""
        named = [f"the role {name}" for name in self.roles]
        return named + [f"the statement {sid} of the registry policy" for sid in self.statements]


def sharing_of(tags: _Tags, declared: TemplateDeclaration, grants: Grants, prefix_arn: str) -> Sharing:
    """The tags of a template that share a repository, and the roles and the statements that grant access by them.

    :param prefix_arn: the ARN of a repository without its name
    """
    wanted = repository_tags_of(declared.sharing_tags or {})
    pairs = [(key, value) for key, values in wanted.items() for value in values]
    sharing = _matching(tags, pairs)
    roles, granting = (
        {name: found for name, document in sorted(documents.items()) if (found := _used(tags, document, prefix_arn))}
        for documents in (grants.roles, grants.statements)
    )
    sharing += [key for found in (*roles.values(), *granting.values()) for key in found]
    return Sharing(tuple(key for key in tags if key in sharing), tuple(roles), tuple(granting))


def sharing_problems(
    after: Template, declared: TemplateDeclaration, sharing: Sharing, grants: Grants
) -> t.Iterator[str]:
    """Problems with a template that shares each new repository without consent, or that may do so."""
    if declared.allow_sharing_tags or not after.tags:
        return
    if sharing.tags:
        named = ", ".join(f"{key}={after.tags[key]}" for key in sharing.tags)
        through = f" through {' and '.join(sharing.grantors)}" if sharing.grantors else ""
        yield (
            f"Repository creation template {after.prefix} sets {named}, which shares each repository that ECR creates"
            f" with the template{through}. To consent, set {option('allow_sharing_tags')}: true. Otherwise, remove the"
            f" tag from {option('tags')}."
        )
    elif grants.unknown and declared.sharing_tags is None:
        yield (
            f"Repository creation template {after.prefix} sets tags, but it is unknown whether they share"
            f" repositories: {grants.unknown.rstrip('.')}. Grant iam:GetAccountAuthorizationDetails and"
            f" ecr:GetRegistryPolicy to the caller, set {option('sharing_tags')} to the tags that grant access, or set"
            f" {option('allow_sharing_tags')}: true."
        )


def _used(tags: _Tags, permissions: Document, prefix_arn: str) -> list[str]:
    """The keys of the tags by which a document grants access."""
    found = _matching(tags, [pair for one in granting_tags(permissions) for pair in one.items()])
    return found or (list(tags) if _opens(permissions, f"{prefix_arn}new", tags) else [])


def _matching(tags: _Tags, pairs: t.Iterable[tuple[str, str]]) -> list[str]:
    """The keys of the tags that are in the pairs. IAM ignores the case of keys."""
    wanted = {(key.lower(), value) for key, value in pairs}
    return [key for key, value in tags.items() if (key.lower(), value) in wanted]


def _opens(permissions: Document, arn: str, tags: _Tags) -> bool:
    """Whether a role can or may pull from any repository because of its tags, by any operator of a condition.

    The resources of its statements are ignored, because a template creates repositories with many names.
    """
    allowing = [
        {**{key: value for key, value in statement.items() if key != "NotResource"}, "Resource": "*"}
        for statement in statements(permissions)
        if statement.get("Effect") == "Allow" and statement.get("Condition")
    ]
    document = {"Version": "2012-10-17", "Statement": allowing}
    return pull_decision(document, arn, tags).verdict != DENIED and pull_decision(document, arn, {}).verdict == DENIED
