# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of a pull through cache, added in place before the lab serves a request.

1. `CreatePullThroughCacheRule`, `UpdatePullThroughCacheRule`, `DescribePullThroughCacheRules`,
   `ValidatePullThroughCacheRule` and `DeletePullThroughCacheRule`. A call that sets the custom role of a rule needs
   `iam:PassRole` on it.
2. A rule is not valid while its custom role does not trust `pullthroughcache.ecr.amazonaws.com`. A statement with a
   condition does not count, because AWS documents no condition key for this request. It has no external ID.
3. The first rule of an account creates a service-linked role, which the caller has to be allowed to create.

The lab pulls from upstream registries of its own accounts only, see `upstream_images`. `pull_failures` has the failures
of other pulls.

Sources: Amazon ECR API reference; for an update without a credential pulumi/pulumi-aws#5714. The other messages are
inferred.
"""

from __future__ import annotations

import json
import re
import time
from typing import Any

from ministack.core import responses
from ministack.services import iam

from . import creation_templates, operations, pages, service_linked_role
from .image_states import Response, error

SERVICE, LINKED_ROLE = "pullthroughcache.ecr.amazonaws.com", "AWSServiceRoleForECRPullThroughCache"
#: The upstream registries that AWS supports.
_UPSTREAMS = {
    "ecr": r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com",
    "ecr-public": r"public\.ecr\.aws",
    "quay": r"quay\.io",
    "k8s": r"registry\.k8s\.io",
    "docker-hub": r"registry-1\.docker\.io",
    "github-container-registry": r"ghcr\.io",
    "azure-container-registry": r"[a-z0-9]+\.azurecr\.io",
    "gitlab-container-registry": r"registry\.gitlab\.com",
    "chainguard": r"cgr\.dev",
}
#: The members of a response, by call. `Describe` returns all.
_COMMON = ("ecrRepositoryPrefix", "registryId", "credentialArn", "customRoleArn", "upstreamRepositoryPrefix")
_MEMBERS = {
    "Create": (*_COMMON, "upstreamRegistryUrl", "createdAt", "upstreamRegistry"),
    "Update": (*_COMMON, "updatedAt"),
    "Validate": (*_COMMON, "upstreamRegistryUrl"),
    "Delete": (*_COMMON, "upstreamRegistryUrl", "createdAt"),
}
_rules = responses.AccountRegionScopedDict()


def install() -> None:
    """Put the additions into MiniStack, before `cross_account`."""
    calls = {"Create": _create, "Update": _update, "Validate": _validate, "Delete": _delete}
    operations.add({f"{verb}PullThroughCacheRule": call for verb, call in calls.items()})
    describe = pages.paged(_describe, "pullThroughCacheRules", "ecrRepositoryPrefixes")
    operations.add({"DescribePullThroughCacheRules": describe})


def matching(name: str) -> dict[str, Any] | None:
    """The rule of the current registry for a repository. The longest prefix decides, and `ROOT` matches every name."""
    prefixes = [one for one in _rules if one == "ROOT" or name.startswith(one.rstrip("/") + "/")]
    return _rules[max(prefixes, key=lambda one: -1 if one == "ROOT" else len(one))] if prefixes else None


def _create(data: dict[str, Any]) -> Response:
    prefix, url = data["ecrRepositoryPrefix"], data["upstreamRegistryUrl"].removeprefix("https://")
    upstream = next((name for name, pattern in _UPSTREAMS.items() if re.fullmatch(pattern, url)), None)
    if upstream is None:
        return error("UnsupportedUpstreamRegistryException", "The specified upstream registry isn't supported.")
    if prefix in _rules:
        message = f"Pull through cache rule with prefix '{prefix}' already exists {_place()}"
        return error("PullThroughCacheRuleAlreadyExistsException", message)
    now, registry = int(time.time()), {"registryId": responses.get_account_id()}
    rule = {**data, **registry, "upstreamRegistryUrl": url, "upstreamRegistry": upstream}
    refusal = creation_templates.role_refusal(data) or service_linked_role.link(SERVICE, LINKED_ROLE)
    if refusal:
        return refusal
    _rules[prefix] = {**rule, "createdAt": now, "updatedAt": now}
    return _reply("Create", _rules[prefix])


def _update(data: dict[str, Any]) -> Response:
    changed = {key: data[key] for key in ("credentialArn", "customRoleArn") if key in data}
    if not changed:
        message = "Invalid input: Please set either credential arn or role arn to update the credential"
        return error("InvalidParameterException", message)
    prefix = data["ecrRepositoryPrefix"]
    refusal = creation_templates.role_refusal(data)
    if prefix not in _rules or refusal:
        return refusal or _not_found(prefix)
    _rules[prefix].update(changed, updatedAt=int(time.time()))
    return _reply("Update", _rules[prefix])


def _validate(data: dict[str, Any]) -> Response:
    rule = _rules.get(data["ecrRepositoryPrefix"])
    if rule is None:
        return _not_found(data["ecrRepositoryPrefix"])
    if is_assumable(rule.get("customRoleArn")):
        return _reply("Validate", rule, isValid=True)
    return _reply("Validate", rule, isValid=False, failure="Amazon ECR cannot assume the custom role.")


def _delete(data: dict[str, Any]) -> Response:
    prefix = data["ecrRepositoryPrefix"]
    return _reply("Delete", _rules.pop(prefix)) if prefix in _rules else _not_found(prefix)


def _describe(data: dict[str, Any]) -> Response:
    wanted = data.get("ecrRepositoryPrefixes", sorted(_rules))
    for prefix in wanted:
        if prefix not in _rules:
            return _not_found(prefix)
    reply: Response = responses.json_response({"pullThroughCacheRules": [_rules[prefix] for prefix in wanted]})
    return reply


def is_assumable(role: str | None) -> bool:
    """Whether ECR may assume the custom role of a rule. A rule without one needs none."""
    found = iam._roles.get(role.rpartition("/")[2]) if role else None
    return role is None or bool(found and found["Arn"] == role and SERVICE in _services(found))


def _services(role: dict[str, Any]) -> list[str]:
    statements = json.loads(role["AssumeRolePolicyDocument"])["Statement"]
    named: list[str] = []
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal")
        counts = statement["Effect"] == "Allow" and not statement.get("Condition") and isinstance(principal, dict)
        service = principal.get("Service", []) if counts else []
        named += service if isinstance(service, list) else [service]
    return named


def _reply(verb: str, rule: dict[str, Any], **more: Any) -> Response:
    members = {name: rule[name] for name in _MEMBERS[verb] if name in rule}
    reply: Response = responses.json_response({**members, **more})
    return reply


def _place() -> str:
    return f"in the registry with id '{responses.get_account_id()}'"


def _not_found(prefix: str) -> Response:
    message = f"Pull through cache rule with prefix '{prefix}' does not exist {_place()}"
    return error("PullThroughCacheRuleNotFoundException", message)
