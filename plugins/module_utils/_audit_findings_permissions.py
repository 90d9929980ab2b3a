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

from ansible_collections.crossaccount.ecr.plugins.module_utils import _condition
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_documents import (
    AuditedDocument,
    AuditedEstate,
    AuditedRole,
    PolicyKind,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_fixes import (
    deny_role,
    narrowed_statement,
    put_document,
    shell_command,
    with_check,
    with_statement,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_grants import (
    UNTAGGED,
    Grant,
    effective_actions,
    outside_grants,
    tag_checks,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_options import AuditOptions
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_parties import EVERYONE, parties_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._ecr_actions import (
    REGISTRY_ACTIONS,
    REPOSITORY_ACTIONS,
    WRITES,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._finding import Evidence, Finding, finding, shortened
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import as_list
from ansible_collections.crossaccount.ecr.plugins.module_utils._wildcard import matches_any_case

_PUBLIC = {
    PolicyKind.REPOSITORY: "public-repository",
    PolicyKind.REGISTRY: "public-registry",
    PolicyKind.TEMPLATE: "template-open-policy",
}
_TOKEN = "ecr:GetAuthorizationToken"


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
    if kind and any(party.kind == EVERYONE for party in grant.parties) and effective_actions(grant, REPOSITORY_ACTIONS):
        title = f"The {grant.document.name} allows every AWS account"
        yield grant.finding(kind, title, grant.replaced(narrowed_statement(grant.statement, audited.estate)))


def _matches_untagged(grant: Grant) -> t.Iterator[Finding]:
    statement, checks = grant.statement, tag_checks(grant.statement)
    if (
        not checks
        or not effective_actions(grant, REPOSITORY_ACTIONS, untagged=True)
        or not _condition.holds(checks, UNTAGGED, statement.parsed.variables).holds
    ):
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
    if any(matches_any_case(pattern, _TOKEN) for pattern in useless) and grant.role and not _gets_token(grant.role):
        statements.append({"Sid": "GetToken", "Effect": "Allow", "Action": _TOKEN, "Resource": "*"})
    title = f"The {grant.document.name} grants {', '.join(useless)} under a tag condition, which never takes effect"
    yield grant.finding("ineffective-registry-action", title, put_document(grant.document, statements))


def _gets_token(role: AuditedRole) -> bool:
    """Whether a role may get a registry token through a statement without a tag condition."""
    statements = (statement for document in role.policies for statement in document.allows)
    return any(statement.covered([_TOKEN]) and not tag_checks(statement) for statement in statements)


def _is_registry_level(pattern: str) -> bool:
    """Whether a pattern matches actions on the registry, and no action on a repository."""
    return any(matches_any_case(pattern, action) for action in REGISTRY_ACTIONS) and not any(
        matches_any_case(pattern, action) for action in REPOSITORY_ACTIONS
    )


def _writes(grant: Grant) -> t.Iterator[Finding]:
    if grant.document.kind is PolicyKind.TEMPLATE and any(party.kind == EVERYONE for party in grant.parties):
        return  # reported as template-open-policy
    written = effective_actions(grant, WRITES)
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
