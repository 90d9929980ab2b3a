# SPDX-License-Identifier: GPL-3.0-or-later
"""Features of the policy language that MiniStack's IAM lacks, added in place before the lab serves a request.

1. Policy variables in Resource and in the values of string and ARN operators, in documents of version 2012-10-17.
2. `NotPrincipal` in trust policies and in policies of resources.
3. ARN operators compare each of the six components separately.
4. `aws:PrincipalArn` of a session is the ARN of its role.

A variable is replaced before MiniStack evaluates a document. Its value is plain text, so `*` and `?` in it
become characters of a private use area, which the comparisons below read as plain text. A variable without a value
becomes a character that no comparison accepts.

Source: IAM User Guide, "IAM policy elements: Variables and tags", "AWS JSON policy elements: NotPrincipal",
"IAM JSON policy elements: Condition operators" and "AWS global condition context keys".
"""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from collections.abc import Callable
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import iam

_VARIABLE = re.compile(r"\$\{([^{}]*?)(?:, '([^']*)')?\}")
_PLAIN = {"*": "\ue000", "?": "\ue001", "$": "\ue002"}
_ORIGINAL = {private: character for character, private in _PLAIN.items()}
_NO_VALUE = "\ue003"


def install() -> None:
    """Put the additions into MiniStack."""
    parse, evaluate = iam_evaluator.parse_policy_document, iam_evaluator.evaluate
    of_trust, of_resource = iam_evaluator.evaluate_trust_policy, iam_evaluator.evaluate_resource_policy

    def parse_policy_document(document: Any) -> Any:
        return parse(only_current_variables(_loaded(document)))

    def evaluate_with_variables(ctx: Any, policies: Any, *limits: Any) -> Any:
        layers = [
            [[_replaced_in(statement, ctx) for statement in many] for many in layer] for layer in (policies, *limits)
        ]
        return evaluate(ctx, *layers)

    def evaluate_trust_policy(document: Any, caller_arn: str, ctx: Any = None) -> Any:
        return of_trust(_prepared(document, caller_arn, ctx), caller_arn, ctx)

    def evaluate_resource_policy(document: Any, ctx: Any, *arguments: Any, **options: Any) -> Any:
        return of_resource(_prepared(document, ctx.principal_arn, ctx), ctx, *arguments, **options)

    iam_evaluator.parse_policy_document = parse_policy_document
    iam_evaluator.evaluate = evaluate_with_variables
    iam_evaluator.evaluate_trust_policy = evaluate_trust_policy
    iam_evaluator.evaluate_resource_policy = evaluate_resource_policy
    iam_evaluator._fnmatch_compile = _compiled
    iam_evaluator._resolve_condition_key = _with_role_arn(iam_evaluator._resolve_condition_key)
    operators = iam_evaluator._CONDITION_OPS
    for name in ("arnequals", "arnlike"):
        operators[name] = _arn_like
    for name in ("arnnotequals", "arnnotlike"):
        operators[name] = _negated(_arn_like)
    for name in ("equals", "notequals", "equalsignorecase", "notequalsignorecase"):
        operators[f"string{name}"] = _on_plain_text(operators[f"string{name}"])
    operators["stringnotlike"] = _negated(operators["stringlike"])


def _with_role_arn(resolve: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    def resolve_key(key: str, ctx: Any) -> Any:
        session = re.fullmatch(r"arn:aws:sts::([0-9]{12}):assumed-role/([^/]+)/.+", ctx.principal_arn)
        if key.lower() != "aws:principalarn" or session is None:
            return resolve(key, ctx)
        role = iam._roles.get_scoped(session[1], None, session[2])
        return role["Arn"] if role else f"arn:aws:iam::{session[1]}:role/{session[2]}"

    return resolve_key


def _loaded(document: Any) -> Any:
    if not isinstance(document, str):
        return document
    try:
        return json.loads(document)
    except ValueError:
        return document


def only_current_variables(document: Any) -> Any:
    """The document, in which `${` is plain text if its version has no variables."""
    if not isinstance(document, dict) or document.get("Version") == "2012-10-17":
        return document
    return _with_texts(document, lambda text: text.replace("${", _PLAIN["$"] + "{"))


def _prepared(document: Any, caller_arn: str, ctx: Any) -> Any:
    """A policy with principals, its variables replaced, and each NotPrincipal decided for the caller."""
    document = only_current_variables(_loaded(document))
    if not isinstance(document, dict):
        return document
    listed = document.get("Statement", [])
    kept = []
    for statement in listed if isinstance(listed, list) else [listed]:
        if isinstance(statement, dict) and "NotPrincipal" in statement:
            if _is_exempt(statement["NotPrincipal"], caller_arn):
                continue
            statement = {**statement, "Principal": "*"}
        kept.append(_with_texts(statement, lambda text: _replaced(text, ctx)) if ctx else statement)
    return {**document, "Version": "2012-10-17", "Statement": kept}


def _is_exempt(excluded: Any, caller_arn: str) -> bool:
    """Whether the caller itself is listed; its account alone does not exempt it."""
    if not isinstance(excluded, dict):
        return excluded == "*"
    listed = excluded.get("AWS", [])
    return any(
        not re.fullmatch(r"[0-9]{12}|arn:aws[a-z-]*:iam::[0-9]{12}:root", item)
        and iam_evaluator._principal_matches({"AWS": item}, caller_arn)
        for item in (listed if isinstance(listed, list) else [listed])
    )


def _replaced_in(statement: Any, ctx: Any) -> Any:
    elements = {
        name: _with_texts(getattr(statement, name), lambda text: _replaced(text, ctx))
        for name in ("resources", "not_resources", "conditions")
    }
    return dataclasses.replace(statement, **elements)


def _with_texts(value: Any, change: Callable[[str], str]) -> Any:
    """A part of a document with every text changed, but not the names of elements and keys."""
    if isinstance(value, dict):
        return {key: _with_texts(element, change) for key, element in value.items()}
    if isinstance(value, list):
        return [_with_texts(element, change) for element in value]
    return change(value) if isinstance(value, str) else value


def _replaced(text: str, ctx: Any) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] in _PLAIN:
            return _PLAIN[match[1]]
        actual = iam_evaluator._resolve_condition_key(match[1], ctx)
        found = match[2] if actual is None else str(actual)
        return _NO_VALUE if found is None else "".join(_PLAIN.get(character, character) for character in found)

    return _VARIABLE.sub(value, text)


def _restored(text: str) -> str:
    return "".join(_ORIGINAL.get(character, character) for character in text)


@functools.lru_cache(maxsize=4096)
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    """MiniStack's wildcards, except those in the values of variables."""
    parts = {"*": ".*", "?": "."}
    expression = "".join(parts.get(character) or re.escape(_restored(character)) for character in pattern)
    return re.compile(rf"(?s:{expression})\Z", re.IGNORECASE if ignore_case else 0)


def _on_plain_text(compare: Callable[[str, str], bool]) -> Callable[[str, str], bool]:
    return lambda actual, expected: _NO_VALUE not in expected and compare(actual, _restored(expected))


def _negated(compare: Callable[[str, str], bool]) -> Callable[[str, str], bool]:
    return lambda actual, expected: _NO_VALUE not in expected and not compare(actual, expected)


def _arn_like(actual: str, expected: str) -> bool:
    patterns, values = expected.split(":", 5), actual.split(":", 5)
    return len(patterns) == len(values) and all(map(iam_evaluator.fnmatch_iam_cs, values, patterns))
