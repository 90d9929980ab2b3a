# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The declaration of a pull through cache rule. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_declaration import CACHE_ARGUMENTS, Cache
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_declaration import custom_role_problems

RULE_ARGUMENTS: Json = {
    **CACHE_ARGUMENTS,
    "custom_role_arn": {"type": "str"},
    "adopt": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


@dataclass(frozen=True)
class RuleDeclaration:
    """A declared rule.

    :param role_arn: the role that ECR assumes; None to keep the current one
    :param adopt: whether a rule that has another role is changed or deleted
    """

    cache: Cache
    role_arn: str | None = None
    is_present: bool = True
    adopt: bool = False

    @classmethod
    def of(cls, params: Json) -> RuleDeclaration:
        """The declaration in the parameters of the module."""
        return cls(Cache.of(params), params["custom_role_arn"] or None, params["state"] == "present", params["adopt"])

    def problems_in(self, registry: Identity, region: str) -> t.Iterator[str]:
        """Problems that depend on the registry of the cache."""
        yield from self.cache.problems_in(registry.account, region)
        yield from custom_role_problems(self.role_arn, registry.partition, registry.account)
