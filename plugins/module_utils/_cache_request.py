# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The options of the module `ecr_cache_info`: a cache with its objects in both accounts. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_role_declaration import (
    ROLE_ARGUMENTS,
    CacheRoleDeclaration,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_rule_declaration import RuleDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._declared_account import (
    RegistryAccount,
    UpstreamAccount,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_policy_declaration import StatementDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_selection import SELECTION_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_ownership import (
    OWNED_TEMPLATE_OPTIONS,
    OwnedTemplate,
)

_TEMPLATE_OPTIONS: Json = {name: spec for name, spec in OWNED_TEMPLATE_OPTIONS.items() if name != "prefix"}

CACHE_REQUEST_ARGUMENTS: Json = {
    **ROLE_ARGUMENTS,
    "account": {"type": "raw", "required": True},
    **SELECTION_ARGUMENTS,
    "sid": {"type": "str"},
    "template": {"type": "dict", "options": _TEMPLATE_OPTIONS},
    "side": {"type": "str", "choices": ["both", "owner", "consumer"], "default": "both"},
    "upstream_profile": {"type": "str"},
    "upstream_assume_role_arn": {"type": "str"},
    "upstream_assume_role_external_id": {"type": "str"},
}
_CREDENTIALS = ("access_key", "secret_key", "session_token")


@dataclass(frozen=True)
class CacheRequest:
    """A declared cache.

    :param account: the account that caches the images
    :param upstream: the account that has them
    :param template: of the cached repositories. Without a declared one, it selects the template to delete at the end
    :param has_template: whether a template is declared
    :param side: the account that the run changes: `owner`, `consumer` or `both`
    :param is_one_account: whether the upstream registry is in another region of the account of the cache. Then the
        policies of the role decide, and no registry policy is needed
    """

    account: RegistryAccount
    upstream: UpstreamAccount
    role: CacheRoleDeclaration
    statement: StatementDeclaration
    template: OwnedTemplate
    has_template: bool
    side: str
    is_one_account: bool

    @classmethod
    def of(cls, params: Json) -> CacheRequest:
        """The declaration in the parameters of the module."""
        account, upstream, is_present = params["account"], params["upstream_account"], params["state"] == "present"
        is_one_account = account == upstream
        # Within one account, the role limits the cache. An empty list is a problem of the statement.
        prefixes = params["prefixes"] or None if is_one_account else None
        role = CacheRoleDeclaration.of({**params, "prefixes": prefixes})
        statement = {
            **{**params, "source_account": None, "create_repositories": True},
            **{"cache_account": account, "cache_role": f"{role.path}{role.name}"},
        }
        settings = params["template"] or dict.fromkeys(_TEMPLATE_OPTIONS)
        entry, creator = {**settings, "prefix": role.cache.prefix}, f"cache of account {upstream}"
        return cls(
            RegistryAccount.of(params),
            UpstreamAccount.of(params),
            role,
            StatementDeclaration.of(statement),
            OwnedTemplate.of(entry, "PULL_THROUGH_CACHE", creator, "template", is_present),
            params["template"] is not None,
            params["side"],
            is_one_account,
        )

    @property
    def has_owner(self) -> bool:
        """Whether the run changes the registry policy of the upstream account."""
        return self.side != "consumer" and not self.is_one_account

    @property
    def has_consumer(self) -> bool:
        """Whether the run has the credentials of the account of the cache."""
        return self.side != "owner"

    @property
    def other_side(self) -> str:
        """The side that the other account configures in a run of its own; empty if no other run is needed."""
        if self.is_one_account:
            return ""
        return {"owner": "consumer", "consumer": "owner"}.get(self.side, "")

    @property
    def plans_template(self) -> bool:
        """Whether the run writes a template, or may have to delete one."""
        return self.has_template or not self.role.is_present

    def result(self) -> Json:
        """The sides that the run changes, for the result of the module."""
        prefixes = {"role_prefixes": list(self.role.prefixes)} if self.role.prefixes else {}
        sides = {"owner": self.has_owner, "consumer": self.has_consumer, "other_side": self.other_side}
        return {**sides, **prefixes}

    def rule(self, registry: Identity) -> RuleDeclaration:
        """The rule of the account of the cache."""
        role_arn = registry.role(self.role.path, self.role.name)
        return RuleDeclaration(self.role.cache, role_arn, self.role.is_present, self.role.adopt)

    def role_in(self, region: str) -> CacheRoleDeclaration:
        """The role of the cache.

        :param region: the region of the cache
        """
        return replace(self.role, region=region)

    def problems(self) -> t.Iterator[str]:
        """Problems that can be found without a request to AWS."""
        yield from self.account.problems()
        if self.is_one_account and not self.has_consumer:
            yield (
                f"{option('upstream_account')} and {option('account')} are both {self.account.declared}. A cache within"
                f" an account needs no registry policy, so {option('side')} owner configures nothing. Set"
                f" {option('side')} to both or consumer."
            )
        yield from self.role.problems()
        yield from self.statement.problems()
        if self.has_template:
            found = self.template.declaration().problems()
            yield from (f"{option('template')}: {problem}" for problem in found)


def upstream_parameters(params: Json) -> Json:
    """The parameters of a module with the credentials of the upstream account."""
    profile = params.get("upstream_profile")
    return {
        **params,
        **(dict.fromkeys(_CREDENTIALS) if profile else {}),
        "profile": profile,
        "assume_role_arn": params.get("upstream_assume_role_arn"),
        "assume_role_external_id": params.get("upstream_assume_role_external_id"),
        "region": params.get("upstream_region") or params.get("region"),
    }
