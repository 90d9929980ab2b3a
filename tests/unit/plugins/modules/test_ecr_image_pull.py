"""How much of an image was received is reported while it is pulled."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull import PULL_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.modules import ecr_image_pull

DIGEST = "sha256:" + "a" * 64


class Registry:
    host, received = "127.0.0.1:1", 0

    def __init__(self, *_arguments: Any) -> None:
        pass


class Layout:
    """Receives 3 MB for each image."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def has(self, *_image: Any) -> bool:
        return False

    def add(self, registry: Registry, *_image: Any) -> None:
        registry.received += 3_000_000


def test_progress_tells_the_megabytes_received(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ecr_image_pull, "Registry", Registry)
    monkeypatch.setattr(ecr_image_pull, "Layout", Layout)
    options = {name: argument.get("default") for name, argument in PULL_ARGUMENTS.items()}
    options |= {"engine": "oci_layout", "dest": "/srv/images", "images": [f"app@{DIGEST}", f"tools@{DIGEST}"]}
    options |= {"registry_url": "http://127.0.0.1:1", "registry_token": "token"}
    options |= {"validate_certs": True, "aws_ca_bundle": None, "wait": False}
    module = types.SimpleNamespace(params=options, check_mode=False, tmpdir="")
    told: list[Callable[[], str]] = []
    result = ecr_image_pull.run(module, told.append)
    assert result["changed"]
    assert [status() for status in told] == ["6 MB received"]
