# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Findings about repository creation templates and replication. Standard library only."""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_documents import (
    AuditedEstate,
    PolicyKind,
    registry_arn,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_fixes import (
    compact_json,
    shell_command,
    update_template,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_grants import (
    Grant,
    effective_actions,
    outside_grants,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_options import AuditOptions
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_parties import parties_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import (
    CreationTemplate,
    Estate,
    Registry,
    ReplicationRule,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._finding import Evidence, Finding, finding
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json

_ON_PUSH = "CREATE_ON_PUSH"
_PUSH_ACTIONS = ("ecr:CreateRepository", "ecr:PutImage")


def template_findings(audited: AuditedEstate, options: AuditOptions) -> t.Iterator[Finding]:
    """The findings about creation templates. `outside_grants` finds their open policies."""
    pushing = _pushing(audited, options)
    for registry in audited.estate.registries:
        for template in registry.templates:
            yield from _sets_tag(audited.estate, registry, template, options)
            if _ON_PUSH in template.applied_for:
                yield from _on_push(audited.estate, registry, template, pushing)


def replication_findings(estate: Estate) -> t.Iterator[Finding]:
    """The findings about replication rules."""
    for registry in estate.registries:
        for number, rule in enumerate(registry.replication, 1):
            if rule.deletes:
                yield _deletes(estate, registry, number, rule)


def template_name(template: CreationTemplate, region: str) -> str:
    return f"repository creation template {template.prefix} in {region}"


def _sets_tag(
    estate: Estate, registry: Registry, template: CreationTemplate, options: AuditOptions
) -> t.Iterator[Finding]:
    wanted = {key.lower(): values for key, values in options.tag_values.items()}
    sharing = [key for key, value in template.tags.items() if value in wanted.get(key.lower(), ())]
    if not sharing:
        return
    rest = [{"Key": key, "Value": value} for key, value in template.tags.items() if key not in sharing]
    fix = update_template(registry.region, template.prefix, "--resource-tags", compact_json(rest))
    tags = ", ".join(f"{key}={template.tags[key]}" for key in sharing)
    title = f"The {template_name(template, registry.region)} shares each new repository: it sets {tags}"
    evidence = Evidence(template_name(template, registry.region), "", compact_json(dict(template.tags)))
    arn = registry_arn(estate, registry.region)
    yield finding("template-sets-sharing-tag", title, arn, evidence, fix, registry.region, (template.prefix,))


def _pushing(audited: AuditedEstate, options: AuditOptions) -> list[Grant]:
    """The grants through which principals outside the account may push to a repository and create it.

    The two actions may be in different statements of the same role or policy.
    """
    by_place: dict[tuple[str, PolicyKind], list[Grant]] = {}
    for grant in outside_grants(audited, options):
        if grant.document.kind in (PolicyKind.IDENTITY, PolicyKind.REGISTRY):
            by_place.setdefault((grant.document.resource, grant.document.kind), []).append(grant)
    found = []
    for grants in by_place.values():
        allowed = {
            action: [grant for grant in grants if effective_actions(grant, [action])] for action in _PUSH_ACTIONS
        }
        pushers = [_callers(grants) for grants in allowed.values()]
        if all(pushers) and (grants[0].role or set.intersection(*pushers)):
            found.append(allowed[_PUSH_ACTIONS[0]][0])
    return found


def _callers(grants: t.Iterable[Grant]) -> set[str]:
    return {party.value for grant in grants for party in grant.parties}


def _on_push(
    estate: Estate, registry: Registry, template: CreationTemplate, pushing: t.Iterable[Grant]
) -> t.Iterator[Finding]:
    remaining = [applied for applied in template.applied_for if applied != _ON_PUSH]
    if remaining:
        fix = update_template(registry.region, template.prefix, "--applied-for", *remaining)
    else:
        fix = shell_command(
            *("aws", "ecr", "delete-repository-creation-template"),
            *("--region", registry.region, "--prefix", template.prefix),
        )
    for grant in pushing:
        document = grant.document
        if document.region in ("", registry.region):
            who = parties_text(grant.parties)
            title = f"{who[:1].upper()}{who[1:]} can create repositories by a push through the {document.name}"
            evidence = document.evidence(grant.statement)
            arn, about = registry_arn(estate, registry.region), (template.prefix, document.name)
            yield finding("create-on-push-outside", title, arn, evidence, fix, registry.region, about)


def _deletes(estate: Estate, registry: Registry, number: int, rule: ReplicationRule) -> Finding:
    rules = [_rule(other, other.deletes and other is not rule) for other in registry.replication]
    fix = shell_command(
        *("aws", "ecr", "put-replication-configuration", "--region", registry.region),
        *("--replication-configuration", compact_json({"rules": rules})),
    )
    destinations = ", ".join(f"{account} in {region}" for account, region in rule.destinations)
    title = f"Replication from {registry.region} deletes images at the destinations: {destinations}"
    evidence = Evidence(
        f"replication configuration of {registry.region}", str(number), compact_json(_rule(rule, rule.deletes))
    )
    about = (compact_json(_rule(rule, True)),)
    return finding(
        "delete-replication", title, registry_arn(estate, registry.region), evidence, fix, registry.region, about
    )


def _rule(rule: ReplicationRule, deletes: bool) -> Json:
    """A rule as the API has it."""
    filters = [{"filter": prefix, "filterType": "PREFIX_MATCH"} for prefix in rule.prefixes]
    return {
        "destinations": [{"region": region, "registryId": account} for account, region in rule.destinations],
        **({"repositoryFilters": filters} if filters else {}),
        **({"deleteReplication": {"enabled": True}} if deletes else {}),
    }
