# SPDX-License-Identifier: GPL-3.0-or-later
"""Each file that skopeo keeps of an image is compared with the image. Whatever it is, there is no traceback."""

from __future__ import annotations

import gzip
import io
import json
import pathlib
import tarfile
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _image, _manifest, _stored_image
from ansible_collections.crossaccount.ecr.plugins.module_utils._layout_index import REF_NAME, file_of

OCI_MANIFEST = _manifest.MANIFEST_TYPES[0]
LAYERS = [b"one" * 1000, b"two" * 1000]
PACKED = [gzip.compress(layer, mtime=0) for layer in LAYERS]
DIFF_IDS = [_manifest.digest_of(layer) for layer in LAYERS]
CONFIG = json.dumps({"os": "linux", "rootfs": {"type": "layers", "diff_ids": DIFF_IDS}}).encode()


def described(content: bytes) -> dict[str, Any]:
    return {"mediaType": "application/x.tar+gzip", "digest": _manifest.digest_of(content), "size": len(content)}


def manifest_of(*layers: bytes) -> bytes:
    document = {
        "mediaType": OCI_MANIFEST,
        "config": described(CONFIG),
        "layers": [described(layer) for layer in layers],
    }
    return json.dumps(document).encode()


def image() -> _image.Image:
    content = manifest_of(*PACKED)
    return _image.Image("app:v1", _manifest.digest_of(content), content, json.loads(content), False)


def in_dir(layers: list[bytes]) -> dict[str, bytes]:
    blobs = {_manifest.digest_of(layer)[7:]: layer for layer in (CONFIG, *layers)}
    return {"version": b"Directory Transport Version: 1.1\n", "manifest.json": manifest_of(*layers), **blobs}


def in_layout(layers: list[bytes]) -> dict[str, bytes]:
    manifest = manifest_of(*layers)
    entry = {**described(manifest), "annotations": {REF_NAME: "app"}}
    other = {**described(b"other"), "annotations": {REF_NAME: "other"}}
    blobs = {file_of(_manifest.digest_of(layer)): layer for layer in (CONFIG, manifest, *layers)}
    return {"index.json": json.dumps({"manifests": [other, entry]}).encode(), **blobs}


def in_docker_archive(layers: list[bytes]) -> dict[str, bytes]:
    names = [f"{_manifest.digest_of(layer)[7:]}.tar" for layer in layers]
    config = f"{_manifest.digest_of(CONFIG)[7:]}.json"
    manifest = [{"Config": config, "RepoTags": ["app:v1"], "Layers": names}]
    return {config: CONFIG, "manifest.json": json.dumps(manifest).encode(), **dict(zip(names, layers))}


def write(path: pathlib.Path, files: dict[str, bytes]) -> None:
    if path.suffix == ".tar":
        with tarfile.open(path, "w") as archive:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)


Files = Callable[[list[bytes]], dict[str, bytes]]
#: A destination; its files; how it holds the layers.
PLACES: dict[str, tuple[str, Files, list[bytes]]] = {
    "dir": ("dir:{}/image", in_dir, PACKED),
    "oci": ("oci:{}/image:app", in_layout, PACKED),
    "oci-compressed-anew": ("oci:{}/image:app", in_layout, [gzip.compress(layer, 1) for layer in LAYERS]),
    "oci-archive": ("oci-archive:{}/image.tar:app", in_layout, PACKED),
    "docker-archive": ("docker-archive:{}/image.tar:app:v1", in_docker_archive, LAYERS),
}


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> tuple[str, pathlib.Path, dict[str, bytes]]:
    dest, files, layers = PLACES[request.param]
    path = tmp_path / dest.split("/")[1].partition(":")[0]
    return dest.format(tmp_path), path, files(layers)


Place = tuple[str, pathlib.Path, dict[str, bytes]]


def test_whole_image(place: Place) -> None:
    dest, path, files = place
    assert _stored_image.broken_files(dest, image(), DIFF_IDS) == ["manifest.json"]  # nothing exists
    write(path, files)
    assert _stored_image.broken_files(dest, image(), DIFF_IDS) == []
    assert _stored_image.safe_destination(dest) == dest


def test_each_damaged_or_missing_file_is_found(place: Place) -> None:
    dest, path, files = place
    parts = [name for name in files if name not in ("version", "index.json", "manifest.json")]
    assert len(parts) >= 3
    for name in parts:
        for content in (b"E" * len(files[name]), b"", files[name][:-1], files[name] + b"E", None):
            left = {key: value for key, value in files.items() if key != name}
            write(path, left if content is None else {**left, name: content})
            if content is None and path.is_dir():
                (path / name).unlink()
            found = _stored_image.broken_files(dest, image(), DIFF_IDS)
            assert found in ([name], ["manifest.json"]), (name, content)
        write(path, files)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b"5", b"null", b'{"manifests": [5]}', b'[{"Config": 5, "Layers": [5]}]', b"[" * 99],
)
def test_documents_that_are_none(place: Place, content: bytes) -> None:
    dest, path, files = place
    for name in {"index.json", "manifest.json"} & files.keys():
        write(path, {**files, name: content})
        assert _stored_image.broken_files(dest, image(), DIFF_IDS)


@pytest.mark.parametrize("content", [b"", b"no archive", b"\0" * 10240, gzip.compress(b"x" * 99999)])
@pytest.mark.parametrize("transport", ["oci-archive", "docker-archive"])
def test_archives_that_are_none(tmp_path: pathlib.Path, transport: str, content: bytes) -> None:
    (tmp_path / "image.tar").write_bytes(content)
    dest = f"{transport}:{tmp_path}/image.tar"
    assert _stored_image.broken_files(dest, image(), DIFF_IDS) == ["manifest.json"]
    assert transport != "docker-archive" or not _stored_image.is_damaged(dest)


def test_links_in_an_archive_lead_nowhere(tmp_path: pathlib.Path) -> None:
    """A link to itself, and one out of the archive."""
    path = tmp_path / "image.tar"
    for target in ("manifest.json", "/etc/passwd", "../manifest.json"):
        with tarfile.open(path, "w") as archive:
            member = tarfile.TarInfo("manifest.json")
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
        assert _stored_image.broken_files(f"docker-archive:{path}", image(), DIFF_IDS) == ["manifest.json"]


def test_another_image_is_not_this_one(place: Place) -> None:
    dest, path, files = place
    write(path, files)
    other = manifest_of(PACKED[0])
    other_image = _image.Image("app:v2", _manifest.digest_of(other), other, json.loads(other), False)
    assert _stored_image.broken_files(dest, other_image, DIFF_IDS[:1])


def test_layers_in_another_order_are_not_the_image(tmp_path: pathlib.Path) -> None:
    write(tmp_path / "image.tar", in_docker_archive(LAYERS[::-1]))
    assert len(_stored_image.broken_files(f"docker-archive:{tmp_path}/image.tar", image(), DIFF_IDS)) == 2


def test_image_without_diff_ids(tmp_path: pathlib.Path) -> None:
    """As of a chart: the layers have the digests of the registry's."""
    write(tmp_path, in_layout(PACKED))
    assert _stored_image.broken_files(f"oci:{tmp_path}:app", image(), []) == []


def test_remove_blobs_removes_nothing_else(tmp_path: pathlib.Path) -> None:
    files = in_layout(PACKED)
    write(tmp_path, files)
    blob = file_of(DIFF_IDS[0])
    _stored_image.remove_blobs(f"oci:{tmp_path}:app", ["manifest.json", "index.json", blob, file_of(image().digest)])
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == files.keys() - {file_of(image().digest)}


def test_damaged_image_is_known_by_its_files(tmp_path: pathlib.Path) -> None:
    folder, archive = tmp_path / "image", tmp_path / "image.tar"
    write(folder, {**in_dir(PACKED), "manifest.json": b"EEE"})
    assert _stored_image.is_damaged(f"dir:{folder}")
    (folder / "notes.txt").write_text("mine")
    assert not _stored_image.is_damaged(f"dir:{folder}")
    assert not _stored_image.is_damaged(f"dir:{tmp_path}/missing")
    files = in_docker_archive(LAYERS)
    write(
        archive, {name: b"E" if name.endswith(".json") and name != "manifest.json" else files[name] for name in files}
    )
    assert _stored_image.is_damaged(f"docker-archive:{archive}")
    (entry,) = json.loads(files["manifest.json"])
    write(archive, {**files, "manifest.json": json.dumps([entry, entry]).encode()})
    assert not _stored_image.is_damaged(f"docker-archive:{archive}")


def test_problems_of_all_destinations_are_reported_together(tmp_path: pathlib.Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).symlink_to("/etc")
    places = [f"oci:{tmp_path}/a:x", f"dir:{tmp_path}/b", f"dir:{tmp_path}/c", "docker://mirror/app:v1", "dir:"]
    problems = list(_stored_image.unsafe_destination_problems(places))
    assert [problem.partition(" is ")[0] for problem in problems] == [f"{tmp_path}/a", f"{tmp_path}/b"]


def test_links_above_a_destination_are_resolved(tmp_path: pathlib.Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    for dest in ("dir:{}/image", "oci:{}/image:app:v1", "docker-archive:{}/image.tar:app:v1"):
        assert _stored_image.safe_destination(dest.format(tmp_path / "link")) == dest.format(tmp_path / "real")
    assert _stored_image.safe_destination("docker-daemon:app:v1") == "docker-daemon:app:v1"
