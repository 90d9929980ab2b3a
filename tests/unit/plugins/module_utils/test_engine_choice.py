# SPDX-License-Identifier: GPL-3.0-or-later
"""Which engine is used."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._engine import Engine
from ansible_collections.crossaccount.ecr.plugins.module_utils._engine_choice import choose_engine
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._layout import Layout
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull_options import PULL_ARGUMENTS, PullOptions
from ansible_collections.crossaccount.ecr.plugins.module_utils._skopeo import Skopeo

from tests.unit.fake_programs import (
    DEST,
    DIGEST,
    PROGRAMS,
    TOKEN,
    Install,
    calls,
    remote,
)

NO_ANSWER = 'echo "warning" >&2; echo "Cannot connect" >&2; exit 1'
#: docker exits with 0 in some versions although no engine answered.
SERVER_ERRORS = """echo '{"ServerErrors":["Cannot connect"]}'"""


def choose(requested: str, temporary: pathlib.Path, dest: str | None = None, platform: str | None = None) -> Engine:
    params = {name: option.get("default") for name, option in PULL_ARGUMENTS.items()}
    own = {"engine": requested, "dest": dest, "platform": platform, "images": [f"team/app@{DIGEST}"]}
    by_token = {"registry_url": "https://registry.invalid", "registry_token": TOKEN}
    options = PullOptions.of({**params, "validate_certs": True, "aws_ca_bundle": None, **own, **by_token})
    return choose_engine(options, str(temporary))


@pytest.mark.parametrize("dest", [None, "/srv/image", "image", "./docker:image"])
@pytest.mark.parametrize(
    ("docker", "podman", "chosen"),
    [
        ("", "", "docker"),
        ("", None, "docker"),
        (None, "", "podman"),
        (NO_ANSWER, "", "podman"),
        (SERVER_ERRORS, "", "podman"),
        (NO_ANSWER, NO_ANSWER, None),
        (None, NO_ANSWER, None),
        (None, None, None),
    ],
)
def test_auto_selects_the_first_running_engine(
    install: Install,
    temporary: pathlib.Path,
    docker: str | None,
    podman: str | None,
    chosen: str | None,
    dest: str | None,
) -> None:
    log = install("skopeo")
    for name, info in (("docker", docker), ("podman", podman)):
        if info is not None:
            install(name, info=info or "echo '{}'")
    if chosen or dest:
        assert choose("auto", temporary, dest).name == (chosen or "oci_layout")
    else:
        with pytest.raises(
            EcrError,
            match=r"No container engine can be used on this host, and dest is not set\. docker is .* podman is ",
        ):
            choose("auto", temporary, dest)
    assert not (log / "calls").exists()


@pytest.mark.parametrize(
    "dest", ["oci:/srv/image:app", "docker-archive:image.tar", "docker://mirror.example.com/app", "dir:image"]
)
def test_auto_with_a_transport_takes_skopeo(install: Install, temporary: pathlib.Path, dest: str) -> None:
    logs = [install(name) for name in ("docker", "podman")]
    with pytest.raises(EcrError) as caught:
        choose("auto", temporary, dest)
    reason = "skopeo is not installed (no such program in PATH)"
    assert str(caught.value) == f"Engine skopeo cannot be used: {reason}. Install it, or choose another engine."
    install("skopeo")
    engine = choose("auto", temporary, dest)
    assert isinstance(engine, Skopeo)
    assert not [log for log in logs if (log / "calls").exists()]


@pytest.mark.parametrize("name", ["docker", "podman"])
@pytest.mark.parametrize(
    ("info", "reason"),
    [
        (None, "is not installed (no such program in PATH)"),
        (NO_ANSWER, "is installed but its engine does not answer: Cannot connect"),
        ("exit 3", "is installed but its engine does not answer: exit status 3"),
        (SERVER_ERRORS, """is installed but its engine does not answer: {"ServerErrors":["Cannot connect"]}"""),
    ],
)
def test_an_engine_that_was_asked_for_must_work(
    install: Install, temporary: pathlib.Path, name: str, info: str | None, reason: str
) -> None:
    other = "podman" if name == "docker" else "docker"
    install(other)
    if info is not None:
        install(name, info=info)
    with pytest.raises(EcrError) as caught:
        choose(name, temporary)
    step = "Install it" if info is None else "Start or repair it"
    assert str(caught.value) == (f"Engine {name} cannot be used: {name} {reason}. {step}, or choose another engine.")


@pytest.mark.parametrize("requested", PROGRAMS)
def test_the_engine_that_was_asked_for_is_taken(install: Install, temporary: pathlib.Path, requested: str) -> None:
    for name in PROGRAMS:
        install(name)
    assert choose(requested, temporary, DEST).name == requested


def test_a_layout_asks_no_engine(install: Install, temporary: pathlib.Path) -> None:
    logs = [install(name) for name in PROGRAMS]
    assert isinstance(choose("oci_layout", temporary, "/srv/image"), Layout)
    assert not [log for log in logs if (log / "calls").exists()]


@pytest.mark.parametrize(
    ("requested", "platform", "words"),
    [
        ("docker", None, []),
        ("podman", "linux/arm64", ["--platform=linux/arm64"]),
        ("skopeo", None, ["--override-os=linux", "--override-arch=mips64"]),
        ("skopeo", "linux/arm64", ["--override-os=linux", "--override-arch=arm64"]),
    ],
)
def test_only_skopeo_is_told_the_hosts_platform(
    install: Install,
    temporary: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    requested: str,
    platform: str | None,
    words: list[str],
) -> None:
    log = install(requested)
    monkeypatch.setattr("platform.machine", lambda: "mips64")
    choose(requested, temporary, DEST, platform).fetch(remote())
    (call,) = [call for call in calls(log) if {"pull", "copy"} & set(call.split())]
    assert [word for word in call.split() if word.startswith(("--platform", "--override"))] == words
