# SPDX-License-Identifier: GPL-3.0-or-later
"""Files into which a run merges entries."""

from __future__ import annotations

import re

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._merged_file import decoded, shown_if_valid


@pytest.mark.parametrize(("content", "text"), [(None, None), (b"", ""), ("é".encode(), "é")])
def test_text_of_a_file(content: bytes | None, text: str | None) -> None:
    assert decoded(content) == text


def test_file_in_another_encoding_is_an_error() -> None:
    with pytest.raises(EcrError, match=r"^is not a text in UTF-8 \(byte 2\)\.$"):
        decoded(b"ab\xff")


@pytest.mark.parametrize(
    ("value", "shown"), [("ab", "ab"), ("abc", "(not shown)"), (5, "(not shown)"), (None, "(not shown)")]
)
def test_value_of_another_form_may_be_a_secret(value: object, shown: str) -> None:
    assert shown_if_valid(value, re.compile("[a-z]{2}")) == shown
