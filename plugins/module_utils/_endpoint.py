# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Decides to which engines a registry token may be sent, and which redirects are followed. Standard library only."""

from __future__ import annotations

import ipaddress
import re
import typing as t
import urllib.parse

from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json

#: The schemes of engines on this host or behind ssh.
_PRIVATE = ("unix", "npipe", "fd", "ssh")
#: A strict pattern, so that no client can parse a different host from the same address.
_TCP = re.compile(r"(?:tcp|http|https)://(?:\[([0-9a-fA-F:]+)\]|([0-9A-Za-z.-]+))(?::[0-9]+)?/?")


def is_loopback_address(host: str) -> bool:
    """Whether a host is an address in 127.0.0.0/8, rather than a name that begins with 127."""
    try:
        return ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return False


def is_private_address(address: str) -> bool:
    """Whether an engine's address is on this host or behind ssh: a socket, 127.0.0.0/8, ::1, or the name localhost."""
    if address.partition("://")[0] in _PRIVATE:
        return True
    found = _TCP.fullmatch(address)
    host = (found[1] or found[2]).lower() if found else ""
    return host in ("localhost", "::1") or is_loopback_address(host)


def redirect_problem(registry: str, target: str) -> str | None:
    """The reason why a redirect from the registry at URL `registry` to URL `target` is not followed, or None.

    The query of a target may be a credential, so the message has only the scheme and the host. The requirement of https
    protects the metadata services of clouds, which do not support https.
    """
    try:
        source, parts = urllib.parse.urlsplit(registry), urllib.parse.urlsplit(target)
        loopback = is_loopback_address(source.hostname or "") and is_loopback_address(parts.hostname or "")
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "an invalid URL"
    if host and (parts.scheme == "https" or (source.scheme == parts.scheme == "http" and loopback)):
        return None
    return f"{parts.scheme}://{host}"


class DockerContext(t.NamedTuple):
    """A docker context: its name, the address of its engine, whether TLS verifies the engine, and its directory."""

    name: str
    address: str
    is_verified: bool
    metadata: str


def docker_context(inspected: Json) -> DockerContext | None:
    """The context in the output of `docker context inspect`, or None.

    A context without TLS verification does not protect against another host that impersonates the engine.
    """
    try:
        endpoint, name, metadata = inspected["Endpoints"]["docker"], inspected["Name"], inspected["Storage"]
        is_verified = bool(inspected["TLSMaterial"].get("docker")) and endpoint["SkipTLSVerify"] is False
        return DockerContext(str(name), str(endpoint["Host"]), is_verified, str(metadata["MetadataPath"]))
    except (KeyError, TypeError, AttributeError):
        return None


def podman_addresses(environment: t.Mapping[str, str], connections: object) -> list[str]:
    """The addresses that a remote podman may use. The precedence of its two variables depends on its version.

    :param connections: the output of `podman system connection list --format json`
    """
    name = environment.get("CONTAINER_CONNECTION")
    found = [environment["CONTAINER_HOST"]] if environment.get("CONTAINER_HOST") else []
    for connection in connections if (name or not found) and isinstance(connections, list) else []:
        if isinstance(connection, dict) and (connection.get("Name") == name if name else connection.get("Default")):
            found.append(str(connection.get("URI")))
    return found
