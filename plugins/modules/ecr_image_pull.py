#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_image_pull
short_description: Pull images from another account's ECR through its pull role
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Assumes the role, asks ECR for each image's digest, and pulls by that digest, so that an image tag which moves in
    between can not slip another image in.
  - The registry token reaches the engine in a private file (0600, in a folder 0700) for the time of one pull. The
    user's own docker or podman configuration is neither read for credentials nor changed.
  - All images are resolved before the first is fetched; one that is denied or missing leaves nothing half done.
options:
  role_arn:
    description: The role, as the owner account handed it off.
    type: str
    required: true
  external_id:
    description: The external id, as the owner account handed it off.
    type: str
  role_session_name:
    description: How the session is called in the owner account's logs, 2 to 64 of letters, digits and C(_+=,.@-).
    type: str
    default: crossaccount.ecr
  images:
    description:
      - What to pull, as C(repository:image-tag), C(repository@digest) or C(repository:image-tag@digest), without a
        registry.
      - With both, the image tag must stand for that digest.
    type: list
    elements: str
    required: true
  engine:
    description:
      - V(docker) and V(podman) pull into that engine of the host.
      - V(oci_layout) needs no engine. It writes an OCI image layout to O(dest).
      - V(auto) takes docker if its engine answers, else podman, else, when O(dest) is given, V(oci_layout).
    type: str
    choices: [auto, docker, podman, oci_layout]
    default: auto
  dest:
    description: The folder of the OCI image layout. Required with O(engine=oci_layout).
    type: path
  platform:
    description:
      - Which image of a multi-platform image goes into the layout, as C(os/architecture) or C(os/architecture/variant).
      - The default is C(linux) and the host's architecture. Container engines choose by themselves.
    type: str
extends_documentation_fragment:
  - crossaccount.ecr.assume_role
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
      description: The image as asked for.
      type: str
      sample: release:v1.0
    reference:
      description: The image's name on this host, or in the layout.
      type: str
      sample: 111111111111.dkr.ecr.ap-northeast-1.amazonaws.com/release:v1.0
    digest:
      description: The digest that ECR reports and the engine verified.
      type: str
      sample: sha256:aecb2e7c43a5f1ea7aea5f6ee2c5c1ef4f2f9b0ea1a1ed3bb3b7d1a1b2b0c0d0
    changed:
      description: Whether it was fetched or named, or would be in check mode.
      type: bool
      sample: true
"""

import platform as host_platform
import typing as t

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule says so to the user

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.crossaccount.ecr.plugins.module_utils import _ecr
from ansible_collections.crossaccount.ecr.plugins.module_utils._engine import Engine, choose_engine
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import (
    EcrError,
    Problems,
    aws_sentence,
    error_code,
    is_denied,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._image import Reference, parse_reference
from ansible_collections.crossaccount.ecr.plugins.module_utils._layout import Layout
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import execute
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy import assume_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry import Registry
from ansible_collections.crossaccount.ecr.plugins.module_utils._sts import ASSUME_ROLE_ARGUMENTS, session_of


def check(options: dict[str, t.Any]) -> list[Reference]:
    """What can be said of the options without asking AWS; the images as references."""
    problems, references, images = Problems(), [], options["images"]
    for problem in assume_problems(options["role_arn"], options["external_id"], options["role_session_name"]):
        problems.add(problem)
    if not images:
        problems.add("images is empty: name at least one image.")
    for text in images:
        try:
            references.append(parse_reference(text))
        except EcrError as error:
            problems.add(str(error))
    problems.check()
    return references


def resolve(ecr: t.Any, references: list[Reference]) -> list[str]:
    """The digest of each image, from ECR; everything that is denied or missing is reported together."""
    problems, digests = Problems(), []
    for reference in references:
        try:
            found = _ecr.image(ecr, reference.repository, reference.identifier)
        except botocore.exceptions.ClientError as error:
            if not is_denied(error) and error_code(error) != "RepositoryNotFoundException":
                raise
            word = "denied: " if is_denied(error) else ""
            problems.add(f"Image {reference} can not be pulled: {word}{aws_sentence(error)}")
            continue
        if found is None:
            problems.add(f"Image {reference} does not exist: repository {reference.repository} has no such image.")
        elif reference.digest and found["digest"] != reference.digest:
            problems.add(f"Image {reference} is not there: {reference.image_tag} stands for {found['digest']}.")
        else:
            digests.append(found["digest"])
    problems.check()
    return digests


def pull(engine: Engine, registry: Registry, reference: Reference, digest: str, check_mode: bool) -> dict[str, t.Any]:
    """Bring one image into a container engine."""
    by_digest = f"{registry.host}/{reference.repository}@{digest}"
    name = f"{registry.host}/{reference.repository}:{reference.image_tag}" if reference.image_tag else None
    changed = not engine.has(by_digest, name)
    if changed and not check_mode:
        if not engine.has(by_digest, None):
            engine.pull(by_digest, registry)
        if name:
            engine.name_image(by_digest, name)
    return {"image": str(reference), "reference": name or by_digest, "digest": digest, "changed": changed}


def add(
    layout: Layout, registry: Registry, reference: Reference, digest: str, platform: str, check_mode: bool
) -> dict[str, t.Any]:
    """Bring one image into an OCI image layout."""
    changed = not layout.has(str(reference), digest, platform)
    if changed and not check_mode:
        layout.add(registry, reference, digest, platform)
    return {
        "image": str(reference),
        "reference": f"oci:{layout.folder}:{reference}",
        "digest": digest,
        "changed": changed,
    }


def run(module: t.Any) -> dict[str, t.Any]:
    options = module.params
    references = check(options)
    engine = choose_engine(options["engine"], module.tmpdir)
    if engine is None and not options["dest"]:
        raise EcrError(
            "No container engine answers on this host, and no dest is given for an OCI image layout. Start docker or"
            " podman, or set dest."
        )
    layout = Layout(options["dest"]) if engine is None else None
    role = session_of(module).assume(options["role_arn"], options["external_id"], options["role_session_name"])
    ecr = role.client("ecr")
    digests = resolve(ecr, references)
    authorization, url = _ecr.token(ecr)
    registry = Registry(url, authorization, bool(options["validate_certs"]), options["aws_ca_bundle"])
    platform = options["platform"] or f"linux/{_architecture()}"
    images = [
        add(layout, registry, reference, digest, platform, module.check_mode)
        if layout
        else pull(t.cast(Engine, engine), registry, reference, digest, module.check_mode)
        for reference, digest in zip(references, digests)
    ]
    return {
        "changed": any(image["changed"] for image in images),
        "engine": engine.name if engine else "oci_layout",
        "registry": registry.host,
        "images": images,
    }


def _architecture() -> str:
    machine = host_platform.machine()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "role_arn": {"type": "str", "required": True},
            "external_id": {"type": "str"},
            "role_session_name": {"type": "str", "default": "crossaccount.ecr"},
            "images": {"type": "list", "elements": "str", "required": True},
            "engine": {"type": "str", "choices": ["auto", "docker", "podman", "oci_layout"], "default": "auto"},
            "dest": {"type": "path"},
            "platform": {"type": "str"},
            **ASSUME_ROLE_ARGUMENTS,
        },
        required_if=[("engine", "oci_layout", ("dest",))],
        supports_check_mode=True,
    )
    execute(module, run)


if __name__ == "__main__":
    main()
