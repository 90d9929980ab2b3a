# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems of the declared consumers, and the external IDs that are generated once."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _policy
from ansible_collections.crossaccount.ecr.plugins.module_utils._consumer_problems import consumers_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._consumers import (
    Consumer,
    consumer_of,
    with_external_ids,
)

from tests.unit.roles import CONSUMER, LOWER_UNIT, ORGANIZATIONS, OTHER_UNIT, STRANGER, UNIT

ORGANIZATION = ORGANIZATIONS[0]

GOOD: dict[str, Any] = {"account": CONSUMER, "external_id": "id-one"}
QUOTE = " Quote it: YAML reads a bare number as an integer, and one with a leading zero as another number."
DIGITS = ' Write the digits, as in account: "222222222222".'
NOBODY = "It has neither account nor organization_id. Set account, or organization_id for a whole organization."
IN_ORGANIZATION: dict[str, Any] = {"organization_id": ORGANIZATION, "external_id": "id-one"}
EXTERNAL_ID = "It needs 2 to 1,224 letters, digits and _+=,.@:/-"


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ([], ["consumers is empty. Name at least one account that can assume the role."]),
        ([GOOD], []),
        ([GOOD, {**GOOD, "external_id": "id-two"}], []),
        ([GOOD, {**GOOD, "account": STRANGER}], []),
        ([{**GOOD, "principals": ["user/a", "role/path/b", f"arn:aws:iam::{CONSUMER}:role/c"]}], []),
        ([{**GOOD, "principals": [f"arn:aws:iam::{CONSUMER}:root"]}], []),
        ([{"account": CONSUMER, "allow_no_external_id": True}], []),
        (
            [{"account": CONSUMER}],
            [f"Consumer 1 ({CONSUMER}) has no external_id. Set one, or set allow_no_external_id: true."],
        ),
        (
            [GOOD, {"account": STRANGER, "external_id": None}],
            [f"Consumer 2 ({STRANGER}) has no external_id. Set one, or set allow_no_external_id: true."],
        ),
        (
            [{**GOOD, "account": 222222222222}],
            [f"Consumer 1: 222222222222 is a number, not an AWS account ID of 12 digits.{QUOTE}"],
        ),
        ([{**GOOD, "account": "12345"}], [f"Consumer 1: '12345' is not an AWS account ID of 12 digits.{DIGITS}"]),
        ([{**GOOD, "account": "acme"}], [f"Consumer 1: 'acme' is not an AWS account ID of 12 digits.{DIGITS}"]),
        (
            [{**GOOD, "account": CONSUMER + "\n"}],
            [f"Consumer 1: '{CONSUMER}\\n' is not an AWS account ID of 12 digits.{DIGITS}"],
        ),
        ([{**GOOD, "account": None}], [f"Consumer 1: {NOBODY}"]),
        ([{"external_id": "id-one"}], [f"Consumer 1: {NOBODY}"]),
        ([IN_ORGANIZATION], []),
        ([{**IN_ORGANIZATION, "organization_units": [UNIT, OTHER_UNIT], "session_tags": True}], []),
        ([{**GOOD, "organization_id": ORGANIZATION, "organization_units": [LOWER_UNIT]}], []),
        (
            [{**IN_ORGANIZATION, "external_id": None, "allow_no_external_id": True}],
            [f"Consumer 1 ({ORGANIZATION}) has no external_id. Set one. allow_no_external_id is only for an account."],
        ),
        (
            [{**IN_ORGANIZATION, "organization_id": "o-*"}],
            ["Consumer 1 (o-*): organization_id 'o-*' does not look like o-exampleorgid."],
        ),
        (
            [{**IN_ORGANIZATION, "principals": ["role/a", "user/*"]}],
            [
                f"Consumer 1 ({ORGANIZATION}): principals needs account. Declare the users and roles under their own"
                " account, or omit principals."
            ],
        ),
        (
            [{**IN_ORGANIZATION, "organization_units": []}],
            [
                f"Consumer 1 ({ORGANIZATION}): organization_units is an empty list. Name at least one unit, or omit the"
                " option to include the whole organization."
            ],
        ),
        (
            [{**GOOD, "organization_units": [UNIT]}],
            [
                f"Consumer 1 ({CONSUMER}): organization_units needs organization_id. Set it to the organization of the"
                " units."
            ],
        ),
        (
            [{"external_id": "id-one", "organization_units": [UNIT]}],
            [
                f"Consumer 1: {NOBODY}",
                "Consumer 1 (nobody): organization_units needs organization_id. Set it to the organization of the"
                " units.",
            ],
        ),
        (
            [{**IN_ORGANIZATION, "organization_id": "o-bbbbbbbbbb", "organization_units": [UNIT]}],
            [
                f"Consumer 1 (o-bbbbbbbbbb): unit {UNIT} belongs to organization {ORGANIZATION}, not to o-bbbbbbbbbb."
                " Declare it under its own organization."
            ],
        ),
        *(
            (
                [{**IN_ORGANIZATION, "organization_units": [unit]}],
                [
                    f"Consumer 1 ({ORGANIZATION}): unit {unit!r} is not the path of an organizational unit, such as"
                    " o-a1b2c3d4e5/r-f6g7/ou-f6g7-11111111. Write the IDs from the organization to the unit."
                ],
            )
            for unit in (
                "ou-ab12-11111111",
                f"{ORGANIZATION}/r-ab12",
                f"{UNIT}/",
                f"{UNIT}/*",
                f"{ORGANIZATION}/r-ab12/ou-ab12-1*",
                f"{UNIT}/{CONSUMER}",
                UNIT.upper(),
                f"{UNIT}\n",
                "",
            )
        ),
        (
            [{**IN_ORGANIZATION, "organization_units": [LOWER_UNIT, UNIT, OTHER_UNIT, OTHER_UNIT]}],
            [
                f"Consumer 1 ({ORGANIZATION}): unit {LOWER_UNIT} is below {UNIT}, which includes it. Remove"
                f" {LOWER_UNIT}.",
                f"Consumer 1 ({ORGANIZATION}): unit {OTHER_UNIT} is listed twice. Remove one.",
            ],
        ),
        (
            [IN_ORGANIZATION, IN_ORGANIZATION, {**IN_ORGANIZATION, "organization_units": [UNIT]}],
            [f"Consumer {ORGANIZATION} is declared twice with the same principals and external_id. Remove one."],
        ),
        (
            [{"service": "lambda.amazonaws.com", "source_accounts": [CONSUMER]}],
            [
                f"Consumer 1 (lambda.amazonaws.com): {name} is for repository policies and registry policies. A service"
                " does not assume a pull role."
                for name in ("service", "source_accounts")
            ],
        ),
        ([{**GOOD, "account": ["1"]}], [f"Consumer 1: ['1'] is not an AWS account ID of 12 digits.{DIGITS}"]),
        (
            [{**GOOD, "external_id": ""}],
            [
                f"Consumer 1 ({CONSUMER}): external_id is empty. Set the external ID that the trust policy names, or"
                " omit the option."
            ],
        ),
        (
            [{**GOOD, "external_id": "x"}],
            [
                f"Consumer 1 ({CONSUMER}): external_id has 1 characters, or a character that AWS does not accept."
                f" {EXTERNAL_ID}"
            ],
        ),
        (
            [{**GOOD, "external_id": "a*"}],
            [
                f"Consumer 1 ({CONSUMER}): external_id has 2 characters, or a character that AWS does not accept."
                f" {EXTERNAL_ID}"
            ],
        ),
        (
            [{**GOOD, "organization_id": "acme"}],
            [f"Consumer 1 ({CONSUMER}): organization_id 'acme' does not look like o-exampleorgid."],
        ),
        (
            [{**GOOD, "principals": ["user/*"]}],
            [
                f"Consumer 1 ({CONSUMER}): principal 'user/*' contains a wildcard. Name each user or role, or omit"
                " principals to trust the account."
            ],
        ),
        (
            [{**GOOD, "principals": [f"arn:aws-cn:iam::{CONSUMER}:user/a"]}],
            [
                f"Consumer 1 ({CONSUMER}): principal 'arn:aws-cn:iam::{CONSUMER}:user/a' is in partition aws-cn, but"
                " the owner account is in aws."
            ],
        ),
        (
            [{**GOOD, "principals": [f"arn:aws:iam::{STRANGER}:user/a"]}],
            [
                f"Consumer 1 ({CONSUMER}): principal 'arn:aws:iam::{STRANGER}:user/a' does not belong to account"
                f" {CONSUMER}. Declare it under its own account."
            ],
        ),
        *(
            (
                [{**GOOD, "principals": [principal]}],
                [
                    f"Consumer 1 ({CONSUMER}): principal {principal!r} is not user/NAME, role/NAME, or the ARN of a"
                    " user or a role."
                ],
            )
            for principal in ("puller", "group/a", "root", "", "user/", "user/a b", "user/ä", "user/a\n", "user/?")
        ),
        (
            [{**GOOD, "principals": [f"arn:aws:iam::{CONSUMER}:root"], "principal_match": "condition"}],
            [
                f"Consumer 1 ({CONSUMER}): arn:aws:iam::{CONSUMER}:root means only the root user with"
                " principal_match: condition. Omit principals."
            ],
        ),
        (
            [GOOD, {**GOOD, "allow_no_external_id": True}],
            [f"Consumer {CONSUMER} is declared twice with the same principals and external_id. Remove one."],
        ),
        (
            [GOOD, GOOD],
            [f"Consumer {CONSUMER} is declared twice with the same principals and external_id. Remove one."],
        ),
        (
            [{"account": "x", "principals": ["a"], "external_id": "", "organization_id": "b"}],
            [
                f"Consumer 1: 'x' is not an AWS account ID of 12 digits.{DIGITS}",
                "Consumer 1 (x): external_id is empty. Set the external ID that the trust policy names, or omit the"
                " option.",
                "Consumer 1 (x): organization_id 'b' does not look like o-exampleorgid.",
                "Consumer 1 (x): principal 'a' is not user/NAME, role/NAME, or the ARN of a user or a role.",
            ],
        ),
    ],
)
def test_consumers(declared: list[dict[str, Any]], expected: list[str]) -> None:
    result = [consumer_of(item) for item in declared]
    assert list(consumers_problems(result, "aws")) == expected
    _policy.trust_document("aws", result)  # is made before the problems are reported


ONE, TWO = CONSUMER, STRANGER
FIRST = Consumer(ONE, (), "id-one")
SECOND = Consumer(TWO, ("user/puller", "role/ci/deploy"), "id-two", "condition", "o-abcdefghij", True)


def generate(account: str, *principals: str) -> dict[str, Any]:
    return {"account": account, "principals": list(principals), "external_id": "generate"}


@pytest.mark.parametrize(
    ("declared", "ids"),
    [
        ([generate(ONE)], ["id-one"]),
        ([generate(ONE, "user/new")], ["id-one"]),  # the only consumer of its account keeps its id
        ([generate(TWO, "role/ci/deploy", "user/puller")], ["id-two"]),
        ([generate(TWO, "user/x"), generate(TWO, "user/puller", "role/ci/deploy")], ["new", "id-two"]),
        ([generate("444444444444")], ["new"]),
        ([generate("444444444444", "user/back")], ["id-dangling"]),
        ([{"account": ONE, "external_id": "said"}], ["said"]),
    ],
)
def test_a_generated_external_id_is_made_once(declared: list[dict[str, Any]], ids: list[str]) -> None:
    trust = _policy.trust_document("aws", [FIRST, SECOND])
    if ids == ["id-dangling"]:
        condition = {"StringEquals": {"sts:ExternalId": "id-dangling"}}
        trust["Statement"] = [
            {"Effect": "Allow", "Principal": {"AWS": "AIDAEXAMPLEEXAMPLE123"}, "Condition": condition}
        ]
    consumers = [consumer_of(item) for item in declared]
    assert [consumer.external_id for consumer in with_external_ids(consumers, "aws", trust, lambda: "new")] == ids
    (new,) = with_external_ids([consumer_of(generate(ONE))], "aws", None, lambda: "new")
    assert new.external_id == "new"


def in_organization(organization: str, *units: str) -> dict[str, Any]:
    return {"organization_id": organization, "organization_units": list(units) or None, "external_id": "generate"}


@pytest.mark.parametrize(
    ("declared", "ids"),
    [
        ([in_organization(ORGANIZATION, UNIT)], ["id-unit"]),
        ([in_organization(ORGANIZATION, OTHER_UNIT)], ["id-unit"]),  # the only consumer of its organization
        ([in_organization(ORGANIZATION), in_organization(ORGANIZATION, UNIT)], ["new", "id-unit"]),
        ([in_organization(ORGANIZATIONS[1])], ["id-whole"]),
        ([in_organization("o-cccccccccc")], ["new"]),
        ([generate(ONE)], ["id-one"]),  # the statement of an organization is not one of its accounts
        ([generate(TWO)], ["new"]),
    ],
)
def test_a_generated_external_id_of_an_organization_is_kept(declared: list[dict[str, Any]], ids: list[str]) -> None:
    before = [
        {**in_organization(ORGANIZATION, UNIT), "external_id": "id-unit"},
        {**in_organization(ORGANIZATIONS[1]), "external_id": "id-whole"},
        {"account": ONE, "external_id": "id-one", "organization_id": ORGANIZATION, "organization_units": [UNIT]},
    ]
    trust = _policy.trust_document("aws", [consumer_of(item) for item in before])
    trust["Statement"][1]["Principal"] = "*"  # edited by hand, with the same meaning
    consumers = [consumer_of(item) for item in declared]
    assert [consumer.external_id for consumer in with_external_ids(consumers, "aws", trust, lambda: "new")] == ids


def test_an_external_id_without_its_organization_is_not_read() -> None:
    """A statement for everyone, edited by hand, belongs to no declared consumer."""
    trust = _policy.trust_document("aws", [consumer_of(IN_ORGANIZATION)])
    del trust["Statement"][0]["Condition"]["StringEquals"]["aws:PrincipalOrgID"]
    for item in (in_organization(ORGANIZATION), generate(ONE)):
        (consumer,) = with_external_ids([consumer_of(item)], "aws", trust, lambda: "new")
        assert consumer.external_id == "new"


@pytest.mark.parametrize(
    "declared",
    [
        {**GOOD, "principals": ["role/a"], "session_tags": True, "require_mfa": True},
        {**IN_ORGANIZATION, "organization_units": [UNIT]},
        {**IN_ORGANIZATION, "organization_units": []},
        {"service": "lambda.amazonaws.com", "source_arns": ["a"], "source_accounts": ["b"]},
    ],
)
def test_the_options_of_a_consumer_declare_the_same_consumer(declared: dict[str, Any]) -> None:
    consumer = consumer_of(declared)
    assert consumer_of(consumer.options) == consumer
    assert {name: value for name, value in consumer.options.items() if name in declared} == declared
