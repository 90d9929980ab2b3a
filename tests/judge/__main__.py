# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.judge < questions.jsonl`: the evaluator's answer to each question, one JSON object in each line."""

from __future__ import annotations

import json
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parents[2] / ".venv/collections"))

from tests.judge.questions import answer


def main() -> None:
    for line in sys.stdin.buffer:
        if not line.strip():
            continue
        try:
            question = json.loads(line)
        except (ValueError, RecursionError):
            question = None
        sys.stdout.write(json.dumps(answer(question)) + "\n")


main()
