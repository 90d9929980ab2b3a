# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls to the registry of another account, added in place before the lab serves a request.

MiniStack uses the caller's registry for every ECR call. This file adds:

1. `registryId`, and the account in `resourceArn`, select the registry.
2. The repository policy is evaluated too. In another account, it has to allow the call, even if the repository does
   not exist.

Source: Amazon ECR User Guide, "Private repository policies".
"""

from __future__ import annotations

import contextvars
import json
from typing import Any

from ministack.core import iam_evaluator, responses
from ministack.services import ecr

#: The account of the registry that the current call is for.
_registry: contextvars.ContextVar[str] = contextvars.ContextVar("lab_registry", default="")


def install() -> None:
    """Put the additions into MiniStack."""
    handle = ecr.handle_request

    async def handle_in_registry(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        with responses.request_scope(account_of(body, responses.get_account_id()), responses.get_region()):
            return await handle(method, path, headers, body, query)

    ecr.handle_request = handle_in_registry
    ecr.repository_policy_for_arn = policy_of


def account_of(body: bytes, caller: str) -> str:
    """The account whose registry an ECR call names."""
    try:
        data = json.loads(body or b"{}")
    except ValueError:
        return caller
    arn_account = iam_evaluator._account_from_arn(str(data.get("resourceArn", "")))
    return str(data.get("registryId") or arn_account or caller)


def select(body: bytes, caller: str) -> str:
    """The same, which `registry` returns until the next call."""
    _registry.set(account_of(body, caller))
    return registry()


def registry() -> str:
    """The account of the registry that the current call is for."""
    return _registry.get()


def repository(arn: str) -> dict[str, Any] | None:
    """The repository with an ARN, in any account."""
    found: dict[str, Any] | None = ecr._repositories.get_scoped(*place(arn))
    return found


def repository_tags(arn: str) -> dict[str, str]:
    """The tags of a repository, as condition keys; none if it does not exist."""
    found = repository(arn) if arn.startswith("arn:") else None
    tags = (found or {}).get("tags", [])
    return {f"{prefix}:ResourceTag/{tag['Key']}".lower(): tag["Value"] for tag in tags for prefix in ("ecr", "aws")}


def policy_of(arn: str) -> tuple[str, str] | None:
    """The policy of a repository and its account. None if only the policies of the caller are evaluated."""
    account, region, name = place(arn)
    if repository(arn) is None and account == responses.get_account_id():
        return None
    return ecr._repo_policies.get_scoped(account, region, name) or "", account


def sole_owner(name: str, region: str, caller: str) -> str:
    """The account of a repository if all registries share one host.

    It is the caller's account, or the only other account that has a repository of this name.
    """
    owners = {key[0] for key, _repository in ecr._repositories.all_items() if key[1:] == (region, name)}
    return caller if caller in owners or len(owners) != 1 else owners.pop()


def place(arn: str) -> tuple[str, str, str]:
    """The account, the region and the name of a repository."""
    _arn, _partition, _service, region, account, resource = arn.split(":", 5)
    return account, region, resource.partition("/")[2]
