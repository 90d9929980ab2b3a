# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Compares platforms of images, in the format `os/architecture[/variant]`. Standard library only.

docker, podman and skopeo share this rule. For `arm`, `arm64` and `amd64`, a host runs images of its own variant and of
lower variants, and the highest variant is chosen. An image without a variant is the last choice. A host without a
variant has the default variant of its architecture. For other architectures, an image must have the same variant as the
host, or none. The section *Platforms* of the documentation describes the differences between the engines.

Source: OCI Image Format Specification 1.1 (image index, platform variants); containerd/platforms, compare.go and
database.go; containers/image, internal/pkg/platform/platform_matcher.go.
"""

from __future__ import annotations

import json
import platform as host_platform
import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._manifest import (
    MANIFEST_TYPES,
    Descriptor,
    descriptor,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option

_PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9_]+(/[a-z0-9.]+)?")
_ARCHITECTURES = {
    **{"x86_64": "amd64", "i386": "386", "i686": "386", "aarch64": "arm64", "loongarch64": "loong64"},
    **{"armv8l": "arm/v8", "armv7l": "arm/v7", "armv6l": "arm/v6", "armv5tel": "arm/v5"},
}
#: The variant of a host whose platform has none.
_DEFAULT_VARIANTS = {"arm": "v7", "arm64": "v8", "amd64": "v1"}
_VARIANT = re.compile(r"v?([0-9]{1,3})(?:\.([0-9]{1,3}))?")
#: The ranks of an image without a variant, and of an image with the same variant as the host.
_LAST, _FIRST = (0, 0), (1000, 0)


class Choice(t.NamedTuple):
    """The chosen entry of an index.

    :param is_by_platform: False for the only entry without a platform, which is chosen if no platform matches
    """

    entry: Descriptor
    is_by_platform: bool


def platform_problems(platform: str | None) -> t.Iterator[str]:
    if platform and not _PLATFORM.fullmatch(platform):
        yield f"{option('platform')} {platform!r} is not os/architecture, such as linux/arm64 or linux/arm/v7."


def platform_of_host() -> str:
    """The platform of the images that run on this host."""
    machine = host_platform.machine()
    return f"linux/{_ARCHITECTURES.get(machine, machine)}"


def runs_on(host: str, image: str) -> bool:
    """Whether a host of the platform `host` runs an image of the platform `image`."""
    return _rank(host, image) is not None


def _rank(host: str, image: str) -> tuple[int, int] | None:
    """The rank of an image on a host; the highest is chosen. None if the host does not run the image."""
    (system, architecture, variant), (of_image, its_architecture, its_variant) = map(_split, (host, image))
    if (system, architecture) != (of_image, its_architecture):
        return None
    limit, version = _version(variant or _DEFAULT_VARIANTS.get(architecture, "")), _version(its_variant)
    if not its_variant:
        return _LAST
    if architecture not in _DEFAULT_VARIANTS or limit is None or version is None:
        return _FIRST if its_variant == variant else None
    return version if version <= limit else None


def _split(platform: str) -> tuple[str, str, str]:
    system, _slash, rest = platform.partition("/")
    architecture, _slash, variant = rest.partition("/")
    return system, architecture, variant


def _version(variant: str) -> tuple[int, int] | None:
    found = _VARIANT.fullmatch(variant)
    return (int(found[1]), int(found[2] or 0)) if found else None


def platform_of(declared: Json) -> str:
    """The platform in an entry of an index, or in the configuration of an image."""
    names = [declared.get(part) for part in ("os", "architecture")]
    variant = declared.get("variant")
    names += [variant] if variant and isinstance(variant, str) else []
    return "/".join(name if isinstance(name, str) and name else "?" for name in names)


def choose(index: Json, platform: str, label: str) -> Choice:
    """The manifest for a platform in an index: the entry with the highest rank, or the first of several.

    If no entry matches, the only entry without a platform is chosen, if the index has exactly one.

    :param label: the name of the index in messages
    """
    listed = index.get("manifests")
    entries = [entry for entry in (listed if isinstance(listed, list) else []) if isinstance(entry, dict)]
    offered = [(platform_of(entry["platform"]), entry) for entry in entries if isinstance(entry.get("platform"), dict)]
    ranked = [(rank, entry) for name, entry in offered if (rank := _rank(platform, name)) is not None]
    if ranked:
        return Choice(descriptor(max(ranked, key=lambda choice: choice[0])[1], label), True)
    unnamed = [entry for entry in entries if _is_image_without_platform(entry)]
    if len(unnamed) == 1:
        return Choice(descriptor(unnamed[0], label), False)
    raise no_image_for(platform, [name for name, _entry in offered], label, len(unnamed))


def _is_image_without_platform(entry: Json) -> bool:
    """Whether an entry without a platform may be an image, rather than a signature or another artifact."""
    is_image = entry.get("mediaType") in MANIFEST_TYPES and "artifactType" not in entry
    return is_image and entry.get("platform") in (None, {})


def no_image_for(platform: str, offered: list[str], label: str, unnamed: int = 0) -> EcrError:
    """The error for an image that is not available for a platform.

    :param offered: the platforms that are available
    :param unnamed: the number of images without a platform
    """
    listed = ", ".join(sorted({ascii(name)[1:-1] for name in offered}))[:400]
    if unnamed:
        return EcrError(
            f"{label} has no image for {platform}; it has {listed or 'no other'}, and {unnamed} images whose platform"
            " its index does not state. Pull one of these by its own digest."
        )
    return EcrError(f"{label} has no image for {platform}; it has {listed or 'none at all'}.")


def check_platform(config: bytes, platform: str, label: str) -> None:
    """Check that an image without an index has the requested platform.

    :param config: the configuration of the image. Without a platform, it is not of a container image, and is accepted
    """
    try:
        declared = json.loads(config)
    except (ValueError, RecursionError):
        declared = None
    named = isinstance(declared, dict) and declared.get("os") and declared.get("architecture")
    if named and not runs_on(platform, platform_of(declared)):
        raise no_image_for(platform, [platform_of(declared)], label)
