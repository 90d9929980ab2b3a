# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The declared consumers: who may assume the role, and under which conditions. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import (
    ORGANIZATION,
    account_problem,
    external_id_problem,
    principal_problem,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import (
    UNIQUE_ID,
    Document,
    as_list,
    statements,
)

#: In the place of an external id: make one, once.
GENERATE = "generate"


@dataclass(frozen=True)
class Consumer:
    """Who may assume the role: one trust statement."""

    account: str
    principals: tuple[str, ...] = ()
    external_id: str | None = None
    principal_match: str = "principal"
    organization_id: str | None = None
    require_mfa: bool = False

    def arns(self, partition: str) -> list[str]:
        """The ARNs that are trusted: the named principals, or the whole account."""
        prefix = f"arn:{partition}:iam::{self.account}:"
        return [name if name.startswith("arn:") else prefix + name for name in self.principals] or [prefix + "root"]


def consumers_of(declared: list[dict[str, t.Any]], partition: str, problems: Problems) -> list[Consumer]:
    """The consumers as declared; everything wrong with them goes to `problems`.

    :param declared: dictionaries with `account`, and optionally `principals`, `external_id`,
        `allow_no_external_id`, `principal_match`, `organization_id`, `require_mfa`
    """
    consumers = []
    if not declared:
        problems.add("consumers is empty: name at least one account that may assume the role.")
    for number, item in enumerate(declared, 1):
        account = item["account"]
        name = f"Consumer {number} ({account})"
        problem = account_problem(account)
        if problem:
            problems.add(f"Consumer {number}: {problem}")
        external_id = item.get("external_id")
        if external_id is None and not item.get("allow_no_external_id"):
            problems.add(f"{name} has no external_id. Give one, or say allow_no_external_id: true.")
        problem = external_id_problem(external_id)
        if problem:
            problems.add(f"{name}: {problem}")
        organization = item.get("organization_id")
        if organization is not None and not ORGANIZATION.fullmatch(organization):
            problems.add(f"{name}: organization_id {organization!r} does not look like o-exampleorgid.")
        for principal in item.get("principals") or []:
            problem = principal_problem(principal, account, partition)
            if not problem and principal.endswith(":root") and item.get("principal_match") == "condition":
                problem = f"{principal} is the root user only under principal_match: condition. Leave principals out."
            if problem:
                problems.add(f"{name}: {problem}")
        consumers.append(
            Consumer(
                account,
                tuple(item.get("principals") or ()),
                external_id,
                item.get("principal_match") or "principal",
                organization,
                bool(item.get("require_mfa")),
            )
        )
    seen: list[Consumer] = []
    for consumer in consumers:
        if consumer in seen:
            problems.add(
                f"Consumer {consumer.account} is declared twice with the same principals and external_id. Remove one."
            )
        seen.append(consumer)
    return consumers


def resolve_external_ids(
    declared: list[dict[str, t.Any]], partition: str, trust: Document | None, make: t.Callable[[], str]
) -> list[dict[str, t.Any]]:
    """The declaration with an external id in the place of each `generate`: the one that the trust has, or a new one.

    The trust's statement with the same principals counts. Where the account is declared only once, a statement for
    other principals of it does as well, so that a consumer keeps its id when its principals change.

    :param trust: the role's trust as it is; None for no role
    :param make: makes a new external id
    """
    accounts = [str(item["account"]) for item in declared]
    resolved = []
    for item in declared:
        if item.get("external_id") == GENERATE:
            account = str(item["account"])
            own = set(Consumer(account, tuple(item.get("principals") or ())).arns(partition))
            known = _external_ids(trust, account)
            same = [one for arns, one in known if arns == own]
            alone = [one for _arns, one in known] if accounts.count(account) == 1 else []
            if len(declared) == 1:
                # The principals of the one statement may have been deleted, so that it no longer tells the account.
                alone += [one for arns, one in _external_ids(trust, None) if not arns]
            item = {**item, "external_id": (same + alone or [make()])[0]}
        resolved.append(item)
    return resolved


def _external_ids(trust: Document | None, account: str | None) -> list[tuple[set[str], str]]:
    """The principals and the external id of each trust statement that is about principals of `account` only.

    Ids of deleted principals are left out; with None for the account, only statements that have nothing else count.
    """
    found = []
    for statement in statements(trust or {}):
        condition, principals = statement.get("Condition", {}), statement.get("Principal")
        arns = as_list(principals.get("AWS", [])) if isinstance(principals, dict) else []
        trusted = {str(arn) for arn in as_list(condition.get("ArnEquals", {}).get("aws:PrincipalArn", arns))}
        external_id = condition.get("StringEquals", {}).get("sts:ExternalId")
        trusted = {arn for arn in trusted if not UNIQUE_ID.fullmatch(arn)}
        same_account = all(arn == account or f"::{account}:" in arn for arn in trusted)
        if same_account and bool(trusted) == (account is not None) and isinstance(external_id, str):
            found.append((trusted, external_id))
    return found
