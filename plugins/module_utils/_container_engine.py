# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Pulls images with the command line of docker or podman."""

from __future__ import annotations

import abc
import os
import pathlib
import re
import tempfile
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._endpoint import (
    docker_context,
    is_private_address,
    podman_addresses,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._engine import RegistryImage
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._platform import no_image_for, platform_of, runs_on
from ansible_collections.crossaccount.ecr.plugins.module_utils._program import (
    LARGE_FILES,
    Finished,
    Program,
    json_of,
    last_line,
)

#: The output of docker about a layer, and the maximum number of bytes of the output to read.
_BEGUN, _COMPLETE = "Pulling fs layer", "Download complete|Pull complete"
_OUTPUT = 1024 * 1024


@dataclass(frozen=True)
class LocalImage:
    """An image that a container engine has: its ID, its digests in registries, and its platform."""

    id: str
    digests: list[str]
    platform: str


class ContainerEngine(Program, abc.ABC):
    """A container engine of this host.

    :param platform: `os/architecture[/variant]`; None lets the engine choose
    """

    #: The arguments before each command, such as the context of docker.
    _prefix: t.Sequence[str] = ()

    def __init__(self, name: str, temporary: str, platform: str | None = None) -> None:
        super().__init__(name, temporary)
        self._platform = platform

    def connection_problems(self) -> t.Iterator[str]:
        """Find the engine, and yield the reasons why it cannot be used.

        :raises EcrError: if a registry token would be sent to the engine over plain TCP
        """
        problems = list(super().connection_problems()) or list(self._address_problems())
        yield from problems
        if problems:
            return
        answer = self._run(*self._prefix, "info", "--format", "{{json .}}")
        # Some versions of the docker client exit with 0 although no engine responded.
        if answer.returncode or '"ServerErrors":["' in answer.stdout:
            yield f"{self.name} is installed but its engine does not answer: {last_line(answer)}"
            return
        self._read_info(answer)

    @abc.abstractmethod
    def _address_problems(self) -> t.Iterator[str]:
        """Find and check the address of the engine, and yield the reasons why it cannot be found."""

    @abc.abstractmethod
    def _read_info(self, answer: Finished) -> None:
        """Read what the engine reports about itself."""

    @abc.abstractmethod
    def _pull(self, image: RegistryImage, platform: list[str], replaces: bool) -> Finished:
        """Run the command that pulls an image by its digest.

        :param replaces: whether the engine has an image of this digest for another platform
        """

    def _check_address(self, address: str, verified: bool) -> None:
        if not verified and not is_private_address(address):
            raise EcrError(
                f"The engine of {self.name} is at {address}, and no TLS verifies it. A registry token is sent over"
                " plain TCP to a loopback address only. Use ssh, a socket or, with docker, TLS with certificates."
            )

    def location(self, image: RegistryImage) -> str:
        return image.by_tag or image.by_digest

    def has(self, image: RegistryImage) -> bool:
        found = self._of_platform(image)
        if found is None or image.by_tag is None:
            return found is not None
        named = self._inspect(image.by_tag)
        return named is not None and named.id == found.id

    def fetch(self, image: RegistryImage) -> None:
        """Pull an image by its digest unless it exists, and tag it. An image with another digest is removed."""
        if self._of_platform(image) is None:
            self._pull_verified(image)
        if image.by_tag:
            done = self._run(*self._prefix, "tag", image.by_digest, image.by_tag)
            if done.returncode:
                raise EcrError(f"{self.name} could not name {image.by_digest} {image.by_tag}: {last_line(done)}")

    def _pull_verified(self, image: RegistryImage) -> None:
        reference = image.by_digest
        platform = [f"--platform={self._platform}"] if self._platform else []
        before = self._inspect(reference) if self._platform else None
        pulled = self._pull(image, platform, before is not None)
        if pulled.returncode:
            raise EcrError(f"{self.name} could not pull {reference}: {last_line(pulled)}")
        found = self._inspect(reference)
        if found is None:
            raise EcrError(f"{self.name} pulled {reference}, but has no image of that digest.")
        if image.digest not in found.digests:
            removed = self._run(*self._prefix, "image", "rm", "--force", found.id)
            next_step = "It was removed" if removed.returncode == 0 else f"Remove it ({last_line(removed)})"
            actual = ", ".join(found.digests) or "nothing"
            raise EcrError(f"{self.name} pulled {reference}, but has it as {actual}. {next_step}.")
        # The engines do not check the platform of an image without an index.
        if self._platform and not self._is_platform(found):
            if before is None:
                self._run(*self._prefix, "image", "rm", reference)
            raise no_image_for(self._platform, [found.platform], reference)

    def _of_platform(self, image: RegistryImage) -> LocalImage | None:
        found = self._inspect(image.by_digest)
        return found if found and self._is_platform(found) else None

    def _is_platform(self, image: LocalImage) -> bool:
        return not self._platform or runs_on(self._platform, image.platform)

    def _inspect(self, reference: str) -> LocalImage | None:
        found = self._run(*self._prefix, "image", "inspect", reference)
        if found.returncode:
            return None
        label = f"{self.name} image inspect {reference}"
        answer = json_of(found, label)
        image = answer[0] if isinstance(answer, list) and answer else None
        if not isinstance(image, dict) or not isinstance(image.get("Id"), str):
            raise EcrError(f"{label} did not return an image. Run it to see its output.")
        names = image.get("RepoDigests")
        digests = [
            name.rpartition("@")[2] for name in (names if isinstance(names, list) else []) if isinstance(name, str)
        ]
        platform = platform_of({part: image.get(part.title()) for part in ("os", "architecture", "variant")})
        return LocalImage(image["Id"], digests, platform)


class Docker(ContainerEngine):
    def __init__(self, temporary: str, platform: str | None = None) -> None:
        super().__init__("docker", temporary, platform)
        #: The directory with the user's contexts.
        self._contexts: pathlib.Path | None = None
        #: The output of docker during a pull.
        self._output: t.IO[str] | None = None

    def status(self) -> str:
        """The number of layers that docker has downloaded."""
        if self._output is None:
            return ""
        output = os.pread(self._output.fileno(), _OUTPUT, 0).decode(errors="replace")
        layers, complete = (set(re.findall(rf"(?m)^(\w+): (?:{pattern})$", output)) for pattern in (_BEGUN, _COMPLETE))
        return f"{len(layers & complete)} of {len(layers)} layers" if layers else ""

    def _address_problems(self) -> t.Iterator[str]:
        """Set the user's current context explicitly, because the private configuration has no current context."""
        found = self._run("context", "inspect", "--format", "{{json .}}")
        if found.returncode:
            yield f"docker does not report its context: {last_line(found)}"
            return
        inspected = json_of(found, "docker context inspect")
        context = docker_context(inspected) if isinstance(inspected, dict) else None
        if context is None:
            yield "docker does not report the address of its engine"
            return
        self._check_address(context.address, context.is_verified)
        self._prefix = ["--context", context.name]
        if context.name != "default":  # the context "default" has no file
            self._contexts = pathlib.Path(os.path.abspath(context.metadata)).parents[1]

    def _read_info(self, answer: Finished) -> None:
        pass

    def _pull(self, image: RegistryImage, platform: list[str], replaces: bool) -> Finished:
        if replaces:  # docker would keep the image of the other platform
            self._run(*self._prefix, "image", "rm", image.by_digest)
        # The certificates for DOCKER_TLS_VERIFY are in the user's directory, not in the private directory.
        own = os.environ.get("DOCKER_CONFIG") or os.path.expanduser("~/.docker")
        certificates = os.environ.get("DOCKER_CERT_PATH") or own
        with self._private_login(image.registry, self._contexts) as folder:
            words = ["--config", str(folder), *self._prefix, "pull", *platform, image.by_digest]
            with tempfile.TemporaryFile("w+", dir=self._temporary, errors="replace") as self._output:
                try:
                    pulled = self._run(*words, output=self._output, DOCKER_CERT_PATH=certificates)
                    self._output.seek(0)
                    pulled.stdout = self._output.read()
                finally:
                    self._output = None
        return pulled


class Podman(ContainerEngine):
    def __init__(self, temporary: str, platform: str | None = None) -> None:
        super().__init__("podman", temporary, platform)
        self._large_files_folder = LARGE_FILES

    def _address_problems(self) -> t.Iterator[str]:
        if {"CONTAINER_HOST", "CONTAINER_CONNECTION"} & os.environ.keys():
            self._check_remote()
        yield from ()

    def _read_info(self, answer: Finished) -> None:
        info = _dictionary(json_of(answer, "podman info"))
        if _dictionary(info.get("host")).get("serviceIsRemote"):
            self._check_remote()
        folder = _dictionary(info.get("store")).get("imageCopyTmpDir")
        self._large_files_folder = folder if folder and isinstance(folder, str) else LARGE_FILES

    def _check_remote(self) -> None:
        listed = self._run("system", "connection", "list", "--format", "json")
        connections = json_of(listed, "podman system connection list") if listed.returncode == 0 else []
        for address in podman_addresses(os.environ, connections) or ["an unknown address"]:
            self._check_address(address, False)

    def _pull(self, image: RegistryImage, platform: list[str], replaces: bool) -> Finished:
        registry, parent = image.registry, self._large_files_folder
        with self._private_login(registry) as folder, self._tls(registry) as tls, self._large_files(parent) as large:
            words = ["--quiet", f"--authfile={folder}/config.json", *tls, *platform, image.by_digest]
            return self._run("pull", *words, TMPDIR=large)


def _dictionary(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
