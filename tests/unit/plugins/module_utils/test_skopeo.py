# SPDX-License-Identifier: GPL-3.0-or-later
"""How skopeo is called, and what it has."""

from __future__ import annotations

import json
import os
import pathlib

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._manifest import digest_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry import Registry
from ansible_collections.crossaccount.ecr.plugins.module_utils._skopeo import Skopeo

from tests.unit.fake_programs import (
    DEST,
    DIFFERS,
    DIGEST,
    HOST,
    MANIFEST,
    PASSWORD,
    REFERENCE,
    TLS,
    WAITS,
    Install,
    calls,
    fetching,
    image,
    registry,
    remote,
)


def test_skopeo_copies_no_image_of_another_platform(install: Install, temporary: pathlib.Path) -> None:
    log = install("skopeo")
    image(log, REFERENCE).write_text('{"os": "linux", "architecture": "amd64"}')
    with pytest.raises(EcrError) as caught:
        Skopeo(str(temporary), DEST, "linux/arm64", strict_platform=True).fetch(remote())
    assert str(caught.value) == f"{REFERENCE} has no image for linux/arm64; it has linux/amd64."
    assert not image(log, DEST).exists()
    Skopeo(str(temporary), DEST, "linux/amd64", strict_platform=True).fetch(remote())
    image(log, DEST).unlink()
    Skopeo(str(temporary), DEST, "linux/arm64").fetch(remote())  # the host's platform, not asked for
    assert image(log, DEST).exists()
    assert Skopeo(str(temporary), DEST, "linux/arm64").has(remote())
    with pytest.raises(EcrError, match="has no image for linux/arm64"):
        Skopeo(str(temporary), DEST, "linux/arm64", strict_platform=True).has(remote())


@pytest.mark.parametrize(("url", "validate_certs", "authority", "checked"), TLS)
def test_skopeo_is_called_with_private_files(
    install: Install, temporary: pathlib.Path, url: str, validate_certs: bool, authority: bool, checked: bool
) -> None:
    log = install("skopeo")
    certificates = temporary.with_name("mine.pem")
    certificates.write_text("a certificate\n")
    source = registry(url, validate_certs, str(certificates) if authority else None)
    pulled = remote(source)
    image(log, pulled.by_digest).write_text("{}")
    Skopeo(str(temporary), DEST, "linux/arm64/v8").fetch(pulled)
    override = ["--override-os=linux", "--override-arch=arm64", "--override-variant=v8"]
    copied, inspected, here = (call.split() for call in calls(log))
    assert inspected == [*override, "inspect", "--config", DEST]
    for call, prefix, verb, last in (
        (copied, "src-", ["copy", "--quiet"], [f"docker://{pulled.by_digest}", DEST]),
        (here, "", ["inspect", "--config"], [f"docker://{pulled.by_digest}"]),
    ):
        authfile = call.pop(5)
        assert pathlib.Path(authfile.removeprefix(f"--{prefix}authfile=")).parent.parent == temporary
        if authority:
            folder = call.pop(-1 - len(last)).removeprefix(f"--{prefix}cert-dir=")
            assert pathlib.Path(folder).parent == temporary
        assert call == [*override, *verb, *([] if checked else [f"--{prefix}tls-verify=false"]), *last]
    assert (log / "certificates").exists() is authority
    if authority:
        assert (log / "certificates").read_text() == "ca.crt\na certificate\n"
    assert list(temporary.iterdir()) == []


def test_skopeo_gets_no_variant_if_there_is_none(install: Install, temporary: pathlib.Path) -> None:
    log = install("skopeo")
    Skopeo(str(temporary), DEST, "linux/amd64").fetch(remote())
    assert {call.split()[2] for call in calls(log)} == {"copy", "inspect"}


@pytest.mark.parametrize("dest", [DEST, "docker-daemon:app:v1"])
@pytest.mark.parametrize("host", [None, "unix:///run/user/1/docker.sock"])
def test_skopeo_uses_user_docker_for_docker_daemon_only(
    install: Install, temporary: pathlib.Path, monkeypatch: pytest.MonkeyPatch, dest: str, host: str | None
) -> None:
    log = install("skopeo")
    if host:
        monkeypatch.setenv("DOCKER_HOST", host)
    Skopeo(str(temporary), dest, "linux/amd64").fetch(remote())
    words = [word for call in calls(log) for word in call.split() if "daemon-host" in word]
    led = host is not None and dest.startswith("docker-daemon:")
    assert words == ([f"--dest-daemon-host={host}", f"--daemon-host={host}"] if led else [])


def test_skopeo_has_image_with_equal_configuration(install: Install, temporary: pathlib.Path) -> None:
    log = install("skopeo")
    skopeo = Skopeo(str(temporary), DEST, "linux/amd64")
    assert not skopeo.has(remote())
    assert len(calls(log)) == 1  # the registry need not be asked
    image(log, DEST).write_text('{"rootfs": {"diff_ids": ["sha256:1"]},\n "os": "linux"}')
    assert skopeo.has(remote())
    image(log, DEST).write_text('{"os": "linux", "rootfs": {"diff_ids": ["sha256:2"]}}')
    assert not skopeo.has(remote())


@pytest.mark.parametrize(
    ("manifest", "has"),
    [
        (MANIFEST, True),
        ({**MANIFEST, "layers": [{"digest": "sha256:" + "b" * 64}]}, False),
        ({"manifests": [{"digest": DIGEST}]}, True),
    ],
)
def test_skopeo_has_an_image_whose_layers_another_registry_lists(
    install: Install, temporary: pathlib.Path, manifest: dict[str, object], has: bool
) -> None:
    mirror = "docker://mirror.example.com/app:v1"
    log = install("skopeo")
    program = pathlib.Path(os.environ["PATH"], "skopeo")
    raw = f"inspect) case $* in *--raw*) echo '{json.dumps(manifest)}'; exit ;; esac;"
    program.write_text(program.read_text().replace("inspect) found", f"{raw} found"))
    image(log, mirror.removeprefix("docker://")).write_text(image(log, REFERENCE).read_text())
    assert Skopeo(str(temporary), mirror, "linux/amd64").has(remote()) is has


def test_skopeo_copies_the_image_that_is_chosen_from_an_index(
    install: Install, temporary: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = json.dumps(MANIFEST).encode()
    chosen = digest_of(content)
    entry = {"mediaType": MANIFEST["mediaType"], "digest": chosen, "size": len(content)}
    listed = [
        {**entry, "digest": DIGEST, "platform": {"os": "linux", "architecture": "amd64"}},
        {**entry, "platform": {"os": "linux", "architecture": "arm64"}},
    ]
    index = {"mediaType": "application/vnd.oci.image.index.v1+json", "manifests": listed}
    documents = {DIGEST: json.dumps(index).encode(), chosen: content}
    monkeypatch.setattr(Registry, "manifest", lambda _self, _repository, digest: (documents[digest], None))
    log = install("skopeo")
    reference = f"{HOST}/team/app@{chosen}"
    image(log, reference).write_text("{}")
    Skopeo(str(temporary), DEST, "linux/arm64", strict_platform=True).fetch(remote())
    assert [word for call in calls(log) for word in call.split() if word.startswith("docker://")] == [
        f"docker://{reference}",
        f"docker://{reference}",
    ]
    with pytest.raises(EcrError, match="has no image for linux/s390x; it has linux/amd64, linux/arm64"):
        Skopeo(str(temporary), DEST, "linux/s390x").fetch(remote())


def test_skopeo_that_can_not_look_at_the_registry(install: Install, temporary: pathlib.Path) -> None:
    log = install("skopeo")
    image(log, DEST).write_text("{}")
    image(log, REFERENCE).unlink()
    program = pathlib.Path(os.environ["PATH"], "skopeo")
    program.write_text(program.read_text().replace("no such image", f"no such image for {PASSWORD}"))
    with pytest.raises(EcrError) as caught:
        Skopeo(str(temporary), DEST, "linux/amd64").has(remote())
    assert str(caught.value) == f"skopeo could not inspect {REFERENCE}: no such image for ********"
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("pull", [DIFFERS, "exit 0"])
@pytest.mark.parametrize(
    ("remove", "advice"), [("exit 0", "It was removed."), ("echo not me >&2; exit 1", f"Remove {DEST}.")]
)
def test_a_destination_with_another_image_is_removed(
    install: Install, temporary: pathlib.Path, pull: str, remove: str, advice: str
) -> None:
    log = install("skopeo", pull, remove=remove)
    with pytest.raises(EcrError) as caught:
        Skopeo(str(temporary), DEST, "linux/amd64").fetch(remote())
    assert str(caught.value) == f"skopeo copied {REFERENCE}, but {DEST} has another image. {advice}"
    assert calls(log)[-1] == f"delete {DEST}"


def test_status_of_skopeo_is_what_it_wrote(install: Install, temporary: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Files that were in the destination before do not count."""
    dest = tmp_path / "dest"
    dest.mkdir()
    (dest / "before").write_bytes(bytes(5_000_000))
    log = install("skopeo", f"head -c 3000000 /dev/zero > {dest}/oci-put-blob1; {WAITS}; exit 1")
    engine = Skopeo(str(temporary), f"oci:{dest}:app", "linux/amd64")
    with fetching(engine, log, "skopeo could not copy"):
        assert engine.status() == "3.0 MB"
    assert engine.status() == ""
