# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Reports for people and build servers: the result on each host or account as a table, and a proof as JUnit."""

from __future__ import annotations

import typing as t
import xml.etree.ElementTree

from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json


def hosts_table(rows: t.Sequence[tuple[str, bool, Json, Json]], check_mode: bool) -> list[str]:
    """What came out on each host, a line each.

    :param rows: the host, whether its play went through, and what `ecr_access_info` and `ecr_image_pull` answered
    """
    width = max((len(row[0]) for row in rows), default=0)
    lines = []
    for host, went_through, proof, pulled in rows:
        if went_through:
            brought = [
                f"{image['image']} {('would be pulled' if check_mode else 'pulled') if image['changed'] else 'was there'}"
                f" ({pulled['engine']})"
                for image in pulled.get("images", [])
            ]
            what, verdict = ", ".join(brought) or "nothing to pull", str(proof.get("verdict"))
        else:
            reasons = [*proof.get("problems", []), proof.get("msg"), pulled.get("msg"), "no answer; see above"]
            what, verdict = str(next(filter(None, reasons))).splitlines()[0], "failed"
        lines.append(f"{host.ljust(width)}  {verdict.ljust(6)}  {what}")
    return lines


def accounts_table(
    rows: t.Sequence[tuple[str, str, t.Sequence[object] | None, t.Sequence[object]]],
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


def failure_reason(failure: Json) -> str:
    """Why a task failed; of a loop, why each of its items failed."""
    items = [
        str(result["msg"]) for result in failure.get("results") or [] if result.get("failed") and result.get("msg")
    ]
    return "\n".join(dict.fromkeys(items)) or str(failure.get("msg") or "no reason was given; see above")


def junit(proof: Json, suite: str) -> str:
    """A proof as a JUnit report: a test case for each repository, and one for each other problem.

    :param proof: `repositories` and `problems`
    :param suite: the name of the suite, such as the role's ARN
    """
    root = xml.etree.ElementTree.Element("testsuites")
    cases: list[tuple[str, str, str, str]] = [
        (
            repository["name"],
            f"is {repository['expected']}",
            repository["advice"] if repository["verdict"] == "fail" else "",
            repository["denial"],
        )
        for repository in proof["repositories"]
    ]
    advised = [repository["advice"] for repository in proof["repositories"]]
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
