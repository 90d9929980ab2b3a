# SPDX-License-Identifier: GPL-3.0-or-later
"""The mutants of a source, and how they are judged."""

from __future__ import annotations

import json
import pathlib

import pytest

from tests.support.pure import PURE

from . import runner
from .__main__ import EQUIVALENT, sources
from .mutations import Mutant, mutants


def bodies(*lines: str) -> set[str]:
    """The changed lines of each mutant of a function with these lines."""
    source = "\n".join(["def f(a, b):", *(f"    {line}" for line in lines), ""])
    return {mutant.after for mutant in mutants("_x", source)}


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("return a == b", {"return (a != b)"}),
        ("return a < b", {"return (a >= b)", "return (a <= b)"}),
        ("return a in b", {"return (a not in b)"}),
        ("return not a", {"return (a)", "return None"}),
        ("return a and b", {"return (a or b)", "return None"}),
        ("return a[1]", {"return a[(2)]", "return a[(0)]", "return None"}),
        ("return True", {"return (False)"}),
        ("return ''", {"return 'mutated'"}),
        ("return 'text'", {"return ''"}),
        ("return [a]", {"return []"}),
        ("return a - b", {"return (a + b)", "return None"}),
        ("return [c for c in a if c]", {"return [c for c in a if (True)]", "return []"}),
        ("return a if b else None", {"return a if (not (b)) else None", "return None"}),
        ("raise ValueError(a)", {"pass"}),
        ("a += b", {"pass"}),
        ("a.append('text')", {"pass"}),
        ("'''What people read.'''", set()),
        ("c: Literal[1] = a", set()),
        ("return f'{a[1]}'", {"return None"}),
        ("return", set()),
    ],
)
def test_each_mutant_changes_one_place(line: str, changed: set[str]) -> None:
    assert bodies(line) == changed


def test_a_mutant_names_its_file_its_line_and_its_change() -> None:
    (mutant,) = mutants("_x", "LIMIT = 20\ndef f(a):\n    return a == LIMIT  # é\n")[2:]
    assert str(mutant) == ("plugins/module_utils/_x.py:3\n  - return a == LIMIT  # é\n  + return (a != LIMIT)  # é")
    assert mutant.source == "LIMIT = 20\ndef f(a):\n    return (a != LIMIT)  # é\n"


def test_a_condition_over_several_lines_stays_one() -> None:
    created = mutants("_x", "def f(a, b):\n    if (\n        a\n        and b\n    ):\n        g()\n")
    assert [mutant.after for mutant in created if "or" in mutant.after] == ["(a or b)"]
    for item in created:
        compile(item.source, "_x.py", "exec")


def test_tests_of_a_file_are_mirror_and_importers() -> None:
    names = [file.name for file in runner.tests_of("_condition")]
    assert names[0] == "test_condition.py"
    assert "test_condition_text.py" in names
    assert "test_evaluate.py" not in names  # it tests what uses the file


def test_tests_of_users_judge_a_file_without_a_test_file() -> None:
    names = [file.name for file in runner.tests_of("_share_text")]
    assert names[0] == "test_share_summary.py"  # it imports the file
    assert "test_share_plan.py" in names


def test_a_mutant_is_judged_by_one_test_file_after_another(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second file fails for the mutant, so the third one is not needed."""
    names = ("test_a.py", "test_bb.py", "test_ccc.py")
    module = f"{runner.PACKAGE}._wildcard"
    for name in names:
        log, fails = tmp_path / f"log-{name}", name == "test_bb.py"
        (tmp_path / name).write_text(
            f"def test_it():\n    import {module} as found\n    open({str(log)!r}, 'a').write('x')\n"
            f"    assert not {fails} or hasattr(found, 'matches')\n{'# hypothesis' if name == names[2] else ''}\n"
        )
    monkeypatch.setattr(runner, "tests_of", lambda _name: [tmp_path / name for name in (names[2], *names[:2])])
    runner.preload()
    (judged,) = runner.judge([Mutant("_wildcard", 1, "", "", "mutated = True\n")], 1)
    assert judged.status not in (runner.SURVIVED, runner.NO_TESTS)
    # Without a change, and with the mutant.
    assert [len((tmp_path / f"log-{name}").read_text()) for name in names[:2]] == [2, 2]
    assert not (tmp_path / "log-test_ccc.py").exists()


def test_mutant_fails_and_original_file_passes() -> None:
    source = sources(["_wildcard"])["_wildcard"]
    broken = next(mutant for mutant in mutants("_wildcard", source) if mutant.after == "return None")
    unchanged = Mutant("_wildcard", 0, "", "", source)
    runner.preload()
    judged = {result.mutant: result.status for result in runner.judge([broken, unchanged], 2)}
    assert judged[unchanged] == runner.SURVIVED
    assert judged[broken] not in (runner.SURVIVED, runner.NO_TESTS)


@pytest.mark.parametrize("body", ["pass", "__import__('time').sleep(600)"])
def test_a_mutant_that_does_not_end_is_ended(body: str) -> None:
    endless = Mutant("_wildcard", 0, "", "", f"while True:\n    {body}\n")
    limit = runner.Limit(1, 600) if body == "pass" else runner.Limit(600, 1)
    work = [runner.Job(endless, runner.tests_of("_wildcard")[0], limit)]
    runner.preload()
    (judged,) = runner.run(lambda: work.pop() if work else None, 1)
    assert judged.status < 0


def test_each_equivalent_mutant_exists_and_has_a_reason() -> None:
    listed = json.loads(EQUIVALENT.read_text(encoding="utf-8"))
    assert all(mutant["reason"].endswith(".") for mutant in listed)
    assert {mutant["file"] for mutant in listed} <= set(PURE)
    for name, source in sources(sorted({mutant["file"] for mutant in listed})).items():
        created = {(mutant.before, mutant.after) for mutant in mutants(name, source)}
        assert not [
            mutant for mutant in listed if mutant["file"] == name and (mutant["before"], mutant["after"]) not in created
        ]
