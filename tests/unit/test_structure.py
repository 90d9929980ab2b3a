# SPDX-License-Identifier: GPL-3.0-or-later
"""The structure of `plugins/` and `roles/`: sizes, layers, types and names.

*Code lines* are lines without documentation, docstrings, comments and blank lines. Imports and argument specs count.
"""

from __future__ import annotations

import ast
import functools
import io
import pathlib
import re
import statistics
import tokenize
from collections import Counter
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PLUGINS = ROOT / "plugins"
PACKAGE = "ansible_collections.crossaccount.ecr.plugins"

MODULE, MEDIAN, UTILITY, FUNCTION = 60, 45, 180, 40  # code lines
ANY = 60  # uses in all of plugins/

#: A file imports files of its own kind, where `True`, and of kinds with a lower number. A module runs on a host, where
#: `plugin_utils` does not exist.
LAYERS = {
    "module_utils": (0, True),
    "doc_fragments": (0, False),
    "modules": (1, False),
    "plugin_utils": (1, True),
    "action": (2, False),
    "filter": (2, False),
    "inventory": (2, False),
}
#: Each module may define these: Ansible calls `main`, and the action plugin of a module calls `run`.
ENTRIES = ("main", "run")
DOCUMENTATION = ("DOCUMENTATION", "EXAMPLES", "RETURN")
NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


# --- counters


def lines_of(node: ast.stmt | ast.expr) -> set[int]:
    return set(range(node.lineno, (node.end_lineno or node.lineno) + 1))


def code_lines(source: str) -> set[int]:
    """The numbers of the code lines."""
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in NO_CODE:
            code.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, *FUNCTIONS)) and ast.get_docstring(node) is not None:
            code -= lines_of(node.body[0])
        if isinstance(node, ast.Assign) and {ast.unparse(target) for target in node.targets} & {*DOCUMENTATION}:
            code -= lines_of(node)
    return code


def function_lines(source: str) -> dict[str, int]:
    """The code lines of each function, including the functions inside it. Of two with one name, the longer one."""
    code, found = code_lines(source), Counter[str]()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, FUNCTIONS):
            found[node.name] = max(found[node.name], len(code & lines_of(node)))
    return found


def imports(source: str) -> set[str]:
    """The files of the collection that a file imports, as `kind.name`, wherever in the file the import is."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            names.update(f"{module}.{alias.name}" for alias in node.names)
    inside = (name.removeprefix(f"{PACKAGE}.").split(".") for name in names if name.startswith(f"{PACKAGE}."))
    return {".".join(parts[:2]) for parts in inside}


def cycles(graph: dict[str, set[str]]) -> list[str]:
    """Each file that reaches itself through what it imports."""

    def reached(start: str) -> set[str]:
        visited: set[str] = set()
        ahead = [*graph[start]]
        while ahead:
            name = ahead.pop()
            if name not in visited:
                visited.add(name)
                ahead += graph.get(name, ())
        return visited

    return sorted(name for name in graph if name in reached(name))


def wrong_layers(graph: dict[str, set[str]]) -> list[str]:
    """Each import of a layer that is not below, as `kind.name imports kind.name`."""

    def allowed(importer: str, imported: str) -> bool:
        (layer, own), (other, _own) = LAYERS[importer], LAYERS[imported]
        return other < layer or (importer == imported and own)

    return sorted(
        f"{name} imports {other}"
        for name, others in graph.items()
        for other in others
        if not allowed(name.partition(".")[0], other.partition(".")[0])
    )


def option_reads(source: str) -> Counter[str]:
    """How often each top-level function or class reads `options["…"]`, or `params["…"]` of a module."""
    found: Counter[str] = Counter()
    for top in ast.parse(source).body:
        for node in ast.walk(top):
            if (
                isinstance(node, ast.Subscript)
                and isinstance(node.slice, ast.Constant)
                and re.search(r"\b(?:options|params)$", ast.unparse(node.value))
            ):
                found[getattr(top, "name", "the file itself")] += 1
    return found


def outside_the_edge(source: str, values: set[str]) -> Counter[str]:
    """The reads that are not in the one function of a file that turns options into a value.

    That function returns a frozen dataclass, or is a method of one.

    :param values: the names of the frozen dataclasses
    """
    tops = {top.name: top for top in ast.parse(source).body if isinstance(top, (ast.ClassDef, *FUNCTIONS))}

    def makes_a_value(name: str) -> bool:
        top = tops.get(name)
        if isinstance(top, FUNCTIONS):
            return top.returns is not None and bool({*re.findall(r"\w+", ast.unparse(top.returns))} & values)
        return top is not None and name in values

    reads = option_reads(source)
    edges = [name for name, _number in reads.most_common() if makes_a_value(name)]
    return Counter({name: number for name, number in reads.items() if name not in edges[:1]})


def frozen_dataclasses(source: str) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ClassDef)
        and any(
            re.fullmatch(r"(\w+\.)?dataclass\(.*frozen=True.*\)", ast.unparse(decorator))
            for decorator in node.decorator_list
        )
    }


def uses_of_any(source: str) -> int:
    """As `grep -o '\\bAny\\b'` counts them."""
    return len(re.findall(r"\bAny\b", source))


def public_functions(source: str) -> list[str]:
    tops = ast.parse(source).body
    return [top.name for top in tops if isinstance(top, FUNCTIONS) and not top.name.startswith("_")]


def homonyms(sources: dict[str, str]) -> dict[str, list[str]]:
    """Each public function that several files define, and where."""
    where: dict[str, list[str]] = {}
    for name, source in sorted(sources.items()):
        entries = ENTRIES if name.startswith("modules/") else ()
        for function in public_functions(source):
            if function not in entries:
                where.setdefault(function, []).append(name)
    return {name: files for name, files in where.items() if len(files) > 1}


def private_variables(text: str) -> set[str]:
    return set(re.findall(r"\b__ecr_\w+", text))


def imported_tests(source: str) -> list[str]:
    """Each test file and each conftest that a file imports, wherever in the file the import is."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module or ''}.{alias.name}" for alias in node.names]
        found += [name for name in names if re.search(r"(^|\.)(test_\w*|conftest)(\.|$)", name)]
    return found


# --- the tree


@functools.cache
def sources() -> dict[str, str]:
    """`kind/name.py` and its text."""
    files = sorted(file for file in PLUGINS.glob("*/*.py") if file.name != "__init__.py")
    return {str(file.relative_to(PLUGINS)): file.read_text(encoding="utf-8") for file in files}


def of_kind(*kinds: str) -> dict[str, str]:
    return {name: source for name, source in sources().items() if name.partition("/")[0] in kinds}


@functools.cache
def graph() -> dict[str, set[str]]:
    return {name.removesuffix(".py").replace("/", "."): imports(source) for name, source in sources().items()}


def above(limit: int, numbers: dict[str, int]) -> Iterator[str]:
    """One line for each number above the limit, the largest first."""
    for name, number in sorted(numbers.items(), key=lambda value: (-value[1], value[0])):
        if number > limit:
            yield f"{name}: {number}, limit {limit}"


def none_of(what: str, lines: Iterator[str] | list[str]) -> None:
    """Fail with the lines, if there are any."""
    found = [*lines]
    if found:
        pytest.fail("\n  ".join([f"{what}:", *found]), pytrace=False)


def test_modules_are_short() -> None:
    none_of(
        "Code lines of modules", above(MODULE, {name: len(code_lines(s)) for name, s in of_kind("modules").items()})
    )


def test_the_median_module_is_short() -> None:
    numbers = {name: len(code_lines(source)) for name, source in of_kind("modules").items()}
    median = int(statistics.median_high(numbers.values()))
    none_of(f"Code lines of modules: {numbers}", above(MEDIAN, {"median": median}))


def test_files_of_module_utils_are_short() -> None:
    numbers = {name: len(code_lines(source)) for name, source in of_kind("module_utils").items()}
    none_of("Code lines of files", above(UTILITY, numbers))


def test_functions_are_short() -> None:
    each = ((name, function_lines(source)) for name, source in sources().items())
    none_of(
        "Code lines of functions", above(FUNCTION, {f"{n}: {f}": count for n, fs in each for f, count in fs.items()})
    )


def test_no_file_imports_itself_through_others() -> None:
    none_of("Import cycles", cycles(graph()))


def test_no_file_imports_a_higher_layer() -> None:
    none_of("Imports of a layer that is not below", wrong_layers(graph()))


def test_options_end_at_the_edge() -> None:
    values = set().union(*(frozen_dataclasses(source) for source in sources().values()))
    each = ((name, outside_the_edge(source, values)) for name, source in sources().items())
    found = {f"{name}: {function}": number for name, reads in each for function, number in reads.items()}
    none_of(f'Reads of options["…"] outside the edge, {sum(found.values())} in total', above(0, found))


def test_any_is_rare() -> None:
    numbers = {name: uses_of_any(source) for name, source in sources().items()}
    total = sum(numbers.values())
    if total > ANY:
        none_of(f"Uses of Any: {total}, limit {ANY}", above(0, numbers))


def test_roles_have_no_private_variables() -> None:
    files = [file for file in (ROOT / "roles").rglob("*") if file.suffix in (".yml", ".j2")]
    assert len(files) > 5
    numbers = {str(file.relative_to(ROOT)): len(private_variables(file.read_text(encoding="utf-8"))) for file in files}
    none_of("Private variables of roles", above(0, numbers))


def test_no_two_functions_have_one_name() -> None:
    none_of("Public functions with one name", [f"{n}: {', '.join(fs)}" for n, fs in homonyms(sources()).items()])


def test_no_file_imports_a_test() -> None:
    """Code that several tests use is in tests/support."""
    files = [file for file in (ROOT / "tests").rglob("*.py") if "output" not in file.parts]
    assert len(files) > 100
    each = ((file.relative_to(ROOT), imported_tests(file.read_text(encoding="utf-8"))) for file in files)
    none_of("Imports of test files", [f"{file} imports {name}" for file, names in each for name in names])


# --- the counters themselves

SOURCE = '''#!/usr/bin/python
# A comment
"""The file's docstring
of two lines."""
import json

DOCUMENTATION = r"""
module: it
"""


def first(value):
    """One line."""

    text = """not a
docstring"""  # a comment after code
    def inner():
        return [
            value,

            text,
        ]
    return inner


class Thing:
    """Docstring."""

    @staticmethod
    def second():
        pass
'''


def test_code_lines_are_counted() -> None:
    assert sorted(code_lines(SOURCE)) == [5, 12, 15, 16, 17, 18, 19, 21, 22, 23, 26, 29, 30, 31]
    assert function_lines(SOURCE) == {"first": 9, "inner": 5, "second": 2}
    assert code_lines('"""Only a docstring."""\n\n# and a comment\n') == set()
    assert function_lines("class A:\n    def f(self): pass\nclass B:\n    def f(self):\n        pass\n") == {"f": 2}


def test_numbers_above_a_limit_are_printed() -> None:
    lines = above(2, {"a.py": 2, "b.py": 3, "c.py": 9})
    assert [*lines] == ["c.py: 9, limit 2", "b.py: 3, limit 2"]
    with pytest.raises(pytest.fail.Exception, match=r"Files:\n  b.py: 3, limit 2"):
        none_of("Files", above(2, {"b.py": 3}))
    none_of("Files", above(3, {"b.py": 3}))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import json", set()),
        (f"import {PACKAGE}.module_utils._wait", {"module_utils._wait"}),
        (f"from {PACKAGE}.module_utils import _wait, _iam", {"module_utils._wait", "module_utils._iam"}),
        (f"from {PACKAGE}.module_utils._wait import wait_by_doing", {"module_utils._wait"}),
        (f"def f():\n    if True:\n        from {PACKAGE}.modules.it import run", {"modules.it"}),
        ("from ansible_collections.amazon.aws.plugins.module_utils.core import it", set()),
    ],
)
def test_imports_are_found(source: str, expected: set[str]) -> None:
    assert imports(source) == expected


def test_cycles_are_found() -> None:
    assert cycles({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]
    assert cycles({"a": {"a"}}) == ["a"]


@pytest.mark.parametrize(
    ("importer", "imported", "allowed"),
    [
        ("modules.a", "module_utils._a", True),
        ("module_utils._a", "module_utils._b", True),
        ("action.a", "modules.a", True),
        ("action.a", "plugin_utils._a", True),
        ("plugin_utils._a", "plugin_utils._b", True),
        ("module_utils._a", "modules.a", False),
        ("module_utils._a", "plugin_utils._a", False),
        ("modules.a", "plugin_utils._a", False),
        ("plugin_utils._a", "modules.a", False),
        ("plugin_utils._a", "action.a", False),
        ("modules.a", "modules.b", False),
        ("filter.a", "action.a", False),
    ],
)
def test_layers_are_compared(importer: str, imported: str, allowed: bool) -> None:
    assert wrong_layers({importer: {imported}}) == ([] if allowed else [f"{importer} imports {imported}"])


def test_each_kind_of_plugin_has_a_layer() -> None:
    assert {name.partition("/")[0] for name in sources()} == {*LAYERS}


EDGE = """
@dataclasses.dataclass(frozen=True)
class Thing:
    name: str

def thing_of(options) -> Thing:
    return Thing(options["name"])

def things_of(options) -> list[Thing]:
    return [Thing(options["name"])]

def late(options) -> str:
    return options["name"] + module.params["other"]

value = {"options": 1}["options"], options.get("name"), options[key]
"""


def test_reads_of_options_are_found() -> None:
    assert frozen_dataclasses(EDGE) == {"Thing"}
    assert frozen_dataclasses("@dataclass\nclass Thing: pass\n@dataclass(eq=False)\nclass Other: pass") == set()
    assert option_reads(EDGE) == {"thing_of": 1, "things_of": 1, "late": 2}
    # One function of a file is the edge.
    assert outside_the_edge(EDGE, {"Thing"}) == {"things_of": 1, "late": 2}
    assert outside_the_edge(EDGE, set()) == {"thing_of": 1, "things_of": 1, "late": 2}
    method = 'class Thing:\n    @classmethod\n    def of(cls, options):\n        return cls(options["name"])\n'
    assert outside_the_edge(method, {"Thing"}) == {}
    assert outside_the_edge(method, {"Other"}) == {"Thing": 1}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from tests.support.lab import Lab", []),
        ("from ansible_collections.crossaccount.ecr.tests import contest, latest_test", []),
        ("import tests.unit.test_purity", ["tests.unit.test_purity"]),
        ("from tests.unit import test_purity", ["tests.unit.test_purity"]),
        ("from . import test_purity", [".test_purity"]),
        ("from .test_purity import PURE", ["test_purity.PURE"]),
        ("def f():\n    from tests.conftest import lab", ["tests.conftest.lab"]),
    ],
)
def test_imports_of_tests_are_found(source: str, expected: list[str]) -> None:
    assert imported_tests(source) == expected


def test_any_is_counted() -> None:
    assert uses_of_any("x: t.Any | dict[str, Any] = Anything  # Any") == 3


def test_homonyms_are_found() -> None:
    def file(*names: str) -> str:
        return "".join(f"def {name}(): pass\n" for name in names) + "class A:\n    def method(self): pass\n"

    files = {"action/a.py": file("go"), "filter/b.py": file("see"), "modules/c.py": file("go")}
    assert homonyms(files) == {"go": ["action/a.py", "modules/c.py"]}
    assert homonyms({"modules/a.py": file("main", "run", "_go"), "modules/b.py": file("main", "run", "_go")}) == {}
    assert homonyms({"modules/a.py": file("run"), "filter/b.py": file("run"), "filter/c.py": file("run")}) == {
        "run": ["filter/b.py", "filter/c.py"]
    }


def test_private_variables_are_found() -> None:
    assert private_variables("{{ __ecr_share_plan.x }} {{ ecr_share_plan }} {{ my__ecr_x }}") == {"__ecr_share_plan"}


# --- headers


def test_every_file_states_its_license_and_private_files_say_so() -> None:
    for path in sorted(ROOT.glob("plugins/**/*.py")):
        head = path.read_text(encoding="utf-8").splitlines()[:5]
        assert "# SPDX-License-Identifier: GPL-3.0-or-later" in head, path
        assert path.name.startswith("_") == any(line.startswith("# Private to this collection") for line in head), path
