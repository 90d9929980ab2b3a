# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy of a registry, added in place before the lab serves a request.

1. `PutRegistryPolicy`, `GetRegistryPolicy` and `DeleteRegistryPolicy`.
2. The policy decides about every action on every repository of the registry, together with the policy of the
   repository: an explicit deny in one of them denies. An allow in one of them is enough.
3. The policy decides about calls that concern the whole registry of another account, too.
4. A policy is refused unless each statement is complete and each user or role that it names exists. The same is true
   for a principal in the policy of a repository.

Sources: Amazon ECR User Guide, "Private registry permissions"; API reference, "PutRegistryPolicy"; for the refusals
pulumi/pulumi-aws#2326 and hashicorp/terraform-provider-aws#3924. That the policies count together is inferred from IAM
User Guide, "Policy evaluation logic".
"""

from __future__ import annotations

import json
import re
from typing import Any

from ministack.core import iam_evaluator, responses
from ministack.services import ecr

from . import cross_account, iam, operations, policy_language
from .image_states import Response, error

_KEY = "policy"
_PRINCIPAL = re.compile(
    r"\*|[0-9]{12}|A(IDA|ROA)[A-Z0-9]+|arn:aws:iam::[0-9]{12}:(root|(user|role)/.+)"
    r"|arn:aws:sts::[0-9]{12}:(assumed-role|federated-user)/.+"
)
_policies = responses.AccountRegionScopedDict()


def install() -> None:
    """Put the additions into MiniStack, after `cross_account`."""
    of_repository, of_resource = ecr.repository_policy_for_arn, iam_evaluator._resource_policy
    set_repository_policy = ecr._set_repository_policy

    def policies_for_arn(arn: str) -> Any:
        account, region, _name = cross_account.place(arn)
        repository, registry = (of_repository(arn) or ("", account))[0], of(account, region)
        return (_together(repository, registry) if registry else repository), account

    def resource_policy(service: str, arn: str) -> Any:
        if service != "ecr" or arn != "*":
            return of_resource(service, arn)
        account = cross_account.registry()
        return of(account, responses.get_region()), account

    def set_valid_repository_policy(data: dict[str, Any]) -> Response:
        return set_repository_policy(data) if is_repository_policy(data["policyText"]) else _invalid("repository")

    ecr.repository_policy_for_arn = policies_for_arn
    iam_evaluator._resource_policy = resource_policy
    ecr._set_repository_policy = set_valid_repository_policy
    iam.RESOURCE_POLICIES.append(_policies._data)
    operations.add({"PutRegistryPolicy": _put, "GetRegistryPolicy": _get, "DeleteRegistryPolicy": _delete})


def of(account: str, region: str) -> str:
    """The policy of a registry; empty without one."""
    return str(_policies.get_scoped(account, region, _KEY, ""))


def is_repository_policy(text: str) -> bool:
    """Whether AWS accepts a text as the policy of a repository."""
    return _statements(text) is not None and _names_known_principals(text)


def _together(*documents: str) -> dict[str, Any]:
    """One policy with the statements of all documents; variables are text in a document whose version has none."""
    read = [policy_language.only_current_variables(json.loads(document)) for document in documents if document]
    return {"Version": "2012-10-17", "Statement": [one for document in read for one in _listed(document)]}


def _listed(document: Any) -> Any:
    statements = document["Statement"]
    return statements if isinstance(statements, list) else [statements]


def _statements(text: str) -> Any:
    """The statements of a policy; None if the text is not a policy."""
    try:
        return _listed(json.loads(text))
    except (ValueError, KeyError, TypeError):
        return None


def _is_valid(text: str) -> bool:
    incomplete = iam_evaluator.validate_policy_document(text)
    named = incomplete is None and all({"Principal", "NotPrincipal"} & one.keys() for one in _statements(text))
    return named and _names_known_principals(text)


def _names_known_principals(text: str) -> bool:
    return all(isinstance(one, str) and _PRINCIPAL.fullmatch(one) and iam.exists(one) for one in iam.principals(text))


def _invalid(kind: str) -> Response:
    return operations.invalid("PolicyText", f"Invalid {kind} policy provided")


def _put(data: dict[str, Any]) -> Response:
    if not _is_valid(data["policyText"]):
        return _invalid("registry")
    _policies[_KEY] = data["policyText"]
    return _reply(data["policyText"])


def _get(_data: dict[str, Any]) -> Response:
    return _reply(_policies[_KEY]) if _KEY in _policies else _not_found()


def _delete(_data: dict[str, Any]) -> Response:
    return _reply(_policies.pop(_KEY)) if _KEY in _policies else _not_found()


def _reply(text: str) -> Response:
    reply: Response = responses.json_response({"registryId": responses.get_account_id(), "policyText": text})
    return reply


def _not_found() -> Response:
    message = f"Registry policy does not exist in the registry with id '{responses.get_account_id()}'"
    return error("RegistryPolicyNotFoundException", message)
