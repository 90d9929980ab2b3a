# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.judge.compare [COUNT]`: random questions, answered by three evaluators that share nothing.

They are the collection's evaluator, the lab's IAM, and `tests.judge.independent`. The first one may answer *unknown*,
seldom; every other difference is either a mistake or explained below, with the words of AWS.
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

ROOT = pathlib.Path(__file__).parents[2]
sys.path.append(str(ROOT / ".venv/collections"))

from tests.judge import independent, questions
from tests.judge.generator import Generator

SEED, CHUNK = 20261126, 5000


@dataclass(frozen=True)
class ExplainedDifference:
    """A difference between the collection's evaluator and the lab's IAM that is right."""

    name: str
    verdicts: tuple[str, str]
    quotation: str

    def fits(self, question: dict[str, Any], ours: str, lab: str) -> bool:
        own_account = question["principal"].split(":")[4] == question["account"]
        return (ours, lab) == self.verdicts and own_account and question["action"].startswith("sts:")


EXPLAINED = (
    ExplainedDifference(
        "the trust policy names a principal of the role's own account, and no identity policy allows sts:AssumeRole;"
        " the lab requires both",
        ("allowed", "denied"),
        'IAM User Guide, "Policy evaluation logic": "If either the identity-based policy or the resource-based policy'
        " within the same account allows the request and the other doesn't, the request is still allowed.\" Of trust"
        ' policies: "they must explicitly allow access for principals".',
    ),
)


@dataclass
class Comparison:
    """The results of a number of questions."""

    verdicts: Counter[str] = field(default_factory=Counter)
    explained: Counter[str] = field(default_factory=Counter)
    differences: list[dict[str, Any]] = field(default_factory=list)

    def add(self, question: dict[str, Any], ours: dict[str, Any], other: str, lab: str) -> None:
        verdict = ours["verdict"]
        self.verdicts[verdict] += 1
        if verdict == "unknown" or verdict == lab:
            known = verdict
        else:
            known = next((difference.name for difference in EXPLAINED if difference.fits(question, verdict, lab)), "")
            self.explained[known] += bool(known)
        if not known or other not in (verdict, "unknown"):
            self.differences.append({"ours": ours, "independent": other, "lab": lab, "question": question})

    @property
    def lines(self) -> list[str]:
        shown = [json.dumps(difference) for difference in self.differences[:5]]
        counts = ", ".join(f"{self.verdicts[verdict]} {verdict}" for verdict in ("allowed", "denied", "unknown"))
        explained = [f"{count} explained: {name}" for name, count in self.explained.items() if count]
        return [
            f"{sum(self.verdicts.values())} questions: {counts}",
            *explained,
            f"{len(self.differences)} differ",
            *shown,
        ]


def lab_verdicts(batch: list[dict[str, Any]]) -> list[str]:
    """The verdicts of the lab's IAM, in an interpreter that has it."""
    command = [str(ROOT / ".venv-lab/bin/python"), "-m", "tests.judge.lab_engine"]
    lines = "".join(json.dumps(request) + "\n" for request in batch)
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True, cwd=ROOT)
    return [json.loads(line)["verdict"] for line in done.stdout.splitlines()]


def compare(count: int, seed: int = SEED) -> Comparison:
    """Ask `count` random questions."""
    generator, comparison = Generator(seed), Comparison()
    for start in range(0, count, CHUNK):
        batch = list(generator.questions(min(CHUNK, count - start)))
        for question, lab in zip(batch, lab_verdicts(batch)):
            comparison.add(question, questions.answer(question), independent.verdict(question), lab)
    return comparison


def main() -> None:
    comparison = compare(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
    sys.stdout.write("\n".join(comparison.lines) + "\n")
    sys.exit(bool(comparison.differences))


if __name__ == "__main__":
    main()
