# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""docker, podman and skopeo, by their command lines. The token reaches them in a private file while they need it."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._endpoint import (
    docker_context,
    is_private,
    podman_addresses,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._image import (
    REPLACED,
    Image,
    check_platform,
    diff_ids,
    is_destination,
    is_platform,
    missing_layers,
    no_image_for,
    platform_of,
    resolve,
    split_destination,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._protected_files import make_folders
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry import Registry
from ansible_collections.crossaccount.ecr.plugins.module_utils._signals import interruptible
from ansible_collections.crossaccount.ecr.plugins.module_utils._stored import (
    broken_files,
    is_damaged,
    remove_blobs,
    safe_destination,
)

ENGINES = ("docker", "podman")
#: Where podman and skopeo keep layers on their way, unless they are told otherwise: containers.conf(5).
_LARGE_FILES = os.path.join(os.sep, "var", "tmp")


class _Program:
    """A program of this host, and the folder of this module's own for its private files."""

    def __init__(self, name: str, temporary: str) -> None:
        self.name, self._temporary = name, temporary
        self._program = shutil.which(name)

    def _run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        # No AWS credentials for others. subprocess.run kills the program when this process is interrupted.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return subprocess.run(
            [str(self._program), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            env={**environment, **variables},
        )

    @contextlib.contextmanager
    def _private_login(self, registry: Registry, contexts: pathlib.Path | None = None) -> t.Iterator[pathlib.Path]:
        """A folder (0700) with a `config.json` (0600) that holds the token, gone afterwards, also on SIGTERM.

        :param contexts: docker's folder of contexts, which the private folder then has, too
        """
        with interruptible():
            folder = pathlib.Path(tempfile.mkdtemp(dir=self._temporary))
            try:
                handle = os.open(folder / "config.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "w") as file:
                    json.dump({"auths": {registry.host: {"auth": registry.authorization}}}, file)
                if contexts:
                    (folder / "contexts").symlink_to(contexts)
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def _large_files(self, parent: str) -> t.Iterator[str]:
        """A folder for layers on their way, gone afterwards: podman and skopeo leave theirs when they are killed."""
        with interruptible(), tempfile.TemporaryDirectory(dir=parent, prefix="crossaccount.ecr-") as folder:
            yield folder

    @contextlib.contextmanager
    def _tls(self, registry: Registry, prefix: str = "") -> t.Iterator[list[str]]:
        """The options by which podman and skopeo check the registry's certificate as they are told to."""
        options = [] if registry.validate_certs and not registry.plain_http else [f"--{prefix}tls-verify=false"]
        if not registry.ca_path:
            yield options
            return
        with tempfile.TemporaryDirectory(dir=self._temporary) as folder:
            shutil.copyfile(registry.ca_path, pathlib.Path(folder, "ca.crt"))
            yield [*options, f"--{prefix}cert-dir={folder}"]


class Engine(_Program):
    """A container engine of this host.

    :param name: `docker` or `podman`
    :param temporary: a folder of this module's own, for private files
    :param platform: `os/architecture[/variant]`; None lets the engine choose
    """

    def __init__(self, name: str, temporary: str, platform: str | None = None) -> None:
        super().__init__(name, temporary)
        self._platform = platform
        self._large_files_folder = _LARGE_FILES
        #: docker's context by its name, and the folder of the user's contexts.
        self._context: list[str] = []
        self._contexts: pathlib.Path | None = None

    def problem(self) -> str | None:
        """Why the engine cannot be used, or None.

        :raises EcrError: when a registry token would be sent to it over plain TCP
        """
        if not self._program:
            return f"{self.name} is not installed (no such program in PATH)"
        if self.name == "docker":
            problem = self._find_context()
            if problem:
                return problem
        elif {"CONTAINER_HOST", "CONTAINER_CONNECTION"} & os.environ.keys():
            self._check_remote_podman()
        answer = self._run(*self._context, "info", "--format", "{{json .}}")
        # The docker client exits with 0 in some versions although no engine answered.
        if answer.returncode or '"ServerErrors":["' in answer.stdout:
            return f"{self.name} is installed but its engine does not answer: {_last_line(answer)}"
        if self.name == "podman":
            self._read_podman(_parsed(answer, "podman info"))
        return None

    def _find_context(self) -> str | None:
        """Name the user's context, for the private configuration has no current one. Why there is none, or None."""
        found = self._run("context", "inspect", "--format", "{{json .}}")
        if found.returncode:
            return f"docker does not report its context: {_last_line(found)}"
        context = docker_context(_parsed(found, "docker context inspect"))
        if context is None:
            return "docker does not report the address of its engine"
        self._check_address(context.address, context.is_verified)
        self._context = ["--context", context.name]
        if context.name != "default":  # which is kept nowhere: it is what the environment says
            self._contexts = pathlib.Path(os.path.abspath(context.metadata)).parents[1]
        return None

    def _read_podman(self, info: t.Any) -> None:
        info = info if isinstance(info, dict) else {}
        host, store = (part if isinstance(part, dict) else {} for part in (info.get("host"), info.get("store")))
        if host.get("serviceIsRemote"):
            self._check_remote_podman()
        folder = store.get("imageCopyTmpDir")
        self._large_files_folder = folder if folder and isinstance(folder, str) else _LARGE_FILES

    def _check_remote_podman(self) -> None:
        listed = self._run("system", "connection", "list", "--format", "json")
        connections = _parsed(listed, "podman system connection list") if listed.returncode == 0 else []
        for address in podman_addresses(os.environ, connections) or ["an unknown address"]:
            self._check_address(address, False)

    def _check_address(self, address: str, verified: bool) -> None:
        if not verified and not is_private(address):
            raise EcrError(
                f"The engine of {self.name} is at {address}, and no TLS verifies it. A registry token is sent over"
                " plain TCP to a loopback address only. Use ssh, a socket or, with docker, TLS with certificates."
            )

    def has(self, reference: str, name: str | None) -> bool:
        """Whether the image `reference` (by digest) is here, and `name` is this image's name."""
        image = self._inspect(reference)
        if image is None or not self._is_platform(image):
            return False
        return name is None or (self._inspect(name) or {}).get("Id") == image["Id"]

    def pull(self, reference: str, registry: Registry) -> None:
        """Pull an image by its digest, and see that the engine has that digest; else it is removed."""
        platform = [f"--platform={self._platform}"] if self._platform else []
        before = self._inspect(reference) if self._platform else None
        with self._private_login(registry, self._contexts) as folder:
            if self.name == "docker":
                if before:  # of another platform, which docker does not replace
                    self._run(*self._context, "image", "rm", reference)
                # Certificates that DOCKER_TLS_VERIFY asks for are in the user's folder, not in the private one.
                own = os.environ.get("DOCKER_CONFIG") or os.path.expanduser("~/.docker")
                certificates = os.environ.get("DOCKER_CERT_PATH") or own
                words = ["--config", str(folder), *self._context, "pull", "--quiet", *platform, reference]
                pulled = self._run(*words, DOCKER_CERT_PATH=certificates)
            else:
                with self._tls(registry) as tls, self._large_files(self._large_files_folder) as large:
                    authfile = f"--authfile={folder}/config.json"
                    pulled = self._run("pull", "--quiet", authfile, *tls, *platform, reference, TMPDIR=large)
        if pulled.returncode:
            raise EcrError(f"{self.name} could not pull {reference}: {registry.mask(_last_line(pulled))}")
        image = self._inspect(reference)
        if image is None:
            raise EcrError(f"{self.name} pulled {reference}, but has no image of that digest.")
        digests = [one.rpartition("@")[2] for one in image["RepoDigests"]]
        if reference.rpartition("@")[2] not in digests:
            removed = self._run(*self._context, "image", "rm", "--force", str(image["Id"]))
            what = "It was removed" if removed.returncode == 0 else f"Remove it ({_last_line(removed)})"
            raise EcrError(f"{self.name} pulled {reference}, but has it as {', '.join(digests) or 'nothing'}. {what}.")
        if self._platform and not self._is_platform(image):  # an image that stands in no index: neither engine minds
            if before is None:
                self._run(*self._context, "image", "rm", reference)
            raise no_image_for(self._platform, [_platform(image)], reference)

    def _is_platform(self, image: dict[str, t.Any]) -> bool:
        return not self._platform or is_platform(self._platform, _platform(image))

    def name_image(self, reference: str, name: str) -> None:
        """Give the image a name with an image tag."""
        done = self._run(*self._context, "tag", reference, name)
        if done.returncode:
            raise EcrError(f"{self.name} could not name {reference} {name}: {_last_line(done)}")

    def _inspect(self, reference: str) -> dict[str, t.Any] | None:
        found = self._run(*self._context, "image", "inspect", reference)
        if found.returncode:
            return None
        what = f"{self.name} image inspect {reference}"
        answer = _parsed(found, what)
        image = answer[0] if isinstance(answer, list) and answer else None
        if not isinstance(image, dict) or not isinstance(image.get("Id"), str):
            raise EcrError(f"{what} answered something that is no image. Look what it answers by hand.")
        digests = image.get("RepoDigests")
        listed = [one for one in digests if isinstance(one, str)] if isinstance(digests, list) else []
        return {**image, "RepoDigests": listed}


class Skopeo(_Program):
    """skopeo, which copies an image to any of its transports.

    :param platform: `os/architecture[/variant]`
    :param exact: an image that stands in no index has to be of the platform, too
    """

    def __init__(self, temporary: str, platform: str, exact: bool = False) -> None:
        super().__init__("skopeo", temporary)
        self._platform, self._exact = platform, exact
        system, _slash, rest = platform.partition("/")
        architecture, _slash, variant = rest.partition("/")
        self._overrides = [f"--override-os={system}", f"--override-arch={architecture}"]
        self._overrides += [f"--override-variant={variant}"] if variant else []

    def problem(self) -> str | None:
        """Why it can not be used, or None."""
        return None if self._program else "skopeo is not installed (no such program in PATH)"

    def has(self, reference: str, destination: str, registry: Registry) -> bool:
        """Whether the destination has the image: the same configuration, and the content of each layer.

        :raises EcrError: if another user can change a destination on this host, or it contains links
        """
        return self._broken(reference, safe_destination(destination), registry) == []

    def _broken(
        self, reference: str, destination: str, registry: Registry, image: Image | None = None
    ) -> list[str] | None:
        """The files or layers of a destination that are not those of the image; None if it has another image.

        A destination of another format has other digests for the same image, so configurations are compared first.
        """
        config = self._inspect("--config", destination)
        if config is None:
            return None
        image = image or self._image(reference, registry)
        if config != _parsed(self._config(reference, image, registry), "skopeo inspect"):
            return None
        transport, path, _name = split_destination(destination)
        if path:
            return broken_files(destination, image, diff_ids(config))
        manifest = self._inspect("--raw", destination) if transport == "docker" else None
        return [] if manifest is None else missing_layers(manifest, image)

    def _image(self, reference: str, registry: Registry) -> Image:
        """The image in the registry, of an index the one for the platform."""
        repository, _at, digest = reference.partition("/")[2].rpartition("@")
        return resolve(lambda wanted: registry.manifest(repository, wanted), digest, self._platform, reference)

    def _inspect(self, what: str, destination: str) -> t.Any:
        """The configuration or the manifest of the image in a destination, None if it has none."""
        found = self._run(*self._overrides, "inspect", what, *_daemon("", destination), destination)
        return None if found.returncode else _parsed(found, "skopeo inspect")

    def _config(self, reference: str, image: Image, registry: Registry) -> subprocess.CompletedProcess[str]:
        """The configuration of the image in the registry."""
        with self._private_login(registry) as folder, self._tls(registry) as tls:
            authfile = f"--authfile={folder}/config.json"
            source = f"docker://{_of(reference, image)}"
            here = self._run(*self._overrides, "inspect", "--config", authfile, *tls, source)
        if here.returncode:
            raise EcrError(f"skopeo could not look at {reference}: {registry.mask(_last_line(here))}")
        return here

    def copy(self, reference: str, destination: str, registry: Registry) -> None:
        """Copy an image by its digest, which skopeo checks, and see that it is there."""
        destination = safe_destination(destination)
        image = self._image(reference, registry)
        if self._exact and not image.chosen:
            config = self._config(reference, image, registry).stdout.encode()
            check_platform(config, self._platform, reference)
        transport, path, name = split_destination(destination)
        if path is None:
            self._copy(reference, image, destination, registry)
            return
        location = pathlib.Path(path)
        # The folders, and that of the layout, are created here, so that no other user can be faster in a shared folder.
        make_folders(str(location if transport == "oci" else location.parent))
        safe_destination(destination)
        if transport not in REPLACED:
            self._copy(reference, image, destination, registry)
            return
        # skopeo writes these in place, or not at all where something is: a copy that fails must leave what was there.
        empty = not location.exists() or (location.is_dir() and not any(location.iterdir()))
        if not empty and self._inspect("--config", f"{transport}:{path}") is None and not is_damaged(destination):
            raise EcrError(
                f"{path} is there and holds something else than one image. Nothing was changed; move it away."
            )
        with interruptible(), tempfile.TemporaryDirectory(dir=location.parent, prefix=".incoming-") as folder:
            incoming, former = pathlib.Path(folder, "incoming"), pathlib.Path(folder, "former")
            self._copy(reference, image, f"{transport}:{incoming}{name}", registry)
            try:
                if location.exists():
                    location.rename(former)
                incoming.rename(location)
            except BaseException:
                if former.exists() and not location.exists():
                    former.rename(location)
                raise

    def _copy(self, reference: str, image: Image, destination: str, registry: Registry) -> None:
        transport, path, _name = split_destination(destination)
        for _attempt in range(2):
            self._copy_once(reference, image, destination, registry)
            broken = self._broken(reference, destination, registry, image)
            if not broken or transport != "oci":
                break
            remove_blobs(destination, broken)  # which existed before, and which skopeo reuses without reading them
        # Another registry may have a layer in another compression, which skopeo then reuses.
        if broken == [] or (broken and not path):
            return
        removed = self._run("delete", destination)
        what = "It was removed" if removed.returncode == 0 else f"Remove {destination}"
        raise EcrError(f"skopeo copied {reference}, but {destination} has another image. {what}.")

    def _copy_once(self, reference: str, image: Image, destination: str, registry: Registry) -> None:
        parent = os.environ.get("TMPDIR", _LARGE_FILES)
        with self._private_login(registry) as folder, self._tls(registry, "src-") as tls:
            options = ["--quiet", f"--src-authfile={folder}/config.json", *tls, *_daemon("dest-", destination)]
            with self._large_files(parent) as large:
                source = f"docker://{_of(reference, image)}"
                copied = self._run(*self._overrides, "copy", *options, source, destination, TMPDIR=large)
        if copied.returncode:
            raise EcrError(f"skopeo could not copy {reference}: {registry.mask(_last_line(copied))}")


def _of(reference: str, image: Image) -> str:
    """The reference by the digest of the one image, where it is that of an index."""
    return f"{reference.rpartition('@')[0]}@{image.digest}"


def _daemon(prefix: str, destination: str) -> list[str]:
    """skopeo does not look at DOCKER_HOST by itself."""
    host = os.environ.get("DOCKER_HOST")
    return [f"--{prefix}daemon-host={host}"] if host and destination.startswith("docker-daemon:") else []


def _platform(image: dict[str, t.Any]) -> str:
    return platform_of({part: image.get(part.title()) for part in ("os", "architecture", "variant")})


def choose_engine(
    wanted: str, dest: str | None, temporary: str, platform: str | None, default_platform: str
) -> Engine | Skopeo | None:
    """The engine to use; None for `oci_layout`.

    `auto` takes skopeo where `dest` is a destination of skopeo, else docker, else podman, else `oci_layout`.

    :raises EcrError: when the engine asked for can not be used
    """
    if wanted == "auto" and is_destination(dest):
        wanted = "skopeo"
    if wanted == "oci_layout":
        return None
    for name in ENGINES if wanted == "auto" else (wanted,):
        engine: Engine | Skopeo = (
            Skopeo(temporary, platform or default_platform, bool(platform))
            if name == "skopeo"
            else Engine(name, temporary, platform)
        )
        problem = engine.problem()
        if problem is None:
            return engine
        if wanted != "auto":
            raise EcrError(f"Engine {name} cannot be used: {problem}. Fix that, or choose another engine.")
    return None


def _parsed(process: subprocess.CompletedProcess[str], what: str) -> t.Any:
    """The JSON that a program wrote."""
    try:
        return json.loads(process.stdout)
    except (ValueError, RecursionError):
        raise EcrError(f"{what} answered something else than JSON. Look what it answers by hand.") from None


def _last_line(process: subprocess.CompletedProcess[str]) -> str:
    lines = (process.stderr or process.stdout).strip().splitlines()
    if not lines:
        return f"exit status {process.returncode}"
    logged = re.search(r'level=fatal msg="(.*)"$', lines[-1])  # how skopeo says it
    return logged[1].replace('\\"', '"') if logged else lines[-1]
