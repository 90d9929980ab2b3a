# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Findings about the life of a share: unused roles, and the images of shared repositories. Standard library only."""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_documents import AuditedEstate, AuditedRole
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_fixes import delete_role_task, shell_command
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_grants import role_parties
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_options import AuditOptions
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_parties import (
    SERVICE,
    Party,
    is_trusted,
    parties_text,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_rows import Row
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Repository
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import DENIED
from ansible_collections.crossaccount.ecr.plugins.module_utils._finding import Evidence, Finding, finding


def lifecycle_findings(audited: AuditedEstate, rows: t.Iterable[Row], options: AuditOptions) -> t.Iterator[Finding]:
    """The findings about unused roles and images of shared repositories."""
    for role in audited.roles:
        parties = [party for _statement, some in role_parties(role, audited.estate, options) for party in some]
        if parties and role.uses_ecr:
            yield from _unused(role, parties, audited, options)
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
