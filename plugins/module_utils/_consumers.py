# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The declared consumers: the principals that get access, and the conditions. Standard library only.

A consumer is an account, or some of its users and roles; or an organization, or some of its organizational units; or a
service. In role mode, each consumer except a service has one statement in the trust policy.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils import _names
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
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
    """The declaration of one statement."""

    #: The declared value; None for an organization or a service. It may have any type until it has been validated.
    account: str | None = None
    principals: tuple[str, ...] = ()
    external_id: str | None = None
    principal_match: str = "principal"
    #: The organization of the account, or the consumer itself if no account is declared.
    organization_id: str | None = None
    require_mfa: bool = False
    allow_no_external_id: bool = field(default=False, compare=False)
    #: The number in the declaration; 0 for the position in the list of consumers.
    number: int = field(default=0, compare=False)
    #: The settings of the role of this consumer, for a share with a role for each consumer.
    role_name: str | None = field(default=None, compare=False)
    max_session_duration: int | None = field(default=None, compare=False)
    expires: object = field(default=None, compare=False)
    #: Paths such as `o-a1b2c3d4e5/r-f6g7/ou-f6g7-11111111`, each with the units below it; None for the organization.
    #: An empty list is a problem, because it would otherwise mean the whole organization.
    organization_units: tuple[str, ...] | None = None
    #: Whether the sessions of the consumer may have session tags.
    session_tags: bool = False
    #: A service principal such as `lambda.amazonaws.com`, and the resources and accounts for which it acts.
    service: str | None = None
    source_arns: tuple[str, ...] = ()
    source_accounts: tuple[str, ...] = ()

    @property
    def party(self) -> str:
        """The identifier of the consumer in messages and names: its account, organization or service."""
        declared = (self.account, self.organization_id, self.service)
        return str(next((value for value in declared if value is not None), "nobody"))

    @property
    def is_organization(self) -> bool:
        """Whether the consumer is an organization, or units of it, and not an account."""
        return self.account is None and self.organization_id is not None

    @property
    def text(self) -> str:
        """The consumer in a sentence."""
        if self.is_organization:
            return organization_text(self.organization_id, self.organization_units)
        return f"{self.party} ({', '.join(self.principals)})" if self.principals else self.party

    def arns(self, partition: str) -> list[str]:
        """The trusted ARNs: the declared principals, or the account root for the whole account.

        For an organization, all principals are trusted that meet the condition on the organization.
        """
        if self.is_organization:
            return ["*"]
        account = Identity(partition, str(self.account))
        return [name if name.startswith("arn:") else account.iam(name) for name in self.principals] or [account.root]

    def in_partition(self, partition: str | None) -> Consumer:
        """The consumer with normalized account IDs, if the declaration is unambiguous. See `_names.account_of`.

        :param partition: the partition of the owner account; None if it is unknown
        """
        sources = dict.fromkeys(_names.account_of(account, partition) for account in self.source_accounts)
        return replace(self, account=_names.account_of(self.account, partition), source_accounts=tuple(sources))

    @property
    def options(self) -> Json:
        """The consumer as an element of the option `consumers` of `iam_ecr_pull_role`."""
        units = self.organization_units
        return {
            "account": self.account,
            "principals": list(self.principals),
            "external_id": self.external_id,
            "allow_no_external_id": self.allow_no_external_id,
            "principal_match": self.principal_match,
            "organization_id": self.organization_id,
            "organization_units": None if units is None else list(units),
            "require_mfa": self.require_mfa,
            "session_tags": self.session_tags,
            "service": self.service,
            "source_arns": list(self.source_arns),
            "source_accounts": list(self.source_accounts),
        }

    @property
    def result(self) -> Json:
        """The consumer in the result of a module."""
        return {
            "account": self.account,
            "principals": list(self.principals),
            "organization_id": self.organization_id,
            "organization_units": list(self.organization_units or ()),
            "external_id": self.external_id,
        }


def organization_text(organization: str | None, units: t.Sequence[str] | None) -> str:
    """An organization in a sentence, with its organizational units."""
    return f"organization {organization}" + (f", unit {' or '.join(units)}" if units else "")


def consumer_of(options: Json) -> Consumer:
    """The consumer that an element of the option `consumers` declares.

    :param options: any fields of `Consumer` except `number`
    """
    units = options.get("organization_units")
    return Consumer(
        options.get("account"),
        tuple(options.get("principals") or ()),
        options.get("external_id"),
        options.get("principal_match") or "principal",
        options.get("organization_id"),
        bool(options.get("require_mfa")),
        bool(options.get("allow_no_external_id")),
        role_name=options.get("role_name"),
        max_session_duration=options.get("max_session_duration"),
        expires=options.get("expires"),
        organization_units=None if units is None else tuple(units),
        session_tags=bool(options.get("session_tags")),
        service=options.get("service"),
        source_arns=tuple(options.get("source_arns") or ()),
        source_accounts=tuple(options.get("source_accounts") or ()),
    )


def with_external_ids(
    consumers: t.Sequence[Consumer],
    partition: str,
    trust: Document | None,
    make: t.Callable[[], str],
    of_share: t.Sequence[str] = (),
) -> tuple[Consumer, ...]:
    """The consumers with each `generate` replaced by an external ID: the one in the current trust policy, or a new one.

    The current external ID comes from the trust statement with the same principals, or the same organizational units.
    If the account or organization is declared only once, another statement of it is used, too. So a consumer keeps its
    external ID when its principals or units change.

    :param trust: the current trust policy of the role; None if the role does not exist
    :param make: returns a new external ID
    :param of_share: the party of each consumer of the share; empty for those of `consumers`
    """
    parties = list(of_share) or [consumer.party for consumer in consumers]
    known = [found for statement in statements(trust or {}) for found in _external_ids(statement)]

    def resolved(consumer: Consumer) -> Consumer:
        if consumer.external_id != GENERATE:
            return consumer
        names = consumer.organization_units or () if consumer.is_organization else consumer.arns(partition)
        own = [found for found in known if found.is_of(consumer)]
        same = [found.external_id for found in own if found.names == set(names)]
        alone = [found.external_id for found in own] if parties.count(consumer.party) == 1 else []
        if len(consumers) == 1:
            # If the principals of the only statement were deleted, the statement no longer names the account.
            alone += [found.external_id for found in known if not found.names and not found.organization]
        return replace(consumer, external_id=(same + alone or [make()])[0])

    return tuple(resolved(consumer) for consumer in consumers)


@dataclass(frozen=True)
class _Known:
    """The external ID in a trust statement, and the party that the statement admits.

    :param names: its principals without the unique IDs of deleted ones; the paths of its units for an organization
    :param organization: the organization of a statement that admits everyone in it; empty for other statements
    """

    external_id: str
    names: frozenset[str]
    organization: str = ""

    def is_of(self, consumer: Consumer) -> bool:
        if consumer.is_organization or self.organization:
            return consumer.is_organization and self.organization == consumer.organization_id
        account = str(consumer.account)
        return bool(self.names) and all(name == account or f"::{account}:" in name for name in self.names)


def _external_ids(statement: Document) -> t.Iterator[_Known]:
    """The external ID of a trust statement, if it has one."""
    condition, principals = statement.get("Condition", {}), statement.get("Principal")
    equal = condition.get("StringEquals", {})
    external_id, organization = equal.get("sts:ExternalId"), equal.get("aws:PrincipalOrgID")
    named = principals.get("AWS", []) if isinstance(principals, dict) else principals or []
    arns = [str(arn) for arn in as_list(named)]
    trusted = {str(arn) for arn in as_list(condition.get("ArnEquals", {}).get("aws:PrincipalArn", arns))}
    if not isinstance(external_id, str):
        return
    if trusted == {"*"} and isinstance(organization, str):
        paths = as_list(condition.get("ForAnyValue:StringLike", {}).get("aws:PrincipalOrgPaths", []))
        units = (str(path).removesuffix("/*") for path in paths)
        yield _Known(external_id, frozenset(units), organization)
    else:
        yield _Known(external_id, frozenset(arn for arn in trusted if not UNIQUE_ID.fullmatch(arn)))
