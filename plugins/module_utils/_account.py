# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Reads the pull roles and the repositories of the owner account, which a plan of shares needs."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule reports it

from ansible_collections.crossaccount.ecr.plugins.module_utils import _ecr, _policy_document
from ansible_collections.crossaccount.ecr.plugins.module_utils._access_statement import sid_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._concurrency import map_concurrently
from ansible_collections.crossaccount.ecr.plugins.module_utils._consumer_roles import families, role_names_to_read
from ansible_collections.crossaccount.ecr.plugins.module_utils._ecr import Client
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import is_denied
from ansible_collections.crossaccount.ecr.plugins.module_utils._failed_result import message_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._granted_access import granting_regions, granting_tags
from ansible_collections.crossaccount.ecr.plugins.module_utils._iam import PullRole
from ansible_collections.crossaccount.ecr.plugins.module_utils._iam_reads import read_roles
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity, arn_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import is_pattern
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy import repository_tags_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_declaration import REGISTRY
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_reads import repository_policies
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import (
    RoleState,
    is_ours,
    reaches_beyond_tags,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import Session
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import (
    REPOSITORY_POLICY,
    Account,
    RegistryState,
    Share,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_discovery import discover, tags_of_each
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_plan import select
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WaitOptions


@dataclass(frozen=True)
class _Search:
    """The repositories to read in one region.

    :param everything: whether to read all repositories, because a role grants access to more than certain tags
    :param sids: the Sids of the shares whose statements are in the policies of repositories
    """

    region: str
    ecr: Client
    tagging: Client
    names: tuple[str, ...]
    tags: frozenset[tuple[str, str]]
    everything: bool
    sids: tuple[str, ...] = ()
    reads_registry_policy: bool = False


def read_account(session: Session, shares: t.Sequence[Share], wait: WaitOptions) -> Account:
    """Read the roles and repositories that these shares concern, with concurrent requests."""
    owner = arn_of(session.identity["arn"]).identity
    named = [share for share in shares if share.is_named and share.has_role]
    iam, unknown = session.client("iam"), []

    def read_all(family: list[Share] | None) -> dict[str, RoleState]:
        """The roles of one declaration; for None, all roles of this collection that can be read."""
        if family is not None:
            return _roles_named(iam, owner, family[0], [share.name for share in family])
        try:
            return roles_of_this_collection(iam)
        except Exception as error:
            unknown.append(
                f"Which other roles of this collection are in account {owner.account} is unknown, so access"
                f" through them is not considered: {message_of(error)}"
            )
        return {}

    others, *found = map_concurrently(read_all, [None, *families(named)])
    roles = {name: state for states in found for name, state in states.items()}
    roles.update(_roles_of_other_consumers(iam, owner, named, roles, others))
    searches = list(_searches(session, shares, roles))
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


def _roles_named(iam: Client, owner: Identity, share: Share, names: t.Sequence[str]) -> dict[str, RoleState]:
    """The roles with these names, and the policy of the share."""
    roles = [PullRole(iam, owner, name, share.policy_name, share.role.path) for name in names]
    return dict(zip(names, read_roles(roles))) if roles else {}


def _searches(session: Session, shares: t.Sequence[Share], roles: dict[str, RoleState]) -> t.Iterator[_Search]:
    """Each region that a share uses or used, with the tags that grant access before or after the run."""
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
        modes = [(share.mode, sid_of(share.name)) for share in without_role if region in share.regions]
        sids = tuple(sid for mode, sid in modes if mode == REPOSITORY_POLICY)
        in_registry = len(modes) > len(sids)
        yield _Search(region, ecr, tagging, tuple(dict.fromkeys(names)), frozenset(tags), everything, sids, in_registry)


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
    lists_all = search.everything or search.sids or any(map(is_pattern, search.names))
    listed = _ecr.repository_names(ecr) if lists_all else None
    policies = repository_policies(ecr, listed or ()) if search.sids else {}
    found: list[str] = []
    try:
        found, tagged = discover(search.tagging, ecr, search.tags) if search.tags else ([], False)
    except botocore.exceptions.ClientError as error:
        if not is_denied(error):
            raise
        unknown = message_of(error)
    declared = select(search.names, listed or ())
    # The tagging API may lack a repository that has a statement.
    holders = [name for name, policy in policies.items() if policy and any(sid in policy for sid in search.sids)]
    if search.reads_registry_policy:
        policies[REGISTRY] = _ecr.registry_policy(ecr)
    names = list(dict.fromkeys([*declared, *found, *holders, *((listed or []) if search.everything else [])]))
    prefix = owner.repository(search.region, "")
    suspects = set(found) if tagged else set()
    tags = tags_of_each(ecr, prefix, names, suspects, search.tags, wait)
    existing = {name: tags_of for name, tags_of in tags.items() if tags_of is not None}
    own = [name for name in declared if name in existing]
    host = _ecr.repository_uri(ecr, own[0]).partition("/")[0] if own else ""
    return RegistryState(search.region, host, existing, None if listed is None else tuple(listed), unknown, policies)


def roles_of_this_collection(iam: Client) -> dict[str, RoleState]:
    """The trust and the permissions of all roles that have this collection's ownership tag."""
    roles, policies = [], {}
    pages = iam.get_paginator("get_account_authorization_details").paginate(
        Filter=["Role", "LocalManagedPolicy"], PaginationConfig={"PageSize": 1000}
    )
    for page in pages:
        roles += page["RoleDetailList"]
        for policy in page["Policies"]:
            current = next(version for version in policy["PolicyVersionList"] if version["IsDefaultVersion"])
            policies[policy["Arn"]] = current["Document"]
    return {
        role["RoleName"]: _state(role, policies)
        for role in roles
        if is_ours({tag["Key"]: tag["Value"] for tag in role.get("Tags", [])})
    }


def _state(role: Json, policies: Json) -> RoleState:
    arns = [policy["PolicyArn"] for policy in role.get("AttachedManagedPolicies", [])]
    documents = [policies[arn] for arn in arns if arn in policies]
    documents += [inline["PolicyDocument"] for inline in role.get("RolePolicyList", [])]
    statements = [
        statement
        for document in documents
        for statement in _policy_document.statements(_policy_document.parse(document))
    ]
    return RoleState(
        role_exists=True,
        policy_exists=True,
        path=role["Path"],
        trust=_policy_document.parse(role["AssumeRolePolicyDocument"]),
        permissions={"Version": "2012-10-17", "Statement": statements},
        attached=True,
        role_tags={tag["Key"]: tag["Value"] for tag in role.get("Tags", [])},
    )
