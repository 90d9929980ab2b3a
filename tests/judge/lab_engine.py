# SPDX-License-Identifier: GPL-3.0-or-later
"""`.venv-lab/bin/python -m tests.judge.lab_engine < questions.jsonl`: the lab's verdicts, one object in each line.

The lab's IAM is MiniStack's evaluator with the additions of `tests.lab.policy_language`, called here without a server.
The keys of a request are the ones of the question, rather than those of the machine.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from ministack.core import iam_evaluator

from tests.lab import policy_language


def verdict(question: dict[str, Any]) -> str:
    """`allowed` or `denied`."""
    caller, keys = question["principal"], {key.lower(): value for key, value in question["ctx"].items()}
    context = iam_evaluator.EvalContext(
        principal_arn=caller,
        principal_type="AssumedRole" if ":assumed-role/" in caller else "User",
        principal_account=caller.split(":")[4],
        action=question["action"],
        resource_arn=question["resource"],
        region="eu-west-1",
        service_context=keys,
    )
    identity = iam_evaluator.evaluate(
        context, [iam_evaluator.parse_policy_document(statement) for statement in question["identity"]]
    )
    policy = question.get("resourcePolicy")
    if policy is None:
        same = question["account"] == context.principal_account
        return "allowed" if same and identity.decision == "Allow" else "denied"
    if question["action"].startswith("sts:"):
        trusted = iam_evaluator.evaluate_trust_policy(policy, caller, context)
        return "allowed" if trusted and identity.decision == "Allow" else "denied"
    combined = iam_evaluator.combine_resource_policy(identity, context, policy, question["account"])
    return "allowed" if combined.decision == "Allow" else "denied"


def main() -> None:
    policy_language.install()
    iam_evaluator._resolve_condition_key = lambda key, context: context.service_context.get(key.lower())
    for line in sys.stdin:
        sys.stdout.write(json.dumps({"verdict": verdict(json.loads(line))}) + "\n")


main()
