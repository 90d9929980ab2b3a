#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_image_pull
short_description: Pull images from the ECR registry of another account through its pull role
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Assumes the pull role, asks ECR for the digest of each image, and pulls by that digest. An image tag that moves in
    the meantime cannot replace the image.
  - The registry token is passed to the engine in a private file (mode 0600, in a directory of mode 0700) that exists
    for one pull. The configuration of docker or podman is neither read for credentials nor changed.
  - All images are resolved, and compared with those on the host, before the first one is fetched. If any image is
    denied or missing, none is fetched.
  - Shows a line of progress every ten seconds. On a local connection, it has the number of layers (V(docker)), the
    megabytes received (V(oci_layout)) or the megabytes written (V(podman), V(skopeo)). On other connections, it has the
    elapsed seconds. Ansible buffers its output if it is not a terminal, as in many CI systems. There, set the
    environment variable E(PYTHONUNBUFFERED) to V(1), so that the line appears at once.
  - Retries while a new share propagates, see O(wait).
  - With O(credentials=controller), the host receives a registry token for this pull through the pipelining of the
    connection, which writes no file. The host reports its engine first, so a host that cannot pull receives no token.
  - A registry token is rejected under E(ANSIBLE_DEBUG), which prints it. With O(credentials=controller), the token is
    masked in all output of the host before Ansible reads it.
  - A redirect of the registry is followed to https only, without the token. Only a registry in 127.0.0.0/8 that uses
    http may redirect to http in 127.0.0.0/8.
options:
  role_arn:
    description: The ARN of the pull role, from the hand-off. Required without O(registry_token).
    type: str
  duration_seconds:
    description:
      - The duration of the session, 900 to 43,200 seconds, up to the maximum session duration of the role.
      - The registry token expires with the session. Choose a duration that is longer than the longest pull.
    type: int
    default: 3600
  images:
    description:
      - The images to pull, as C(repository:image-tag), C(repository@digest) or C(repository:image-tag@digest).
      - With both, the image tag must refer to that digest.
      - Other common forms are accepted, such as C(https://HOST/repository:image-tag) or C(docker pull
        HOST/repository:image-tag), also in quotation marks or with white space around them. The registry must be that
        of the account of O(role_arn) in the region, or O(registry_url). It is compared before anything is fetched.
    type: list
    elements: str
    required: true
  engine:
    description:
      - V(docker) and V(podman) pull into that engine of the host. docker uses the context of the user, with its TLS
        certificates or ssh.
      - A docker or podman service over plain TCP, or over TLS without verification, is rejected before a registry token
        is requested, unless its address is in 127.0.0.0/8, is ::1, or is C(localhost).
      - V(oci_layout) writes an OCI image layout to O(dest), and needs no engine.
      - V(skopeo) copies to O(dest).
      - V(auto) uses skopeo if O(dest) begins with a transport. Otherwise it uses the first of docker and podman that
        responds, or V(oci_layout) if neither responds and O(dest) is set. RV(engine) is the engine that was used.
    type: str
    choices: [auto, docker, podman, skopeo, oci_layout]
    default: auto
  dest:
    description:
      - With O(engine=oci_layout), the directory of the OCI image layout.
      - With O(engine=skopeo), a destination such as C(docker-archive:/srv/{repository}.tar:app:{image_tag}) or
        C(docker://mirror.example.com/{repository}:{image_tag}). C({repository}) and C({image_tag}) are replaced for
        each image. The transports are C(dir), C(oci), C(oci-archive), C(docker-archive), C(docker), C(docker-daemon)
        and C(containers-storage). C(containers-storage) is accepted without storage options only.
      - A leading C(~) of a path is expanded on the host that pulls, as in C(docker-archive:~/image.tar). Variables such
        as C($HOME) are not expanded, because the environment can contain secrets.
      - With O(engine=oci_layout), the free space of the file system is checked before the first layer is fetched.
      - A C(dir) or C(docker-archive) contains one image. Another image replaces it when the new one is complete. A
        destination with any other content is not changed.
      - An image counts as present only after verification. In an OCI image layout and in C(dir), the manifest, the
        configuration and each layer must have their digests. In C(oci), C(oci-archive) and C(docker-archive), the
        configuration must be that of the registry, and each layer must have the digest of the layer in the registry or,
        if skopeo compressed or uncompressed it, the digest of its content in the configuration. 1 GiB takes about a
        second. Content that differs is fetched again.
      - In C(docker), the manifest of the other registry must list the same configuration and the same compressed
        layers. The content is not read, because that registry stores it by digest. In C(docker-daemon) and
        C(containers-storage), the configuration is compared, which contains the digest of each layer. The layers are
        not read.
      - A destination on this host is rejected if a user other than root and the current user can change it or a
        directory above it, or if it contains links. A group may have write access if it is the private group of the
        owner of the directory, as with the umask C(002). Above the destination, a directory with the sticky bit such as
        C(/tmp) is accepted, and a link is followed if it belongs to root or the current user.
      - The modes of new files follow the umask.
    type: str
  platform:
    description:
      - The platform to choose from a multi-platform image, as C(os/architecture) or C(os/architecture/variant).
      - An image of one platform must match it. A host runs images of its variant and of lower variants, so an image for
        C(linux/arm/v6) is accepted for C(linux/arm/v7).
      - The default is C(linux) and the architecture of the host. docker and podman use their own default.
    type: str
  ca_path:
    description:
      - A file with CA certificates to verify the certificate of the registry. The default is O(aws_ca_bundle).
      - A leading C(~) is expanded on the host that pulls. Variables such as C($HOME) are not expanded.
      - Like O(validate_certs), it applies to V(podman), V(skopeo) and V(oci_layout). dockerd has its own settings, in
        C(/etc/docker/certs.d) and C(insecure-registries).
    type: str
  registry_url:
    description: The URL of the registry that O(registry_token) is for. No request is sent to AWS then.
    type: str
  registry_token:
    description:
      - A registry token, as C(GetAuthorizationToken) of ECR returns it (base64 of C(AWS:) and the password).
      - Each image then needs a digest. O(credentials=controller) sets both on the host.
    type: str
extends_documentation_fragment:
  - crossaccount.ecr._pull_role
  - crossaccount.ecr._assume_role
  - crossaccount.ecr._credentials
  - crossaccount.ecr._retry
  - crossaccount.ecr._attributes
  - crossaccount.ecr._attributes.action_group
  - crossaccount.ecr._requirements.aws
  - amazon.aws.common.modules
  - amazon.aws.region.modules
requirements:
  - docker, podman or skopeo on the host, unless O(engine=oci_layout)
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: An image has no content to compare except its digest, which is returned.
  idempotent:
    support: full
    details: An image that is present under its name with its digest is not fetched again.
  async:
    support: partial
    details: Not supported with O(credentials=controller).
seealso:
  - module: crossaccount.ecr.ecr_access_info
    description: Verifies the access of the role before the pull.
  - module: crossaccount.ecr.ecr_credential_helper_config
    description: Configures a host on which docker and podman pull by themselves.
  - ref: ansible_collections.crossaccount.ecr.ecr_pull_role
    description: The role C(crossaccount.ecr.ecr_pull) verifies the access, then pulls.
"""

EXAMPLES = r"""
- name: Pull into an OCI image layout, without a container engine
  crossaccount.ecr.ecr_image_pull:
    role_arn: arn:aws:iam::111111111111:role/allow_ecr_release
    external_id: 7c2f4e0b-share
    region: ap-northeast-1
    images: [release:v1.0]
    engine: oci_layout
    dest: ~/images/release

- name: Pull on a host without AWS credentials, with the credentials of the controller
  crossaccount.ecr.ecr_image_pull:
    role_arn: arn:aws:iam::111111111111:role/allow_ecr_release
    external_id: 7c2f4e0b-share
    region: ap-northeast-1
    images: [release:v1.0]
    engine: oci_layout
    dest: ~/images/release
    credentials: controller

- name: Pull with docker or podman
  crossaccount.ecr.ecr_image_pull:
    role_arn: arn:aws:iam::111111111111:role/allow_ecr_release
    external_id: 7c2f4e0b-share
    region: ap-northeast-1
    images: [release:v1.0]

- name: Copy to an archive with skopeo
  crossaccount.ecr.ecr_image_pull:
    role_arn: arn:aws:iam::111111111111:role/allow_ecr_release
    external_id: 7c2f4e0b-share
    region: ap-northeast-1
    images: [release:v1.0]
    engine: skopeo
    dest: docker-archive:~/images/{repository}.tar:app:{image_tag}
"""

RETURN = r"""
engine:
  description: The engine that was used.
  returned: success
  type: str
  sample: docker
registry:
  description: The host name of the registry.
  returned: success
  type: str
  sample: 111111111111.dkr.ecr.ap-northeast-1.amazonaws.com
predicted:
  description: Whether the module ran in check mode and fetched nothing.
  returned: success
  type: bool
  sample: false
images:
  description: The images, in the order of O(images).
  returned: success
  type: list
  elements: dict
  contains:
    image:
      description: The requested image, without its registry.
      type: str
      sample: release:v1.0
    reference:
      description: The name of the image on this host or in the layout, or the destination.
      type: str
      sample: 111111111111.dkr.ecr.ap-northeast-1.amazonaws.com/release:v1.0
    digest:
      description: The digest that ECR reports. The engine, or with O(dest) this module, verified the content.
      type: str
      sample: sha256:aecb2e7c43a5f1ea7aea5f6ee2c5c1ef4f2f9b0ea1a1ed3bb3b7d1a1b2b0c0d0
    changed:
      description:
        - Whether the image was fetched or named, or would be in check mode.
        - Also V(true) if the content was damaged and is fetched again.
      type: bool
      sample: true
"""

from ansible_collections.amazon.aws.plugins.module_utils.botocore import check_sdk_version_supported
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleBotocoreError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_pull import image_pull
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import run_and_exit
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull_options import (
    PULL_ARGUMENTS,
    PULL_RULES,
    PullOptions,
)


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec=PULL_ARGUMENTS,
        supports_check_mode=True,
        check_boto3=False,
        **PULL_RULES,
    )
    if PullOptions.need_aws_sdk(module.params):
        try:
            check_sdk_version_supported(warn=module.warn)
        except AnsibleBotocoreError as error:
            module.fail_json(msg=str(error))
    run_and_exit(module, image_pull)


if __name__ == "__main__":
    main()
