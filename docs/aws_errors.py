# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes docs/docsite/rst/aws_errors.rst from the tables of AWS errors and denials, or tells whether it is up to date.

`python docs/aws_errors.py` writes; docs/check.py calls `page` and compares.
"""

from __future__ import annotations

import importlib
import pathlib
import re
import sys
import types

ROOT = pathlib.Path(__file__).parents[1]
PAGE = ROOT / "docs/docsite/rst/aws_errors.rst"
PACKAGE = "ansible_collections.crossaccount.ecr.plugins.module_utils"
CALLERS = {
    "role": "The session of the pull role called ECR",
    "assume": "A consumer assumed the pull role",
    "identity": "The consumer's own identity called ECR, for a share without a role",
    "caller": "Any other call",
}
INTRODUCTION = """.. _ansible_collections.crossaccount.ecr.docsite.aws_errors:

AWS errors and denials
======================

This page lists the errors of AWS that the collection recognizes. Any other error is shown as AWS wrote it, without
advice. The page is generated from the tables that the collection uses.

.. contents::
   :local:
   :depth: 1
"""


def _plain(text: str) -> str:
    """A text without the marks of options, `O(name)`."""
    return re.sub(r"O\((\w+)\)", r"\1", text)


def utility(name: str) -> types.ModuleType:
    """A pure file of module_utils, imported without Ansible."""
    parts = PACKAGE.split(".")
    for count in range(1, len(parts) + 1):
        full = ".".join(parts[:count])
        package = sys.modules.setdefault(full, types.ModuleType(full))
        package.__path__ = [str(ROOT / "plugins/module_utils")]
    return importlib.import_module(f"{PACKAGE}.{name}")


def literal(pattern: str) -> str:
    return f"``{pattern}``"


def page() -> str:
    """The whole page."""
    errors, denials = utility("_aws_errors"), utility("_denial")
    lines = [INTRODUCTION, "Denials", "-------", ""]
    lines += [
        "The kind of a denial is in the results as ``denial_kind``. ``{policy}`` stands for the policy that AWS names,",
        "with its ARN where AWS returns it. Source: IAM User Guide, *Troubleshoot access denied error messages*.",
        "",
    ]
    kind = ""
    for name, called, advice in denials.kinds():
        if name != kind:
            lines += [literal(name), ""]
            kind = name
        lines += [f"- {CALLERS[called]}: {advice.replace('{policy}', '``{policy}``')}"]
        lines += [""]
    lines += ["Errors", "------", ""]
    for row in (*errors.TABLE, utility("_key_errors").ROLE_KEY):
        lines += [
            literal(row.kind),
            f"    Code: {literal(row.codes)}." + (f" Message: {literal(row.message)}." if row.message else ""),
            "",
            f"    {_plain(row.next_step)}",
            "",
            f"    Can be changed by: {row.side}. May pass by itself: {'yes' if row.transient else 'no'}."
            f" Source: {row.source}.",
            "",
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
