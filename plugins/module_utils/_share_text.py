# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The summary and the warnings of a plan, as text. Standard library only."""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._former_modes import unsearched_regions
from ansible_collections.crossaccount.ecr.plugins.module_utils._list_text import list_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy import repository_tags_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_plan import tags_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_declaration import RoleDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_ends import end_line, has_ended_by
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import REGISTRY_POLICY, tag_set
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_checks import tag_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_facts import RegionalRepositories, ShareFacts
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_statements import StatementStep
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_tags import (
    ShareState,
    TagChanges,
    TagStep,
    untagged_names,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._undeclared_grants import (
    undeclared_grants,
    undeclared_statements,
)


def summary_of(shared: ShareState, facts: t.Sequence[ShareFacts], tags: TagChanges, every_name: bool) -> list[str]:
    """The shares after the run, the tags that remain although a share is absent, and the undeclared roles."""
    declared = [
        line for number, share in enumerate(facts) for line in _share_lines(shared, number, share, tags, every_name)
    ]
    return [*declared, *dict.fromkeys(tags.kept), *_undeclared(shared)]


def framed_summary(lines: t.Sequence[str], is_shared: bool, check_mode: bool) -> list[str]:
    """The summary of a run, with a statement about check mode, or with the next step.

    :param is_shared: whether a share is present after the run
    """
    if check_mode:
        return ["Check mode writes nothing. After a run without check mode:", *lines]
    next_step = "AWS returned the new settings. Run pull.yml in the consumer account to prove the access."
    return [*lines, next_step] if is_shared else [*lines]


def _share_lines(
    shared: ShareState, number: int, facts: ShareFacts, tags: TagChanges, every_name: bool
) -> t.Iterator[str]:
    share, account = shared.shares[number], shared.account
    where = "the registry policy" if share.mode == REGISTRY_POLICY else "repository policies"
    subject = f"role {facts.role_arn}" if share.has_role else f"share {share.name} in {where}, Sid {facts.sid}"
    yield f"Owner account {facts.account}, {subject}"
    end = end_line(shared.after[number], account.now)
    if share.is_unchanged:
        yield f"not changed: {f'its access {end}' if end else 'it has no end'}"
        return
    if not share.is_present:
        yield from _deleted_lines(shared, number, facts, tags, every_name)
        return
    has_ended = has_ended_by(shared.after[number], account.now)
    if end:
        remedy = "; remove it with unshare.yml and ecr_share_expired_only: true" if has_ended else ""
        yield f"the access {end}{remedy}"
    action = "pull" if share.role.access == "pull" else "describe and pull"
    untagged = {place.region: untagged_names(shared, number, place.region, tags) for place in facts.places}
    lacks_tags = any(untagged.values()) and all({*place.names} == {*untagged[place.region]} for place in facts.places)
    for one in facts.role.declared.consumers if not (has_ended or lacks_tags) else ():
        yield f"{one.text} can {action}{'' if one.external_id is None else ' with the external ID'}"
    if any(other.label == share.label for other in shared.shares[number + 1 :]):
        return  # the last role of the share is followed by its repositories
    for place in facts.places:
        yield from _place_lines(place, untagged[place.region], every_name)
    yield from _also_shared(shared, number, tags, every_name)


def _place_lines(place: RegionalRepositories, untagged: t.Sequence[str], every_name: bool) -> t.Iterator[str]:
    """The repositories of a share in one region: those with access, and those without a tag that grants it."""
    tagged = [name for name in place.names if name not in untagged]
    if tagged or not untagged:
        yield f"in {place.region}: {list_text(tagged, every_name)}"
    if untagged:
        yield f"no access in {place.region}: {list_text(untagged, every_name)}"


def _deleted_lines(
    shared: ShareState, number: int, facts: ShareFacts, tags: TagChanges, every_name: bool
) -> t.Iterator[str]:
    """The lines about a role that does not exist after the run."""
    before, has_other_roles = shared.before[number], shared.shares[number].role.keep_policy
    if not shared.shares[number].has_role:
        yield "no policy has a statement of the share; no one can pull through it"
    elif not before.role_exists and (has_other_roles or not before.policy_exists):
        yield "the role does not exist"
    elif has_other_roles:
        yield "the role is deleted; no one can pull through it"
    else:
        yield "the role and its policy are deleted; no one can pull through it"
    is_last = all(other.label != shared.shares[number].label for other in shared.shares[number + 1 :])
    for place in facts.places if is_last else ():
        own = [name for name in place.names if (place.region, name) in tags.removed]
        yield f"in {place.region}: {list_text(own, every_name) or 'no repository'} lost the tags"


def _also_shared(shared: ShareState, number: int, tags: TagChanges, every_name: bool) -> t.Iterator[str]:
    """The other repositories that have the tags of a share."""
    share = shared.shares[number]
    for region, registry in sorted(shared.account.registries.items()):
        declared = set(shared.selection.get((number, region), ()))
        carrying = sorted(
            name
            for name in registry.repositories
            if name not in declared and share.tag_set & tag_set(tags.after[region, name])
        )
        if carrying and region in share.regions:
            yield (
                f"also shared because of existing tags: {list_text(carrying, every_name)} in {region}"
                f" ({option('exclusive')}: true removes these tags)"
            )


def _undeclared(shared: ShareState) -> t.Iterator[str]:
    names = sorted(shared.account.others)
    if names:
        yield (
            f"Roles of this collection that are not declared here: {list_text(names, noun='roles')}. To end a share,"
            " declare it with state: absent, or run unshare.yml with its declaration."
        )
    for region in sorted(shared.account.registries):
        sids = sorted(undeclared_statements(shared.account, region, shared.shares))
        if sids:
            yield (
                f"Statements of this collection in the registry policy of {region} that are not declared here:"
                f" {list_text(sids, noun='statements')}. To end a share, declare it with state: absent, or run"
                " unshare.yml with its declaration."
            )


def warnings_of(shared: ShareState, tags: TagChanges) -> t.Iterator[str]:
    """Warnings about state that could not be read, and about access that shares do not give, or end for other roles."""
    yield from shared.account.unknown
    yield from dict.fromkeys(_no_access_warnings(shared, tags))
    for region, registry in sorted(shared.account.registries.items()):
        if registry.unknown:
            yield (
                f"Which other repositories in {region} have the tags of these shares is unknown, so access to them is"
                f" not shown: {registry.unknown}"
            )
        if registry.unread:
            yield _unsearched(region, registry.unread)
    for former, region in unsearched_regions(shared.shares, shared.account):
        yield _unsearched(
            region, f"share {former.label} has its role, so this run did not read them. Run audit.yml to find them."
        )
    yield from dict.fromkeys(_losses_of_others(shared))


def _losses_of_others(shared: ShareState) -> t.Iterator[str]:
    """Warnings about exclusive shares, which remove tags by which roles and statements of others give access."""
    for _number, share, region, _names in shared.places():
        for other in undeclared_grants(shared.account, region, shared.shares) if share.exclusive else ():
            common = sorted(share.tag_set & other.tags)
            if common and share.is_present:
                grantor, tag = f"{other.text[0].upper()}{other.text[1:]}", tag_text(common[0])
                yield (
                    f"{grantor}, which is not declared here, grants {tag} as well. Share {share.name} is exclusive, so"
                    f" the consumers of {other.name} lose every other repository with that tag."
                )


def _unsearched(region: str, reason: str) -> str:
    return (
        f"Whether policies in {region} still have statements of these shares from an earlier {option('mode')} is"
        f" unknown: {reason}"
    )


def _no_access_warnings(shared: ShareState, tags: TagChanges) -> t.Iterator[str]:
    for number, share, region, _names in shared.places():
        names = untagged_names(shared, number, region, tags)
        if names:
            yield (
                f"Share {share.label} gives no access to {list_text(names)} in {region}: after the run, the tags"
                f" {tags_text(repository_tags_of(share.role.repository_tags))} are missing there. Correct"
                f" {option('tags')} or {option('repository_tags')}."
            )


def remaining_of(
    untag: t.Iterable[TagStep],
    roles: t.Iterable[RoleDeclaration],
    statements: t.Iterable[StatementStep],
    tag: t.Iterable[TagStep],
) -> list[str]:
    """The settings that differ from the declaration."""
    return [
        *(f"the removal of {_tag_text(step)} from {_places(step)}" for step in untag),
        *(f"role {role.name}" for role in roles),
        *(f"{_policies_text(step)} in {step.region}" for step in statements),
        *(f"the tag {_tag_text(step)} on {_places(step)}" for step in tag),
    ]


def _policies_text(step: StatementStep) -> str:
    return "the registry policy" if step.is_in_registry else f"the policies of {list_text(step.names)}"


def _tag_text(step: TagStep) -> str:
    return ", ".join(f"{key}={value}" for key, value in step.tags.items())


def _places(step: TagStep) -> str:
    return f"{list_text(step.names)} in {step.region}"
