# SPDX-License-Identifier: GPL-3.0-or-later
"""The private file with the registry token, which docker, podman and skopeo get."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError

from tests.unit.fake_programs import (
    DEST,
    DIGEST,
    FAILS,
    HANGS,
    HOST,
    MANIFEST,
    PASSWORD,
    PROGRAMS,
    REFERENCE,
    TELLS,
    TOKEN,
    Install,
    calls,
    fetch,
    registry,
)

ROOT = pathlib.Path(__file__).parents[4]


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_the_token_is_in_a_private_file_during_the_pull(
    install: Install, temporary: pathlib.Path, name: str, umask: int
) -> None:
    log = install(name)
    before = os.umask(umask)
    try:
        fetch(name, temporary, registry())
    finally:
        os.umask(before)
    assert (log / "modes").read_text().split() == ["700", "600"]
    assert (log / "names").read_text().split() == ["config.json"]
    assert json.loads((log / "auth").read_text()) == {"auths": {HOST: {"auth": TOKEN}}}
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("pull", ["", FAILS])
def test_token_is_in_no_other_file(install: Install, temporary: pathlib.Path, name: str, pull: str) -> None:
    log = install(name, pull)
    message = ""
    try:
        fetch(name, temporary, registry())
    except EcrError as error:
        message = str(error)
    assert bool(message) is (pull == FAILS)
    assert (log / "auth").exists()
    for secret in (TOKEN, PASSWORD):
        assert secret not in (log / "calls").read_text() + (log / "environment").read_text() + message
        assert secret not in str(os.environ)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_that_tells_the_token_is_not_repeated(install: Install, temporary: pathlib.Path, name: str) -> None:
    install(name, TELLS)
    with pytest.raises(EcrError) as caught:
        fetch(name, temporary, registry())
    assert str(caught.value).endswith(f"{REFERENCE}: with ******** and ********")


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_programs_see_no_aws_credentials_but_all_else(
    install: Install, temporary: pathlib.Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, f"value of {variable}")
    log = install(name)
    fetch(name, temporary, registry())
    environment = (log / "environment").read_text()
    assert "AWS_" not in environment
    assert environment.count("HTTPS_PROXY=value of HTTPS_PROXY\n") == len(calls(log))
    assert os.environ["AWS_PROFILE"] == "value of AWS_PROFILE"


@pytest.mark.parametrize(("name", "verb"), [("docker", "pull"), ("podman", "pull"), ("skopeo", "copy")])
@pytest.mark.parametrize(
    ("pull", "said"),
    [(FAILS, "denied: not you"), ("echo only said >&1; exit 1", "only said"), ("exit 7", "exit status 7")],
)
def test_deleted_after_a_failure(
    install: Install, temporary: pathlib.Path, name: str, verb: str, pull: str, said: str
) -> None:
    log = install(name, pull)
    with pytest.raises(EcrError) as caught:
        fetch(name, temporary, registry())
    assert str(caught.value) == f"{name} could not {verb} {REFERENCE}: {said}"
    assert (log / "modes").read_text().split() == ["700", "600"]
    assert list(temporary.iterdir()) == []


PULLING = """
import sys
from ansible_collections.crossaccount.ecr.plugins.module_utils._container_engine import Docker, Podman
from ansible_collections.crossaccount.ecr.plugins.module_utils._engine import RegistryImage
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import parse_reference
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry import Registry
from ansible_collections.crossaccount.ecr.plugins.module_utils._skopeo import Skopeo
name, temporary, url, image, destination, manifest = sys.argv[1:]
Registry.manifest = lambda *_words: (manifest.encode(), None)
reference = parse_reference(image)
engines = {"docker": Docker, "podman": Podman}
engine = Skopeo(temporary, destination, "linux/amd64") if name == "skopeo" else engines[name](temporary)
assert list(engine.connection_problems()) == []
engine.fetch(RegistryImage(Registry(url, sys.stdin.read()), reference, reference.digest))
"""


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_deleted_after_a_signal(install: Install, temporary: pathlib.Path, name: str, number: signal.Signals) -> None:
    large = temporary.parent / "large"
    large.mkdir()
    # podman reports its folder for incomplete layers, skopeo follows TMPDIR, dockerd is another process.
    log = install(name, HANGS, info=f"""echo '{{"store": {{"imageCopyTmpDir": "{large}"}}}}'""")
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            PULLING,
            name,
            temporary,
            f"https://{HOST}",
            f"team/app@{DIGEST}",
            DEST,
            json.dumps(MANIFEST),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT / ".venv/collections"), "TMPDIR": str(large)},
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
        deadline = time.monotonic() + 300
        while not (log / "pid").exists() or not (log / "pid").read_text().strip():
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        client = int((log / "pid").read_text())
        (folder,) = temporary.iterdir()
        assert TOKEN in (folder / "config.json").read_text()
        assert pathlib.Path((log / "large").read_text().strip()).parent == (large if name != "docker" else large.parent)
        process.send_signal(number)
        assert process.wait(300) == (128 + number if number != signal.SIGINT else -signal.SIGINT)
    finally:
        process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()
    assert list(temporary.iterdir()) == []
    assert [path.name for path in large.iterdir()] == (["layer"] if name == "docker" else [])
    with pytest.raises(ProcessLookupError):
        os.kill(client, 0)
