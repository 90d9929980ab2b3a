# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The differences between a declaration of shares and the account, as findings of an audit. Standard library only.

The plan of the shares states each difference as access, and the steps that end it.
"""

from __future__ import annotations

import shlex
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._list_text import list_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_access import NO_CHANGE

#: The ID of these findings.
DRIFT = "drift"
#: A key that every plan has.
_WOULD_CHANGE = "would_change"


@dataclass(frozen=True)
class _Difference:
    """A difference as a sentence.

    :param detail: the sentence with the names of all repositories
    """

    severity: str
    title: str
    detail: str


def drift_findings(plan: Json, file: str) -> list[Json]:
    """A finding for each difference between a declaration and the account.

    :param plan: the result of `ecr_share_info`; without a plan if the module failed
    :param file: the path of the declaration
    """
    command = f"ansible-playbook crossaccount.ecr.share -e @{shlex.quote(file)}"
    steps = "; ".join(_steps(plan)) if _WOULD_CHANGE in plan else ""
    changed = [share["role_arn"] for share in plan.get("shares") or () if share["changed"]]
    return [
        {
            "id": DRIFT,
            "key": f"{DRIFT}:{file}:{difference.title}",
            "severity": difference.severity,
            "title": difference.title,
            "resource": changed[0] if changed else "",
            "region": "",
            "evidence": {"document": f"declaration {file}", "statement": "", "text": difference.detail},
            "fix": f"{command}  # {steps}" if steps else command,
        }
        for difference in _differences(plan, file)
    ]


def _differences(plan: Json, file: str) -> t.Iterator[_Difference]:
    if _WOULD_CHANGE not in plan:
        title = f"The declaration {file} cannot be compared with the account"
        yield _Difference("high", title, str(plan.get("msg") or "no reason was given"))
    elif plan[_WOULD_CHANGE] and plan["lines"] == [NO_CHANGE]:
        steps = "; ".join(_steps(plan))
        yield _Difference("low", f"The account differs from the declaration. No access differs. The fix {steps}", steps)
    elif plan[_WOULD_CHANGE]:
        for line, full in zip(plan["lines"], plan["all_lines"]):
            yield _as_access(line, full)


def _as_access(line: str, full: str) -> _Difference:
    """The difference for a line of the plan, which states what a run of the shares changes.

    :param full: the line with the names of all repositories
    """
    if line.startswith("+ "):
        return _Difference("medium", f"The declaration allows this access, the account does not: {line[2:]}", full[2:])
    if line.startswith("- "):
        title, detail = (text[2:].replace(" loses ", " can pull ", 1) for text in (line, full))
        return _Difference("high", f"The account allows this access, the declaration does not: {title}", detail)
    return _Difference("medium", f"The conditions of the access differ from the declaration: {line}", full)


def _steps(plan: Json) -> t.Iterator[str]:
    """What the fix changes: the tags and the roles that differ."""
    for role in plan["roles"]:
        yield f"{'deletes' if role['state'] == 'absent' else 'creates or updates'} role {role['name']}"
    for step in plan["untag"]:
        yield f"removes {_tags(step)} from {list_text(step['names'])} in {step['region']}"
    for step in plan["tag"]:
        yield f"adds {_tags(step)} to {list_text(step['names'])} in {step['region']}"


def _tags(step: Json) -> str:
    return "tag " + ", ".join(f"{key}={value}" for key, value in step["tags"].items())
