# SPDX-License-Identifier: GPL-3.0-or-later
"""The attacks run the playbooks and the modules as the integration tests do."""

from __future__ import annotations

from tests.integration.conftest import _quick_python, control, docker, podman, skopeo

__all__ = ["_quick_python", "control", "docker", "podman", "skopeo"]
