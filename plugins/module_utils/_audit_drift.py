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

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_fixes import role_name, shell_command
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_kept import Pair, other_paths
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_text import path_text, pull_lines
from ansible_collections.crossaccount.ecr.plugins.module_utils._finding import Evidence, Finding, finding
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._list_text import list_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_access import NO_CHANGE

#: The beginning of the IDs of these findings.
DRIFT = "drift"
#: A key that every plan has.
_WOULD_CHANGE = "would_change"


def drift_findings(plan: Json, file: str) -> list[Json]:
    """A finding for each difference between a declaration and the account.

    :param plan: the result of `ecr_share_info`; without a plan if the module failed
    :param file: the path of the declaration
    """
    found = _differences(plan, file) if _WOULD_CHANGE in plan else [_not_compared(plan, file)]
    return [one.as_json() for one in found]


def other_path_findings(plan: Json, audit: Json, file: str) -> list[Json]:
    """A finding for each principal that can pull from a declared repository through another access path.

    :param audit: the report
    """
    groups: dict[tuple[str, str], list[Pair]] = {}
    for row, path in other_paths(plan, audit) if _WOULD_CHANGE in plan else ():
        groups.setdefault((row["principal"], path_text(path)), []).append((row, path))
    return [_other_path(pairs, file).as_json() for _key, pairs in sorted(groups.items(), key=lambda item: item[0])]


def _other_path(pairs: list[Pair], file: str) -> Finding:
    row, path = pairs[0]
    (line,) = pull_lines(pairs, "can pull", "may be able to pull")[:1]
    title = f"No declared share grants this access: {line}"
    places = ", ".join(f"{row['repository']} in {row['region']}" for row, _path in pairs)
    fix = f"# Remove the access path, or add the consumer to {file}.\n{_read_command(row, path)}"
    evidence = Evidence(path["document"], path["statement"], places)
    return finding("drift-other-path", title, path.get("role") or "", evidence, fix, about=(line, *map(_place, pairs)))


def _place(pair: Pair) -> str:
    return f"{pair[0]['region']}/{pair[0]['repository']}"


def _read_command(row: Json, path: Json) -> str:
    """The command that shows the document of an access path."""
    region = ("--region", row["region"])
    if path.get("role"):
        return shell_command("aws", "iam", "get-role", "--role-name", role_name(path["role"]))
    if path["path"] == "registry_policy":
        return shell_command("aws", "ecr", "get-registry-policy", *region)
    if path["path"] == "repository_policy":
        return shell_command("aws", "ecr", "get-repository-policy", *region, "--repository-name", row["repository"])
    return shell_command("aws", "ecr", "describe-registry", *region)


def _not_compared(plan: Json, file: str) -> Finding:
    evidence = Evidence(f"declaration {file}", "", str(plan.get("msg") or "no reason was given"))
    title = f"The declaration {file} cannot be compared with the account"
    return finding("drift-not-compared", title, "", evidence, _command(file), about=(file,))


def _differences(plan: Json, file: str) -> t.Iterator[Finding]:
    steps = "; ".join(_steps(plan))
    changed = [share["role_arn"] for share in plan["shares"] if share["changed"]]
    role = "".join(changed) if len(changed) == 1 else ""  # a line does not show to which of several shares it belongs
    for line, full in zip(plan["lines"], plan["all_lines"]) if plan[_WOULD_CHANGE] else ():
        kind, title = _as_access(line, steps)
        evidence = Evidence(f"declaration {file}", "", full)
        yield finding(kind, title, role, evidence, f"{_command(file)}  # {steps}", about=(full,))


def _command(file: str) -> str:
    return f"ansible-playbook crossaccount.ecr.share -e @{shlex.quote(file)}"


def _as_access(line: str, steps: str) -> tuple[str, str]:
    """The kind and the title of the finding for a line of the plan, which states what a run of the shares changes."""
    if line.startswith("+ "):
        return "drift-missing-access", f"The declaration allows this access, the account does not: {line[2:]}"
    if line.startswith("- "):
        access = line[2:].replace(" loses ", " can pull ")
        return "drift-undeclared-access", f"The account allows this access, the declaration does not: {access}"
    if line == NO_CHANGE:
        return "drift-settings", f"The account differs from the declaration. No access differs. The fix {steps}"
    return "drift-conditions", f"The conditions of the access differ from the declaration: {line}"


def _steps(plan: Json) -> t.Iterator[str]:
    """The changes of the fix: the roles, the statements and the tags that differ."""
    for role in plan["roles"]:
        if role["state"] == "narrowed":
            continue  # the same role follows with all of its changes
        yield f"{'deletes' if role['state'] == 'absent' else 'creates or updates'} role {role['name']}"
    for step in plan["statements"]:
        policies = f"the policies of {list_text(step['names'])}" if step["names"] else "the registry policy"
        verb = "removes" if step["state"] == "absent" else "creates or updates"
        yield f"{verb} the statement of {step['name']} in {policies} in {step['region']}"
    for step in plan["untag"]:
        yield f"removes {_tags(step)} from {list_text(step['names'])} in {step['region']}"
    for step in plan["tag"]:
        yield f"adds {_tags(step)} to {list_text(step['names'])} in {step['region']}"


def _tags(step: Json) -> str:
    return "tag " + ", ".join(f"{key}={value}" for key, value in step["tags"].items())
