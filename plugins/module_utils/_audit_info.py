# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The module `ecr_audit_info`: reads an account, and evaluates who can access its repositories. It changes nothing."""

from __future__ import annotations

import datetime
import email.utils
import json
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import ASSUME_ROLE_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_access import audit_access
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_findings import findings_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_iam import read_organization, read_principals
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_options import (
    AUDIT_ARGUMENTS,
    AuditOptions,
    audit_option_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_registry import Reads, read_registry
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_report import report_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_tag_setters import tag_setters
from ansible_collections.crossaccount.ecr.plugins.module_utils._concurrency import map_concurrently, start
from ansible_collections.crossaccount.ecr.plugins.module_utils._declared_account import (
    OWNER_ACCOUNT_ARGUMENT,
    OwnerAccount,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Estate
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import arn_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import Module
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import region_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import Session, session_of

AUDIT_INFO_ARGUMENTS: Json = {
    "regions": {"type": "list", "elements": "str", "default": []},
    "repositories": {"type": "list", "elements": "str", "default": []},
    **AUDIT_ARGUMENTS,
    **OWNER_ACCOUNT_ARGUMENT,
    **ASSUME_ROLE_ARGUMENTS,
}


@dataclass(frozen=True)
class _Options:
    """The options of the module, except those that declare what is shared.

    :param repositories: the names of the audited repositories; empty for all
    """

    owner: OwnerAccount
    regions: tuple[str, ...]
    repositories: frozenset[str]

    @classmethod
    def of(cls, params: Json) -> _Options:
        regions = tuple(dict.fromkeys(params["regions"]))
        return cls(OwnerAccount.of(params), regions, frozenset(params["repositories"]))

    def problems(self) -> t.Iterator[str]:
        """Problems that can be found without a request to AWS."""
        yield from self.owner.problems()
        for region in self.regions:
            yield from region_problems(region, "regions")


def audit_info(module: Module) -> Json:
    """The result of the module `ecr_audit_info`."""
    options, problems = _Options.of(module.params), Problems()
    problems.extend([*options.problems(), *audit_option_problems(module.params)])
    problems.check()
    session = session_of(module)
    options.owner.check(session.identity["account"])
    audit = AuditOptions.of(module.params, session.region)
    estate = read_estate(session, options.regions or [session.region], audit, options.repositories)
    rows, setters = audit_access(estate).rows, tag_setters(estate)
    findings = findings_of(estate, rows, audit, setters)
    report = report_of(estate, audit.tag_values, rows, setters, findings)
    return {"changed": False, "audit": _without_surrogates(report)}


def _without_surrogates(report: Json) -> Json:
    """The report with `?` for the code points in JSON documents that are not characters. Ansible rejects them."""
    text = json.dumps(report, ensure_ascii=False).encode("utf-8", "replace").decode("utf-8")
    result: Json = json.loads(text)
    return result


def read_estate(
    session: Session, regions: t.Sequence[str], options: AuditOptions, repositories: t.Collection[str] = ()
) -> Estate:
    """Read an account with concurrent requests.

    :param repositories: the names of the repositories to read; empty for all
    """
    reads = Reads()

    principals = start(lambda: read_principals(reads, session.client("iam")))
    organization = start(lambda: read_organization(reads, session.client("organizations")))
    reply = session.client("sts").get_caller_identity()
    registries = map_concurrently(
        lambda region: read_registry(reads, session.client("ecr", region), region, options.is_shared, repositories),
        regions,
    )
    return Estate(
        arn_of(reply["Arn"]).identity,
        _date_of(reply),
        principals(),
        tuple(registries),
        tuple(sorted(reads.unseen, key=lambda unseen: (unseen.what, unseen.region))),
        *organization(),
        requested_tags={key: values[0] for key, values in options.tag_values.items()},
    )


def _date_of(reply: Json) -> datetime.datetime:
    """The time of AWS in the headers of a response."""
    headers = reply["ResponseMetadata"]["HTTPHeaders"]
    return email.utils.parsedate_to_datetime(headers["date"]).astimezone(datetime.timezone.utc)
