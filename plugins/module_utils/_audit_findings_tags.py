# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Findings about the sharing tags: accidents, spellings, tags without effect, and the principals that may set them.
Standard library only.
"""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_documents import (
    AuditedDocument,
    AuditedEstate,
    registry_arn,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_fixes import (
    compact_json,
    delete_role_task,
    shell_command,
    yaml_task,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_grants import (
    TAG_KEYS,
    UNTAGGED,
    role_parties,
    tag_checks,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_options import (
    AuditOptions,
    SharingTags,
    is_shared_by,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_tag_limits import deny_tagging_commands
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_tag_setters import TagSetter
from ansible_collections.crossaccount.ecr.plugins.module_utils._condition import holds
from ansible_collections.crossaccount.ecr.plugins.module_utils._context import Context
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Estate, Repository
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import DENIED
from ansible_collections.crossaccount.ecr.plugins.module_utils._finding import Evidence, Finding, finding
from ansible_collections.crossaccount.ecr.plugins.module_utils._list_text import list_text


def tag_findings(audited: AuditedEstate, options: AuditOptions, setters: t.Sequence[TagSetter]) -> t.Iterator[Finding]:
    """The findings about the sharing tags.

    :param setters: the principals of the account that may set the sharing tags
    """
    for repository in audited.estate.repositories:
        yield from _by_accident(repository, options)
        yield from _case(repository, options)
    for tags in options.sharing_tags:
        yield from _without_effect(audited, tags)
    yield from _setters(audited, options, setters)


def tags_evidence(repository: Repository) -> Evidence:
    return Evidence(f"tags of {repository.name} in {repository.region}", "", compact_json(dict(repository.tags or {})))


def untag_task(region: str, names: t.Sequence[str], tags: t.Mapping[str, str]) -> str:
    """The task that removes tags from repositories."""
    options = {"region": region, "names": list(names), "state": "absent", "tags": dict(tags)}
    return yaml_task("Remove the sharing tags", "crossaccount.ecr.ecr_repository_tag", options)


def _by_accident(repository: Repository, options: AuditOptions) -> t.Iterator[Finding]:
    if not options.declared or options.declares(repository.name, repository.region):
        return
    sharing = {}
    for tags in options.sharing_tags:
        if is_shared_by(repository.tags or {}, tags):
            sharing.update(_matching_tags(repository, tags))
    if sharing:
        title = f"Repository {repository.name} has the sharing tags, but no declaration lists it"
        fix = untag_task(repository.region, [repository.name], sharing)
        yield finding("shared-by-accident", title, repository.arn, tags_evidence(repository), fix, repository.region)


def _case(repository: Repository, options: AuditOptions) -> t.Iterator[Finding]:
    for wanted in options.tag_values:
        for key in repository.tags or {}:
            if key not in options.tag_values and key.lower() == wanted.lower():
                title = f"Repository {repository.name} has the tag key {key}, which differs from {wanted} only in case"
                # ecr_repository_tag ignores the case of a key, so it would also remove the declared spelling.
                fix = shell_command(
                    *("aws", "ecr", "untag-resource", "--region", repository.region),
                    *("--resource-arn", repository.arn, "--tag-keys", key),
                )
                evidence = tags_evidence(repository)
                yield finding("tag-key-case", title, repository.arn, evidence, fix, repository.region, (key,))


def _without_effect(audited: AuditedEstate, tags: SharingTags) -> t.Iterator[Finding]:
    repositories = audited.estate.repositories
    if any(repository.tags is None for repository in repositories):
        return
    text = ", ".join(f"{key}={' or '.join(values)}" for key, values in tags.items())
    tagged = [repository for repository in repositories if is_shared_by(repository.tags or {}, tags)]
    roles = [role for role in audited.roles if any(_requires(document, tags) for document in role.policies)]
    for role in roles if not tagged else ():
        if role_parties(role, audited.estate, AuditOptions()):
            title = f"The tag {text} shares nothing: no repository has it, but role {role.name} requires it"
            evidence = Evidence(f"policies of role {role.arn}", "", f"A condition of the role requires {text}.")
            yield finding("tag-shares-nothing", title, role.arn, evidence, delete_role_task(role), about=(text,))
    if not roles and not any(document.problem or _requires(document, tags) for document in audited.documents):
        yield from _on_repositories(audited.estate, tagged, tags, text)


def _on_repositories(
    estate: Estate, tagged: t.Sequence[Repository], tags: SharingTags, text: str
) -> t.Iterator[Finding]:
    """A finding for each region with repositories whose tags no policy requires."""
    for region in dict.fromkeys(repository.region for repository in tagged):
        here = [repository for repository in tagged if repository.region == region]
        names = [repository.name for repository in here]
        found = [_matching_tags(repository, tags) for repository in here]
        distinct = [own for number, own in enumerate(found) if own not in found[:number]]
        fix = "".join(
            untag_task(region, [name for name, other in zip(names, found) if other == own], own) for own in distinct
        )
        evidence = Evidence(
            f"tags of the repositories in {region}", "", f"Repositories with the tag: {list_text(names)}."
        )
        title = f"The tag {text} shares nothing: no role requires it"
        yield finding("tag-shares-nothing", title, registry_arn(estate, region), evidence, fix, region, (text,))


def _matching_tags(repository: Repository, tags: SharingTags) -> dict[str, str]:
    """The tags of a repository that are sharing tags, in the spelling of the repository."""
    wanted = {(key.lower(), value) for key, values in tags.items() for value in values}
    return {key: value for key, value in (repository.tags or {}).items() if (key.lower(), value) in wanted}


def _requires(document: AuditedDocument, tags: SharingTags) -> bool:
    """Whether a document allows access to a repository with these tags that it does not allow without them."""
    for statement in document.allows:
        checks, variables = tag_checks(statement), statement.parsed.variables
        if checks and holds(checks, UNTAGGED, variables).holds is False:
            combinations = itertools.product(*([(key, value) for value in values] for key, values in tags.items()))
            if any(holds(checks, _context(pairs), variables).holds is not False for pairs in combinations):
                return True
    return False


def _context(tags: t.Iterable[tuple[str, str]]) -> Context:
    """The context of a request for a repository with these tags."""
    return Context.of({f"{prefix}{key}": (value,) for key, value in tags for prefix in TAG_KEYS}, TAG_KEYS)


def _setters(audited: AuditedEstate, options: AuditOptions, setters: t.Sequence[TagSetter]) -> t.Iterator[Finding]:
    names = sorted({setter.principal for setter in setters if setter.verdict != DENIED})
    if len(names) <= options.tag_setters_max or not options.tag_values:
        return
    identity = audited.estate.identity
    title = f"{len(names):,} principals may set the sharing tags; the limit is {options.tag_setters_max:,}"
    evidence = Evidence(f"policies of account {identity.account}", "", list_text(names, every_name=True))
    fix = deny_tagging_commands(options.tag_values, names, options.tag_setters_max, identity)
    yield finding("too-many-tag-setters", title, identity.root, evidence, fix)
