# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""References to images of a registry, such as `team/app:v1`. Standard library only."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import repository_problems

#: The only form of a digest that is accepted, because a digest becomes the name of a file.
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_IMAGE_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


@dataclass(frozen=True)
class Reference:
    """An image of a registry: its repository, and an image tag, a digest, or both."""

    repository: str
    image_tag: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        image_tag = f":{self.image_tag}" if self.image_tag else ""
        return f"{self.repository}{image_tag}" + (f"@{self.digest}" if self.digest else "")

    @property
    def name(self) -> str:
        """The name of the image in an OCI image layout: with the image tag if there is one."""
        return f"{self.repository}:{self.image_tag}" if self.image_tag else str(self)

    @property
    def identifier(self) -> dict[str, str]:
        """The image in a request to ECR: by its image tag if there is one, so that its digest can be compared."""
        return {"imageTag": self.image_tag} if self.image_tag else {"imageDigest": str(self.digest)}


def parse_reference(text: str) -> Reference:
    """`repository:image-tag`, `repository@digest` or both, without a registry.

    :raises EcrError: if it is anything else
    """
    rest, at, digest = text.partition("@")
    repository, colon, image_tag = rest.rpartition(":")
    if not colon or "/" in image_tag:
        repository, colon, image_tag = rest, "", ""
    first = repository.partition("/")[0]
    if "/" in repository and (":" in first or first == "localhost" or first.endswith((".amazonaws.com", ".on.aws"))):
        raise EcrError(
            f"Image {text!r} names a registry. Write it without {first}/: the registry is that of the role's account."
        )
    for problem in repository_problems(repository):
        raise EcrError(f"Image {text!r}: {problem}")
    if at and not DIGEST.fullmatch(digest):
        raise EcrError(f"Image {text!r}: a digest is sha256: and 64 hexadecimal digits.")
    if colon and not _IMAGE_TAG.fullmatch(image_tag):
        raise EcrError(f"Image {text!r}: {image_tag!r} is not an image tag.")
    if not at and not colon:
        raise EcrError(f"Image {text!r} has no image tag and no digest. Write {text}:IMAGE_TAG; none is assumed.")
    return Reference(repository, image_tag or None, digest or None)
