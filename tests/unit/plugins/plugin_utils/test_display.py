# SPDX-License-Identifier: GPL-3.0-or-later
"""The output of an action plugin: no secret of its process, whoever wrote the text."""

from __future__ import annotations

import base64
import hashlib

import pytest
from ansible.utils.display import Display
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._secrets import KNOWN, MASK
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._controller import Controller
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._display import display_line, displayable

SECRET = base64.b64encode(hashlib.sha512(b"token").digest()).decode()


@pytest.fixture
def displayed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(Display, "display", lambda _self, line, *_rest, **_options: lines.append(line))
    monkeypatch.setattr(Display, "warning", lambda _self, line, *_rest, **_options: lines.append(line))
    return lines


def test_a_line_shows_no_secret(displayed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    display_line(f"host: {SECRET}")
    monkeypatch.setenv("AWS_SESSION_TOKEN", SECRET)
    display_line(f"host: {SECRET}")
    assert displayed == [f"host: {SECRET}", f"host: {MASK}"]


def test_a_warning_shows_no_secret(displayed: list[str]) -> None:
    Controller("any", {}, {"access_key": "AKIAIOSFODNN7EXAMPLE", "secret_key": SECRET}).warn(f"replaces {SECRET}")
    assert displayed == [f"replaces {MASK}"]


def test_result_of_a_host_shows_no_secret_of_the_control_node() -> None:
    KNOWN.add(f"{SECRET}\n")
    result = displayable({"failed": True, "module_stderr": repr(SECRET), "msg": SECRET, "warnings": [SECRET], "n": [1]})
    assert result == {"failed": True, "module_stderr": f"'{MASK}'", "msg": MASK, "warnings": [MASK], "n": [1]}


@pytest.mark.parametrize("name", ["secret_key", "aws_secret_key", "aws_session_token"])
def test_an_option_that_is_wrong_shows_no_secret(name: str) -> None:
    """An option of the wrong type, or one that does not exist, beside a secret."""
    with pytest.raises(EcrError) as caught:
        Controller("any", {"count": {"type": "int"}}, {name: SECRET, "count": f"not {SECRET}"})
    assert SECRET[:16] not in str(caught.value)
