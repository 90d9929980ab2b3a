# SPDX-License-Identifier: GPL-3.0-or-later
"""The fixtures of the attacks, which run the playbooks and the modules as the integration tests do."""

from __future__ import annotations

from tests.awx.pattern import awx
from tests.support.fixtures import _quick_python, control, docker, podman, skopeo
from tests.support.registry import other_server, server

__all__ = ["_quick_python", "awx", "control", "docker", "other_server", "podman", "server", "skopeo"]
