# SPDX-License-Identifier: GPL-3.0-or-later
"""The mutants of a source file: in each of them, one place of the file has a different meaning. Standard library only.

Annotations, decorators, docstrings and texts stay as they are: no mutant changes what only people read.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

_NEGATED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
}
#: Comparisons that differ only if both sides are equal.
_AT_THE_BOUNDARY: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_DROPPED = (ast.Expr, ast.Assign, ast.AugAssign, ast.Raise, ast.Continue, ast.Break, ast.Delete)
_EMPTY: dict[type[ast.expr], str] = {
    ast.List: "[]",
    ast.ListComp: "[]",
    ast.Dict: "{}",
    ast.DictComp: "{}",
    ast.Tuple: "()",
    ast.Set: "set()",
    ast.SetComp: "set()",
}


@dataclass(frozen=True)
class Mutant:
    """A source file with one change.

    :param file: the name of the file, without its folder and `.py`
    :param before: the changed lines as they are in the file
    :param after: the same lines of the mutant
    """

    file: str
    line: int
    before: str
    after: str
    source: str

    def __str__(self) -> str:
        lines = [
            *(f"  - {line}" for line in self.before.splitlines()),
            *(f"  + {line}" for line in self.after.splitlines()),
        ]
        return "\n".join([f"plugins/module_utils/{self.file}.py:{self.line}", *lines])


def mutants(file: str, source: str) -> list[Mutant]:
    """All mutants of a file, in the order of its lines."""
    lines = source.encode().splitlines(keepends=True)
    mutants_by_source: dict[str, Mutant] = {}
    for node, text in sorted(
        _changes(ast.parse(source), True), key=lambda change: (change[0].lineno, change[0].col_offset)
    ):
        mutant = _mutant(file, lines, node, text)
        mutants_by_source.setdefault(mutant.source, mutant)
    return list(mutants_by_source.values())


def _mutant(file: str, lines: list[bytes], node: ast.expr | ast.stmt, text: str) -> Mutant:
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    changed = lines[first][: node.col_offset] + text.encode() + lines[last][node.end_col_offset :]
    before, after = b"".join(lines[first : last + 1]).decode(), changed.decode()
    source = b"".join([*lines[:first], changed, *lines[last + 1 :]]).decode()
    return Mutant(file, node.lineno, _flat(before), _flat(after), source)


def _flat(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip().splitlines())


def _changes(node: ast.AST, at_the_top: bool) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """Each node that can be changed, with its new text."""
    if isinstance(node, ast.expr):
        yield from ((node, f"({text})") for text in _of_expression(node))
    if isinstance(node, ast.stmt):
        yield from ((node, text) for text in _of_statement(node, at_the_top))
    if isinstance(node, (ast.If, ast.While, ast.IfExp)) and not isinstance(
        node.test, (ast.Compare, ast.BoolOp, ast.UnaryOp)
    ):
        yield node.test, f"(not ({ast.unparse(node.test)}))"
    if isinstance(node, ast.comprehension):
        for test in node.ifs:
            yield test, "(True)"
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list") or (
            field == "values" and isinstance(node, ast.JoinedStr)
        ):
            continue
        inside = at_the_top and not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _changes(child, inside)


def _of_expression(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Compare):
        for number, operator in enumerate(node.ops):
            for table in (_NEGATED, _AT_THE_BOUNDARY):
                if type(operator) in table:
                    operators = [*node.ops[:number], table[type(operator)](), *node.ops[number + 1 :]]
                    yield ast.unparse(ast.Compare(node.left, operators, node.comparators))
    elif isinstance(node, ast.BoolOp):
        yield ast.unparse(ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield ast.unparse(node.operand)
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        yield ast.unparse(ast.BinOp(node.left, _OPERATORS[type(node.op)](), node.right))
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield str(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield from (str(node.value + 1), str(node.value - 1))


def _of_statement(node: ast.stmt, at_the_top: bool) -> Iterator[str]:
    if at_the_top:
        return
    if isinstance(node, ast.Return) and node.value is not None:
        yield from (f"return {text}" for text in _other_values(node.value))
    elif isinstance(node, _DROPPED) and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
        yield "pass"


def _other_values(value: ast.expr) -> Iterator[str]:
    """`None`, or an empty value of the same type where the type can be read from the source."""
    if isinstance(value, ast.Constant):
        if isinstance(value.value, str):
            yield "'mutated'" if value.value == "" else "''"
    elif isinstance(value, tuple(_EMPTY)):
        if ast.unparse(value) != _EMPTY[type(value)]:
            yield _EMPTY[type(value)]
    elif not isinstance(value, ast.Compare):
        yield "None"
