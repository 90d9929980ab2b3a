# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Findings about the life of a share: unused roles, the end of access, and the images of shared repositories.
Standard library only.
"""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_documents import AuditedEstate, AuditedRole
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_fixes import delete_role_task, shell_command
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_grants import Grant, outside_grants, role_parties
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_options import AuditOptions
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_parties import (
    SERVICE,
    Party,
    is_trusted,
    parties_text,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_rows import Row
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_statement import TIME_KEYS, UNTIL
from ansible_collections.crossaccount.ecr.plugins.module_utils._ecr_actions import REPOSITORY_ACTIONS
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Repository
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import DENIED
from ansible_collections.crossaccount.ecr.plugins.module_utils._finding import Evidence, Finding, finding
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._operators import date_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import as_list


def lifecycle_findings(audited: AuditedEstate, rows: t.Iterable[Row], options: AuditOptions) -> t.Iterator[Finding]:
    """The findings about roles, ends of access, and images of shared repositories."""
    for role in audited.roles:
        parties = [party for _statement, some in role_parties(role, audited.estate, options) for party in some]
        if parties and role.uses_ecr:
            yield from _unused(role, parties, audited, options)
    for grant in _grants(audited, options):
        yield from _ending(grant, audited.estate.now, options)
    shared = _shared(rows, audited, options)
    for repository in audited.estate.repositories:
        if (repository.region, repository.name) in shared:
            yield from _images(repository)


def _unused(
    role: AuditedRole, parties: t.Sequence[Party], audited: AuditedEstate, options: AuditOptions
) -> t.Iterator[Finding]:
    limit = audited.estate.now - datetime.timedelta(days=options.unused_days)
    created, used = role.role.created, role.role.last_used
    if created is None or created > limit or (used is not None and used > limit):
        return
    last = "has never been used" if used is None else f"was last used on {used:%Y-%m-%d}"
    title = f"Role {role.name}, which {parties_text(parties)} may assume, {last}"
    evidence = Evidence(f"role {role.arn}", "", f"Created on {created:%Y-%m-%d}. It {last}.")
    yield finding("unused-role", title, role.arn, evidence, delete_role_task(role))


def _grants(audited: AuditedEstate, options: AuditOptions) -> t.Iterator[Grant]:
    """The statements that give access: of trust policies, and of policies that cover actions of ECR."""
    for role in audited.roles:
        if role.uses_ecr:
            for statement, parties in role_parties(role, audited.estate, options, with_ended=True):
                yield Grant(role.trust, statement, tuple(parties), role)
    for grant in outside_grants(audited, options, with_ended=True):
        if grant.statement.covered(REPOSITORY_ACTIONS):
            yield grant


def _ending(grant: Grant, now: datetime.datetime, options: AuditOptions) -> t.Iterator[Finding]:
    end = grant.statement.end
    if end is None or end > now + datetime.timedelta(days=options.ends_within_days):
        return
    who = parties_text(grant.parties)
    if end <= now:
        title = f"The access of {who} through the {grant.document.name} ended on {end:%Y-%m-%d}"
        yield grant.finding("share-ended", title, grant.replaced(None))
    else:
        title = f"The access of {who} through the {grant.document.name} ends on {end:%Y-%m-%d}"
        yield grant.finding("share-ends-soon", title, grant.replaced(_extended(grant.statement.raw, end)))


def _extended(raw: Json, end: datetime.datetime) -> Json:
    """A statement whose access ends 90 days later."""
    later = end + datetime.timedelta(days=90)

    def extended(operator: str, key: str, value: object) -> object:
        times = [date_of(str(item)) for item in as_list(value)]
        if key.lower() not in TIME_KEYS or operator.lower().rpartition(":")[2] not in UNTIL:
            return value
        if any(time is None or time > later for time in times):
            return value
        return f"{later:%Y-%m-%dT%H:%M:%SZ}" if key.lower() == TIME_KEYS[0] else str(int(later.timestamp()))

    condition = {
        operator: {key: extended(operator, key, value) for key, value in block.items()}
        for operator, block in raw["Condition"].items()
    }
    return {**raw, "Condition": condition}


def _shared(rows: t.Iterable[Row], audited: AuditedEstate, options: AuditOptions) -> set[tuple[str, str]]:
    """The region and the name of each repository that a principal outside the account may pull."""
    return {
        (row.region, row.repository)
        for row in rows
        if row.access.actions.get("pull", DENIED) != DENIED
        and row.outsider.kind != SERVICE
        and not is_trusted(row.outsider.account, row.outsider.name.partition("/")[0], audited.estate, options)
    }


def _images(repository: Repository) -> t.Iterator[Finding]:
    place = ("--region", repository.region, "--repository-name", repository.name)
    name = f"repository {repository.name} in {repository.region}"
    if repository.mutable_image_tags:
        fix = shell_command("aws", "ecr", "put-image-tag-mutability", *place, "--image-tag-mutability", "IMMUTABLE")
        evidence = Evidence(name, "", "Image tags are mutable.")
        title = f"The image tags of the shared {name} are mutable"
        yield finding("mutable-image-tags", title, repository.arn, evidence, fix, repository.region)
    if repository.archived:
        listed = shell_command(
            *("aws", "ecr", "list-images", *place, "--filter", "imageStatus=ARCHIVED"),
            *("--query", "imageIds[].imageDigest", "--output", "text"),
        )
        restored = shell_command("aws", "ecr", "update-image-storage-class", *place)
        fix = (
            f"for digest in $({listed}); do\n"
            f'  {restored} --image-id "imageDigest=$digest" --target-storage-class STANDARD\ndone\n'
        )
        evidence = Evidence(name, "", f"Archived images: {repository.archived:,}.")
        title = f"The shared {name} contains {repository.archived:,} archived images"
        yield finding("archived-images", title, repository.arn, evidence, fix, repository.region)
