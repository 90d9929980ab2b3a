# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Whether the condition of a statement holds for a request.

- A request must pass all operators of a condition, and all keys of each operator. The values of a key are
  alternatives. With a negated operator, the request must match none of them.
- A request without the key fails an operator, and passes a negated operator.
- A request without the key passes `...IfExists` and `ForAllValues:`, and fails `ForAnyValue:`. If the request has the
  key, `ForAllValues:` requires that all values of the request pass, and `ForAnyValue:` that at least one value passes.
- A policy variable without a value fails a check, negated or not: "any attempt to match it fails and causes the
  statement to be invalid". The same page also has "Inverted condition operators like StringNotEquals [...] do match
  against a null value". This evaluator follows the first sentence, as other evaluators do.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Conditions with multiple context keys or
values"; "IAM policy elements: Variables and tags".
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._context import Context, expand
from ansible_collections.crossaccount.ecr.plugins.module_utils._operators import OPERATORS, Operator
from ansible_collections.crossaccount.ecr.plugins.module_utils._ternary import (
    NO,
    YES,
    Ternary,
    every,
    opposite,
    some,
    unknown,
    whether,
)

ALL, ANY = "forallvalues:", "foranyvalue:"
_IF_EXISTS = "ifexists"


@dataclass(frozen=True)
class Check:
    """One key of a condition: the operator as the document has it, the key, and the alternative values."""

    operator: str
    key: str
    values: tuple[str, ...]

    @property
    def quantifier(self) -> str:
        """`forallvalues:`, `foranyvalue:` or an empty string."""
        return next((prefix for prefix in (ALL, ANY) if self.operator.lower().startswith(prefix)), "")

    @property
    def base(self) -> str:
        """The operator in lower case, without quantifier and `...IfExists`."""
        name = self.operator.lower()[len(self.quantifier) :]
        return name[: -len(_IF_EXISTS)] if self.if_exists else name

    @property
    def if_exists(self) -> bool:
        """Whether a request without the key passes."""
        return self.operator.lower().endswith(_IF_EXISTS)


Condition = tuple[Check, ...]


def holds(condition: Condition, context: Context, with_variables: bool) -> Ternary:
    """Whether a request passes every check of a condition.

    :param with_variables: whether the version of the document supports policy variables
    """
    return every(_passes(check, context, with_variables) for check in condition)


def _passes(check: Check, context: Context, with_variables: bool) -> Ternary:
    if check.base == "null" and not check.quantifier and not check.if_exists:
        return _is_absent(check, context)
    operator = OPERATORS.get(check.base)
    if operator is None:
        return unknown(f"{check.operator} is not a condition operator")
    actual = context.get(check.key)
    if isinstance(actual, Ternary):
        return actual
    if not actual:
        return whether(check.if_exists or check.quantifier == ALL or (operator.negated and check.quantifier != ANY))
    if len(actual) > 1 and not check.quantifier:
        return unknown(f"{check.key} has several values, and {check.operator} compares one")
    combined = some if check.quantifier == ANY else every
    return combined([_fits(operator, value, check, context, with_variables) for value in actual])


def _fits(operator: Operator, actual: str, check: Check, context: Context, with_variables: bool) -> Ternary:
    """Whether one value of the request matches a value of the policy or, with a negated operator, none of them."""

    def compared(text: str) -> Ternary:
        wanted = expand(text, context, with_variables and operator.variables)
        if wanted is None:
            return whether(operator.negated)  # the check fails, negated or not
        return wanted if isinstance(wanted, Ternary) else operator.compare(actual, wanted)

    fits = some(compared(text) for text in check.values)
    return opposite(fits) if operator.negated else fits


def _is_absent(check: Check, context: Context) -> Ternary:
    wanted = {value.lower() for value in check.values}
    if not wanted <= {"true", "false"}:
        return unknown(f"Null compares {check.key} with neither true nor false")
    actual = context.get(check.key)
    if len(wanted) != 1:
        return YES if wanted else NO
    return actual if isinstance(actual, Ternary) else whether(("true" in wanted) == (not actual))


def read_condition(condition: object) -> Condition:
    """The checks of a `Condition` element.

    :raises ValueError: if the element is not valid
    """
    if not isinstance(condition, dict) or not all(isinstance(block, dict) for block in condition.values()):
        raise ValueError("its Condition is not an object of operators, each with an object of keys")
    found = []
    for operator, block in condition.items():
        for key, values in block.items():
            listed = values if isinstance(values, list) else [values]
            if not all(isinstance(value, (str, bool, int, float)) for value in listed):
                raise ValueError(f"its Condition compares {key} with something else than text, numbers or booleans")
            found.append(Check(operator, key, tuple(_as_text(value) for value in listed)))
    return tuple(found)


def _as_text(value: str | bool | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
