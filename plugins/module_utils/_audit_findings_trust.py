# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Findings about trust: missing external IDs, wildcards and deleted principals. Standard library only.

Roles that cannot use ECR are not reported. They do not concern the shares of an account.
"""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils import _condition
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_documents import (
    AuditedDocument,
    AuditedEstate,
    AuditedRole,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_fixes import (
    narrowed_statement,
    put_document,
    with_check,
    with_statement,
    without_value,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_grants import role_parties
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_options import AuditOptions
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_parties import (
    ACCOUNT,
    EVERYONE,
    ORGANIZATION,
    PRINCIPAL,
    Party,
    dangling_ids,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_statement import ASSUME_ACTIONS, AuditedStatement
from ansible_collections.crossaccount.ecr.plugins.module_utils._context import Context
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Estate
from ansible_collections.crossaccount.ecr.plugins.module_utils._finding import Finding, finding
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._list_text import list_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import some_principal
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Request, Statement, applies

_EXTERNAL_ID = "sts:externalid"
#: Requests without an external ID, and with one that no policy names.
_REQUESTS = (
    Context({}, (_EXTERNAL_ID,)),
    Context({_EXTERNAL_ID: ("an-external-ID-that-no-policy-names",)}, (_EXTERNAL_ID,)),
)
_NEW_ID, _SPLICED_ID = "NEW_EXTERNAL_ID", "'\"$EXTERNAL_ID\"'"


def trust_findings(audited: AuditedEstate, options: AuditOptions) -> t.Iterator[Finding]:
    """The findings about the trust policies of roles that can use ECR, and about deleted principals in all policies."""
    for role in audited.roles:
        if role.uses_ecr:
            for statement, parties in role_parties(role, audited.estate, options):
                yield from _admitted(role, statement, parties, audited.estate)
            yield from _dangling(role.trust)
    for document in audited.resources:
        yield from _dangling(document)


def _admitted(
    role: AuditedRole, statement: AuditedStatement, parties: t.Sequence[Party], estate: Estate
) -> t.Iterator[Finding]:
    evidence = role.trust.evidence(statement)
    if any(party.kind == EVERYONE for party in parties):
        fix = put_document(role.trust, with_statement(role.trust, statement, narrowed_statement(statement, estate)))
        title = f"Role {role.name} trusts every AWS account"
        yield finding("trust-wildcard", title, role.arn, evidence, fix, about=(statement.label,))
    if not statement.covered(ASSUME_ACTIONS[:1]):
        return
    for party in parties:
        if party.kind in (ACCOUNT, PRINCIPAL, ORGANIZATION) and not _has_external_id(party, role.trust.denies):
            noun = "organization" if party.kind == ORGANIZATION else "account"
            who = party.account or party.value
            title = f"Role {role.name} trusts {noun} {who} without an external ID"
            fix = _require_external_id(role, statement)
            yield finding("trust-without-external-id", title, role.arn, evidence, fix, about=(who,))


def _has_external_id(party: Party, denies: t.Sequence[Statement]) -> bool:
    """Whether the trust policy rejects a request without an external ID, and a request with any other external ID."""
    checks = tuple(check for check in party.statement.condition if check.key.lower() == _EXTERNAL_ID)
    names = party.statement.names
    ((kind, value),) = names.listed if names and not names.excluded else (("AWS", "*"),)
    return all(
        (checks and _condition.holds(checks, context, party.statement.variables).holds is not True)
        or any(
            applies(deny, Request(ASSUME_ACTIONS[0], "", "", some_principal(kind, value), context)).holds
            for deny in denies
        )
        for context in _REQUESTS
    )


def _require_external_id(role: AuditedRole, statement: AuditedStatement) -> str:
    condition = with_check(statement.raw, "StringEquals", "sts:ExternalId", _NEW_ID)
    changed = put_document(role.trust, with_statement(role.trust, statement, {**statement.raw, "Condition": condition}))
    return f"EXTERNAL_ID=$(openssl rand -hex 16)\n{changed.replace(_NEW_ID, _SPLICED_ID)}\n"


def _dangling(document: AuditedDocument) -> t.Iterator[Finding]:
    for statement in document.statements:
        ids = dangling_ids(statement.parsed)
        if ids:
            title = f"The {document.name} names deleted principals: {list_text(ids, noun='principals')}"
            fix = put_document(document, with_statement(document, statement, _without_principals(statement.raw, ids)))
            evidence = document.evidence(statement)
            yield finding(
                "dangling-principal",
                title,
                document.resource,
                evidence,
                fix,
                document.region,
                (statement.label, *ids[:1]),
            )


def _without_principals(raw: Json, ids: t.Sequence[str]) -> Json | None:
    """A statement without deleted principals; None if it names no other principal."""
    element = "NotPrincipal" if "NotPrincipal" in raw else "Principal"
    rest = without_value(raw[element]["AWS"], ids)
    others = {kind: names for kind, names in raw[element].items() if kind != "AWS"}
    named = {**({"AWS": rest} if rest else {}), **others}
    return {**raw, element: named} if named else None
