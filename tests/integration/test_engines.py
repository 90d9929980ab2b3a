# SPDX-License-Identifier: GPL-3.0-or-later
"""`ecr_image_pull` with the real docker, podman and skopeo, and into a layout, from a registry that may misbehave."""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.lab import accounts
from tests.support.control import REPOSITORY_ARN, ROLE, ROLE_ARN, Control
from tests.support.forwarding import Answer, TamperingProxy
from tests.support.lab import Lab
from tests.support.serving import serving

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("skopeo")]

ENGINES = ("docker", "podman", "skopeo", "oci_layout")
HERE = accounts.architecture()
ELSEWHERE = "arm64" if HERE == "amd64" else "amd64"
TYPE = "application/vnd.oci.image."
BY_ROLE = {"role_arn": ROLE_ARN, "external_id": "test", "role_session_name": ROLE}


@dataclass(frozen=True)
class Image:
    """The images that were pushed: the manifest, the digests of the layers, and those of what is in them."""

    manifest: bytes = field(repr=False)
    layers: list[str]
    contents: list[str]

    @property
    def digest(self) -> str:
        return digest_of(self.manifest)

    def on(self, architecture: str) -> tuple[str, list[str]]:
        """The value of `found` for this image."""
        return architecture, self.contents


class Publisher:
    """Pushes into the owner account's registry, over the Docker Registry API."""

    def __init__(self, lab: Lab) -> None:
        token = lab.client("owner", "ecr").get_authorization_token()["authorizationData"][0]
        self.url, self._token = token["proxyEndpoint"], token["authorizationToken"]

    def image(
        self, repository: str, image_tag: str | None, *layers: str | bytes, architecture: str = HERE, **platform: str
    ) -> Image:
        """An image of one platform. A layer is a text, which is packed as a file, or the bytes of a tar."""
        entries, contents = [], []
        for layer in layers:
            if isinstance(layer, str):
                packed, media_type = accounts.layer({"text": layer.encode()}), "layer.v1.tar+gzip"
                contents.append(digest_of(gzip.decompress(packed)))
            else:
                packed, media_type = layer, "layer.v1.tar"
                contents.append(digest_of(packed))
            entries.append(self._blob(repository, packed, TYPE + media_type))
        rootfs = {"type": "layers", "diff_ids": contents}
        config = {
            "architecture": architecture,
            "os": "linux",
            **platform,
            "config": {"Cmd": ["/hello"]},
            "rootfs": rootfs,
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": TYPE + "manifest.v1+json",
            "config": self._blob(repository, json.dumps(config).encode(), TYPE + "config.v1+json"),
            "layers": entries,
        }
        content = self._manifest(repository, image_tag, manifest)
        return Image(content, [entry["digest"] for entry in entries], contents)

    def index(self, repository: str, image_tag: str, text: str) -> tuple[str, dict[str, Image]]:
        """An image of two platforms, of two layers each: its digest, and the image for each architecture."""
        images = {
            architecture: self.image(repository, None, f"{text} for {architecture}", text, architecture=architecture)
            for architecture in ("amd64", "arm64")
        }
        platforms = [(image, {"os": "linux", "architecture": name}) for name, image in images.items()]
        return self.index_of(repository, image_tag, platforms), images

    def index_of(self, repository: str, image_tag: str, entries: Sequence[tuple[Image, dict[str, str] | None]]) -> str:
        """The digest of an index of images, each with its platform in the index, or without one."""
        manifests = [
            {
                "mediaType": TYPE + "manifest.v1+json",
                "digest": image.digest,
                "size": len(image.manifest),
                **({"platform": platform} if platform else {}),
            }
            for image, platform in entries
        ]
        index = {"schemaVersion": 2, "mediaType": TYPE + "index.v1+json", "manifests": manifests}
        return digest_of(self._manifest(repository, image_tag, index))

    def _blob(self, repository: str, content: bytes, media_type: str) -> dict[str, Any]:
        digest = digest_of(content)
        location = self._send("POST", f"/v2/{repository}/blobs/uploads/", b"")["Location"]
        self._send("PUT", f"{location}?digest={digest}", content)
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    def _manifest(self, repository: str, image_tag: str | None, manifest: dict[str, Any]) -> bytes:
        content = json.dumps(manifest).encode()
        path = f"/v2/{repository}/manifests/{image_tag or digest_of(content)}"
        self._send("PUT", path, content, manifest["mediaType"])
        return content

    def _send(self, method: str, path: str, body: bytes, media_type: str = "application/octet-stream") -> Any:
        headers = {"Authorization": f"Basic {self._token}", "Content-Type": media_type}
        request = urllib.request.Request(self.url + path, data=body, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=300) as reply:
            return reply.headers


def digest_of(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


@pytest.fixture(scope="module")
def shared(control: Control, docker: dict[str, str], podman: dict[str, str]) -> Control:
    """Two repositories that the consumer may pull from, and every engine."""
    control.lab.client("owner", "ecr").create_repository(repositoryName="tools/app")
    control.engines = {**docker, **podman}
    shared = control.share(ecr_share_repositories=["release", "tools/app"])
    assert shared.code == 0, shared
    return control


@pytest.fixture(scope="module")
def publisher(shared: Control) -> Publisher:
    return Publisher(shared.lab)


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """An image tag that no other test has, and a text that no other image has."""
    return hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]


def attempt(control: Control, *flags: str, **options: Any) -> dict[str, Any]:
    """The result of `ecr_image_pull`: with a token if the options have one, otherwise by the role."""
    if "registry_token" in options:
        return control.module("ecr_image_pull", None, *flags, **options)
    return control.module("ecr_image_pull", "consumer", *flags, **BY_ROLE, **options)


def pull(control: Control, *flags: str, **options: Any) -> dict[str, Any]:
    """The result of `ecr_image_pull`, which must not fail."""
    result = attempt(control, *flags, **options)
    assert result["code"] == 0, control.last
    return result


def into(engine: str, folder: pathlib.Path, name: str = "image") -> dict[str, Any]:
    """The options for an engine; where it needs a destination, in the folder."""
    dest = {"skopeo": f"oci:{folder}/skopeo:{name}", "oci_layout": f"{folder}/layout"}
    return {"engine": engine, **({"dest": dest[engine]} if engine in dest else {})}


def run(control: Control, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **control.engines}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)


def found(control: Control, engine: str, reference: str) -> tuple[str, list[str]] | None:
    """Architecture and layers' contents of the image that has this name; None if no layer is missing."""
    if engine in ("docker", "podman"):
        there = run(control, engine, "image", "inspect", reference)
        if there.returncode:
            return None
        (image,) = json.loads(there.stdout)
        return image["Architecture"], image["RootFS"]["Layers"]
    daemon = [f"--daemon-host={control.engines['DOCKER_HOST']}"] if reference.startswith("docker-daemon:") else []
    there = run(control, "skopeo", "inspect", "--config", *daemon, reference)
    if there.returncode:
        return None
    image = json.loads(there.stdout)
    return image["architecture"], image["rootfs"]["diff_ids"]


def fetched(control: Control, mark: int) -> list[str]:
    """The blobs that were requested from the registry, after the first `mark` calls."""
    return [call for call in control.lab.calls()[mark:] if call.startswith("GET /v2/") and "/blobs/" in call]


# --- images that are pulled


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_takes_an_image_of_a_lower_variant(
    shared: Control, publisher: Publisher, name: str, tmp_path: pathlib.Path, engine: str
) -> None:
    image = publisher.image("release", None, name, architecture="arm", variant="v6")
    index = publisher.index_of("release", name, [(image, {"os": "linux", "architecture": "arm", "variant": "v6"})])
    options = {**into(engine, tmp_path), "images": [f"release:{name}"], "platform": "linux/arm/v7"}
    assert attempt(shared, **{**options, "platform": "linux/arm/v5"})["code"] == 2, shared.last
    result = pull(shared, **options)
    assert (result["changed"], result["images"][0]["digest"]) == (True, index)
    assert found(shared, engine, result["images"][0]["reference"]) == image.on("arm")
    assert pull(shared, **options)["changed"] is False


@pytest.mark.parametrize("engine", ["podman", "skopeo", "oci_layout"])
def test_only_entry_without_platform_is_pulled(
    shared: Control, publisher: Publisher, name: str, tmp_path: pathlib.Path, engine: str
) -> None:
    image = publisher.image("release", None, name)
    publisher.index_of("release", name, [(image, None)])
    options = {**into(engine, tmp_path), "images": [f"release:{name}"]}
    result = pull(shared, **options)
    assert found(shared, engine, result["images"][0]["reference"]) == image.on(HERE)
    assert pull(shared, **options)["changed"] is False
    refused = attempt(shared, **options, platform=f"linux/{ELSEWHERE}")
    assert refused["code"] == 2, shared.last


@pytest.mark.parametrize("engine", ENGINES)
def test_a_platform_is_pulled_by_the_digest_of_an_index(
    shared: Control, publisher: Publisher, name: str, tmp_path: pathlib.Path, engine: str
) -> None:
    index, images = publisher.index("release", name, name)
    options = {**into(engine, tmp_path), "images": [f"release@{index}"], "platform": f"linux/{ELSEWHERE}"}
    mark = len(shared.lab.calls())
    predicted = pull(shared, "--check", **options)
    (image,) = predicted["images"]
    assert (image["changed"], image["digest"], image["image"]) == (True, index, f"release@{index}")
    assert found(shared, engine, image["reference"]) is None
    assert fetched(shared, mark) == []
    assert list(tmp_path.iterdir()) == []
    assert pull(shared, **options) == {**predicted, "predicted": False}
    assert found(shared, engine, image["reference"]) == images[ELSEWHERE].on(ELSEWHERE)
    mark = len(shared.lab.calls())
    assert pull(shared, **options)["changed"] is False
    assert not [call for call in fetched(shared, mark) if call.endswith(tuple(images[ELSEWHERE].layers))]


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_another_platform_takes_the_place_of_the_first(
    shared: Control, publisher: Publisher, name: str, engine: str
) -> None:
    index, images = publisher.index("release", name, name)
    options: dict[str, Any] = {"engine": engine, "images": [f"release:{name}@{index}"]}
    (first,) = pull(shared, **options, platform=f"linux/{ELSEWHERE}")["images"]
    assert found(shared, engine, first["reference"]) == images[ELSEWHERE].on(ELSEWHERE)
    (second,) = pull(shared, **options, platform=f"linux/{HERE}")["images"]
    assert second == first
    assert found(shared, engine, first["reference"]) == images[HERE].on(HERE)


@pytest.mark.parametrize("engine", ENGINES)
def test_one_image_of_another_platform_than_asked_for_is_refused(
    shared: Control, publisher: Publisher, name: str, tmp_path: pathlib.Path, engine: str
) -> None:
    image = publisher.image("release", name, name)
    options = {**into(engine, tmp_path), "images": [f"release:{name}"]}
    refused = attempt(shared, **options, platform=f"linux/{ELSEWHERE}")
    assert refused["code"] == 2, shared.last
    assert refused["msg"].endswith(f" has no image for linux/{ELSEWHERE}; it has linux/{HERE}.")
    result = pull(shared, **options, platform=f"linux/{HERE}/v1")
    assert result["changed"] is True  # a rejected image is not stored
    assert found(shared, engine, result["images"][0]["reference"]) == image.on(HERE)


@pytest.mark.parametrize("engine", ENGINES)
def test_several_images_of_several_repositories_in_one_task(
    shared: Control, publisher: Publisher, name: str, tmp_path: pathlib.Path, engine: str
) -> None:
    index, images = publisher.index("release", name, name)
    app, named = publisher.image("tools/app", name, name), publisher.image("tools/app", f"{name}-2", name, "more")
    image_names = [f"release:{name}@{index}", f"tools/app:{name}", f"tools/app:{name}-2@{named.digest}"]
    options = {**into(engine, tmp_path, "{repository}-{image_tag}"), "images": image_names}
    result = pull(shared, **options)
    assert (result["changed"], result["engine"]) == (True, engine)
    assert [(image["image"], image["digest"], image["changed"]) for image in result["images"]] == [
        (image_names[0], index, True),
        (image_names[1], app.digest, True),
        (image_names[2], named.digest, True),
    ]
    local = [f"release:{name}", f"tools/app:{name}", f"tools/app:{name}-2"]
    if engine == "skopeo":
        local = [image.replace(":", "-") for image in local]
    begin = {"skopeo": f"oci:{tmp_path}/skopeo:", "oci_layout": f"oci:{tmp_path}/layout:"}
    references = [begin.get(engine, result["registry"] + "/") + image for image in local]
    assert [image["reference"] for image in result["images"]] == references
    assert [found(shared, engine, reference) for reference in references] == [
        item.on(HERE) for item in (images[HERE], app, named)
    ]


@pytest.mark.parametrize("engine", ENGINES)
def test_an_image_tag_that_moves_is_followed(
    shared: Control, publisher: Publisher, name: str, tmp_path: pathlib.Path, engine: str
) -> None:
    options = {**into(engine, tmp_path), "images": [f"release:{name}"]}
    old = publisher.image("release", name, name, "old")
    (first,) = pull(shared, **options)["images"]
    assert (first["changed"], first["digest"]) == (True, old.digest)
    new = publisher.image("release", name, name, "new")
    predicted = pull(shared, "--check", **options)
    assert found(shared, engine, first["reference"]) == old.on(HERE)
    assert pull(shared, **options) == {**predicted, "predicted": False}
    assert predicted["images"] == [{**first, "digest": new.digest}]
    assert found(shared, engine, first["reference"]) == new.on(HERE)


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_a_local_image_tag_that_was_moved_by_hand_is_put_back(
    shared: Control, publisher: Publisher, name: str, engine: str
) -> None:
    image, other = publisher.image("release", name, name), publisher.image("release", f"{name}-other", name, "other")
    options: dict[str, Any] = {"engine": engine, "images": [f"release:{name}", f"release:{name}-other"]}
    mine, theirs = (image["reference"] for image in pull(shared, **options)["images"])
    assert run(shared, engine, "tag", theirs, mine).returncode == 0
    assert found(shared, engine, mine) == other.on(HERE)
    mark = len(shared.lab.calls())
    assert [image["changed"] for image in pull(shared, **options)["images"]] == [True, False]
    assert (found(shared, engine, mine), found(shared, engine, theirs)) == (image.on(HERE), other.on(HERE))
    assert fetched(shared, mark) == []


# --- skopeo's destinations


@pytest.mark.parametrize(
    "dest",
    [
        "docker-archive:{folder}/{{repository}}-{{image_tag}}.tar:app:{{image_tag}}",
        "dir:{folder}/{{image_tag}}",
        "docker-daemon:local/{{repository}}:{{image_tag}}",
        "containers-storage:localhost/{{repository}}:{{image_tag}}",
    ],
    ids=lambda dest: dest.partition(":")[0],
)
def test_skopeo_copies_to_any_transport_once(
    shared: Control, publisher: Publisher, name: str, tmp_path: pathlib.Path, dest: str
) -> None:
    """Beside oci, which the tests above have for skopeo."""
    image = publisher.image("release", name, name, "two layers")
    options: dict[str, Any] = {"engine": "skopeo", "dest": dest.format(folder=tmp_path), "images": [f"release:{name}"]}
    reference = options["dest"].replace("{repository}", "release").replace("{image_tag}", name)
    predicted = pull(shared, "--check", **options)
    expected = {"image": f"release:{name}", "reference": reference, "digest": image.digest, "changed": True}
    assert predicted["images"] == [expected]
    assert found(shared, "skopeo", reference) is None
    assert list(tmp_path.iterdir()) == []
    assert pull(shared, **options) == {**predicted, "predicted": False}
    assert found(shared, "skopeo", reference) == image.on(HERE)
    mark = len(shared.lab.calls())
    assert pull(shared, **options)["images"] == [{**expected, "changed": False}]
    assert not [call for call in fetched(shared, mark) if call.endswith(tuple(image.layers))]


def test_a_repository_with_a_slash_in_its_name_gets_its_folder(
    shared: Control, publisher: Publisher, name: str, tmp_path: pathlib.Path
) -> None:
    image = publisher.image("tools/app", name, name)
    dest = f"docker-archive:{tmp_path}/{{repository}}.tar:app:{{image_tag}}"
    (pulled,) = pull(shared, engine="skopeo", dest=dest, images=[f"tools/app:{name}"])["images"]
    assert found(shared, "skopeo", pulled["reference"]) == image.on(HERE)


@pytest.mark.parametrize("dest", ["dir:{}", "docker-archive:{}/notes.txt:app:v1.0"])
def test_file_that_is_not_an_image_is_not_replaced(shared: Control, tmp_path: pathlib.Path, dest: str) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("mine")
    result = attempt(shared, engine="skopeo", dest=dest.format(tmp_path), images=[f"release:{accounts.IMAGE_TAG}"])
    where = tmp_path if dest.startswith("dir:") else notes
    message = f"{where} exists and does not hold exactly one image. Nothing was changed. Move it to another place."
    assert (result["code"], result["msg"]) == (2, message)
    assert (list(tmp_path.iterdir()), notes.read_text()) == ([notes], "mine")


def test_an_archive_of_several_images_keeps_them(
    shared: Control, publisher: Publisher, name: str, tmp_path: pathlib.Path
) -> None:
    """skopeo refuses to add to it, and we do not put one image in its place."""
    image = publisher.image("release", name, name)
    archive = tmp_path / "images.tar"
    (pulled,) = pull(shared, engine="docker", images=[f"release:{name}"])["images"]
    (second,) = pull(shared, engine="docker", images=[f"release:{accounts.IMAGE_TAG}"])["images"]
    assert (
        run(shared, "docker", "save", "--output", str(archive), pulled["reference"], second["reference"]).returncode
        == 0
    )
    before = archive.read_bytes()
    dest = f"docker-archive:{archive}:app:v1"
    result = attempt(shared, engine="skopeo", dest=dest, images=[f"release:{name}@{image.digest}"])
    assert (result["code"], archive.read_bytes() == before) == (2, True), result


def test_two_images_for_one_destination_stop_the_pull(shared: Control, tmp_path: pathlib.Path) -> None:
    mark = len(shared.lab.calls())
    options = {"engine": "skopeo", "dest": f"oci:{tmp_path}/layout:app", "images": ["release:v1.0", "tools/app:v1.0"]}
    result = attempt(shared, **options)
    where = f"oci:{tmp_path}/layout:app"
    message = f"Image tools/app:v1.0 would be copied to {where}, like another image. Use {{repository}} in dest."
    assert (result["code"], result["msg"]) == (2, message)
    assert shared.lab.calls()[mark:] == []
    assert list(tmp_path.iterdir()) == []


def test_a_layout_loads_into_the_engines(
    shared: Control, publisher: Publisher, name: str, tmp_path: pathlib.Path
) -> None:
    """One image is OCI's, of an index; the other has Docker's media types."""
    index, images = publisher.index("release", name, name)
    image_names = [f"release:{name}@{index}", f"release:{accounts.IMAGE_TAG}"]
    layout = pull(shared, engine="oci_layout", dest=f"{tmp_path}/layout", images=image_names)
    scenario = HERE, accounts.image_config(accounts.scenario_layers())["rootfs"]["diff_ids"]
    daemon = f"--dest-daemon-host={shared.engines['DOCKER_HOST']}"
    for number, (image, content) in enumerate(zip(layout["images"], [images[HERE].on(HERE), scenario], strict=True)):
        loaded = f"loaded/{name}:{number}"
        copied = run(shared, "skopeo", "copy", "--quiet", daemon, image["reference"], f"docker-daemon:{loaded}")
        assert copied.returncode == 0, copied.stderr
        assert found(shared, "docker", loaded) == content
        pulled = run(shared, "podman", "pull", "--quiet", image["reference"])
        assert pulled.returncode == 0, pulled.stderr
        assert found(shared, "podman", pulled.stdout.strip()) == content


# --- which engine


@pytest.mark.parametrize(
    ("dest", "without", "chosen"),
    [
        ("oci:{folder}/layout:app", (), "skopeo"),
        ("{folder}/layout", (), "docker"),
        (None, ("docker",), "podman"),
        ("{folder}/layout", ("docker", "podman"), "oci_layout"),
    ],
)
def test_auto_reports_the_chosen_engine(
    shared: Control,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: pathlib.Path,
    dest: str | None,
    without: tuple[str, ...],
    chosen: str,
) -> None:
    silence(shared, monkeypatch, tmp_path, *without)
    options = {"dest": dest.format(folder=tmp_path)} if dest else {}
    result = pull(shared, "--check", images=[f"release:{accounts.IMAGE_TAG}"], **options)
    assert result["engine"] == chosen


def silence(control: Control, patch: pytest.MonkeyPatch, folder: pathlib.Path, *engines: str) -> None:
    """Lead these engines to where none answers."""
    variables = {"docker": "DOCKER_HOST", "podman": "CONTAINERS_STORAGE_CONF"}
    nowhere = {"docker": f"unix://{folder}/none.sock", "podman": f"{folder}/none.conf"}
    patch.setattr(control, "engines", {**control.engines, **{variables[engine]: nowhere[engine] for engine in engines}})


def test_missing_engine_is_reported_before_requests(
    shared: Control, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    silence(shared, monkeypatch, tmp_path, "docker", "podman")
    mark = len(shared.lab.calls())
    result = attempt(shared, images=[f"release:{accounts.IMAGE_TAG}"])
    assert result["code"] == 2
    assert result["msg"].startswith("No container engine can be used on this host, and dest is not set. docker"), result
    assert shared.lab.calls()[mark:] == []


# --- whose files


WITH_EVERY_ENGINE = """
- name: Pull with every engine
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Pull
      crossaccount.ecr.ecr_image_pull: "{{ item }}"
      loop: "{{ pulls }}"
"""


@pytest.mark.parametrize("existing", [True, False])
def test_the_users_own_configuration_is_neither_used_nor_changed(
    shared: Control, publisher: Publisher, name: str, tmp_path: pathlib.Path, existing: bool
) -> None:
    """Wrong credentials for this very registry stay as they were; where there were none, no file is made."""
    user = Control(shared.lab, tmp_path / "control")
    home, runtime = user.folder / "home", user.folder / "runtime"
    runtime.mkdir(parents=True)
    user.engines = {**shared.engines, "XDG_RUNTIME_DIR": str(runtime)}
    files = [home / ".docker/config.json", home / ".config/containers/auth.json", runtime / "containers/auth.json"]
    host = publisher.url.partition("://")[2]
    for file in files if existing else []:
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps({"auths": {host: {"auth": "QVdTOndyb25n"}}}, indent=7))
    before = [(file.read_bytes(), file.stat().st_mtime_ns) for file in files if existing]
    image = publisher.image("release", name, name)
    common = {**BY_ROLE, "images": [f"release:{name}"]}
    playbook = tmp_path / "every-engine.yml"
    playbook.write_text(WITH_EVERY_ENGINE)
    pulls = [{**common, **into(engine, tmp_path)} for engine in ENGINES]
    played = user.playbook(str(playbook), "consumer", pulls=pulls)
    assert (played.code, played.changed) == (0, 1), played
    local = f"{host}/release:{name}"
    for engine, reference in zip(
        ENGINES, [local, local, f"oci:{tmp_path}/skopeo:image", f"oci:{tmp_path}/layout:release:{name}"], strict=True
    ):
        assert found(user, engine, reference) == image.on(HERE), engine
    assert [(file.read_bytes(), file.stat().st_mtime_ns) for file in files if existing] == before
    configured = [path for file in ("config.json", "auth.json") for path in user.folder.rglob(file)]
    assert sorted(configured) == sorted(files if existing else [])


def test_another_user_gets_files_of_its_own(shared: Control, publisher: Publisher, name: str) -> None:
    image = publisher.image("release", name, name, "layer")
    become = ["--become", "--become-user=nobody", "--become-method=su"]
    # The user has no shell, and cannot use the Python of this environment.
    python = shutil.which("python3", path=os.defpath)
    variables = {"ansible_become_flags": "-s /bin/sh", "ansible_python_interpreter": python}
    options: dict[str, Any] = {"engine": "oci_layout", "images": [f"release:{name}@{image.digest}"]}
    options |= {"registry_url": publisher.url, "registry_token": token_of(shared)}
    # pytest's own folders are closed to other users.
    with tempfile.TemporaryDirectory() as folder:
        shutil.chown(folder, "nobody")
        options["dest"] = f"{folder}/layout"
        flags = [*become, "-e", json.dumps(variables)]
        result = pull(shared, *flags, **options)
        written = list(pathlib.Path(folder).rglob("*"))
        assert {path.owner() for path in written} == {"nobody"}
        assert found(shared, "oci_layout", result["images"][0]["reference"]) == image.on(HERE)
        assert pull(shared, *flags, "--check", **options)["changed"] is False


def token_of(control: Control) -> str:
    """A registry token of the role."""
    client = control.lab.assume("consumer", "ecr", ROLE, ExternalId="test")
    return str(client.get_authorization_token()["authorizationData"][0]["authorizationToken"])


# --- a registry that misbehaves


Fault = Callable[[TamperingProxy, str, Answer], None]


def flipped(server: TamperingProxy, what: str, answer: Answer) -> None:
    if what == "layer":
        middle = len(answer.body) // 2
        answer.body = answer.body[:middle] + bytes([answer.body[middle] ^ 1]) + answer.body[middle + 1 :]


def cut(server: TamperingProxy, what: str, answer: Answer) -> None:
    if what == "layer":
        answer.sent = len(answer.body) // 2


def refused(server: TamperingProxy, what: str, answer: Answer) -> None:
    if what == "layer":
        headers = {"Www-Authenticate": 'Basic realm="lab",service="ecr.amazonaws.com"'}
        answer.status, answer.headers, answer.body = 401, headers, b"Not Authorized\n"


def throttled(server: TamperingProxy, what: str, answer: Answer) -> None:
    body = {"errors": [{"code": "TOOMANYREQUESTS", "message": "Rate exceeded"}]}
    # Without a Retry-After the engines of containers/image wait for half a minute, and podman does so four times.
    headers = {"Content-Type": "application/json", "Retry-After": "0"}
    answer.status, answer.headers, answer.body = 429, headers, json.dumps(body).encode()


def swapped(server: TamperingProxy, what: str, answer: Answer) -> None:
    if what == "manifest":
        answer.body = server.manifest
        answer.headers["Docker-Content-Digest"] = digest_of(server.manifest)


def honest(server: TamperingProxy, what: str, answer: Answer) -> None:
    pass


#: The message of each fault, from any engine.
FAULTS: dict[Fault, str] = {
    flipped: "verification failed|Digest did not match|sent .* bytes with digest",
    cut: "unexpected EOF|expected HTTP 206 from byte range request|was interrupted 5 times",
    refused: "[Uu]nauthorized",
    throttled: "toomanyrequests: Rate exceeded",
    swapped: "verification failed|does not match provided manifest digest|different content for the manifest",
}


@contextlib.contextmanager
def tampering(publisher: Publisher, fault: Fault, image: Image, other: Image) -> Iterator[TamperingProxy]:
    server = TamperingProxy(publisher.url, fault, image.layers, other.manifest)
    with serving(server):
        yield server


def noise() -> bytes:
    """A tar of a file that no other image has."""
    return gzip.decompress(accounts.layer({"noise": os.urandom(20_000)}))


@pytest.mark.parametrize(
    ("fault", "engine"),
    [pytest.param(fault, engine, id=f"{fault.__name__}-{engine}") for fault in FAULTS for engine in ENGINES],
)
def test_a_registry_that_misbehaves_leaves_no_image(
    shared: Control, publisher: Publisher, name: str, tmp_path: pathlib.Path, fault: Fault, engine: str
) -> None:
    image = publisher.image("release", name, noise(), noise())
    other = publisher.image("release", f"{name}-other", name)
    token = token_of(shared)
    started = time.monotonic()
    with tampering(publisher, fault, image, other) as registry:
        options = {**into(engine, tmp_path), "registry_url": f"http://{registry.here}", "registry_token": token}
        image_names = f"release:{name}@{image.digest}"
        result = attempt(shared, **options, images=[image_names])
    assert registry.faults > 0
    assert result["code"] == 2, shared.last
    assert re.search(FAULTS[fault], result["msg"]), result["msg"]
    assert image.digest in result["msg"] or any(layer in result["msg"] for layer in image.layers)
    assert time.monotonic() - started < 100
    if engine in ("docker", "podman"):
        listed = run(shared, engine, "images", "--all", "--digests", "--format", "{{.Repository}}@{{.Digest}}")
        assert (listed.returncode, registry.here in listed.stdout) == (0, False), listed
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    # A complete layer may remain for the next attempt.
    assert not [path for path in files if path.parent.name != "sha256" and path.name != "oci-layout"]
    assert not [
        path for path in files if path.parent.name == "sha256" and path.name not in digest_of(path.read_bytes())
    ]
    password = base64.b64decode(token).decode().partition(":")[2]
    for secret in (token, password):
        assert secret not in shared.last.output + json.dumps(result)


def unknown(server: TamperingProxy, what: str, answer: Answer) -> None:
    """A copy of AWS's services that learns of a share later than those that were asked before."""
    if what == "manifest" and server.faults < 3:
        expected_message = (
            f"User: arn:aws:sts::{accounts.OWNER}:assumed-role/{ROLE}/{ROLE} is not authorized to perform:"
            f" ecr:BatchGetImage on resource: {REPOSITORY_ARN}release because no identity-based policy allows the"
            " ecr:BatchGetImage action"
        )
        answer.status, answer.headers = 403, {"Content-Type": "application/json"}
        answer.body = json.dumps({"errors": [{"code": "DENIED", "message": expected_message}]}).encode()


def bare(server: TamperingProxy, what: str, answer: Answer) -> None:
    """A denial without the sentence of AWS, as docker with the containerd image store always has it."""
    if what == "manifest" and server.faults < 3:
        answer.status, answer.headers, answer.body = 403, {"Content-Type": "text/html"}, b"<html>Forbidden</html>"


@pytest.mark.parametrize(
    ("engine", "fault", "kind"),
    [(engine, unknown, "no_identity_policy") for engine in ENGINES]
    + [(engine, bare, "unknown") for engine in ENGINES if engine in ("docker", "podman")],
)
def test_a_registry_that_learns_of_the_share_later_is_waited_for(
    shared: Control, publisher: Publisher, name: str, tmp_path: pathlib.Path, engine: str, fault: Fault, kind: str
) -> None:
    image = publisher.image("release", name, name)
    with tampering(publisher, fault, image, image) as registry:
        options = {
            **into(engine, tmp_path),
            "registry_url": f"http://{registry.here}",
            "registry_token": token_of(shared),
        }
        options["images"] = [f"release:{name}@{image.digest}"]
        at_once = attempt(shared, **options)
        assert (at_once["code"], at_once.get("denial_kind")) == (2, kind), shared.last
        waited = pull(shared, **options, wait_timeout=30, wait_interval=0.1)
    assert registry.faults == 3
    assert found(shared, engine, waited["images"][0]["reference"]) == image.on(HERE)


@pytest.mark.parametrize(
    ("engine", "dest"),
    [
        *((engine, None) for engine in ENGINES),
        ("skopeo", "dir:{}/image"),
        ("skopeo", "docker-archive:{}/image.tar:app:{{image_tag}}"),
    ],
)
def test_the_old_image_stays_until_the_new_one_is_whole(
    shared: Control, publisher: Publisher, name: str, tmp_path: pathlib.Path, engine: str, dest: str | None
) -> None:
    old, new = publisher.image("release", f"{name}-old", name), publisher.image("release", name, noise(), noise())
    with tampering(publisher, flipped, new, old) as registry:
        options = {
            **into(engine, tmp_path),
            **({"dest": dest.format(tmp_path)} if dest else {}),
            "registry_url": f"http://{registry.here}",
            "registry_token": token_of(shared),
        }
        (first,) = pull(shared, **options, images=[f"release:{name}@{old.digest}"])["images"]
        failed = attempt(shared, **options, images=[f"release:{name}@{new.digest}"])
        assert (failed["code"], registry.faults > 0) == (2, True), failed
        assert found(shared, engine, first["reference"]) == old.on(HERE)
        registry.fault = honest
        (second,) = pull(shared, **options, images=[f"release:{name}@{new.digest}"])["images"]
    assert (second["reference"], second["changed"]) == (first["reference"], True)
    assert found(shared, engine, first["reference"]) == new.on(HERE)
    assert list(tmp_path.glob("**/.incoming-*")) == []


# --- memory

#: A Python that notes how much memory the Python under it took at most, in KiB, and what that ran.
MEASURING = """#!{python}
import pathlib, resource, subprocess, sys
code = subprocess.call([sys.executable, *sys.argv[1:]])
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
with pathlib.Path(__file__).with_name("peaks").open("a") as file:
    file.write(f"{{peak}} {{sys.argv[1]}}\\n")
sys.exit(code)
"""


def test_a_large_image_passes_through_little_memory(
    shared: Control, publisher: Publisher, name: str, tmp_path: pathlib.Path
) -> None:
    """200 MB in 4 layers, which are fetched at once."""
    size = 50_000_000
    image = publisher.image("release", name, *(os.urandom(size) for _layer in range(4)))
    python = tmp_path / "python"
    python.write_text(MEASURING.format(python=sys.executable))
    python.chmod(0o755)
    flags = ["-e", f"ansible_python_interpreter={python}"]
    pull(shared, *flags, engine="oci_layout", dest=f"{tmp_path}/layout", images=[f"release:{name}"])
    stored = tmp_path / "layout/blobs/sha256"
    assert [(stored / layer.partition(":")[2]).stat().st_size for layer in image.layers] == [size] * 4
    ((peak, program),) = [line.split() for line in (tmp_path / "peaks").read_text().splitlines()]
    assert "AnsiballZ_ecr_image_pull" in program
    # The interpreter and boto3 alone take 70 MiB.
    assert 20 * 1024 < int(peak) < 120 * 1024
