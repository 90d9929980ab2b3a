#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_image_pull
short_description: Pull images from another account's ECR through its pull role
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Assumes the role, asks ECR for each image's digest, and pulls by that digest, so that an image tag which moves in
    between cannot replace the image.
  - The registry token reaches the engine in a private file (0600, in a folder 0700) for the time of one pull. The
    user's own docker or podman configuration is neither read for credentials nor changed.
  - All images are resolved, and compared with those on the host, before the first one is fetched. Nothing is fetched if
    one of them is denied or missing.
  - Shows a line of progress every ten seconds. On a local connection, it has the number of layers (V(docker)) or the
    megabytes (V(oci_layout) shows those that it received, V(podman) and V(skopeo) those that they wrote). On other
    connections, it has the elapsed seconds.
  - Waits by doing after a share that is new; see O(wait).
  - With O(credentials=controller), the host gets a registry token for this one pull, by the connection's pipelining,
    which writes no file. The host reports its engine first, so that a host that cannot pull gets no token.
  - A registry token is rejected under E(ANSIBLE_DEBUG), which would print it. With O(credentials=controller), what the
    host returns is searched for the token before Ansible reads it.
  - A redirect of the registry is followed to https only, without the token. Only a registry in 127.0.0.0/8 that speaks
    http may redirect to http in 127.0.0.0/8.
options:
  role_arn:
    description: The role, as the owner account handed it off. Required without O(registry_token).
    type: str
  external_id:
    description: The external ID, as the owner account handed it off.
    type: str
  consumer_account:
    description:
      - The account that the share is for, from the hand-off. Credentials of another account are rejected before the
        role is assumed.
      - A role in the account of the credentials is always rejected.
    type: str
  role_session_name:
    description:
      - The name of the session in the logs of the owner account, 2 to 64 of letters, digits and C(_+=,.@-).
      - The default is the name of the role.
    type: str
  duration_seconds:
    description:
      - How long the session lasts, 900 to 43200 seconds, and no longer than the role's maximum.
      - The registry token does not outlive the session that it was made for, so give it the time of the longest pull.
    type: int
    default: 3600
  images:
    description:
      - What to pull, as C(repository:image-tag), C(repository@digest) or C(repository:image-tag@digest).
      - With both, the image tag must stand for that digest.
      - What people paste is accepted as well, such as C(https://HOST/repository:image-tag) or C(docker pull
        HOST/repository:image-tag), with quotation marks or white space around it. The registry must be that of the
        account of O(role_arn) in the region, or O(registry_url). It is compared before anything is fetched.
    type: list
    elements: str
    required: true
  engine:
    description:
      - V(docker) and V(podman) pull into that engine of the host. docker uses the user's context with its TLS
        certificates or ssh.
      - A docker or podman that is reached by plain TCP, or by TLS without verification, is rejected before a registry
        token is requested, unless its address is in 127.0.0.0/8, is ::1, or has the name C(localhost).
      - V(oci_layout) needs no engine. It writes an OCI image layout to O(dest).
      - V(skopeo) copies to O(dest).
      - V(auto) takes skopeo where O(dest) begins with a transport; else docker if its engine answers, else podman,
        else, when O(dest) is given, V(oci_layout). RV(engine) says which it was.
    type: str
    choices: [auto, docker, podman, skopeo, oci_layout]
    default: auto
  dest:
    description:
      - With O(engine=oci_layout), the folder of the OCI image layout.
      - With O(engine=skopeo), a destination such as C(docker-archive:/srv/{repository}.tar:app:{image_tag}) or
        C(docker://mirror.example.com/{repository}:{image_tag}). C({repository}) and C({image_tag}) are filled in for
        each image. The transports are C(dir), C(oci), C(oci-archive), C(docker-archive), C(docker), C(docker-daemon)
        and C(containers-storage), which is given without options of a storage.
      - A C(~) at the beginning of a folder is expanded on the host that pulls. Variables such as C($HOME) are not
        expanded, because the environment may hold secrets.
      - With O(engine=oci_layout), the free space of the folder's file system is checked before the first layer is
        fetched.
      - A C(dir) or C(docker-archive) holds one image, which another replaces when it is whole. What holds anything else
        is left alone.
      - An image counts as present only if it was verified. In an OCI image layout and in C(dir), the manifest, the
        configuration and each layer have their digests. In C(oci), C(oci-archive) and C(docker-archive), the
        configuration is that of the registry, and each layer has the digest of the registry's layer or, where skopeo
        compressed or uncompressed it, the digest that the configuration has for its content. 1 GiB takes about a
        second. What differs is fetched again.
      - In C(docker), the manifest of the other registry lists the same configuration and the same compressed layers.
        The content is not read, because that registry stores it by its digest. In C(docker-daemon) and
        C(containers-storage), the configuration is compared, which has the digest of each layer; the layers are not
        read.
      - A destination on this host is rejected if another user than root and the current user can change it, or a folder
        above it, or if it contains links. A group may have write access if it is the private group of the folder's
        owner, as with the umask C(002). Above the destination, a folder with the sticky bit such as C(/tmp) is
        accepted, and a link is followed if it belongs to root or the current user.
      - The modes of new files follow the umask.
    type: str
  platform:
    description:
      - Which image of a multi-platform image to take, as C(os/architecture) or C(os/architecture/variant).
      - An image of one platform has to be of this one. A host runs the images of its variant and of lower ones, so
        that an image for C(linux/arm/v6) is accepted for C(linux/arm/v7).
      - The default is C(linux) and the host's architecture; docker and podman choose by themselves.
    type: str
  ca_path:
    description:
      - A file with certificates of CAs that the registry's certificate may be signed by. The default is
        O(aws_ca_bundle).
      - A C(~) at its beginning is expanded on the host that pulls. Variables such as C($HOME) are not expanded.
      - Like O(validate_certs), it is for V(podman), V(skopeo) and V(oci_layout). dockerd has its own settings for both,
        in C(/etc/docker/certs.d) and C(insecure-registries).
    type: str
  registry_url:
    description: The URL of the registry that O(registry_token) is for. Then AWS is not asked.
    type: str
  registry_token:
    description:
      - A registry token, as ECR's C(GetAuthorizationToken) answers it (base64 of C(AWS:) and the password).
      - Each image needs its digest then. O(credentials=controller) sets both by itself.
    type: str
extends_documentation_fragment:
  - crossaccount.ecr.assume_role
  - crossaccount.ecr.credentials
  - crossaccount.ecr.wait_by_doing
  - crossaccount.ecr.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: Images have no before and after beyond their digest, which is returned.
"""

EXAMPLES = r"""
- name: Pull the released image with the engine of this host
  crossaccount.ecr.ecr_image_pull:
    role_arn: arn:aws:iam::111111111111:role/allow_ecr_release
    external_id: 7c2f4e0b-share
    images: [release:v1.0]

- name: Fetch it into a folder, without any engine
  crossaccount.ecr.ecr_image_pull:
    role_arn: arn:aws:iam::111111111111:role/allow_ecr_release
    external_id: 7c2f4e0b-share
    images: [release:v1.0]
    engine: oci_layout
    dest: /srv/images/release

- name: Pull on a host that knows nothing of AWS, with the controller's credentials
  crossaccount.ecr.ecr_image_pull:
    role_arn: arn:aws:iam::111111111111:role/allow_ecr_release
    external_id: 7c2f4e0b-share
    images: [release:v1.0]
    credentials: controller

- name: Copy it to a mirror
  crossaccount.ecr.ecr_image_pull:
    role_arn: arn:aws:iam::111111111111:role/allow_ecr_release
    external_id: 7c2f4e0b-share
    images: [release:v1.0]
    engine: skopeo
    dest: docker://mirror.example.com/{repository}:{image_tag}
"""

RETURN = r"""
engine:
  description: What pulled.
  returned: success
  type: str
  sample: docker
registry:
  description: The registry's host.
  returned: success
  type: str
  sample: 111111111111.dkr.ecr.ap-northeast-1.amazonaws.com
images:
  description: Each image, in the order given.
  returned: success
  type: list
  elements: dict
  contains:
    image:
      description: The image as asked for, without its registry.
      type: str
      sample: release:v1.0
    reference:
      description: The image's name on this host, in the layout, or the destination.
      type: str
      sample: 111111111111.dkr.ecr.ap-northeast-1.amazonaws.com/release:v1.0
    digest:
      description: The digest that ECR reports. The engine, or for O(dest) this module, verified the content.
      type: str
      sample: sha256:aecb2e7c43a5f1ea7aea5f6ee2c5c1ef4f2f9b0ea1a1ed3bb3b7d1a1b2b0c0d0
    changed:
      description:
        - Whether it was fetched or named, or would be in check mode.
        - Also V(true) if content was damaged and is fetched again.
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
