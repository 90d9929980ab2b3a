# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Platforms of images, as `os/architecture[/variant]`. Standard library only."""

from __future__ import annotations

import json
import platform as host_platform
import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._manifest import Descriptor, descriptor

_PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9_]+(/[a-z0-9.]+)?")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm/v7", "armv6l": "arm/v6"}


def platform_problems(platform: str | None) -> t.Iterator[str]:
    if platform and not _PLATFORM.fullmatch(platform):
        yield f"platform {platform!r} is not os/architecture, such as linux/arm64 or linux/arm/v7."


def platform_of_host() -> str:
    """The platform of the images that run on this host."""
    machine = host_platform.machine()
    return f"linux/{_ARCHITECTURES.get(machine, machine)}"


def is_platform(wanted: str, offered: str) -> bool:
    """Whether `offered` is the platform `wanted`. A variant counts only if both have one.

    Tools omit a variant that is the default: `linux/arm64` is `linux/arm64/v8`.
    """
    return all(one == other for one, other in zip(wanted.split("/"), offered.split("/")))


def platform_of(declared: Json) -> str:
    """The platform in a document of a registry: an entry of an index, or the configuration of an image."""
    names = [declared.get(part) for part in ("os", "architecture")]
    variant = declared.get("variant")
    names += [variant] if variant and isinstance(variant, str) else []
    return "/".join(name if isinstance(name, str) and name else "?" for name in names)


def choose(index: Json, platform: str, what: str) -> Descriptor:
    """The manifest for a platform in an index: the one with exactly this platform, or the first one that matches."""
    entries = index.get("manifests")
    offered = [
        (platform_of(entry["platform"]), entry)
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict) and isinstance(entry.get("platform"), dict)
    ]
    for fits in (str.__eq__, is_platform):
        for name, entry in offered:
            if fits(platform, name):
                return descriptor(entry, what)
    raise no_image_for(platform, [name for name, _entry in offered], what)


def no_image_for(platform: str, offered: list[str], what: str) -> EcrError:
    """The error that an image is of other platforms."""
    listed = ", ".join(sorted({ascii(name)[1:-1] for name in offered}))[:400] or "none at all"
    return EcrError(f"{what} has no image for {platform}; it has {listed}.")


def check_platform(config: bytes, platform: str, what: str) -> None:
    """Check that an image that is not in an index is of the platform that was requested.

    :param config: its configuration; one without a platform passes, because it is not that of a container image
    """
    try:
        declared = json.loads(config)
    except (ValueError, RecursionError):
        declared = None
    named = isinstance(declared, dict) and declared.get("os") and declared.get("architecture")
    if named and not is_platform(platform, platform_of(declared)):
        raise no_image_for(platform, [platform_of(declared)], what)
