# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Destinations of skopeo, such as `docker-archive:/srv/image.tar`. Standard library only.

Source: containers-transports(5).
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import Reference
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option

#: The transports to this host, and those of them whose destination contains a single image.
_ON_THIS_HOST = ("dir", "oci", "oci-archive", "docker-archive")
REPLACED = ("dir", "docker-archive")
_TRANSPORTS = (*_ON_THIS_HOST, "docker", "docker-daemon", "containers-storage")
_TRANSPORT = re.compile(r"[a-z][a-z-]*:")


def is_destination(dest: str | None) -> bool:
    """Whether `dest` is a destination of skopeo rather than a folder."""
    return bool(dest and _TRANSPORT.match(dest))


def split_destination(destination: str) -> tuple[str, str | None, str]:
    """The transport, the path on this host or None, and the rest after the path, such as `:app:v1`."""
    transport, _colon, rest = destination.partition(":")
    if transport not in _ON_THIS_HOST:
        return transport, None, rest
    path, colon, name = (rest, "", "") if transport == "dir" else rest.partition(":")
    return transport, path, colon + name


def expand_destination(dest: str, expand: t.Callable[[str], str]) -> str:
    """`dest` with its path on this host expanded, whether it is a folder or a destination of skopeo."""
    if not is_destination(dest):
        return expand(dest)
    transport, path, name = split_destination(dest)
    return dest if path is None else f"{transport}:{expand(path)}{name}"


def destination_of(dest: str, reference: Reference) -> str:
    """The destination of an image: `dest` with the values of `{repository}` and `{image_tag}`."""
    return dest.replace("{repository}", reference.repository).replace("{image_tag}", reference.image_tag or "")


def destination_problems(dest: str | None, references: t.Sequence[Reference]) -> t.Iterator[str]:
    """Reasons why skopeo cannot copy the images to `dest`."""
    if dest is None or not is_destination(dest):
        yield f"Engine skopeo needs a {option('dest')} with its transport, such as docker-archive:/srv/image.tar."
        return
    transport, _path, rest = split_destination(dest)
    if transport not in _TRANSPORTS:
        yield f"{option('dest')} {dest!r} has the transport {transport}. Choose one of {', '.join(_TRANSPORTS)}."
    if transport == "containers-storage" and "[" in rest:  # the options of a storage can name programs to run
        yield (
            f"{option('dest')} {dest!r} has options of a storage. Write containers-storage: and the image's name only."
        )
    places = set()
    for reference in references:
        if "{image_tag}" in dest and not reference.image_tag:
            yield (
                f"Image {reference} has no image tag for the {{image_tag}} in {option('dest')}. Write one"
                " before the digest."
            )
        filled = destination_of(dest, reference)
        transport, path, name = split_destination(filled)
        place = (transport, path, "" if transport in REPLACED else name)
        if place in places:
            yield (
                f"Image {reference} would be copied to {filled}, like another image. Use {{repository}} in"
                f" {option('dest')}."
            )
        places.add(place)
