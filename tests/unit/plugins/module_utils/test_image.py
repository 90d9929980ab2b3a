from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _image
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._image import Descriptor, Reference
from hypothesis import given
from hypothesis import strategies as st

DIGEST, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64
MANIFEST, INDEX = _image.MANIFEST_TYPES[0], _image.INDEX_TYPES[0]
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


# --- references


@pytest.mark.parametrize(
    ("text", "reference", "identifier"),
    [
        ("release:v1.0", Reference("release", "v1.0"), {"imageTag": "v1.0"}),
        ("team/app:latest", Reference("team/app", "latest"), {"imageTag": "latest"}),
        (f"team/app@{DIGEST}", Reference("team/app", None, DIGEST), {"imageDigest": DIGEST}),
        (f"app:v1@{DIGEST}", Reference("app", "v1", DIGEST), {"imageTag": "v1"}),
        ("app:_.-A9", Reference("app", "_.-A9"), {"imageTag": "_.-A9"}),
        ("app:" + "a" * 128, Reference("app", "a" * 128), {"imageTag": "a" * 128}),
        ("a.b:1", Reference("a.b", "1"), {"imageTag": "1"}),
    ],
)
def test_good_references(text: str, reference: Reference, identifier: dict[str, str]) -> None:
    parsed = _image.parse_reference(text)
    assert parsed == reference
    assert str(parsed) == text
    assert parsed.identifier == identifier


HOST = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"
NAME = (
    "is not a repository name. A name has 2 to 256 characters of a-z, 0-9 and . _ - /, and begins and ends with a"
    " letter or digit. Omit the registry and the image tag."
)
THERE = "the registry is that of the role's account."
SHA = "a digest is sha256: and 64 hexadecimal digits."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{HOST}/app:v1", f"names a registry. Write it without {HOST}/: {THERE}"),
        (f"{HOST}/app@{DIGEST}", f"names a registry. Write it without {HOST}/: {THERE}"),
        ("localhost/app:v1", f"names a registry. Write it without localhost/: {THERE}"),
        ("localhost:5000/app", f"names a registry. Write it without localhost:5000/: {THERE}"),
        ("127.0.0.1:5000/app:v1", f"names a registry. Write it without 127.0.0.1:5000/: {THERE}"),
        ("app", "has no image tag and no digest. Write app:IMAGE_TAG; none is assumed."),
        ("team/app", "has no image tag and no digest. Write team/app:IMAGE_TAG; none is assumed."),
        ("app:", ": '' is not an image tag."),
        (f"app:@{DIGEST}", ": '' is not an image tag."),
        ("app:-v1", ": '-v1' is not an image tag."),
        ("app:.v1", ": '.v1' is not an image tag."),
        ("app:v1\n", ": 'v1\\n' is not an image tag."),
        ("app:" + "a" * 129, f": '{'a' * 129}' is not an image tag."),
        ("app@", f": {SHA}"),
        ("app:v1@", f": {SHA}"),
        (f"app@{DIGEST}0", f": {SHA}"),
        (f"app@{DIGEST[:-1]}", f": {SHA}"),
        (f"app@{DIGEST}\n", f": {SHA}"),
        (f"app@{DIGEST.upper()}", f": {SHA}"),
        (f"app@{DIGEST.replace('256', '512')}", f": {SHA}"),
        (f"app@{DIGEST}@{DIGEST}", f": {SHA}"),
        ("app@sha256:../../../../etc/passwd", f": {SHA}"),
        ("../app:v1", f": '../app' {NAME}"),
        ("app/../../etc:v1", f": 'app/../../etc' {NAME}"),
        ("/app:v1", f": '/app' {NAME}"),
        ("App:v1", f": 'App' {NAME}"),
        ("a b:v1", f": 'a b' {NAME}"),
        ("--help:v1", f": '--help' {NAME}"),
        ("app:v1:v2", f": 'app:v1' {NAME}"),
        (":v1", f": '' {NAME}"),
        (f"@{DIGEST}", f": '' {NAME}"),
        ("", f": '' {NAME}"),
    ],
)
def test_bad_references(text: str, message: str) -> None:
    with pytest.raises(EcrError) as caught:
        _image.parse_reference(text)
    separator = "" if message.startswith(":") else " "
    assert str(caught.value) == f"Image {text!r}{separator}{message}"


@given(st.text(alphabet="ab1.:/@_-A" + DIGEST[:7], max_size=20) | st.text())
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    try:
        parsed = _image.parse_reference(text)
    except EcrError:
        return
    assert str(parsed) == text
    assert ".." not in parsed.repository


# --- foreign documents

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)
digests = st.sampled_from([DIGEST, OTHER]) | anything
descriptors = anything | st.fixed_dictionaries(
    {},
    optional={
        "mediaType": st.sampled_from([MANIFEST, INDEX, LAYER]) | anything,
        "digest": digests,
        "size": st.integers(0, 99) | anything,
        "urls": anything,
        "platform": anything
        | st.fixed_dictionaries(
            {},
            optional={
                "os": st.just("linux") | anything,
                "architecture": st.just("amd64") | anything,
                "variant": anything,
            },
        ),
        "annotations": anything | st.dictionaries(st.just(_image.REF_NAME), st.just("app:v1") | anything),
    },
)
foreign = anything | st.fixed_dictionaries(
    {},
    optional={
        "mediaType": st.sampled_from([MANIFEST, INDEX]) | anything,
        "config": descriptors,
        "layers": st.lists(descriptors, max_size=3) | anything,
        "manifests": st.lists(descriptors, max_size=3) | anything,
    },
)


def outcome(call: Callable[[], Any]) -> tuple[Any, str]:
    """What a call gives, or the message with which it refuses; any other exception is a failure."""
    try:
        return call(), ""
    except EcrError as error:
        return None, str(error)


def enter(text: bytes | None, name: str, source: str = OTHER, **notes: str) -> dict[str, Any]:
    """A layout's index with the manifest DIGEST under `name`, which came from `source`."""
    annotations = {_image.REF_NAME: name, _image.SOURCE_DIGEST: source, **notes}
    index: dict[str, Any] = json.loads(_image.layout_index(text, Descriptor(MANIFEST, DIGEST, 5), annotations))
    return index


def kept_under(text: bytes | None, name: str, source: str = OTHER, platform: str = "linux/amd64") -> str | None:
    entry = _image.layout_entry(text, name, source, platform)
    return entry.digest if entry else None


def take_in(content: bytes, media_type: str | None) -> None:
    """Everything that is done with a foreign document; what comes out must be safe to use."""
    manifest, message = outcome(lambda: _image.parse_manifest(content, media_type, "app:v1"))
    assert len(message.encode()) < 1000  # it can be printed and read
    if message:
        return
    assert manifest["mediaType"] in _image.INDEX_TYPES + _image.MANIFEST_TYPES
    for read in (
        lambda: _image.contents(manifest, "app:v1"),
        lambda: [_image.choose(manifest, "linux/amd64", "app:v1")],
    ):
        found, message = outcome(read)
        assert len(message.encode()) < 1000
        if found and "layers" in manifest and manifest["mediaType"] in _image.MANIFEST_TYPES:
            again, kind = _image.as_oci(content, manifest)
            assert _image.parse_manifest(again, kind, "app:v1")["mediaType"] == kind
        for one in found or []:
            name = _image.file_of(one.digest)
            assert name.startswith("blobs/sha256/")
            assert name[len("blobs/sha256/") :].isalnum()
            assert one.size >= 0


@given(foreign, st.none() | st.sampled_from([MANIFEST, INDEX, "text/plain"]))
def test_foreign_json_raises_nothing_else(document: Any, media_type: str | None) -> None:
    take_in(json.dumps(document).encode(), media_type)


@given(st.binary(max_size=200), st.none() | st.just(MANIFEST))
def test_foreign_bytes_raise_nothing_else(content: bytes, media_type: str | None) -> None:
    take_in(content, media_type)


@given(foreign)
def test_a_foreign_layout_raises_nothing_else(document: Any) -> None:
    text = json.dumps(document).encode()
    index, message = outcome(lambda: enter(text, "app:v1"))
    assert message in ("", "The index.json there is not the index of an OCI image layout. Choose an empty dest.")
    assert outcome(lambda: kept_under(text, "app:v1"))[1] == message
    if not message:
        assert kept_under(json.dumps(index).encode(), "app:v1") == DIGEST


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe\x00", b"9" * 10_000, b"", b"null"])
def test_hostile_bytes(content: bytes) -> None:
    with pytest.raises(EcrError) as caught:
        _image.parse_manifest(content, MANIFEST, "app:v1")
    assert str(caught.value) == ("The manifest of app:v1 is not a JSON object with unambiguous keys. Push it again.")
    if content:
        for read in (enter, kept_under):
            with pytest.raises(EcrError):
                read(content, "app:v1")


@pytest.mark.parametrize("kind", _image.INDEX_TYPES + _image.MANIFEST_TYPES)
def test_types_of_manifests(kind: str) -> None:
    assert _image.parse_manifest(b'{"a": 1}', kind, "x") == {"a": 1, "mediaType": kind}
    own = json.dumps({"mediaType": kind}).encode()
    for sent in (None, kind, f"{kind.upper()}; charset=utf-8"):
        assert _image.parse_manifest(own, sent, "x") == {"mediaType": kind}


@pytest.mark.parametrize("sent", ["text/plain", INDEX, "application/json; charset=utf-8"])
def test_document_that_contradicts_the_registry_is_rejected(sent: str) -> None:
    with pytest.raises(EcrError) as caught:
        _image.parse_manifest(json.dumps({"mediaType": MANIFEST}).encode(), sent, "app:v1")
    assert str(caught.value) == (
        f"The manifest of app:v1 has the mediaType {MANIFEST!r}, but the registry sent it as"
        f" {sent.partition(';')[0]!r}. Push it again."
    )


@pytest.mark.parametrize(
    ("kind", "key"), [(MANIFEST, "manifests"), (INDEX, "layers"), (INDEX, "config")], ids=lambda one: one[-12:]
)
@pytest.mark.parametrize("value", [[], None, [{}], {}])
@pytest.mark.parametrize("named", [True, False])
def test_document_of_two_kinds_is_rejected(kind: str, key: str, value: Any, named: bool) -> None:
    """The type may be the document's own, or only the registry's."""
    document = {**({"mediaType": kind} if named else {}), key: value}
    with pytest.raises(EcrError) as caught:
        _image.parse_manifest(json.dumps(document).encode(), kind, "app:v1")
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
        _image.parse_manifest(text.encode(), MANIFEST, "app:v1")


def test_keys_of_annotations_may_differ_in_case() -> None:
    text = json.dumps({"annotations": {"note": "a", "Note": "b"}, "subject": None}).encode()
    assert _image.parse_manifest(text, MANIFEST, "x")["annotations"] == {"note": "a", "Note": "b"}


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
        _image.parse_manifest(json.dumps(document).encode(), media_type, "app:v1")
    shown = shown or repr(media_type)
    assert str(caught.value) == f"The manifest of app:v1 is of type {shown}, which is no image that can be pulled."


def test_size_of_a_manifest() -> None:
    room = _image.MANIFEST_BYTES - len('{"a":""}')
    assert _image.parse_manifest(b'{"a":"' + b"x" * room + b'"}', MANIFEST, "x")["mediaType"] == MANIFEST
    with pytest.raises(EcrError) as caught:
        _image.parse_manifest(b'{"a":"' + b"x" * (room + 1) + b'"}', MANIFEST, "app:v1")
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
        _image.descriptor(given_entry, "app:v1")
    assert str(caught.value) == message
    with pytest.raises(EcrError):
        _image.contents({"config": entry(), "layers": [entry(), given_entry]}, "app:v1")
    with pytest.raises(EcrError):
        _image.contents({"config": given_entry, "layers": [entry()]}, "app:v1")


def test_descriptor() -> None:
    found = _image.descriptor(entry(annotations={"a": "b"}, urls=[]), "x")
    assert found == Descriptor(LAYER, DIGEST, 5)
    assert found.entry() == entry()
    assert _image.descriptor(entry(size=0), "x").size == 0


def test_contents_are_configuration_and_layers_each_once() -> None:
    manifest = {"config": entry(digest=OTHER), "layers": [entry(), entry(), entry(digest=OTHER)]}
    assert [one.digest for one in _image.contents(manifest, "x")] == [OTHER, DIGEST]
    wrong: tuple[Any, ...] = (None, {}, "x")
    for layers in wrong:
        with pytest.raises(EcrError) as caught:
            _image.contents({"config": entry(), "layers": layers}, "app:v1")
        assert str(caught.value) == "The manifest of app:v1 has no list of layers."


@pytest.mark.parametrize(
    ("content", "digest"),
    [(b"", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")],
)
def test_digest(content: bytes, digest: str) -> None:
    assert _image.digest_of(content) == digest
    assert _image.file_of(digest) == "blobs/sha256/" + digest[7:]


# --- platforms


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
    chosen = _image.choose({"manifests": PLATFORMS}, platform, "app:v1")
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
        _image.choose({"manifests": manifests}, platform, "app:v1")
    assert str(caught.value) == f"app:v1 has no image for {platform}; it has {has}."


def test_a_chosen_entry_is_checked_too() -> None:
    with pytest.raises(EcrError, match="only sha256 is accepted"):
        _image.choose({"manifests": [{**offered("linux/amd64", "1"), "digest": "x"}]}, "linux/amd64", "app:v1")


# --- Docker's types under OCI's names

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
    converted, media_type = _image.as_oci(content, _image.parse_manifest(content, None, "x"))
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
    assert _image.as_oci(content, _image.parse_manifest(content, None, "x")) == (content, MANIFEST)


# --- the layout's index


def named(name: str, digest: str, source: str = OTHER, **notes: str) -> dict[str, Any]:
    annotations = {_image.REF_NAME: name, _image.SOURCE_DIGEST: source, **notes}
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
    for one in (unnamed, named("a:1", DIGEST), named("b:1", OTHER)):
        assert one in after["manifests"]
    assert kept_under(dumped(after), "a:1") == DIGEST
    assert kept_under(dumped(after), "b:1") == OTHER
    assert kept_under(dumped(after), "c:1") is None
    assert enter(dumped(after), "a:1") == after


def test_an_entry_is_known_by_its_source() -> None:
    index = dumped(enter(None, "a:1", DIGEST, **{_image.SOURCE_PLATFORM: "linux/arm64"}))
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
            "The index.json there is not the index of an OCI image layout. Choose an empty dest."
        )


@pytest.mark.parametrize("depth", [450, 900, 5_000])
def test_nested_layout_raises_nothing_else(depth: int) -> None:
    """Python reads deeper documents than it writes."""
    text = b'{"manifests": [], "a": ' + b"[" * depth + b"]" * depth + b"}"
    _index, message = outcome(lambda: enter(text, "a:1"))
    assert message in (
        "",
        "The index.json there is nested too deeply. Choose an empty dest.",
        "The index.json there is not the index of an OCI image layout. Choose an empty dest.",
    )


def test_layout_has_no_room_for_an_index_larger_than_it_reads() -> None:
    text = json.dumps({"manifests": [], "filling": "x" * (_image.MANIFEST_BYTES - 100)}).encode()
    assert len(text) < _image.MANIFEST_BYTES
    with pytest.raises(
        EcrError, match=r"^The index.json with one more image would have \d+ bytes; no more than 4194304 "
    ):
        enter(text, "a:1")


# --- one image of a registry


def documents(**changes: Any) -> tuple[dict[str, bytes], str]:
    """An index of one image by digest; the manifest, or the index's entry for it, with changes."""
    manifest = {"mediaType": MANIFEST, "config": entry(), "layers": [entry()], **changes.pop("manifest", {})}
    content = json.dumps(manifest).encode()
    listed = {
        **{"mediaType": MANIFEST, "digest": _image.digest_of(content), "size": len(content)},
        **{"platform": {"os": "linux", "architecture": "amd64"}, **changes},
    }
    index = json.dumps({"mediaType": INDEX, "manifests": [listed]}).encode()
    return {_image.digest_of(one): one for one in (content, index)}, _image.digest_of(index)


def test_image_of_an_index() -> None:
    known, digest = documents()
    image = _image.resolve(lambda wanted: (known[wanted], None), digest, "linux/amd64", "app:v1")
    assert (image.chosen, known[image.digest], image.parts) == (True, image.content, [Descriptor(LAYER, DIGEST, 5)])
    alone = _image.resolve(lambda wanted: (known[wanted], None), image.digest, "linux/s390x", "app:v1")
    assert (alone.chosen, alone.digest, alone.manifest) == (False, image.digest, image.manifest)


@pytest.mark.parametrize(
    ("changes", "messages"),
    [
        ({"size": 1}, ["The index of app:v1 has 1 bytes for sha256:", " bytes. Push the index again."]),
        ({"mediaType": INDEX}, [f"The index of app:v1 has '{INDEX}' for sha256:", f" is of type {MANIFEST}. Only a"]),
        ({"mediaType": INDEX, "manifest": {"mediaType": INDEX}}, [f"has the type {INDEX} and the key config."]),
        ({"manifest": {"layers": [entry(size=-1)]}}, [f"The manifest of app:v1 describes {DIGEST} without a type"]),
    ],
)
def test_index_with_another_entry_than_its_image_is_rejected(changes: dict[str, Any], messages: list[str]) -> None:
    known, digest = documents(**changes)
    with pytest.raises(EcrError) as caught:
        _image.resolve(lambda wanted: (known[wanted], None), digest, "linux/amd64", "app:v1")
    assert all(message in str(caught.value) for message in messages), caught.value


def test_index_in_an_index_is_rejected() -> None:
    inner = json.dumps({"mediaType": INDEX, "manifests": []}).encode()
    listed = {"mediaType": INDEX, "digest": _image.digest_of(inner), "size": len(inner)}
    listed["platform"] = {"os": "linux", "architecture": "amd64"}
    known = {"inner": inner, "outer": json.dumps({"mediaType": INDEX, "manifests": [listed]}).encode()}
    with pytest.raises(EcrError) as caught:
        _image.resolve(lambda wanted: (known.get(wanted, inner), None), "outer", "linux/amd64", "app:v1")
    assert str(caught.value).endswith(f"which is of type {INDEX}. Only a manifest of one image is accepted there.")


# --- what another registry holds


def image_of(*layers: dict[str, Any]) -> _image.Image:
    manifest = {"mediaType": MANIFEST, "config": entry(), "layers": list(layers)}
    return _image.Image("app:v1", DIGEST, b"", manifest, False)


@pytest.mark.parametrize(
    ("manifest", "missing"),
    [
        ({"layers": [{"digest": DIGEST}, {"digest": OTHER}]}, []),
        ({"layers": [{"digest": OTHER}, {"digest": OTHER}]}, [DIGEST]),
        ({"layers": [{"digest": DIGEST}, {"digest": DIGEST}]}, []),  # the second is not compressed
        ({"layers": [{"digest": DIGEST}]}, [DIGEST, OTHER]),
        ({"manifests": [{"digest": DIGEST}]}, []),
        ({"manifests": [{"digest": OTHER}]}, [DIGEST, OTHER]),
        ({"manifests": 5}, [DIGEST, OTHER]),
        ({"layers": [None, None]}, [DIGEST, OTHER]),
        ([], [DIGEST, OTHER]),
        (None, [DIGEST, OTHER]),
    ],
)
def test_missing_layers(manifest: Any, missing: list[str]) -> None:
    image = image_of(entry(), entry(digest=OTHER, mediaType="x.tar"))
    assert _image.missing_layers(manifest, image) == missing


@pytest.mark.parametrize("config", [None, [], {}, {"rootfs": 5}, {"rootfs": {"diff_ids": None}}])
def test_configuration_without_layers(config: Any) -> None:
    assert _image.diff_ids(config) == []


def test_no_layout_has_nothing() -> None:
    assert kept_under(None, "a:1") is None
    assert kept_under(b"", "a:1") is None


# --- an image that stands in no index


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
        _image.check_platform(content, platform, "app:v1")
        return
    with pytest.raises(EcrError) as caught:
        _image.check_platform(content, platform, "app:v1")
    assert str(caught.value) == f"app:v1 has no image for {platform}; it has {has}."
