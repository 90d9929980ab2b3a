# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a pull: which images are missing. Check mode makes the same plan and fetches nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _image_pull
from ansible_collections.crossaccount.ecr.plugins.module_utils._engine import Engine, RegistryImage
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull_options import PULL_ARGUMENTS

DIGEST = "sha256:" + "a" * 64
IMAGES = [f"{name}:v1@{DIGEST}" for name in ("first", "second", "third")]


class MemoryEngine:
    """An engine that keeps the names of its images."""

    name = "memory"

    def __init__(self, *images: str) -> None:
        self.images = list(images)
        self.fetched: list[str] = []
        self.refuses = ""

    def location(self, image: RegistryImage) -> str:
        return f"memory:{image.reference.name}"

    def has(self, image: RegistryImage) -> bool:
        return str(image.reference) in self.images

    def status(self) -> str:
        return ""

    def fetch(self, image: RegistryImage) -> None:
        if image.reference.repository == self.refuses:
            raise EcrError(f"{image.reference} is not for memory.")
        assert image.by_digest == f"registry.example.com/{image.reference.repository}@{DIGEST}"
        self.fetched.append(str(image.reference))


def pull(
    monkeypatch: pytest.MonkeyPatch, engine: MemoryEngine, check_mode: bool = False, **options: Any
) -> dict[str, Any]:
    typed: Engine = engine
    monkeypatch.setattr(_image_pull, "choose_engine", lambda _options, _temporary: typed)
    params = {name: option.get("default") for name, option in PULL_ARGUMENTS.items()}
    params |= {"validate_certs": True, "aws_ca_bundle": None, "images": IMAGES}
    params |= {"registry_url": "https://registry.example.com", "registry_token": "dG9rZW4=", **options}
    module: Any = SimpleNamespace(params=params, check_mode=check_mode, tmpdir="/missing")
    return _image_pull.image_pull(module)


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("present", [[], IMAGES[:1], IMAGES[1:], IMAGES])
def test_only_missing_images_are_fetched(monkeypatch: pytest.MonkeyPatch, check_mode: bool, present: list[str]) -> None:
    engine = MemoryEngine(*present)
    result = pull(monkeypatch, engine, check_mode)
    missing = [image for image in IMAGES if image not in present]
    assert engine.fetched == ([] if check_mode else missing)
    assert result == {
        "changed": bool(missing),
        "engine": "memory",
        "registry": "registry.example.com",
        "predicted": check_mode,
        "images": [
            {
                "image": image,
                "reference": f"memory:{image.partition('@')[0]}",
                "digest": DIGEST,
                "changed": image in missing,
            }
            for image in IMAGES
        ],
    }


def test_failure_ends_the_pull(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = MemoryEngine()
    engine.refuses = "second"
    with pytest.raises(EcrError, match=r"second:v1@.* is not for memory"):
        pull(monkeypatch, engine)
    assert engine.fetched == IMAGES[:1]


def test_host_reports_its_engine_to_the_control_node(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control node has no token yet, so that the engine is not asked for images."""
    first_step: dict[str, Any] = {"credentials": "control_node", "registry_url": None, "registry_token": None}
    role: dict[str, Any] = {
        "role_arn": "arn:aws:iam::111111111111:role/allow_ecr_release",
        "external_id": "7c2f4e0b-share",
    }
    result = pull(monkeypatch, MemoryEngine(), **first_step, **role)
    assert result == {"changed": False, "engine": "memory"}
