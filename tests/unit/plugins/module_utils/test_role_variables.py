# SPDX-License-Identifier: GPL-3.0-or-later
"""Misspelled variables of the roles."""

from __future__ import annotations

import re

import pytest
import yaml
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_variables import (
    unknown_variables,
    valid_variables,
    variables_of_another_playbook,
)

from tests.support.paths import ROOT


@pytest.mark.parametrize(
    ("role", "name", "nearest"),
    [
        ("ecr_share", "ecr_share_exlusive", "ecr_share_exclusive"),
        ("ecr_share", "ecr_share_repository", "ecr_share_repositories"),
        ("ecr_share", "ecr_share_handoff_paht", "ecr_share_handoff_path"),
        ("ecr_pull", "ecr_pull_imges", "ecr_pull_images"),
        ("ecr_pull", "ecr_pull_own_account", "ecr_pull_owner_account"),
        ("ecr_pull", "ecr_pull_proveonly", "ecr_pull_prove_only"),
        ("ecr_audit", "ecr_audit_report_path", "ecr_audit_report_dir"),
        ("ecr_audit", "ecr_audit_trusted_account", "ecr_audit_trusted_accounts"),
        ("ecr_credential_helper", "ecr_credential_helper_users", "ecr_credential_helper_user"),
    ],
)
def test_an_unknown_variable_is_named_with_the_nearest_name(role: str, name: str, nearest: str) -> None:
    others = ["ecr_share_exclusive", "ecr_pull_engine", "ecr_pull_handoff", "ecr_credential_helper_state", "other"]
    (problem,) = unknown_variables(f"crossaccount.ecr.{role}", [*others, name])
    assert problem == f"Variable {name} is unknown, so it would be ignored. The nearest valid name is {nearest}."


def test_variables_of_other_roles_are_not_checked() -> None:
    assert list(unknown_variables("", ["ecr_share_exlusive"])) == []
    assert list(unknown_variables("example.company.ecr_pull", ["ecr_pull_imges"])) == []
    assert list(unknown_variables("crossaccount.ecr.ecr_credential_helper", ["ecr_pull_imges"])) == []


def test_variable_of_a_revocation_is_not_ignored_by_a_share() -> None:
    (problem,) = variables_of_another_playbook(["ecr_share_mode", "ecr_share_revoke_consumers"])
    assert problem.startswith("ecr_share_revoke_consumers selects the sessions that crossaccount.ecr.revoke ends.")
    assert list(variables_of_another_playbook(["ecr_share_mode"])) == []


@pytest.mark.parametrize("role", ["ecr_audit", "ecr_share", "ecr_pull", "ecr_credential_helper"])
def test_every_variable_of_the_role_and_its_playbooks_is_known(role: str) -> None:
    spec = yaml.safe_load((ROOT / f"roles/{role}/meta/argument_specs.yml").read_text())
    options = set(spec["argument_specs"]["main"]["options"])
    assert options <= {*valid_variables(f"crossaccount.ecr.{role}")}
    files = [
        *ROOT.glob(f"roles/{role}/*/*"),
        *ROOT.glob("playbooks/*.yml"),
        *ROOT.glob("extensions/patterns/**/*.json"),
    ]
    text = "".join(path.read_text() for path in [*files, *ROOT.glob("docs/examples/*.yml")] if path.is_file())
    used = set(re.findall(rf"\b{role}_[a-z_]*[a-z]\b", text)) - {f"{role}_info", f"{role}_config", f"{role}_role"}
    used -= {"ecr_audit_options_info", "ecr_audit_report"}  # modules
    used -= {"ecr_share_role"} if role == "ecr_share" else set()
    assert list(unknown_variables(f"crossaccount.ecr.{role}", options | used)) == []


def test_the_role_is_short_and_has_no_private_variables() -> None:
    text = (ROOT / "roles/ecr_share/tasks/main.yml").read_text()
    assert len(text.splitlines()) <= 130
    assert len(re.findall(r"^ +- name: ", text, re.MULTILINE)) <= 11
    assert "__" not in text
    others = [
        path for folder in ("tasks", "vars", "templates") for path in (ROOT / "roles/ecr_share").glob(f"{folder}/*")
    ]
    assert sorted(path.name for path in others) == [
        "main.yml",
        "publish.yml",
        "pull_role.yml",
        "revoke.yml",
        "statement.yml",
        "tag_guard.yml",
    ]
