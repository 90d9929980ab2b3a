# SPDX-License-Identifier: GPL-3.0-or-later
"""Inputs of a pull: the registry, the container engine, and an existing image layout."""

from __future__ import annotations

import json
import shutil
import urllib.parse
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.support.registry import OCI_INDEX, OCI_MANIFEST, Server

from . import hostile, hostile_aws
from .entries import run_module
from .fake_servers import FakeServers
from .observers import Observations, Sandbox

LAYER = b"a layer"
_DESCRIPTOR = {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": hostile_aws.DIGEST, "size": 1}
_MANIFEST = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": _DESCRIPTOR, "layers": [_DESCRIPTOR]}
_PLATFORM = {"os": "linux", "architecture": "amd64"}
_INDEX = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [{**_DESCRIPTOR, "platform": _PLATFORM}]}
#: How a registry or an engine repeats the token that it received.
ECHOES: dict[str, Callable[[str], str]] = {
    "raw": str,
    "URL": lambda secret: urllib.parse.quote(secret, safe=""),
    "hexadecimal": lambda secret: secret.encode().hex(),
    "JSON": lambda secret: json.dumps(secret).replace("/", "\\/"),
}


_headers = st.dictionaries(
    st.sampled_from(["Content-Type", "Content-Range", "Location", "Link", "Docker-Content-Digest", "X-Other"]),
    hostile.texts,
    max_size=3,
)
_refusals = st.tuples(st.sampled_from([400, 401, 403, 404]), st.sampled_from([*ECHOES]), hostile.texts, st.booleans())
answers_of_registries = st.one_of(
    st.tuples(st.just("manifest"), hostile.documents(_MANIFEST), _headers),
    st.tuples(st.just("index"), hostile.documents(_INDEX), _headers),
    st.tuples(st.just("config"), hostile.documents(_PLATFORM), _headers),
    st.tuples(st.just("refusal"), _refusals, _headers),
    st.tuples(
        st.just("redirect"), hostile.texts | st.sampled_from(["OTHER", "file:///etc/passwd", "ftp://x/"]), _headers
    ),
    st.tuples(st.just("blob"), st.sampled_from([b"", b"x" * 7, b"x" * 1_000_000]), _headers),
)


def _latin(headers: dict[str, str]) -> dict[str, str]:
    """Texts that HTTP can carry: one line of Latin-1."""
    return {
        name: " ".join(value[:4000].encode("latin-1", "replace").decode("latin-1").split())
        for name, value in headers.items()
    }


def ask_registry(sandbox: Sandbox, servers: FakeServers, observations: Observations, value: Any) -> None:
    """Pull into a layout with one hostile response."""
    kind, content, headers = value
    server, headers = servers.registry, _latin(headers)
    image = server.push_image("app", LAYER)
    blob = "/v2/app/blobs/" + server.push("app", LAYER)["digest"]
    if kind in ("manifest", "index"):
        raw = content.encode("utf-8", "surrogatepass")
        image = server.push("app", raw, OCI_MANIFEST if kind == "manifest" else OCI_INDEX)
        _serve(server, f"/v2/app/manifests/{image['digest']}", 200, raw, headers)
    elif kind == "config":
        config = server.push("app", content.encode("utf-8", "surrogatepass"))
        manifest = {**_MANIFEST, "config": config, "layers": [server.push("app", LAYER)]}
        image = server.push("app", json.dumps(manifest).encode(), OCI_MANIFEST)
    elif kind == "refusal":
        status, echo, text, of_token = content
        secret = hostile_aws.REGISTRY_TOKEN if of_token else hostile_aws.REGISTRY_PASSWORD
        errors = {"errors": [{"code": text, "message": f"{text[:100]} {ECHOES[echo](secret)}"}]}
        _serve(server, blob, status, json.dumps(errors).encode(), headers)
    elif kind == "redirect":
        target = f"{servers.other.url}/layer" if content == "OTHER" else content
        _serve(server, blob, 307, b"", {**headers, **_latin({"Location": target})})
    else:
        _serve(server, blob, 200, content, headers)
    pull_by_token(
        sandbox, servers, observations, image["digest"], engine="oci_layout", dest=str(sandbox.inside / "layout")
    )
    observations.sent += [str(sent) for _path, sent in servers.other.requests]


def _serve(server: Server, path: str, status: int, body: bytes, headers: dict[str, str]) -> None:
    named: dict[str, Any] = {name.replace("-", "_"): value for name, value in headers.items()}
    server.serve(path, status, body, **named)


def pull_by_token(
    sandbox: Sandbox,
    servers: FakeServers,
    observations: Observations,
    digest: str,
    variables: dict[str, str] | None = None,
    **options: Any,
) -> dict[str, Any]:
    given = {
        "registry_url": servers.registry.url,
        "registry_token": hostile_aws.REGISTRY_TOKEN,
        "images": [f"app:v1@{digest}"],
        "platform": "linux/amd64",
        "wait_timeout": 0,
    }
    return run_module(sandbox, observations, "ecr_image_pull", {**given, **options}, variables or {})


ENGINE = """#!/bin/sh
for word in "$@"; do
  case "$word" in
  --config | --authfile=* | --src-authfile=* | --src-creds*) token=yes ;;
  info | version | context | inspect | pull | tag | copy | rm | system) answer=$word ;;
  esac
done
cat "FOLDER/$answer.out" 2>/dev/null
cat "FOLDER/$answer.err" >&2 2>/dev/null
if [ "$token" ]; then printf '\\n%s' "ECHO" >&2; fi
exit "$(cat "FOLDER/$answer.code")"
"""
_INSPECTED = [
    {
        "Id": "sha256:id",
        "RepoDigests": [f"app@{hostile_aws.DIGEST}"],
        "Os": "linux",
        "Architecture": "amd64",
    }
]
_INFO = {"store": {"imageCopyTmpDir": "/var"}, "ServerErrors": []}
_CONTEXT = [{"Name": "default", "Endpoints": {"docker": {"Host": "unix:///var/run/docker.sock"}}}]
outputs_of_engines = st.fixed_dictionaries(
    {
        "engine": st.sampled_from(["docker", "podman", "skopeo"]),
        "echo": st.sampled_from([*ECHOES]),
        "info": hostile.documents(_INFO) | st.just("{}"),
        "context": hostile.documents(_CONTEXT) | hostile.texts | st.just("unix:///var/run/docker.sock"),
        "inspect": hostile.documents(_INSPECTED),
        "pull": hostile.texts,
        "copy": hostile.texts,
        "code": st.sampled_from([0, 0, 1]),
    }
)


def ask_engine(sandbox: Sandbox, servers: FakeServers, observations: Observations, value: Any) -> None:
    """Pull with a program that replaces an engine. Its output is hostile and repeats the token."""
    folder = sandbox.inside / "engine"
    folder.mkdir()
    name = value["engine"]
    program = folder / name
    echo = ECHOES[value["echo"]](hostile_aws.REGISTRY_TOKEN)
    program.write_text(ENGINE.replace("FOLDER", str(folder)).replace("ECHO", echo))
    program.chmod(0o755)
    for word in ("info", "version", "context", "inspect", "pull", "tag", "copy", "rm", "system"):
        text = str(value.get(word, "")).encode("utf-8", "surrogatepass")
        code = value["code"] if word in ("inspect", "pull", "copy") else 0
        (folder / f"{word}.out").write_bytes(text)
        (folder / f"{word}.err").write_bytes(text)
        (folder / f"{word}.code").write_text(str(code))
    options = {"engine": name, **({"dest": str(sandbox.inside / "store")} if name == "skopeo" else {})}
    variables = {"PATH": f"{folder}:/usr/bin:/bin"}
    image = servers.registry.push_image("app", LAYER)
    pull_by_token(sandbox, servers, observations, image["digest"], variables, **options)
    shutil.rmtree(folder)  # the program has the token in it


LAYOUT_FILES = ["index.json", "oci-layout", "blobs", "blobs/sha256", "MANIFEST", "LAYER", "."]
_LAYOUT = {"schemaVersion": 2, "manifests": [{**_DESCRIPTOR, "mediaType": OCI_MANIFEST}]}
layouts = st.tuples(st.sampled_from(LAYOUT_FILES), hostile.files(hostile.documents(_LAYOUT)))


def pull_into_layout(sandbox: Sandbox, servers: FakeServers, observations: Observations, value: Any) -> None:
    """Pull into a layout that contains one hostile file."""
    name, file = value
    image = servers.registry.push_image("app", LAYER)
    layout = sandbox.inside / "layout"
    blobs = {"MANIFEST": image["digest"], "LAYER": servers.registry.push("app", LAYER)["digest"]}
    path = layout / (f"blobs/{blobs[name].replace(':', '/')}" if name in blobs else name)
    if not (file.kind == "text" and path in (layout, layout / "blobs", layout / "blobs/sha256")):
        hostile.create(file, path)
    pull_by_token(sandbox, servers, observations, image["digest"], engine="oci_layout", dest=str(layout))
