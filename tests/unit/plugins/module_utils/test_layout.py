from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _image
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._layout import Layout
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry import Registry

from tests.unit.conftest import OCI_INDEX, OCI_MANIFEST, Server

AMD64, ARM64 = "linux/amd64", "linux/arm64"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
APP = _image.Reference("team/app", "v1")


@pytest.fixture
def registry(server: Server) -> Registry:
    return Registry(server.url, "dG9rZW4=")


@pytest.fixture
def dest(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "new/image"


def files(folder: pathlib.Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def whole(folder: pathlib.Path) -> None:
    """Everything that the layout's index leads to is there, has its digest, and there is no other file."""
    present = files(folder)
    assert json.loads(present.pop("oci-layout")) == {"imageLayoutVersion": "1.0.0"}
    index = json.loads(present.pop("index.json"))
    assert (index["schemaVersion"], index["mediaType"]) == (2, OCI_INDEX)
    for name, content in present.items():
        assert "blobs/" + _image.digest_of(content).replace(":", "/") == name
    for entry in index["manifests"]:
        content = present[_image.file_of(entry["digest"])]
        assert len(content) == entry["size"]
        assert entry["mediaType"] == OCI_MANIFEST
        for one in _image.contents(json.loads(content), "x"):
            assert len(present[_image.file_of(one.digest)]) == one.size


def digest_under(folder: pathlib.Path, name: str) -> str | None:
    entries = json.loads((folder / "index.json").read_text())["manifests"]
    return next((one["digest"] for one in entries if one["annotations"][_image.REF_NAME] == name), None)


def test_add_and_has(server: Server, registry: Registry, dest: pathlib.Path) -> None:
    image = server.push_image("team/app", b"one", b"two" * 1000, b"one")
    layout = Layout(str(dest))
    assert not layout.has("team/app:v1", image["digest"], AMD64)
    layout.add(registry, APP, image["digest"], AMD64)
    whole(dest)
    assert digest_under(dest, "team/app:v1") == image["digest"]
    for again in (layout, Layout(str(dest))):
        assert again.has("team/app:v1", image["digest"], AMD64)
        assert not again.has("team/app:v2", image["digest"], AMD64)
        assert not again.has("team/app:v1", "sha256:" + "0" * 64, AMD64)


def test_adding_twice_fetches_only_the_manifest(server: Server, registry: Registry, dest: pathlib.Path) -> None:
    image = server.push_image("team/app", b"one", b"two")
    Layout(str(dest)).add(registry, APP, image["digest"], AMD64)
    before = files(dest)
    server.requests.clear()
    Layout(str(dest)).add(registry, APP, image["digest"], AMD64)
    assert files(dest) == before
    assert [path for path, _headers in server.requests] == [f"/v2/team/app/manifests/{image['digest']}"]


def test_a_docker_image_is_kept_as_an_oci_image(server: Server, registry: Registry, dest: pathlib.Path) -> None:
    config, layer = server.push("team/app", b"{}"), server.push("team/app", b"layer")
    manifest = {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": {**config, "mediaType": "application/vnd.docker.container.image.v1+json"},
        "layers": [{**layer, "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip"}],
    }
    image = server.push("team/app", json.dumps(manifest).encode(), DOCKER_MANIFEST)
    layout = Layout(str(dest))
    layout.add(registry, APP, image["digest"], AMD64)
    whole(dest)
    assert digest_under(dest, "team/app:v1") != image["digest"]
    assert layout.has("team/app:v1", image["digest"], AMD64)


def test_images_share_a_layout(server: Server, registry: Registry, dest: pathlib.Path) -> None:
    one, two, three = (server.push_image("team/app", b"base", layer) for layer in (b"1", b"2", b"3"))
    layout = Layout(str(dest))
    layout.add(registry, APP, one["digest"], AMD64)
    layout.add(registry, _image.Reference("team/app", "v2"), two["digest"], AMD64)
    whole(dest)
    assert layout.has("team/app:v1", one["digest"], AMD64)
    assert layout.has("team/app:v2", two["digest"], AMD64)
    layout.add(registry, APP, three["digest"], AMD64)
    whole(dest)
    assert not layout.has("team/app:v1", one["digest"], AMD64)
    assert layout.has("team/app:v1", three["digest"], AMD64)
    assert layout.has("team/app:v2", two["digest"], AMD64)


def test_every_missing_or_damaged_file_is_noticed_and_mended(
    server: Server, registry: Registry, dest: pathlib.Path
) -> None:
    image = server.push_image("team/app", b"one", b"two")
    layout = Layout(str(dest))
    layout.add(registry, APP, image["digest"], AMD64)
    names = [name for name in files(dest) if name != "oci-layout"]
    assert len(names) == 5
    for name in names:
        for damage in (None, b"", b"\xff{"):
            (dest / name).unlink()
            if damage is not None:
                (dest / name).write_bytes(damage)
            assert not layout.has("team/app:v1", image["digest"], AMD64), name
            if name == "index.json" and damage == b"\xff{":
                (dest / name).unlink()
            layout.add(registry, APP, image["digest"], AMD64)
            whole(dest)
            assert layout.has("team/app:v1", image["digest"], AMD64)


def test_a_manifest_with_another_content_is_noticed(server: Server, registry: Registry, dest: pathlib.Path) -> None:
    image = server.push_image("team/app", b"one")
    layout = Layout(str(dest))
    layout.add(registry, APP, image["digest"], AMD64)
    path = dest / _image.file_of(image["digest"])
    path.write_text(json.dumps({**json.loads(path.read_text()), "layers": []}))
    assert not layout.has("team/app:v1", image["digest"], AMD64)


@pytest.fixture
def images(server: Server) -> dict[str, dict[str, Any]]:
    amd64, arm64 = server.push_image("team/app", b"for amd64"), server.push_image("team/app", b"for arm64")
    index = server.push_index("team/app", amd64=amd64, arm64=arm64)
    return {"index": index, AMD64: amd64, ARM64: arm64}


@pytest.mark.parametrize(("platform", "other"), [(AMD64, ARM64), (ARM64, AMD64)])
def test_an_index_is_chosen_from_by_platform(
    server: Server,
    registry: Registry,
    dest: pathlib.Path,
    images: dict[str, dict[str, Any]],
    platform: str,
    other: str,
) -> None:
    layout, digest = Layout(str(dest)), images["index"]["digest"]
    layout.add(registry, APP, digest, platform)
    whole(dest)
    assert digest_under(dest, "team/app:v1") == images[platform]["digest"]
    assert layout.has("team/app:v1", digest, platform)
    assert not layout.has("team/app:v1", digest, other)
    assert not layout.has("team/app:v1", images[other]["digest"], platform)
    assert not (dest / _image.file_of(images[other]["digest"])).exists()
    layout.add(registry, APP, digest, other)
    whole(dest)
    assert layout.has("team/app:v1", digest, other)
    assert not layout.has("team/app:v1", digest, platform)


def test_an_index_without_the_platform(
    registry: Registry, dest: pathlib.Path, images: dict[str, dict[str, Any]]
) -> None:
    with pytest.raises(EcrError) as caught:
        Layout(str(dest)).add(registry, APP, images["index"]["digest"], "linux/s390x")
    assert str(caught.value) == "team/app:v1 has no image for linux/s390x; it has linux/amd64, linux/arm64."
    assert not (dest / "index.json").exists()


def test_an_index_in_an_index_is_refused(server: Server, registry: Registry, dest: pathlib.Path) -> None:
    inner = server.push_index("team/app", amd64=server.push_image("team/app", b"x"))
    outer = server.push_index("team/app", amd64=inner)
    with pytest.raises(EcrError) as caught:
        Layout(str(dest)).add(registry, APP, outer["digest"], AMD64)
    assert str(caught.value) == "The manifest of team/app:v1 has no list of layers."


@pytest.mark.parametrize("broken", ["blob", "manifest"])
def test_a_pull_that_breaks_off_can_be_run_again(
    server: Server, registry: Registry, dest: pathlib.Path, broken: str
) -> None:
    layers = [b"one", b"two", b"three"]
    image = server.push_image("team/app", *layers)
    kind, digest = ("blobs", _image.digest_of(b"two")) if broken == "blob" else ("manifests", image["digest"])
    path = f"/v2/team/app/{kind}/{digest}"
    right = server.answers[path]
    server.serve(path, 200, b"x")
    with pytest.raises(EcrError):
        Layout(str(dest)).add(registry, APP, image["digest"], AMD64)
    left = files(dest)
    assert "index.json" not in left
    assert not [name for name in left if "incoming" in name]
    assert _image.file_of(digest) not in left
    server.answers[path] = right
    layout = Layout(str(dest))  # the folder is known again
    assert not layout.has("team/app:v1", image["digest"], AMD64)
    layout.add(registry, APP, image["digest"], AMD64)
    whole(dest)
    assert layout.has("team/app:v1", image["digest"], AMD64)


def test_a_refused_pull_makes_no_folder(registry: Registry, dest: pathlib.Path) -> None:
    with pytest.raises(EcrError):
        Layout(str(dest)).add(registry, APP, "sha256:" + "0" * 64, AMD64)
    assert not dest.exists()


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff"])
def test_an_index_that_is_none_is_left_alone(
    server: Server, registry: Registry, dest: pathlib.Path, content: bytes
) -> None:
    image = server.push_image("team/app", b"one")
    dest.mkdir(parents=True)
    (dest / "oci-layout").write_text("{}")
    (dest / "index.json").write_bytes(content)
    layout = Layout(str(dest))
    assert not layout.has("team/app:v1", image["digest"], AMD64)
    with pytest.raises(EcrError) as caught:
        layout.add(registry, APP, image["digest"], AMD64)
    assert str(caught.value) == "The index.json there is not the index of an OCI image layout. Choose an empty dest."
    assert (dest / "index.json").read_bytes() == content


def test_files_can_be_read_by_others(server: Server, registry: Registry, dest: pathlib.Path) -> None:
    image = server.push_image("team/app", b"one")
    Layout(str(dest)).add(registry, APP, image["digest"], AMD64)
    assert {path.stat().st_mode & 0o777 for path in dest.rglob("*") if path.is_file()} == {0o644}


@pytest.mark.parametrize("name", ["notes.txt", ".hidden", "blobs", "index.json"])
def test_a_folder_with_other_things_is_refused(dest: pathlib.Path, name: str) -> None:
    dest.mkdir(parents=True)
    (dest / name).write_text("mine")
    with pytest.raises(EcrError) as caught:
        Layout(str(dest))
    assert str(caught.value) == f"Folder {dest} holds other things than an OCI image layout. Choose an empty dest."
    assert files(dest) == {name: b"mine"}


def test_a_file_is_no_dest(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "file"
    path.write_text("mine")
    with pytest.raises(EcrError) as caught:
        Layout(str(path))
    assert str(caught.value) == f"dest {path} is there and is not a folder."


def test_an_empty_folder_and_none_are_taken(dest: pathlib.Path) -> None:
    Layout(str(dest))
    assert not dest.exists()
    dest.mkdir(parents=True)
    Layout(str(dest))
    assert files(dest) == {}
