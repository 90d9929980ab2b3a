# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents of a registry or of a layout that may be anything, and what becomes of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ansible_collections.crossaccount.ecr.plugins.module_utils import _layout_index, _manifest
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._manifest import Descriptor
from hypothesis import strategies as st

DIGEST, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64
MANIFEST, INDEX = _manifest.MANIFEST_TYPES[0], _manifest.INDEX_TYPES[0]
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)
digests = st.sampled_from([DIGEST, OTHER]) | anything
descriptors = anything | st.fixed_dictionaries(
    {},
    optional={
        "mediaType": st.sampled_from([MANIFEST, INDEX, LAYER]) | anything,
        "digest": digests,
        "size": st.integers(0, 99) | anything,
        "urls": anything,
        "platform": anything
        | st.fixed_dictionaries(
            {},
            optional={
                "os": st.just("linux") | anything,
                "architecture": st.just("amd64") | anything,
                "variant": anything,
            },
        ),
        "annotations": anything | st.dictionaries(st.just(_layout_index.REF_NAME), st.just("app:v1") | anything),
    },
)
foreign = anything | st.fixed_dictionaries(
    {},
    optional={
        "mediaType": st.sampled_from([MANIFEST, INDEX]) | anything,
        "config": descriptors,
        "layers": st.lists(descriptors, max_size=3) | anything,
        "manifests": st.lists(descriptors, max_size=3) | anything,
    },
)


def outcome(call: Callable[[], Any]) -> tuple[Any, str]:
    """The result of a call, or the message of its error; any other exception is a failure."""
    try:
        return call(), ""
    except EcrError as error:
        return None, str(error)


def enter(text: bytes | None, name: str, source: str = OTHER, **notes: str) -> dict[str, Any]:
    """A layout's index with the manifest DIGEST under `name`, which came from `source`."""
    annotations = {_layout_index.REF_NAME: name, _layout_index.SOURCE_DIGEST: source, **notes}
    index: dict[str, Any] = json.loads(_layout_index.layout_index(text, Descriptor(MANIFEST, DIGEST, 5), annotations))
    return index


def kept_under(text: bytes | None, name: str, source: str = OTHER, platform: str = "linux/amd64") -> str | None:
    entry = _layout_index.layout_entry(text, name, source, platform)
    return entry.digest if entry else None
