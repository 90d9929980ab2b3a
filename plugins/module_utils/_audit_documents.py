# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The policy documents of an estate, parsed once, with the resource that each one belongs to. Standard library only."""

from __future__ import annotations

import enum
import json
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_statement import (
    ACTIONS_OF_ECR,
    AuditedStatement,
    statement_json,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import (
    CreationTemplate,
    Estate,
    IamPrincipal,
    PolicyDocument,
    Registry,
    Repository,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._finding import Evidence
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import as_list
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import OWNERSHIP_TAG
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import (
    MalformedPolicyError,
    Statement,
    read_statements,
)


class PolicyKind(enum.Enum):
    """The kind of a policy document."""

    TRUST = "trust policy"
    IDENTITY = "identity policy"
    BOUNDARY = "permissions boundary"
    REPOSITORY = "repository policy"
    REGISTRY = "registry policy"
    TEMPLATE = "policy of a creation template"

    @property
    def is_of_a_resource(self) -> bool:
        """Whether its statements have principals."""
        return self not in (PolicyKind.IDENTITY, PolicyKind.BOUNDARY)


@dataclass(frozen=True)
class AuditedDocument:
    """A document with its resource.

    :param resource: the ARN of the user, the role, the repository or the registry
    :param region: empty for a document of IAM
    :param owner: the object to which the document belongs
    :param problem: why the document cannot be read; empty if it was read
    """

    kind: PolicyKind
    name: str
    resource: str
    region: str
    owner: IamPrincipal | Repository | Registry | CreationTemplate
    statements: tuple[AuditedStatement, ...]
    text: str
    problem: str = ""

    @property
    def allows(self) -> list[AuditedStatement]:
        return [statement for statement in self.statements if statement.is_allow]

    @property
    def denies(self) -> list[Statement]:
        return [statement.parsed for statement in self.statements if not statement.is_allow]

    def evidence(self, statement: AuditedStatement) -> Evidence:
        return Evidence(self.name, statement.label, statement_json(statement.raw))


@dataclass(frozen=True)
class AuditedRole:
    """A role with its documents."""

    role: IamPrincipal
    trust: AuditedDocument
    policies: tuple[AuditedDocument, ...]
    boundary: AuditedDocument | None

    @property
    def arn(self) -> str:
        return self.role.arn

    @property
    def name(self) -> str:
        return self.role.name

    @property
    def is_ours(self) -> bool:
        """Whether this collection created the role."""
        key, value = OWNERSHIP_TAG
        return self.role.tags.get(key) == value

    @property
    def uses_ecr(self) -> bool:
        """Whether its policies may allow an action of ECR, or the use of a further role."""
        return any(
            document.problem or any(statement.covered(ACTIONS_OF_ECR) for statement in document.allows)
            for document in self.policies
        )


@dataclass(frozen=True)
class AuditedEstate:
    """An estate with its documents.

    :param others: the policies of users
    """

    estate: Estate
    roles: tuple[AuditedRole, ...]
    others: tuple[AuditedDocument, ...]
    resources: tuple[AuditedDocument, ...]

    @property
    def documents(self) -> t.Iterator[AuditedDocument]:
        for role in self.roles:
            yield role.trust
            yield from role.policies
            if role.boundary:
                yield role.boundary
        yield from (*self.others, *self.resources)


def audited(estate: Estate) -> AuditedEstate:
    """The estate with its documents."""
    roles, others = [], []
    for principal in estate.principals:
        policies = tuple(_of_iam(PolicyKind.IDENTITY, policy, principal) for policy in principal.policies)
        boundary = _of_iam(PolicyKind.BOUNDARY, principal.boundary, principal) if principal.boundary else None
        if principal.trust is None:
            others += [*policies, *([boundary] if boundary else [])]
        else:
            roles.append(
                AuditedRole(principal, _of_iam(PolicyKind.TRUST, principal.trust, principal), policies, boundary)
            )
    resources = [document for registry in estate.registries for document in _of_registry(estate, registry)]
    return AuditedEstate(estate, tuple(roles), tuple(others), tuple(resources))


def registry_arn(estate: Estate, region: str) -> str:
    """The ARN of all resources of a registry. ECR defines no ARN for a registry itself."""
    return f"arn:{estate.identity.partition}:ecr:{region}:{estate.account}:*"


def _of_registry(estate: Estate, registry: Registry) -> t.Iterator[AuditedDocument]:
    arn = registry_arn(estate, registry.region)
    if registry.policy:
        yield _audited_document(PolicyKind.REGISTRY, registry.policy, arn, registry.region, registry)
    for repository in registry.repositories:
        if repository.policy:
            yield _audited_document(
                PolicyKind.REPOSITORY, repository.policy, repository.arn, repository.region, repository
            )
    for template in registry.templates:
        if template.policy:
            yield _audited_document(PolicyKind.TEMPLATE, template.policy, arn, registry.region, template)


def _of_iam(kind: PolicyKind, policy: PolicyDocument, principal: IamPrincipal) -> AuditedDocument:
    return _audited_document(kind, policy, principal.arn, "", principal)


def _audited_document(
    kind: PolicyKind,
    policy: PolicyDocument,
    resource: str,
    region: str,
    owner: IamPrincipal | Repository | Registry | CreationTemplate,
) -> AuditedDocument:
    content = policy.document
    if isinstance(content, str):
        problem = f"{policy.name} is not JSON"
        return AuditedDocument(kind, policy.name, resource, region, owner, (), content, problem)
    document = dict(content)
    try:
        parsed = read_statements(document, policy.name, kind.is_of_a_resource)
    except MalformedPolicyError as error:
        return AuditedDocument(kind, policy.name, resource, region, owner, (), json.dumps(document), str(error))
    pairs = enumerate(zip(parsed, as_list(document.get("Statement"))), 1)
    statements = tuple(AuditedStatement(number, statement, raw) for number, (statement, raw) in pairs)
    return AuditedDocument(kind, policy.name, resource, region, owner, statements, json.dumps(document))
