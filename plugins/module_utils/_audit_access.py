# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Which principals outside an account can do what with which repository, and through which policy.

Policies decide for a *class* of repositories at once: repositories with the same tags, the same policy, and names that
the same resource patterns match. Standard library only.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils import _audit_copies
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_chains import RoleChains
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_classes import RepositoryClasses
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_policies import (
    ParsedPrincipal,
    PolicyParser,
    joined,
    unseen_layer,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_principals import Outsider, everyone, outsiders
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_request import named_sessions
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_rows import (
    ROLE,
    Attempt,
    Row,
    combined,
    unknown_attempt,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_sessions import Mentioned, RoleAdmission
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_target import Target
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_trust import admissions_to
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_verdicts import (
    Sessions,
    direct_attempt,
    role_attempt,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Estate, Registry, Repository
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Statement


@dataclass(frozen=True)
class AccessAudit:
    """The result of the evaluation.

    :param rows: one for each principal and repository with any action that is not denied
    """

    outsiders: tuple[Outsider, ...]
    rows: tuple[Row, ...]


def audit_access(estate: Estate) -> AccessAudit:
    """Evaluate every combination of a principal outside the account, a repository, and an action."""
    parser = PolicyParser()
    roles = [parser.principal(role) for role in estate.roles]
    targets = {registry.region: _targets(estate, registry, parser) for registry in estate.registries}
    documents = list(_resource_statements(roles, [one for listed in targets.values() for one in listed]))
    statements = [statement for document in documents for statement in document]
    mentioned = Mentioned.by_role(roles, named_sessions(statements, estate.account))
    chains = RoleChains(estate, roles, mentioned)
    found = outsiders(documents, estate)
    layers = [*(role.trust for role in roles), *(one.resource for listed in targets.values() for one in listed)]
    is_incomplete = any(unseen.path for unseen in estate.unseen) or any(layer and layer.reason for layer in layers)
    if is_incomplete and not any(outsider.name == "*" for outsider in found):
        found.append(everyone(estate))  # principals that the audit could not read
    found += _audit_copies.recipients(estate, found)
    rows: list[Row] = []
    sessions: Sessions = {}
    for outsider in found:
        admissions = [
            admission
            for role in roles
            for admission in admissions_to(estate, outsider, role, mentioned[role.principal.name])
        ]
        admissions += chains.further(admissions)
        for region, listed in targets.items():
            rows += _rows(estate, outsider, admissions, listed, sessions, _unseen(estate, outsider, region))
    for registry in estate.registries:
        access = combined(_audit_copies.unseen_repositories(estate, registry.region))
        if access.is_any:
            rows.append(Row(everyone(estate), "*", registry.region, access))
    return AccessAudit(tuple(found), tuple(rows))


def _unseen(estate: Estate, outsider: Outsider, region: str) -> list[Attempt]:
    """The access of everyone to each repository of a region, through access paths that could not be read."""
    if outsider.name != "*":
        return []
    hidden = unseen_layer(estate, ROLE, "").reason
    return [*([unknown_attempt(hidden)] if hidden else ()), *_audit_copies.unseen_copies(estate, region)]


def _targets(estate: Estate, registry: Registry, parser: PolicyParser) -> list[Target]:
    """The classes of repositories in a region: those that exist, and those that a template would create."""
    shared = parser.registry_policy(estate, registry)
    listed = [(repository, "") for repository in registry.repositories]
    listed += _audit_copies.future_repositories(estate, registry)
    return [
        Target(first, joined([parser.repository_policy(first), shared]), shared, template, members)
        for (first, template), members in RepositoryClasses(estate, registry, listed).groups()
    ]


def _resource_statements(
    roles: t.Iterable[ParsedPrincipal], targets: t.Iterable[Target]
) -> t.Iterator[tuple[Statement, ...]]:
    """The statements of each trust policy, and of the policies of each class of repositories."""
    for role in roles:
        yield role.trust.statements if role.trust else ()
    for target in targets:
        yield target.resource.statements


def _rows(
    estate: Estate,
    outsider: Outsider,
    admissions: list[RoleAdmission],
    targets: list[Target],
    sessions: Sessions,
    unseen: list[Attempt],
) -> t.Iterator[Row]:
    """The rows of one principal in one region.

    :param sessions: the verdicts for sessions of roles that were evaluated before
    :param unseen: the access through paths that could not be read
    """
    copied = any(registry.replication or registry.cache_rules for registry in estate.registries)
    future: dict[str, tuple[Repository, list[Attempt]]] = {}
    for target in targets:
        attempts = [direct_attempt(estate, outsider, target), *unseen]
        for admission in admissions:
            attempts.append(role_attempt(estate, admission, target, sessions))
        attempts += _audit_copies.replication_into(estate, outsider, target)
        if target.template:
            future.setdefault(target.template, (target.repository, []))[1].extend(attempts)
            continue
        for repository in target.members:
            copies = _audit_copies.attempts_for(estate, outsider, repository) if copied else []
            access = combined([*attempts, *copies]) if copies else target.cached(outsider.name, attempts)
            if access.is_any:
                yield Row(outsider, repository.name, repository.region, access)
    for repository, attempts in future.values():
        access = combined(attempts)
        if access.is_any:
            yield Row(outsider, repository.name, repository.region, access)
