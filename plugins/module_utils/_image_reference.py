# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Parses image references, such as `team/app:v1`. Standard library only.

Unambiguous additions from copy and paste are accepted: the registry before the repository, `https://`, `docker://` or
`oci://` before the registry, a command such as `docker pull` before the reference, and quotation marks, white
space or a final slash around it. The digits of a digest may be uppercase.
`registry_problems` compares the registry with the registry of the share, when that registry is known. A parsed
reference, as in a hand-off, has no registry in its name.
"""

from __future__ import annotations

import contextlib
import re
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import repository_problems

#: The only accepted format of a digest, because a digest becomes a file name.
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_IMAGE_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_QUOTATION_MARKS = ('""', "''", "``", "\u201c\u201d", "\u2018\u2019")
_COMMAND = re.compile(r"\A(?:[$#]\s+)?(?:sudo\s+)?(?:docker|podman|nerdctl|finch)\s+(?:image\s+)?pull\s+(?=\S+$)")
_SCHEME = re.compile(r"(?i)(?:https?|docker|oci)://")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?")
#: A registry host of AWS. Any other name with dots may be the first component of a repository name.
_OF_AWS = re.compile(
    r"[0-9]{12}\.dkr[.-]ecr[.-].*|.*\.(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|on\.aws|ecr\.aws)", re.I
)
#: Any host name of an ECR registry. The groups are the account and the region.
_ECR = re.compile(r"([0-9]{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\..+")


@dataclass(frozen=True)
class Reference:
    """An image of a registry: its repository, and an image tag, a digest, or both.

    :param registry: the host of the registry; None if the text has none
    """

    repository: str
    image_tag: str | None = None
    digest: str | None = None
    registry: str | None = None

    def __str__(self) -> str:
        image_tag = f":{self.image_tag}" if self.image_tag else ""
        return f"{self.repository}{image_tag}" + (f"@{self.digest}" if self.digest else "")

    @property
    def name(self) -> str:
        """The name of the image in an OCI image layout."""
        return f"{self.repository}:{self.image_tag}" if self.image_tag else str(self)

    @property
    def identifier(self) -> dict[str, str]:
        """The image in a request to ECR. It has the image tag if the reference has one, to compare its digest."""
        return {"imageTag": self.image_tag} if self.image_tag else {"imageDigest": str(self.digest)}


def parse_reference(text: str) -> Reference:
    """Parse `repository:image-tag`, `repository@digest` or a combination, with the accepted additions.

    :raises EcrError: if the text is not an image reference
    """
    registry, name = _split_registry(text, _without_wrapping(text))
    return replace(_parse_name(text, name), registry=registry)


def valid_references(texts: t.Iterable[str]) -> tuple[Reference, ...]:
    """The valid image references of a list."""
    found = []
    for text in texts:
        with contextlib.suppress(EcrError):
            found.append(parse_reference(text))
    return tuple(found)


def registry_problems(
    references: t.Iterable[Reference],
    account: str | None,
    regions: t.Collection[str] = (),
    hosts: t.Collection[str] | None = None,
) -> t.Iterator[str]:
    """Problems with images whose registry is not the registry of the share.

    :param account: the owner account; None if it is unknown
    :param regions: the regions of the share; empty if they are unknown
    :param hosts: the registry hosts of the share; None if they are unknown, so that only hosts of ECR are compared
    """
    known = [host for host in hosts or () if host]
    expected = f"registry {' or '.join(known)}" if known else f"the registry of account {account}"
    expected += f", region {' or '.join(regions)}" if regions and not known else ""
    for reference in references:
        if reference.registry and not _is_registry_of(reference.registry, account, regions, hosts and known):
            yield (
                f"Image {reference.registry}/{reference} names registry {reference.registry}, but the images are in"
                f" {expected}. If this image is one of them, write {reference}."
            )


def _is_registry_of(
    host: str, account: str | None, regions: t.Collection[str], hosts: t.Collection[str] | None
) -> bool:
    found = _ECR.fullmatch(host)
    if found and account:
        return found[1] == account and (not regions or found[2] in regions)
    if hosts is None or host in hosts:
        return True
    same = [other.groups() for other in map(_ECR.fullmatch, hosts) if other]
    return found is not None and found.groups() in same


def _without_wrapping(text: str) -> str:
    """The text without surrounding white space, quotation marks, and a command such as `docker pull`."""
    name = text.strip("\u200b\ufeff \t\r\n\xa0")
    for marks in _QUOTATION_MARKS:
        if len(name) > 1 and name[0] + name[-1] == marks:
            name = name[1:-1].strip()
    name = _COMMAND.sub("", name, count=1)
    if re.search(r"\s", name):
        raise EcrError(f"Image {text!r} contains white space. Write only the image, such as app:v1.")
    return name[:-1] if name.endswith("/") and not name.endswith("//") else name


def _split_registry(text: str, name: str) -> tuple[str | None, str]:
    """The registry host in lower case, or None, and the rest of the reference."""
    scheme = _SCHEME.match(name)
    first, slash, rest = name[scheme.end() if scheme else 0 :].partition("/")
    after_at = name.partition("@")[2]
    if not re.match("(?i)sha[0-9]", after_at) and ("/" in after_at or _OF_AWS.fullmatch(after_at)):
        # The message does not repeat the text, which may contain a password.
        raise EcrError("An image has a user name before its registry. Remove it: the registry token is used.")
    is_host = slash and "@" not in first and (":" in first or first == "localhost" or _OF_AWS.fullmatch(first))
    if not scheme and not is_host:
        return None, name
    host = first.lower()
    if "console." in host:
        raise EcrError(f"Image {text!r} is a page of the AWS console. Copy the image URI from that page.")
    if not _HOST.fullmatch(host) or not rest:
        raise EcrError(f"Image {text!r} has no valid registry before its name. Write it as repository:IMAGE_TAG.")
    return host, rest


def _parse_name(text: str, name: str) -> Reference:
    """Parse the repository, the image tag and the digest.

    :param text: the declared text, for messages
    """
    rest, at, digest = name.partition("@")
    repository, colon, image_tag = rest.rpartition(":")
    if not colon or "/" in image_tag:
        repository, colon, image_tag = rest, "", ""
    digest = digest.lower()
    if repository != repository.lower() and not list(repository_problems(repository.lower())):
        raise EcrError(f"Image {text!r}: {repository!r} has uppercase letters, which no repository of ECR has.")
    for problem in repository_problems(repository):
        raise EcrError(f"Image {text!r}: {problem}")
    if at and not DIGEST.fullmatch(digest):
        raise EcrError(f"Image {text!r}: a digest is sha256: and 64 hexadecimal digits.")
    if colon and not _IMAGE_TAG.fullmatch(image_tag):
        raise EcrError(f"Image {text!r}: {image_tag!r} is not an image tag.")
    if not at and not colon:
        raise EcrError(f"Image {text!r} has no image tag and no digest. Write {name}:IMAGE_TAG; none is assumed.")
    return Reference(repository, image_tag or None, digest or None)
