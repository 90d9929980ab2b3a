# SPDX-License-Identifier: GPL-3.0-or-later
"""Suggestions for names that do not exist."""

from __future__ import annotations

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._suggestion import did_you_mean, sentence


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [("relaese", " Did you mean release?"), ("zzz", ""), ("", "")],
)
def test_did_you_mean(name: str, suggestion: str) -> None:
    assert did_you_mean(name, {"release", "develop"}) == suggestion


@pytest.mark.parametrize(
    ("text", "whole"), [("It is", "It is."), ("Is it?", "Is it?"), ("It is.", "It is."), ("", ".")]
)
def test_sentence(text: str, whole: str) -> None:
    assert sentence(text) == whole
