# SPDX-License-Identifier: GPL-3.0-or-later
"""The documents of an OCI image layout."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _layout_index, _manifest
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from hypothesis import given

from tests.unit.foreign_documents import DIGEST, INDEX, LAYER, MANIFEST, OTHER, enter, foreign, kept_under, outcome


@given(foreign)
def test_a_foreign_layout_raises_nothing_else(document: Any) -> None:
    text = json.dumps(document).encode()
    index, message = outcome(lambda: enter(text, "app:v1"))
    assert message in ("", "The existing index.json is not the index of an OCI image layout. Choose an empty dest.")
    assert outcome(lambda: kept_under(text, "app:v1"))[1] == message
    if not message:
        assert kept_under(json.dumps(index).encode(), "app:v1") == DIGEST


def entry(**changes: Any) -> dict[str, Any]:
    return {"mediaType": LAYER, "digest": DIGEST, "size": 5, **changes}


DOCKER = "application/vnd.docker."
DOCKER_IMAGE = {
    "schemaVersion": 2,
    "mediaType": f"{DOCKER}distribution.manifest.v2+json",
    "config": entry(mediaType=f"{DOCKER}container.image.v1+json"),
    "layers": [
        entry(mediaType=f"{DOCKER}image.rootfs.diff.tar.gzip", annotations={"a": "b"}),
        entry(mediaType=f"{DOCKER}image.rootfs.diff.tar"),
        entry(mediaType=f"{DOCKER}image.rootfs.diff.tar.zstd"),
        entry(mediaType="application/x-other"),
    ],
    "other": 1,
}


def test_a_docker_image_becomes_an_oci_image() -> None:
    content = json.dumps(DOCKER_IMAGE).encode()
    converted, media_type = _layout_index.as_oci(content, _manifest.parse_manifest(content, None, "x"))
    assert media_type == MANIFEST
    assert json.loads(converted) == {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": entry(mediaType="application/vnd.oci.image.config.v1+json"),
        "layers": [
            entry(annotations={"a": "b"}),
            entry(mediaType="application/vnd.oci.image.layer.v1.tar"),
            entry(mediaType="application/vnd.oci.image.layer.v1.tar+zstd"),
            entry(mediaType="application/x-other"),
        ],
        "other": 1,
    }


def test_an_oci_image_stays_byte_by_byte() -> None:
    content = json.dumps({"mediaType": MANIFEST, "config": entry(), "layers": [entry()]}, indent=3).encode()
    assert _layout_index.as_oci(content, _manifest.parse_manifest(content, None, "x")) == (content, MANIFEST)


def named(name: str, digest: str, source: str = OTHER, **notes: str) -> dict[str, Any]:
    annotations = {_layout_index.REF_NAME: name, _layout_index.SOURCE_DIGEST: source, **notes}
    return {"mediaType": MANIFEST, "digest": digest, "size": 5, "annotations": annotations}


def dumped(index: dict[str, Any]) -> bytes:
    return json.dumps(index).encode()


def test_a_new_layout() -> None:
    expected = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [named("app:v1", DIGEST)]}
    assert enter(None, "app:v1") == enter(b"", "app:v1") == expected


def test_other_images_and_words_stay() -> None:
    unnamed = {"mediaType": MANIFEST, "digest": OTHER, "size": 1}
    manifests = [unnamed, named("b:1", OTHER), named("a:1", OTHER)]
    before = {"schemaVersion": 2, "annotations": {"a": "b"}, "manifests": manifests}
    after = enter(dumped(before), "a:1")
    assert after["annotations"] == {"a": "b"}
    assert len(after["manifests"]) == 3
    for item in (unnamed, named("a:1", DIGEST), named("b:1", OTHER)):
        assert item in after["manifests"]
    assert kept_under(dumped(after), "a:1") == DIGEST
    assert kept_under(dumped(after), "b:1") == OTHER
    assert kept_under(dumped(after), "c:1") is None
    assert enter(dumped(after), "a:1") == after


def test_an_entry_is_known_by_its_source() -> None:
    index = dumped(enter(None, "a:1", DIGEST, **{_layout_index.SOURCE_PLATFORM: "linux/arm64"}))
    assert kept_under(index, "a:1", DIGEST, "linux/arm64") == DIGEST
    assert kept_under(index, "a:1", DIGEST, "linux/amd64") is None
    assert kept_under(index, "a:1", OTHER, "linux/arm64") is None
    assert kept_under(index, "a:2", DIGEST, "linux/arm64") is None


@pytest.mark.parametrize(
    "text", [b"{", b"[]", b"5", b'{"manifests": 5}', b'{"manifests": [5]}', b'{"manifests": null}', b"\xff"]
)
def test_a_broken_layout_is_refused(text: bytes) -> None:
    for read in (enter, kept_under):
        with pytest.raises(EcrError) as caught:
            read(text, "a:1")
        assert str(caught.value) == (
            "The existing index.json is not the index of an OCI image layout. Choose an empty dest."
        )


@pytest.mark.parametrize("depth", [450, 900, 5_000])
def test_nested_layout_raises_nothing_else(depth: int) -> None:
    text = b'{"manifests": [], "a": ' + b"[" * depth + b"]" * depth + b"}"
    _index, message = outcome(lambda: enter(text, "a:1"))
    assert message in (
        "",
        "The existing index.json is not the index of an OCI image layout. Choose an empty dest.",
    )


def test_layout_has_no_room_for_an_index_larger_than_it_reads() -> None:
    room = _manifest.MANIFEST_BYTES - len(json.dumps(enter(b'{"filling": ""}', "a:1")))
    assert enter(dumped({"filling": "x" * room}), "a:1")["filling"] == "x" * room
    text = dumped({"filling": "x" * (room + 1)})
    with pytest.raises(
        EcrError, match=r"^The index.json with the new image would have \d+ bytes; no more than 4194304 "
    ):
        enter(text, "a:1")


def test_no_layout_has_nothing() -> None:
    assert kept_under(None, "a:1") is None
    assert kept_under(b"", "a:1") is None
