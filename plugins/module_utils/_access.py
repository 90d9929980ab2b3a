# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Expected access against observed access. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

ALLOWED, DENIED, NOT_FOUND = "allowed", "denied", "not_found"
PROBES = ("describe", "manifest", "layer")

#: A part of AWS's sentence: what denied, and what to mend. AWS explains: IAM User Guide, "Troubleshoot access denied".
_DENIALS = (
    ("explicit deny in a permissions boundary", "boundary", "The role's permissions boundary denies it."),
    ("no permissions boundary allows", "boundary", "The role's permissions boundary does not allow it."),
    ("no session policy allows", "session_policy", "The policy given to the session does not allow it."),
    (
        "explicit deny",
        "explicit_deny",
        "A Deny statement applies: look for it in the policies that AWS names.",
    ),
    (
        "no identity-based policy allows",
        "no_identity_policy",
        "The role's policy does not reach it: the repository lacks the tag, or the action is not in the policy.",
    ),
)


@dataclass(frozen=True)
class Observation:
    """What one probe of one repository found."""

    outcome: str
    sentence: str = ""


def classify(sentence: str) -> tuple[str, str]:
    """The kind of a denial and what to mend, from AWS's sentence."""
    for part, kind, advice in _DENIALS:
        if part in sentence:
            return kind, advice
    return "unknown", "AWS did not say which policy decided."


def judge(
    readable: t.Sequence[str],
    denied: t.Sequence[str],
    observed: dict[str, dict[str, Observation]],
    access: str,
) -> list[dict[str, t.Any]]:
    """For each repository what was expected, what was seen, and whether they agree.

    :param observed: repository to probe (`describe`, `manifest`, `layer`) to observation
    :param access: what reading means: `read` includes describing, `pull` does not
    """
    verdicts = []
    for name, expected in [(name, "readable") for name in readable] + [(name, "denied") for name in denied]:
        seen = observed[name]
        pull = _worst(seen["manifest"], seen["layer"])
        if expected == "readable":
            right = pull == ALLOWED and (access == "pull" or seen["describe"].outcome == ALLOWED)
        else:
            right = all(one.outcome == DENIED for one in seen.values())
        sentences = [one.sentence for one in (seen["manifest"], seen["layer"], seen["describe"]) if one.sentence]
        kind, advice = classify(sentences[0]) if sentences else ("", "")
        verdicts.append(
            {
                "name": name,
                "expected": expected,
                **{probe: seen[probe].outcome for probe in PROBES},
                "pull": pull,
                "verdict": "pass" if right else "fail",
                "denial": sentences[0] if sentences else "",
                "denials": {probe: seen[probe].sentence for probe in PROBES if seen[probe].sentence},
                "denial_kind": kind,
                "advice": _advice(name, expected, pull, seen, advice) if not right else "",
            }
        )
    return verdicts


def _worst(*observations: Observation) -> str:
    outcomes = [one.outcome for one in observations]
    return next((outcome for outcome in (NOT_FOUND, DENIED) if outcome in outcomes), ALLOWED)


def _advice(name: str, expected: str, pull: str, seen: dict[str, Observation], advice: str) -> str:
    if NOT_FOUND in [one.outcome for one in seen.values()]:
        return f"Repository {name} does not exist in the owner account and region: check its name."
    if expected == "denied":
        able = ", ".join(probe for probe in PROBES if seen[probe].outcome == ALLOWED)
        return (
            f"Repository {name} was expected to be denied, but {able} is allowed: ask the owner account which of the"
            " granting tags it carries, and which policies the role has."
        )
    what = "can not be pulled" if pull != ALLOWED else "can be pulled but not described"
    return f"Repository {name} {what}. {advice}"


def table(verdicts: t.Sequence[dict[str, t.Any]]) -> list[str]:
    """The verdicts as the lines of a table: repository, action, expected, observed."""
    rows = [("REPOSITORY", "ACTION", "EXPECTED", "OBSERVED", "")]
    for one in verdicts:
        expected = ALLOWED if one["expected"] == "readable" else DENIED
        for action in ("describe", "pull"):
            mark = "" if one["verdict"] == "pass" else "<- not as expected"
            rows.append((one["name"], action, expected, one[action], mark))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[4]]).rstrip() for row in rows]
