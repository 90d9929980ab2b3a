# SPDX-License-Identifier: GPL-3.0-or-later
"""How docker and podman are called, and what they have."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._container_engine import Docker
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull import fetch_with_retry
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WaitOptions

from tests.unit.fake_programs import (
    DIGEST,
    HOST,
    NAME,
    ONLY_AMD64,
    PULLS,
    REFERENCE,
    SWAPS,
    TLS,
    WAITS,
    Install,
    calls,
    container_engine,
    docker_context,
    fetching,
    image,
    registry,
    remote,
)


def test_docker_uses_private_configuration_and_user_context(install: Install, temporary: pathlib.Path) -> None:
    contexts = temporary.parent / "contexts"
    log = install("docker", context=docker_context("mine", "ssh://engine", metadata=f"{contexts}/meta/1"))
    engine = container_engine("docker", temporary)
    engine.fetch(remote(image_tag="v1"))
    inspect, info, before, pull, present, tag = calls(log)
    assert inspect == "context inspect --format {{json .}}"
    assert info == "--context mine info --format {{json .}}"
    config, folder, rest = pull.split(" ", 2)
    assert config == "--config"
    assert pathlib.Path(folder).parent == temporary
    assert rest == f"--context mine pull {REFERENCE}"
    assert before == present == f"--context mine image inspect {REFERENCE}"
    assert tag == f"--context mine tag {REFERENCE} {NAME}"
    assert (log / "names").read_text().split() == ["config.json", "contexts"]


@pytest.mark.parametrize(
    ("context", "reason"),
    [
        ("exit", "docker does not report its context: exit status 1"),
        ("{}", "docker does not report the address of its engine"),
        ("[]", "docker does not report the address of its engine"),
    ],
)
def test_docker_without_a_context_is_rejected(
    install: Install, temporary: pathlib.Path, context: str, reason: str
) -> None:
    log = install("docker", context=context)
    if context == "exit":
        (log / "context").unlink()
    assert list(Docker(str(temporary)).connection_problems()) == [reason]
    assert len(calls(log)) == 1


@pytest.mark.parametrize(("url", "validate_certs", "authority", "checked"), TLS)
def test_podman_checks_certificates_as_it_is_told(
    install: Install, temporary: pathlib.Path, url: str, validate_certs: bool, authority: bool, checked: bool
) -> None:
    log = install("podman")
    certificates = temporary.with_name("mine.pem")
    certificates.write_text("a certificate\n")
    ca_path = str(certificates) if authority else None
    pulled = remote(registry(url, validate_certs, ca_path))
    container_engine("podman", temporary).fetch(pulled)
    info, _before, pull, _image = calls(log)
    assert info == "info --format {{json .}}"
    verb, quiet, authfile, *rest = pull.split()
    assert (verb, quiet) == ("pull", "--quiet")
    assert pathlib.Path(authfile.removeprefix("--authfile=")).parent.parent == temporary
    if authority:
        folder = rest.pop(-2).removeprefix("--cert-dir=")
        assert pathlib.Path(folder).parent == temporary
        assert (log / "certificates").read_text() == "ca.crt\na certificate\n"
    assert rest == [*([] if checked else ["--tls-verify=false"]), pulled.by_digest]
    assert list(temporary.iterdir()) == []


def test_docker_is_not_told_what_only_dockerd_can_check(install: Install, temporary: pathlib.Path) -> None:
    log = install("docker")
    container_engine("docker", temporary).fetch(remote(registry(validate_certs=False, ca_path=__file__)))
    assert [call for call in calls(log) if "tls" in call or "cert" in call] == []


@pytest.mark.parametrize("name", ["docker", "podman"])
def test_a_platform_that_was_asked_for_is_pulled(install: Install, temporary: pathlib.Path, name: str) -> None:
    log = install(name)
    container_engine(name, temporary, "linux/arm64/v8").fetch(remote())
    (pull,) = [call for call in calls(log) if "pull" in call.split()]
    assert pull.endswith(f" --platform=linux/arm64/v8 {REFERENCE}")


@pytest.mark.parametrize("name", ["docker", "podman"])
def test_has_and_name(install: Install, temporary: pathlib.Path, name: str) -> None:
    log = install(name)
    engine, tagged = container_engine(name, temporary), remote(image_tag="v1")
    assert (engine.location(remote()), engine.location(tagged)) == (REFERENCE, NAME)
    assert not engine.has(remote())
    engine.fetch(remote())
    assert engine.has(remote())
    assert not engine.has(tagged)
    engine.fetch(tagged)
    assert engine.has(tagged)
    assert len([call for call in calls(log) if "pull" in call.split()]) == 1, "a name does not need another pull"
    image(log, REFERENCE).write_text('[{"Id": "sha256:other"}]')
    assert engine.has(remote())
    assert not engine.has(tagged)


@pytest.mark.parametrize("platform", [None, "linux/amd64", "linux/amd64/v1", "linux/arm64", "linux/amd"])
def test_an_image_of_another_platform_is_not_the_one(
    install: Install, temporary: pathlib.Path, platform: str | None
) -> None:
    install("docker")
    container_engine("docker", temporary).fetch(remote())
    present = platform not in ("linux/arm64", "linux/amd")
    assert container_engine("docker", temporary, platform).has(remote()) is present


@pytest.mark.parametrize("name", ["docker", "podman"])
@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("platform", ["linux/arm64", "linux/amd64p32", "windows/amd64"])
def test_new_image_of_wrong_platform_is_rejected_and_removed(
    install: Install, temporary: pathlib.Path, name: str, before: bool, platform: str
) -> None:
    log = install(name, ONLY_AMD64, remove='rm "$(file "$previous")"')
    if before:
        container_engine(name, temporary).fetch(remote())
    with pytest.raises(EcrError) as caught:
        container_engine(name, temporary, platform).fetch(remote())
    assert str(caught.value) == f"{REFERENCE} has no image for {platform}; it has linux/amd64."
    assert image(log, REFERENCE).exists() is before


def test_a_name_that_is_refused(install: Install, temporary: pathlib.Path) -> None:
    log = install("podman")
    engine = container_engine("podman", temporary)
    engine.fetch(remote())
    image(log, NAME).symlink_to("/missing/file")
    with pytest.raises(EcrError) as caught:
        engine.fetch(remote(image_tag="v1"))
    assert str(caught.value) == f"podman could not name {REFERENCE} {NAME}: tag: refused"


@pytest.mark.parametrize("name", ["docker", "podman"])
def test_an_image_that_was_pulled_and_is_not_there(install: Install, temporary: pathlib.Path, name: str) -> None:
    install(name, "exit 0")
    with pytest.raises(EcrError) as caught:
        container_engine(name, temporary).fetch(remote())
    assert str(caught.value) == f"{name} pulled {REFERENCE}, but has no image of that digest."


@pytest.mark.parametrize("name", ["docker", "podman"])
@pytest.mark.parametrize(
    ("pull", "remove", "advice"),
    [
        (SWAPS, "exit 0", "but has it as sha256:other. It was removed."),
        (SWAPS, "echo in use >&2; exit 1", "but has it as sha256:other. Remove it (in use)."),
        (
            """echo '[{"Id": "sha256:id"}]' > "$(file "$reference")\"""",
            "exit 0",
            "but has it as nothing. It was removed.",
        ),
    ],
)
def test_an_image_of_another_digest_is_removed(
    install: Install, temporary: pathlib.Path, name: str, pull: str, remove: str, advice: str
) -> None:
    log = install(name, pull, remove=remove)
    with pytest.raises(EcrError) as caught:
        container_engine(name, temporary).fetch(remote())
    assert str(caught.value) == f"{name} pulled {REFERENCE}, {advice}"
    assert calls(log)[-1].endswith("image rm --force sha256:id")
    assert list(temporary.iterdir()) == []


CONTAINERD = f"unexpected status from HEAD request to https://{HOST}/v2/team/app/manifests/{DIGEST}"
DOCKER_29 = f"""test -e $log/third && {{ {PULLS}; exit; }}
test -e $log/second && touch $log/third
touch $log/second
echo "Error response from daemon: {CONTAINERD}: STATUS" >&2; exit 1"""


@pytest.mark.parametrize("status", ["403 Forbidden", "429 Too Many Requests"])
def test_docker_with_the_containerd_image_store_is_called_again(
    install: Install, temporary: pathlib.Path, status: str
) -> None:
    log = install("docker", DOCKER_29.replace("STATUS", status))
    engine = container_engine("docker", temporary)
    fetch_with_retry(lambda: engine.fetch(remote()), WaitOptions(True, 60, 0))
    assert len([call for call in calls(log) if "pull" in call.split()]) == 3


# --- progress

PART = "echo one: Verifying Checksum; echo one: Download complete; echo one: Pull complete"


def test_status_of_docker_counts_its_layers(install: Install, temporary: pathlib.Path) -> None:
    log = install("docker", f"echo one: Pulling fs layer; echo two: Pulling fs layer; {PART}; {WAITS}; {PULLS}")
    engine = container_engine("docker", temporary)
    assert engine.status() == ""
    with fetching(engine, log):
        assert engine.status() == "1 of 2 layers"
    assert engine.status() == ""


def test_status_of_podman_is_what_it_wrote(install: Install, temporary: pathlib.Path) -> None:
    large = temporary.parent / "large"
    large.mkdir()
    info = f"""echo '{{"store": {{"imageCopyTmpDir": "{large}"}}}}'"""
    log = install("podman", f"head -c 3000000 /dev/zero > $TMPDIR/layer; {WAITS}; {PULLS}", info=info)
    engine = container_engine("podman", temporary)
    with fetching(engine, log):
        assert engine.status() == "3.0 MB"
    assert engine.status() == ""
