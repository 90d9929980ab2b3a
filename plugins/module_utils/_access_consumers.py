# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The validation of the consumers that a repository policy or the registry policy names. Standard library only.

Such a policy allows requests of the consumer's own principals. No role is assumed, so options of a session have no
effect, and are errors.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils import _names
from ansible_collections.crossaccount.ecr.plugins.module_utils._consumer_problems import (
    who_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._consumers import Consumer
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import split_arn
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option

#: The options that only a role can express, and the reason.
_ONLY_FOR_A_ROLE = {
    "external_id": "Only a request to assume a role has an external ID",
    "session_tags": "Only a session of a role has session tags",
    "role_name": "The share has no role",
    "max_session_duration": "The share has no role",
    "expires": "The share has no role that could end",
}
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
        ):
            yield f"Consumer {number} ({consumer.party}): {problem}"


def _role_option_problems(consumer: Consumer) -> t.Iterator[str]:
    for name, reason in _ONLY_FOR_A_ROLE.items():
        if getattr(consumer, name) not in (None, False):
            yield (
                f"{name} has no effect in a repository policy or a registry policy. {reason}. Remove {name}, or share"
                " through a role."
            )


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
    for account in consumer.source_accounts:
        yield from (f"source_accounts: {problem}" for problem in _names.account_problems(account))
    for arn in consumer.source_arns:
        found = split_arn(arn)
        if not (found and found.account.isdigit()):
            yield (
                f"source_arns: {arn!r} is not the ARN of a resource in one account, such as"
                " arn:aws:lambda:ap-northeast-1:222222222222:function:*."
            )
