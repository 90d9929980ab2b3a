"""Platforms of images."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _manifest, _platform
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._manifest import Descriptor

DIGEST, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64
MANIFEST, INDEX = _manifest.MANIFEST_TYPES[0], _manifest.INDEX_TYPES[0]
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def entry(**changes: Any) -> dict[str, Any]:
    return {"mediaType": LAYER, "digest": DIGEST, "size": 5, **changes}


def offered(name: str, digit: str) -> dict[str, Any]:
    system, architecture, *variant = name.split("/")
    platform = {"os": system, "architecture": architecture, **({"variant": variant[0]} if variant else {})}
    return entry(mediaType=MANIFEST, digest="sha256:" + digit * 64, platform=platform)


PLATFORMS = [
    "not an entry",
    entry(digest=OTHER),
    entry(digest=OTHER, platform="linux/amd64"),
    offered("unknown/unknown", "1"),
    offered("linux/amd64", "2"),
    offered("linux/arm/v6", "3"),
    offered("linux/arm/v7", "4"),
    offered("windows/amd64", "5"),
    offered("linux/amd64", "6"),
]


@pytest.mark.parametrize(
    ("platform", "digit"),
    [
        ("linux/amd64", "2"),
        ("linux/arm", "3"),
        ("linux/arm/v6", "3"),
        ("linux/arm/v7", "4"),
        ("windows/amd64", "5"),
        ("linux/amd64/v1", "2"),  # where the index names no variant, any is meant
    ],
)
def test_choose(platform: str, digit: str) -> None:
    chosen = _platform.choose({"manifests": PLATFORMS}, platform, "app:v1")
    assert chosen == Descriptor(MANIFEST, "sha256:" + digit * 64, 5)


@pytest.mark.parametrize(
    ("manifests", "platform", "has"),
    [
        (PLATFORMS, "linux/arm64", "linux/amd64, linux/arm/v6, linux/arm/v7, unknown/unknown, windows/amd64"),
        (PLATFORMS, "linux/arm/v5", "linux/amd64, linux/arm/v6, linux/arm/v7, unknown/unknown, windows/amd64"),
        (PLATFORMS, "amd64", "linux/amd64, linux/arm/v6, linux/arm/v7, unknown/unknown, windows/amd64"),
        ([], "linux/amd64", "none at all"),
        (None, "linux/amd64", "none at all"),
        ("x", "linux/amd64", "none at all"),
        ([{"platform": {"os": ["linux"], "architecture": "\x1b[31m"}}], "linux/amd64", "?/\\x1b[31m"),
    ],
)
def test_no_such_platform(manifests: Any, platform: str, has: str) -> None:
    with pytest.raises(EcrError) as caught:
        _platform.choose({"manifests": manifests}, platform, "app:v1")
    assert str(caught.value) == f"app:v1 has no image for {platform}; it has {has}."


def test_a_chosen_entry_is_checked_too() -> None:
    with pytest.raises(EcrError, match="only sha256 is accepted"):
        _platform.choose({"manifests": [{**offered("linux/amd64", "1"), "digest": "x"}]}, "linux/amd64", "app:v1")


@pytest.mark.parametrize(
    ("config", "platform", "has"),
    [
        ({"os": "linux", "architecture": "amd64"}, "linux/amd64", None),
        ({"os": "linux", "architecture": "arm64"}, "linux/arm64/v8", None),
        ({"os": "linux", "architecture": "arm", "variant": "v7"}, "linux/arm", None),
        ({"os": "linux", "architecture": "amd64"}, "linux/arm64", "linux/amd64"),
        ({"os": "linux", "architecture": "arm", "variant": "v7"}, "linux/arm/v6", "linux/arm/v7"),
        ({"os": "linux", "architecture": ["amd64"]}, "linux/amd64", "linux/?"),
        ({}, "linux/amd64", None),  # no container image: a chart, a signature
        ([], "linux/amd64", None),
        ("{", "linux/amd64", None),
    ],
)
def test_the_platform_of_one_image(config: Any, platform: str, has: str | None) -> None:
    content = (config if isinstance(config, str) else json.dumps(config)).encode()
    if has is None:
        _platform.check_platform(content, platform, "app:v1")
        return
    with pytest.raises(EcrError) as caught:
        _platform.check_platform(content, platform, "app:v1")
    assert str(caught.value) == f"app:v1 has no image for {platform}; it has {has}."
