# SPDX-License-Identifier: GPL-3.0-or-later
"""Names in messages."""

from __future__ import annotations

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._list_text import list_text

NAMES = [f"app-{number:02}" for number in range(1200)]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, ""),
        (1, "app-00"),
        (10, ", ".join(NAMES[:10])),
        (11, f"11 repositories: {', '.join(NAMES[:10])} and 1 more"),
        (1200, f"1,200 repositories: {', '.join(NAMES[:10])} and 1,190 more"),
    ],
)
def test_long_list_has_its_first_ten_names(count: int, text: str) -> None:
    assert list_text(NAMES[:count]) == text
    assert list_text(NAMES[:count], noun="roles") == text.replace("repositories", "roles")


def test_every_name_is_listed_on_request() -> None:
    assert list_text(NAMES, every_name=True) == ", ".join(NAMES)
