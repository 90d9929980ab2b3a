# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Image references, manifests and the OCI image layout. Standard library only.

Everything here that comes from a registry is foreign: it is checked before it is used. A descriptor's digest
becomes a file name, so only the form `sha256:<64 hex digits>` passes.

Source: OCI Image Format Specification 1.1 (descriptor, manifest, image index, image layout).
"""

from __future__ import annotations

import hashlib
import json
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import repository_problems

INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
#: ECR User Guide, "Amazon ECR service quotas": no manifest is larger than 4 MiB.
MANIFEST_BYTES = 4 * 1024 * 1024
REF_NAME = "org.opencontainers.image.ref.name"
#: Which image of the registry an entry of a layout came from, where the entry's own digest can not say it.
SOURCE_DIGEST, SOURCE_PLATFORM = "crossaccount.ecr.digest", "crossaccount.ecr.platform"
#: Docker's types and what the same bytes are called by OCI. Image Manifest V2 Schema 2; OCI Image Format, Media Types.
_OCI_TYPES = {
    "application/vnd.docker.distribution.manifest.v2+json": "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.container.image.v1+json": "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.image.rootfs.diff.tar": "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip": "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd": "application/vnd.oci.image.layer.v1.tar+zstd",
}
LAYOUT = {"imageLayoutVersion": "1.0.0"}
#: Destinations of skopeo that are on this host, by transport; containers-transports(5). Those of the second list hold
#: one image, which another replaces.
_ON_THIS_HOST = ("dir", "oci", "oci-archive", "docker-archive")
REPLACED = ("dir", "docker-archive")
_TRANSPORTS = (*_ON_THIS_HOST, "docker", "docker-daemon", "containers-storage")

#: The keys of documents and descriptors that decide what is read.
_KEYS = {key.casefold(): key for key in ("mediaType", "manifests", "config", "layers", "digest", "size", "urls")}
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TRANSPORT = re.compile(r"[a-z][a-z-]*:")
_IMAGE_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


@dataclass(frozen=True)
class Reference:
    """An image of the registry at hand: its repository, and an image tag, a digest, or both."""

    repository: str
    image_tag: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        image_tag = f":{self.image_tag}" if self.image_tag else ""
        return f"{self.repository}{image_tag}" + (f"@{self.digest}" if self.digest else "")

    @property
    def name(self) -> str:
        """How it is called in a layout: with the image tag where there is one."""
        return f"{self.repository}:{self.image_tag}" if self.image_tag else str(self)

    @property
    def identifier(self) -> dict[str, str]:
        """How ECR's API is asked: by image tag where there is one, so that its digest can be compared."""
        return {"imageTag": self.image_tag} if self.image_tag else {"imageDigest": str(self.digest)}


@dataclass(frozen=True)
class Descriptor:
    """Some content: what it is, its digest, its size in bytes."""

    media_type: str
    digest: str
    size: int

    def entry(self) -> dict[str, t.Any]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


def parse_reference(text: str) -> Reference:
    """`repository:image-tag`, `repository@digest` or both, without a registry.

    :raises EcrError: when it is anything else
    """
    rest, at, digest = text.partition("@")
    repository, colon, image_tag = rest.rpartition(":")
    if not colon or "/" in image_tag:
        repository, colon, image_tag = rest, "", ""
    first = repository.partition("/")[0]
    if "/" in repository and (":" in first or first == "localhost" or first.endswith((".amazonaws.com", ".on.aws"))):
        raise EcrError(
            f"Image {text!r} names a registry. Write it without {first}/: the registry is that of the role's account."
        )
    for problem in repository_problems(repository):
        raise EcrError(f"Image {text!r}: {problem}")
    if at and not _DIGEST.fullmatch(digest):
        raise EcrError(f"Image {text!r}: a digest is sha256: and 64 hexadecimal digits.")
    if colon and not _IMAGE_TAG.fullmatch(image_tag):
        raise EcrError(f"Image {text!r}: {image_tag!r} is not an image tag.")
    if not at and not colon:
        raise EcrError(f"Image {text!r} has no image tag and no digest. Write {text}:IMAGE_TAG; none is assumed.")
    return Reference(repository, image_tag or None, digest or None)


def digest_of(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def parse_manifest(content: bytes, media_type: str | None, what: str) -> dict[str, t.Any]:
    """A manifest or an index as an object with a known `mediaType`.

    A document that tools may read in two ways is rejected (CVE-2021-41190): as an image and as an index, or by keys
    that differ only in case or occur twice.

    :param media_type: the Content-Type of the registry's answer, which the document must not contradict
    :param what: for the message
    """
    if len(content) > MANIFEST_BYTES:
        raise EcrError(f"The manifest of {what} has {len(content)} bytes; no more than {MANIFEST_BYTES} are accepted.")
    try:
        document = json.loads(content, object_pairs_hook=_unambiguous)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or any(_KEYS.get(key.casefold(), key) != key for key in document):
        raise EcrError(f"The manifest of {what} is not a JSON object with unambiguous keys. Push it again.")
    media_type = media_type.partition(";")[0].strip().lower() if media_type else None
    kind = document.get("mediaType") or media_type
    if kind not in INDEX_TYPES + MANIFEST_TYPES:
        raise EcrError(f"The manifest of {what} is of type {_shown(kind)}, which is no image that can be pulled.")
    if media_type and kind != media_type:
        raise EcrError(
            f"The manifest of {what} has the mediaType {_shown(kind)}, but the registry sent it as"
            f" {_shown(media_type)}. Push it again."
        )
    other = [key for key in (("config", "layers") if kind in INDEX_TYPES else ("manifests",)) if key in document]
    if other:
        raise EcrError(f"The manifest of {what} has the type {kind} and the key {other[0]}. Push it again.")
    return {**document, "mediaType": kind}


def _unambiguous(pairs: list[tuple[str, t.Any]]) -> dict[str, t.Any]:
    """An object of JSON, whose keys every tool reads alike. Go ignores the case of keys and takes the last of two.

    :raises ValueError: if a key occurs twice
    """
    names = {name.casefold() if name.casefold() in _KEYS else name for name, _value in pairs}
    if len(names) < len(pairs):
        raise ValueError("a key occurs twice")
    return dict(pairs)


def _shown(value: t.Any) -> str:
    """A foreign value, fit for a message."""
    return ascii(value[:80]) if isinstance(value, str) else "None" if value is None else type(value).__name__


def descriptor(entry: t.Any, what: str) -> Descriptor:
    """A descriptor out of a foreign document."""
    if not isinstance(entry, dict):
        raise EcrError(f"The manifest of {what} has a descriptor that is not an object.")
    media_type, digest, size = entry.get("mediaType"), entry.get("digest"), entry.get("size")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise EcrError(f"The manifest of {what} has the digest {_shown(digest)}; only sha256 is accepted.")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0 or not isinstance(media_type, str):
        raise EcrError(f"The manifest of {what} describes {digest} without a type or a size.")
    if entry.get("urls") or "foreign" in media_type or "nondistributable" in media_type:
        raise EcrError(f"{what} has the foreign layer {digest}, which is not in the registry. Use a container engine.")
    return Descriptor(media_type, digest, size)


def contents(manifest: dict[str, t.Any], what: str) -> list[Descriptor]:
    """What a manifest needs beside itself: its configuration and its layers, each once."""
    layers = manifest.get("layers")
    if not isinstance(layers, list):
        raise EcrError(f"The manifest of {what} has no list of layers.")
    return list(dict.fromkeys(descriptor(entry, what) for entry in [manifest.get("config"), *layers]))


@dataclass(frozen=True)
class Image:
    """One image of a registry, by its manifest, whose descriptors were checked.

    :param what: its name, for messages
    :param chosen: whether it was chosen from an index by its platform
    """

    what: str
    digest: str
    content: bytes
    manifest: dict[str, t.Any]
    chosen: bool

    @property
    def parts(self) -> list[Descriptor]:
        """Its configuration and its layers, each once."""
        return contents(self.manifest, self.what)


def resolve(fetch: t.Callable[[str], tuple[bytes, str | None]], digest: str, platform: str, what: str) -> Image:
    """The image of this digest; of an index, the one for the platform.

    :param fetch: returns content and Content-Type of a manifest; the content has the digest
    :raises EcrError: if the documents are not those of one image
    """
    content, media_type = fetch(digest)
    manifest = parse_manifest(content, media_type, what)
    chosen = manifest["mediaType"] in INDEX_TYPES
    if chosen:
        entry = choose(manifest, platform, what)
        digest = entry.digest
        content, media_type = fetch(digest)
        if len(content) != entry.size:
            raise EcrError(
                f"The index of {what} has {entry.size} bytes for {digest}, which has {len(content)} bytes."
                " Push the index again."
            )
        manifest = parse_manifest(content, media_type, what)
        if manifest["mediaType"] not in MANIFEST_TYPES or manifest["mediaType"] != entry.media_type:
            raise EcrError(
                f"The index of {what} has {_shown(entry.media_type)} for {digest}, which is of type"
                f" {manifest['mediaType']}. Only a manifest of one image is accepted there."
            )
    contents(manifest, what)
    return Image(what, digest, content, manifest, chosen)


def diff_ids(config: t.Any) -> list[str]:
    """The digests of the layers' uncompressed content, from an image's configuration; none where it has none."""
    rootfs = config.get("rootfs") if isinstance(config, dict) else None
    found = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    return found if isinstance(found, list) else []


def missing_layers(manifest: t.Any, image: Image) -> list[str]:
    """The layers of an image that a manifest of another registry does not list in their places.

    A layer that is not compressed is left out: skopeo compresses it on its way, which gives it another digest.

    :param manifest: an index that lists the image itself is as good
    """
    try:
        if any(entry["digest"] == image.digest for entry in manifest.get("manifests", [])):
            return []
        listed = [layer["digest"] for layer in manifest["layers"]]
    except (AttributeError, LookupError, TypeError):
        listed = []
    wanted = image.manifest["layers"]
    if len(listed) != len(wanted):
        return [layer["digest"] for layer in wanted]
    return [
        layer["digest"]
        for layer, digest in zip(wanted, listed)
        if layer["digest"] != digest and layer["mediaType"].endswith(("gzip", "zstd"))
    ]


def is_platform(wanted: str, offered: str) -> bool:
    """Whether `offered` is the platform `wanted` (`os/architecture[/variant]`); a variant counts where both name one.

    Tools leave out the variant that goes without saying: `linux/arm64` is `linux/arm64/v8`.
    """
    return all(one == other for one, other in zip(wanted.split("/"), offered.split("/")))


def platform_of(declared: t.Any) -> str:
    """The platform in a foreign document: an entry of an index, or an image's configuration."""
    names = [declared.get(part) for part in ("os", "architecture")]
    variant = declared.get("variant")
    names += [variant] if variant and isinstance(variant, str) else []
    return "/".join(name if isinstance(name, str) and name else "?" for name in names)


def choose(index: dict[str, t.Any], platform: str, what: str) -> Descriptor:
    """The manifest for `platform` (`os/architecture[/variant]`) in an index: the very one, else the first like it."""
    entries = index.get("manifests")
    offered = [
        (platform_of(entry["platform"]), entry)
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict) and isinstance(entry.get("platform"), dict)
    ]
    for fits in (str.__eq__, is_platform):
        for name, entry in offered:
            if fits(platform, name):
                return descriptor(entry, what)
    raise no_image_for(platform, [name for name, _entry in offered], what)


def no_image_for(platform: str, offered: list[str], what: str) -> EcrError:
    """The error that an image is of other platforms."""
    listed = ", ".join(sorted({ascii(name)[1:-1] for name in offered}))[:400] or "none at all"
    return EcrError(f"{what} has no image for {platform}; it has {listed}.")


def check_platform(config: bytes, platform: str, what: str) -> None:
    """See that an image that stands in no index is of the platform asked for.

    :param config: its configuration; one that names no platform, as of what is no container image, passes
    """
    try:
        declared = json.loads(config)
    except (ValueError, RecursionError):
        declared = None
    named = isinstance(declared, dict) and declared.get("os") and declared.get("architecture")
    if named and not is_platform(platform, platform_of(declared)):
        raise no_image_for(platform, [platform_of(declared)], what)


def as_oci(content: bytes, manifest: dict[str, t.Any]) -> tuple[bytes, str]:
    """A manifest as OCI's tools read it in a layout, and its type: unchanged, or Docker's types under OCI's names.

    :param content: the manifest's bytes
    :param manifest: the same, parsed and its contents checked
    """
    if manifest["mediaType"] not in _OCI_TYPES:
        return content, manifest["mediaType"]

    def renamed(entry: dict[str, t.Any]) -> dict[str, t.Any]:
        return {**entry, "mediaType": _OCI_TYPES.get(entry["mediaType"], entry["mediaType"])}

    layers = [renamed(layer) for layer in manifest["layers"]]
    converted = {**renamed(manifest), "config": renamed(manifest["config"]), "layers": layers}
    return json.dumps(converted, separators=(",", ":")).encode(), converted["mediaType"]


def layout_entries(text: bytes | None) -> list[dict[str, t.Any]]:
    """The entries of a layout's `index.json`.

    :raises EcrError: if it is anything else
    """
    try:
        index = json.loads(text) if text else {}
        entries = index.get("manifests", [])
        if all(isinstance(entry.get("annotations", {}).get(REF_NAME), (str, type(None))) for entry in entries):
            return list(entries)
    except (ValueError, AttributeError, TypeError, RecursionError):
        pass
    raise EcrError("The index.json there is not the index of an OCI image layout. Choose an empty dest.")


def layout_index(text: bytes | None, manifest: Descriptor, annotations: dict[str, str]) -> bytes:
    """The layout's `index.json` with `manifest` under the name in `annotations`; other images in it stay."""
    name = annotations[REF_NAME]
    entries = [entry for entry in layout_entries(text) if entry.get("annotations", {}).get(REF_NAME) != name]
    entries.append({**manifest.entry(), "annotations": annotations})
    index = {
        **(json.loads(text) if text else {}),
        "schemaVersion": 2,
        "mediaType": INDEX_TYPES[0],
        "manifests": sorted(entries, key=lambda entry: (str(entry.get("annotations")), str(entry.get("digest")))),
    }
    try:
        content = json.dumps(index, indent=2).encode()
    except RecursionError:
        raise EcrError("The index.json there is nested too deeply. Choose an empty dest.") from None
    if len(content) > MANIFEST_BYTES:
        raise EcrError(
            f"The index.json with one more image would have {len(content)} bytes; no more than {MANIFEST_BYTES} are"
            " accepted. Choose another dest."
        )
    return content


def layout_entry(text: bytes | None, name: str, digest: str, platform: str, exact: bool = False) -> Descriptor | None:
    """The manifest that a layout's `index.json` has for an image of the registry, or None.

    :param digest: of the image in the registry
    :param platform: counts where `digest` is an index, of which the layout has one platform
    :param exact: it counts where `digest` is one image, too
    :raises EcrError: if the text is not an index
    """
    for entry in layout_entries(text):
        notes = entry.get("annotations", {})
        same_source = notes.get(REF_NAME) == name and notes.get(SOURCE_DIGEST) == digest
        if same_source and notes.get(SOURCE_PLATFORM, None if exact else platform) == platform:
            try:
                return descriptor(entry, name)
            except EcrError:
                return None
    return None


def file_of(digest: str) -> str:
    """Where a layout keeps the content of a digest."""
    return "blobs/" + digest.replace(":", "/")


def is_destination(dest: str | None) -> bool:
    """Whether `dest` is a destination of skopeo, such as `docker-archive:/srv/image.tar`, rather than a folder."""
    return bool(dest and _TRANSPORT.match(dest))


def split_destination(destination: str) -> tuple[str, str | None, str]:
    """Transport, the path on this host or None, and what follows the path, such as `:app:v1`."""
    transport, _colon, rest = destination.partition(":")
    if transport not in _ON_THIS_HOST:
        return transport, None, rest
    path, colon, name = (rest, "", "") if transport == "dir" else rest.partition(":")
    return transport, path, colon + name


def destinations(dest: str | None, references: t.Sequence[Reference]) -> list[str]:
    """Where skopeo puts each image: `dest` with `{repository}` and `{image_tag}` filled in, another for each.

    :raises EcrError: when `dest` has no transport, or two images would go to one place
    """
    if dest is None or not is_destination(dest):
        raise EcrError("Engine skopeo needs a dest with its transport, such as docker-archive:/srv/image.tar.")
    problems, found, places = Problems(), [], set()
    transport, _path, rest = split_destination(dest)
    if transport not in _TRANSPORTS:
        problems.add(f"dest {dest!r} has the transport {transport}. Choose one of {', '.join(_TRANSPORTS)}.")
    if transport == "containers-storage" and "[" in rest:  # options of a storage name programs that it runs
        problems.add(f"dest {dest!r} has options of a storage. Write containers-storage: and the image's name only.")
    for reference in references:
        if "{image_tag}" in dest and not reference.image_tag:
            problems.add(
                f"Image {reference} has no image tag for the {{image_tag}} in dest. Write one before the digest."
            )
        filled = dest.replace("{repository}", reference.repository).replace("{image_tag}", reference.image_tag or "")
        transport, path, name = split_destination(filled)
        place = (transport, path, "" if transport in REPLACED else name)
        if place in places:
            problems.add(f"Image {reference} would go to {filled}, where another goes. Use {{repository}} in dest.")
        places.add(place)
        found.append(filled)
    problems.check()
    return found
