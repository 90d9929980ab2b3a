# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixes are valid tasks and commands, whatever the names in an account are."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_documents import AuditedRole, audited
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_fixes import (
    delete_role_task,
    deny_role,
    narrowed_statement,
    put_document,
    shell_command,
    update_template,
    with_check,
    with_statement,
    without_value,
    yaml_task,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import CreationTemplate, Estate, PolicyDocument

from tests.unit.estates import (
    CONSUMER,
    HOSTILE,
    OWNER,
    REGION,
    TaskLoader,
    allows,
    aws_calls,
    document,
    estate,
    grants,
    repository,
    role,
    task_in,
)


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


AGREED = {"Effect": "Allow", "Action": "x"}


@pytest.mark.parametrize(
    ("account", "put", "delete"),
    [
        (
            estate(repositories=[repository("release", grants(CONSUMER))]),
            ["ecr", "set-repository-policy", "--region", REGION, "--repository-name", "release", "--policy-text"],
            ["ecr", "delete-repository-policy", "--region", REGION, "--repository-name", "release"],
        ),
        (
            estate(registry=[grants(CONSUMER)]),
            ["ecr", "put-registry-policy", "--region", REGION, "--policy-text"],
            ["ecr", "delete-registry-policy", "--region", REGION],
        ),
        (
            estate(templates=(CreationTemplate("tools/", (), policy=PolicyDocument("policy", document(grants("*")))),)),
            [
                *("ecr", "update-repository-creation-template", "--region", REGION, "--prefix", "tools/"),
                "--repository-policy",
            ],
            None,
        ),
    ],
)
def test_policy_of_a_resource_is_replaced_or_deleted(account: Estate, put: list[str], delete: list[str] | None) -> None:
    [policy] = audited(account).resources
    [call] = aws_calls(put_document(policy, [AGREED]))
    assert call[:-1] == put
    assert json.loads(call[-1]) == {"Version": "2012-10-17", "Statement": [AGREED]}
    if delete is not None:
        assert aws_calls(put_document(policy, [])) == [delete]


def test_trust_policy_is_replaced_or_denies_all() -> None:
    [with_trust] = audited(estate(role())).roles
    replaced, emptied = (aws_calls(put_document(with_trust.trust, statements))[0] for statements in ([AGREED], []))
    assert replaced[:-1] == ["iam", "update-assume-role-policy", "--role-name", "share", "--policy-document"]
    assert json.loads(replaced[-1])["Statement"] == [AGREED]
    assert json.loads(emptied[-1])["Statement"][0]["Effect"] == "Deny"


def test_statement_is_replaced_or_removed() -> None:
    [with_policies] = audited(estate(role(policy=[allows("a"), allows("b"), allows("c")]))).roles
    [policy] = with_policies.policies
    first, second, third = (statement.raw for statement in policy.statements)
    middle = policy.statements[1]
    assert with_statement(policy, middle, None) == [first, third]
    assert with_statement(policy, middle, AGREED) == [first, AGREED, third]
    assert second["Action"] == "b"


@pytest.mark.parametrize(
    ("values", "rest"),
    [("a", []), (["a", "b", "a"], ["b"]), (["b"], ["b"]), ("b", ["b"]), ([], [])],
)
def test_missing_values(values: object, rest: list[str]) -> None:
    assert without_value(values, ["a"]) == rest


@pytest.mark.parametrize(
    ("organization", "principal", "changed"),
    [
        ("", "*", {"Principal": {"AWS": f"arn:aws:iam::{OWNER}:root"}}),
        ("", {"AWS": ["*", CONSUMER], "Service": "x"}, {"Principal": {"AWS": [CONSUMER], "Service": "x"}}),
        ("o-exampleorgid", "*", {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}}}),
    ],
)
def test_statement_with_a_wildcard_is_narrowed(organization: str, principal: object, changed: dict[str, Any]) -> None:
    account = estate(registry=[grants(principal)], organization=organization)
    [policy] = audited(account).resources
    [raw] = (statement.raw for statement in policy.statements)
    assert narrowed_statement(policy.statements[0], account) == {**raw, **changed}


def test_not_principal_is_replaced() -> None:
    account = estate(registry=[{"NotPrincipal": {"AWS": CONSUMER}, "Action": "ecr:*"}], organization="o-exampleorgid")
    [policy] = audited(account).resources
    narrowed = narrowed_statement(policy.statements[0], account)
    assert "NotPrincipal" not in narrowed
    assert narrowed["Principal"] == {"AWS": "*"}


def test_check_is_added_to_a_condition() -> None:
    raw = {"Condition": {"StringEquals": {"A:b": "x", "c": "y"}, "Null": {"c": "true"}}}
    assert with_check(raw, "StringEquals", "a:B", "z") == {
        "StringEquals": {"c": "y", "a:B": "z"},
        "Null": {"c": "true"},
    }
    assert with_check({}, "Null", "c", "false") == {"Null": {"c": "false"}}


def test_template_is_updated() -> None:
    assert aws_calls(update_template(REGION, "tools/", "--applied-for", "REPLICATION")) == [
        [
            *("ecr", "update-repository-creation-template", "--region", REGION, "--prefix", "tools/"),
            *("--applied-for", "REPLICATION"),
        ],
    ]


def test_access_is_denied_to_a_role_by_an_inline_policy() -> None:
    module, options = task_in(deny_role(f"arn:aws:iam::{OWNER}:role/ci/share", "deny", {"Action": "x"}))
    assert module == "amazon.aws.iam_policy"
    assert options == {
        "iam_type": "role",
        "iam_name": "share",
        "policy_name": "deny",
        "state": "present",
        "policy_json": {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "x"}]},
    }


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
    own["arn"] = f"arn:aws:iam::{OWNER}:role/ci/share"
    options = {"name": "share", "state": "absent", "path": "/ci/", "policy_name": "access"}
    assert task(**own) == {"name": "Delete role share", "crossaccount.ecr.iam_ecr_pull_role": options}
