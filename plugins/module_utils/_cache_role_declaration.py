# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The role that ECR assumes to read the upstream registry of a cache. Standard library only.

ECR assumes the role as a service, without an external ID and, as far as AWS documents it, without any other condition
key. So its trust policy has no condition. `iam:PassRole` decides who may name the role in a rule, and only a rule of
the account of the role can do so.

Source: ECR User Guide, "Setting up permissions for cross-account ECR to ECR PTC". AWS's example allows the actions on
all resources. Here they are limited to the repositories of the cache and to those that it reads.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_declaration import CACHE_ARGUMENTS, Cache
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import name_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy import TOKEN_ACTION
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_policy_declaration import CACHE_ACTIONS
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_selection import (
    SELECTION_ARGUMENTS,
    Selection,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_declaration import RoleDeclaration, declared_state
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_ownership import (
    ownership_problems,
    removal_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_plan import RolePlan, plan_role, plan_role_absent
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_problems import settings_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import (
    CACHE_OWNERSHIP_TAG,
    RoleState,
    lowercase_keys,
)

#: The key of the IAM tag of the role of a cache. Its value is the region and the prefix of the cache.
_CACHE_TAG = "crossaccount.ecr-cache"
SERVICE = "pullthroughcache.ecr.amazonaws.com"
#: The actions that the role needs on the cached repositories.
_WRITING_ACTIONS = (
    "ecr:BatchImportUpstreamImage",
    "ecr:CompleteLayerUpload",
    "ecr:GetImageCopyStatus",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)

ROLE_ARGUMENTS: Json = {
    "name": {"type": "str", "required": True},
    **CACHE_ARGUMENTS,
    "prefixes": SELECTION_ARGUMENTS["prefixes"],
    "path": {"type": "str", "default": "/"},
    "permissions_boundary": {"type": "str"},
    "adopt": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


@dataclass(frozen=True)
class CacheRoleDeclaration(RoleDeclaration):
    """The declaration of the role of a cache.

    :param region: the region of the cache; empty until it is known
    :param prefixes: the first parts of the names of the upstream repositories that the role may read; None for all
    """

    cache: Cache = field(default_factory=lambda: Cache("", ""))
    region: str = ""
    prefixes: tuple[str, ...] | None = None

    @classmethod
    def of(cls, params: Json) -> CacheRoleDeclaration:
        """The declaration in the parameters of the module."""
        return cls(
            params["name"],
            params["name"],
            is_present=params["state"] == "present",
            path=params["path"],
            permissions_boundary=params["permissions_boundary"],
            adopt=params["adopt"],
            cache=Cache.of(params),
            prefixes=None if params["prefixes"] is None else tuple(sorted(set(params["prefixes"]))),
        )

    def problems(self) -> t.Iterator[str]:
        """Problems that can be found without a request to AWS."""
        yield from name_problems(self.name, self.policy_name, self.path)
        yield from self.cache.problems()
        if self.prefixes is None or not self.is_present:
            return
        if not self.prefixes:
            yield f"{option('prefixes')} is an empty list. Set at least one prefix, or omit it for all repositories."
        else:
            yield from Selection(self.prefixes).problems()
        yield from self.cache.prefix_problems(self.prefixes)

    @property
    def ownership(self) -> tuple[str, str]:
        return CACHE_OWNERSHIP_TAG

    @property
    def all_tags(self) -> Json:
        return {**dict([self.ownership]), _CACHE_TAG: f"{self.region}/{self.cache.prefix}"}

    def trust(self, owner: Identity) -> Document:
        statement = {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole"}
        return {"Version": "2012-10-17", "Statement": [statement]}

    def permissions(self, owner: Identity) -> Document:
        prefixes = ("",) if self.prefixes is None else self.prefixes
        read = self.cache.upstream_repositories(owner, self.region, prefixes)
        write = self.cache.repositories(owner, self.region)
        return {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": list(CACHE_ACTIONS), "Resource": read[0] if len(read) == 1 else read},
                {"Effect": "Allow", "Action": list(_WRITING_ACTIONS), "Resource": write},
                {"Effect": "Allow", "Action": TOKEN_ACTION, "Resource": "*"},
            ],
        }


def plan_cache_role(
    before: RoleState, declared: CacheRoleDeclaration, registry: Identity, problems: Problems
) -> RolePlan:
    """The plan for the role, or for its deletion.

    :param registry: the account of the cache
    """
    problems.extend(declared.cache.problems_in(registry.account, declared.region))
    problems.extend(_other_cache_problems(before, declared))
    if not declared.is_present:
        problems.extend(removal_problems(before, declared))
        return plan_role_absent(before)
    after = declared_state(before, declared, registry)
    problems.extend(settings_problems(before, declared))
    problems.extend(ownership_problems(before, after, declared))
    return plan_role(before, after)


def _other_cache_problems(before: RoleState, declared: CacheRoleDeclaration) -> t.Iterator[str]:
    """Problems with a role of another cache, which would lose its access."""
    served, own = lowercase_keys(before.role_tags).get(_CACHE_TAG), declared.all_tags[_CACHE_TAG]
    if served not in (None, own) and not declared.adopt:
        yield (
            f"Role {declared.name} is the role of the cache {served}, not of {own}. Give each cache its own role:"
            f" declare another {option('name')}. To end the other cache and use its role, set {option('adopt')}: true."
        )
