# SPDX-License-Identifier: GPL-3.0-or-later
"""An evaluator of IAM policies that shares nothing with the collection's: every document is translated to predicates.

`verdict` answers a question of `tests.judge.questions`: `allowed`, `denied`, or `unknown` where AWS documents no rule.
A statement becomes a list of functions of the request; one that cannot be decided raises `UndocumentedError`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from fractions import Fraction
from functools import partial
from ipaddress import ip_address, ip_network
from typing import Any

Question = dict[str, Any]
Predicate = Callable[[Question], bool]


class UndocumentedError(Exception):
    """The behavior of AWS is not documented."""


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def three_valued(predicates: Iterable[Predicate], question: Question, declared: bool) -> bool:
    """Whether one predicate is `declared`; undocumented only if none is, and one of them is."""
    open_question = None
    for predicate in predicates:
        try:
            if predicate(question) is declared:
                return True
        except UndocumentedError as error:
            open_question = error
    if open_question:
        raise open_question
    return False


def verdict(question: Question) -> str:
    identity = [statement for document in question["identity"] for statement in statements(document)]
    resource = statements(question["resourcePolicy"]) if question.get("resourcePolicy") else []
    try:
        denials = [matcher(statement) for statement in (*identity, *resource) if statement["Effect"] == "Deny"]
        try:
            if three_valued(denials, question, True):
                return "denied"
            open_denial = False
        except UndocumentedError:
            open_denial = True
        if not is_allowed(question, identity, resource):
            return "denied"
    except UndocumentedError:
        return "unknown"
    return "unknown" if open_denial else "allowed"


def is_allowed(question: Question, identity: list[Any], resource: list[Any]) -> bool:
    def own(request: Question) -> bool:
        return three_valued(allows(identity), request, True)

    def granted(request: Question) -> bool:
        return three_valued(allows(resource), request, True)

    def by_name(request: Question) -> bool:
        return three_valued(allows(resource, by_name=True), request, True)

    def both(request: Question) -> bool:
        return not three_valued((own, granted), request, False)

    if question["principal"].split(":")[4] != question["account"]:
        return both(question)
    is_trust = question["action"].startswith("sts:") and "resourcePolicy" in question
    return three_valued((both if is_trust else own, by_name), question, True)


def statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The statements, each with the version of its document."""
    return [{**item, "version": document.get("Version")} for item in as_list(document["Statement"])]


def allows(listed: list[dict[str, Any]], by_name: bool = False) -> list[Predicate]:
    return [matcher(statement, by_name) for statement in listed if statement["Effect"] == "Allow"]


def matcher(statement: dict[str, Any], by_name: bool = False) -> Predicate:
    """Whether a statement applies. :param by_name: whether naming the account of the caller does not suffice"""
    parts: list[Predicate] = []
    for element, test in (("Action", action), ("Resource", resource_of(statement["version"]))):
        for name, declared in ((element, True), (f"Not{element}", False)):
            if name in statement:
                parts.append(partial(covers, test, as_list(statement[name]), declared))
    if "Principal" in statement:
        parts.append(lambda request: is_named(statement["Principal"], request, by_name))
    if "NotPrincipal" in statement:
        parts.append(lambda request: is_not_exempt(statement["NotPrincipal"], request))
    for operator, block in statement.get("Condition", {}).items():
        for key, values in block.items():
            texts = [str(value).lower() if isinstance(value, bool) else str(value) for value in as_list(values)]
            parts.append(check(operator, key, texts, statement["version"] == "2012-10-17"))
    return lambda request: not three_valued(parts, request, False)


def covers(test: Callable[[str, Question], bool], texts: list[str], declared: bool, request: Question) -> bool:
    return some(test, texts, request) is declared


def some(test: Callable[[str, Question], bool], texts: list[str], request: Question) -> bool:
    return three_valued([partial(test, text) for text in texts], request, True)


def expression(pattern: str) -> str:
    """A pattern with `*` and `?` as a regular expression; escaped characters keep their backslash."""
    return "".join(
        {"*": "(?s:.*)", "?": "(?s:.)"}.get(character) or re.escape(character)
        for character in re.sub(r"\*+", "*", pattern)
    )


def action(pattern: str, request: Question) -> bool:
    return re.fullmatch(expression(pattern.lower()), request["action"].lower()) is not None


def resource_of(version: str | None) -> Callable[[str, Question], bool]:
    def is_resource(text: str, request: Question) -> bool:
        pieces = substituted(text, request, version == "2012-10-17")
        if pieces is None:
            return False
        loose = "".join(piece if is_regular else re.escape(piece) for piece, is_regular in pieces)
        if not re.fullmatch(loose, request["resource"]):
            return False
        strict = loose.replace("(?s:.)", "[^:]")
        strict = re.sub(r"\(\?s:\.\*\)(?!:|$)", "[^:]*", strict)
        if text != "*" and not re.fullmatch(strict, request["resource"]):
            raise UndocumentedError("whether a wildcard reaches beyond a colon")
        return True

    return is_resource


def substituted(text: str, request: Question, current: bool) -> list[tuple[str, bool]] | None:
    """The text as pieces, each a regular expression or plain; None if a variable has no value."""
    if not current:
        return [(expression(text), True)]
    pieces = []
    for piece in re.split(r"(\$\{[^}]*\})", text):
        if not piece.startswith("${"):
            pieces.append((expression(piece), True))
            continue
        name, _comma, default = piece[2:-1].partition(", ")
        if name in ("*", "?", "$"):
            pieces.append((name, False))
            continue
        values = values_of(name, request)
        if len(values) > 1:
            raise UndocumentedError("a variable with several values")
        if not values and not default:
            return None
        pieces.append((values[0] if values else default[1:-1], False))
    return pieces


def values_of(key: str, request: Question) -> list[str]:
    return [
        str(element)
        for name, value in request["ctx"].items()
        if name.lower() == key.lower()
        for element in as_list(value)
    ]


# --- principals ----------------------------------------------------------------------------------------------------


def entity(arn: str) -> tuple[str, ...]:
    """Account, kind and name of a principal: `root` for a whole account, and a role for its sessions."""
    if re.fullmatch("[0-9]{12}", arn):
        return arn, "root"
    account, rest = arn.split(":")[4:6]
    kind, *names = rest.split("/")
    if kind == "assumed-role":
        return account, "role", names[0]
    return account, kind, *(names[-1:] if kind == "role" else names)


def is_named(principal: Any, request: Question, by_name: bool) -> bool:
    listed = ["*"] if principal == "*" else as_list(principal.get("AWS", []))
    caller = request["principal"]
    for statement in listed:
        if statement in ("*", caller):
            return True
        if statement.split(":")[2:3] != ["sts"] and entity(statement) == entity(caller):
            return True
        if not by_name and entity(statement) == (caller.split(":")[4], "root"):
            return True
    return False


def is_not_exempt(principal: Any, request: Question) -> bool:
    if principal == "*":
        return False
    listed, caller = as_list(principal.get("AWS", [])), request["principal"]
    itself = is_named({"AWS": listed}, request, by_name=True)
    account = (caller.split(":")[4], "root") in [entity(statement) for statement in listed if statement != "*"]
    if itself and (account or "*" in listed):
        return False
    if itself or account:
        raise UndocumentedError("whether AWS compares the account or the user")
    return True


# --- conditions ----------------------------------------------------------------------------------------------------


def instant(text: str) -> datetime:
    if re.fullmatch("[0-9]{5,}", text):
        return datetime.fromtimestamp(int(text), timezone.utc)
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise UndocumentedError(f"the date {text}") from None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


def number(text: str) -> Fraction:
    if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", text):
        raise UndocumentedError(f"the number {text}")
    return Fraction(text)


def within(address: str, network: str) -> bool:
    try:
        first, many = ip_address(address), ip_network(network, strict=False)
    except ValueError:
        raise UndocumentedError(f"the address {address} or {network}") from None
    return first.version == many.version and int(many.network_address) <= int(first) <= int(many.broadcast_address)


def is_true(actual: str, declared: str) -> bool:
    if declared.lower() not in ("true", "false"):
        raise UndocumentedError(f"the boolean {declared}")
    return actual.lower() == declared.lower()


def is_encoded(actual: str, declared: str) -> bool:
    return base64.b64decode(actual) == base64.b64decode(declared)


def compared(parse: Callable[[str], Any], order: str) -> Callable[[str, str], bool]:
    signs = {
        "lessthan": {-1},
        "lessthanequals": {-1, 0},
        "greaterthan": {1},
        "greaterthanequals": {0, 1},
        "equals": {0},
    }

    def compare(actual: str, declared: str) -> bool:
        first, second = parse(actual), parse(declared)
        return (first > second) - (first < second) in signs[order]

    return compare


def by_text(fold: Callable[[str], str]) -> Callable[[str, list[tuple[str, bool]]], bool]:
    def compare(actual: str, pieces: list[tuple[str, bool]]) -> bool:
        plain = "".join(unescaped(piece) if is_regular else piece for piece, is_regular in pieces)
        return fold(actual) == fold(plain)

    return compare


def unescaped(regular: str) -> str:
    return re.sub(r"\\(.)", r"\1", regular.replace("(?s:.*)", "*").replace("(?s:.)", "?"), flags=re.DOTALL)


def by_pattern(actual: str, pieces: list[tuple[str, bool]]) -> bool:
    regular = "".join(piece if is_regular else re.escape(piece) for piece, is_regular in pieces)
    return re.fullmatch(regular, actual) is not None


def by_component(actual: str, pieces: list[tuple[str, bool]]) -> bool:
    """A colon is never escaped, and a wildcard of the first five components cannot reach beyond it."""
    regular = "".join(piece if is_regular else re.escape(piece) for piece, is_regular in pieces)
    components = re.split(r"(?<!\?s):", regular, maxsplit=5)
    if len(components) < 6:
        raise UndocumentedError(f"the ARN {regular}")
    first = [component.replace("(?s:.*)", "[^:]*").replace("(?s:.)", "[^:]") for component in components[:5]]
    return re.fullmatch(":".join([*first, components[5]]), actual) is not None


TEXT = {
    "stringequals": by_text(str),
    "stringequalsignorecase": by_text(str.lower),
    "stringlike": by_pattern,
    "arnequals": by_component,
    "arnlike": by_component,
}
OTHER: dict[str, Callable[[str, str], bool]] = {"bool": is_true, "ipaddress": within, "binaryequals": is_encoded}
for _name in ("lessthan", "lessthanequals", "greaterthan", "greaterthanequals", "equals"):
    OTHER[f"date{_name}"] = compared(instant, _name)
    OTHER[f"numeric{_name}"] = compared(number, _name)


def check(operator: str, key: str, texts: list[str], current: bool) -> Predicate:
    quantifier, name = re.fullmatch(r"(?:(forallvalues|foranyvalue):)?(.*)", operator.lower()).groups()  # type: ignore[union-attr]
    if_exists = name.endswith("ifexists")
    name = name.removesuffix("ifexists")
    negated = "not" in name
    name = name.replace("not", "")

    def test(request: Question) -> bool:
        values = values_of(key, request)
        if operator.lower() == "null":
            return any((text.lower() == "true") == (not values) for text in texts)
        if name not in TEXT and name not in OTHER:
            raise UndocumentedError(f"the operator {operator}")
        if not values:
            return if_exists or {"forallvalues": True, "foranyvalue": False}.get(quantifier, negated)
        if len(values) > 1 and not quantifier:
            raise UndocumentedError("several values")
        results = [partial(passes, value) for value in values]
        if quantifier == "foranyvalue":
            return three_valued(results, request, True)
        return not three_valued(results, request, False)

    def passes(value: str, request: Question) -> bool:
        return three_valued([partial(equal, value, text) for text in texts], request, True) is not negated

    def equal(value: str, text: str, request: Question) -> bool:
        if name not in TEXT:
            return OTHER[name](value, text)
        pieces = substituted(text, request, current)
        return negated if pieces is None else TEXT[name](value, pieces)

    return test
