# SPDX-License-Identifier: GPL-3.0-or-later
"""Features that MiniStack's ECR lacks, added in place before the lab serves a request.

1. Repository tags in the authorization context, as `ecr:ResourceTag/<key>` and `aws:ResourceTag/<key>`, and the
   resource that each ECR call is authorized on (`DescribeRepositories` without names: `repository/*`; a call
   that concerns the whole registry: `*`).
2. `GetAuthorizationToken` returns a token that is bound to its caller. `/v2/` rejects requests without a token.
3. Registry requests are authorized by the same IAM engine as API requests.
4. The Resource Groups Tagging API also requires `ecr:TagResource` or `ecr:UntagResource` on each repository.

Error messages and codes are those of AWS.
"""

from __future__ import annotations

import base64
import contextvars
import json
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ministack.core import iam_actions, iam_evaluator, responses
from ministack.services import ecr, iam, sts, tagging

from . import creation_templates, cross_account, endpoint_policy, upstream_images

Response = tuple[int, dict[str, str], bytes]

TOKEN_LIFETIME = 12 * 3600  # seconds, as AWS documents it
PULL_MANIFEST, PULL_LAYER, PUSH_MANIFEST = "BatchGetImage", "GetDownloadUrlForLayer", "PutImage"
PUSH_LAYER = ("InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload")


@dataclass(frozen=True)
class Token:
    """A registry token and its caller."""

    access_key_id: str
    account: str
    region: str
    expires: float


class Registry:
    """Issues registry tokens and guards `/v2/` with them."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.tokens: dict[str, Token] = {}
        self._serve = ecr.handle_registry_request

    def issue(self, data: dict[str, Any]) -> Response:
        token = secrets.token_urlsafe(1400)
        expires = time.time() + TOKEN_LIFETIME
        self.tokens[token] = Token(
            iam_evaluator._verified_key.get(), responses.get_account_id(), responses.get_region(), expires
        )
        entry = {
            "authorizationToken": base64.b64encode(f"AWS:{token}".encode()).decode(),
            "expiresAt": int(expires),
            "proxyEndpoint": endpoint_policy.entrance() or self.endpoint,
        }
        reply: Response = responses.json_response({"authorizationData": [entry]})
        return reply

    async def serve(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Response:
        token = self.tokens.get(_password(headers.get("authorization", "")))
        if token is None:
            challenge = f'Basic realm="{self.endpoint}/",service="ecr.amazonaws.com"'
            return 401, {"Www-Authenticate": challenge, "Content-Type": "text/plain"}, b"Not Authorized\n"
        if token.expires < time.time():
            return _denied("Your authorization token has expired. Reauthenticate and try again.")
        responses._request_account_id.set(token.account)
        responses.set_request_region(token.region)
        verb, name, reference = ecr._parse_v2_path(path) or ("", "", "")
        action, account = _registry_action(method.upper(), verb), self.account_of(token, headers, name)
        arn = f"arn:aws:ecr:{token.region}:{account}:repository/{name}"
        new = cross_account.repository(arn) is None
        created = action == PUSH_LAYER[0] and new and _template(arn)
        place = (account, token.region, name)
        source = upstream_images.source_of(*place, reference) if action == PULL_MANIFEST else None
        needed = [action, source and upstream_images.IMPORT, (created or (source and new)) and upstream_images.CREATE]
        refusals = (_refusal(token, one, arn) for one in needed if one)
        refusal = next((one for one in refusals if one is not None), None)
        if refusal is not None:
            return refusal
        responses._request_account_id.set(account)
        if created:
            creation_templates.create_repository(name, created)
        if source:
            upstream_images.copy_image(source, *place, reference)
        reply: Response = await self._serve(method, path, headers, body, query)
        return reply

    @staticmethod
    def account_of(token: Token, _headers: dict[str, str], name: str) -> str:
        """The account of the registry that receives the request for a repository. Here all registries share one
        host."""
        return cross_account.sole_owner(name, token.region, token.account)


def _refusal(token: Token, action: str, arn: str) -> Response | None:
    """The answer to a request whose caller may not do `action`."""
    refusal = iam_evaluator.enforce(token.access_key_id, f"ecr:{action}", "ecr", token.region, arn)
    if refusal is None:
        return None
    if isinstance(refusal, iam_evaluator.AuthError):
        return _denied("Your authorization token has expired. Reauthenticate and try again.")
    explicit = refusal.decision == "Deny"
    return _denied(iam_actions.identity_denial_message(f"ecr:{action}", refusal.principal_arn, arn, explicit))


def _template(arn: str) -> dict[str, Any] | None:
    """The creation template with which a push creates a repository."""
    return creation_templates.matching(*cross_account.place(arn), creation_templates.ON_PUSH)


def _password(authorization: str) -> str:
    scheme, encoded = (*authorization.split(" ", 1), "")[:2]
    if scheme.lower() != "basic":
        return ""
    try:
        user, password = base64.b64decode(encoded, validate=True).decode().split(":", 1)
    except ValueError:
        return ""
    return password if user == "AWS" else ""


def _registry_action(method: str, verb: str) -> str | None:
    """The IAM action of a registry request. None for the version check, which only needs a token."""
    if verb == "ping":
        return None
    if verb == "manifest":
        return {"PUT": PUSH_MANIFEST, "DELETE": "BatchDeleteImage"}.get(method, PULL_MANIFEST)
    if verb == "blob":
        # Clients send a HEAD request to find out whether a layer exists before they push it.
        return {"HEAD": "BatchCheckLayerAvailability", "DELETE": "BatchDeleteImage"}.get(method, PULL_LAYER)
    if verb == "blob_uploads":
        return PUSH_LAYER[0]
    if verb == "blob_upload_session":
        return PUSH_LAYER[2] if method == "PUT" else PUSH_LAYER[1]
    return "ListImages"


def _denied(message: str) -> Response:
    body = json.dumps({"errors": [{"code": "DENIED", "message": message}]}).encode()
    return 403, {"Content-Type": "application/json", "Docker-Distribution-Api-Version": "registry/2.0"}, body


def _repository_name(arn: str) -> str:
    return arn.partition(":repository/")[2]


def _authorized_resources(operation: str, body: bytes, region: str, account: str) -> list[str]:
    """The ARNs on which an ECR call is authorized.

    :param account: the account of the registry in the call
    """
    try:
        data = json.loads(body or b"{}")
    except ValueError:
        return ["*"]
    if "resourceArn" in data:
        return [data["resourceArn"]]
    prefix = f"arn:aws:ecr:{region}:{account}:repository/"
    if "repositoryName" in data:
        return [prefix + data["repositoryName"]]
    if names := data.get("repositoryNames"):
        return [prefix + name for name in names]
    return [prefix + "*" if operation == "DescribeRepositories" else "*"]


Tagging = Callable[[dict[str, Any]], Response]


def _asking_ecr(action: str, handle: Tagging) -> Tagging:
    """Wrap a handler of the tagging API: it fails for repositories on which the caller may not perform `action`."""

    def handle_permitted(data: dict[str, Any]) -> Response:
        body = json.dumps(data).encode()
        context = iam_actions.request_tag_context("ecr", action, body, {})
        arns, failed = data.get("ResourceARNList", []), {}
        for arn in [arn for arn in arns if ":ecr:" in arn]:
            refusal = iam_evaluator.enforce(
                iam_evaluator._verified_key.get(), action, "ecr", responses.get_region(), arn, context
            )
            if refusal is not None:
                failed[arn] = _failed_resource(action, arn, refusal)
        # The handler also receives an empty list, so that it still rejects an invalid request.
        status, headers, answer = handle({**data, "ResourceARNList": [arn for arn in arns if arn not in failed]})
        if status == 200:
            answer = json.dumps({"FailedResourcesMap": {**json.loads(answer)["FailedResourcesMap"], **failed}}).encode()
        return status, headers, answer

    return handle_permitted


def _failed_resource(action: str, arn: str, refusal: Any) -> dict[str, Any]:
    sentence = iam_actions.identity_denial_message(action, refusal.principal_arn, arn, refusal.decision == "Deny")
    return {"StatusCode": 403, "ErrorCode": "AccessDeniedException", "ErrorMessage": sentence}


def _secret_access_key() -> str:
    return base64.b64encode(secrets.token_bytes(30)).decode()


def _session_token() -> str:
    return "IQoJb3JpZ2luX2Vj" + base64.b64encode(secrets.token_bytes(600)).decode()


_resources: contextvars.ContextVar[Sequence[str]] = contextvars.ContextVar("lab_resources", default=())


def install(endpoint: str) -> Registry:
    """Put the additions into MiniStack.

    :param endpoint: the address of the registry
    """
    registry = Registry(endpoint)
    enforce, extract = iam_evaluator.enforce, iam_actions.extract_resource_arn
    respond, json_error = iam_actions.access_denied_response, ecr.error_response_json
    sts_xml_error = sts._error

    def extract_resource_arn(
        service: str, method: str, path: str, headers: Any, body: bytes, query: Any, region: str, account: str
    ) -> str:
        if service != "ecr":
            return str(extract(service, method, path, headers, body, query, region, account))
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        _resources.set(_authorized_resources(operation, body, region, cross_account.select(body, account)))
        return _resources.get()[0]

    def enforce_with_tags(
        key: str, action: str, service: str, region: str, resource_arn: str = "*", service_context: Any = None
    ) -> Any:
        if service != "ecr":
            return enforce(key, action, service, region, resource_arn, service_context)
        refusal = None
        for arn in _resources.get() if resource_arn in _resources.get() else [resource_arn]:
            context = {**(service_context or {}), **cross_account.repository_tags(arn)}
            refusal = enforce(key, action, service, region, arn, context)
            if refusal:
                _resources.set([arn])
                break
        return refusal

    def access_denied_response(service: str, action: str, principal: str, request_id: str, **options: Any) -> Any:
        if service in ("ecr", "iam", "sts", "tagging") and not options.get("message") and not options.get("error_code"):
            resource = _resources.get()[0] if service == "ecr" else options.get("resource_arn", "*")
            options["message"] = iam_actions.identity_denial_message(
                action, principal, resource, options.get("explicit_deny", False)
            )
        return respond(service, action, principal, request_id, **options)

    def error_response_json(code: str, message: str, status: int = 400) -> Any:
        if code == "RepositoryNotFoundException":
            if message == "Repository not found":  # for the calls that name it by its ARN
                message = f"The repository with name '{_repository_name(_resources.get()[0])}' does not exist"
            message += f" in the registry with id '{responses.get_account_id()}'"
        return json_error(code, message, status)

    def sts_error(status: int, code: str, message: str, **options: Any) -> Any:
        # MiniStack omits the caller if the role does not exist.
        message = message.replace("User: is", f"User: {iam_evaluator.caller_arn()} is")
        return sts_xml_error(status, code, message, **options)

    sts._error = sts_error
    for service in (iam, sts):
        service._gen_secret = _secret_access_key
        service._gen_session_token = _session_token
    iam_actions.extract_resource_arn = extract_resource_arn
    iam_actions.access_denied_response = access_denied_response
    iam_evaluator.enforce = enforce_with_tags
    ecr.error_response_json = error_response_json
    ecr._get_authorization_token = registry.issue
    ecr.handle_registry_request = registry.serve
    for operation, action in (("TagResources", "ecr:TagResource"), ("UntagResources", "ecr:UntagResource")):
        tagging._HANDLERS[operation] = _asking_ecr(action, tagging._HANDLERS[operation])
    host = endpoint.partition("://")[2]
    ecr._repo_uri = lambda name: f"{host}/{name}"
    return registry


def seal() -> None:
    """Stop accepting MiniStack's root keys without a check. Later requests need real keys and correct signatures."""
    never: Callable[[str], bool] = lambda key: False  # noqa: E731
    iam_evaluator.is_root_access_key = never
    sts.is_root_access_key = never


__all__ = ["Registry", "install", "seal"]
