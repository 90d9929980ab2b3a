# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The report of an audit, as data. Standard library only."""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_rows import Row, time_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_tag_setters import TagSetter
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Estate, Unseen
from ansible_collections.crossaccount.ecr.plugins.module_utils._finding import Finding
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json

#: The name and version of the format. A change that is not compatible gets a new number.
SCHEMA = "crossaccount.ecr/audit/1"
#: Facts that no audit of an account can read, whatever its permissions are.
ALWAYS_HIDDEN = (
    Unseen("service control policies of the organization", "an account cannot read the policies that limit it"),
    Unseen("resource control policies of the organization", "an account cannot read the policies that limit it"),
    Unseen(
        "identity policies of other accounts",
        "only their own account can read them; the audit assumes that they allow the requests",
    ),
)


def report_of(
    estate: Estate,
    repository_tags: t.Mapping[str, t.Sequence[str]],
    rows: t.Iterable[Row],
    setters: t.Iterable[TagSetter],
    findings: t.Iterable[Finding],
) -> Json:
    """The report of one account.

    :param repository_tags: the tags that share, each with its alternative values
    """
    hidden = [
        {"what": unseen.what + (f" in {unseen.region}" if unseen.region else ""), "why": unseen.why}
        for unseen in (*estate.unseen, *ALWAYS_HIDDEN)
    ]
    return {
        "schema": SCHEMA,
        "account": estate.account,
        "regions": [registry.region for registry in estate.registries],
        "generated_at": time_text(estate.now),
        "repository_tags": {key: list(values) for key, values in repository_tags.items()},
        "repositories": [
            {"name": repository.name, "region": repository.region, "tags": repository.tags}
            for repository in estate.repositories
        ],
        "access": [row.as_json() for row in rows],
        "tag_setters": [setter.as_json() for setter in setters],
        "findings": [finding.as_json() for finding in findings],
        "not_seen": hidden,
    }
