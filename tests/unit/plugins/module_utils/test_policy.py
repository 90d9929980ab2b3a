from __future__ import annotations

import copy
import json
import random
import urllib.parse
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _consumers, _names, _policy, _policy_document
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.authority import Caller, assumes, reads

OWNER, CONSUMER, STRANGER = "111111111111", "222222222222", "333333333333"
PULL = {"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}
READ = PULL | {
    "ecr:BatchCheckLayerAvailability",
    "ecr:DescribeImages",
    "ecr:DescribeRepositories",
    "ecr:ListImages",
    "ecr:ListTagsForResource",
}
NEVER = {
    "ecr:PutImage",
    "ecr:BatchDeleteImage",
    "ecr:DeleteRepository",
    "ecr:TagResource",
    "ecr:UntagResource",
    "ecr:SetRepositoryPolicy",
    "ecr:GetRepositoryPolicy",
    "ecr:GetRegistryPolicy",
    "ecr:DescribeRegistry",
    "ecr:CreateRepository",
    "iam:PassRole",
}
TOKEN = "ecr:GetAuthorizationToken"

# --- what the permissions document allows

texts = st.text(alphabet="abAB1 .:/=+@_-éリ", max_size=5)
keys = st.text(alphabet="abAB1 .:/=+@_-éリ", min_size=1, max_size=5).filter(lambda key: not key.startswith("aws:"))


@st.composite
def declarations(draw: st.DrawFn) -> dict[str, Any]:
    """Valid `repository_tags`: a value is a string or a list of them."""
    chosen = draw(st.lists(keys, min_size=1, max_size=3, unique_by=str.lower))
    return {key: draw(texts | st.lists(texts, min_size=1, max_size=3)) for key in chosen}


@st.composite
def tag_sets(draw: st.DrawFn, declared: dict[str, Any]) -> dict[str, str]:
    """Tags that come near to what is declared: some keys missing, some values wrong, others added."""
    tags = {}
    for key, value in declared.items():
        near = st.sampled_from(value if isinstance(value, list) else [value])
        actual = draw(st.none() | near | near | texts | near.map(str.swapcase))
        if actual is not None:
            tags[key] = actual
    known = {key.lower() for key in declared}
    tags.update(draw(st.dictionaries(keys.filter(lambda key: key.lower() not in known), texts, max_size=2)))
    return tags


@given(st.data(), st.sampled_from(["pull", "read"]), st.sampled_from(["ecr", "aws"]))
def test_permissions_allow_exactly_the_declared_pairs(data: st.DataObject, access: str, condition_key: str) -> None:
    declared = data.draw(declarations())
    problems = Problems()
    tags_of = _policy.repository_tags_of(declared, problems)
    assert problems.found == []
    document = _policy.permissions_document("aws", OWNER, tags_of, access, condition_key)
    tags = data.draw(tag_sets(declared))
    matches = all(
        key in tags and tags[key] in (value if isinstance(value, list) else [value]) for key, value in declared.items()
    )
    arn = f"arn:aws:ecr:eu-west-1:{OWNER}:repository/team/app"
    for action in READ | NEVER:
        expected = matches and action in (PULL if access == "pull" else READ)
        assert reads(document, action, arn, tags) is expected
        assert not reads(document, action, arn, {}), "an untagged repository is open"
        assert not reads(document, action, arn.replace(OWNER, STRANGER), tags), "of another account"
        assert not reads(document, action, "*", tags), "without a resource"
    assert reads(document, TOKEN, "*", {})


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_permissions_in_full(partition: str) -> None:
    tags: dict[str, tuple[str, ...]] = {"environment": ("release", "hotfix"), "team": ("a",)}
    document = _policy.permissions_document(partition, OWNER, tags, "pull", "aws", ["eu-west-1", "ap-northeast-1"])
    assert document == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ReadTaggedRepositories",
                "Effect": "Allow",
                "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                "Resource": [
                    f"arn:{partition}:ecr:ap-northeast-1:{OWNER}:repository/*",
                    f"arn:{partition}:ecr:eu-west-1:{OWNER}:repository/*",
                ],
                "Condition": {
                    "StringEquals": {
                        "aws:ResourceTag/environment": ["hotfix", "release"],
                        "aws:ResourceTag/team": "a",
                    }
                },
            },
            {"Sid": "GetToken", "Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        ],
    }


@pytest.mark.parametrize(
    ("regions", "region", "allowed"),
    [([], "eu-west-1", True), (["eu-west-1"], "eu-west-1", True), (["eu-west-1"], "eu-west-2", False)],
)
def test_regions(regions: list[str], region: str, allowed: bool) -> None:
    document = _policy.permissions_document("aws", OWNER, {"share": ("yes",)}, regions=regions)
    arn = f"arn:aws:ecr:{region}:{OWNER}:repository/app"
    assert reads(document, "ecr:BatchGetImage", arn, {"share": "yes"}) is allowed


# --- whom the trust document lets in

ACCOUNTS = [CONSUMER, STRANGER]
NAMES = ["user/puller", "user/other", "role/ci/deployer"]
EXTERNAL_IDS = ["id-one", "id-two"]
ORGANIZATIONS = ["o-aaaaaaaaaa", "o-bbbbbbbbbb"]


@st.composite
def consumers(draw: st.DrawFn, partition: str) -> dict[str, Any]:
    account = draw(st.sampled_from(ACCOUNTS))
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=2))
    external_id = draw(st.none() | st.sampled_from(EXTERNAL_IDS))
    return {
        "account": account,
        "principals": [draw(st.sampled_from([name, f"arn:{partition}:iam::{account}:{name}"])) for name in names],
        "external_id": external_id,
        "allow_no_external_id": external_id is None,
        "principal_match": draw(st.sampled_from(["principal", "condition"])),
        "organization_id": draw(st.none() | st.sampled_from(ORGANIZATIONS)),
        "require_mfa": draw(st.booleans()),
    }


def declared_for(consumer: dict[str, Any], caller: Caller) -> bool:
    name = caller.arn.rpartition(f"{caller.account}:")[2]
    return (
        consumer["account"] == caller.account
        and (not consumer["principals"] or any(one in (name, caller.arn) for one in consumer["principals"]))
        and consumer["external_id"] in (None, caller.external_id)
        and consumer["organization_id"] in (None, caller.organization)
        and (caller.mfa or not consumer["require_mfa"])
    )


@given(st.data(), st.sampled_from(["aws", "aws-cn", "aws-us-gov"]))
def test_trust_lets_in_exactly_the_declared_callers(data: st.DataObject, partition: str) -> None:
    declared = data.draw(st.lists(consumers(partition), min_size=1, max_size=3))
    document = _policy.trust_document(partition, _consumers.consumers_of(declared, partition, Problems()))
    assert len(document["Statement"]) == len(declared)
    for account in ACCOUNTS:
        for name in NAMES:
            for external_id in [None, *EXTERNAL_IDS]:
                for organization, mfa in [(None, False), (None, True), ("o-aaaaaaaaaa", True), ("o-aaaaaaaaaa", False)]:
                    caller = Caller(f"arn:{partition}:iam::{account}:{name}", external_id, organization, mfa)
                    expected = any(declared_for(one, caller) for one in declared)
                    assert assumes(document, caller) is expected


def test_trust_in_full() -> None:
    declared: list[dict[str, Any]] = [
        {"account": CONSUMER, "principals": ["user/puller"], "external_id": "id-one"},
        {
            "account": STRANGER,
            "principals": ["role/b", "role/a"],
            "external_id": "id-two",
            "principal_match": "condition",
            "organization_id": "o-aaaaaaaaaa",
            "require_mfa": True,
        },
        {"account": CONSUMER, "allow_no_external_id": True},
    ]
    problems = Problems()
    document = _policy.trust_document("aws", _consumers.consumers_of(declared, "aws", problems))
    assert problems.found == []
    assert document == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{CONSUMER}:user/puller"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": "id-one"}},
            },
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{STRANGER}:root"},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": {"sts:ExternalId": "id-two", "aws:PrincipalOrgID": "o-aaaaaaaaaa"},
                    "Bool": {"aws:MultiFactorAuthPresent": "true"},
                    "ArnEquals": {
                        "aws:PrincipalArn": [f"arn:aws:iam::{STRANGER}:role/a", f"arn:aws:iam::{STRANGER}:role/b"]
                    },
                },
            },
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{CONSUMER}:root"}, "Action": "sts:AssumeRole"},
        ],
    }


# --- documents by meaning

partitions = st.sampled_from(["aws", "aws-cn", "aws-us-gov"])


@st.composite
def documents(draw: st.DrawFn, partition: str | None = None) -> dict[str, Any]:
    """Documents of both kinds, from a pool so small that equal ones are drawn often."""
    partition = partition or draw(partitions)
    if draw(st.booleans()):
        pool: list[dict[str, tuple[str, ...]]] = [
            {"share": ("yes",)},
            {"share": ("yes", "no")},
            {"share": ("no",), "b": ("c",)},
        ]
        tags = draw(st.sampled_from(pool))
        return _policy.permissions_document(partition, OWNER, tags, draw(st.sampled_from(["pull", "read"])))
    declared = draw(st.lists(consumers(partition), min_size=1, max_size=2))
    return _policy.trust_document(partition, _consumers.consumers_of(declared, partition, Problems()))


def rewrite(value: Any, dice: random.Random) -> Any:
    """The same document in another of the spellings that AWS may give back."""
    document = copy.deepcopy(value)

    def spelling(item: Any) -> Any:
        items = list(item) if isinstance(item, list) else [item]
        dice.shuffle(items)
        if dice.random() < 0.3:
            items.append(items[0])
        return items[0] if len(items) == 1 and dice.random() < 0.5 else items

    def root(arn: str) -> str:
        return arn.split(":")[4] if arn.endswith(":root") and dice.random() < 0.5 else arn

    for statement in document["Statement"]:
        if dice.random() < 0.5:
            statement["Sid"] = f"S{dice.randrange(9)}"
        else:
            statement.pop("Sid", None)
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        statement["Action"] = spelling([dice.choice([one, one.lower()]) for one in actions])
        if "Resource" in statement:
            statement["Resource"] = spelling(statement["Resource"])
        if "Principal" in statement:
            arns = statement["Principal"]["AWS"]
            statement["Principal"]["AWS"] = spelling(
                [root(one) for one in (arns if isinstance(arns, list) else [arns])]
            )
        for operator, block in statement.get("Condition", {}).items():
            entries = [(dice.choice([key, key.lower()]), spelling(values)) for key, values in block.items()]
            dice.shuffle(entries)
            statement["Condition"][operator] = dict(entries)
    dice.shuffle(document["Statement"])
    if len(document["Statement"]) == 1 and dice.random() < 0.5:
        document["Statement"] = document["Statement"][0]
    return document


@given(documents(), st.randoms(use_true_random=False))
def test_spelling_makes_no_difference(document: dict[str, Any], dice: random.Random) -> None:
    one, other = rewrite(document, dice), rewrite(document, dice)
    assert _policy_document.equal(document, document)
    assert _policy_document.equal(document, one)
    assert _policy_document.equal(one, document)
    assert _policy_document.equal(one, other)
    assert hash(_policy_document.meaning(one)) == hash(_policy_document.meaning(other))


@given(documents(), documents(), documents())
def test_equal_is_an_equivalence(left: dict[str, Any], right: dict[str, Any], third: dict[str, Any]) -> None:
    assert _policy_document.equal(left, right) is _policy_document.equal(right, left)
    if _policy_document.equal(left, right) and _policy_document.equal(right, third):
        assert _policy_document.equal(left, third)


@given(documents("aws"), documents("aws"))
def test_equal_documents_decide_alike(one: dict[str, Any], other: dict[str, Any]) -> None:
    if not _policy_document.equal(one, other):
        return
    for account in ACCOUNTS:
        for name in NAMES:
            for external_id in [None, *EXTERNAL_IDS]:
                caller = Caller(f"arn:aws:iam::{account}:{name}", external_id, "o-aaaaaaaaaa", True)
                if "Principal" in one["Statement"][0]:
                    assert assumes(one, caller) is assumes(other, caller)


BASE: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": [f"arn:aws:iam::{CONSUMER}:root", f"arn:aws:iam::{CONSUMER}:user/a"]},
            "Action": ["sts:AssumeRole"],
            "Resource": ["arn:aws:ecr:*:1:repository/*"],
            "Condition": {
                "StringEquals": {"sts:ExternalId": ["one", "two"]},
                "Bool": {"aws:MultiFactorAuthPresent": "true"},
            },
        }
    ],
}


def changed(**elements: Any) -> dict[str, Any]:
    statement = {**BASE["Statement"][0], **elements}
    return {**BASE, "Statement": [{name: value for name, value in statement.items() if value is not None}]}


@pytest.mark.parametrize(
    "other",
    [
        changed(Effect="Deny"),
        changed(Principal="*"),
        changed(Principal={"AWS": "*"}),
        changed(Principal={"AWS": [CONSUMER]}),
        changed(Principal={"AWS": [STRANGER, f"arn:aws:iam::{CONSUMER}:user/a"]}),
        changed(Principal={"AWS": [CONSUMER, f"arn:aws:iam::{CONSUMER}:user/A"]}),
        changed(Principal={"AWS": [CONSUMER, f"arn:aws:iam::{CONSUMER}:role/a"]}),
        changed(Principal={"AWS": [CONSUMER, "AIDAEXAMPLE"]}),
        changed(Principal={"Service": BASE["Statement"][0]["Principal"]["AWS"]}),
        changed(Principal=None, NotPrincipal=BASE["Statement"][0]["Principal"]),
        changed(Action=["sts:AssumeRole", "sts:TagSession"]),
        changed(Action=None, NotAction=["sts:AssumeRole"]),
        changed(Resource=["*"]),
        changed(Resource=["arn:aws:ecr:*:1:repository/A*"]),
        changed(Condition=None),
        changed(Condition={"StringEquals": {"sts:ExternalId": ["one", "two"]}}),
        changed(Condition={**BASE["Statement"][0]["Condition"], "StringEquals": {"sts:ExternalId": ["one"]}}),
        changed(Condition={**BASE["Statement"][0]["Condition"], "StringEquals": {"sts:ExternalId": ["one", "TWO"]}}),
        changed(
            Condition={**BASE["Statement"][0]["Condition"], "StringEquals": {"aws:PrincipalOrgID": ["one", "two"]}}
        ),
        changed(
            Condition={
                "StringEqualsIfExists": {"sts:ExternalId": ["one", "two"]},
                "Bool": {"aws:MultiFactorAuthPresent": "true"},
            }
        ),
        changed(Condition={**BASE["Statement"][0]["Condition"], "Bool": {"aws:MultiFactorAuthPresent": "false"}}),
        {"Statement": []},
        {"Statement": BASE["Statement"] + changed(Effect="Deny")["Statement"]},
    ],
    ids=lambda other: json.dumps(other["Statement"])[:90],
)
def test_different_documents_differ(other: dict[str, Any]) -> None:
    assert not _policy_document.equal(BASE, other)
    assert not _policy_document.equal(other, BASE)


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_root_arn_is_the_account(partition: str) -> None:
    arn = changed(Principal={"AWS": f"arn:{partition}:iam::{CONSUMER}:root"})
    assert _policy_document.equal(arn, changed(Principal={"AWS": [CONSUMER]}))
    assert not _policy_document.equal(arn, changed(Principal={"AWS": [STRANGER]}))


def test_mfa_as_a_boolean_is_the_same() -> None:
    boolean = {**BASE["Statement"][0]["Condition"], "Bool": {"aws:MultiFactorAuthPresent": True}}
    assert _policy_document.equal(BASE, changed(Condition=boolean))


def test_no_document_equals_only_no_document() -> None:
    assert _policy_document.equal(None, None)
    assert not _policy_document.equal(None, BASE)
    assert not _policy_document.equal(BASE, None)
    assert not _policy_document.equal(None, {"Statement": []})


@given(documents())
def test_parse_takes_what_aws_returns(document: dict[str, Any]) -> None:
    assert _policy_document.parse(document) is document
    sent = _policy_document.text(document)
    assert sent.isascii()
    assert _policy_document.parse(sent) == document
    assert _policy_document.parse(urllib.parse.quote(sent, safe="")) == document
    assert _policy_document.parse("\n" + json.dumps(document, indent=2)) == document


def test_parse_leaves_percent_signs_inside_alone() -> None:
    assert _policy_document.parse('{"Sid": "100%25"}') == {"Sid": "100%25"}


@pytest.mark.parametrize("text", ["[]", '"x"', "null", "{", "%5B%5D", ""])
def test_parse_refuses_what_is_no_document(text: str) -> None:
    with pytest.raises(EcrError, match=r"^AWS returned a policy document that IAM itself would not take"):
        _policy_document.parse(text)


@pytest.mark.parametrize(
    ("document", "characters"),
    [({}, 2), ({"a": "b"}, 9), ({"a": " b\t\n c "}, 14), ({"a": ["b", "c"]}, 15), ({"a": "é"}, 14)],
)
def test_size_counts_what_is_sent_without_white_space(document: dict[str, Any], characters: int) -> None:
    assert _policy_document.size(document) == characters


def test_common_statements() -> None:
    allow_a, allow_b = changed()["Statement"][0], changed(Resource=["*"])["Statement"][0]
    deny = changed(Effect="Deny")["Statement"][0]
    respelled = {**allow_a, "Sid": "A", "Action": "sts:assumerole"}
    assert _policy_document.common_statements({"Statement": [allow_a, allow_b]}, {"Statement": respelled}) == [allow_a]
    assert _policy_document.common_statements({"Statement": allow_a}, {"Statement": [allow_b]}) == []
    assert _policy_document.common_statements({"Statement": [allow_a, deny]}, {"Statement": [allow_a]}) == [
        allow_a,
        deny,
    ]
    assert _policy_document.common_statements({"Statement": [allow_a]}, {"Statement": [allow_a, deny]}) == [allow_a]


# --- what is refused, in the words that the user reads

GOOD: dict[str, Any] = {"account": CONSUMER, "external_id": "id-one"}
QUOTE = " Quote it: YAML reads a bare number as an integer, and one with a leading zero as another number."
DIGITS = ' Write the digits, as in account: "222222222222".'
EXTERNAL_ID = "it needs 2 to 1,224 of letters, digits and _+=,.@:/-"


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        ([], ["consumers is empty: name at least one account that may assume the role."]),
        ([GOOD], []),
        ([GOOD, {**GOOD, "external_id": "id-two"}], []),
        ([GOOD, {**GOOD, "account": STRANGER}], []),
        ([{**GOOD, "principals": ["user/a", "role/path/b", f"arn:aws:iam::{CONSUMER}:role/c"]}], []),
        ([{**GOOD, "principals": [f"arn:aws:iam::{CONSUMER}:root"]}], []),
        ([{"account": CONSUMER, "allow_no_external_id": True}], []),
        (
            [{"account": CONSUMER}],
            [f"Consumer 1 ({CONSUMER}) has no external_id. Give one, or say allow_no_external_id: true."],
        ),
        (
            [GOOD, {"account": STRANGER, "external_id": None}],
            [f"Consumer 2 ({STRANGER}) has no external_id. Give one, or say allow_no_external_id: true."],
        ),
        (
            [{**GOOD, "account": 222222222222}],
            [f"Consumer 1: 222222222222 is not an AWS account id of 12 digits.{QUOTE}"],
        ),
        ([{**GOOD, "account": "12345"}], [f"Consumer 1: '12345' is not an AWS account id of 12 digits.{DIGITS}"]),
        ([{**GOOD, "account": "acme"}], [f"Consumer 1: 'acme' is not an AWS account id of 12 digits.{DIGITS}"]),
        (
            [{**GOOD, "account": CONSUMER + "\n"}],
            [f"Consumer 1: '{CONSUMER}\\n' is not an AWS account id of 12 digits.{DIGITS}"],
        ),
        ([{**GOOD, "account": None}], [f"Consumer 1: None is not an AWS account id of 12 digits.{DIGITS}"]),
        ([{**GOOD, "account": ["1"]}], [f"Consumer 1: ['1'] is not an AWS account id of 12 digits.{DIGITS}"]),
        (
            [{**GOOD, "external_id": ""}],
            [
                f"Consumer 1 ({CONSUMER}): external_id is empty. Give the one that the role's trust names, or leave"
                " the option out."
            ],
        ),
        (
            [{**GOOD, "external_id": "x"}],
            [f"Consumer 1 ({CONSUMER}): external_id has 1 characters, or one that AWS does not take; {EXTERNAL_ID}"],
        ),
        (
            [{**GOOD, "external_id": "a*"}],
            [f"Consumer 1 ({CONSUMER}): external_id has 2 characters, or one that AWS does not take; {EXTERNAL_ID}"],
        ),
        (
            [{**GOOD, "organization_id": "acme"}],
            [f"Consumer 1 ({CONSUMER}): organization_id 'acme' does not look like o-exampleorgid."],
        ),
        (
            [{**GOOD, "principals": ["user/*"]}],
            [
                f"Consumer 1 ({CONSUMER}): principal 'user/*' has a wildcard. Name each user or role, or leave"
                " principals out for the account."
            ],
        ),
        (
            [{**GOOD, "principals": [f"arn:aws-cn:iam::{CONSUMER}:user/a"]}],
            [
                f"Consumer 1 ({CONSUMER}): principal 'arn:aws-cn:iam::{CONSUMER}:user/a' is in partition aws-cn, the"
                " owner account in aws."
            ],
        ),
        (
            [{**GOOD, "principals": [f"arn:aws:iam::{STRANGER}:user/a"]}],
            [
                f"Consumer 1 ({CONSUMER}): principal 'arn:aws:iam::{STRANGER}:user/a' is of another account than"
                f" {CONSUMER}. Declare it under its own account."
            ],
        ),
        *(
            (
                [{**GOOD, "principals": [principal]}],
                [
                    f"Consumer 1 ({CONSUMER}): principal {principal!r} is none of user/NAME, role/NAME, or the ARN of"
                    " one."
                ],
            )
            for principal in ("puller", "group/a", "root", "", "user/", "user/a b", "user/ä", "user/a\n", "user/?")
        ),
        (
            [GOOD, GOOD],
            [f"Consumer {CONSUMER} is declared twice with the same principals and external_id. Remove one."],
        ),
        (
            [{"account": "x", "principals": ["a"], "external_id": "", "organization_id": "b"}],
            [
                f"Consumer 1: 'x' is not an AWS account id of 12 digits.{DIGITS}",
                "Consumer 1 (x): external_id is empty. Give the one that the role's trust names, or leave the option"
                " out.",
                "Consumer 1 (x): organization_id 'b' does not look like o-exampleorgid.",
                "Consumer 1 (x): principal 'a' is none of user/NAME, role/NAME, or the ARN of one.",
            ],
        ),
    ],
)
def test_consumers(declared: list[dict[str, Any]], found: list[str]) -> None:
    problems = Problems()
    result = _consumers.consumers_of(declared, "aws", problems)
    assert problems.found == found
    assert len(result) == len(declared)
    _policy.trust_document("aws", result)  # is made before the problems are reported


@pytest.mark.parametrize("good", ["ab", "a" * 1224, "_+=,.@:/-"])
def test_good_external_ids(good: str) -> None:
    assert _names.external_id_problem(good) is None


@pytest.mark.parametrize("bad", ["a", "a" * 1225, "a b", "ab\n", "a${b}", "é1"])
def test_bad_external_ids(bad: str) -> None:
    assert _names.external_id_problem(bad) == (
        f"external_id has {len(bad)} characters, or one that AWS does not take; {EXTERNAL_ID}"
    )


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        ({"share": "yes", "team": ["a", "b"]}, []),
        ({"share": ""}, []),
        (
            {},
            [
                "repository_tags is empty: without a tag the role would reach every repository or none."
                " Give at least one."
            ],
        ),
        ({"share": []}, ["repository_tags: share has an empty list of values. Give at least one, or leave share out."]),
        ({"share": True}, ["repository_tags: the value of share must be a string; True is not. Quote it."]),
        ({"share": None}, ["repository_tags: the value of share must be a string; None is not. Quote it."]),
        ({"share": ["a", 1]}, ["repository_tags: the value of share must be a string; 1 is not. Quote it."]),
        (
            {"share": [{"a": 1}, {"b": 2}]},
            [
                "repository_tags: the value of share must be a string; {'a': 1} is not. Quote it.",
                "repository_tags: the value of share must be a string; {'b': 2} is not. Quote it.",
            ],
        ),
        (
            {"share": "*"},
            [
                "repository_tags: tag value '*' has a character that ECR does not take: letters, digits, space and"
                " +-=._:/@ are."
            ],
        ),
        (
            {"share": "a", "Share": "b"},
            [
                "repository_tags: share is there in several spellings; IAM does not tell their case apart. Keep one.",
                "repository_tags: Share is there in several spellings; IAM does not tell their case apart. Keep one.",
            ],
        ),
    ],
)
def test_repository_tags(declared: dict[str, Any], found: list[str]) -> None:
    problems = Problems()
    tags = _policy.repository_tags_of(declared, problems)
    assert problems.found == found
    assert list(tags) == list(declared)
    _policy.permissions_document("aws", OWNER, tags)  # is made before the problems are reported


def test_repository_tags_are_alternatives() -> None:
    assert _policy.repository_tags_of({"a": "b", "c": ["d", "e"]}, Problems()) == {"a": ("b",), "c": ("d", "e")}


RESERVED = "starts with aws:, which AWS keeps for itself. Choose another key."
CHARACTER = "has a character that ECR does not take: letters, digits, space and +-=._:/@ are."


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("a", "", None),
        ("k" * 128, "v" * 256, None),
        ("Umgebung für リリース +-=._:/@", "1", None),
        ("awsome", "aws", None),
        ("aws:x", "v", f"tag key 'aws:x' {RESERVED}"),
        ("AWS:x", "v", f"tag key 'AWS:x' {RESERVED}"),
        ("", "v", "tag key '' has 0 characters; ECR takes 1 to 128."),
        ("k" * 129, "v", f"tag key {'k' * 20!r} has 129 characters; ECR takes 1 to 128."),
        ("k", "v" * 257, "the value of tag 'k' has 257 characters; ECR takes up to 256."),
        ("a*", "v", f"tag key 'a*' {CHARACTER}"),
        ("a", "v\n", f"tag value 'v\\n' {CHARACTER}"),
        ("a", "${aws:username}", f"tag value '${{aws:username}}' {CHARACTER}"),
        ("a", "v?", f"tag value 'v?' {CHARACTER}"),
    ],
)
def test_tag_problem(key: str, value: str, problem: str | None) -> None:
    assert _names.tag_problem(key, value) == problem


@pytest.mark.parametrize("good", ["eu-west-1", "ap-northeast-1", "us-gov-west-1", "cn-north-1", "us-iso-east-1"])
def test_good_regions(good: str) -> None:
    assert _names.region_problem(good) is None


@pytest.mark.parametrize("bad", ["*", "eu-*", "", "eu-west-1 ", "eu-west-1:222222222222:repository/x", "Tokyo", None])
def test_bad_regions(bad: Any) -> None:
    assert _names.region_problem(bad) == f"regions: {bad!r} does not look like a region, such as ap-northeast-1."


ROLE = f"arn:aws:iam::{OWNER}:role/path/allow"


@pytest.mark.parametrize(
    ("role_arn", "external_id", "session_name", "found"),
    [
        (ROLE, "id-one", "crossaccount.ecr", []),
        (ROLE.replace("aws", "aws-cn"), None, "ab", []),
        *(
            (
                bad,
                None,
                "ab",
                [f"role_arn {bad!r} is not the ARN of a role, such as arn:aws:iam::111111111111:role/NAME."],
            )
            for bad in ("allow", "", ROLE + "\n", ROLE.replace(":role", ":user"), ROLE.replace("1:", ":"), ROLE + "*")
        ),
        *(
            (ROLE, None, bad, [f"role_session_name {bad!r} needs 2 to 64 of letters, digits and _+=,.@-"])
            for bad in ("", "a", "a" * 65, "a b", "a/b", "äb")
        ),
        (
            "x",
            "",
            "y",
            [
                "role_arn 'x' is not the ARN of a role, such as arn:aws:iam::111111111111:role/NAME.",
                "external_id is empty. Give the one that the role's trust names, or leave the option out.",
                "role_session_name 'y' needs 2 to 64 of letters, digits and _+=,.@-",
            ],
        ),
    ],
)
def test_assume_problems(role_arn: str, external_id: str | None, session_name: str, found: list[str]) -> None:
    assert _names.assume_problems(role_arn, external_id, session_name) == found
