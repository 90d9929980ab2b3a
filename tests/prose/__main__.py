# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.prose [FILE …]`: finds English that this project does not use, by the rules in rules.toml.

Without files, it reads every file that git knows. Strings in tests are not read: they quote AWS and engines.
"""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import tomllib

from . import texts

ROOT = pathlib.Path(__file__).parents[2]
RULES = pathlib.Path(__file__).with_name("rules.toml")
#: Texts of others, data, other languages, and the rules with their wrong sentences.
EXCLUDED = re.compile(
    r"(.*/)?(LICENSE|requirements.*|README\.ja\.md|.*\.(json|jsonl|svg|png|xsd|css|js|toml|cfg|ini|in|schema))$|tests/prose/"
)
LONGEST_NAME = 60  # characters of a test's name


@dataclass(frozen=True)
class Rule:
    """A pattern of English that the project does not use, and what to write instead."""

    name: str
    pattern: re.Pattern[str]
    instead: str
    wrong: tuple[str, ...]
    right: tuple[str, ...]

    def finds(self, text: str) -> bool:
        return any(self.pattern.search(sentence) for sentence in texts.sentences(text))


def rules() -> list[Rule]:
    with RULES.open("rb") as file:
        entries = tomllib.load(file)["rules"]
    return [
        Rule(
            rule["name"],
            re.compile(rule["pattern"], re.NOFLAG if rule.get("case") else re.IGNORECASE),
            rule["instead"],
            tuple(rule["wrong"]),
            tuple(rule["right"]),
        )
        for rule in entries
    ]


def problems(path: pathlib.Path, known: list[Rule]) -> Iterator[str]:
    """The places of a file that a rule finds."""
    name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
    messages = not name.startswith("tests/")
    for line, text in texts.of_file(path, messages):
        for rule in known:
            for sentence in texts.sentences(text):
                if rule.pattern.search(sentence):
                    yield f"{name}:{line}: {rule.name}: {sentence[:160]}\n    {rule.instead}"
    if path.suffix == ".py":
        for test in re.findall(r"(?m)^ *def (test_\w+)", path.read_text(encoding="utf-8")):
            if len(test) > LONGEST_NAME:
                yield f"{name}: {test} has {len(test)} characters; a name has at most {LONGEST_NAME}."


def main() -> None:
    named = [pathlib.Path(argument).resolve() for argument in sys.argv[1:]]
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    known = rules()
    places: list[str] = []
    for path in named or [ROOT / line for line in listed.splitlines() if not EXCLUDED.match(line)]:
        if path.is_file():
            places += dict.fromkeys(problems(path, known))
    print("\n".join(places))
    sys.exit(f"{len(places)} places" if places else 0)


if __name__ == "__main__":
    main()
