# SPDX-License-Identifier: GPL-3.0-or-later
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
        ("linux/arm", "4"),
        ("linux/arm/v6", "3"),
        ("linux/arm/v7", "4"),
        ("linux/arm/v8", "4"),
        ("windows/amd64", "5"),
        ("linux/amd64/v1", "2"),
    ],
)
def test_choose(platform: str, digit: str) -> None:
    chosen = _platform.choose({"manifests": PLATFORMS}, platform, "app:v1")
    assert chosen == (Descriptor(MANIFEST, "sha256:" + digit * 64, 5), True)


@pytest.mark.parametrize(
    ("host", "order"),
    [
        ("linux/arm/v7", ["linux/arm/v7", "linux/arm/v6", "linux/arm/v5", "linux/arm"]),
        ("linux/arm", ["linux/arm/v7", "linux/arm/v6", "linux/arm/v5", "linux/arm"]),
        ("linux/arm/v6", ["linux/arm/v6", "linux/arm/v5", "linux/arm"]),
        ("linux/arm/v8", ["linux/arm/v8", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5", "linux/arm"]),
        ("linux/arm64", ["linux/arm64/v8", "linux/arm64"]),
        ("linux/arm64/v8", ["linux/arm64/v8", "linux/arm64"]),
        ("linux/arm64/v8.2", ["linux/arm64/v8.2", "linux/arm64/v8.1", "linux/arm64/v8", "linux/arm64"]),
        ("linux/arm64/v9", ["linux/arm64/v9", "linux/arm64/v8.5", "linux/arm64/v8", "linux/arm64"]),
        ("linux/amd64", ["linux/amd64/v1", "linux/amd64"]),
        ("linux/amd64/v3", ["linux/amd64/v3", "linux/amd64/v2", "linux/amd64/v1", "linux/amd64"]),
        ("linux/ppc64le/power9", ["linux/ppc64le/power9", "linux/ppc64le"]),
        ("linux/ppc64le", ["linux/ppc64le"]),
        ("linux/s390x", ["linux/s390x"]),
    ],
)
def test_order_of_variants(host: str, order: list[str]) -> None:
    others = ["linux/386", "linux/arm/v9", "linux/arm64/v10", "linux/amd64/v4", "linux/ppc64le/power10", "linux/mips"]
    entries = [offered(name, "f") for name in others] + [
        offered(name, hex(number)[2:]) for number, name in reversed(list(enumerate(order)))
    ]
    for number in range(len(order)):
        chosen = _platform.choose({"manifests": entries}, host, "app:v1").entry
        assert chosen.digest == "sha256:" + hex(number)[2:] * 64
        entries.pop()
    with pytest.raises(EcrError, match="has no image for"):
        _platform.choose({"manifests": entries}, host, "app:v1")


UNNAMED = entry(mediaType=MANIFEST, digest=OTHER)


@pytest.mark.parametrize(
    "others",
    [
        [],
        [offered("linux/arm64", "1")],
        [{**UNNAMED, "artifactType": "x"}],
        [entry(), "x", offered("unknown/unknown", "1")],
    ],
)
@pytest.mark.parametrize("platform", [{}, {"platform": None}, {"platform": {}}])
def test_only_entry_without_a_platform_is_chosen(others: list[Any], platform: dict[str, Any]) -> None:
    chosen = _platform.choose({"manifests": [*others, {**UNNAMED, **platform}]}, "linux/amd64", "app:v1")
    assert chosen == (Descriptor(MANIFEST, OTHER, 5), False)
    entries = [UNNAMED, *others, offered("linux/amd64", "2")]
    assert _platform.choose({"manifests": entries}, "linux/amd64", "app:v1").is_by_platform


@pytest.mark.parametrize(("others", "has"), [([], "no other"), ([offered("linux/arm64", "1")], "linux/arm64")])
def test_several_entries_without_a_platform_are_explained(others: list[Any], has: str) -> None:
    with pytest.raises(EcrError) as caught:
        _platform.choose({"manifests": [*others, UNNAMED, UNNAMED]}, "linux/amd64", "app:v1")
    assert str(caught.value) == (
        f"app:v1 has no image for linux/amd64; it has {has}, and 2 images whose platform its index does not state. Pull"
        " one of these by its own digest."
    )


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


def test_many_platforms_are_cut_off() -> None:
    names = [f"linux/arch{number:03}" for number in range(99)]
    message = str(_platform.no_image_for("linux/amd64", names, "app:v1"))
    assert message == f"app:v1 has no image for linux/amd64; it has {', '.join(names)[:400]}."


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
        ({"os": "linux", "architecture": "arm", "variant": "v6"}, "linux/arm/v7", None),
        ({"os": "linux", "architecture": "arm"}, "linux/arm/v6", None),
        ({"os": "linux", "architecture": "amd64", "variant": "v3"}, "linux/amd64", "linux/amd64/v3"),
        ({"os": "linux", "architecture": "amd64", "variant": "v2"}, "linux/amd64/v3", None),
        ({"os": "linux", "architecture": ["amd64"]}, "linux/amd64", "linux/?"),
        ({}, "linux/amd64", None),  # no container image: a chart, a signature
        ({"os": "windows"}, "linux/amd64", None),
        ({"architecture": "arm64"}, "linux/amd64", None),
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
