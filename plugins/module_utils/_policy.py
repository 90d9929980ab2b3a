# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
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
of its own: its principals, its external id, and what else was asked for, all of which must hold.

Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon ECR"; IAM User Guide,
"IAM JSON policy elements: Condition operators" and "Access to AWS accounts owned by third parties".
"""

from __future__ import annotations

import json
import re
import typing as t
import urllib.parse
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems

Document = dict[str, t.Any]

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
TRUST_CHARACTERS = 2048
TRUST_CHARACTERS_RAISED = 4096

_ACCOUNT = re.compile(r"[0-9]{12}")
_CONSOLE_ACCOUNT = re.compile(r"[0-9]{4}-[0-9]{4}-[0-9]{4}")
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_PRINCIPAL = re.compile(r"(?:user|role)/[\w+=,.@/-]+", re.ASCII)
_PRINCIPAL_ARN = re.compile(r"arn:(aws[a-z-]*):iam::([0-9]{12}):((?:user|role)/[\w+=,.@/-]+|root)", re.ASCII)
#: In the place of an external id: make one, once.
GENERATE = "generate"
_UNIQUE_ID = re.compile(r"A(?:IDA|ROA)[A-Z0-9]{12,124}")
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+", re.ASCII)
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}")
_REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-[0-9]{1,2}")
_TAG_TEXT = re.compile(r"[\w .:/=+@-]*")


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
        if organization is not None and not _ORGANIZATION.fullmatch(organization):
            problems.add(f"{name}: organization_id {organization!r} does not look like o-exampleorgid.")
        for principal in item.get("principals") or []:
            problem = _principal_problem(principal, account, partition)
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
        trusted = {arn for arn in trusted if not _UNIQUE_ID.fullmatch(arn)}
        same_account = all(arn == account or f"::{account}:" in arn for arn in trusted)
        if same_account and bool(trusted) == (account is not None) and isinstance(external_id, str):
            found.append((trusted, external_id))
    return found


def dangling_principals(trust: Document | None) -> list[str]:
    """The ids that IAM leaves in a trust in the place of users and roles that were deleted.

    Source: IAM User Guide, "AWS JSON policy elements: Principal".
    """
    found = []
    for statement in statements(trust or {}):
        principals = statement.get("Principal")
        if isinstance(principals, dict):
            found += [str(one) for one in as_list(principals.get("AWS", [])) if _UNIQUE_ID.fullmatch(str(one))]
    return found


def account_of(declared: t.Any, partition: str) -> t.Any:
    """The account id that a declaration means, where it can only mean that account as a whole; else what was declared.

    White space around it, the dashes of AWS's console and the ARN of the account's root make no difference. The ARN of
    a user or a role stays as it is, and is refused: to read it as its account would let in everybody else of it.
    """
    if not isinstance(declared, str):
        return declared
    account = declared.strip()
    arn = _PRINCIPAL_ARN.fullmatch(account)
    if arn and arn[1] == partition and arn[3] == "root":
        return arn[2]
    return account.replace("-", "") if _CONSOLE_ACCOUNT.fullmatch(account) else account


def account_problem(account: t.Any) -> str | None:
    """What is wrong with an account id, or None."""
    if isinstance(account, str) and _ACCOUNT.fullmatch(account):
        return None
    arn = _PRINCIPAL_ARN.fullmatch(account) if isinstance(account, str) else None
    if isinstance(account, int):
        hint = "Quote it: YAML reads a bare number as an integer, and one with a leading zero as another number."
    elif arn and arn[3] != "root":
        hint = f'To let in {arn[3]} alone, declare account: "{arn[2]}" with principals: [{arn[3]}].'
    else:
        hint = 'Write the digits, as in account: "222222222222".'
    return f"{account!r} is not an AWS account id of 12 digits. {hint}"


def external_id_problem(external_id: str | None) -> str | None:
    """What is wrong with an external id, or None. Source: STS API Reference, AssumeRole, ExternalId."""
    if external_id is None or _EXTERNAL_ID.fullmatch(external_id):
        return None
    if not external_id:
        return "external_id is empty. Give the one that the role's trust names, or leave the option out."
    return (
        f"external_id has {len(external_id)} characters, or one that AWS does not take;"
        " it needs 2 to 1,224 of letters, digits and _+=,.@:/-"
    )


def assume_problems(role_arn: str | None, external_id: str | None, session_name: str) -> list[str]:
    """What is wrong with the way a role is to be assumed. Source: STS API Reference, AssumeRole."""
    found = []
    if not _ROLE_ARN.fullmatch(role_arn or ""):
        found.append(f"role_arn {role_arn!r} is not the ARN of a role, such as arn:aws:iam::111111111111:role/NAME.")
    problem = external_id_problem(external_id)
    if problem:
        found.append(problem)
    if not _SESSION_NAME.fullmatch(session_name):
        found.append(f"role_session_name {session_name!r} needs 2 to 64 of letters, digits and _+=,.@-")
    return found


def _principal_problem(principal: str, account: str, partition: str) -> str | None:
    if "*" in principal:
        return (
            f"principal {principal!r} has a wildcard. Name each user or role, or leave principals out for the account."
        )
    arn = _PRINCIPAL_ARN.fullmatch(principal)
    if arn and arn[1] != partition:
        return f"principal {principal!r} is in partition {arn[1]}, the owner account in {partition}."
    if arn and arn[2] != account:
        return f"principal {principal!r} is of another account than {account}. Declare it under its own account."
    if not arn and not _PRINCIPAL.fullmatch(principal):
        return f"principal {principal!r} is none of user/NAME, role/NAME, or the ARN of one."
    return None


def repository_tags_of(declared: dict[str, t.Any], problems: Problems) -> dict[str, tuple[str, ...]]:
    """The tags that grant access, each value as a tuple of alternatives."""
    if not declared:
        problems.add(
            "repository_tags is empty: without a tag the role would reach every repository or none. Give at least one."
        )
    tags = {}
    for key, value in declared.items():
        values = tuple(value) if isinstance(value, (list, tuple)) else (value,)
        if not values:
            problems.add(f"repository_tags: {key} has an empty list of values. Give at least one, or leave {key} out.")
        for one in values:
            if not isinstance(one, str):
                problems.add(f"repository_tags: the value of {key} must be a string; {one!r} is not. Quote it.")
            else:
                problem = tag_problem(str(key), one)
                if problem:
                    problems.add(f"repository_tags: {problem}")
        tags[str(key)] = tuple(str(one) for one in values)
    for spelling in spelling_problems(tags):
        problems.add(f"repository_tags: {spelling}")
    return tags


def spelling_problems(tags: t.Iterable[str]) -> list[str]:
    """The keys that differ from another key in their case only."""
    keys = [key.lower() for key in tags]
    return [
        f"{key} is there in several spellings; IAM does not tell their case apart. Keep one."
        for key in tags
        if keys.count(key.lower()) > 1
    ]


def tag_problem(key: str, value: str) -> str | None:
    """What ECR would refuse in a tag, or None. Source: ECR API Reference, data type Tag; AWS tagging rules."""
    if key.lower().startswith("aws:"):
        return f"tag key {key!r} starts with aws:, which AWS keeps for itself. Choose another key."
    if not 1 <= len(key) <= 128:
        return f"tag key {key[:20]!r} has {len(key)} characters; ECR takes 1 to 128."
    if len(value) > 256:
        return f"the value of tag {key!r} has {len(value)} characters; ECR takes up to 256."
    for what, text in (("key", key), ("value", value)):
        if not _TAG_TEXT.fullmatch(text):
            return (
                f"tag {what} {text!r} has a character that ECR does not take: letters, digits, space and +-=._:/@ are."
            )
    return None


def region_problem(region: t.Any, option: str = "regions") -> str | None:
    """What is wrong with a region, or None. It becomes a part of an ARN, in which it must not be a wildcard."""
    if isinstance(region, str) and _REGION.fullmatch(region):
        return None
    return f"{option}: {region!r} does not look like a region, such as ap-northeast-1."


def permissions_document(
    partition: str,
    account: str,
    repository_tags: dict[str, tuple[str, ...]],
    access: str = "read",
    condition_key: str = "ecr",
    regions: t.Sequence[str] = (),
) -> Document:
    """What the role may do: the actions of `access` on tagged repositories of `account`, and the token.

    :param repository_tags: key to alternatives; all keys are required
    :param access: `pull` or `read`
    :param condition_key: `ecr` or `aws`, the prefix of `:ResourceTag/<key>`
    :param regions: where the role may act; empty for every region
    """
    resources = [f"arn:{partition}:ecr:{region}:{account}:repository/*" for region in regions or ["*"]]
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
    condition: dict[str, dict[str, t.Any]] = {}
    if consumer.external_id is not None:
        condition.setdefault("StringEquals", {})["sts:ExternalId"] = consumer.external_id
    if consumer.organization_id is not None:
        condition.setdefault("StringEquals", {})["aws:PrincipalOrgID"] = consumer.organization_id
    if consumer.require_mfa:
        condition["Bool"] = {"aws:MultiFactorAuthPresent": "true"}
    if consumer.principal_match == "condition" and consumer.principals:
        condition["ArnEquals"] = {"aws:PrincipalArn": _one_or_list(arns)}
        arns = [f"arn:{partition}:iam::{consumer.account}:root"]
    statement: Document = {"Effect": "Allow", "Principal": {"AWS": _one_or_list(arns)}, "Action": "sts:AssumeRole"}
    if condition:
        statement["Condition"] = condition
    return statement


def parse(text: str | Document) -> Document:
    """A document as AWS returns it: an object, JSON, or percent-encoded JSON.

    :raises EcrError: when it has not the form of a policy, which all else here relies on
    """
    document: t.Any = text
    if isinstance(text, str):
        try:
            document = json.loads(urllib.parse.unquote(text) if text.lstrip().startswith("%") else text)
        except (ValueError, RecursionError):
            document = None
    if not isinstance(document, dict) or not all(map(_has_form, as_list(document.get("Statement", [])))):
        raise EcrError("AWS returned a policy document that IAM itself would not take. Look at it in IAM, and mend it.")
    return document


def _has_form(statement: t.Any) -> bool:
    """Whether it is a statement. Source: IAM User Guide, "Grammar of the IAM JSON policy language"."""
    if not isinstance(statement, dict):
        return False
    listed = [statement.get(name, []) for name in ("Action", "NotAction", "Resource", "NotResource")]
    for principals in (statement.get("Principal", {}), statement.get("NotPrincipal", {})):
        listed += principals.values() if isinstance(principals, dict) else [[principals]]
    condition = statement.get("Condition", {})
    blocks: list[t.Any] = list(condition.values()) if isinstance(condition, dict) else [None]
    return (
        isinstance(statement.get("Effect", ""), str)
        and all(isinstance(one, str) for values in listed for one in as_list(values))
        and all(isinstance(block, dict) for block in blocks)
        and all(isinstance(one, (str, bool, int, float)) for block in blocks for one in _values(block))
    )


def _values(block: Document) -> list[t.Any]:
    return [one for values in block.values() for one in as_list(values)]


def size(document: Document) -> int:
    """The characters that AWS counts: all that is sent but white space."""
    return len(re.sub(r"\s", "", text(document)))


def text(document: Document) -> str:
    """The document as it is sent."""
    return json.dumps(document, separators=(",", ":"))


def meaning(document: Document) -> t.Any:
    """A value that is equal for documents that mean the same.

    Order, a single value or a list, `Sid`, the case of actions and condition keys, and the account root written as
    an ARN or as an account id make no difference.
    """
    statements = document.get("Statement", [])
    return frozenset(statement_meaning(one) for one in (statements if isinstance(statements, list) else [statements]))


def equal(one: Document | None, other: Document | None) -> bool:
    """Whether two documents mean the same; None is no document."""
    if one is None or other is None:
        return one is other
    return bool(meaning(one) == meaning(other))


def common_statements(one: Document, other: Document) -> list[Document]:
    """The statements of `one` that `other` has as well, by meaning, and all that deny: to drop one of those widens."""
    wanted = meaning(other)
    statements = one.get("Statement", [])
    listed = statements if isinstance(statements, list) else [statements]
    return [
        statement
        for statement in listed
        # IAM does not take back the id of a principal that was deleted, and needs no Deny for it.
        if (statement.get("Effect") == "Deny" and not dangling_principals({"Statement": statement}))
        or statement_meaning(statement) in wanted
    ]


def statement_meaning(statement: Document) -> t.Any:
    """A value that is equal for statements that mean the same."""
    parts: dict[str, t.Any] = {}
    for element, value in statement.items():
        if element in ("Action", "NotAction"):
            parts[element] = frozenset(action.lower() for action in as_list(value))
        elif element in ("Principal", "NotPrincipal"):
            parts[element] = _principal_meaning(value)
        elif element == "Condition":
            parts[element] = frozenset(
                (
                    operator,
                    key.lower(),
                    frozenset(str(item).lower() if operator == "Bool" else str(item) for item in as_list(values)),
                )
                for operator, block in value.items()
                for key, values in block.items()
            )
        elif element != "Sid":
            parts[element] = frozenset(str(item) for item in as_list(value))
    return frozenset(parts.items())


def _principal_meaning(value: t.Any) -> t.Any:
    if not isinstance(value, dict):
        return value
    return frozenset(
        (
            kind,
            frozenset(re.sub(r"^arn:aws[a-z-]*:iam::([0-9]{12}):root$", r"\1", str(item)) for item in as_list(items)),
        )
        for kind, items in value.items()
    )


def statements(document: Document) -> list[Document]:
    """The statements of a document, also where there is a single one."""
    return [one for one in as_list(document.get("Statement", [])) if isinstance(one, dict)]


def as_list(value: t.Any) -> list[t.Any]:
    """A value of a document, which may be single or a list, as a list."""
    return value if isinstance(value, list) else [value]


def _one_or_list(values: t.Sequence[str]) -> t.Any:
    return values[0] if len(values) == 1 else sorted(values)
