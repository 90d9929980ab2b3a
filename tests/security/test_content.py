# SPDX-License-Identifier: GPL-3.0-or-later
"""An image is reported as pulled only if its content is the registry's, wherever it was and whoever put it there.

The registry is the tests' own, with a token, so no AWS is involved. Root runs these tests: they give files to other
users.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import io
import json
import os
import pathlib
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.control import Control
from tests.support.registry import OCI_INDEX, OCI_MANIFEST, Server
from tests.support.serving import serving

STRANGER = 54321
TOKEN = "QVdTOnRva2Vu"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG = "application/vnd.oci.image.config.v1+json"
DOCKER = "application/vnd.docker."


class Image:
    """An image of the registry: its digest, and the digests of its configuration and layers."""

    def __init__(
        self, server: Server, *texts: str, docker: bool = False, changes: dict[str, Any] | None = None
    ) -> None:
        self.server, self.packed, contents = server, [], []
        for text in texts or ("one", "two" * 1000):
            content = io.BytesIO()
            with tarfile.open(fileobj=content, mode="w") as archive:
                member = tarfile.TarInfo("file")
                member.size = len(text)
                archive.addfile(member, io.BytesIO(text.encode()))
            contents.append(content.getvalue())
            self.packed.append(gzip.compress(content.getvalue(), mtime=0))
        layers = [server.push("team/app", packed) for packed in self.packed]
        rootfs = {"type": "layers", "diff_ids": [server.push("x", content)["digest"] for content in contents]}
        config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": rootfs}
        described = server.push("team/app", json.dumps(config).encode())
        self.config, self.layers = described["digest"], [layer["digest"] for layer in layers]
        self.type = DOCKER + "distribution.manifest.v2+json" if docker else OCI_MANIFEST
        layer_type = DOCKER + "image.rootfs.diff.tar.gzip" if docker else LAYER
        config_type = DOCKER + "container.image.v1+json" if docker else CONFIG
        manifest = {
            **{"schemaVersion": 2, "mediaType": self.type, "config": {**described, "mediaType": config_type}},
            **{"layers": [{**layer, "mediaType": layer_type} for layer in layers], **(changes or {})},
        }
        self.content = json.dumps(manifest).encode()
        self.descriptor = server.push("team/app", self.content, self.type)
        self.digest: str = self.descriptor["digest"]


@pytest.fixture
def server() -> Iterator[Server]:
    """The owner's registry."""
    server = Server()
    server.serve("/v2/", 200, b"{}")
    with serving(server):
        yield server


@pytest.fixture
def image(server: Server) -> Image:
    return Image(server)


def attempt(control: Control, server: Server, digest: str, dest: Any, *flags: str) -> dict[str, Any]:
    """The result of a pull into a folder, or to a destination of skopeo."""
    engine = "skopeo" if ":" in str(dest) else "oci_layout"
    options: dict[str, Any] = {"engine": engine, "dest": str(dest), "images": [f"team/app:v1@{digest}"]}
    options |= {"registry_url": server.url, "registry_token": TOKEN, "platform": "linux/amd64"}
    return control.module("ecr_image_pull", None, *flags, **options)


def pull(control: Control, image: Image, dest: Any, *flags: str) -> bool:
    """Whether a pull, which must not fail, reports a change."""
    result = attempt(control, image.server, image.digest, dest, *flags)
    assert result["code"] == 0, result
    assert result["changed"] is result["images"][0]["changed"]
    return bool(result["changed"])


def refusal(control: Control, server: Server, digest: str, dest: Any) -> str:
    """Why a pull is rejected: the same in check mode, and without a request for a layer."""
    messages = []
    for flags in (["--check"], []):
        result = attempt(control, server, digest, dest, *flags)
        assert result["code"] == 2, result
        assert "Traceback" not in result["msg"]
        messages.append(result["msg"])
    assert messages[0] == messages[1]
    assert not [path for path, _headers in server.requests if "/blobs/" in path]
    return str(messages[0])


def blob(dest: pathlib.Path, digest: str) -> pathlib.Path:
    return dest / "blobs/sha256" / digest.partition(":")[2]


def overwrite(path: pathlib.Path) -> bytes:
    """Replace the content by as many other bytes; the content of before."""
    content = path.read_bytes()
    path.write_bytes(b"E" * len(content))
    return content


def repaired(control: Control, image: Image, dest: Any) -> None:
    """A pull finds the damage, in check mode as well, and repairs it once."""
    assert [pull(control, image, dest, *flags) for flags in (["--check"], [], [])] == [True, True, False]


# --- content that exists


@pytest.mark.parametrize("part", ["config", "layer"])
def test_overwritten_file_of_a_layout_is_fetched_again(
    control: Control, image: Image, tmp_path: pathlib.Path, part: str
) -> None:
    """Finding 10: a file with as many other bytes was reported as the image that is here already."""
    dest = tmp_path / "layout"
    assert pull(control, image, dest)
    path = blob(dest, image.config if part == "config" else image.layers[1])
    content = overwrite(path)
    repaired(control, image, dest)
    assert path.read_bytes() == content


def test_planted_layer_of_a_layout_is_fetched(control: Control, image: Image, tmp_path: pathlib.Path) -> None:
    """Finding 10: a prepared folder had a file with the name and the size of a layer, which was kept."""
    dest = tmp_path / "layout"
    planted = blob(dest, image.layers[0])
    planted.parent.mkdir(parents=True)
    (dest / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    planted.write_bytes(b"E" * len(image.packed[0]))
    repaired(control, image, dest)
    assert planted.read_bytes() == image.packed[0]


TRANSPORTS = ["dir:{}/image", "oci:{}/image:app", "oci-archive:{}/image.tar:app", "docker-archive:{}/image.tar:app:v1"]


@pytest.mark.engine
@pytest.mark.usefixtures("skopeo")
@pytest.mark.parametrize("docker", [False, True], ids=["oci-image", "docker-image"])
@pytest.mark.parametrize("dest", TRANSPORTS, ids=lambda dest: dest.partition(":")[0])
def test_overwritten_skopeo_file_is_copied_again(
    control: Control, server: Server, tmp_path: pathlib.Path, dest: str, docker: bool
) -> None:
    """Finding 10: only the configuration was compared, and skopeo itself reuses what has the right name."""
    image, dest = Image(server, docker=docker), dest.format(tmp_path)
    assert pull(control, image, dest)
    before = contents(tmp_path)
    configuration = image.config.partition(":")[2]
    packed_or_unpacked = [name for name, content in before.items() if len(content) > 2000 or content[:2] == b"\x1f\x8b"]
    assert len(packed_or_unpacked) == 2
    for name in [*packed_or_unpacked, *(name for name in before if configuration in name)]:
        spoil(tmp_path, name)
        assert contents(tmp_path) != before
        repaired(control, image, dest)
        assert contents(tmp_path) == before


@pytest.mark.engine
@pytest.mark.usefixtures("skopeo")
@pytest.mark.parametrize("part", ["config", "manifest"])
@pytest.mark.parametrize("dest", TRANSPORTS[:2], ids=lambda dest: dest.partition(":")[0])
def test_overwritten_skopeo_document_is_copied_again(
    control: Control, image: Image, tmp_path: pathlib.Path, dest: str, part: str
) -> None:
    """A variant of finding 10: another manifest with the configuration of the image, such as one with fewer layers."""
    dest = dest.format(tmp_path)
    assert pull(control, image, dest)
    before = contents(tmp_path)
    expected = {"config": b'"rootfs"', "manifest": b'"layers":'}[part]
    (path,) = [tmp_path / name for name, content in before.items() if expected in content]
    document = json.loads(path.read_text())
    document |= {"layers": document["layers"][:1]} if part == "manifest" else {"author": "somebody"}
    path.write_text(json.dumps(document))
    repaired(control, image, dest)
    assert contents(tmp_path) == before


@pytest.mark.engine
@pytest.mark.usefixtures("skopeo")
def test_planted_layer_of_a_layout_of_skopeo_is_replaced(
    control: Control, image: Image, tmp_path: pathlib.Path
) -> None:
    """Finding 10: skopeo reuses a file of the right name in oci: without reading it, so a copy kept a planted layer."""
    planted = blob(tmp_path / "image", image.layers[0])
    planted.parent.mkdir(parents=True)
    planted.write_bytes(b"E" * len(image.packed[0]))
    repaired(control, image, f"oci:{tmp_path}/image:app")
    assert planted.read_bytes() == image.packed[0]


def contents(folder: pathlib.Path) -> dict[str, bytes]:
    """Each file in a folder, and each file of an archive there, with its content."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".tar":
            with tarfile.open(path) as archive:
                for member in archive:
                    if member.isreg() and (file := archive.extractfile(member)):
                        found[f"{path.name}!{member.name}"] = file.read()
        elif path.is_file():
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found


def spoil(folder: pathlib.Path, name: str) -> None:
    """Overwrite a file of `contents`, in an archive too."""
    archive, _mark, member = name.rpartition("!")
    if not archive:
        overwrite(folder / name)
        return
    with tarfile.open(folder / archive) as opened:
        found = opened.getmember(member)
    with (folder / archive).open("r+b") as file:
        file.seek(found.offset_data)
        file.write(b"E" * found.size)


# --- users that can change a destination


@contextlib.contextmanager
def layout(control: Control, image: Image, dest: pathlib.Path) -> Iterator[Callable[[], str]]:
    """A layout with the image; afterwards a pull must be rejected, and nothing in it has changed."""
    pull(control, image, dest)
    image.server.requests.clear()
    yield lambda: refusal(control, image.server, image.digest, dest)


POSITIONS = ["", "blobs", "blobs/sha256", "index.json", "oci-layout", "layer"]


def place(dest: pathlib.Path, position: str, image: Image) -> pathlib.Path:
    return blob(dest, image.layers[0]) if position == "layer" else dest / position


@pytest.mark.parametrize("position", POSITIONS)
def test_link_in_a_layout_is_rejected(control: Control, image: Image, tmp_path: pathlib.Path, position: str) -> None:
    """Finding 10: blobs was a link, and files appeared where it leads to."""
    dest, elsewhere = tmp_path / "layout", tmp_path / "elsewhere"
    with layout(control, image, dest) as message:
        path = place(dest, position, image)
        path.rename(elsewhere)
        path.symlink_to(elsewhere)
        before = contents(tmp_path)
        assert message() == f"{path} is a symbolic link. Remove it, or choose a dest without links."
        assert contents(tmp_path) == before


@pytest.mark.parametrize("position", ["..", *POSITIONS])
def test_layout_of_another_user_is_rejected(
    control: Control, image: Image, tmp_path: pathlib.Path, position: str
) -> None:
    """Finding 10: whatever another user had prepared was believed."""
    dest = tmp_path / "above/layout"
    with layout(control, image, dest) as message:
        path = dest.parent if position == ".." else place(dest, position, image)
        os.chown(path, STRANGER, STRANGER)
        assert message().startswith(f"{path} belongs to user {STRANGER}, who can change it. Choose a dest that only ")


@pytest.mark.parametrize("position", ["..", *POSITIONS])
@pytest.mark.parametrize(("mode", "who"), [(0o777, "every user"), (0o1777, "every user"), (0o775, f"group {STRANGER}")])
def test_layout_that_others_may_write_to_is_rejected(
    control: Control, image: Image, tmp_path: pathlib.Path, position: str, mode: int, who: str
) -> None:
    """Finding 10. The sticky bit protects the layout in a folder above it, and nothing within the layout."""
    dest = tmp_path / "above/layout"
    with layout(control, image, dest) as message:
        path = dest.parent if position == ".." else place(dest, position, image)
        os.chown(path, 0, STRANGER)
        path.chmod(mode)
        if (position, mode) == ("..", 0o1777):
            assert not pull(control, image, dest)
        else:
            assert message() == (
                f"{path} can be changed by {who} (mode {mode:04o}). Run chmod go-w {path}, or choose another dest."
            )


def test_link_of_another_user_above_a_layout_is_rejected(
    control: Control, image: Image, tmp_path: pathlib.Path
) -> None:
    """A variant of finding 10: in a folder like /tmp, a link of another user leads into a folder of root's."""
    shared, private = tmp_path / "shared", tmp_path / "private"
    shared.mkdir()
    shared.chmod(0o1777)
    private.mkdir()
    (shared / "mine").symlink_to(private)
    assert pull(control, image, shared / "mine/layout")  # root's own link is followed
    image.server.requests.clear()
    os.chown(shared / "mine", STRANGER, STRANGER, follow_symlinks=False)
    message = refusal(control, image.server, image.digest, shared / "mine/other")
    assert message == f"{shared}/mine is a symbolic link of user {STRANGER}. Choose a dest without links."
    assert [path.name for path in private.iterdir()] == ["layout"]


def test_hard_link_to_a_file_of_another_user_is_rejected(
    control: Control, image: Image, tmp_path: pathlib.Path
) -> None:
    """A variant of finding 10: the other user can still change the file by its other name."""
    dest, other = tmp_path / "layout", tmp_path / "other"
    with layout(control, image, dest) as message:
        path = blob(dest, image.layers[0])
        other.write_bytes(path.read_bytes())
        os.chown(other, STRANGER, STRANGER)
        path.unlink()
        path.hardlink_to(other)
        assert message().startswith(f"{path} belongs to user {STRANGER}, who can change it. ")


@pytest.mark.parametrize("position", ["index.json", "oci-layout", "layer"])
def test_pipe_in_a_layout_does_not_hang(control: Control, image: Image, tmp_path: pathlib.Path, position: str) -> None:
    """A variant of finding 10: a reader of a named pipe waits until another process writes to it."""
    dest = tmp_path / "layout"
    with layout(control, image, dest) as message:
        path = place(dest, position, image)
        path.unlink()
        os.mkfifo(path)
        assert message() == f"{path} is not a regular file. Remove it, or choose another dest."


@pytest.mark.parametrize("content", [b"{}" + b" " * 5_000_000, b"[" * 4_000_000, b'{"manifests": [' + b"9" * 5_000])
def test_hostile_index_of_a_layout_is_rejected(
    control: Control, image: Image, tmp_path: pathlib.Path, content: bytes
) -> None:
    """A variant of finding 10: the index of a prepared folder was read whole, whatever its size."""
    dest = tmp_path / "layout"
    with layout(control, image, dest) as message:
        (dest / "index.json").write_bytes(content)
        assert message() in (
            f"{dest}/index.json has more than 4194304 bytes. Choose another dest.",
            "The existing index.json is not the index of an OCI image layout. Choose an empty dest.",
        )


@pytest.mark.engine
@pytest.mark.usefixtures("skopeo")
@pytest.mark.parametrize("dest", TRANSPORTS, ids=lambda dest: dest.partition(":")[0])
@pytest.mark.parametrize("attack", ["link", "owner", "mode", "pipe"])
def test_skopeo_destination_of_other_users_is_rejected(
    control: Control, image: Image, tmp_path: pathlib.Path, dest: str, attack: str
) -> None:
    """Finding 10, for what skopeo reads and writes on this host."""
    path, dest = tmp_path / dest.split(":")[1].removeprefix("{}/"), dest.format(tmp_path)
    assert pull(control, image, dest)
    image.server.requests.clear()
    if attack == "link":
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
    elif attack == "owner":
        os.chown(path, STRANGER, STRANGER)
    elif attack == "mode":
        path.chmod(0o777)
    else:
        path.rename(tmp_path / "elsewhere")
        os.mkfifo(path)
    assert refusal(control, image.server, image.digest, dest).startswith(f"{path} ")


@pytest.mark.engine
@pytest.mark.usefixtures("skopeo")
@pytest.mark.parametrize("dest", TRANSPORTS[:2], ids=lambda dest: dest.partition(":")[0])
def test_link_in_a_destination_of_skopeo_is_rejected(
    control: Control, image: Image, tmp_path: pathlib.Path, dest: str
) -> None:
    """Finding 10: a layer is a link to a file that another user can change."""
    dest = dest.format(tmp_path)
    assert pull(control, image, dest)
    image.server.requests.clear()
    (layer,) = tmp_path.rglob(image.layers[0].partition(":")[2])
    layer.rename(tmp_path / "elsewhere")
    layer.symlink_to(tmp_path / "elsewhere")
    result = attempt(control, image.server, image.digest, dest)
    assert (result["code"], result["msg"]) == (
        2,
        f"{layer} is a symbolic link. Remove it, or choose a dest without links.",
    )


# --- documents of the registry


def index(server: Server, entry: dict[str, Any]) -> str:
    """The digest of an index with this entry."""
    return str(server.push_index("team/app", amd64=entry)["digest"])


def test_index_in_an_index_is_rejected(control: Control, server: Server, tmp_path: pathlib.Path) -> None:
    """Finding 15: a document of an index's type that has layers was entered into the layout as an image."""
    both = Image(server, changes={"mediaType": OCI_INDEX, "manifests": []})
    inner = server.push("team/app", both.content, OCI_INDEX)
    plain = Image(server, changes={"mediaType": OCI_INDEX})
    for digest in (
        index(server, inner),
        index(server, server.push("team/app", plain.content, OCI_INDEX)),
        index(server, server.push_index("team/app", amd64=Image(server).descriptor)),
    ):
        rejected_document(control, server, digest, tmp_path)


@pytest.mark.parametrize("key", ["manifests", "Manifests", "MANIFESTS", "manifest\u017f"])
@pytest.mark.parametrize("named", [True, False])
def test_document_with_both_lists_is_rejected(
    control: Control, server: Server, tmp_path: pathlib.Path, key: str, named: bool
) -> None:
    """Finding 15, CVE-2021-41190: the registry's header alone decided whether it is an image or an index."""
    changes: dict[str, Any] = {key: [Image(server, "another").descriptor]}
    both = json.loads(Image(server, changes=changes).content)
    if not named:
        del both["mediaType"]
    descriptor = server.push("team/app", json.dumps(both).encode(), OCI_MANIFEST)
    rejected_document(control, server, descriptor["digest"], tmp_path)
    rejected_document(control, server, index(server, descriptor), tmp_path)


def test_document_that_contradicts_its_header_is_rejected(
    control: Control, server: Server, image: Image, tmp_path: pathlib.Path
) -> None:
    """CVE-2021-41190: two tools, one of which believes the header, see two images in one digest."""
    server.push("team/app", image.content, OCI_INDEX)
    rejected_document(control, server, image.digest, tmp_path)


@pytest.mark.parametrize("difference", [-1, 1])
def test_entry_of_another_size_than_its_content_is_rejected(
    control: Control, server: Server, image: Image, tmp_path: pathlib.Path, difference: int
) -> None:
    """Finding 15: the size that an index declares for an image was not compared."""
    size = image.descriptor["size"] + difference
    rejected_document(control, server, index(server, {**image.descriptor, "size": size}), tmp_path)


def rejected_document(control: Control, server: Server, digest: str, folder: pathlib.Path) -> None:
    result = attempt(control, server, digest, folder / "layout")
    assert result["code"] == 2, result
    assert "Traceback" not in result["msg"]
    assert list(folder.iterdir()) == []


@pytest.mark.engine
@pytest.mark.usefixtures("skopeo")
@pytest.mark.parametrize("dest", TRANSPORTS[:2], ids=lambda dest: dest.partition(":")[0])
def test_skopeo_gets_no_ambiguous_document(control: Control, server: Server, tmp_path: pathlib.Path, dest: str) -> None:
    """Finding 15, where skopeo copies."""
    image = Image(server)
    digest = index(server, {**image.descriptor, "size": image.descriptor["size"] + 1})
    result = attempt(control, server, digest, dest.format(tmp_path))
    assert result["code"] == 2, result
    assert list(tmp_path.iterdir()) == []


# --- modes


@pytest.mark.parametrize(
    ("umask", "modes"), [(0o077, (0o700, 0o600)), (0o027, (0o750, 0o640)), (0o022, (0o755, 0o644))]
)
def test_files_of_a_layout_follow_the_umask(
    control: Control,
    image: Image,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    umask: int,
    modes: tuple[int, int],
) -> None:
    """Finding 16: files were readable by every user whatever the umask."""
    monkeypatch.setattr(control, "python", None)  # the quick Python has a umask of its own
    monkeypatch.setattr(subprocess, "run", functools.partial(subprocess.run, umask=umask))
    assert pull(control, image, tmp_path / "layout")
    assert not pull(control, image, tmp_path / "layout")
    found = list((tmp_path / "layout").rglob("*"))
    assert {path.stat().st_mode & 0o7777 for path in found if path.is_dir()} == {modes[0]}
    assert {path.stat().st_mode & 0o7777 for path in found if path.is_file()} == {modes[1]}
