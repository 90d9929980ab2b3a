# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Formats reports: tables of the results of hosts and accounts, and a proof as a JUnit report."""

from __future__ import annotations

import typing as t
import xml.etree.ElementTree

from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json


def hosts_table(rows: t.Sequence[tuple[str, bool, Json, Json]]) -> list[str]:
    """The result of each host, one line each.

    :param rows: the host, whether it did not fail, and the results of `ecr_access_info` and `ecr_image_pull`
    """
    results = []
    for host, succeeded, proof, pull in rows:
        pulled_text = "would be pulled" if pull.get("predicted") else "pulled"
        if succeeded:
            images = [
                f"{image['image']} {pulled_text if image['changed'] else 'already present'} ({pull['engine']})"
                for image in pull.get("images", [])
            ]
            results.append((host, str(proof.get("verdict")), ", ".join(images) or "nothing to pull"))
        else:
            reasons = [*proof.get("problems", []), proof.get("msg"), pull.get("msg"), "no result; see above"]
            results.append((host, "failed", str(next(filter(None, reasons))).splitlines()[0]))
    return _table(results)


def accounts_table(
    rows: t.Sequence[tuple[str, str, t.Sequence[object] | None, t.Sequence[object]]],
) -> list[str]:
    """One line with the result of each owner account, and the reasons of all failures.

    A single account has no lines, because the failed task shows its reason.

    :param rows: the host, why it failed, the access gained (None if unknown) and the access lost
    """
    results, reasons = [], []
    for host, failure, gained, lost in rows:
        if failure or gained is None:
            reason = (failure or "no result; see above").splitlines()
            results.append((host, "failed", reason[0]))
            reasons += [f"{host}: {line}" for line in reason[1:] and reason]
        else:
            change = f"{len(gained)} gained, {len(lost)} lost" if gained or lost else "no access gained or lost"
            results.append((host, "ok", change))
    return [*_table(results), *reasons] if len(rows) > 1 else []


def _table(results: t.Sequence[tuple[str, str, str]]) -> list[str]:
    """The lines of a table of hosts, verdicts and details."""
    width = max((len(host) for host, _verdict, _detail in results), default=0)
    return [f"{host.ljust(width)}  {verdict.ljust(6)}  {detail}" for host, verdict, detail in results]


def failure_reason(failure: Json) -> str:
    """The reason why a task failed, or the reasons of all failed items of a loop."""
    items = [
        str(result["msg"]) for result in failure.get("results") or [] if result.get("failed") and result.get("msg")
    ]
    return "\n".join(dict.fromkeys(items)) or str(failure.get("msg") or "no reason was given; see above")


def junit(proof: Json, suite: str) -> str:
    """A proof as a JUnit report: a test case for each repository, and one for each other problem.

    :param proof: `repositories` and `problems`; a proof that access has ended also has `assume_role`
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
    if "assume_role" in proof:
        response = proof["assume_role"]
        cases.append(("role", "is not assumed", response["advice"], response["denial"]))
        advised.append(response["advice"])
    cases += [("role", "otherwise", problem, "") for problem in proof["problems"] if problem not in advised]
    failures = sum(bool(problem) for _name, _what, problem, _sentence in cases)
    counts = {"name": suite, "tests": str(len(cases)), "failures": str(failures)}
    element = xml.etree.ElementTree.SubElement(root, "testsuite", counts)
    for name, title, problem, sentence in cases:
        case = xml.etree.ElementTree.SubElement(element, "testcase", {"classname": name, "name": title})
        if problem:
            xml.etree.ElementTree.SubElement(case, "failure", {"message": problem}).text = sentence
        elif sentence:
            xml.etree.ElementTree.SubElement(case, "system-out").text = sentence
    return xml.etree.ElementTree.tostring(root, encoding="unicode") + "\n"
