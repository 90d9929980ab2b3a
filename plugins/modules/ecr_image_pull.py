#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_image_pull
short_description: Pull images from the ECR registry of another account through its pull role, or from a cache
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Assumes the pull role, requests the digest of each image from ECR, and pulls by that digest. Even if the image tag
    moves to another image during the pull, the image with that digest is pulled.
  - The registry token is passed to the engine in a private file (mode 0600, in a directory of mode 0700) that exists
    for one pull. The configuration of docker or podman is neither read for credentials nor changed.
  - All images are resolved, and compared with those on the host, before the first one is fetched. If any image is
    denied or missing, none is fetched.
  - Shows the progress every ten seconds. On a local connection, the progress is the number of layers (V(docker)), the
    megabytes received (V(oci_layout)) or the megabytes written (V(podman), V(skopeo)). On other connections, the
    progress is the elapsed seconds.
  - In many CI systems, Ansible does not write to a terminal and buffers its output. To see the progress at once, set
    the environment variable E(PYTHONUNBUFFERED) to V(1).
  - With O(wait=true), retries while a new share propagates.
  - With O(credentials=control_node), the control node sends a registry token for this pull to the host. The token is
    sent by Ansible pipelining, so it is not written to a file on the host. The host reports its engine first, so a host
    that cannot pull receives no token.
  - In Ansible's debug mode (E(ANSIBLE_DEBUG)), the module fails before it sends or uses a registry token, because
    Ansible would print the token. With O(credentials=control_node), the token is masked in all output of the host
    before Ansible reads the output.
  - If the registry redirects a request, the module follows the redirect only if the new address is an https address. It
    does not send the token to the new address. A registry at an http address in 127.0.0.0/8 may also redirect to
    another http address in 127.0.0.0/8.
options:
  role_arn:
    description: The ARN of the pull role, from the hand-off. Required unless O(account), O(registry_account) or
      O(registry_token) is set.
    type: str
  account:
    description:
      - The account ID of the registry that has the images, 12 digits, quoted. The module then assumes no pull role. The
        account must be that of the credentials. Use this option for a cache (M(crossaccount.ecr.ecr_pull_through_rule))
        or for replicated images.
      - The first request for an image of a cache causes ECR to copy the image, even in check mode. The caller then
        needs C(ecr:BatchImportUpstreamImage) and, for the first image of a repository, C(ecr:CreateRepository).
    type: raw
  duration_seconds:
    description:
      - The duration of the session, 900 to 43,200 seconds. It cannot exceed the maximum session duration of the role.
      - The registry token expires with the session. Choose a duration that is longer than the longest pull.
    type: int
    default: 3600
  images:
    description:
      - The images to pull, as C(repository:image-tag), C(repository@digest) or C(repository:image-tag@digest).
      - If an entry has an image tag and a digest, the image tag must refer to that digest.
      - Other common forms are accepted, such as C(https://HOST/repository:image-tag) or C(docker pull
        HOST/repository:image-tag), even in quotation marks or with white space around them. C(HOST) must be the
        registry of the account of O(role_arn) in the region, or O(registry_url). Otherwise, nothing is fetched.
    type: list
    elements: str
    required: true
  registry_host:
    description:
      - The host name of the registry to pull from. The default is the host name that ECR returns.
      - It must be the default, the dual-stack or a FIPS host name of the registry from which the module pulls.
    type: str
  denied:
    description:
      - Images that must not be available, in the form of O(images). If one of them can be pulled, nothing is fetched.
      - An image that does not exist is not available either. Therefore, name images that exist in the upstream registry
        or in the registry of the owner account.
    type: list
    elements: str
    default: []
  engine:
    description:
      - V(docker) and V(podman) pull into docker or podman on the host. docker uses the context of the user, including
        its TLS certificates or ssh.
      - A docker or podman service over plain TCP, or over TLS without verification, is rejected before a registry token
        is requested. This does not apply to C(localhost), ::1, and addresses in 127.0.0.0/8.
      - V(oci_layout) writes an OCI image layout to O(dest), and needs no engine.
      - V(skopeo) copies to O(dest).
      - V(auto) uses skopeo if O(dest) begins with a transport. Otherwise, it uses the first of docker and podman that
        responds, or V(oci_layout) if neither responds and O(dest) is set. The return value RV(engine) names the engine
        that was used.
    type: str
    choices: [auto, docker, podman, skopeo, oci_layout]
    default: auto
  dest:
    description:
      - With O(engine=oci_layout), the directory of the OCI image layout.
      - With O(engine=skopeo), a destination such as C(docker-archive:/srv/{repository}.tar:app:{image_tag}) or
        C(docker://mirror.example.com/{repository}:{image_tag}). C({repository}) and C({image_tag}) are replaced for
        each image. The transports are C(dir), C(oci), C(oci-archive), C(docker-archive), C(docker), C(docker-daemon)
        and C(containers-storage). C(containers-storage) is accepted only without storage options.
      - A leading C(~) of a path is expanded on the host that pulls, as in C(docker-archive:~/image.tar). Variables such
        as C($HOME) are not expanded, because the environment can contain secrets.
      - With O(engine=oci_layout), the free space of the file system is checked before the first layer is fetched.
      - A C(dir) or C(docker-archive) contains one image. If another image is pulled to the same path, the new image
        replaces the existing one as soon as the new image is complete. If the path contains anything other than an
        image, nothing is changed.
      - An image that already exists at the destination is not fetched again if the verification of its content
        succeeds. The verification of 1 GiB takes about a second.
      - In an OCI image layout and in C(dir), the verification computes the digests of the manifest, the configuration
        and each layer.
      - In C(oci), C(oci-archive) and C(docker-archive), the verification computes the digests of the configuration and
        each layer. If skopeo compressed or uncompressed a layer, the digest of the uncompressed layer is compared with
        the configuration.
      - In C(docker), the verification reads the manifests in both registries, and compares the configurations and the
        layers that they list. It does not read the layers, because a registry stores them by digest.
      - In C(docker-daemon) and C(containers-storage), the verification compares the configuration, which lists the
        digests of the layers. It does not read the layers.
      - A destination on this host is rejected if it contains links, or if a user other than root and the current user
        can change it or a directory above it. A group may have write access if it is the private group of the owner of
        the directory, as with the umask C(002).
      - A directory above the destination may have the sticky bit, as C(/tmp) does. It may also be a link that root or
        the current user owns.
      - The modes of new files follow the umask.
    type: str
  platform:
    description:
      - The platform to choose from a multi-platform image, as C(os/architecture) or C(os/architecture/variant).
      - An image for a single platform must match this platform. A host runs images of its variant and of lower
        variants, so an image for C(linux/arm/v6) is accepted for C(linux/arm/v7).
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
    description: The URL of the registry for O(registry_token). If it is set, no request is sent to AWS.
    type: str
  registry_token:
    description:
      - A registry token, as C(GetAuthorizationToken) of ECR returns it (base64 of C(AWS:) and the password).
      - If it is set, each entry of O(images) needs a digest.
      - With O(credentials=control_node), the collection sets O(registry_url) and O(registry_token) on the host.
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
    details: An image that already exists with the same name and digest is not fetched again.
  async:
    support: partial
    details: Not supported with O(credentials=control_node).
seealso:
  - module: crossaccount.ecr.ecr_access_info
    description: Proves the access of the role before the pull.
  - module: crossaccount.ecr.ecr_credential_helper_config
    description: Configures docker and podman on a host to pull from the registry without this module.
  - ref: ansible_collections.crossaccount.ecr.ecr_pull_role
    description: The role C(crossaccount.ecr.ecr_pull) proves the access, then pulls.
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

- name: Pull on a host without AWS credentials, with the credentials of the control node
  crossaccount.ecr.ecr_image_pull:
    role_arn: arn:aws:iam::111111111111:role/allow_ecr_release
    external_id: 7c2f4e0b-share
    region: ap-northeast-1
    images: [release:v1.0]
    engine: oci_layout
    dest: ~/images/release
    credentials: control_node

- name: Pull with docker or podman
  crossaccount.ecr.ecr_image_pull:
    role_arn: arn:aws:iam::111111111111:role/allow_ecr_release
    external_id: 7c2f4e0b-share
    region: ap-northeast-1
    images: [release:v1.0]

- name: Pull a copy from the registry of your own account
  crossaccount.ecr.ecr_image_pull:
    account: "222222222222"
    region: ap-northeast-1
    images: [release:v1.0]
    engine: oci_layout
    dest: ~/images/release

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
      description:
        - The location of the pulled image. With docker and podman, it is the name of the image. With O(dest), it is the
          destination.
      type: str
      sample: 111111111111.dkr.ecr.ap-northeast-1.amazonaws.com/release:v1.0
    digest:
      description:
        - The digest that ECR reports. With O(dest), the module verified the content of the image. Otherwise, the engine
          verified it.
      type: str
      sample: sha256:aecb2e7c43a5f1ea7aea5f6ee2c5c1ef4f2f9b0ea1a1ed3bb3b7d1a1b2b0c0d0
    changed:
      description:
        - V(true) if the image was fetched, or if an existing image was given the requested name. In check mode, V(true)
          if a run would do so.
        - An image with damaged content is fetched again.
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
