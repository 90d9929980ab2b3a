# SPDX-License-Identifier: GPL-3.0-or-later
"""The fixtures of the unit tests."""

from __future__ import annotations

import os
import time

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _concurrency
from ansible_collections.crossaccount.ecr.plugins.module_utils._secrets import KNOWN, Secrets
from hypothesis import settings

from tests.support.registry import other_server, server

__all__ = ["other_server", "server"]

# How long an example takes says more about the host than about the code. The same examples each time: without a change,
# the result is the same.
settings.register_profile("unit", deadline=None, derandomize=True)
settings.load_profile("unit")


@pytest.fixture(autouse=True)
def _no_known_secrets() -> None:
    """A secret of another test must not be masked in this one."""
    vars(KNOWN).update(vars(Secrets(os.environ)))


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One request after the other, without pauses."""
    monkeypatch.setattr(_concurrency, "CONCURRENCY", 1)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
