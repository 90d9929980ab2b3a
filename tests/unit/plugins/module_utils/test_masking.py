"""The token and its password are found in every usual form, and nothing else is."""

from __future__ import annotations

import base64
import json
import urllib.parse

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._masking import MASK, mask, token_pattern

PASSWORD = "ab+c/d==" * 10
TOKEN = base64.b64encode(f"AWS:{PASSWORD}?>".encode()).decode()
SECRETS = {"token": TOKEN, "password": PASSWORD + "?>"}


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize(
    "form",
    [
        str,
        lambda text: urllib.parse.quote(text, safe=""),
        urllib.parse.quote,
        lambda text: urllib.parse.quote(text, safe="").replace("%2B", "%2b"),
        lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
        lambda text: text.replace("+", "\\u002b").replace("=", "\\u003D"),
        lambda text: text.encode().hex(),
        lambda text: text.encode().hex().upper(),
        lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
    ],
)
def test_forms_of_a_secret(name: str, form: object) -> None:
    assert callable(form)
    text = form(SECRETS[name])
    assert mask(f"before {text} behind", token_pattern(TOKEN)) == f"before {MASK} behind"


def test_nested_data() -> None:
    value = {"x": [TOKEN, {TOKEN: 1, "y": None}], "z": f"a{SECRETS['password']}b", "n": 1.5}
    assert mask(value, token_pattern(TOKEN)) == {"x": [MASK, {MASK: 1, "y": None}], "z": f"a{MASK}b", "n": 1.5}


@pytest.mark.parametrize("token", ["not base64!", "", base64.b64encode(b"AWS:").decode(), "////"])
def test_other_forms_of_token(token: str) -> None:
    assert mask("some text of a host", token_pattern(token)) == "some text of a host"
    assert not token or mask(f"a {token}.", token_pattern(token)) == f"a {MASK}."
