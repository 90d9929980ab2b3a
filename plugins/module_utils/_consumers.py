# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The declared consumers: the principals that may assume the role, and their conditions. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils import _names
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import (
    UNIQUE_ID,
    Document,
    as_list,
    statements,
)

#: The value of `external_id` that requests a generated external ID, which later runs keep.
GENERATE = "generate"


@dataclass(frozen=True)
class Consumer:
    """The declaration of one trust statement."""

    #: The declared value. It may have any type until `consumers_problems` has validated it.
    account: str
    principals: tuple[str, ...] = ()
    external_id: str | None = None
    principal_match: str = "principal"
    organization_id: str | None = None
    require_mfa: bool = False
    allow_no_external_id: bool = field(default=False, compare=False)
    #: The number in the declaration; 0 for the position in the list of consumers.
    number: int = field(default=0, compare=False)
    #: The settings of the role of this consumer, for a share with a role for each consumer.
    role_name: str | None = field(default=None, compare=False)
    max_session_duration: int | None = field(default=None, compare=False)
    expires: object = field(default=None, compare=False)

    def arns(self, partition: str) -> list[str]:
        """The trusted ARNs: the declared principals, or the account root for the whole account."""
        account = Identity(partition, self.account)
        return [name if name.startswith("arn:") else account.iam(name) for name in self.principals] or [account.root]

    def in_partition(self, partition: str) -> Consumer:
        """The consumer with a normalized account ID, if the declaration is unambiguous. See `_names.account_of`."""
        return replace(self, account=_names.account_of(self.account, partition))

    @property
    def options(self) -> Json:
        """The consumer as an element of the option `consumers` of `iam_ecr_pull_role`."""
        return {
            "account": self.account,
            "principals": list(self.principals),
            "external_id": self.external_id,
            "allow_no_external_id": self.allow_no_external_id,
            "principal_match": self.principal_match,
            "organization_id": self.organization_id,
            "require_mfa": self.require_mfa,
        }


def consumer_of(options: Json) -> Consumer:
    """The consumer that an element of the option `consumers` declares.

    :param options: `account`, and optionally the other fields of `Consumer` except `number`
    """
    return Consumer(
        options["account"],
        tuple(options.get("principals") or ()),
        options.get("external_id"),
        options.get("principal_match") or "principal",
        options.get("organization_id"),
        bool(options.get("require_mfa")),
        bool(options.get("allow_no_external_id")),
        role_name=options.get("role_name"),
        max_session_duration=options.get("max_session_duration"),
        expires=options.get("expires"),
    )


def consumers_problems(consumers: t.Sequence[Consumer], partition: str) -> t.Iterator[str]:
    """Problems with each consumer individually.

    :param partition: the partition of the owner account
    """
    if not consumers:
        yield f"{option('consumers')} is empty. Name at least one account that can assume the role."
    for position, consumer in enumerate(consumers, 1):
        number = consumer.number or position
        for problem in _names.account_problems(consumer.account):
            yield f"Consumer {number}: {problem}"
        yield from _statement_problems(f"Consumer {number} ({consumer.account})", consumer, partition)
    for number, consumer in enumerate(consumers):
        if consumer in consumers[:number]:
            yield f"Consumer {consumer.account} is declared twice with the same principals and external_id. Remove one."


def _statement_problems(name: str, consumer: Consumer, partition: str) -> t.Iterator[str]:
    if consumer.external_id is None and not consumer.allow_no_external_id:
        yield f"{name} has no external_id. Set one, or set allow_no_external_id: true."
    for problem in _names.external_id_problems(consumer.external_id):
        yield f"{name}: {problem}"
    for problem in _names.organization_problems(consumer.organization_id):
        yield f"{name}: {problem}"
    for principal in consumer.principals:
        found = list(_names.principal_problems(principal, consumer.account, partition))
        if not found and principal.endswith(":root") and consumer.principal_match == "condition":
            found = [f"{principal} means only the root user with principal_match: condition. Omit principals."]
        for problem in found:
            yield f"{name}: {problem}"


def with_external_ids(
    consumers: t.Sequence[Consumer],
    partition: str,
    trust: Document | None,
    make: t.Callable[[], str],
    of_share: t.Sequence[str] = (),
) -> tuple[Consumer, ...]:
    """The consumers with each `generate` replaced by an external ID: the one in the current trust policy, or a new one.

    The current external ID comes from the trust statement with the same principals. If the account is declared only
    once, a statement with other principals of the account is used, too. So a consumer keeps its external ID when its
    principals change.

    :param trust: the current trust policy of the role; None if the role does not exist
    :param make: returns a new external ID
    :param of_share: the account of each consumer of the share; empty for those of `consumers`
    """
    accounts = list(of_share) or [str(consumer.account) for consumer in consumers]

    def resolved(consumer: Consumer) -> Consumer:
        if consumer.external_id != GENERATE:
            return consumer
        account = str(consumer.account)
        own = set(replace(consumer, account=account).arns(partition))
        known = _external_ids(trust, account)
        same = [external_id for arns, external_id in known if arns == own]
        alone = [external_id for _arns, external_id in known] if accounts.count(account) == 1 else []
        if len(consumers) == 1:
            # If the principals of the only statement were deleted, the statement no longer names the account.
            alone += [external_id for arns, external_id in _external_ids(trust, None) if not arns]
        return replace(consumer, external_id=(same + alone or [make()])[0])

    return tuple(resolved(consumer) for consumer in consumers)


def _external_ids(trust: Document | None, account: str | None) -> list[tuple[set[str], str]]:
    """The principals and the external ID of each trust statement whose principals all belong to `account`.

    The unique IDs of deleted principals are omitted.

    :param account: None for the statements that name deleted principals only
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
