# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Expected access against observed access. Standard library only."""

from __future__ import annotations

import re
import typing as t
import xml.etree.ElementTree
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils import _evaluate, _policy_document
from ansible_collections.crossaccount.ecr.plugins.module_utils._access_change import pull_decision

ALLOWED, DENIED, EXPIRED, NOT_FOUND = "allowed", "denied", "expired", "not_found"
#: What is tried on each repository, and the token of the registry, which is the same for all of them.
PROBES = ("describe", "manifest", "layer")
TOKEN = "token"

#: A part of AWS's sentence, and what denied. IAM User Guide, "Troubleshoot access denied error messages".
_SENTENCES = (
    ("VPC endpoint policy", "endpoint_policy"),
    ("permissions boundary", "boundary"),
    ("session policy", "session_policy"),
    ("service control policy", "organization_policy"),
    ("resource control policy", "organization_policy"),
    ("explicit deny", "explicit_deny"),
    ("no identity-based policy allows", "no_identity_policy"),
)
#: What to mend for each kind of denial.
ADVICE = {
    "boundary": "The role's permissions boundary does not allow it: the owner account has to widen that boundary.",
    "session_policy": "The policy given to the session does not allow it: assume the role without one.",
    "organization_policy": "A policy of the owner account's organization forbids it: ask who manages the organization.",
    "endpoint_policy": "The policy of the VPC endpoint that the call went through does not allow it: widen it there.",
    "explicit_deny": "A Deny statement applies: the owner account has to look for it in the role's policies.",
    "no_identity_policy": (
        "The role's policy does not reach it: the repository lacks the tag, or the action is not in the policy."
    ),
    "trust": "The role's trust does not let this caller in.",
    "expired": "The session expired before everything was asked: run again, or with a longer duration_seconds.",
    "unknown_repository": "It does not exist in the owner account and region: check its name.",
    "unknown": "AWS did not say which policy decided.",
}
#: Denials that may be gone in a moment, once AWS knows of the share everywhere.
PROPAGATING = ("no_identity_policy", "trust", "unknown")


@dataclass(frozen=True)
class Observation:
    """What one probe of one repository found: the outcome, AWS's sentence, and the kind of denial."""

    outcome: str
    sentence: str = ""
    kind: str = ""


def classify(sentence: str, default: str = "unknown") -> str:
    """The kind of a denial, a key of `ADVICE`, from AWS's sentence.

    :param default: the kind of a sentence that names no policy
    """
    return next((kind for part, kind in _SENTENCES if part in sentence), default)


def judge(
    readable: t.Sequence[str],
    denied: t.Sequence[str],
    observed: dict[str, dict[str, Observation]],
    token: Observation,
    access: str,
    repository_tags: dict[str, t.Any] | None = None,
    tags: dict[str, dict[str, str] | None] | None = None,
) -> list[dict[str, t.Any]]:
    """For each repository what was expected, what was seen, and whether they agree.

    :param observed: repository to probe (`describe`, `manifest`, `layer`) to observation
    :param token: whether the role gets a registry token, without which nothing is pulled
    :param access: what reading means: `read` includes describing, `pull` does not
    :param repository_tags: the tags that grant access, as far as they are known
    :param tags: the tags of repositories that are readable against expectation; None where they could not be read
    """
    verdicts = []
    for name, expected in [(name, "readable") for name in readable] + [(name, "denied") for name in denied]:
        seen = {TOKEN: token, **observed[name]}
        pull = _worst(token, seen["manifest"], seen["layer"])
        if expected == "readable":
            right = pull == ALLOWED and (access == "pull" or seen["describe"].outcome == ALLOWED)
        else:
            right = all(seen[probe].outcome == DENIED for probe in PROBES)
        refused = [seen[probe] for probe in ("manifest", "layer", "describe", TOKEN) if seen[probe].outcome != ALLOWED]
        if right:
            advice = ""
        elif expected == "denied" and any(seen[probe].outcome == ALLOWED for probe in PROBES):
            advice = _why_readable(name, seen, repository_tags or {}, (tags or {}).get(name))
        elif expected == "denied":
            unclear = next(one for one in refused if one.outcome != DENIED)
            advice = f"Repository {name} could not be proven to be denied. {ADVICE[unclear.kind]}"
        else:
            what = "can not be pulled" if pull != ALLOWED else "can be pulled but not described"
            advice = f"Repository {name} {what}. {ADVICE[refused[0].kind]}"
        verdicts.append(
            {
                "name": name,
                "expected": expected,
                **{probe: seen[probe].outcome for probe in (*PROBES, TOKEN)},
                "pull": pull,
                "verdict": "pass" if right else "fail",
                "denial": refused[0].sentence if refused else "",
                "denial_kind": refused[0].kind if refused else "",
                "denials": {probe: one.sentence for probe, one in seen.items() if one.outcome != ALLOWED},
                "denial_kinds": {probe: one.kind for probe, one in seen.items() if one.outcome != ALLOWED},
                "advice": advice,
            }
        )
    return verdicts


def _worst(*observations: Observation) -> str:
    outcomes = [one.outcome for one in observations]
    return next((outcome for outcome in (NOT_FOUND, EXPIRED, DENIED) if outcome in outcomes), ALLOWED)


def _why_readable(
    name: str, seen: dict[str, Observation], granting: dict[str, t.Any], tags: dict[str, str] | None
) -> str:
    able = ", ".join(probe for probe in PROBES if seen[probe].outcome == ALLOWED)
    if tags is None:
        why = "Its tags can not be read with this role; ask the owner account for them, and for the role's policies."
    elif granting and all(
        str(tags.get(key)) in map(str, _policy_document.as_list(value)) for key, value in granting.items()
    ):
        carried = ", ".join(f"{key}={tags[key]}" for key in granting)
        why = f"It carries {carried}, which the role's policy grants: the owner account has to take that tag off."
    else:
        carried = ", ".join(f"{key}={value}" for key, value in sorted(tags.items())) or "no tag"
        why = (
            f"It carries {carried}, which is not what grants access: another policy of the role, or one of the"
            " repository, lets it be read."
            if granting
            else f"It carries {carried}: the owner account has to compare that with the role's policies."
        )
    return f"Repository {name} was expected to be denied, but {able} {'are' if ', ' in able else 'is'} allowed. {why}"


def settled(verdicts: t.Sequence[dict[str, t.Any]], access: str) -> bool:
    """Whether the verdicts stay: all as expected, or one is wrong in a way that no propagation explains."""
    wrong = [one for one in verdicts if one["verdict"] == "fail"]
    return not wrong or any(
        kind not in PROPAGATING
        for one in wrong
        for probe, kind in one["denial_kinds"].items()
        if (probe, one["expected"], access) != ("describe", "readable", "pull")
    )


def table(verdicts: t.Sequence[dict[str, t.Any]]) -> list[str]:
    """The verdicts as the lines of a table, a repository each."""
    columns = ("name", "expected", *PROBES, TOKEN, "verdict")
    rows = [("REPOSITORY", *(column.upper() for column in columns[1:]))]
    rows += [tuple(str(one[column]) for column in columns) for one in verdicts]
    widths = [max(len(row[column]) for row in rows) for column in range(len(columns))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def hosts_table(rows: t.Sequence[tuple[str, bool, dict[str, t.Any], dict[str, t.Any]]], check_mode: bool) -> list[str]:
    """What came out on each host, a line each.

    :param rows: the host, whether its play went through, and what `ecr_access_info` and `ecr_image_pull` answered
    """
    width = max((len(row[0]) for row in rows), default=0)
    lines = []
    for host, went_through, proof, pulled in rows:
        if went_through:
            brought = [
                f"{one['image']} {('would be pulled' if check_mode else 'pulled') if one['changed'] else 'was there'}"
                f" ({pulled['engine']})"
                for one in pulled.get("images", [])
            ]
            what, verdict = ", ".join(brought) or "nothing to pull", str(proof.get("verdict"))
        else:
            reasons = [*proof.get("problems", []), proof.get("msg"), pulled.get("msg"), "no answer; see above"]
            what, verdict = str(next(filter(None, reasons))).splitlines()[0], "failed"
        lines.append(f"{host.ljust(width)}  {verdict.ljust(6)}  {what}")
    return lines


def accounts_table(
    rows: t.Sequence[tuple[str, str, t.Sequence[t.Any] | None, t.Sequence[t.Any]]],
) -> list[str]:
    """The result of each owner account, one line each, and all reasons of failures. One successful account has no line.

    :param rows: the host, why it failed, who gained what (None: not known) and who lost what
    """
    width = max((len(row[0]) for row in rows), default=0)
    lines, reasons = [], []
    for host, failure, gained, lost in rows:
        if failure or gained is None:
            reason = (failure or "no result; see above").splitlines()
            verdict, what = "failed", reason[0]
            reasons += reason if len(rows) == 1 else [f"{host}: {line}" for line in reason[1:] and reason]
        else:
            verdict = "ok"
            what = f"{len(gained)} gained, {len(lost)} lost" if gained or lost else "nobody gains or loses access"
        lines.append(f"{host.ljust(width)}  {verdict.ljust(6)}  {what}")
    return [*(lines if len(rows) > 1 else []), *reasons]


def failure_reason(failure: t.Mapping[str, t.Any]) -> str:
    """Why a task failed; of a loop, why each of its items failed."""
    items = [str(one["msg"]) for one in failure.get("results") or [] if one.get("failed") and one.get("msg")]
    return "\n".join(dict.fromkeys(items)) or str(failure.get("msg") or "no reason was given; see above")


def junit(proof: dict[str, t.Any], suite: str) -> str:
    """A proof as a JUnit report: a test case for each repository, and one for each other problem.

    :param proof: `repositories` and `problems`
    :param suite: the name of the suite, such as the role's ARN
    """
    root = xml.etree.ElementTree.Element("testsuites")
    cases: list[tuple[str, str, str, str]] = [
        (one["name"], f"is {one['expected']}", one["advice"] if one["verdict"] == "fail" else "", one["denial"])
        for one in proof["repositories"]
    ]
    advised = [one["advice"] for one in proof["repositories"]]
    cases += [("role", "otherwise", problem, "") for problem in proof["problems"] if problem not in advised]
    failures = sum(bool(problem) for _name, _what, problem, _sentence in cases)
    counts = {"name": suite, "tests": str(len(cases)), "failures": str(failures)}
    element = xml.etree.ElementTree.SubElement(root, "testsuite", counts)
    for name, what, problem, sentence in cases:
        case = xml.etree.ElementTree.SubElement(element, "testcase", {"classname": name, "name": what})
        if problem:
            xml.etree.ElementTree.SubElement(case, "failure", {"message": problem}).text = sentence
        elif sentence:
            xml.etree.ElementTree.SubElement(case, "system-out").text = sentence
    return xml.etree.ElementTree.tostring(root, encoding="unicode") + "\n"


# --- who gains and who loses what ----------------------------------------------------------------------------------


def may_pull(permissions: _policy_document.Document, arn: str, tags: dict[str, str]) -> bool:
    """Whether a permissions document lets a session pull from the repository `arn` that carries `tags`.

    Documents that others wrote are evaluated too. What cannot be decided counts as allowed, so that no access remains
    unmentioned.
    """
    return pull_decision(permissions, arn, tags).verdict != _evaluate.DENIED


def granting_tags(permissions: _policy_document.Document | None) -> list[dict[str, str]]:
    """The tags that a permissions document asks for, one of each; a repository that it reaches by tag carries one."""
    found: dict[tuple[str, str], None] = {}
    for statement in _policy_document.statements(permissions or {}):
        condition = statement.get("Condition", {})
        for key, wanted in (condition.get("StringEquals", {}) if isinstance(condition, dict) else {}).items():
            match = re.fullmatch(r"(?:ecr|aws):resourcetag/(.+)", str(key), re.IGNORECASE)
            for value in _policy_document.as_list(wanted) if match else ():
                found[t.cast("re.Match[str]", match)[1], str(value)] = None
    return [{key: value} for key, value in found]


def granting_regions(permissions: _policy_document.Document | None) -> list[str]:
    """The regions whose repositories a permissions document names; not those that it covers by a wildcard."""
    resources = [
        str(one) for statement in _policy_document.statements(permissions or {}) for one in _resources(statement)
    ]
    found = [one.split(":")[3] for one in resources if re.fullmatch(r"arn:[^:]*:ecr:[a-z0-9-]+:.*", one)]
    return sorted(set(found))


def _resources(statement: _policy_document.Document) -> t.Iterable[t.Any]:
    return _policy_document.as_list(statement.get("Resource", []))
