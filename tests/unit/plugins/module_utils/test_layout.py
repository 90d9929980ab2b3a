# SPDX-License-Identifier: GPL-3.0-or-later
"""An image gets into an OCI image layout whole, or not at all, whatever the registry does. No test waits for real."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import gzip
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import (
    _files,
    _layout,
    _layout_index,
    _manifest,
    _registry,
    _safe_folders,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._engine import RegistryImage
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import Reference, parse_reference
from ansible_collections.crossaccount.ecr.plugins.module_utils._layout import Layout
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry import Registry

from tests.support.registry import OCI_INDEX, OCI_MANIFEST, Answer, Handler, Server

ROOT = pathlib.Path(__file__).parents[4]
AMD64, ARM64 = "linux/amd64", "linux/arm64"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"
APP = Reference("team/app", "v1")
TOKEN = "dG9rZW4="


@pytest.fixture(autouse=True)
def _no_time_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_registry, "_LONGEST_PAUSE", 0.0)
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)  # whom this machine trusts takes time to read at each request


def named(digest: str, name: str = "team/app:v1") -> RegistryImage:
    """An image of which the layout is asked, which does not ask the registry."""
    return RegistryImage(Registry("https://registry.invalid", TOKEN), parse_reference(name), digest)


@pytest.fixture
def registry(server: Server) -> Registry:
    return Registry(server.url, TOKEN)


@pytest.fixture
def dest(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "new/image"


def push_described(
    server: Server, config: dict[str, Any], *layers: dict[str, Any], media_type: str = OCI_MANIFEST
) -> dict[str, Any]:
    """Serve a manifest with these descriptors; its own."""
    manifest = {"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": list(layers)}
    return server.push("team/app", json.dumps(manifest).encode(), media_type)


def message_of(server: Server, dest: pathlib.Path, digest: str, platform: str = AMD64) -> str:
    """Why an image was refused; nothing may be left that looks like one."""
    with pytest.raises(EcrError) as caught:
        Layout(str(dest), platform).fetch(RegistryImage(Registry(server.url, TOKEN), APP, digest))
    assert not (dest / "index.json").exists()
    assert not list(dest.rglob(".incoming-*"))
    return str(caught.value)


def blobs_asked(server: Server) -> list[str]:
    """The digest of each requested blob, in the order of the requests."""
    return [path.rpartition("/")[2] for path, _headers in server.requests if "/blobs/" in path]


def files(folder: pathlib.Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def whole(folder: pathlib.Path) -> None:
    """All content of the layout's index exists, has its digest, and no other file exists."""
    present = files(folder)
    assert json.loads(present.pop("oci-layout")) == {"imageLayoutVersion": "1.0.0"}
    index = json.loads(present.pop("index.json"))
    assert (index["schemaVersion"], index["mediaType"]) == (2, OCI_INDEX)
    for name, content in present.items():
        assert "blobs/" + _manifest.digest_of(content).replace(":", "/") == name
    for entry in index["manifests"]:
        content = present[_layout_index.file_of(entry["digest"])]
        assert len(content) == entry["size"]
        assert entry["mediaType"] == OCI_MANIFEST
        for item in _manifest.contents(json.loads(content), "x"):
            assert len(present[_layout_index.file_of(item.digest)]) == item.size


def digest_under(folder: pathlib.Path, name: str) -> str | None:
    entries = json.loads((folder / "index.json").read_text())["manifests"]
    return next((entry["digest"] for entry in entries if entry["annotations"][_layout_index.REF_NAME] == name), None)


def test_add_and_has(server: Server, registry: Registry, dest: pathlib.Path) -> None:
    image = server.push_image("team/app", b"one", b"two" * 1000, b"one")
    layout = Layout(str(dest), AMD64)
    assert not layout.has(named(image["digest"]))
    layout.fetch(RegistryImage(registry, APP, image["digest"]))
    whole(dest)
    assert digest_under(dest, "team/app:v1") == image["digest"]
    for again in (layout, Layout(str(dest), AMD64)):
        assert again.has(named(image["digest"]))
        assert not again.has(named(image["digest"], "team/app:v2"))
        assert not again.has(named("sha256:" + "0" * 64))


def test_adding_twice_fetches_only_the_manifest(server: Server, registry: Registry, dest: pathlib.Path) -> None:
    image = server.push_image("team/app", b"one", b"two")
    Layout(str(dest), AMD64).fetch(RegistryImage(registry, APP, image["digest"]))
    before = files(dest)
    server.requests.clear()
    Layout(str(dest), AMD64).fetch(RegistryImage(registry, APP, image["digest"]))
    assert files(dest) == before
    assert [path for path, _headers in server.requests] == [f"/v2/team/app/manifests/{image['digest']}"]


def test_a_docker_image_is_kept_as_an_oci_image(server: Server, registry: Registry, dest: pathlib.Path) -> None:
    config, layer = server.push("team/app", b"{}"), server.push("team/app", b"layer")
    manifest = {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": {**config, "mediaType": DOCKER_CONFIG},
        "layers": [{**layer, "mediaType": DOCKER_LAYER + ".gzip"}],
    }
    image = server.push("team/app", json.dumps(manifest).encode(), DOCKER_MANIFEST)
    layout = Layout(str(dest), AMD64)
    layout.fetch(RegistryImage(registry, APP, image["digest"]))
    whole(dest)
    assert digest_under(dest, "team/app:v1") != image["digest"]
    assert layout.has(named(image["digest"]))


def test_images_share_a_layout(server: Server, registry: Registry, dest: pathlib.Path) -> None:
    first, second, third = (server.push_image("team/app", b"base", layer) for layer in (b"1", b"2", b"3"))
    layout = Layout(str(dest), AMD64)
    layout.fetch(RegistryImage(registry, APP, first["digest"]))
    layout.fetch(RegistryImage(registry, Reference("team/app", "v2"), second["digest"]))
    whole(dest)
    assert layout.has(named(first["digest"]))
    assert layout.has(named(second["digest"], "team/app:v2"))
    layout.fetch(RegistryImage(registry, APP, third["digest"]))
    whole(dest)
    assert not layout.has(named(first["digest"]))
    assert layout.has(named(third["digest"]))
    assert layout.has(named(second["digest"], "team/app:v2"))


def test_missing_or_damaged_files_are_repaired(server: Server, registry: Registry, dest: pathlib.Path) -> None:
    image = server.push_image("team/app", b"one", b"two")
    layout = Layout(str(dest), AMD64)
    layout.fetch(RegistryImage(registry, APP, image["digest"]))
    names = [name for name in files(dest) if name != "oci-layout"]
    assert len(names) == 5
    for name in names:
        for damage in (None, b"", b"\xff{"):
            (dest / name).unlink()
            if damage is not None and (name, damage) != ("index.json", b"\xff{"):
                (dest / name).write_bytes(damage)
            assert not layout.has(named(image["digest"])), name
            layout.fetch(RegistryImage(registry, APP, image["digest"]))
            whole(dest)
            assert layout.has(named(image["digest"]))


def test_a_manifest_with_another_content_is_noticed(server: Server, registry: Registry, dest: pathlib.Path) -> None:
    image = server.push_image("team/app", b"one")
    layout = Layout(str(dest), AMD64)
    layout.fetch(RegistryImage(registry, APP, image["digest"]))
    path = dest / _layout_index.file_of(image["digest"])
    path.write_text(json.dumps({**json.loads(path.read_text()), "layers": []}))
    assert not layout.has(named(image["digest"]))


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
    digest = images["index"]["digest"]
    Layout(str(dest), platform).fetch(RegistryImage(registry, APP, digest))
    whole(dest)
    assert digest_under(dest, "team/app:v1") == images[platform]["digest"]
    assert Layout(str(dest), platform).has(named(digest))
    assert not Layout(str(dest), other).has(named(digest))
    assert not Layout(str(dest), platform).has(named(images[other]["digest"]))
    assert not (dest / _layout_index.file_of(images[other]["digest"])).exists()
    Layout(str(dest), other).fetch(RegistryImage(registry, APP, digest))
    whole(dest)
    assert Layout(str(dest), other).has(named(digest))
    assert not Layout(str(dest), platform).has(named(digest))


def test_one_image_is_of_the_platform_that_was_asked_for(
    server: Server, registry: Registry, dest: pathlib.Path
) -> None:
    config = server.push("team/app", json.dumps({"os": "linux", "architecture": "arm64"}).encode())
    manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": []}
    digest = server.push("team/app", json.dumps(manifest).encode(), OCI_MANIFEST)["digest"]
    layout = Layout(str(dest), AMD64)
    with pytest.raises(EcrError) as caught:
        Layout(str(dest), AMD64, strict_platform=True).fetch(RegistryImage(registry, APP, digest))
    assert str(caught.value) == "team/app:v1 has no image for linux/amd64; it has linux/arm64."
    assert not (dest / "index.json").exists()
    layout.fetch(RegistryImage(registry, APP, digest))  # the platform of the host, which was not requested
    assert layout.has(named(digest))
    assert not Layout(str(dest), AMD64, strict_platform=True).has(named(digest))
    Layout(str(dest), ARM64, strict_platform=True).fetch(RegistryImage(registry, APP, digest))
    assert Layout(str(dest), ARM64, strict_platform=True).has(named(digest))


def test_a_configuration_that_is_too_large_is_not_read(server: Server, registry: Registry, dest: pathlib.Path) -> None:
    config = server.push("team/app", b" " * (_manifest.MANIFEST_BYTES + 1))
    manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": []}
    digest = server.push("team/app", json.dumps(manifest).encode(), OCI_MANIFEST)["digest"]
    with pytest.raises(EcrError) as caught:
        Layout(str(dest), AMD64, strict_platform=True).fetch(RegistryImage(registry, APP, digest))
    assert str(caught.value) == (
        "The configuration of team/app:v1 has 4194305 bytes; no more than 4194304 are accepted."
    )


def test_an_index_without_the_platform(
    registry: Registry, dest: pathlib.Path, images: dict[str, dict[str, Any]]
) -> None:
    with pytest.raises(EcrError) as caught:
        Layout(str(dest), "linux/s390x").fetch(RegistryImage(registry, APP, images["index"]["digest"]))
    assert str(caught.value) == "team/app:v1 has no image for linux/s390x; it has linux/amd64, linux/arm64."
    assert not (dest / "index.json").exists()


@pytest.mark.parametrize(
    ("entries", "offered"),
    [
        ([], "none at all"),
        ([{"platform": {"os": "linux", "architecture": "s390x"}}], "linux/s390x"),
        ([{"platform": {"os": "windows", "architecture": "amd64"}}, {"platform": None}], "windows/amd64"),
    ],
)
def test_an_index_that_offers_nothing_that_fits(
    server: Server, dest: pathlib.Path, entries: list[dict[str, Any]], offered: str
) -> None:
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
    digest = server.push("team/app", json.dumps(index).encode(), OCI_INDEX)["digest"]
    assert message_of(server, dest, digest) == f"team/app:v1 has no image for linux/amd64; it has {offered}."
    assert len(server.requests) == 1


def test_an_index_in_an_index_is_refused(server: Server, registry: Registry, dest: pathlib.Path) -> None:
    inner = server.push_index("team/app", amd64=server.push_image("team/app", b"x"))
    outer = server.push_index("team/app", amd64=inner)
    with pytest.raises(EcrError) as caught:
        Layout(str(dest), AMD64).fetch(RegistryImage(registry, APP, outer["digest"]))
    assert str(caught.value) == (
        f"The index of team/app:v1 has '{OCI_INDEX}' for {inner['digest']}, which is of type {OCI_INDEX}."
        " Only a manifest of one image is accepted there."
    )
    assert not dest.exists()


@pytest.mark.parametrize("broken", ["blob", "manifest"])
def test_a_pull_that_breaks_off_can_be_run_again(server: Server, dest: pathlib.Path, broken: str) -> None:
    layers = [b"one", b"two", b"three"]
    image = server.push_image("team/app", *layers)
    kind, digest = ("blobs", _manifest.digest_of(b"two")) if broken == "blob" else ("manifests", image["digest"])
    path = f"/v2/team/app/{kind}/{digest}"
    right = server.answers[path]
    server.serve(path, 200, b"x")
    with pytest.raises(EcrError):
        Layout(str(dest), AMD64).fetch(RegistryImage(Registry(server.url, TOKEN), APP, image["digest"]))
    left = files(dest)
    assert "index.json" not in left
    assert not [name for name in left if "incoming" in name]
    assert _layout_index.file_of(digest) not in left
    server.answers[path] = right
    layout = Layout(str(dest), AMD64)  # the folder is known again
    assert not layout.has(named(image["digest"]))
    server.requests.clear()
    layout.fetch(RegistryImage(Registry(server.url, TOKEN), APP, image["digest"]))
    whole(dest)
    assert layout.has(named(image["digest"]))
    present = {"sha256:" + pathlib.Path(name).name for name in left if name.startswith("blobs/")}
    assert not present & set(blobs_asked(server)), "what was there is not fetched again"


def test_refused_layer_is_fetched_by_the_next_attempt(server: Server, registry: Registry, dest: pathlib.Path) -> None:
    """A registry may apply a new share to manifests before it applies it to layers."""
    image = RegistryImage(registry, APP, server.push_image("team/app", b"layer")["digest"])
    layer = server.push("team/app", b"layer")["digest"]
    allowed = server.answers.pop(f"/v2/team/app/blobs/{layer}")
    layout = Layout(str(dest), AMD64)
    with pytest.raises(EcrError, match="HTTP 404"):
        layout.fetch(image)
    server.answers[f"/v2/team/app/blobs/{layer}"] = allowed
    layout.fetch(image)
    assert layout.has(image)


def test_a_refused_pull_makes_no_folder(registry: Registry, dest: pathlib.Path) -> None:
    with pytest.raises(EcrError):
        Layout(str(dest), AMD64).fetch(RegistryImage(registry, APP, "sha256:" + "0" * 64))
    assert not dest.exists()


# --- names


@pytest.mark.parametrize("digest_too", [False, True])
def test_image_with_digest_keeps_its_tag(
    server: Server, registry: Registry, dest: pathlib.Path, digest_too: bool
) -> None:
    digest = server.push_image("team/app", b"one")["digest"]
    reference = Reference("team/app", "v1", digest if digest_too else None)
    layout = Layout(str(dest), AMD64)
    layout.fetch(RegistryImage(registry, reference, digest))
    whole(dest)
    assert digest_under(dest, "team/app:v1") == digest
    assert layout.has(named(digest, reference.name))
    assert f"team/app:v1@{digest}" not in (dest / "index.json").read_text()


def test_an_image_without_a_tag_is_known_by_its_digest(server: Server, registry: Registry, dest: pathlib.Path) -> None:
    digest = server.push_image("team/app", b"one")["digest"]
    reference = Reference("team/app", None, digest)
    Layout(str(dest), AMD64).fetch(RegistryImage(registry, reference, digest))
    assert digest_under(dest, f"team/app@{digest}") == digest
    assert Layout(str(dest), AMD64).has(named(digest, reference.name))


# --- layers


@pytest.mark.parametrize(
    ("manifest_type", "config_type", "layer_type", "kept_as"),
    [
        (OCI_MANIFEST, OCI_CONFIG, LAYER, LAYER),
        (DOCKER_MANIFEST, DOCKER_CONFIG, DOCKER_LAYER, LAYER),
    ],
)
def test_compressed_layers_are_passed_through_untouched(
    server: Server,
    registry: Registry,
    dest: pathlib.Path,
    manifest_type: str,
    config_type: str,
    layer_type: str,
    kept_as: str,
) -> None:
    separator = "." if manifest_type == DOCKER_MANIFEST else "+"
    by_compression = {
        "gzip": gzip.compress(b"layer" * 1000),
        "zstd": b"\x28\xb5\x2f\xfd" + bytes(range(256)),  # how a frame of zstd begins
        "": b"plain",
    }
    layers = []
    for compression, content in by_compression.items():
        described = server.push("team/app", content)
        encoding = {"Content_Encoding": compression} if compression else {}
        server.serve(f"/v2/team/app/blobs/{described['digest']}", 200, content, None, **encoding)
        suffix = f"{separator}{compression}" if compression else ""
        layers.append({**described, "mediaType": layer_type + suffix})
    config = {**server.push("team/app", b"{}"), "mediaType": config_type}
    image = push_described(server, config, *layers, media_type=manifest_type)
    Layout(str(dest), AMD64).fetch(RegistryImage(registry, APP, image["digest"]))
    whole(dest)
    manifest = json.loads((dest / _layout_index.file_of(str(digest_under(dest, "team/app:v1")))).read_text())
    assert [layer["mediaType"] for layer in manifest["layers"]] == [kept_as + "+gzip", kept_as + "+zstd", kept_as]
    for value, content in zip(manifest["layers"], by_compression.values()):
        assert (dest / _layout_index.file_of(value["digest"])).read_bytes() == content


def test_a_layer_that_images_share_is_fetched_once(server: Server, registry: Registry, dest: pathlib.Path) -> None:
    first, second = server.push_image("team/app", b"base", b"1", b"base"), server.push_image("team/app", b"base", b"2")
    layout = Layout(str(dest), AMD64)
    layout.fetch(RegistryImage(registry, APP, first["digest"]))
    layout.fetch(RegistryImage(registry, Reference("team/app", "v2"), second["digest"]))
    whole(dest)
    requested = blobs_asked(server)
    assert requested.count(_manifest.digest_of(b"base")) == 1
    assert len(requested) == len(set(requested)) == 5  # two configurations, three layers


@pytest.mark.parametrize(
    "foreign",
    [
        {"mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"},
        {"mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"},
        {"urls": ["http://127.0.0.1:1/layer"]},
    ],
    ids=lambda foreign: next(iter(foreign)),
)
def test_foreign_layers_are_refused(server: Server, dest: pathlib.Path, foreign: dict[str, Any]) -> None:
    layer = {**server.push("team/app", b"layer"), **foreign}
    image = push_described(server, server.push("team/app", b"{}"), server.push("team/app", b"other"), layer)
    assert message_of(server, dest, image["digest"]) == (
        f"team/app:v1 has the foreign layer {layer['digest']}, which is not in the registry. Use a container engine."
    )
    assert blobs_asked(server) == []


# --- a text of the registry is not used as a path

OUTSIDE = [
    "sha256:../../../../outside",
    "sha256:..",
    "../../outside",
    "/outside",
    "sha256:" + "0" * 64 + "/../../../outside",
    "sha256:" + "0" * 63,
    "sha256:" + "A" * 64,
    "sha512:" + "0" * 64,
    "sha256:" + "0" * 64 + "\n",
    "",
]


@pytest.mark.parametrize("digest", OUTSIDE)
@pytest.mark.parametrize("where", ["layer", "config", "index"])
def test_a_digest_that_leads_elsewhere_is_refused(
    server: Server, dest: pathlib.Path, tmp_path: pathlib.Path, where: str, digest: str
) -> None:
    right, wrong = server.push("team/app", b"right"), {"mediaType": "x", "digest": digest, "size": 5}
    if where == "index":
        image = server.push_index("team/app", amd64={**wrong, "mediaType": OCI_MANIFEST})
    else:
        image = push_described(server, *((wrong, right) if where == "config" else (right, right, wrong)))
    assert message_of(server, dest, image["digest"]) == (
        f"The manifest of team/app:v1 has the digest {digest[:80]!r}; only sha256 is accepted."
    )
    assert list(tmp_path.iterdir()) == []
    assert blobs_asked(server) == []


@pytest.mark.parametrize("digest", ["sha256:../../../../outside", "../../outside"])
def test_requested_digest_leads_to_no_other_path(
    server: Server, dest: pathlib.Path, tmp_path: pathlib.Path, digest: str
) -> None:
    content = b"anything"
    server.serve(f"/v2/team/app/manifests/{digest}", 200, content, Content_Type=OCI_MANIFEST)
    assert message_of(server, dest, digest) == (
        f"The registry sent different content for the manifest {digest} of team/app:"
        f" its digest is {_manifest.digest_of(content)}."
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("repository", ["../../outside", "a/../../../outside", "/outside"])
def test_repository_name_leads_to_no_other_path(
    server: Server, registry: Registry, dest: pathlib.Path, tmp_path: pathlib.Path, repository: str
) -> None:
    """No such name gets as far as here; if one did, it would be a name and no path."""
    digest = server.push_image(repository, b"one")["digest"]
    Layout(str(dest), AMD64).fetch(RegistryImage(registry, Reference(repository, "v1"), digest))
    whole(dest)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and dest not in path.parents]


def test_index_of_a_layout_leads_to_no_other_path(server: Server, registry: Registry, dest: pathlib.Path) -> None:
    image = server.push_image("team/app", b"one")
    layout = Layout(str(dest), AMD64)
    layout.fetch(RegistryImage(registry, APP, image["digest"]))
    index = json.loads((dest / "index.json").read_text())
    manifest = dest / _layout_index.file_of(image["digest"])
    elsewhere = dest.parent / "outside"
    elsewhere.write_bytes(manifest.read_bytes())
    index["manifests"][0]["digest"] = "sha256:../../../outside"
    (dest / "index.json").write_text(json.dumps(index))
    assert not layout.has(named(image["digest"]))


# --- manifests that are not taken


def test_a_manifest_of_5_mb_is_refused(server: Server, dest: pathlib.Path) -> None:
    content = json.dumps({"mediaType": OCI_MANIFEST, "filling": "x" * 5_000_000}).encode()
    digest = server.push("team/app", content, OCI_MANIFEST)["digest"]
    assert message_of(server, dest, digest) == (
        f"The manifest {digest} of team/app has more than 4194304 bytes, the most that are accepted."
    )
    assert not dest.exists()


def test_a_compressed_manifest_is_not_unpacked(server: Server, dest: pathlib.Path) -> None:
    image = server.push_image("team/app", b"one")
    path = f"/v2/team/app/manifests/{image['digest']}"
    bomb = gzip.compress(b" " * 32 * 1024 * 1024)
    server.serve(path, 200, bomb, Content_Encoding="gzip", Content_Type=OCI_MANIFEST)
    assert message_of(server, dest, image["digest"]) == (
        f"The registry sent different content for the manifest {image['digest']} of team/app:"
        f" its digest is {_manifest.digest_of(bomb)}."
    )
    assert not dest.exists()


# --- existing files are not trusted


@pytest.mark.parametrize("part", ["configuration", "layer", "manifest"])
def test_content_of_the_same_size_is_noticed_and_fetched_again(
    server: Server, registry: Registry, dest: pathlib.Path, part: str
) -> None:
    image = server.push_image("team/app", b"one", b"two")
    layout = Layout(str(dest), AMD64)
    layout.fetch(RegistryImage(registry, APP, image["digest"]))
    before = files(dest)
    manifest = json.loads(before[_layout_index.file_of(image["digest"])])
    digest = {"configuration": manifest["config"], "layer": manifest["layers"][1], "manifest": image}[part]["digest"]
    path = dest / _layout_index.file_of(digest)
    path.write_bytes(b"E" * path.stat().st_size)
    assert not layout.has(named(image["digest"]))
    server.requests.clear()
    layout.fetch(RegistryImage(registry, APP, image["digest"]))
    assert files(dest) == before
    assert blobs_asked(server) == ([digest] if part != "manifest" else [])
    assert layout.has(named(image["digest"]))


def test_entry_with_another_size_is_noticed(server: Server, registry: Registry, dest: pathlib.Path) -> None:
    image = server.push_image("team/app", b"one")
    layout = Layout(str(dest), AMD64)
    layout.fetch(RegistryImage(registry, APP, image["digest"]))
    index = json.loads((dest / "index.json").read_text())
    for size in (index["manifests"][0]["size"] + 1, _manifest.MANIFEST_BYTES + 1, -1, None):
        index["manifests"][0]["size"] = size
        (dest / "index.json").write_text(json.dumps(index))
        assert not layout.has(named(image["digest"]))
    layout.fetch(RegistryImage(registry, APP, image["digest"]))
    assert layout.has(named(image["digest"]))


def test_index_that_is_too_large_is_not_read(server: Server, registry: Registry, dest: pathlib.Path) -> None:
    image = server.push_image("team/app", b"one")
    layout = Layout(str(dest), AMD64)
    layout.fetch(RegistryImage(registry, APP, image["digest"]))
    with (dest / "index.json").open("r+b") as file:
        file.truncate(10**12)  # a hole, not a disk
    for use in (
        lambda: layout.has(named(image["digest"])),
        lambda: layout.fetch(RegistryImage(registry, APP, image["digest"])),
    ):
        with pytest.raises(EcrError) as caught:
            use()
        assert str(caught.value) == f"{dest}/index.json has more than 4194304 bytes. Choose another dest."


# --- the first failure ends the rest


class SlowLayer:
    """A layer that takes its time: blocks, one after the other, until there are enough or the client is gone."""

    def __init__(self, block: int = 256 * 1024, interval: float = 0.1, blocks: int = 600) -> None:
        self.block, self.interval, self.blocks = block, interval, blocks
        self.begun, self.ended, self.released = threading.Event(), threading.Event(), threading.Event()
        self.sent = 0

    def __call__(self, handler: Handler) -> None:
        try:
            handler.send_response(200)
            handler.send_header("Content-Length", str(self.block * self.blocks))
            handler.end_headers()
            for _number in range(self.blocks):
                handler.wfile.write(b"x" * self.block)
                self.sent += 1
                self.begun.set()
                self.released.wait(self.interval)
        except OSError:
            pass
        finally:
            handler.close_connection = True
            self.ended.set()

    def descriptor(self, server: Server, digit: str) -> dict[str, Any]:
        digest = "sha256:" + digit * 64
        server.answers[f"/v2/team/app/blobs/{digest}"] = self
        return {"mediaType": "x", "digest": digest, "size": self.block * self.blocks}


def refused_after(*others: SlowLayer) -> Answer:
    """A refusal, when the others have begun."""

    def answer(handler: Handler) -> None:
        for other in others:
            other.begun.wait(300)
        handler.reply(401, b"")

    return answer


@pytest.mark.parametrize("first", ["the refused one", "the slow one"])
def test_a_layer_that_fails_stops_the_others(server: Server, dest: pathlib.Path, first: str) -> None:
    slow = SlowLayer()
    bad = server.push("team/app", b"bad")
    server.answers[f"/v2/team/app/blobs/{bad['digest']}"] = refused_after(slow)
    layers = [bad, slow.descriptor(server, "1")]
    image = push_described(
        server, server.push("team/app", b"{}"), *(layers if first == "the refused one" else reversed(layers))
    )
    assert message_of(server, dest, image["digest"]) == (
        f"Registry {server.url[7:]} refused the layer {bad['digest']} of team/app: HTTP 401 Unauthorized"
    )
    assert slow.ended.wait(300)
    assert slow.sent < slow.blocks


def test_failed_layer_prevents_further_downloads(server: Server, dest: pathlib.Path) -> None:
    slow = [SlowLayer(), SlowLayer(), SlowLayer()]
    bad = server.push("team/app", b"bad")
    server.answers[f"/v2/team/app/blobs/{bad['digest']}"] = refused_after(*slow)
    waiting = [SlowLayer() for _number in range(8)]
    described = [host.descriptor(server, f"{number:x}") for number, host in enumerate([*slow, *waiting])]
    message_of(server, dest, push_described(server, bad, *described)["digest"])
    assert sum(host.begun.is_set() for host in waiting) < len(waiting) / 2


def test_a_layer_that_fails_ends_the_pause_of_another(
    server: Server, dest: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_registry, "_LONGEST_PAUSE", 600.0)
    paused = threading.Event()

    def busy(handler: Handler) -> None:
        handler.reply(503, b"", Retry_After="600")
        paused.set()

    def refuse(handler: Handler) -> None:
        paused.wait(300)
        handler.reply(401, b"")

    bad, late = server.push("team/app", b"bad"), server.push("team/app", b"late")
    server.answers[f"/v2/team/app/blobs/{bad['digest']}"] = refuse
    server.answers[f"/v2/team/app/blobs/{late['digest']}"] = busy
    digest = push_described(server, bad, late)["digest"]
    before = time.monotonic()
    assert message_of(server, dest, digest).startswith(
        f"Registry {server.url[7:]} refused the layer {bad['digest']} of team/app: HTTP 401 "
    )
    assert time.monotonic() - before < 300


# --- a signal ends it

PULLING = """
import sys
from ansible_collections.crossaccount.ecr.plugins.module_utils._engine import RegistryImage
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import Reference
from ansible_collections.crossaccount.ecr.plugins.module_utils._layout import Layout
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry import Registry
url, dest, digest = sys.argv[1:]
Layout(dest, "linux/amd64").fetch(RegistryImage(Registry(url, sys.stdin.read()), Reference("team/app", "v1"), digest))
"""
#: How the rest of a layer comes: block after block, hardly, or not at all. Or the registry is busy.
FLOWS, TRICKLES, STALLS, BUSY = (256 * 1024, 0.1, 2000), (100, 0.05, 4000), (100, 200.0, 2), None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(
    "manner", [FLOWS, TRICKLES, STALLS, BUSY], ids=["a-flow", "a-trickle", "a-stall", "a-busy-registry"]
)
def test_a_signal_ends_a_pull_soon_and_leaves_no_temporary_file(
    server: Server, dest: pathlib.Path, number: signal.Signals, manner: tuple[int, float, int] | None
) -> None:
    slow = SlowLayer(*manner) if manner else SlowLayer()
    layer = slow.descriptor(server, "1")
    if manner is None:

        def busy(handler: Handler) -> None:
            handler.reply(503, b"", Retry_After="30")
            slow.begun.set()

        server.answers[f"/v2/team/app/blobs/{layer['digest']}"] = busy
    digest = push_described(server, server.push("team/app", b"{}"), layer)["digest"]
    process = subprocess.Popen(
        [sys.executable, "-c", PULLING, server.url, os.fspath(dest), digest],
        env={**os.environ, "PYTHONPATH": str(ROOT / ".venv/collections")},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdin
        process.stdin.write(TOKEN)
        process.stdin.close()
        assert slow.begun.wait(300)
        deadline = time.monotonic() + 300
        while not list(dest.rglob(".incoming-*")):
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(0.1)  # the pull is now in the midst of the layer
        process.send_signal(number)
        assert process.wait(120) == 128 + number
    finally:
        slow.released.set()
        process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()
    assert not list(dest.rglob(".incoming-*"))
    assert not (dest / "index.json").exists()
    assert not (dest / _layout_index.file_of(layer["digest"])).exists()


# --- existing content


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff"])
def test_invalid_index_is_unchanged(server: Server, registry: Registry, dest: pathlib.Path, content: bytes) -> None:
    image = server.push_image("team/app", b"one")
    dest.mkdir(parents=True)
    (dest / "oci-layout").write_text("{}")
    (dest / "index.json").write_bytes(content)
    layout = Layout(str(dest), AMD64)
    for use in (
        lambda: layout.has(named(image["digest"])),  # which check mode asks
        lambda: layout.fetch(RegistryImage(registry, APP, image["digest"])),
    ):
        with pytest.raises(EcrError) as caught:
            use()
        assert str(caught.value) == (
            "The existing index.json is not the index of an OCI image layout. Choose an empty dest."
        )
    assert (dest / "index.json").read_bytes() == content


@pytest.mark.parametrize(
    ("umask", "file_mode", "folder_mode"),
    [(0o022, 0o644, 0o755), (0o027, 0o640, 0o750), (0o077, 0o600, 0o700), (0o002, 0o664, 0o775), (0o000, 0o644, 0o755)],
)
def test_files_follow_the_umask(
    server: Server, registry: Registry, dest: pathlib.Path, umask: int, file_mode: int, folder_mode: int
) -> None:
    """With 002, as here in a private group; with 000 every user could change them, which the next pull rejects."""
    image = server.push_image("team/app", b"one")
    before = os.umask(umask)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_safe_folders, "is_private_group", lambda _gid, _uid: umask == 0o002)
            Layout(str(dest), AMD64).fetch(RegistryImage(registry, APP, image["digest"]))
            assert Layout(str(dest), AMD64).has(named(image["digest"]))
    finally:
        os.umask(before)
    modes = {path: path.stat().st_mode & 0o7777 for path in dest.parent.rglob("*")}
    assert {mode for path, mode in modes.items() if path.is_file()} == {file_mode}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {folder_mode}


def test_pulls_at_once_lose_no_image_and_share_no_temporary_file(server: Server, dest: pathlib.Path) -> None:
    """Each with the same base layer; between the reading of the index and its writing, the others get their turn."""
    names = [Reference("team/app", f"v{number}") for number in range(12)]
    images = [server.push_image("team/app", b"base", str(name).encode()) for name in names]
    temporary: list[str] = []
    make, index_of = _files.new_file, _layout_index.layout_index

    def noted(folder: str, mode: int) -> tuple[int, str]:
        handle, path = make(folder, mode)
        temporary.append(path)
        return handle, path

    def slowly(*arguments: Any) -> Any:
        time.sleep(0.01)
        return index_of(*arguments)

    def add(name: Reference, image: dict[str, Any]) -> None:
        Layout(str(dest), AMD64).fetch(RegistryImage(Registry(server.url, TOKEN), name, image["digest"]))

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(len(names)) as pool:
        patch.setattr(_files, "new_file", noted)
        patch.setattr(_layout_index, "layout_index", slowly)
        patch.setattr(_layout, "interruptible", contextlib.nullcontext)  # only a process can catch signals
        list(pool.map(add, names, images))
    whole(dest)
    assert all(Layout(str(dest), AMD64).has(named(image["digest"], name.name)) for name, image in zip(names, images))
    assert len(temporary) == len(set(temporary)) > len(names) * 4


def test_image_is_added_if_files_cannot_be_locked(
    server: Server, registry: Registry, dest: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_handle: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    image = server.push_image("team/app", b"one")
    Layout(str(dest), AMD64).fetch(RegistryImage(registry, APP, image["digest"]))
    assert Layout(str(dest), AMD64).has(named(image["digest"]))


def test_a_layout_that_another_pull_begins_right_now_is_taken(dest: pathlib.Path) -> None:
    dest.mkdir(parents=True)
    (dest / ".incoming-by-another").write_text("half of oci-layout")
    Layout(str(dest), AMD64)


@pytest.mark.parametrize("name", ["notes.txt", ".hidden", "blobs", "index.json"])
def test_a_folder_with_other_things_is_refused(dest: pathlib.Path, name: str) -> None:
    dest.mkdir(parents=True)
    (dest / name).write_text("mine")
    with pytest.raises(EcrError) as caught:
        Layout(str(dest), AMD64)
    assert str(caught.value) == f"Directory {dest} contains no OCI image layout. Choose an empty dest."
    assert files(dest) == {name: b"mine"}


def test_regular_file_is_not_a_valid_dest(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "file"
    path.write_text("mine")
    with pytest.raises(EcrError) as caught:
        Layout(str(path), AMD64)
    assert str(caught.value) == f"{path} exists and is not a directory. Choose another dest."


def test_an_empty_folder_and_none_are_taken(dest: pathlib.Path) -> None:
    Layout(str(dest), AMD64)
    assert not dest.exists()
    dest.mkdir(parents=True)
    Layout(str(dest), AMD64)
    assert files(dest) == {}


def test_status_has_the_bytes_of_all_layers(server: Server, registry: Registry, dest: pathlib.Path) -> None:
    image = server.push_image("team/app", b"1" * 2_000_000, b"2" * 3_000_000)  # the configuration has both once more
    layout = Layout(str(dest), AMD64)
    assert layout.status() == ""
    layout.fetch(RegistryImage(registry, APP, image["digest"]))
    assert layout.status() == "10.0 of 10.0 MB"
