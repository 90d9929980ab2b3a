# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Finds the statements of a share that an earlier mode of it wrote. Standard library only.

A share gives access only through its mode. So a run that changes the mode also removes what the earlier mode wrote:

- A role is always found, because each run reads the roles of this collection.
- Each run reads the registry policy, which also shows what other shares give by the same tags.
- In the policy modes, each run reads the policies of all repositories.
- In the mode `role`, a run reads the policies of repositories only if it ends the share, or if no role of the share has
  its permissions. Otherwise the number of requests would double for each share. Therefore the statements are removed
  before the role is created: if the run is interrupted, the next run reads the policies again.

Only the declared regions are searched.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils._access_statement import sid_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._consumer_roles import families, is_role_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_declaration import REGISTRY
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleState
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import (
    REGISTRY_POLICY,
    REPOSITORY_POLICY,
    ROLE,
    Account,
    Share,
)

POLICY_MODES = (REPOSITORY_POLICY, REGISTRY_POLICY)


@dataclass(frozen=True)
class PolicySearch:
    """The policies to read in one region.

    :param modes: the modes whose policies are read
    :param required: the modes whose policies must be readable. If a share is present, these are all: a statement that
        is not found would give access by the tags that the run adds
    :param sids: the Sids of the shares
    """

    modes: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    sids: tuple[str, ...] = ()


def policy_search(shares: t.Iterable[Share], roles: t.Mapping[str, RoleState], region: str) -> PolicySearch:
    """The policies to read in a region.

    :param roles: the roles of the shares
    """
    in_region = [own for own in families(shares) if region in own[0].regions]
    found = [own for own in in_region if not (own[0].has_role and _is_in_use(own, roles))]
    is_present = any(own[0].is_present for own in found)
    required = frozenset(POLICY_MODES) if is_present else frozenset(own[0].mode for own in found) - {ROLE}
    modes = POLICY_MODES if found else (REGISTRY_POLICY,) if in_region else ()
    return PolicySearch(frozenset(modes), required, tuple(sid_of(own[0].label) for own in found))


def _is_in_use(own: t.Sequence[Share], roles: t.Mapping[str, RoleState]) -> bool:
    """Whether a role of a present share has its permissions."""
    names = {share.name for share in own}
    return own[0].is_present and any(
        state.attached and (name in names or is_role_of(own[0], name, state)) for name, state in roles.items()
    )


def policies_of_mode(policies: t.Mapping[str, str | None], mode: str) -> dict[str, str | None]:
    """The policies in which a share of the mode has its statements."""
    return {name: policy for name, policy in policies.items() if (name == REGISTRY) == (mode == REGISTRY_POLICY)}


def are_policies_read(share: Share, region: str, account: Account) -> bool:
    """Whether the policies in which the share has its statements in a region were read."""
    registry = account.registries.get(region)
    return registry is not None and (share.mode != REGISTRY_POLICY or REGISTRY in registry.policies)


def is_replaced(share: Share, shares: t.Iterable[Share]) -> bool:
    """Whether a present share with the same name gives access after the run, such as one with another mode."""
    return any(other.is_present for other in shares if other.label == share.label)


def unsearched_regions(shares: t.Sequence[Share], account: Account) -> t.Iterator[tuple[Share, str]]:
    """The regions in which a share with statements of an earlier mode was not searched, because its role is in use."""
    for share in shares:
        for region in () if share.has_role or share.is_present or share.is_unchanged else share.regions:
            registry = account.registries.get(region)
            is_read = bool(registry and policies_of_mode(registry.policies, share.mode))
            if registry and not is_read and not registry.unread and is_replaced(share, shares):
                yield share, region


def has_statement(share: Share, account: Account) -> bool:
    """Whether a policy in one of the regions of the share has a statement of the share in its mode."""
    registries = [account.registries[region] for region in share.regions if region in account.registries]
    policies = [policies_of_mode(registry.policies, share.mode).values() for registry in registries]
    return any(sid_of(share.name) in (policy or "") for found in policies for policy in found)


def with_former_statements(shares: t.Sequence[Share], account: Account) -> list[Share]:
    """The shares. Absent shares for the statements of an earlier mode precede those of their share."""
    found: list[Share] = []
    for own in families(shares):
        first = own[-1]
        former = [_former(first, mode) for mode in POLICY_MODES if mode != first.mode and not first.is_unchanged]
        found += [share for share in former if has_statement(share, account)] + own
    return found


def _former(share: Share, mode: str) -> Share:
    role = replace(share.role, name=share.label, consumers=(), is_present=False)
    return replace(share, role=role, declared_name=share.label, mode=mode)
