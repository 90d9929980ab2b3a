# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests and indexes of a registry, which may be anything."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _layout_index, _manifest, _platform
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._manifest import Descriptor
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.foreign_documents import DIGEST, INDEX, LAYER, MANIFEST, OTHER, enter, foreign, kept_under, outcome


def take_in(content: bytes, media_type: str | None) -> None:
    """Everything that is done with a foreign document; the result must be safe to use."""
    manifest, message = outcome(lambda: _manifest.parse_manifest(content, media_type, "app:v1"))
    assert len(message.encode()) < 1000  # it can be printed and read
    if message:
        return
    assert manifest["mediaType"] in _manifest.INDEX_TYPES + _manifest.MANIFEST_TYPES
    for read in (
        lambda: _manifest.contents(manifest, "app:v1"),
        lambda: [_platform.choose(manifest, "linux/amd64", "app:v1")],
    ):
        found, message = outcome(read)
        assert len(message.encode()) < 1000
        if found and "layers" in manifest and manifest["mediaType"] in _manifest.MANIFEST_TYPES:
            again, kind = _layout_index.as_oci(content, manifest)
            assert _manifest.parse_manifest(again, kind, "app:v1")["mediaType"] == kind
        for item in found or []:
            name = _layout_index.file_of(item.digest)
            assert name.startswith("blobs/sha256/")
            assert name[len("blobs/sha256/") :].isalnum()
            assert item.size >= 0


@given(foreign, st.none() | st.sampled_from([MANIFEST, INDEX, "text/plain"]))
def test_foreign_json_raises_nothing_else(document: Any, media_type: str | None) -> None:
    take_in(json.dumps(document).encode(), media_type)


@given(st.binary(max_size=200), st.none() | st.just(MANIFEST))
def test_foreign_bytes_raise_nothing_else(content: bytes, media_type: str | None) -> None:
    take_in(content, media_type)


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe\x00", b"9" * 10_000, b"", b"null"])
def test_hostile_bytes(content: bytes) -> None:
    with pytest.raises(EcrError) as caught:
        _manifest.parse_manifest(content, MANIFEST, "app:v1")
    assert str(caught.value) == ("The manifest of app:v1 is not a JSON object with unambiguous keys. Push it again.")
    if content:
        for read in (enter, kept_under):
            with pytest.raises(EcrError):
                read(content, "app:v1")


@pytest.mark.parametrize("kind", _manifest.INDEX_TYPES + _manifest.MANIFEST_TYPES)
def test_types_of_manifests(kind: str) -> None:
    assert _manifest.parse_manifest(b'{"a": 1}', kind, "x") == {"a": 1, "mediaType": kind}
    own = json.dumps({"mediaType": kind}).encode()
    for sent in (None, kind, f"{kind.upper()}; charset=utf-8"):
        assert _manifest.parse_manifest(own, sent, "x") == {"mediaType": kind}


@pytest.mark.parametrize("sent", ["text/plain", INDEX, "application/json; charset=utf-8"])
def test_document_that_contradicts_the_registry_is_rejected(sent: str) -> None:
    with pytest.raises(EcrError) as caught:
        _manifest.parse_manifest(json.dumps({"mediaType": MANIFEST}).encode(), sent, "app:v1")
    assert str(caught.value) == (
        f"The manifest of app:v1 has the mediaType {MANIFEST!r}, but the registry sent it as"
        f" {sent.partition(';')[0]!r}. Push it again."
    )


@pytest.mark.parametrize(
    ("kind", "key"),
    [(MANIFEST, "manifests"), (INDEX, "layers"), (INDEX, "config")],
    ids=lambda media_type: media_type[-12:],
)
@pytest.mark.parametrize("value", [[], None, [{}], {}])
@pytest.mark.parametrize("named", [True, False])
def test_document_of_two_kinds_is_rejected(kind: str, key: str, value: Any, named: bool) -> None:
    """The type may be the document's own, or only the registry's."""
    document = {**({"mediaType": kind} if named else {}), key: value}
    with pytest.raises(EcrError) as caught:
        _manifest.parse_manifest(json.dumps(document).encode(), kind, "app:v1")
    assert str(caught.value) == f"The manifest of app:v1 has the type {kind} and the key {key}. Push it again."


@pytest.mark.parametrize(
    "text",
    [
        f'{{"mediaType": "{INDEX}", "mediaType": "{MANIFEST}"}}',
        '{"layers": [], "layers": []}',
        '{"layers": [], "Layers": []}',
        '{"Layers": []}',
        '{"layer\u017f": []}',  # which Go reads as layers
        '{"MANIFESTS": []}',
        f'{{"MediaType": "{INDEX}"}}',
        '{"layers": [{"digest": "a", "Digest": "b"}]}',
        '{"config": {"\u017fize": 1, "size": 2}}',
        '{"annotations": {"a": 1, "a": 2}}',
    ],
)
def test_document_with_ambiguous_keys_is_rejected(text: str) -> None:
    with pytest.raises(EcrError, match="is not a JSON object with unambiguous keys"):
        _manifest.parse_manifest(text.encode(), MANIFEST, "app:v1")


def test_keys_of_annotations_may_differ_in_case() -> None:
    text = json.dumps({"annotations": {"note": "a", "Note": "b"}, "subject": None}).encode()
    assert _manifest.parse_manifest(text, MANIFEST, "x")["annotations"] == {"note": "a", "Note": "b"}


@pytest.mark.parametrize(
    ("document", "media_type", "shown"),
    [
        ({}, None, "None"),
        ({}, "text/plain", "'text/plain'"),
        ({"mediaType": "text/plain"}, MANIFEST, "'text/plain'"),
        ({"mediaType": ["x"]}, MANIFEST, "list"),
        ({"mediaType": "x" * 5000}, MANIFEST, f"'{'x' * 80}'"),
        ({"mediaType": "\ud800\x1b"}, MANIFEST, "'\\ud800\\x1b'"),
        ({"schemaVersion": 1}, "application/vnd.docker.distribution.manifest.v1+json", None),
    ],
)
def test_unknown_types(document: dict[str, Any], media_type: str | None, shown: str | None) -> None:
    with pytest.raises(EcrError) as caught:
        _manifest.parse_manifest(json.dumps(document).encode(), media_type, "app:v1")
    shown = shown or repr(media_type)
    assert str(caught.value) == f"The manifest of app:v1 is of type {shown}, which is not an image that can be pulled."


def test_size_of_a_manifest() -> None:
    room = _manifest.MANIFEST_BYTES - len('{"a":""}')
    assert _manifest.parse_manifest(b'{"a":"' + b"x" * room + b'"}', MANIFEST, "x")["mediaType"] == MANIFEST
    with pytest.raises(EcrError) as caught:
        _manifest.parse_manifest(b'{"a":"' + b"x" * (room + 1) + b'"}', MANIFEST, "app:v1")
    assert str(caught.value) == "The manifest of app:v1 has 4194305 bytes; no more than 4194304 are accepted."


def entry(**changes: Any) -> dict[str, Any]:
    return {"mediaType": LAYER, "digest": DIGEST, "size": 5, **changes}


NO_SIZE = f"The manifest of app:v1 describes {DIGEST} without a type or a size."
FOREIGN = f"app:v1 has the foreign layer {DIGEST}, which is not in the registry. Use a container engine."


@pytest.mark.parametrize(
    ("given_entry", "message"),
    [
        (None, "The manifest of app:v1 has a descriptor that is not an object."),
        (["x"], "The manifest of app:v1 has a descriptor that is not an object."),
        (entry(digest=None), "The manifest of app:v1 has the digest None; only sha256 is accepted."),
        (entry(digest={}), "The manifest of app:v1 has the digest dict; only sha256 is accepted."),
        (entry(digest="md5:0"), "The manifest of app:v1 has the digest 'md5:0'; only sha256 is accepted."),
        (entry(digest="sha256:../x"), "The manifest of app:v1 has the digest 'sha256:../x'; only sha256 is accepted."),
        (
            entry(digest=DIGEST + "/../x"),
            f"The manifest of app:v1 has the digest '{DIGEST}/../x'; only sha256 is accepted.",
        ),
        (entry(size=None), NO_SIZE),
        (entry(size=-1), NO_SIZE),
        (entry(size=True), NO_SIZE),
        (entry(size="5"), NO_SIZE),
        (entry(size=5.0), NO_SIZE),
        (entry(mediaType=None), NO_SIZE),
        (entry(urls=["https://example.com/layer"]), FOREIGN),
        (entry(mediaType="application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"), FOREIGN),
        (entry(mediaType="application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"), FOREIGN),
    ],
)
def test_bad_descriptors(given_entry: Any, message: str) -> None:
    with pytest.raises(EcrError) as caught:
        _manifest.descriptor(given_entry, "app:v1")
    assert str(caught.value) == message
    with pytest.raises(EcrError):
        _manifest.contents({"config": entry(), "layers": [entry(), given_entry]}, "app:v1")
    with pytest.raises(EcrError):
        _manifest.contents({"config": given_entry, "layers": [entry()]}, "app:v1")


def test_descriptor() -> None:
    found = _manifest.descriptor(entry(annotations={"a": "b"}, urls=[]), "x")
    assert found == Descriptor(LAYER, DIGEST, 5)
    assert found.entry() == entry()
    assert _manifest.descriptor(entry(size=0), "x").size == 0


def test_contents_are_configuration_and_layers_each_once() -> None:
    manifest = {"config": entry(digest=OTHER), "layers": [entry(), entry(), entry(digest=OTHER)]}
    assert [content.digest for content in _manifest.contents(manifest, "x")] == [OTHER, DIGEST]
    wrong: tuple[Any, ...] = (None, {}, "x")
    for layers in wrong:
        with pytest.raises(EcrError) as caught:
            _manifest.contents({"config": entry(), "layers": layers}, "app:v1")
        assert str(caught.value) == "The manifest of app:v1 has no list of layers."


@pytest.mark.parametrize(
    ("content", "digest"),
    [(b"", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")],
)
def test_digest(content: bytes, digest: str) -> None:
    assert _manifest.digest_of(content) == digest
    assert _layout_index.file_of(digest) == "blobs/sha256/" + digest[7:]


def named(name: str, digest: str, source: str = OTHER, **notes: str) -> dict[str, Any]:
    annotations = {_layout_index.REF_NAME: name, _layout_index.SOURCE_DIGEST: source, **notes}
    return {"mediaType": MANIFEST, "digest": digest, "size": 5, "annotations": annotations}
