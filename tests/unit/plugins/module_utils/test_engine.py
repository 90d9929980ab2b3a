"""docker and podman are shell scripts here, which write down how they were called and what they found."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._engine import (
    Engine,
    choose_engine,
    interruptible,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry import Registry

ROOT = pathlib.Path(__file__).parents[4]
HOST = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"
TOKEN = "QVdTOnNlY3JldC10b2tlbi1vZi1vbmUtY2FsbGVy"
DIGEST = "sha256:" + "a" * 64
REFERENCE = f"{HOST}/team/app@{DIGEST}"
NAME = f"{HOST}/team/app:v1"

# The images are files in $log/images whose names are the references and whose content is the id.
FAKE = """#!/bin/sh
PATH=/usr/bin:/bin
log=@LOG@
echo "$@" >> $log/calls
env >> $log/environment
config= verb=
while [ $# -gt 0 ]; do
  case $1 in
    --config) config=$2; shift 2 ;;
    --host) shift 2 ;;
    *) break ;;
  esac
done
image() { echo $log/images/$(echo "$1" | tr '/:@' '___'); }
case $1 in
  context) cat $log/context 2>/dev/null || exit 1 ;;
  info) @INFO@ ;;
  image) cat "$(image "$5")" 2>/dev/null || { echo "no such image" >&2; exit 1; } ;;
  tag) cp "$(image "$2")" "$(image "$3")" || { echo "tag: refused" >&2; exit 1; } ;;
  pull)
    for word in "$@"; do
      case $word in --authfile=*) config=$(dirname "${word#*=}") ;; esac
    done
    stat -c %a "$config" "$config/config.json" > $log/modes
    ls -A "$config" > $log/names
    cat "$config/config.json" > $log/auth
    @PULL@
    ;;
esac
"""
PULLS = 'for reference; do :; done; echo sha256:id > "$(image "$reference")"'
FAILS = 'echo "first line" >&2; echo "denied: not you" >&2; exit 1'
HANGS = "echo $$ > $log/pid; exec sleep 60"

Install = Callable[..., pathlib.Path]


@pytest.fixture
def temporary(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@pytest.fixture
def install(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a fake engine into the PATH, where nothing else is; its log."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", os.fspath(programs))

    def put(name: str, pull: str = PULLS, info: str = "echo '{}'", context: str = "") -> pathlib.Path:
        log = tmp_path / f"log-{name}"
        (log / "images").mkdir(parents=True)
        if context:
            (log / "context").write_text(context)
        program = programs / name
        program.write_text(FAKE.replace("@LOG@", str(log)).replace("@INFO@", info).replace("@PULL@", pull))
        program.chmod(0o755)
        return log

    return put


def registry(url: str = f"https://{HOST}") -> Registry:
    return Registry(url, TOKEN)


def usable(name: str, temporary: pathlib.Path) -> Engine:
    engine = Engine(name, str(temporary))
    assert engine.problem() is None
    return engine


def calls(log: pathlib.Path) -> list[str]:
    return (log / "calls").read_text().splitlines()


# --- the private file


@pytest.mark.parametrize("name", ["docker", "podman"])
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_the_token_is_in_a_private_file_during_the_pull(
    install: Install, temporary: pathlib.Path, name: str, umask: int
) -> None:
    log = install(name)
    before = os.umask(umask)
    try:
        usable(name, temporary).pull(REFERENCE, registry())
    finally:
        os.umask(before)
    assert (log / "modes").read_text().split() == ["700", "600"]
    assert (log / "names").read_text().split() == ["config.json"]
    assert json.loads((log / "auth").read_text()) == {"auths": {HOST: {"auth": TOKEN}}}
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("name", ["docker", "podman"])
@pytest.mark.parametrize("pull", [PULLS, FAILS])
def test_the_token_is_nowhere_else(install: Install, temporary: pathlib.Path, name: str, pull: str) -> None:
    log = install(name, pull)
    message = ""
    try:
        usable(name, temporary).pull(REFERENCE, registry())
    except EcrError as error:
        message = str(error)
    assert bool(message) is (pull == FAILS)
    assert (log / "auth").exists()
    assert TOKEN not in (log / "calls").read_text() + (log / "environment").read_text() + message
    assert TOKEN not in str(os.environ)


@pytest.mark.parametrize("name", ["docker", "podman"])
@pytest.mark.parametrize(
    ("pull", "message"),
    [
        (FAILS, "{name} could not pull {reference}: denied: not you"),
        ("echo only said >&1; exit 1", "{name} could not pull {reference}: only said"),
        ("exit 7", "{name} could not pull {reference}: exit status 7"),
        ("exit 0", "{name} pulled {reference}, but has no image of that digest."),
    ],
)
def test_it_is_gone_after_a_failure(
    install: Install, temporary: pathlib.Path, name: str, pull: str, message: str
) -> None:
    log = install(name, pull)
    with pytest.raises(EcrError) as caught:
        usable(name, temporary).pull(REFERENCE, registry())
    assert str(caught.value) == message.format(name=name, reference=REFERENCE)
    assert (log / "modes").read_text().split() == ["700", "600"]
    assert list(temporary.iterdir()) == []


PULLING = """
import sys
from ansible_collections.crossaccount.ecr.plugins.module_utils._engine import Engine
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry import Registry
name, temporary, url, token, reference = sys.argv[1:]
engine = Engine(name, temporary)
assert engine.problem() is None
engine.pull(reference, Registry(url, sys.stdin.read()))
"""


@pytest.mark.parametrize("name", ["docker", "podman"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_it_is_gone_after_a_signal(
    install: Install, temporary: pathlib.Path, name: str, number: signal.Signals
) -> None:
    log = install(name, HANGS)
    process = subprocess.Popen(
        [sys.executable, "-c", PULLING, name, temporary, f"https://{HOST}", "-", REFERENCE],
        env={**os.environ, "PYTHONPATH": str(ROOT / ".venv/collections")},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts what it puts into the background with SIGINT ignored, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        assert process.stdin
        process.stdin.write(TOKEN)
        process.stdin.close()
        deadline = time.monotonic() + 10
        while not (log / "pid").exists() or not (log / "pid").read_text().strip():
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        client = int((log / "pid").read_text())
        (folder,) = temporary.iterdir()
        assert TOKEN in (folder / "config.json").read_text()
        process.send_signal(number)
        assert process.wait(10) == (128 + number if number != signal.SIGINT else -signal.SIGINT)
    finally:
        process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()
    assert list(temporary.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.kill(client, 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGHUP])
def test_a_second_signal_does_not_interrupt_the_cleaning(number: int, second: int) -> None:
    before = [signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP)]
    cleaned = []

    def work() -> None:
        with interruptible():
            try:
                os.kill(os.getpid(), number)
                time.sleep(5)
            finally:
                os.kill(os.getpid(), second)
                time.sleep(0.01)
                cleaned.append(True)

    with pytest.raises(SystemExit) as caught:
        work()
    assert caught.value.code == 128 + number
    assert cleaned == [True]
    assert [signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP)] == before


# --- how the engines are called


def test_docker_is_called_with_the_private_configuration_and_the_users_engine(
    install: Install, temporary: pathlib.Path
) -> None:
    log = install("docker", context="unix:///run/user/1/docker.sock\n")
    engine = usable("docker", temporary)
    engine.pull(REFERENCE, registry())
    engine.name_image(REFERENCE, NAME)
    host = "--host unix:///run/user/1/docker.sock"
    inspect, info, pull, image, tag = calls(log)
    assert inspect == "context inspect --format {{.Endpoints.docker.Host}}"
    assert info == f"{host} info --format {{{{json .}}}}"
    config, folder, rest = pull.split(" ", 2)
    assert config == "--config"
    assert pathlib.Path(folder).parent == temporary
    assert rest == f"{host} pull --quiet {REFERENCE}"
    assert image == f"{host} image inspect --format {{{{.Id}}}} {REFERENCE}"
    assert tag == f"{host} tag {REFERENCE} {NAME}"


@pytest.mark.parametrize(
    ("url", "options"), [(f"https://{HOST}", []), ("http://127.0.0.1:5000", ["--tls-verify=false"])]
)
def test_podman_checks_certificates_but_for_plain_http(
    install: Install, temporary: pathlib.Path, url: str, options: list[str]
) -> None:
    log = install("podman")
    usable("podman", temporary).pull(REFERENCE, registry(url))
    info, pull, _image = calls(log)
    assert info == "info --format {{json .}}"
    verb, quiet, authfile, *rest = pull.split()
    assert (verb, quiet) == ("pull", "--quiet")
    assert pathlib.Path(authfile.removeprefix("--authfile=")).parent.parent == temporary
    assert rest == [*options, REFERENCE]


@pytest.mark.parametrize("name", ["docker", "podman"])
def test_has_and_name(install: Install, temporary: pathlib.Path, name: str) -> None:
    log = install(name)
    engine = usable(name, temporary)
    assert not engine.has(REFERENCE, None)
    engine.pull(REFERENCE, registry())
    assert engine.has(REFERENCE, None)
    assert not engine.has(REFERENCE, NAME)
    engine.name_image(REFERENCE, NAME)
    assert engine.has(REFERENCE, NAME)
    (log / "images" / REFERENCE.translate(str.maketrans("/:@", "___"))).write_text("sha256:other")
    assert not engine.has(REFERENCE, NAME)


def test_a_name_that_is_refused(install: Install, temporary: pathlib.Path) -> None:
    install("podman")
    with pytest.raises(EcrError) as caught:
        usable("podman", temporary).name_image(REFERENCE, NAME)
    assert str(caught.value) == f"podman could not name {REFERENCE} {NAME}: tag: refused"


# --- which engine

NO_ANSWER = 'echo "warning" >&2; echo "Cannot connect" >&2; exit 1'
#: docker exits with 0 in some versions although no engine answered.
SERVER_ERRORS = """echo '{"ServerErrors":["Cannot connect"]}'"""


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
def test_auto(
    install: Install, temporary: pathlib.Path, docker: str | None, podman: str | None, chosen: str | None
) -> None:
    for name, info in (("docker", docker), ("podman", podman)):
        if info is not None:
            install(name, info=info or "echo '{}'")
    engine = choose_engine("auto", str(temporary))
    assert (engine.name if engine else None) == chosen


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
        choose_engine(name, str(temporary))
    assert str(caught.value) == (f"Engine {name} can not be used: {name} {reason}. Start it, or choose another engine.")


def test_the_engine_that_was_asked_for_is_taken(install: Install, temporary: pathlib.Path) -> None:
    for name in ("docker", "podman"):
        install(name)
    for name in ("docker", "podman"):
        engine = choose_engine(name, str(temporary))
        assert engine
        assert engine.name == name


def test_a_layout_asks_no_engine(install: Install, temporary: pathlib.Path) -> None:
    log = install("docker")
    assert choose_engine("oci_layout", str(temporary)) is None
    assert not (log / "calls").exists()
