# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents by meaning: parsed, compared, measured."""

from __future__ import annotations

import copy
import json
import random
import urllib.parse
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _policy, _policy_document
from ansible_collections.crossaccount.ecr.plugins.module_utils._consumers import consumer_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.authority import Caller, assumes
from tests.unit.roles import ACCOUNTS, CONSUMER, EXTERNAL_IDS, NAMES, OWNER, STRANGER, consumers

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
        return _policy.permissions_document(Identity(partition, OWNER), tags, draw(st.sampled_from(["pull", "read"])))
    declared = draw(st.lists(consumers(partition), min_size=1, max_size=2))
    return _policy.trust_document(partition, map(consumer_of, declared))


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
        statement["Action"] = spelling([dice.choice([action, action.lower()]) for action in actions])
        if "Resource" in statement:
            statement["Resource"] = spelling(statement["Resource"])
        if "Principal" in statement:
            arns = statement["Principal"]["AWS"]
            statement["Principal"]["AWS"] = spelling(
                [root(item) for item in (arns if isinstance(arns, list) else [arns])]
            )
            if arns == "*" and dice.random() < 0.5:
                statement["Principal"] = "*"
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
    first, second = rewrite(document, dice), rewrite(document, dice)
    assert _policy_document.equivalent(document, document)
    assert _policy_document.equivalent(document, first)
    assert _policy_document.equivalent(first, document)
    assert _policy_document.equivalent(first, second)
    assert hash(_policy_document.canonical(first)) == hash(_policy_document.canonical(second))


@given(documents(), documents(), documents())
def test_equal_is_an_equivalence(left: dict[str, Any], right: dict[str, Any], third: dict[str, Any]) -> None:
    assert _policy_document.equivalent(left, right) is _policy_document.equivalent(right, left)
    if _policy_document.equivalent(left, right) and _policy_document.equivalent(right, third):
        assert _policy_document.equivalent(left, third)


@given(documents("aws"), documents("aws"))
def test_equal_documents_decide_alike(first: dict[str, Any], second: dict[str, Any]) -> None:
    if not _policy_document.equivalent(first, second):
        return
    for account in ACCOUNTS:
        for name in NAMES:
            for external_id in [None, *EXTERNAL_IDS]:
                caller = Caller(f"arn:aws:iam::{account}:{name}", external_id, "o-aaaaaaaaaa", True)
                if "Principal" in first["Statement"][0]:
                    assert assumes(first, caller) is assumes(second, caller)


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
    assert not _policy_document.equivalent(BASE, other)
    assert not _policy_document.equivalent(other, BASE)


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_root_arn_is_the_account(partition: str) -> None:
    arn = changed(Principal={"AWS": f"arn:{partition}:iam::{CONSUMER}:root"})
    assert _policy_document.equivalent(arn, changed(Principal={"AWS": [CONSUMER]}))
    assert not _policy_document.equivalent(arn, changed(Principal={"AWS": [STRANGER]}))


def test_mfa_as_a_boolean_is_the_same() -> None:
    boolean = {**BASE["Statement"][0]["Condition"], "Bool": {"aws:MultiFactorAuthPresent": True}}
    assert _policy_document.equivalent(BASE, changed(Condition=boolean))


def test_no_document_equals_only_no_document() -> None:
    assert _policy_document.equivalent(None, None)
    assert not _policy_document.equivalent(None, BASE)
    assert not _policy_document.equivalent(BASE, None)
    assert not _policy_document.equivalent(None, {"Statement": []})


@given(documents())
def test_parse_accepts_documents_of_aws(document: dict[str, Any]) -> None:
    assert _policy_document.parse(document) is document
    sent = _policy_document.text(document)
    assert sent.isascii()
    assert _policy_document.parse(sent) == document
    assert _policy_document.parse(urllib.parse.quote(sent, safe="")) == document
    assert _policy_document.parse("\n" + json.dumps(document, indent=2)) == document


def test_parse_leaves_percent_signs_inside_alone() -> None:
    assert _policy_document.parse('{"Sid": "100%25"}') == {"Sid": "100%25"}


@pytest.mark.parametrize("text", ["[]", '"x"', "null", "{", "%5B%5D", ""])
def test_parse_rejects_text_that_is_not_a_document(text: str) -> None:
    with pytest.raises(EcrError, match=r"^AWS returned a policy document that is not valid"):
        _policy_document.parse(text)


@pytest.mark.parametrize(
    "elements",
    [
        {"Effect": ["Allow"]},
        {"Effect": None},
        {"Action": [{}]},
        {"NotAction": 5},
        {"Resource": [["*"]]},
        {"NotResource": {"a": "b"}},
        {"Principal": [CONSUMER]},
        {"Principal": {"AWS": [{}]}},
        {"NotPrincipal": {"AWS": None}},
        {"NotPrincipal": 5},
        {"Condition": []},
        {"Condition": "x"},
        {"Condition": {"StringEquals": "x"}},
        {"Condition": {"StringEquals": {"sts:ExternalId": {}}}},
        {"Condition": {"StringEquals": {"sts:ExternalId": ["one", None]}}},
        {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": True}, "StringEquals": {"sts:ExternalId": [["one"]]}}},
    ],
)
def test_malformed_elements_of_a_statement_are_rejected(elements: dict[str, Any]) -> None:
    for statements in ([{**BASE["Statement"][0], **elements}], {**BASE["Statement"][0], **elements}):
        with pytest.raises(EcrError, match="AWS returned a policy document that is not valid"):
            _policy_document.parse({"Statement": statements})
    with pytest.raises(EcrError):
        _policy_document.parse({"Statement": [BASE["Statement"][0], elements]})


@pytest.mark.parametrize(
    "elements",
    [
        {"Principal": "*"},
        {"NotPrincipal": {"AWS": [CONSUMER], "Service": "ec2.amazonaws.com"}},
        {"Condition": {}},
        {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": True}, "NumericLessThan": {"a": [1, 1.5]}}},
    ],
)
def test_forms_that_iam_accepts_are_accepted(elements: dict[str, Any]) -> None:
    document = {"Statement": {**BASE["Statement"][0], **elements}}
    assert _policy_document.parse(document) is document


def test_principals_as_a_text_are_compared() -> None:
    assert _policy_document.equivalent(changed(Principal="*"), changed(Principal="*"))
    assert not _policy_document.equivalent(changed(Principal="*"), changed(Principal=CONSUMER))


@pytest.mark.parametrize(
    ("principals", "found"),
    [
        ({"AWS": "AIDAJQABLZS4A3QDU576Q"}, ["AIDAJQABLZS4A3QDU576Q"]),
        ({"AWS": [CONSUMER, "AROADBQP57FF2AEXAMPLE"]}, ["AROADBQP57FF2AEXAMPLE"]),
        ({"AWS": f"arn:aws:iam::{CONSUMER}:user/AIDAJQABLZS4A3QDU576Q"}, []),
        ({"Service": "AIDAJQABLZS4A3QDU576Q"}, []),
        ("*", []),
    ],
)
def test_deleted_principals_are_unique_ids(principals: Any, found: list[str]) -> None:
    assert _policy_document.dangling_principals(changed(Principal=principals)) == found
    assert _policy_document.dangling_principals(None) == []


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
