# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixes are valid tasks and commands, whatever the names in an account are."""

from __future__ import annotations

import json

import pytest
import yaml
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_documents import AuditedRole, audited
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_fixes import (
    delete_role_task,
    put_document,
    shell_command,
    yaml_task,
)

from tests.unit.estates import HOSTILE, OWNER, TaskLoader, allows, aws_calls, estate, role


@pytest.mark.parametrize("text", HOSTILE)
def test_task_contains_the_exact_text(text: str) -> None:
    options = {"name": text, text: [text, {"key": text, "list": []}, [text]], "number": 1, "flag": True, "empty": {}}
    written = yaml_task(text, "a.b.c", options)
    assert yaml.load(written, TaskLoader) == [{"name": text, "a.b.c": options}]  # noqa: S506 (a SafeLoader)
    assert all(character.isprintable() or character == "\n" for character in written)


@pytest.mark.parametrize("text", HOSTILE)
def test_command_contains_the_exact_text(text: str) -> None:
    assert aws_calls(shell_command("aws", "x", f"{text}.", "y")) == [["x", f"{text}.", "y"]]


@pytest.mark.parametrize("text", ["{{ x }}", "{% x %}", "{# x #}"])
def test_ansible_does_not_template_a_text_of_others(text: str) -> None:
    written = yaml_task("It", "a.b.c", {"tags": {"key": text}})
    assert f"key: !unsafe {json.dumps(text)}" in written


def policy_of(kind: str, name: str) -> str:
    """A fix that deletes the policy of a role."""
    account = audited(estate(role(kind=kind)))
    [document] = account.roles[0].policies
    object.__setattr__(document, "name", document.name.replace("access", name))
    return put_document(document, [])


def test_deletion_of_a_policy_of_a_role() -> None:
    assert aws_calls(policy_of("inline", "access")) == [
        ["iam", "delete-role-policy", "--role-name", "share", "--policy-name", "access"],
    ]
    lookup, detach = aws_calls(policy_of("managed", "it's"), "arn:aws:iam::111111111111:policy/it")
    assert lookup[5] == r"AttachedPolicies[?PolicyName=='it\'s'].PolicyArn"
    assert detach[-2:] == ["--policy-arn", "arn:aws:iam::111111111111:policy/it"]


def test_other_elements_of_a_document_are_kept() -> None:
    [document] = audited(estate(role(policy=[allows()]))).roles[0].policies
    object.__setattr__(document, "text", json.dumps({"Version": "2008-10-17", "Id": "x", "Statement": []}))
    [call] = aws_calls(put_document(document, [{"Effect": "Allow"}]))
    assert json.loads(call[-1]) == {"Version": "2008-10-17", "Id": "x", "Statement": [{"Effect": "Allow"}]}


def test_deletion_of_a_role_is_a_task_of_its_collection() -> None:
    def task(**given: object) -> object:
        found: AuditedRole = audited(estate(role(**given))).roles[0]  # type: ignore[arg-type]
        return yaml.safe_load(delete_role_task(found))[0]

    assert task() == {"name": "Delete role share", "amazon.aws.iam_role": {"name": "share", "state": "absent"}}
    own = {"kind": "managed", "arn": f"arn:aws:iam::{OWNER}:role/access", "tags": {"managed-by": "crossaccount.ecr"}}
    options = {"name": "access", "state": "absent"}
    assert task(**own) == {"name": "Delete role access", "crossaccount.ecr.iam_ecr_pull_role": options}
