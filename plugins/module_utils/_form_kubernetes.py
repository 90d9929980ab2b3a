# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The forms of a hand-off for pods: EKS Pod Identity and External Secrets. Standard library only.

Sources: EKS API Reference, CreatePodIdentityAssociation; the custom resources of External Secrets 2.9, in which the
generator ECRAuthorizationToken has no external ID, and the AWS provider of a SecretStore has one.
"""

from __future__ import annotations

import json
import shlex
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._form_text import (
    form_text,
    introduction,
    own_account,
    yaml_lines,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff import Handoff
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._merged_file import NAME_PREFIX

_GENERATORS = "generators.external-secrets.io/v1alpha1"
_SECRETS = "external-secrets.io/v1"


def eks_pod_identity(handoff: Handoff) -> str:
    """A command that associates a service account with the pull role as the target role."""
    head = introduction(
        handoff,
        "EKS Pod Identity association",
        {
            "CLUSTER": "the name of your EKS cluster.",
            "NAMESPACE": "the namespace of the service account.",
            "SERVICE_ACCOUNT": "the name of the service account.",
            "ROLE_ARN": f"the ARN of your own role in {own_account(handoff)}. It trusts"
            f" pods.eks.amazonaws.com, and needs sts:AssumeRole on {handoff.role_arn}.",
        },
        "Pods of the service account get credentials of the pull role. The kubelet does not use them to start pods.",
        "Set the variables below in the environment, and run: sh THIS_FILE",
        *_eks_external_id_notes(handoff),
        "Session tags are disabled, so that the pull role need not allow sts:TagSession.",
    )
    request = {"targetRoleArn": handoff.role_arn, "disableSessionTags": True}
    return form_text(
        [
            "#!/bin/sh",
            *head,
            "set -eu",
            "aws eks create-pod-identity-association \\",
            '  --cluster-name "${CLUSTER:?}" --namespace "${NAMESPACE:?}" \\',
            '  --service-account "${SERVICE_ACCOUNT:?}" --role-arn "${ROLE_ARN:?}" \\',
            "  --query association.externalId --output text \\",
            f"  --cli-input-json {shlex.quote(json.dumps(request))}",
        ]
    )


def _eks_external_id_notes(handoff: Handoff) -> list[str]:
    if handoff.external_id is None:
        return ["This share has no external ID, so the trust policy accepts every association of your role."]
    return [
        f"The share requires the external ID {handoff.external_id}. EKS generates the one of the association:",
        "  REGION/ACCOUNT/CLUSTER/NAMESPACE/SERVICE-ACCOUNT",
        "The command prints it. If the two differ, send it to the owner account, which declares it as the external_id",
        "of this consumer.",
    ]


def external_secrets(handoff: Handoff) -> str:
    """A store whose status shows whether the role trusts the caller, a generator of tokens, and the pull secret."""
    name = f"{NAME_PREFIX}{handoff.owner}-{handoff.region}"
    role = handoff.role_arn if handoff.external_id is None else None
    head = introduction(
        handoff,
        "External Secrets",
        {
            "credentials": "those of the External Secrets controller, such as its EKS Pod Identity association. "
            + (
                f"They need sts:AssumeRole on {handoff.role_arn}."
                if role
                else f"For the SecretStore, they need sts:AssumeRole on {handoff.role_arn}. The generator needs those"
                " of the pull role."
            ),
        },
        *_external_id_notes(handoff),
        f"Apply this file to a namespace. Its pods then name {name} in imagePullSecrets.",
    )
    documents = [_store(handoff, name), _generator(handoff, name, role), _pull_secret(handoff, name)]
    return form_text([*head, *(line for document in documents for line in ("---", *yaml_lines(document)))])


def _external_id_notes(handoff: Handoff) -> list[str]:
    if handoff.external_id is None:
        return []
    return [
        "The SecretStore sends the external ID. If External Secrets has your own credentials, the status Ready of the",
        "SecretStore shows that the trust policy accepts them. The SecretStore has no other use, because the pull role",
        "cannot read secrets.",
        "ECRAuthorizationToken has no field for an external ID, so it cannot assume the pull role of this share.",
        "It uses the credentials of the External Secrets controller, which must be those of the pull role. To get them",
        "with an external ID, use an EKS Pod Identity association (form eks_pod_identity) or an AWS profile (form",
        "aws_cli).",
    ]


def _store(handoff: Handoff, name: str) -> Json:
    aws: Json = {"service": "SecretsManager", "region": handoff.region, "role": handoff.role_arn}
    if handoff.external_id is not None:
        aws["externalID"] = handoff.external_id
    return _resource(_SECRETS, "SecretStore", name, {"provider": {"aws": aws}})


def _generator(handoff: Handoff, name: str, role: str | None) -> Json:
    spec: Json = {"region": handoff.region, **({"role": role} if role else {})}
    return _resource(_GENERATORS, "ECRAuthorizationToken", name, spec)


def _pull_secret(handoff: Handoff, name: str) -> Json:
    login = {"username": "{{ .username }}", "password": "{{ .password }}"}
    template = {
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": json.dumps({"auths": {handoff.registry: login}})},
    }
    reference = {"apiVersion": _GENERATORS, "kind": "ECRAuthorizationToken", "name": name}
    spec: Json = {
        "refreshInterval": "1h0m0s",
        "target": {"name": name, "template": template},
        "dataFrom": [{"sourceRef": {"generatorRef": reference}}],
    }
    return _resource(_SECRETS, "ExternalSecret", name, spec)


def _resource(version: str, kind: str, name: str, spec: t.Mapping[str, t.Any]) -> Json:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": dict(spec)}
