# SPDX-License-Identifier: GPL-3.0-or-later
"""One image of a registry, by its manifest."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _image, _manifest
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._manifest import Descriptor

DIGEST, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64
MANIFEST, INDEX = _manifest.MANIFEST_TYPES[0], _manifest.INDEX_TYPES[0]
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def entry(**changes: Any) -> dict[str, Any]:
    return {"mediaType": LAYER, "digest": DIGEST, "size": 5, **changes}


def documents(**changes: Any) -> tuple[dict[str, bytes], str]:
    """An index of one image by digest; the manifest, or the index's entry for it, with changes."""
    manifest = {"mediaType": MANIFEST, "config": entry(), "layers": [entry()], **changes.pop("manifest", {})}
    content = json.dumps(manifest).encode()
    listed = {
        **{"mediaType": MANIFEST, "digest": _manifest.digest_of(content), "size": len(content)},
        **{"platform": {"os": "linux", "architecture": "amd64"}, **changes},
    }
    index = json.dumps({"mediaType": INDEX, "manifests": [listed]}).encode()
    return {_manifest.digest_of(item): item for item in (content, index)}, _manifest.digest_of(index)


def test_image_of_an_index() -> None:
    known, digest = documents()
    image = _image.find_image(lambda expected: (known[expected], None), digest, "linux/amd64", "app:v1")
    assert (image.chosen, known[image.digest], image.parts) == (True, image.content, [Descriptor(LAYER, DIGEST, 5)])
    alone = _image.find_image(lambda expected: (known[expected], None), image.digest, "linux/s390x", "app:v1")
    assert (alone.chosen, alone.digest, alone.manifest) == (False, image.digest, image.manifest)


@pytest.mark.parametrize(
    ("changes", "messages"),
    [
        ({"size": 1}, ["The index of app:v1 has 1 bytes for sha256:", " bytes. Push the index again."]),
        ({"mediaType": INDEX}, [f"The index of app:v1 has '{INDEX}' for sha256:", f" is of type {MANIFEST}. Only a"]),
        ({"mediaType": INDEX, "manifest": {"mediaType": INDEX}}, [f"has the type {INDEX} and the key config."]),
        ({"manifest": {"layers": [entry(size=-1)]}}, [f"The manifest of app:v1 describes {DIGEST} without a type"]),
    ],
)
def test_index_with_another_entry_than_its_image_is_rejected(changes: dict[str, Any], messages: list[str]) -> None:
    known, digest = documents(**changes)
    with pytest.raises(EcrError) as caught:
        _image.find_image(lambda expected: (known[expected], None), digest, "linux/amd64", "app:v1")
    assert all(message in str(caught.value) for message in messages), caught.value


def test_index_in_an_index_is_rejected() -> None:
    inner = json.dumps({"mediaType": INDEX, "manifests": []}).encode()
    listed = {"mediaType": INDEX, "digest": _manifest.digest_of(inner), "size": len(inner)}
    listed["platform"] = {"os": "linux", "architecture": "amd64"}
    known = {"inner": inner, "outer": json.dumps({"mediaType": INDEX, "manifests": [listed]}).encode()}
    with pytest.raises(EcrError) as caught:
        _image.find_image(lambda expected: (known.get(expected, inner), None), "outer", "linux/amd64", "app:v1")
    assert str(caught.value).endswith(f"which is of type {INDEX}. Only a manifest of one image is accepted there.")


def image_of(*layers: dict[str, Any]) -> _image.Image:
    manifest = {"mediaType": MANIFEST, "config": entry(), "layers": list(layers)}
    return _image.Image("app:v1", DIGEST, b"", manifest, False)


@pytest.mark.parametrize(
    ("manifest", "missing"),
    [
        ({"layers": [{"digest": DIGEST}, {"digest": OTHER}]}, []),
        ({"layers": [{"digest": OTHER}, {"digest": OTHER}]}, [DIGEST]),
        ({"layers": [{"digest": DIGEST}, {"digest": DIGEST}]}, []),  # the second is not compressed
        ({"layers": [{"digest": DIGEST}]}, [DIGEST, OTHER]),
        ({"manifests": [{"digest": DIGEST}]}, []),
        ({"manifests": [{"digest": OTHER}]}, [DIGEST, OTHER]),
        ({"manifests": 5}, [DIGEST, OTHER]),
        ({"layers": [None, None]}, [DIGEST, OTHER]),
        ([], [DIGEST, OTHER]),
        (None, [DIGEST, OTHER]),
    ],
)
def test_missing_layers(manifest: Any, missing: list[str]) -> None:
    image = image_of(entry(), entry(digest=OTHER, mediaType="x.tar"))
    assert _image.missing_layers(manifest, image) == missing


@pytest.mark.parametrize("config", [None, [], {}, {"rootfs": 5}, {"rootfs": {"diff_ids": None}}])
def test_configuration_without_layers(config: Any) -> None:
    assert _image.diff_ids(config) == []
