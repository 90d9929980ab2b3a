# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The values that a caller can choose for context keys, such as the external ID. Standard library only.

For each of these keys, an audit tries the values that the policies compare, values next to them, and no value. For a
key that a policy uses as a variable, it tries the values that the request compares with the variable. For a key that
several checks compare with patterns, it tries texts that match two of them, and texts that match no other. If more
checks have patterns, the key is also unknown once. So a verdict is *allowed* if the caller can choose values with which
AWS allows the request.
"""

from __future__ import annotations

import itertools
import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_members import members
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_patterns import (
    FRESH,
    PAIRED,
    has_wildcards,
    texts_of,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_principals import (
    EVERYONE,
    FEDERATED,
    PRINCIPAL,
    SERVICE,
    Outsider,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._condition import Check
from ansible_collections.crossaccount.ecr.plugins.module_utils._context import OPEN, VARIABLE, Context, expand
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Statement
from ansible_collections.crossaccount.ecr.plugins.module_utils._wildcard import matches_any_case

MFA = ("aws:multifactorauthpresent", "aws:multifactorauthage")
#: Only AssumeRole has an external ID, not AssumeRoleWithSAML or AssumeRoleWithWebIdentity.
EXTERNAL_ID = "sts:externalid"
#: Keys that the caller of AssumeRole chooses.
FOR_A_SESSION = (EXTERNAL_ID, "sts:rolesessionname", "sts:sourceidentity", "sts:durationseconds")
BY_A_SERVICE = ("aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths")
#: Keys that differ among the principals of all accounts.
_OF_ACCOUNTS = ("aws:principalorgid", "aws:principalorgpaths")
#: The operators that compare texts and ARNs.
_TEXTS = tuple(
    f"{kind}{negation}{how}"
    for kind, negation, how in itertools.product(("string", "arn"), ("", "not"), ("equals", "like", "equalsignorecase"))
)
#: A value that no policy compares, as far as possible.
_ANOTHER = "another-value"
#: A number of the size of a duration in seconds.
_NUMBER = re.compile(r"[0-9]{1,18}")
#: At most so many combinations of chosen values are tried.
COMBINATIONS = 2048
#: The reason of an unknown verdict if there are more.
TOO_MANY = "its conditions compare more combinations of values than the audit tries"

Values = dict[str, tuple[str, ...]]
#: Whether the caller chooses the value of a key, given in lower case.
IsChosen = t.Callable[[str], bool]


def choices(
    outsider: Outsider,
    statements: t.Iterable[Statement],
    known: t.Mapping[str, tuple[str, ...]],
    for_a_session: bool = True,
) -> list[Values]:
    """The combinations of values that an outsider can choose for the context keys in these statements.

    :param known: the context keys of its request, without those that it chooses
    :param for_a_session: whether it requests a session of a role; other requests have no keys of STS
    """
    listed = list(statements)
    found = combinations(listed, lambda key: _is_chosen(key, outsider, for_a_session), known)
    several = members(outsider, listed, known)
    if len(several) > 1 or several[0]:
        found = [{**values, **member} for member in several for values in found]
    if outsider.kind != EVERYONE:
        return found
    keys = {check.key.lower() for statement in listed for check in statement.condition} & set(_OF_ACCOUNTS)
    without: Values = dict.fromkeys(keys, ())  # an account that is in no organization
    return [*found, *({**values, **without} for values in found if without)]


def combinations(
    statements: t.Iterable[Statement],
    is_chosen: IsChosen,
    known: t.Mapping[str, tuple[str, ...]],
    resource: str = "",
) -> list[Values]:
    """The combinations of values for the chosen keys in these statements, at most `COMBINATIONS`.

    :param known: other context keys, which replace policy variables
    :param resource: the ARN of the resource, which policy variables may be parts of
    """
    context, listed = Context.of(known, ()), list(statements)
    candidates: dict[str, dict[tuple[str, ...] | None, None]] = {}
    for statement in listed:
        for key, values in _candidates(statement, context, resource):
            if is_chosen(key):
                candidates.setdefault(key, {None: None}).update({(value,): None for value in values})
    for key, more in _compared_together(listed, is_chosen):
        candidates.setdefault(key, {None: None}).update(dict.fromkeys(more))
    product = itertools.product(*candidates.values())
    return [
        {key: value for key, value in zip(candidates, combination) if value is not None}
        for combination in itertools.islice(product, COMBINATIONS)
    ]


def overridden(values: t.Mapping[str, t.Sequence[str]], chosen: Values) -> dict[str, t.Sequence[str]]:
    """Context keys, with the chosen values in place of others. Keys are compared without regard to case."""
    names = {key.lower() for key in chosen}
    return {**{key: value for key, value in values.items() if key.lower() not in names}, **chosen}


def _is_chosen(key: str, outsider: Outsider, for_a_session: bool) -> bool:
    if outsider.kind == FEDERATED:
        return key != EXTERNAL_ID and not key.startswith(("aws:", "ecr:"))
    if key in FOR_A_SESSION:
        return for_a_session
    if key in MFA:  # the credentials of a session of a role do not include MFA
        return outsider.kind != SERVICE and not outsider.principal.role
    if outsider.kind == SERVICE:
        return key in BY_A_SERVICE
    if outsider.kind == PRINCIPAL:
        return outsider.is_of_any_account and key in _OF_ACCOUNTS
    return False


def _candidates(statement: Statement, context: Context, resource: str) -> t.Iterator[tuple[str, t.Iterable[str]]]:
    """Keys that a statement mentions, each with values with which the statement applies or does not apply."""
    for check in statement.condition:
        yield check.key.lower(), _values_for(check, statement.effect == "Deny", context)
        actual = context.get(check.key)
        if isinstance(actual, tuple):
            for text in check.values:
                yield from _fillings(text, actual)
    for pattern in statement.resources.patterns if statement.resources else ():
        yield from _fillings(pattern, (resource,))


def _compared_together(
    statements: t.Iterable[Statement], is_chosen: IsChosen
) -> t.Iterator[tuple[str, list[tuple[str, ...]]]]:
    """Further values of the chosen keys that several checks compare with patterns, or with other chosen keys.

    If these may not be sufficient, the key is also unknown once, so that no request is denied that AWS may allow.
    """
    found: dict[str, list[tuple[Check, bool]]] = {}
    for statement in statements:
        for check in statement.condition:
            if check.base in _TEXTS and is_chosen(check.key.lower()):
                found.setdefault(check.key.lower(), []).append((check, statement.effect == "Deny"))
    for key, compared in found.items():
        values = list(dict.fromkeys(value for check, _denies in compared for value in check.values))
        names = [match[1].partition(",")[0].strip().lower() for text in values for match in VARIABLE.finditer(text)]
        chosen = [name for name in names if is_chosen(name)]
        for name in chosen:
            yield name, [(_ANOTHER,)]
        yield key, [*_together(compared, [one for one in values if has_wildcards(one)]), *([OPEN] if chosen else [])]


def _together(compared: list[tuple[Check, bool]], patterns: list[str]) -> list[tuple[str, ...]]:
    """Texts that pass several checks of one key.

    :param compared: the checks, each with whether its statement denies
    :param patterns: the values with wildcards
    """
    excluding = [check for check, denies in compared if denies != ("not" in check.base)]
    required = {check.values for check, denies in compared if denies == ("not" in check.base)}
    if not patterns or (len(required) < 2 and not excluding):
        return []
    is_complete = len(required) < 3 and len(patterns) <= PAIRED
    is_complete = is_complete and not any("ignorecase" in check.base for check, _denies in compared)
    texts = [*texts_of(VARIABLE.sub(_ANOTHER, one) for one in patterns), FRESH]
    return [*((text,) for text in texts), *(() if is_complete else (OPEN,))]


def _fillings(text: str, wanted: t.Sequence[str]) -> t.Iterator[tuple[str, t.Iterable[str]]]:
    """The policy variables of a text, each with the values with which the text may match one of the wanted texts.

    Wildcards and other variables of the text may stand for any characters. The case of letters is ignored, so that the
    values include those for every operator.
    """
    for match in VARIABLE.finditer(text):
        before, after = (VARIABLE.sub("*", part) for part in (text[: match.start()], text[match.end() :]))
        values = dict.fromkeys(
            one[start:end]
            for one in wanted
            for start in range(len(one) + 1)
            if matches_any_case(before, one[:start])
            for end in range(start, len(one) + 1)
            if matches_any_case(after, one[end:])
        )
        yield match[1].partition(",")[0].strip().lower(), values


def _values_for(check: Check, denies: bool, context: Context) -> t.Iterator[str]:
    """Values with which a request passes or fails a check."""
    if check.base == "null":
        yield "any"
    elif check.base == "bool":
        yield from ("true", "false")
    elif check.base.startswith("numeric"):
        for value in check.values:
            yield value
            if _NUMBER.fullmatch(value):
                yield from (str(max(int(value) + step, 0)) for step in (-1, 1))
    else:
        for value in check.values:
            yield _instance(value, "like" in check.base or check.base.startswith("arn"), context)
        if denies or "not" in check.base:
            yield _ANOTHER


def _instance(value: str, has_wildcards: bool, context: Context) -> str:
    """A text that matches a value of a policy, with its variables replaced as far as they are known."""
    template = expand(value, context, True)
    pieces = template if isinstance(template, tuple) else ((VARIABLE.sub(_ANOTHER, value), True),)
    return "".join(
        text.replace("*", "x").replace("?", "x") if wild and has_wildcards else text for text, wild in pieces
    )
