# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The statements that give principals outside an account access, and what they allow. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils import _condition
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_documents import (
    AuditedDocument,
    AuditedEstate,
    AuditedRole,
    PolicyKind,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_fixes import put_document, with_statement
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_options import AuditOptions
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_parties import Party, outside_parties
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_statement import ASSUME_ACTIONS, AuditedStatement
from ansible_collections.crossaccount.ecr.plugins.module_utils._condition import Check
from ansible_collections.crossaccount.ecr.plugins.module_utils._context import Context
from ansible_collections.crossaccount.ecr.plugins.module_utils._ecr_actions import REPOSITORY_ACTIONS
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Estate
from ansible_collections.crossaccount.ecr.plugins.module_utils._finding import Finding, finding
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json

TAG_KEYS = ("ecr:resourcetag/", "aws:resourcetag/")
#: The context of a request for a repository without tags.
UNTAGGED = Context({}, TAG_KEYS)
_CREATE = "ecr:CreateRepository"


def role_parties(
    role: AuditedRole, estate: Estate, options: AuditOptions, with_ended: bool = False
) -> list[tuple[AuditedStatement, list[Party]]]:
    """The statements of the trust policy that admit principals outside the account, with these principals.

    :param with_ended: whether to include statements whose time has ended
    """
    found = []
    for statement in role.trust.allows:
        if statement.covered(ASSUME_ACTIONS) and (with_ended or not statement.has_ended(estate.now)):
            parties = outside_parties(statement.parsed, role.trust.denies, estate, options)
            if parties:
                found.append((statement, parties))
    return found


@dataclass(frozen=True)
class Grant:
    """An Allow statement that reaches principals outside the account.

    :param role: the role that these principals assume; None for the policy of a resource
    """

    document: AuditedDocument
    statement: AuditedStatement
    parties: tuple[Party, ...]
    role: AuditedRole | None = None

    def finding(self, kind: str, title: str, fix: str) -> Finding:
        document, evidence = self.document, self.document.evidence(self.statement)
        about = (document.name, self.statement.label)
        return finding(kind, title, document.resource, evidence, fix, document.region, about)

    def replaced(self, raw: Json | None) -> str:
        """The command that replaces the statement, or removes it."""
        return put_document(self.document, with_statement(self.document, self.statement, raw))


def outside_grants(audited: AuditedEstate, options: AuditOptions, with_ended: bool = False) -> t.Iterator[Grant]:
    """The Allow statements that reach principals outside the account.

    :param with_ended: whether to include statements of policies whose time has ended
    """
    now = audited.estate.now
    for role in audited.roles:
        parties = tuple(party for _statement, some in role_parties(role, audited.estate, options) for party in some)
        if parties:
            for document in role.policies:
                for statement in document.allows:
                    if with_ended or not statement.has_ended(now):
                        yield Grant(document, statement, parties, role)
    for document in audited.resources:
        for statement in document.allows:
            found = tuple(outside_parties(statement.parsed, document.denies, audited.estate, options))
            if found and (with_ended or not statement.has_ended(now)):
                yield Grant(document, statement, found)


def effective_actions(grant: Grant, actions: t.Iterable[str], untagged: bool = False) -> list[str]:
    """Those of the actions that a statement grants and that neither a Deny nor the boundary excludes.

    :param untagged: whether to consider repositories without the tags of the conditions only
    """
    role = grant.role
    documents = role.policies if role else (grant.document,)
    boundary = role.boundary if role and role.boundary and not role.boundary.problem else None
    return [
        action
        for action in grant.statement.covered(actions)
        if _may_take_effect(grant, action)
        and not any(_denies(document, action, untagged) for document in (*documents, *([boundary] if boundary else [])))
        and (boundary is None or any(allow.covered([action]) for allow in boundary.allows))
    ]


def _may_take_effect(grant: Grant, action: str) -> bool:
    """Whether a statement can allow an action. Registry-level actions and new repositories have no resource tags."""
    parsed = grant.statement.parsed
    has_tags = action in REPOSITORY_ACTIONS and action != _CREATE
    if not has_tags and _condition.holds(tag_checks(grant.statement), UNTAGGED, parsed.variables).holds is False:
        return False
    if action in REPOSITORY_ACTIONS:
        return action != _CREATE or grant.document.kind is not PolicyKind.REPOSITORY
    resources = parsed.resources
    return grant.document.kind is not PolicyKind.REPOSITORY and (
        resources is None or resources.excluded or "*" in resources.patterns
    )


def _denies(document: AuditedDocument, action: str, untagged: bool) -> bool:
    """Whether a statement denies an action to every principal, on every resource or on those without tags."""
    return any(
        not statement.is_allow
        and (not statement.parsed.condition or (untagged and _matches_untagged_only(statement)))
        and bool(statement.covered([action]))
        and (statement.parsed.resources is None or "*" in statement.parsed.resources.patterns)
        and (statement.parsed.names is None or ("AWS", "*") in statement.parsed.names.listed)
        and not (statement.parsed.names and statement.parsed.names.excluded)
        for statement in document.statements
    )


def _matches_untagged_only(statement: AuditedStatement) -> bool:
    """Whether a statement applies to each repository without tags, because all of its conditions are on tags."""
    checks = tag_checks(statement)
    matches = _condition.holds(checks, UNTAGGED, statement.parsed.variables).holds
    return len(checks) == len(statement.parsed.condition) and bool(matches)


def tag_checks(statement: AuditedStatement) -> tuple[Check, ...]:
    """The checks on the tags of the resource in the condition of a statement."""
    return tuple(check for check in statement.parsed.condition if check.key.lower().startswith(TAG_KEYS))
