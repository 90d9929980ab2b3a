# SPDX-License-Identifier: GPL-3.0-or-later
"""The pure files import the standard library and each other, and nothing else."""

from __future__ import annotations

import ast
import pathlib
import sys

import pytest

UTILS = pathlib.Path(__file__).parents[2] / "plugins/module_utils"
PACKAGE = "ansible_collections.crossaccount.ecr.plugins.module_utils"
PURE = (
    "_access",
    "_access_change",
    "_admission",
    "_answer",
    "_assume",
    "_concurrency",
    "_aws_config_file",
    "_condition",
    "_consumers",
    "_context",
    "_convergence",
    "_credential_helper",
    "_declaration",
    "_destination",
    "_denial",
    "_docker_config_file",
    "_endpoint",
    "_engine_errors",
    "_errors",
    "_evaluate",
    "_handoff",
    "_handoff_page",
    "_handoff_schema",
    "_handoff_summary",
    "_handoff_values",
    "_identity",
    "_host_declaration",
    "_image",
    "_image_reference",
    "_json",
    "_kept",
    "_layout_index",
    "_listed",
    "_manifest",
    "_merged",
    "_names",
    "_operators",
    "_option_names",
    "_parties",
    "_platform",
    "_policy",
    "_policy_document",
    "_principal",
    "_profile",
    "_proof",
    "_helper_plan",
    "_pull_options",
    "_response_error",
    "_response",
    "_role_declaration",
    "_role_ownership",
    "_role_plan",
    "_role_state",
    "_role_steps",
    "_share",
    "_share_access",
    "_share_checks",
    "_share_declaration",
    "_share_facts",
    "_share_plan",
    "_share_roles",
    "_share_tags",
    "_share_text",
    "_share_variables",
    "_signals",
    "_statement",
    "_suggestion",
    "_tag_declaration",
    "_tag_plan",
    "_terms",
    "_timestamp",
    "_unexpected",
    "_verdict",
    "_observation",
    "_aws_error",
    "_aws_errors",
    "_request_errors",
    "_image_errors",
    "_credential_source",
    "_credentials",
    "_secrets",
    "_wait",
    "_wildcard",
    "_written",
)


def foreign_imports(source: str) -> list[str]:
    """Every module that `source` imports and that is neither of the standard library nor pure."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names += [f"{module}.{alias.name}" for alias in node.names] if module == PACKAGE else [module]
    pure = {f"{PACKAGE}.{name}" for name in PURE}
    return [name for name in names if name not in pure and name.partition(".")[0] not in sys.stdlib_module_names]


@pytest.mark.parametrize("name", PURE)
def test_pure_files_import_nothing_else(name: str) -> None:
    assert foreign_imports((UTILS / f"{name}.py").read_text()) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import json, typing as t", []),
        ("import urllib.parse", []),
        (f"from {PACKAGE} import _policy", []),
        (f"from {PACKAGE}._errors import Problems", []),
        (f"from {PACKAGE}._signals import interruptible", []),
        (f"from {PACKAGE} import _wait, _registry", [f"{PACKAGE}._registry"]),
        (f"from {PACKAGE} import _policy, _iam", [f"{PACKAGE}._iam"]),
        (f"from {PACKAGE}._iam import PullRole", [f"{PACKAGE}._iam"]),
        ("def f():\n    import boto3.session", ["boto3.session"]),
        ("try:\n    from botocore import exceptions\nexcept ImportError:\n    pass", ["botocore"]),
        ("from ansible.module_utils.urls import open_url", ["ansible.module_utils.urls"]),
        ("from . import _iam", ["."]),
    ],
)
def test_the_check_sees_what_is_foreign(source: str, found: list[str]) -> None:
    assert foreign_imports(source) == found
