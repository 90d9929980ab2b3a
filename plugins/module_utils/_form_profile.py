# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The forms of a hand-off that use an AWS profile: AWS CLI, docker and podman, and kubelet. Standard library only.

Sources: AWS CLI User Guide, "Using an IAM role in the AWS CLI"; README of amazon-ecr-credential-helper 0.12;
Kubernetes, "Kubelet Configuration (v1)"; cmd/ecr-credential-provider of kubernetes/cloud-provider-aws 1.36, which loads
the shared configuration of the AWS SDK.
"""

from __future__ import annotations

import shlex

from ansible_collections.crossaccount.ecr.plugins.module_utils._credential_helper import CREDENTIAL_VARIABLES, HELPER
from ansible_collections.crossaccount.ecr.plugins.module_utils._form_text import (
    form_text,
    introduction,
    own_account,
    yaml_lines,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff import Handoff, yaml_value
from ansible_collections.crossaccount.ecr.plugins.module_utils._merged_file import NAME_PREFIX


def profile_name(handoff: Handoff) -> str:
    """The name of the profile. Another owner account may have a role of the same name."""
    return f"{handoff.role_name}-{handoff.owner}-{handoff.region}"


def _profile(handoff: Handoff, source: str) -> list[str]:
    """The profile that assumes the pull role.

    :param source: the setting that names the consumer's own credentials
    """
    return [
        f"[profile {profile_name(handoff)}]",
        f"role_arn = {handoff.role_arn}",
        *([] if handoff.external_id is None else [f"external_id = {handoff.external_id}"]),
        source,
        f"region = {handoff.region}",
    ]


def _indented(lines: list[str]) -> list[str]:
    return [f"  {line}" for line in lines]


_SOURCE_PROFILE = "source_profile = default"


def _own_profile(handoff: Handoff) -> dict[str, str]:
    return {
        "source_profile": f"the profile with your own credentials in {own_account(handoff)}. They need"
        f" sts:AssumeRole on {handoff.role_arn}."
    }


def aws_cli(handoff: Handoff) -> str:
    """A profile of the AWS CLI and the AWS SDKs."""
    name = shlex.quote(profile_name(handoff))
    login = f"docker login --username AWS --password-stdin {shlex.quote(handoff.registry)}"
    head = introduction(
        handoff,
        "Profile of the AWS CLI",
        _own_profile(handoff),
        "Append this file to ~/.aws/config. To log in with it:",
        f"  aws ecr get-login-password --profile {name} | {login}",
    )
    return form_text([*head, *_profile(handoff, _SOURCE_PROFILE)])


def docker(handoff: Handoff) -> str:
    """A credential helper for one registry, which runs amazon-ecr-credential-helper with the profile.

    amazon-ecr-credential-helper reads one profile from its environment for all registries, and accepts no external ID.
    """
    helper = f"{NAME_PREFIX}{handoff.owner}-{handoff.region}"
    head = introduction(
        handoff,
        "Credential helper of docker, podman and skopeo",
        _own_profile(handoff),
        "1. Install the package amazon-ecr-credential-helper. Append this profile to ~/.aws/config:",
        *_indented(_profile(handoff, _SOURCE_PROFILE)),
        "2. Install this file as a program in a directory of the PATH of docker and podman:",
        f"  install -m 755 THIS_FILE /usr/local/bin/docker-credential-{helper}",
        "3. Add this entry to credHelpers in ~/.docker/config.json, which docker, podman and skopeo read:",
        f'  {{"credHelpers": {yaml_value({handoff.registry: helper})}}}',
        "The role crossaccount.ecr.ecr_credential_helper does all of this on many hosts.",
    )
    lines = [
        "#!/bin/sh",
        *head,
        f"unset {' '.join(CREDENTIAL_VARIABLES)}",
        f"export AWS_PROFILE={shlex.quote(profile_name(handoff))} AWS_ECR_DISABLE_CACHE=true",
        f'exec {HELPER} "$@"',
    ]
    return form_text(lines)


def kubelet(handoff: Handoff) -> str:
    """A configuration of kubelet for ecr-credential-provider with the profile."""
    name = f"ecr-credential-provider-{handoff.owner}-{handoff.region}"
    path = f"/etc/kubernetes/{NAME_PREFIX}{handoff.owner}-{handoff.region}.ini"
    head = introduction(
        handoff,
        "CredentialProviderConfig of kubelet",
        {
            "credential_source": "the credentials of the nodes, here those of the EC2 instance profile. They need"
            f" sts:AssumeRole on {handoff.role_arn}. Outside EC2, set source_profile instead."
        },
        "CredentialProviderConfig and ecr-credential-provider have no field for a pull role or an external ID.",
        "The AWS profile below has both. The provider reads it from the file in AWS_CONFIG_FILE.",
        f"1. Write this profile to {path} on each node:",
        *_indented(_profile(handoff, "credential_source = Ec2InstanceMetadata")),
        "2. Link the provider in the --image-credential-provider-bin-dir directory, because its name must be unique:",
        f"  ln -s ecr-credential-provider {name}",
        "3. Insert the entry before the other providers in the file of --image-credential-provider-config.",
        "kubelet tries the credentials of earlier providers first.",
    )
    provider = {
        "name": name,
        "matchImages": [handoff.registry],
        "defaultCacheDuration": "0s",
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "env": [
            {"name": "AWS_PROFILE", "value": profile_name(handoff)},
            {"name": "AWS_CONFIG_FILE", "value": path},
        ],
    }
    document = {
        "apiVersion": "kubelet.config.k8s.io/v1",
        "kind": "CredentialProviderConfig",
        "providers": [provider],
    }
    return form_text([*head, "---", *yaml_lines(document)])
