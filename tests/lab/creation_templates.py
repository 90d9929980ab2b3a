# SPDX-License-Identifier: GPL-3.0-or-later
"""Repository creation templates, added in place before the lab serves a request.

1. The four calls. A call that creates or changes a template also needs `ecr:CreateRepository`, `ecr:PutLifecyclePolicy`
   for a lifecycle policy, `ecr:SetRepositoryPolicy` for a repository policy, and `iam:PassRole` for a custom role.
2. A push creates the repository if a template for `CREATE_ON_PUSH` matches its name, and the caller may create it.
3. A repository that ECR creates has the settings, the policies and the tags of the template that matches its name. The
   longest prefix decides, and `ROOT` matches every name.
4. A template with tags needs a custom role. Without one, ECR does not create the repository.
5. An update without `imageTagMutability` sets it to `MUTABLE`. Exclusions end with a mutability that has none.

Sources: Amazon ECR User Guide, "Templates to control repositories created during a pull through cache, create on push,
or replication action" and "Creating a repository creation template"; for 4 aws/containers-roadmap#2398; for 5 API
reference, "UpdateRepositoryCreationTemplate". The messages of the errors are inferred, the resource of these actions,
and that an empty text removes a policy, a description or a role.
"""

from __future__ import annotations

import time
from typing import Any

from ministack.core import iam_actions, iam_evaluator, responses
from ministack.services import ecr

from . import operations, pages, registry_policy
from .image_states import Response, error

ON_PUSH, ON_REPLICATION, EVERY_NAME = "CREATE_ON_PUSH", "REPLICATION", "ROOT"
_DEFAULTS = {"imageTagMutability": "MUTABLE", "encryptionConfiguration": {"encryptionType": "AES256"}}
#: The actions that a template needs for a setting.
_SETTINGS = {
    "ecr:CreateRepository": "prefix",
    "ecr:PutLifecyclePolicy": "lifecyclePolicy",
    "ecr:SetRepositoryPolicy": "repositoryPolicy",
}
_templates = responses.AccountRegionScopedDict()


def install() -> None:
    """Put the additions into MiniStack, before `cross_account`."""
    calls = {"Create": _create, "Update": _update, "Delete": _delete}
    operations.add({f"{verb}RepositoryCreationTemplate": call for verb, call in calls.items()})
    describe = pages.paged(_describe, "repositoryCreationTemplates", "prefixes")
    operations.add({"DescribeRepositoryCreationTemplates": describe})


def matching(account: str, region: str, name: str, purpose: str) -> dict[str, Any] | None:
    """The template for a repository that does not exist yet."""
    with responses.request_scope(account, region):
        found = [one for one in _templates.values() if purpose in one["appliedFor"] and _matches(one, name)]
    return max(found, key=lambda one: -1 if one["prefix"] == EVERY_NAME else len(one["prefix"]), default=None)


def create_repository(name: str, template: dict[str, Any] | None) -> None:
    """Create a repository in the registry of the current request, as ECR does on behalf of its account."""
    settings = dict(template or {})
    if settings.get("resourceTags") and not settings.get("customRoleArn"):
        return
    options = {key: settings[key] for key in _DEFAULTS if key in settings}
    ecr._create_repository({"repositoryName": name, "tags": list(settings.get("resourceTags", [])), **options})
    if settings.get("repositoryPolicy"):
        ecr._repo_policies[name] = settings["repositoryPolicy"]
    if settings.get("lifecyclePolicy"):
        ecr._lifecycle_policies[name] = settings["lifecyclePolicy"]


def role_refusal(data: dict[str, Any]) -> Response | None:
    """The error if the caller may not pass the custom role of its request to ECR."""
    role = data.get("customRoleArn")
    return _refusal("iam:PassRole", role) if role else None


def _refusal(action: str, resource: str) -> Response | None:
    """The error if the caller is not allowed an action that a request needs in addition to its own."""
    service, region = action.partition(":")[0], responses.get_region()
    refusal = iam_evaluator.enforce(iam_evaluator._verified_key.get(), action, service, region, resource)
    if refusal is None:
        return None
    explicit = refusal.decision == "Deny"
    sentence = iam_actions.identity_denial_message(action, refusal.principal_arn, resource, explicit)
    return error("AccessDeniedException", sentence)


def _matches(template: dict[str, Any], name: str) -> bool:
    prefix = template["prefix"]
    return bool(prefix == EVERY_NAME or name.startswith(prefix.rstrip("/") + "/"))


def _key(data: dict[str, Any]) -> str:
    return str(data["prefix"]).rstrip("/")


def _problem(data: dict[str, Any]) -> Response | None:
    policy = data.get("repositoryPolicy")
    if policy and not registry_policy.is_repository_policy(policy):
        return operations.invalid("repositoryPolicy", "Invalid repository policy provided")
    needed = [action for action, setting in _SETTINGS.items() if data.get(setting)]
    return next(filter(None, (_refusal(action, "*") for action in needed)), None) or role_refusal(data)


def _create(data: dict[str, Any]) -> Response:
    if _key(data) in _templates:
        return error("TemplateAlreadyExistsException", f"{_named(data)} already exists {_place()}")
    problem = _problem(data)
    if problem:
        return problem
    now = int(time.time())
    _templates[_key(data)] = {**_DEFAULTS, **data, "createdAt": now, "updatedAt": now}
    return _reply(_templates[_key(data)])


def _update(data: dict[str, Any]) -> Response:
    if _key(data) not in _templates:
        return _not_found(data)
    problem = _problem(data)
    if problem:
        return problem
    changed = {**_templates[_key(data)], **data, "updatedAt": int(time.time())}
    changed["imageTagMutability"] = data.get("imageTagMutability", "MUTABLE")
    if not changed["imageTagMutability"].endswith("_WITH_EXCLUSION"):
        changed.pop("imageTagMutabilityExclusionFilters", None)
    _templates[_key(data)] = {name: value for name, value in changed.items() if value != ""}
    return _reply(_templates[_key(data)])


def _delete(data: dict[str, Any]) -> Response:
    return _reply(_templates.pop(_key(data))) if _key(data) in _templates else _not_found(data)


def _describe(data: dict[str, Any]) -> Response:
    wanted = {_key({"prefix": one}) for one in data.get("prefixes", [])}
    found = [one for key, one in sorted(_templates.items()) if not wanted or key in wanted]
    answer = {"registryId": responses.get_account_id(), "repositoryCreationTemplates": found}
    reply: Response = responses.json_response(answer)
    return reply


def _reply(template: dict[str, Any]) -> Response:
    answer = {"registryId": responses.get_account_id(), "repositoryCreationTemplate": template}
    reply: Response = responses.json_response(answer)
    return reply


def _named(data: dict[str, Any]) -> str:
    return f"The repository creation template with prefix '{data['prefix']}'"


def _place() -> str:
    return f"in the registry with id '{responses.get_account_id()}'"


def _not_found(data: dict[str, Any]) -> Response:
    return error("TemplateNotFoundException", f"{_named(data)} does not exist {_place()}")
