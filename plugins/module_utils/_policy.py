# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The two policy documents of a share: the permissions policy and the trust policy of the pull role.
Standard library only.

Tag conditions
--------------

IAM evaluates the tags of a resource only for actions on that resource. ECR has two kinds of actions. Requests for
actions on a *repository* have the condition keys `ecr:ResourceTag/<key>` and `aws:ResourceTag/<key>`. Requests for
actions on the *registry* have neither, so an Allow statement with a tag condition never allows them. Therefore

- the permissions document has two statements. The first one allows repository actions with the tag condition, on
  repositories of the owner account only. The second one allows only `ecr:GetAuthorizationToken`, on `*`. A registry
  token grants no access by itself: ECR authorizes each request that is made with the token, for its action and its
  repository;
- the operator is `StringEquals`, which is false for a repository without the tag. `StringNotEquals`, `...IfExists` and
  `ForAllValues:` are never used, because they are true for a repository without the tag;
- a repository must have all tag keys of the condition. The values of one key are alternatives.

Each consumer has its own statement in the trust document. A principal can assume the role only if all elements of one
statement match: its principals, its external ID and its other conditions. The statement of an organization has the
principal `*`, and always the conditions on the organization and on the external ID.

Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon ECR"; IAM User Guide,
"IAM JSON policy elements: Condition operators" and "Access to AWS accounts owned by third parties".
"""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._consumers import Consumer
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import spelling_problems, tag_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document

#: The actions of `pull`, which a container engine needs. `read` adds actions that list and describe images.
PULL_ACTIONS = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
READ_ACTIONS = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:DescribeImages",
    "ecr:DescribeRepositories",
    "ecr:ListImages",
    "ecr:ListTagsForResource",
)
ACTIONS = {"pull": PULL_ACTIONS, "read": PULL_ACTIONS + READ_ACTIONS}
TOKEN_ACTION = "ecr:GetAuthorizationToken"
#: The maximum size of a managed policy, without white space. Source: IAM User Guide, "IAM and AWS STS quotas".
POLICY_CHARACTERS = 6144


def repository_tags_of(declared: Json) -> dict[str, tuple[str, ...]]:
    """The tags that grant access, with the alternative values of each key."""
    return {str(key): tuple(str(value) for value in _alternatives(values)) for key, values in declared.items()}


def repository_tags_problems(declared: Json) -> t.Iterator[str]:
    """Problems with the tags that grant access."""
    if not declared:
        yield (
            f"{option('repository_tags')} is empty. Without a tag, the role would reach every repository or"
            " none. Set at least one tag."
        )
    for key, values in declared.items():
        if not _alternatives(values):
            yield (
                f"{option('repository_tags')}: {key} has an empty list of values. Set at least one value, or"
                f" omit {key}."
            )
        for value in _alternatives(values):
            for problem in tag_problems(str(key), value):
                yield f"{option('repository_tags')}: {problem}"
    for problem in spelling_problems(map(str, declared)):
        yield f"{option('repository_tags')}: {problem}"


def _alternatives(values: object) -> t.Sequence[object]:
    return values if isinstance(values, (list, tuple)) else (values,)


def permissions_document(
    owner: Identity,
    repository_tags: dict[str, tuple[str, ...]],
    access: str = "read",
    condition_key: str = "ecr",
    regions: t.Sequence[str] = (),
) -> Document:
    """The permissions of the role: the actions of `access` on repositories with the tags, and the registry token.

    :param repository_tags: the alternative values of each key; a repository must have all keys
    :param access: `pull` or `read`
    :param condition_key: `ecr` or `aws`, the prefix of `:ResourceTag/<key>`
    :param regions: the regions of the repositories; empty for all regions
    """
    resources = [owner.repository(region, "*") for region in regions or ["*"]]
    condition = {f"{condition_key}:ResourceTag/{key}": _one_or_list(values) for key, values in repository_tags.items()}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ReadTaggedRepositories",
                "Effect": "Allow",
                "Action": sorted(ACTIONS[access]),
                "Resource": _one_or_list(resources),
                "Condition": {"StringEquals": condition},
            },
            {"Sid": "GetToken", "Effect": "Allow", "Action": TOKEN_ACTION, "Resource": "*"},
        ],
    }


def trust_document(partition: str, consumers: t.Iterable[Consumer]) -> Document:
    """The trust policy of the role: one statement for each consumer."""
    return {"Version": "2012-10-17", "Statement": [_trust_statement(partition, consumer) for consumer in consumers]}


def _trust_statement(partition: str, consumer: Consumer) -> Document:
    arns = consumer.arns(partition)
    condition: dict[str, Json] = {}
    if consumer.external_id is not None:
        condition.setdefault("StringEquals", {})["sts:ExternalId"] = consumer.external_id
    if consumer.organization_id is not None:
        condition.setdefault("StringEquals", {})["aws:PrincipalOrgID"] = consumer.organization_id
    if consumer.organization_units:
        paths = [f"{unit}/*" for unit in consumer.organization_units]
        condition["ForAnyValue:StringLike"] = {"aws:PrincipalOrgPaths": _one_or_list(paths)}
    if consumer.require_mfa:
        condition["Bool"] = {"aws:MultiFactorAuthPresent": "true"}
    if consumer.principal_match == "condition" and consumer.principals:
        condition["ArnEquals"] = {"aws:PrincipalArn": _one_or_list(arns)}
        arns = [Identity(partition, str(consumer.account)).root]
    action = ["sts:AssumeRole", "sts:TagSession"] if consumer.session_tags else "sts:AssumeRole"
    statement: Document = {"Effect": "Allow", "Principal": {"AWS": _one_or_list(arns)}, "Action": action}
    if condition:
        statement["Condition"] = condition
    return statement


def _one_or_list(values: t.Sequence[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else sorted(values)
