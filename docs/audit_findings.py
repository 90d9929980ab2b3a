# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes docs/docsite/rst/audit_findings.rst from the table of the kinds of findings.

`python docs/audit_findings.py` writes; docs/check.py calls `page` and compares.
"""

from __future__ import annotations

import re

from aws_errors import ROOT, utility

PAGE = ROOT / "docs/docsite/rst/audit_findings.rst"
INTRODUCTION = """.. _ansible_collections.crossaccount.ecr.docsite.audit_findings:

Findings of an audit
====================

An audit reports each of these facts as a finding. A finding has

- the ``id`` of its kind, which is in the tables below and does not change;
- a ``key`` that identifies it in all reports, so that a later report can state that it is new or gone;
- a ``severity``: {severities};
- the ``evidence``: the document, the ``Sid`` or the number of the statement, and the statement. External IDs are
  masked. A fix that writes a trust policy contains the external IDs of that policy;
- the ``fix``: a task, or commands of the AWS CLI, with the names filled in. Read a fix before you run it. A command
  that writes a policy document replaces the document that the audit read.

The page is generated from the table that the collection uses.

Exclusions
----------

- Access of the accounts in ``ecr_audit_trusted_accounts`` and of the organizations in
  ``ecr_audit_trusted_organizations``.
- ``*`` as a principal is not public if a condition limits it to organizations, accounts or ARNs of accounts with an
  exact operator: ``aws:PrincipalOrgID``, ``aws:PrincipalOrgPaths``, ``aws:PrincipalAccount``, ``aws:PrincipalArn``,
  ``aws:SourceAccount``, ``aws:SourceArn``, ``aws:SourceOrgID``. A Deny statement of the same document that exempts
  only these has the same effect. A condition on the network, such as ``aws:SourceIp``, does not limit the accounts.
- A grant to a named account is not public, whatever it allows.
- Roles that only AWS services, principals of the account itself or users of IAM Identity Center may assume.
- Roles whose policies allow neither an action of ECR nor ``sts:AssumeRole``.
- Statements whose time has ended, except as ``share-ended``.

.. contents::
   :local:
   :depth: 1
"""


def _marked(text: str) -> str:
    """A sentence with names as literals."""
    return re.sub(r"\b((?:ecr|ecr_audit|sts)[:_]\w+|CREATE_ON_PUSH|deleteReplication|StringEquals)\b", r"``\1``", text)


def page() -> str:
    """The whole page."""
    kinds = utility("_finding_kinds")
    lines = [INTRODUCTION.format(severities=", ".join(f"``{severity}``" for severity in kinds.SEVERITIES))]
    subject = ""
    for kind in kinds.KINDS:
        if kind.subject != subject:
            subject = kind.subject
            lines += ["", subject, "-" * len(subject), ""]
            lines += [".. list-table::", "   :header-rows: 1", "   :widths: 25 10 40 25", ""]
            lines += ["   * - ID", "     - Severity", "     - Meaning", "     - Next step"]
        lines += [f"   * - ``{kind.id}``", f"     - {kind.severity}"]
        lines += [f"     - {_marked(kind.meaning)}", f"     - {_marked(kind.next_step)}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
