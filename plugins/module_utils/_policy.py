# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The two documents that make a share: what the role may do, and who may become it. Standard library only.

What a tag condition can reach
------------------------------
IAM knows the tags of a resource only where the action has a resource. ECR's actions are of two kinds: those on a
*repository*, which carry `ecr:ResourceTag/<key>` and `aws:ResourceTag/<key>` into the decision, and those on the
*registry*, which carry neither. A tag condition on a registry action is never true, so such a grant is dead. It
follows that

- the permissions document has two statements: repository actions with the condition, on repositories of the owner
  account only; and `ecr:GetAuthorizationToken`, alone, on `*`. A token opens nothing by itself: every request made
  with it is authorized again, as the action and on the repository that it is about;
- the operator is `StringEquals`, whose condition is false when the tag is missing. `StringNotEquals`, `...IfExists`
  and `ForAllValues:` are true for a repository without the tag, and would open all of those. They are never used;
- several keys in one condition are all required; several values of one key are alternatives.

Nobody becomes the role without satisfying one statement of the trust document, and each consumer has one statement
of its own: its principals, its external ID, and what else was asked for, all of which must hold.

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

#: `pull` is what a container engine needs; `read` adds what a person or a pipeline looks at.
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
#: Source: IAM User Guide, "IAM and AWS STS quotas". White space does not count.
POLICY_CHARACTERS = 6144


def repository_tags_of(declared: Json) -> dict[str, tuple[str, ...]]:
    """The tags that grant access, each value as a tuple of alternatives."""
    return {str(key): tuple(str(value) for value in _alternatives(values)) for key, values in declared.items()}


def repository_tags_problems(declared: Json) -> t.Iterator[str]:
    """What is wrong with the tags that grant access."""
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
    """What the role may do: the actions of `access` on tagged repositories of the owner account, and the token.

    :param repository_tags: key to alternatives; all keys are required
    :param access: `pull` or `read`
    :param condition_key: `ecr` or `aws`, the prefix of `:ResourceTag/<key>`
    :param regions: where the role may act; empty for every region
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
    """Who may assume the role: one statement for each consumer."""
    return {"Version": "2012-10-17", "Statement": [_trust_statement(partition, consumer) for consumer in consumers]}


def _trust_statement(partition: str, consumer: Consumer) -> Document:
    arns = consumer.arns(partition)
    condition: dict[str, Json] = {}
    if consumer.external_id is not None:
        condition.setdefault("StringEquals", {})["sts:ExternalId"] = consumer.external_id
    if consumer.organization_id is not None:
        condition.setdefault("StringEquals", {})["aws:PrincipalOrgID"] = consumer.organization_id
    if consumer.require_mfa:
        condition["Bool"] = {"aws:MultiFactorAuthPresent": "true"}
    if consumer.principal_match == "condition" and consumer.principals:
        condition["ArnEquals"] = {"aws:PrincipalArn": _one_or_list(arns)}
        arns = [Identity(partition, consumer.account).root]
    statement: Document = {"Effect": "Allow", "Principal": {"AWS": _one_or_list(arns)}, "Action": "sts:AssumeRole"}
    if condition:
        statement["Condition"] = condition
    return statement


def _one_or_list(values: t.Sequence[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else sorted(values)
