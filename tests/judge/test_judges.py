# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's evaluator against two others, and the program that answers questions."""

from __future__ import annotations

import fnmatch
import json
import pathlib
import random
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import (
    _condition,
    _evaluate,
    _operators,
    _principal,
    _statement,
    _wildcard,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._admission import lost_admissions
from ansible_collections.crossaccount.ecr.plugins.module_utils._ternary import NO, YES, some
from ansible_collections.crossaccount.ecr.plugins.module_utils._trust_subset import is_still_admitted, is_subset

from tests.judge import independent
from tests.judge.compare import ROOT, compare, lab_verdicts
from tests.judge.generator import Generator
from tests.judge.questions import answer

QUESTIONS, SEED = 4000, 1
OWN_CASES = [json.loads(line) for line in (pathlib.Path(__file__).parent / "own_cases.jsonl").read_text().splitlines()]


def verdict_of(case: dict[str, Any]) -> str:
    return "allowed" if case["verdict"] == "Allowed" else "denied"


def test_three_evaluators_agree_on_random_questions() -> None:
    replies = compare(QUESTIONS)
    assert replies.differences == [], replies.lines
    assert replies.verdicts["allowed"] > QUESTIONS / 10
    assert replies.verdicts["denied"] > QUESTIONS / 10
    assert replies.verdicts["unknown"] < QUESTIONS / 50
    assert sum(replies.explained.values()) < QUESTIONS / 50


@pytest.mark.parametrize("case", OWN_CASES, ids=lambda case: str(case["id"]))
def test_own_cases(case: dict[str, Any]) -> None:
    replies = answer(case)
    assert replies["verdict"] == independent.verdict(case) == verdict_of(case), replies
    explicit = case["verdict"] == "ExplicitlyDenied"
    assert replies["reason"].endswith(" denies it") is explicit


def test_the_lab_agrees_on_own_cases() -> None:
    assert lab_verdicts(OWN_CASES) == [verdict_of(case) for case in OWN_CASES]


# --- rules that are broken are noticed ------------------------------------------------------------------------------


def first_only(values: Any) -> Any:
    return next(iter(values), NO)


Break = Callable[[pytest.MonkeyPatch], None]
BREAKS: dict[str, Break] = {
    "fnmatch instead of IAM's wildcards": lambda patch: patch.setattr(
        _wildcard, "matches", lambda template, text: fnmatch.fnmatchcase(text, _wildcard.literal(template))
    ),
    "actions have a case": lambda patch: patch.setattr(
        _wildcard, "matches_any_case", lambda pattern, text: _wildcard.matches(((pattern, True),), text)
    ),
    "what a variable brings in is a pattern": lambda patch: patch.setattr(
        _condition, "expand", lambda text, *_others: ((text, True),)
    ),
    "a negated operator needs one value that differs": lambda patch: patch.setattr(_condition, "some", first_only),
    "no operator is negated": lambda patch: patch.setitem(
        _operators.OPERATORS, "stringnotlike", _operators.OPERATORS["stringlike"]
    ),
    "a date is compared as text": lambda patch: patch.setitem(
        _operators.OPERATORS, "datelessthan", _operators.OPERATORS["stringequals"]
    ),
    "conditions are ignored": lambda patch: patch.setattr(_condition, "holds", lambda *_arguments: YES),
    "principals are ignored": lambda patch: patch.setattr(_principal, "includes", lambda *_arguments: YES),
    "an account that is named suffices": lambda patch: patch.setattr(_principal, "NAMED", _principal.ANYWAY),
    "resources are ignored": lambda patch: patch.setattr(_statement, "_covers_resource", lambda *_arguments: YES),
    "denials are ignored": lambda patch: patch.setattr(_evaluate.Layer, "denies", lambda *_arguments: NO),
    "one side suffices across accounts": lambda patch: patch.setattr(_evaluate, "every", some),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_rule_that_is_broken_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = list(Generator(SEED).questions(1500))
    expected = [independent.verdict(question) for question in batch]
    assert [answer(question)["verdict"] for question in batch] == expected
    BREAKS[name](monkeypatch)
    assert [answer(question)["verdict"] for question in batch] != expected


# --- kept trust -------------------------------------------------------------------------------------------------


def changed(chance: random.Random, document: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """A trust policy that is a little wider, narrower, or different."""
    listed = document["Statement"]
    statements = [dict(statement) for statement in (listed if isinstance(listed, list) else [listed])]
    for item in statements:
        kind = chance.choice(("same", "drop", "principal", "action", "condition"))
        if kind == "drop":
            item.pop("Condition", None)
        elif kind == "principal" and "Principal" in item:
            item["Principal"] = chance.choice(("*", {"AWS": "222222222222"}, {"AWS": ["222222222222", "333333333333"]}))
        elif kind == "action" and "Action" in item:
            item["Action"] = chance.choice(("sts:*", "sts:AssumeRole", "*"))
        elif kind == "condition" and "Condition" in item:
            item["Condition"] = {
                chance.choice((operator, f"{operator}IfExists", operator.replace("Equals", "Like"))): {
                    key: chance.choice((values, [values, "x"] if isinstance(values, str) else values))
                    for key, values in block.items()
                }
                for operator, block in item["Condition"].items()
            }
    return {
        **document,
        "Statement": chance.choice((statements, [*statements, *independent.as_list(other["Statement"])])),
    }


def test_kept_trust_is_a_subset_of_the_new_policy() -> None:
    """If a statement admits a caller, and counts as kept, the new trust policy admits this caller."""
    chance = random.Random(SEED)  # noqa: S311, the same cases in every run
    everything = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    batch = [question for question in Generator(SEED).questions(12000) if question["action"].startswith("sts:")]
    still_admitted = admitted = equal = 0
    for question, other in zip(batch, batch[1:]):
        old = question["resourcePolicy"]
        new = changed(chance, old, other["resourcePolicy"])
        for statement, text in zip(_statement.read_statements(old, "old", True), independent.as_list(old["Statement"])):
            if statement.effect == "Deny" or not is_still_admitted(statement, new):
                continue
            still_admitted += 1
            alone = {**question, "identity": [everything], "resourcePolicy": {**old, "Statement": text}}
            if independent.verdict(alone) == "allowed":
                admitted += 1
                after = independent.verdict({**alone, "resourcePolicy": new})
                assert after != "denied", (question, new)
            equal += is_subset(statement, statement)
    assert still_admitted > 1000
    assert admitted > 300
    assert equal == still_admitted


def test_trust_policy_compared_with_itself_loses_no_principal() -> None:
    policies = [
        question["resourcePolicy"]
        for question in Generator(SEED).questions(3000)
        if question["action"].startswith("sts:")
    ]
    assert [policy for policy in policies if lost_admissions(policy, policy)] == []
    assert sum(bool(lost_admissions(policy, {"Statement": []})) for policy in policies) > len(policies) / 2


# --- the program --------------------------------------------------------------------------------------------------


def ask(lines: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "tests.judge"]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_program_answers_each_line() -> None:
    replies = ask("".join(json.dumps(case) + "\n" for case in OWN_CASES))
    assert [set(answer) for answer in replies] == [{"id", "verdict", "reason"}] * len(OWN_CASES)
    assert [(answer["id"], answer["verdict"]) for answer in replies] == [
        (case["id"], verdict_of(case)) for case in OWN_CASES
    ]


MALFORMED: list[Any] = [
    None,
    7,
    [],
    {},
    {**OWN_CASES[0], "ctx": None},
    {**OWN_CASES[0], "ctx": {"a": {"b": "c"}}},
    {**OWN_CASES[0], "action": None},
    {**OWN_CASES[0], "account": "1"},
    {**OWN_CASES[0], "principal": "nobody"},
    {**OWN_CASES[0], "principal": {"AWS": ["a"]}},
    {**OWN_CASES[0], "principal": {"Service": ["a"]}},
    {**OWN_CASES[0], "identity": None},
    {**OWN_CASES[0], "identity": [[]]},
    {**OWN_CASES[0], "identity": [{"Version": "2012-10-17"}]},
    {**OWN_CASES[0], "identity": [{"Version": ["2012-10-17"], "Statement": []}]},
    {**OWN_CASES[0], "resourcePolicy": "x"},
]


def test_a_malformed_question_is_unknown_with_a_reason() -> None:
    replies = ask(
        "not JSON\n\n" + "[" * 100_000 + "\n" + "".join(json.dumps(question) + "\n" for question in MALFORMED)
    )
    assert len(replies) == len(MALFORMED) + 2
    assert {answer["verdict"] for answer in replies} == {"unknown"}
    assert all(answer["reason"] for answer in replies)
    assert [answer["id"] for answer in replies[6:]] == [OWN_CASES[0]["id"]] * (len(MALFORMED) - 4)


JUNK: tuple[Any, ...] = (
    None,
    True,
    -1,
    1e400,
    "",
    "*",
    "${",
    "${aws:x}",
    "arn:",
    "\ud800",
    [],
    {},
    [None],
    {"AWS": {}},
    [[{}]],
)


def spoiled(chance: random.Random, value: Any) -> Any:
    """The value with something else in one place of it."""
    if isinstance(value, (dict, list)) and value and chance.random() < 0.9:
        keys = list(value) if isinstance(value, dict) else range(len(value))
        chosen = chance.choice(list(keys))
        if isinstance(value, dict):
            if chance.random() < 0.1:
                return {key: member for key, member in value.items() if key != chosen} | {
                    str(chance.choice(JUNK)): value[chosen]
                }
            return {**value, chosen: spoiled(chance, value[chosen])}
        return [spoiled(chance, element) if index == chosen else element for index, element in enumerate(value)]
    return chance.choice(JUNK)


def test_no_question_makes_the_evaluator_fail() -> None:
    chance = random.Random(SEED)  # noqa: S311, the same cases in every run
    verdicts = set()
    for question in Generator(SEED).questions(6000):
        replies = answer(spoiled(chance, question))
        assert replies["reason"]
        verdicts.add(replies["verdict"])
    assert verdicts == {"allowed", "denied", "unknown"}


@pytest.mark.parametrize(
    ("principal", "verdict"),
    [
        ({"Service": "ec2.amazonaws.com"}, "allowed"),
        ({"Service": "ecs.amazonaws.com"}, "denied"),
        ({"Federated": "accounts.google.com"}, "allowed"),
        ({"CanonicalUser": "79a5"}, "allowed"),
        ({"AWS": "arn:aws:iam::222222222222:user/a"}, "denied"),
    ],
)
def test_questions_may_be_about_other_kinds_of_principals(principal: Any, verdict: str) -> None:
    assert answer({**OWN_CASES[-1], "principal": principal})["verdict"] == verdict
