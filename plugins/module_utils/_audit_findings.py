# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""All findings of an audit. Standard library only."""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_documents import audited
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_findings_ends import end_findings
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_findings_lifecycle import lifecycle_findings
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_findings_permissions import permission_findings
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_findings_tags import tag_findings
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_findings_templates import (
    replication_findings,
    template_findings,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_findings_trust import trust_findings
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_options import AuditOptions
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_rows import Row
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_tag_setters import TagSetter
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Estate
from ansible_collections.crossaccount.ecr.plugins.module_utils._finding import Finding


def findings_of(
    estate: Estate, rows: t.Sequence[Row], options: AuditOptions, setters: t.Sequence[TagSetter] = ()
) -> list[Finding]:
    """All findings, the most severe first. Two facts with the same key are one finding.

    :param rows: the access of each principal outside the account
    :param setters: the principals of the account that may set the sharing tags
    """
    documents = audited(estate)
    found = [
        *trust_findings(documents, options),
        *permission_findings(documents, options),
        *tag_findings(documents, options, setters),
        *template_findings(documents, options),
        *replication_findings(estate),
        *end_findings(documents, options),
        *lifecycle_findings(documents, rows, options),
    ]
    distinct: dict[str, Finding] = {}
    for one in found:
        distinct.setdefault(one.key, one)
    return sorted(distinct.values(), key=lambda one: one.rank)
