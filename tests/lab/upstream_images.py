# SPDX-License-Identifier: GPL-3.0-or-later
"""Pulls through a cache whose upstream is another registry of the lab.

1. A pull of an image that a rule matches copies the image from the upstream repository. `BatchGetImage` of the API
   does the same. The caller needs `ecr:BatchImportUpstreamImage`, and `ecr:CreateRepository` if the repository does not
   exist.
2. The custom role of the rule, and the policies of the upstream repository, decide about an upstream registry of
   another account. The role needs the documented actions on both repositories. A registry of the same account needs no
   role. If ECR may not pull, the image is not found.
3. A new repository has the settings of the creation template for `PULL_THROUGH_CACHE` that matches its name.

Sources: Amazon ECR User Guide, "IAM permissions required to sync an upstream registry", "Setting up permissions for
cross-account ECR to ECR PTC" and "Customizing repository prefixes for ECR to ECR pull through cache". On AWS, a copy is
compared with its upstream image after 24 hours. On which of the two repositories AWS checks each action of the role is
inferred.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from ministack.core import iam_actions, iam_evaluator, responses
from ministack.services import ecr, iam

from . import creation_templates, cross_account, pull_through_cache
from .image_states import Response, error

IMPORT, CREATE = "BatchImportUpstreamImage", "CreateRepository"
#: The actions of the custom role in the upstream repository and in the new one.
READING = ("BatchGetImage", "GetDownloadUrlForLayer", IMPORT, "GetImageCopyStatus")
WRITING = (IMPORT, "InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "PutImage")
_PURPOSE = "PULL_THROUGH_CACHE"


@dataclass(frozen=True)
class Source:
    """A repository that images are copied from.

    :param role: the custom role of the rule; empty without one
    """

    account: str
    region: str
    name: str
    role: str


def install() -> None:
    """Put the additions into MiniStack."""
    handle = ecr._batch_get_image

    def import_and_handle(data: dict[str, Any]) -> Response:
        for identifier in data["imageIds"]:
            reference = str(identifier.get("imageDigest") or identifier["imageTag"])
            refusal = _import(data["repositoryName"], reference)
            if refusal:
                return refusal
        reply: Response = handle(data)
        return reply

    ecr._batch_get_image = import_and_handle


def _import(name: str, reference: str) -> Response | None:
    """Copy an image that a rule matches; the error if the caller may not do so."""
    place = (responses.get_account_id(), responses.get_region())
    source = source_of(*place, name, reference)
    if source is None:
        return None
    for action in [IMPORT, *([] if name in ecr._repositories else [CREATE])]:
        arn, key = _arn(*place, name), iam_evaluator._verified_key.get()
        refusal = iam_evaluator.enforce(key, f"ecr:{action}", "ecr", place[1], arn)
        if refusal is not None:
            explicit = refusal.decision == "Deny"
            sentence = iam_actions.identity_denial_message(f"ecr:{action}", refusal.principal_arn, arn, explicit)
            return error("AccessDeniedException", sentence)
    copy_image(source, *place, name, reference)
    return None


def source_of(account: str, region: str, name: str, reference: str) -> Source | None:
    """The source of an image that the registry does not have; None without a rule."""
    with responses.request_scope(account, region):
        known = ecr._find_image(name, {"imageDigest" if ":" in reference else "imageTag": reference})
        found = None if known else pull_through_cache.matching(name)
    if found is None or found["upstreamRegistry"] != "ecr":
        return None
    own, prefix = (found.get(key, "ROOT") for key in ("ecrRepositoryPrefix", "upstreamRepositoryPrefix"))
    rest = name if own == "ROOT" else name[len(own.rstrip("/")) + 1 :]
    host = found["upstreamRegistryUrl"].split(".")
    upstream = rest if prefix == "ROOT" else f"{prefix.rstrip('/')}/{rest}"
    return Source(host[0], host[3], upstream, found.get("customRoleArn", ""))


def copy_image(source: Source, account: str, region: str, name: str, reference: str) -> None:
    """Copy an image, if the upstream registry allows it to the registry of the account."""
    own = _arn(account, region, name)
    if not (_may_pull(source, account, own) if source.role else source.account == account):
        return
    with responses.request_scope(source.account, source.region):
        digest, manifest, media_type = ecr._resolve_manifest(source.name, reference)
        layers = copy.copy(ecr._layer_blobs.get(source.name, {}))
    if digest is None:
        return
    with responses.request_scope(account, region):
        if name not in ecr._repositories:
            template = creation_templates.matching(account, region, name, _PURPOSE)
            creation_templates.create_repository(name, template)
        if name in ecr._repositories:
            ecr._layer_blobs.setdefault(name, {}).update(layers)
            ecr._v2_put_manifest(name, reference, {"content-type": media_type}, manifest)


def _may_pull(source: Source, account: str, own: str) -> bool:
    """Whether a session of the custom role may read the upstream repository and write to the repository `own`."""
    with responses.request_scope(account, source.region):
        if not pull_through_cache.is_assumable(source.role):
            return False
        upstream = _arn(source.account, source.region, source.name)
        needed = [*((action, upstream) for action in READING), *((action, own) for action in WRITING)]
        return all(_is_allowed(source, account, *one) for one in needed)


def _is_allowed(source: Source, account: str, action: str, arn: str) -> bool:
    name = source.role.rpartition("/")[2]
    context = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{name}/ecr",
        principal_type="AssumedRole",
        principal_account=account,
        action=f"ecr:{action}",
        resource_arn=arn,
        region=arn.split(":")[3],
        service_context=cross_account.repository_tags(arn),
    )
    limits = iam_evaluator._permissions_boundary(iam._roles, name, account)
    identity = iam_evaluator.evaluate(context, iam_evaluator._gather_role_policies(name, account), *limits)
    policies = iam_evaluator._resource_policy("ecr", arn) or ("", arn.split(":")[4])
    return bool(iam_evaluator.combine_resource_policy(identity, context, *policies, limits=limits).decision == "Allow")


def _arn(account: str, region: str, name: str) -> str:
    return f"arn:aws:ecr:{region}:{account}:repository/{name}"
