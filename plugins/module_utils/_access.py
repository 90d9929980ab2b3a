# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Expected access against observed access. Standard library only."""

from __future__ import annotations

import fnmatch
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils import _policy

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


def table(verdicts: t.Sequence[dict[str, t.Any]], access: str) -> list[str]:
    """The verdicts as the lines of a table: repository, action, expected, observed.

    :param access: with `pull`, nothing is expected of describing a readable repository
    """
    rows = [("REPOSITORY", "ACTION", "EXPECTED", "OBSERVED", "")]
    for one in verdicts:
        expected = ALLOWED if one["expected"] == "readable" else DENIED
        for action in ("pull",) if (access, expected) == ("pull", ALLOWED) else ("describe", "pull"):
            mark = "" if one["verdict"] == "pass" else "<- not as expected"
            rows.append((one["name"], action, expected, one[action], mark))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[4]]).rstrip() for row in rows]


# --- who gains and who loses what ----------------------------------------------------------------------------------


def may_pull(permissions: _policy.Document, arn: str, tags: dict[str, str]) -> bool:
    """Whether a permissions document lets a session pull from the repository `arn` that carries `tags`.

    Documents of others are judged too. What can not be judged here (an unknown condition, a Deny under one) counts as
    allowed, so that no access goes unmentioned.
    """
    return all(_allows(permissions, action, arn, tags) for action in _policy.PULL_ACTIONS)


def _allows(permissions: _policy.Document, action: str, arn: str, tags: dict[str, str]) -> bool:
    statements = [one for one in _policy.statements(permissions) if _covers(one, action, arn)]
    denied = any(one.get("Effect") == "Deny" and not one.get("Condition") for one in statements)
    allowed = any(
        one.get("Effect") == "Allow" and _condition_holds(one.get("Condition", {}), tags) for one in statements
    )
    return allowed and not denied


def _covers(statement: _policy.Document, action: str, arn: str) -> bool:
    actions = [str(one).lower() for one in _policy.as_list(statement.get("Action", []))]
    resources = [str(one) for one in _policy.as_list(statement.get("Resource", []))]
    return any(fnmatch.fnmatchcase(action.lower(), one) for one in actions) and any(
        fnmatch.fnmatchcase(arn, one) for one in resources
    )


def _condition_holds(condition: t.Any, tags: dict[str, str]) -> bool:
    by_key = {key.lower(): value for key, value in tags.items()}
    for key, wanted in (condition.get("StringEquals", {}) if isinstance(condition, dict) else {}).items():
        match = re.fullmatch(r"(?:ecr|aws):resourcetag/(.+)", str(key).lower())
        if match and by_key.get(match[1]) not in _policy.as_list(wanted):
            return False
    return True


def granting_tags(permissions: _policy.Document | None) -> list[dict[str, str]]:
    """The tags that a permissions document asks for, one of each; a repository that it reaches by tag carries one."""
    found: dict[tuple[str, str], None] = {}
    for statement in _policy.statements(permissions or {}):
        condition = statement.get("Condition", {})
        for key, wanted in (condition.get("StringEquals", {}) if isinstance(condition, dict) else {}).items():
            match = re.fullmatch(r"(?:ecr|aws):resourcetag/(.+)", str(key), re.IGNORECASE)
            for value in _policy.as_list(wanted) if match else ():
                found[t.cast("re.Match[str]", match)[1], str(value)] = None
    return [{key: value} for key, value in found]


def trusted(trust: _policy.Document) -> dict[t.Any, str]:
    """Who may assume the role by a trust document: a key that tells declarations apart, and words for a person."""
    found = {}
    for statement in _policy.statements(trust):
        principal = statement.get("Principal", {})
        if statement.get("Effect") != "Allow" or not isinstance(principal, dict):
            continue
        condition = statement.get("Condition", {})
        named = [arn for block in condition.values() for key, arn in block.items() if key.lower() == "aws:principalarn"]
        arns = _policy.as_list(named[0]) if named else _policy.as_list(principal.get("AWS", []))
        equals = {key.lower(): value for key, value in condition.get("StringEquals", {}).items()}
        demands = ["external id"] if "sts:externalid" in equals else []
        demands += [f"organization {equals['aws:principalorgid']}"] if "aws:principalorgid" in equals else []
        demands += ["MFA"] if "Bool" in condition else []
        said = f" ({', '.join(demands)})" if demands else ""
        terms = repr(sorted((key, str(value)) for key, value in equals.items())) + str("Bool" in condition)
        for arn in map(str, arns):
            name = re.sub(r"^arn:aws[a-z-]*:iam::([0-9]{12}):(?:root$)?", r"\1 ", arn).strip()
            found[(name, terms)] = name + said
    return found


def access_change(
    before: dict[str, t.Any], after: dict[str, t.Any], repositories: t.Sequence[dict[str, t.Any]]
) -> dict[str, t.Any]:
    """Who gains and who loses which repository, as pairs and as lines for a person.

    :param before: the role's `permissions`, `trust` and `attached`; likewise `after`
    :param repositories: `name`, `arn`, `before` (its tags) and `tags` (afterwards) of each that was looked at
    """
    old, new = _pairs(before, repositories, "before"), _pairs(after, repositories, "tags")
    gained = {pair: new[pair] for pair in new if pair not in old}
    lost = {pair: old[pair] for pair in old if pair not in new}
    return {
        "gained": _listed(gained),
        "lost": _listed(lost),
        "lines": [*_lines("+ {} can pull {}", gained), *_lines("- {} loses {}", lost)],
    }


def _pairs(
    role: dict[str, t.Any], repositories: t.Sequence[dict[str, t.Any]], tags: str
) -> dict[tuple[t.Any, str], tuple[str, str]]:
    if not (role["attached"] and role["trust"] and role["permissions"]):
        return {}
    who = trusted(role["trust"])
    names = {one["arn"]: one["name"] for one in repositories if may_pull(role["permissions"], one["arn"], one[tags])}
    return {(key, arn): (label, name) for key, label in who.items() for arn, name in names.items()}


def _listed(pairs: dict[t.Any, tuple[str, str]]) -> list[dict[str, str]]:
    return [{"principal": who, "repository": name} for who, name in sorted(set(pairs.values()))]


def _lines(form: str, pairs: dict[t.Any, tuple[str, str]]) -> list[str]:
    by_principal: dict[str, set[str]] = {}
    for who, name in pairs.values():
        by_principal.setdefault(who, set()).add(name)
    return [form.format(who, ", ".join(sorted(names))) for who, names in sorted(by_principal.items())]
