# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The policy documents of an estate, parsed once, with the resource that each one belongs to. Standard library only."""

from __future__ import annotations

import datetime
import enum
import functools
import json
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._condition import ALL
from ansible_collections.crossaccount.ecr.plugins.module_utils._ecr_actions import REGISTRY_ACTIONS, REPOSITORY_ACTIONS
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import (
    CreationTemplate,
    Estate,
    IamPrincipal,
    PolicyDocument,
    Registry,
    Repository,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._finding import Evidence
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._operators import date_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import as_list
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import (
    MalformedPolicyError,
    Scope,
    Statement,
    read_statements,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._wildcard import matches_any_case

#: Actions through which a role uses ECR, itself or through a further role.
_USES_ECR = (*REPOSITORY_ACTIONS, *REGISTRY_ACTIONS, "sts:AssumeRole")
#: The actions that admit a caller to a role.
ASSUME_ACTIONS = ("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity")
#: The operators that end access at a time, and the keys of the time of a request.
UNTIL = ("datelessthan", "datelessthanequals", "numericlessthan", "numericlessthanequals")
TIME_KEYS = ("aws:currenttime", "aws:epochtime")
_SECRET_KEY, _MASK = "sts:externalid", "(external ID)"


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
class AuditedStatement:
    """A statement of a document.

    :param number: its position, from 1
    :param raw: as AWS returned it
    """

    number: int
    parsed: Statement
    raw: Json

    @property
    def label(self) -> str:
        """The Sid, or the number of a statement without one."""
        return str(self.raw.get("Sid") or self.number)

    @property
    def is_allow(self) -> bool:
        return self.parsed.effect == "Allow"

    @property
    def end(self) -> datetime.datetime | None:
        """The earliest time at which its condition ends access; None if access does not end."""
        ends = []
        for check in self.parsed.condition:
            if (
                check.key.lower() in TIME_KEYS
                and check.base in UNTIL
                and not check.if_exists
                and check.quantifier != ALL
            ):
                # The values are alternatives, so the latest one counts.
                times = [time for time in map(date_of, check.values) if time]
                ends += [max(times)] if len(times) == len(check.values) and times else []
        return min(ends, default=None)

    def has_ended(self, now: datetime.datetime) -> bool:
        return self.end is not None and self.end <= now

    def covered(self, actions: t.Iterable[str]) -> list[str]:
        """Those of the actions that the statement covers."""
        covered = _covered(self.parsed.actions)
        return [action for action in actions if action in covered]


@dataclass(frozen=True)
class AuditedDocument:
    """A document with its resource.

    :param resource: the ARN of the user, the role, the repository or the registry
    :param region: empty for a document of IAM
    :param owner: what the document belongs to
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

    @property
    def raw_statements(self) -> list[Json]:
        return [statement.raw for statement in self.statements]


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
        return self.role.arn.rpartition("/")[2]

    @property
    def uses_ecr(self) -> bool:
        """Whether its policies may allow an action of ECR, or the use of a further role."""
        return any(
            document.problem or any(statement.covered(_USES_ECR) for statement in document.allows)
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


@functools.lru_cache(maxsize=1024)
def _covered(scope: Scope) -> frozenset[str]:
    """The actions of the findings that an Action or NotAction element covers. Many statements have equal elements."""
    return frozenset(
        action
        for action in (*_USES_ECR, *ASSUME_ACTIONS)
        if any(matches_any_case(pattern, action) for pattern in scope.patterns) != scope.excluded
    )


def registry_arn(estate: Estate, region: str) -> str:
    """The ARN of all resources of a registry. ECR defines no ARN for a registry itself."""
    return f"arn:{estate.identity.partition}:ecr:{region}:{estate.account}:*"


def statement_json(raw: Json) -> str:
    """A statement as JSON, without external IDs."""
    condition = raw.get("Condition")
    if isinstance(condition, dict):
        masked = {
            operator: {key: _MASK if key.lower() == _SECRET_KEY else value for key, value in block.items()}
            if isinstance(block, dict) and not operator.lower().endswith("null")
            else block
            for operator, block in condition.items()
        }
        raw = {**raw, "Condition": masked}
    return json.dumps(raw)


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
