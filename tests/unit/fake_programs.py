# SPDX-License-Identifier: GPL-3.0-or-later
"""docker, podman and skopeo as shell scripts, which write down how they were called and what they found."""

from __future__ import annotations

import base64
import contextlib
import json
import pathlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _program, _skopeo
from ansible_collections.crossaccount.ecr.plugins.module_utils._container_engine import ContainerEngine, Docker, Podman
from ansible_collections.crossaccount.ecr.plugins.module_utils._engine import Engine, RegistryImage
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import Reference
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry import Registry
from ansible_collections.crossaccount.ecr.plugins.module_utils._skopeo import Skopeo

Install = Callable[..., pathlib.Path]
HOST = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"
PASSWORD = "secret-token-of-one-caller"
TOKEN = base64.b64encode(f"AWS:{PASSWORD}".encode()).decode()
DIGEST = "sha256:" + "a" * 64
REFERENCE = f"{HOST}/team/app@{DIGEST}"
NAME = f"{HOST}/team/app:v1"
LOOPBACK = "http://127.0.0.1:5000"
DEST = "containers-storage:app:v1"
#: The content of the registry under DIGEST; skopeo's own part is the configuration, which the fake has.
MANIFEST = {
    "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": DIGEST, "size": 1},
    "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": DIGEST, "size": 1}],
}

# The images are files in $log/images whose names are the references. For docker and podman they hold what
# `image inspect` answers, for skopeo what `inspect --config` does.
FAKE = r"""#!/bin/sh
PATH=/usr/bin:/bin
log=@LOG@
echo "$@" >> $log/calls
env >> $log/environment
for word in "$@"; do
  case $word in
    --*authfile=*) login=${word#*=} ;;
    --platform=*) architecture=$(echo "$word" | cut -d/ -f2) ;;
    --*cert-dir=*) (cd "${word#*=}" && ls -A && cat *) > $log/certificates ;;
  esac
  reference=$previous previous=$word
done
while [ $# -gt 0 ]; do
  case $1 in
    --config) login=$2/config.json; shift 2 ;;
    --context) shift 2 ;;
    --override-*) shift ;;
    *) break ;;
  esac
done
file() { echo $log/images/$(echo "${1#docker://}" | tr '/:@' '___'); }
found() { cat "$(file "$1")" 2>/dev/null || { echo "no such image" >&2; exit 1; }; }
keep() {
  echo '[{"Id": "sha256:id", "Os": "linux", "Architecture": "'"${architecture:-amd64}"'",' \
    '"RepoDigests": ["'"$2"'"]}]' > "$(file "$1")"
}
if [ -n "$login" ]; then
  folder=$(dirname "$login")
  stat -c %a "$folder" "$login" > $log/modes
  ls -A "$folder" > $log/names
  cat "$login" > $log/auth
fi
case $1 in
  context) cat $log/context 2>/dev/null || exit 1 ;;
  info) @INFO@ ;;
  image) case $2 in inspect) found "$3" ;; rm) @REMOVE@ ;; esac ;;
  inspect) found "$previous" ;;
  tag) cp "$(file "$2")" "$(file "$3")" || { echo "tag: refused" >&2; exit 1; } ;;
  delete) @REMOVE@ ;;
  pull) reference=$previous; @PULL@ ;;
  copy) @PULL@ ;;
esac
"""
PULLS = 'keep "$reference" "$reference"'
COPIES = 'cp "$(file "$reference")" "$(file "$previous")"'
#: The image is not in an index: its own platform arrives, whatever was requested.
ONLY_AMD64 = f"architecture=amd64; {PULLS}"
#: Another image arrives than the one asked for.
SWAPS = 'keep "$reference" "${reference%@*}@sha256:other"'
DIFFERS = 'echo "{}" > "$(file "$previous")"'
FAILS = 'echo "first line" >&2; echo "denied: not you" >&2; exit 1'
TELLS = f'echo "with {TOKEN} and {PASSWORD}" >&2; exit 1'
#: The pull waits until the test creates a file.
WAITS = "touch $log/waits; while [ ! -e $log/goes_on ]; do sleep 0.01; done"
HANGS = "touch $TMPDIR/layer; echo $TMPDIR > $log/large; echo $$ > $log/pid; exec sleep 60"


def docker_context(name: str, host: str, *, tls: bool = False, metadata: str = "<IN MEMORY>") -> str:
    """The output of `docker context inspect`."""
    return json.dumps(
        {
            "Name": name,
            "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False}},
            "TLSMaterial": {"docker": ["ca.pem"]} if tls else {},
            "Storage": {"MetadataPath": metadata},
        }
    )


def image(log: pathlib.Path, reference: str) -> pathlib.Path:
    """The file of an image of a fake program."""
    return log / "images" / reference.translate(str.maketrans("/:@", "___"))


def registry(url: str = f"https://{HOST}", validate_certs: bool = True, ca_path: str | None = None) -> Registry:
    return Registry(url, TOKEN, validate_certs, ca_path)


def remote(source: Registry | None = None, image_tag: str | None = None) -> RegistryImage:
    """The image that the registry has under DIGEST; without an image tag, its name is REFERENCE."""
    reference = Reference("team/app", image_tag, None if image_tag else DIGEST)
    return RegistryImage(source or registry(), reference, DIGEST)


def container_engine(name: str, temporary: pathlib.Path, platform: str | None = None) -> ContainerEngine:
    """A container engine that may be used."""
    engine = {"docker": Docker, "podman": Podman}[name](str(temporary), platform)
    assert list(engine.connection_problems()) == []
    return engine


def fetch(name: str, temporary: pathlib.Path, source: Registry) -> None:
    """Pull with docker or podman, copy with skopeo."""
    if name == "skopeo":
        Skopeo(str(temporary), DEST, "linux/amd64").fetch(remote(source))
    else:
        container_engine(name, temporary).fetch(remote(source))


def calls(log: pathlib.Path) -> list[str]:
    return (log / "calls").read_text().splitlines()


PROGRAMS = ["docker", "podman", "skopeo"]
#: url, validate_certs, whether ca_path is given: whether the registry's certificate is checked.
TLS = [
    (f"https://{HOST}", True, False, True),
    (f"https://{HOST}", True, True, True),
    (f"https://{HOST}", False, False, False),
    (LOOPBACK, True, False, False),
]


@contextlib.contextmanager
def fetching(engine: Engine, log: pathlib.Path, fails: str = "") -> Iterator[None]:
    """Within, a fetch is at the place where the program WAITS.

    :param fails: the beginning of the message of the fetch
    """
    with ThreadPoolExecutor(1) as pool, pytest.MonkeyPatch.context() as patch:
        for module in (_program, _skopeo):  # only the main thread of a process can catch signals
            patch.setattr(module, "interruptible", contextlib.nullcontext)
        fetched = pool.submit(engine.fetch, remote())
        try:
            deadline = time.monotonic() + 300
            while not (log / "waits").exists() and not fetched.done():
                assert time.monotonic() < deadline
                time.sleep(0.01)
            yield
        finally:
            (log / "goes_on").touch()
            error = fetched.exception(60)
        assert str(error or "").startswith(fails), error
        assert bool(error) is bool(fails), error
