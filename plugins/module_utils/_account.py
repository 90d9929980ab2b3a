# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Reads the pull roles and the repositories of the owner account, which a plan of shares needs."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule reports it

from ansible_collections.crossaccount.ecr.plugins.module_utils import _ecr
from ansible_collections.crossaccount.ecr.plugins.module_utils._concurrency import map_concurrently
from ansible_collections.crossaccount.ecr.plugins.module_utils._consumer_roles import (
    families,
    is_role_of,
    role_names_to_read,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._ecr import Client
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import is_denied
from ansible_collections.crossaccount.ecr.plugins.module_utils._failed_result import message_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._former_modes import PolicySearch, policy_search
from ansible_collections.crossaccount.ecr.plugins.module_utils._granted_access import granting_regions, granting_tags
from ansible_collections.crossaccount.ecr.plugins.module_utils._iam import PullRole
from ansible_collections.crossaccount.ecr.plugins.module_utils._iam_reads import read_roles
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity, arn_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import is_pattern
from ansible_collections.crossaccount.ecr.plugins.module_utils._own_roles import list_account
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy import repository_tags_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_reads import (
    policies_of_shares,
    policies_with,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import (
    RoleState,
    reaches_beyond_tags,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import Session
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import Account, RegistryState, Share
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_discovery import discover, tags_of_each
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_plan import select
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WaitOptions


@dataclass(frozen=True)
class _Search:
    """The repositories to read in one region.

    :param everything: whether to read all repositories, because a role grants access to more than certain tags
    :param policies: the policies to read
    """

    region: str
    ecr: Client
    tagging: Client
    names: tuple[str, ...]
    tags: frozenset[tuple[str, str]]
    everything: bool
    policies: PolicySearch = field(default_factory=PolicySearch)


def read_account(
    session: Session, shares: t.Sequence[Share], wait: WaitOptions, is_carried_out: bool = False
) -> Account:
    """Read the roles and repositories that these shares concern, with concurrent requests.

    :param is_carried_out: whether the plan of these shares was just applied, which removed statements of other modes
    """
    owner = arn_of(session.identity["arn"]).identity
    named = [share for share in shares if share.is_named and share.has_role]
    iam, unknown = session.client("iam"), []
    policies: dict[str, str] = {}

    def read_all(family: list[Share] | None) -> dict[str, RoleState]:
        """The roles of one declaration; for None, all roles of this collection that can be read."""
        if family is not None:
            return _roles_named(iam, owner, family[0], [share.name for share in family])
        try:
            listing = list_account(iam)
            policies.update(listing.policies)
            return listing.roles
        except Exception as error:
            unknown.append(
                f"Which other roles of this collection are in account {owner.account} is unknown, so access"
                f" through them is not considered: {message_of(error)}"
            )
        return {}

    others, *found = map_concurrently(read_all, [None, *families(named)])
    roles = {name: state for states in found for name, state in states.items()}
    roles.update(_roles_of_other_consumers(iam, owner, named, roles, others))
    without_role = [share for share in shares if share.is_named and not share.has_role]
    remaining = {name: state for name, state in others.items() if name not in roles}
    roles.update(_roles_of_former_mode(iam, owner, without_role, remaining))
    roles.update(_policies_of_former_mode(iam, owner, without_role, roles, policies))
    with_policies = [share for share in shares if not (is_carried_out and share.has_role)]
    searches = list(_searches(session, shares, roles, with_policies))
    registries = map_concurrently(lambda search: _read_registry(owner, search, shares, wait), searches)
    return Account(
        owner,
        session.now,
        roles,
        {name: state for name, state in others.items() if name not in roles},
        {registry.region: registry for registry in registries},
        tuple(unknown),
    )


def _roles_of_other_consumers(
    iam: Client, owner: Identity, shares: t.Sequence[Share], roles: dict[str, RoleState], others: dict[str, RoleState]
) -> dict[str, RoleState]:
    """The roles that may serve consumers of these shares, although the declaration does not name them."""
    found: dict[str, RoleState] = {}
    for family in families(shares):
        names = role_names_to_read(family[0], {share.name: roles[share.name] for share in family}, others)
        found.update(_roles_named(iam, owner, family[0], sorted(names - {*roles, *found})))
    return found


def _roles_of_former_mode(
    iam: Client, owner: Identity, shares: t.Sequence[Share], others: dict[str, RoleState]
) -> dict[str, RoleState]:
    """The roles of shares whose mode was `role` earlier."""
    found: dict[str, RoleState] = {}
    for name, other in others.items():
        if any(is_role_of(share, name, other) for share in shares):
            policy = other.policy_name or name
            state = PullRole(iam, owner, name, policy, other.path).read()
            found[name] = replace(state, policy_name=policy)
    return found


def _policies_of_former_mode(
    iam: Client,
    owner: Identity,
    shares: t.Sequence[Share],
    roles: t.Mapping[str, RoleState],
    policies: t.Mapping[str, str],
) -> dict[str, RoleState]:
    """The policies that an interrupted run left after it deleted the role. They have the name of the share.

    :param policies: the path of each policy of the account
    """
    names = [share.label for share in shares if share.label in policies and share.label not in roles]
    return {name: PullRole(iam, owner, name, name, policies[name]).read() for name in names}


def _roles_named(iam: Client, owner: Identity, share: Share, names: t.Sequence[str]) -> dict[str, RoleState]:
    """The roles with these names, and the policy of the share."""
    roles = [PullRole(iam, owner, name, share.policy_name, share.role.path) for name in names]
    return dict(zip(names, read_roles(roles))) if roles else {}


def _searches(
    session: Session, shares: t.Sequence[Share], roles: dict[str, RoleState], with_policies: t.Sequence[Share]
) -> t.Iterator[_Search]:
    """Each region that a share uses or used, with the tags that grant access before or after the run.

    :param with_policies: the shares that may have statements in policies
    """
    regions = dict.fromkeys(region for share in shares for region in share.regions)
    tags: set[tuple[str, str]] = {tag for share in shares for tag in share.tags.items()}
    without_role = [share for share in shares if not share.has_role]
    for share in without_role:
        granting = repository_tags_of(share.role.repository_tags)
        tags |= {(key, value) for key, values in granting.items() for value in values}
    for state in roles.values():
        regions.update(dict.fromkeys(granting_regions(state.permissions)))
        tags |= {tag for pair in granting_tags(state.permissions) for tag in pair.items()}
    everything = any(reaches_beyond_tags(state.permissions) for state in roles.values())
    for region in regions:
        names = tuple(name for share in shares if region in share.regions for name in share.repositories)
        ecr, tagging = (session.client(service, region) for service in ("ecr", "resourcegroupstaggingapi"))
        policies = policy_search(with_policies, roles, region)
        yield _Search(region, ecr, tagging, tuple(dict.fromkeys(names)), frozenset(tags), everything, policies)


def _read_registry(owner: Identity, search: _Search, shares: t.Sequence[Share], wait: WaitOptions) -> RegistryState:
    try:
        return _registry(owner, search, wait)
    except Exception as error:
        if any(search.region in share.regions for share in shares):
            raise
        return RegistryState(
            search.region, unknown=message_of(error)
        )  # only the current policy of a role names this region


def _registry(owner: Identity, search: _Search, wait: WaitOptions) -> RegistryState:
    ecr, unknown, tagged = search.ecr, "", False
    lists_all = search.everything or search.policies.required or any(map(is_pattern, search.names))
    listed = _ecr.repository_names(ecr) if lists_all else None
    policies, unread = policies_of_shares(ecr, search.policies, listed)
    found: list[str] = []
    try:
        found, tagged = discover(search.tagging, ecr, search.tags) if search.tags else ([], False)
    except botocore.exceptions.ClientError as error:
        if not is_denied(error):
            raise
        unknown = message_of(error)
    declared = select(search.names, listed or ())
    # The tagging API may lack a repository that has a statement.
    holders = policies_with(search.policies.sids, policies)
    names = list(dict.fromkeys([*declared, *found, *holders, *((listed or []) if search.everything else [])]))
    prefix = owner.repository(search.region, "")
    suspects = set(found) if tagged else set()
    tags = tags_of_each(ecr, prefix, names, suspects, search.tags, wait)
    existing = {name: tags_of for name, tags_of in tags.items() if tags_of is not None}
    own = [name for name in declared if name in existing]
    host = _ecr.repository_uri(ecr, own[0]).partition("/")[0] if own else ""
    known = None if listed is None else tuple(listed)
    return RegistryState(search.region, host, existing, known, unknown, policies, unread)
