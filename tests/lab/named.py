# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's server at AWS's own host names: process 1 of the namespaces that `at_aws_names` makes.

Here, the server uses TLS on port 443, each account's registry has its own host name, and the profiles have no
`endpoint_url`.
"""

from __future__ import annotations

import fcntl
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
from typing import Any

from hypercorn.config import Config

from . import at_aws_names, server, state

# MiniStack is imported once its settings are in the environment.
from ministack.core import responses  # isort: skip
from ministack.services import ecr as ministack_ecr  # isort: skip
from . import ecr  # isort: skip

_REGISTRY = re.compile(r"(\d{12})\.dkr[.-]ecr\.")
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1


def settle(folder: pathlib.Path) -> None:
    """Set up loopback, host names and certificates in these namespaces."""
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))
    for source, target in ((at_aws_names.HOSTS, "/etc/hosts"), (at_aws_names.TRUSTED, at_aws_names.SYSTEM_TRUSTED)):
        subprocess.run(["mount", "--bind", folder / source, target], check=True)
    # Process 1 inherits orphans. Their exit status is not needed.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)


def name_registries() -> None:
    """Serve a registry at the host name of each account."""
    install = ecr.install

    def install_named(endpoint: str) -> ecr.Registry:
        registry = install(endpoint)
        registry.account_of = _account_of  # type: ignore[method-assign, assignment]

        def own() -> str:
            return at_aws_names.registry(responses.get_account_id(), responses.get_region())

        def issue(data: dict[str, Any]) -> ecr.Response:
            registry.endpoint = f"https://{own()}"
            return registry.issue(data)

        async def serve(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> ecr.Response:
            registry.endpoint = f"https://{headers['host']}"
            return await registry.serve(method, path, headers, body, query)

        ministack_ecr._repo_uri = lambda name: f"{own()}/{name}"
        ministack_ecr._get_authorization_token = issue
        ministack_ecr.handle_registry_request = serve
        return registry

    ecr.install = install_named


def _account_of(token: ecr.Token, headers: dict[str, str], _name: str) -> str:
    """The account in the host name of the registry."""
    host = _REGISTRY.match(headers["host"])
    return host[1] if host else token.account


def speak_tls(folder: pathlib.Path) -> None:
    """Also serve TLS on port 443."""
    create = Config.create_sockets

    def create_both(config: Any) -> Any:
        config.insecure_bind, config.bind = config.bind, ["127.0.0.1:443"]
        return create(config)

    Config.create_sockets = create_both
    Config.certfile, Config.keyfile = folder / at_aws_names.CERTIFICATE, folder / at_aws_names.KEY
    Config.alpn_protocols = ["http/1.1"]


def leave_out_endpoints() -> None:
    """Omit the endpoints, so that clients use AWS's own host names."""
    private = state._private
    state._private = lambda path, text: private(path, re.sub(r"endpoint_url = .*\n", "", text))


def main(folder: pathlib.Path) -> None:
    os.umask(0o077)
    settle(folder)
    name_registries()
    speak_tls(folder)
    leave_out_endpoints()
    server.serve(folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
