# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Writes the fix of a finding: a task in YAML, or commands for a POSIX shell. Standard library only.

Names and documents come from AWS, where others may have written them. Every text is quoted, so that it cannot become
YAML syntax, a template of Ansible, or a shell command.
"""

from __future__ import annotations

import json
import re
import shlex
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_documents import (
    AuditedDocument,
    AuditedRole,
    PolicyKind,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_statement import AuditedStatement
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import CreationTemplate, Estate, Repository
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import as_list
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_narrowing import DENY_ALL_TRUST

#: A text that YAML reads as this text without quotes.
_PLAIN = re.compile(r"(?!(?:y|n|yes|no|on|off|true|false|null)$)[A-Za-z_][\w./-]*", re.ASCII | re.IGNORECASE)
_POLICY = re.compile(r"(managed|inline) policy (\S+)")


def yaml_task(name: str, module: str, options: Json) -> str:
    """A task in YAML."""
    return "\n".join([f"- name: {_scalar(name)}", f"  {module}:", *_block(options, "    ")]) + "\n"


def shell_command(*words: str) -> str:
    """A command with each word quoted for a POSIX shell."""
    return " ".join(shlex.quote(word) for word in words)


def compact_json(value: object) -> str:
    """A value as JSON in ASCII."""
    return json.dumps(value, separators=(",", ":"))


def with_statement(document: AuditedDocument, statement: AuditedStatement, replacement: Json | None) -> list[Json]:
    """The statements of a document with one of them replaced, or removed if the replacement is None."""
    found: list[Json] = []
    for other in document.statements:
        if other.number != statement.number:
            found.append(other.raw)
        elif replacement is not None:
            found.append(replacement)
    return found


def put_document(document: AuditedDocument, statements: t.Sequence[Json]) -> str:
    """The command that replaces the statements of a document. Without statements, the document is deleted."""
    text = compact_json({**json.loads(document.text), "Statement": list(statements)})
    if document.kind is PolicyKind.TRUST:
        content = text if statements else compact_json(DENY_ALL_TRUST)
        return shell_command(*_role("update-assume-role-policy", document), "--policy-document", content)
    if document.kind is PolicyKind.IDENTITY:
        return _put_identity_policy(document, text if statements else "")
    region = ("--region", document.region)
    if document.kind is PolicyKind.REGISTRY:
        if not statements:
            return shell_command("aws", "ecr", "delete-registry-policy", *region)
        return shell_command("aws", "ecr", "put-registry-policy", *region, "--policy-text", text)
    if isinstance(document.owner, Repository):
        name = ("--repository-name", document.owner.name)
        if not statements:
            return shell_command("aws", "ecr", "delete-repository-policy", *region, *name)
        return shell_command("aws", "ecr", "set-repository-policy", *region, *name, "--policy-text", text)
    prefix = document.owner.prefix if isinstance(document.owner, CreationTemplate) else ""
    return update_template(document.region, prefix, "--repository-policy", text if statements else "")


def update_template(region: str, prefix: str, *words: str) -> str:
    """The command that changes a repository creation template."""
    return shell_command(
        *("aws", "ecr", "update-repository-creation-template", "--region", region, "--prefix", prefix, *words)
    )


def deny_role(arn: str, name: str, statement: Json) -> str:
    """The task that denies a role something by an inline policy, whatever its other policies allow."""
    return yaml_task(
        f"Deny role {role_name(arn)} this access",
        "amazon.aws.iam_policy",
        {
            "iam_type": "role",
            "iam_name": role_name(arn),
            "policy_name": name,
            "state": "present",
            "policy_json": {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", **statement}]},
        },
    )


def narrowed_statement(statement: AuditedStatement, estate: Estate) -> Json:
    """A statement with `*`, limited to the organization of the account, or to the account itself."""
    raw = {key: value for key, value in statement.raw.items() if key != "NotPrincipal"}
    named = raw.get("Principal")
    if not estate.organization:
        others = named if isinstance(named, dict) else {}
        rest = without_value(others.get("AWS", []), ["*"])
        return {**raw, "Principal": {**others, "AWS": rest or estate.identity.root}}
    return {
        **raw,
        "Principal": named or {"AWS": "*"},
        "Condition": with_check(raw, "StringEquals", "aws:PrincipalOrgID", estate.organization),
    }


def with_check(raw: Json, operator: str, key: str, value: object) -> Json:
    """The condition of a statement with one more check."""
    condition = raw.get("Condition") or {}
    block = {name: wanted for name, wanted in condition.get(operator, {}).items() if name.lower() != key.lower()}
    return {**condition, operator: {**block, key: value}}


def delete_role_task(role: AuditedRole) -> str:
    """The task that deletes a role. The collection deletes its own roles together with their policy."""
    arguments: Json = {"name": role.name, "state": "absent"}
    if not role.is_ours:
        return yaml_task(f"Delete role {role.name}", "amazon.aws.iam_role", arguments)
    path = "/" + role.arn.partition(":role/")[2][: -len(role.name)]
    named = [found[2] for found in (_POLICY.match(document.name) for document in role.policies) if found]
    if path != "/":
        arguments["path"] = path
    if len(named) == 1 and named[0] != role.name:
        arguments["policy_name"] = named[0]
    return yaml_task(f"Delete role {role.name}", "crossaccount.ecr.iam_ecr_pull_role", arguments)


def role_name(arn: str) -> str:
    """The name of a role, without its path."""
    return arn.rpartition("/")[2]


def without_value(values: object, unwanted: t.Container[object]) -> list[object]:
    """The values of an element of a policy without the unwanted ones."""
    return [value for value in as_list(values) if value not in unwanted]


def _put_identity_policy(document: AuditedDocument, text: str) -> str:
    """The command that replaces or deletes a policy of a role. It looks up the ARN of a managed policy by name."""
    found = _POLICY.match(document.name)
    kind, name = found.groups() if found else ("managed", document.name)
    if kind == "inline":
        if not text:
            return shell_command(*_role("delete-role-policy", document), "--policy-name", name)
        return shell_command(*_role("put-role-policy", document), "--policy-name", name, "--policy-document", text)
    escaped = name.replace("'", "\\'")
    query = f"AttachedPolicies[?PolicyName=='{escaped}'].PolicyArn"
    listed = shell_command(*_role("list-attached-role-policies", document), "--query", query, "--output", "text")
    if not text:
        return f'{shell_command(*_role("detach-role-policy", document))} --policy-arn "$({listed})"'
    return (
        f'aws iam create-policy-version --policy-arn "$({listed})" --set-as-default --policy-document'
        f" {shlex.quote(text)}"
    )


def _role(operation: str, document: AuditedDocument) -> tuple[str, ...]:
    return ("aws", "iam", operation, "--role-name", role_name(document.resource))


def _block(value: object, indent: str) -> list[str]:
    """A mapping or a list of YAML in block style."""
    if isinstance(value, dict):
        return [line for key, item in value.items() for line in _entry(f"{_scalar(str(key))}:", item, indent)]
    return [line for item in as_list(value) for line in _entry("-", item, indent)]


def _entry(head: str, value: object, indent: str) -> list[str]:
    if isinstance(value, (dict, list)) and value:
        if head == "-" and isinstance(value, dict):
            first, *others = _block(value, f"{indent}  ")
            return [f"{indent}- {first.lstrip()}", *others]
        return [f"{indent}{head}", *_block(value, f"{indent}  ")]
    return [f"{indent}{head} {_scalar(value)}"]


def _scalar(value: object) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.fullmatch(value):
        return value
    quoted = "".join(
        character if character.isprintable() else _escape(character)
        for character in json.dumps(value, ensure_ascii=False)
    )
    return f"!unsafe {quoted}" if "{" in value else quoted


def _escape(character: str) -> str:
    return f"\\U{ord(character):08x}"
