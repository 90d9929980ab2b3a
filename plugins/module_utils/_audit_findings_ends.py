# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Findings about the end of access: access that ends soon, and access that has ended. Standard library only.

An Allow statement ends access with `DateLessThan`, a Deny statement with `DateGreaterThan`, and both also with
`aws:EpochTime`. The statements of a role of this collection come from one declaration, so those with the same end are
one finding, whose fix is a playbook.
"""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_documents import AuditedEstate, PolicyKind
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_fixes import delete_role_task
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_grants import Grant, outside_grants, role_parties
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_options import AuditOptions
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_parties import parties_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_statement import (
    FROM,
    TIME_KEYS,
    UNTIL,
    AuditedStatement,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._ecr_actions import REPOSITORY_ACTIONS
from ansible_collections.crossaccount.ecr.plugins.module_utils._finding import Finding
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._operators import date_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy import PULL_ACTIONS
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import as_list

_SHARE = "ansible-playbook crossaccount.ecr.share -e @declaration.yml"
_REMOVE = "ansible-playbook crossaccount.ecr.unshare -e @declaration.yml -e ecr_share_expired_only=true"


def end_findings(audited: AuditedEstate, options: AuditOptions) -> t.Iterator[Finding]:
    """The findings about ends of access."""
    for grants in _by_end(_grants(audited, options)):
        yield from _ending(grants, audited.estate.now, options)


def _grants(audited: AuditedEstate, options: AuditOptions) -> t.Iterator[Grant]:
    """The statements that give access or end it: of trust policies, and of policies that cover actions of ECR."""
    for role in audited.roles:
        if role.uses_ecr:
            admitted = role_parties(role, audited.estate, options, with_ended=True)
            for statement, parties in admitted:
                yield Grant(role.trust, statement, tuple(parties), role)
            everyone = tuple(party for _statement, parties in admitted for party in parties)
            for document in (*role.policies, *([role.boundary] if role.boundary else [])) if everyone else ():
                for statement in document.statements:
                    if _denies_pulls(statement):
                        yield Grant(document, statement, everyone, role)
    for grant in outside_grants(audited, options, with_ended=True):
        if grant.statement.covered(REPOSITORY_ACTIONS):
            yield grant


def _denies_pulls(statement: AuditedStatement) -> bool:
    resources = statement.parsed.resources
    of_all = resources is None or "*" in resources.patterns
    return not statement.is_allow and of_all and bool(statement.covered(PULL_ACTIONS))


def _by_end(grants: t.Iterable[Grant]) -> t.Iterator[list[Grant]]:
    """The statements that end access. Those of a role of this collection with the same end have one fix.

    Permissions of a role that end after its access has ended are left out.
    """
    found: dict[tuple[str, datetime.datetime], list[Grant]] = {}
    for grant in grants:
        end, role = grant.statement.end, grant.role
        if end is not None and role and role.is_ours:
            found.setdefault((role.arn, end), []).append(grant)
        elif end is not None:
            yield [grant]
    for (arn, end), listed in found.items():
        is_first = end == min(other for of, other in found if of == arn)
        if is_first or listed[0].document.kind is PolicyKind.TRUST:
            yield listed


def _ending(grants: t.Sequence[Grant], now: datetime.datetime, options: AuditOptions) -> t.Iterator[Finding]:
    """The finding about statements with the same end."""
    grant = grants[0]
    end, role = grant.statement.end, grant.role
    if end is None or end > now + datetime.timedelta(days=options.ends_within_days):
        return
    who = parties_text([party for one in grants for party in one.parties])
    by_role = role and (role.is_ours or not grant.statement.is_allow)
    title = f"The access of {who} through {f'role {role.name}' if role and by_role else f'the {grant.document.name}'}"
    if end <= now:
        step = f". Remove it with {_REMOVE}" if role and role.is_ours else ""
        yield grant.finding("share-ended", f"{title} ended on {end:%Y-%m-%d}{step}", _removed(grant))
    else:
        yield grant.finding("share-ends-soon", f"{title} ends on {end:%Y-%m-%d}", _later(grant, end))


def _removed(grant: Grant) -> str:
    """The fix that removes what has ended. Without its Deny statement, a role would grant the access again."""
    if grant.role and grant.role.is_ours:
        return f"# With the declaration of the share:\n{_REMOVE}\n"
    if grant.role and not grant.statement.is_allow:
        return delete_role_task(grant.role)
    return grant.replaced(None)


def _later(grant: Grant, end: datetime.datetime) -> str:
    """The fix that extends access."""
    if grant.role and grant.role.is_ours:
        return f"# Set a later expires in the declaration of the share, and run it:\n{_SHARE}\n"
    return grant.replaced(_extended(grant.statement, end))


def _extended(statement: AuditedStatement, end: datetime.datetime) -> Json:
    """A statement whose access ends 90 days later."""
    later, operators = end + datetime.timedelta(days=90), UNTIL if statement.is_allow else FROM

    def extended(operator: str, key: str, value: object) -> object:
        times = [date_of(str(item)) for item in as_list(value)]
        if key.lower() not in TIME_KEYS or operator.lower().rpartition(":")[2] not in operators:
            return value
        if any(time is None or time > later for time in times):
            return value
        return f"{later:%Y-%m-%dT%H:%M:%SZ}" if key.lower() == TIME_KEYS[0] else str(int(later.timestamp()))

    condition = {
        operator: {key: extended(operator, key, value) for key, value in block.items()}
        for operator, block in statement.raw["Condition"].items()
    }
    return {**statement.raw, "Condition": condition}
