# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Findings about permissions: unreadable policies, public access, conditions without effect, and write access.
Standard library only.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils import _condition
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_documents import (
    AuditedDocument,
    AuditedEstate,
    AuditedRole,
    AuditedStatement,
    PolicyKind,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_findings_trust import (
    narrowed_statement,
    role_parties,
    with_check,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_fixes import (
    deny_role,
    put_document,
    shell_command,
    with_statement,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_options import AuditOptions
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_parties import (
    EVERYONE,
    Party,
    outside_parties,
    parties_text,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._condition import Check
from ansible_collections.crossaccount.ecr.plugins.module_utils._context import Context
from ansible_collections.crossaccount.ecr.plugins.module_utils._ecr_actions import (
    REGISTRY_ACTIONS,
    REPOSITORY_ACTIONS,
    WRITES,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._finding import Evidence, Finding, finding, shortened
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import as_list
from ansible_collections.crossaccount.ecr.plugins.module_utils._wildcard import matches_any_case

TAG_KEYS = ("ecr:resourcetag/", "aws:resourcetag/")
UNTAGGED = Context({}, TAG_KEYS)
_PUBLIC = {
    PolicyKind.REPOSITORY: "public-repository",
    PolicyKind.REGISTRY: "public-registry",
    PolicyKind.TEMPLATE: "template-open-policy",
}
_TOKEN, _CREATE = "ecr:GetAuthorizationToken", "ecr:CreateRepository"


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
        parties = tuple(party for _, some in role_parties(role, audited.estate, options) for party in some)
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


def permission_findings(audited: AuditedEstate, options: AuditOptions) -> t.Iterator[Finding]:
    """The findings about the policies of roles, repositories, registries and creation templates."""
    for document in audited.documents:
        if document.problem and document.text:  # without a text, it could not be read, which is in `not_seen`
            yield _malformed(document)
    for grant in outside_grants(audited, options):
        yield from _public(grant, audited)
        yield from _matches_untagged(grant)
        yield from _ineffective(grant)
        yield from _writes(grant)


def effective_writes(grant: Grant, actions: t.Iterable[str]) -> list[str]:
    """Those of the write actions that a statement grants and that neither a Deny nor the boundary excludes."""
    role = grant.role
    documents = role.policies if role else (grant.document,)
    boundary = role.boundary if role and role.boundary and not role.boundary.problem else None
    return [
        action
        for action in grant.statement.covered(actions)
        if _may_take_effect(grant, action)
        and not any(_denies_always(document, action) for document in (*documents, *([boundary] if boundary else [])))
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


def _denies_always(document: AuditedDocument, action: str) -> bool:
    """Whether a statement denies an action to every principal, on every resource, without a condition."""
    return any(
        not statement.is_allow
        and not statement.parsed.condition
        and bool(statement.covered([action]))
        and (statement.parsed.resources is None or "*" in statement.parsed.resources.patterns)
        and (statement.parsed.names is None or ("AWS", "*") in statement.parsed.names.listed)
        and not (statement.parsed.names and statement.parsed.names.excluded)
        for statement in document.statements
    )


def _malformed(document: AuditedDocument) -> Finding:
    of_a_resource = document.kind.is_of_a_resource
    fix = shell_command(
        *("aws", "accessanalyzer", "validate-policy"),
        *("--policy-type", "RESOURCE_POLICY" if of_a_resource else "IDENTITY_POLICY"),
        *("--policy-document", document.text),
    )
    evidence = Evidence(document.name, "", f"{shortened(document.problem, 300)}. The document: {document.text}")
    title = f"The {document.name} cannot be read"
    return finding("malformed-policy", title, document.resource, evidence, fix, document.region, (document.name,))


def _public(grant: Grant, audited: AuditedEstate) -> t.Iterator[Finding]:
    kind = _PUBLIC.get(grant.document.kind)
    if kind and any(party.kind == EVERYONE for party in grant.parties) and grant.statement.covered(REPOSITORY_ACTIONS):
        title = f"The {grant.document.name} allows every AWS account"
        yield grant.finding(kind, title, grant.replaced(narrowed_statement(grant.statement, audited.estate)))


def tag_checks(statement: AuditedStatement) -> tuple[Check, ...]:
    """The checks on the tags of the resource in the condition of a statement."""
    return tuple(check for check in statement.parsed.condition if check.key.lower().startswith(TAG_KEYS))


def _matches_untagged(grant: Grant) -> t.Iterator[Finding]:
    statement, checks = grant.statement, tag_checks(grant.statement)
    covered = statement.covered(REPOSITORY_ACTIONS)
    if not checks or not covered or not _condition.holds(checks, UNTAGGED, statement.parsed.variables).holds:
        return
    key, tag = checks[0].key, checks[0].key.partition("/")[2]
    title = f"The {grant.document.name} reaches repositories without the tag {tag}: {checks[0].operator}"
    if grant.role:
        untagged = {"Action": list(REPOSITORY_ACTIONS), "Resource": "*", "Condition": {"Null": {key: "true"}}}
        name = re.sub(r"[^\w+=,.@-]", "_", f"deny_repositories_without_{tag}", flags=re.ASCII)[:128]
        fix = deny_role(grant.role.arn, name, untagged)
    else:
        raw = statement.raw
        fix = grant.replaced({**raw, "Condition": with_check(raw, "Null", key, "false")})
    yield grant.finding("untagged-repositories-match", title, fix)


def _ineffective(grant: Grant) -> t.Iterator[Finding]:
    statement, checks = grant.statement, tag_checks(grant.statement)
    if not checks or _condition.holds(checks, UNTAGGED, statement.parsed.variables).holds is not False:
        return
    useless = [pattern for pattern in statement.parsed.actions.patterns if _is_registry_level(pattern)]
    if not useless or statement.parsed.actions.excluded:
        return
    rest = [action for action in as_list(statement.raw["Action"]) if action not in useless]
    statements = with_statement(grant.document, statement, {**statement.raw, "Action": rest} if rest else None)
    if any(matches_any_case(pattern, _TOKEN) for pattern in useless) and grant.role:
        statements.append({"Sid": "GetToken", "Effect": "Allow", "Action": _TOKEN, "Resource": "*"})
    title = f"The {grant.document.name} grants {', '.join(useless)} under a tag condition, which never takes effect"
    yield grant.finding("ineffective-registry-action", title, put_document(grant.document, statements))


def _is_registry_level(pattern: str) -> bool:
    """Whether a pattern matches actions on the registry, and no action on a repository."""
    return any(matches_any_case(pattern, action) for action in REGISTRY_ACTIONS) and not any(
        matches_any_case(pattern, action) for action in REPOSITORY_ACTIONS
    )


def _writes(grant: Grant) -> t.Iterator[Finding]:
    if grant.document.kind is PolicyKind.TEMPLATE and any(party.kind == EVERYONE for party in grant.parties):
        return  # reported as template-open-policy
    written = effective_writes(grant, WRITES)
    if not written:
        return
    effects = ", ".join(dict.fromkeys(WRITES[action] for action in written))
    title = f"{parties_text(grant.parties)} can {effects} through the {grant.document.name}"
    title = title[:1].upper() + title[1:]
    if grant.role:
        fix = deny_role(grant.role.arn, "deny_ecr_writes", {"Action": list(WRITES), "Resource": "*"})
    else:
        kept = grant.statement.covered(
            [action for action in (*REPOSITORY_ACTIONS, *REGISTRY_ACTIONS) if action not in WRITES]
        )
        raw = {name: value for name, value in grant.statement.raw.items() if name not in ("Action", "NotAction")}
        fix = grant.replaced({**raw, "Action": kept} if kept else None)
    yield grant.finding("write-access-outside", title, fix)
