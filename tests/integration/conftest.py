# SPDX-License-Identifier: GPL-3.0-or-later
"""The fixtures of the integration tests."""

from __future__ import annotations

from tests.support.fixtures import (
    _quick_python,
    alone,
    clock,
    control,
    docker,
    dropping_proxy,
    layer,
    owner,
    podman,
    recording_proxy,
    site,
    skopeo,
)

__all__ = [
    "_quick_python",
    "alone",
    "clock",
    "control",
    "docker",
    "dropping_proxy",
    "layer",
    "owner",
    "podman",
    "recording_proxy",
    "site",
    "skopeo",
]
