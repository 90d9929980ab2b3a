# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The validation of the consumers that a repository policy or the registry policy names. Standard library only.

Such a policy allows requests of the consumer's own principals. No role is assumed, so options of a session have no
effect, and are errors.
"""

from __future__ import annotations

import fnmatch
import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils import _names
from ansible_collections.crossaccount.ecr.plugins.module_utils._consumer_problems import (
    who_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._consumers import Consumer
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option

#: The options that only a role can express, and the reason.
_ONLY_FOR_A_ROLE = {
    "external_id": "Only a request to assume a role has an external ID",
    "session_tags": "Only a session of a role has session tags",
    "role_name": "The share has no role",
    "max_session_duration": "The share has no role",
    "expires": "The share has no role that could end",
}
#: The options that limit users and roles, and the reason why they cannot limit a service.
_NOT_FOR_A_SERVICE = {
    "require_mfa": "A service does not sign in with MFA",
    "principal_match": "A service has no users and roles",
}
_UNUSED = Consumer()
#: An ARN, or a pattern of ARNs of one account. AWS compares each part of an ARN on its own, so the other parts may have
#: wildcards. Source: IAM User Guide, "IAM JSON policy elements: Condition operators".
_SOURCE_ARN = re.compile(r"arn:([a-z*?-]+):[a-z0-9*?-]+:[a-z0-9*?-]*:[0-9]{12}:.+")
_SERVICE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?")


def access_consumer_problems(consumers: t.Sequence[Consumer], partition: str) -> t.Iterator[str]:
    """Problems with each consumer individually.

    :param partition: the partition of the owner account
    """
    if not consumers:
        yield f"{option('consumers')} is empty. Name at least one account, organization or service that can pull."
    for position, consumer in enumerate(consumers, 1):
        number = consumer.number or position
        for problem in (
            *who_problems(consumer, partition),
            *_role_option_problems(consumer),
            *_service_problems(consumer),
            *_source_problems(consumer, partition),
        ):
            yield f"Consumer {number} ({consumer.party}): {problem}"


def _role_option_problems(consumer: Consumer) -> t.Iterator[str]:
    for name, reason in _ONLY_FOR_A_ROLE.items():
        if _is_used(consumer, name):
            yield (
                f"{name} has no effect in a repository policy or a registry policy. {reason}. Remove {name}, or share"
                " through a role."
            )


def _is_used(consumer: Consumer, name: str) -> bool:
    return bool(getattr(consumer, name) != getattr(_UNUSED, name))


def _service_problems(consumer: Consumer) -> t.Iterator[str]:
    service, sources = consumer.service, (*consumer.source_arns, *consumer.source_accounts)
    if service is None:
        if sources:
            yield "source_arns and source_accounts need service. Set it, such as lambda.amazonaws.com."
        return
    if consumer.account is not None or consumer.organization_id is not None or consumer.principals:
        yield (
            "service excludes account, principals and organization_id. Declare the account as a separate consumer,"
            " and limit the service with source_accounts."
        )
    if not _SERVICE.fullmatch(service):
        yield f"service {service!r} is not a service principal, such as lambda.amazonaws.com."
    if not sources:
        yield (
            f"service {service} has neither source_arns nor source_accounts, so each AWS account could use the service"
            " to pull. Set one of them."
        )
    for name, reason in _NOT_FOR_A_SERVICE.items():
        if _is_used(consumer, name):
            yield f"{name} cannot limit service {service}. {reason}. Remove {name}, or declare an account instead."


def _source_problems(consumer: Consumer, partition: str) -> t.Iterator[str]:
    """Problems with the resources and accounts for which a service acts."""
    for account in consumer.source_accounts:
        yield from (f"source_accounts: {problem}" for problem in _names.account_problems(account))
    for arn in consumer.source_arns:
        found = _SOURCE_ARN.fullmatch(arn)
        if not found:
            yield (
                f"source_arns: {arn!r} is not the ARN of a resource in one account, such as"
                " arn:aws:lambda:ap-northeast-1:222222222222:function:*."
            )
        elif not fnmatch.fnmatchcase(partition, found[1]):
            yield (
                f"source_arns: {arn!r} is in partition {found[1]}, but the owner account is in {partition}, so no"
                f" request matches it. Begin the ARN with arn:{partition}:"
            )
