# SPDX-License-Identifier: GPL-3.0-or-later
"""Estates for the tests of the findings, and checks of their fixes."""

from __future__ import annotations

import datetime
import json
import shlex
import subprocess
import types
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_access import audit_access
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_findings import findings_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_options import AUDIT_ARGUMENTS, AuditOptions
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_tag_setters import TagSetter
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import (
    Estate,
    IamPrincipal,
    PolicyDocument,
    Registry,
    Repository,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._finding import Finding
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity

OWNER, CONSUMER, OTHER = "111111111111", "222222222222", "333333333333"
ORGANIZATION = "o-exampleorgid"
REGION = "eu-west-1"
NOW = datetime.datetime(2026, 11, 27, tzinfo=datetime.timezone.utc)
ROLE = f"arn:aws:iam::{OWNER}:role/share"
REGISTRY = f"arn:aws:ecr:{REGION}:{OWNER}:*"
PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
ON: Mapping[str, str] = types.MappingProxyType({"environment": "release"})
TAGGED = {"StringEquals": {"ecr:ResourceTag/environment": "release"}}
WITH_ID = {"StringEquals": {"sts:ExternalId": "share-1"}}

#: Texts that mean something in YAML, a shell, Ansible or a terminal.
HOSTILE = (
    "it's",
    '"quoted"',
    "$(touch /tmp/x) `id` $HOME",
    "a: b # c",
    "- x",
    "\\",
    "line\nbreak\r\t",
    "*",
    "&x",
    "!unsafe",
    "yes",
    "No",
    "null",
    "1e3",
    "0123",
    "~",
    "",
    " ",
    "%",
    "@x",
    "\u202egnp\u202c",
    "\x1b[2J\x7f\x85\u2028",
    "😀",
    "--option",
    "{{ lookup('pipe', 'id') }}",
    "{% raw %}",
    "{# comment #}",
)

Statement = Mapping[str, Any]


def days(number: int) -> datetime.datetime:
    """The time this number of days from now."""
    return NOW + datetime.timedelta(days=number)


def time_text(time: datetime.datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def document(*statements: Statement) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement} for statement in statements]}


def admits(principal: object, condition: Statement | None = None, action: str = "sts:AssumeRole") -> dict[str, Any]:
    """A statement of a trust policy."""
    named = principal if isinstance(principal, dict) or principal == "*" else {"AWS": principal}
    return {"Principal": named, "Action": action, **({"Condition": condition} if condition else {})}


def allows(actions: object = None, condition: Statement | None = None, **more: Any) -> dict[str, Any]:
    """A statement of an identity policy."""
    return {"Action": actions or PULL, "Resource": "*", **({"Condition": condition} if condition else {}), **more}


def grants(
    principal: object, actions: object = None, condition: Statement | None = None, **more: Any
) -> dict[str, Any]:
    """A statement of a repository policy or a registry policy."""
    return {**admits(principal, condition), "Action": actions or PULL, **more}


def role(
    trust: Sequence[Statement] = (admits(CONSUMER, WITH_ID),),
    policy: Sequence[Statement] | str = (allows(condition=TAGGED),),
    kind: str = "inline",
    arn: str = ROLE,
    **more: Any,
) -> IamPrincipal:
    """A role with one policy, `access`. It is new and in use."""
    content = policy if isinstance(policy, str) else document(*policy)
    policies = (PolicyDocument(f"{kind} policy access of role {arn}", content),)
    trusted = PolicyDocument(f"trust policy of role {arn}", document(*trust))
    return IamPrincipal(arn, policies, trust=trusted, **{"created": days(-1), **more})


def repository(
    name: str = "release",
    *policy: Statement,
    tags: Mapping[str, str] | None = ON,
    region: str = REGION,
    mutable: bool = False,
    archived: int = 0,
) -> Repository:
    found = PolicyDocument(f"repository policy of {name} in {region}", document(*policy)) if policy else None
    arn = f"arn:aws:ecr:{region}:{OWNER}:repository/{name}"
    return Repository(name, region, arn, tags, found, mutable_image_tags=mutable, archived=archived)


def estate(
    *principals: IamPrincipal,
    repositories: Sequence[Repository] = (repository(),),
    registry: Sequence[Statement] = (),
    organization: str = "",
    members: frozenset[str] | None = None,
    **more: Any,
) -> Estate:
    """An account with one region.

    :param registry: the statements of the registry policy
    """
    policy = PolicyDocument(f"registry policy of {REGION}", document(*registry)) if registry else None
    place = Registry(REGION, tuple(repositories), policy, **more)
    return Estate(Identity("aws", OWNER), NOW, principals, (place,), (), organization, members)


def options(**given: Any) -> AuditOptions:
    params = {name: argument.get("default") for name, argument in AUDIT_ARGUMENTS.items()}
    return AuditOptions.of({**params, "repository_tags": ON, **given})


def findings(account: Estate, kind: str = "", setters: Sequence[TagSetter] = (), **given: Any) -> list[Finding]:
    """The findings of a kind, or all findings."""
    found = findings_of(account, audit_access(account).rows, options(**given), setters)
    return [one for one in found if kind in ("", one.id)]


def ids(account: Estate, **given: Any) -> set[str]:
    return {one.id for one in findings(account, **given)}


# --- fixes


class TaskLoader(yaml.SafeLoader):
    """Reads tasks with the tag `!unsafe`, as Ansible does."""


TaskLoader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))  # type: ignore[arg-type]


def task_in(fix: str) -> tuple[str, dict[str, Any]]:
    """The module and the options of the only task of a fix."""
    [task] = yaml.load(fix, TaskLoader)  # noqa: S506 (a subclass of SafeLoader)
    [module] = set(task) - {"name"}
    return module, task[module]


def words_in(fix: str) -> list[str]:
    """The words of a fix that is one command without substitutions."""
    return shlex.split(fix)


def aws_calls(fix: str, answer: str = "answer") -> list[list[str]]:
    """The arguments of each call of `aws` when a shell runs a fix. Each call prints the answer."""
    script = 'aws() { printf "%s\\0" "$@" "" >&2; echo "$ANSWER"; }\nopenssl() { echo new-id; }\n' + fix
    environment = {"ANSWER": answer, "PATH": "/nonexistent"}
    ran = subprocess.run(["/bin/sh", "-euc", script], env=environment, capture_output=True, check=True)
    return [call.split("\0") for call in ran.stderr.decode().split("\0\0")[:-1]]


def document_in(fix: str) -> list[dict[str, Any]]:
    """The statements of the policy that a command writes: its last word."""
    statements: list[dict[str, Any]] = json.loads(words_in(fix)[-1])["Statement"]
    return statements
