# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter of secrets: every form, every part, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import urllib.parse

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._secrets import MASK, PART, Secrets
from hypothesis import given
from hypothesis import strategies as st

#: A session token has about this length.
SECRET = base64.b64encode(b"".join(hashlib.sha512(bytes([number])).digest() for number in range(5))).decode()
BROKEN = SECRET[:200] + "\r\n"


#: A registry token with many characters that are escaped.
PASSWORD = "ab+c/d==" * 10 + "?>"
TOKEN = base64.b64encode(f"AWS:{PASSWORD}".encode()).decode()


def unescaped(text: str) -> str:
    """A text as a reader of its JSON, its Python text, its URL or its HTML gets it."""
    text = re.sub(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-f]{2})", lambda found: chr(int(found[1] or found[2], 16)), text)
    return urllib.parse.unquote(html.unescape(text)).replace("\\/", "/")


def left(secret: str, text: str, length: int = PART) -> bool:
    """Whether a reader of `text` gets `length` characters in a row of `secret`, as it is or in base64."""
    texts = [text, unescaped(text), "".join(text.split()), "".join(unescaped(text).split())]
    return any(_has_part(secret, text, length) for text in texts)


def _has_part(secret: str, text: str, length: int) -> bool:
    forms = [secret, urllib.parse.quote(secret, safe=""), secret.encode().hex()]
    forms += [base64.b64encode(b"x" * at + secret.encode()).decode()[4:-4] for at in range(3)]
    return any(form[at : at + length] in text for form in forms for at in range(max(len(form) - length + 1, 0)))


@pytest.mark.parametrize("secret", [SECRET, BROKEN, TOKEN, PASSWORD, SECRET + "\n", "pass word+with/slashes=and\ttabs"])
@pytest.mark.parametrize(
    "write",
    [
        str,
        repr,
        json.dumps,
        lambda secret: json.dumps(json.dumps(secret)),
        lambda secret: repr(secret.encode()),
        lambda secret: repr(repr(secret)),
        lambda secret: f"Invalid header value {secret.encode()!r}",
        lambda secret: urllib.parse.quote(secret, safe=""),
        urllib.parse.quote,
        urllib.parse.quote_plus,
        lambda secret: re.sub("%..", lambda found: found[0].lower(), urllib.parse.quote(secret, safe="")),
        lambda secret: json.dumps(secret).replace("/", "\\/"),
        lambda secret: secret.replace("+", "\\u002b").replace("=", "\\u003D").replace("/", "\\u002F"),
        lambda secret: secret.replace("+", "\\x2b").replace("=", "%3D").replace("\n", "\\n"),
        lambda secret: secret.encode().hex(),
        lambda secret: secret.encode().hex().upper(),
        lambda secret: base64.b64encode(secret.encode()).decode(),
        lambda secret: base64.b64encode(b"AWS:" + secret.encode()).decode(),
        lambda secret: base64.b64encode(b"x:" + secret.encode() + b"tail").decode(),
        lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
        lambda secret: f"({secret!r})",
        html.escape,
        lambda secret: "".join(f"&#{ord(character)};" for character in secret),
        lambda secret: "".join(f"&#x{ord(character):X};" for character in secret),
        lambda secret: "".join(f"\\u{ord(character):04x}" for character in secret),
        lambda secret: "\n".join(secret[at : at + 7] for at in range(0, len(secret), 7)),
        lambda secret: "\r\n    ".join(secret[at : at + 11] for at in range(0, len(secret), 11)),
        lambda secret: json.dumps("\n".join(secret[at : at + 11] for at in range(0, len(secret), 11))),
        lambda secret: base64.encodebytes(secret.encode()).decode(),
        " ".join,
        lambda secret: secret[: len(secret) // 2],
        lambda secret: secret[len(secret) // 2 :],
        lambda secret: secret[3:-3],
    ],
)
def test_every_form(secret: str, write: object) -> None:
    secrets = Secrets()
    secrets.add(secret)
    text = f"before {write(secret)} after"  # type: ignore[operator]
    masked = secrets.mask(text)
    assert not left(secret.strip(), masked), masked
    assert masked.startswith("before ")
    assert masked.endswith("fter")  # the first letter may be the next character of a part


@given(st.integers(0, 380), st.integers(PART, 60), st.text(max_size=40))
def test_every_part_between_any_text(start: int, length: int, around: str) -> None:
    part = SECRET[start : start + length]
    secrets = Secrets()
    secrets.add(SECRET)
    masked = secrets.mask(f"{around}{part}{around}")
    assert len(part) < PART or not left(part, masked)


def test_in_lines_of_a_fixed_width() -> None:
    secrets = Secrets()
    secrets.add(SECRET)
    text = "\n".join(SECRET[at : at + 64] for at in range(0, len(SECRET), 64))
    assert MASK in secrets.mask(text)
    assert not left(SECRET, secrets.mask(text))


def test_the_password_of_a_registry_token() -> None:
    token = base64.b64encode(f"AWS:{SECRET}".encode()).decode()
    secrets = Secrets()
    secrets.add(token)
    assert not left(SECRET, secrets.mask(f"login with {SECRET} or {token}"))


@pytest.mark.parametrize(
    ("token", "text", "masked"),
    [
        (TOKEN, f"<{TOKEN}> <{PASSWORD}>", "<********> <********>"),
        (TOKEN, "nothing of the kind: AWS", "nothing of the kind: AWS"),
        ("QVdTOg==", "no password: QVdTOg== ", "no password: ******** "),
        ("bm9jb2xvbg==", "no colon: nocolon", "no colon: nocolon"),
        ("not base64!", "as it is: not base64!", "as it is: ********"),
        ("/////w==", "no text: /////w==", "no text: ********"),
        ("", "nothing", "nothing"),
    ],
)
def test_forms_of_a_registry_token(token: str, text: str, masked: str) -> None:
    secrets = Secrets()
    secrets.add(token)
    assert secrets.mask(text) == masked


@pytest.mark.parametrize(
    "name",
    [
        *("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"),
        *("secret_key", "aws_secret_key", "session_token", "aws_session_token", "registry_token"),
    ],
)
def test_the_secrets_of_an_environment_and_of_options(name: str) -> None:
    environment: dict[str, str] = {}
    secrets = Secrets(environment)
    assert secrets.mask(f"x {SECRET}") == f"x {SECRET}"
    environment[name] = SECRET
    assert secrets.mask(f"x {SECRET}") == f"x {MASK}"
    secrets = Secrets()
    secrets.add_from({name: SECRET, "external_id": "an external ID", "validate_certs": True})
    assert secrets.mask(f"x {SECRET}, an external ID") == f"x {MASK}, an external ID"


def test_everything_inside_a_result_and_nothing_else() -> None:
    secrets = Secrets()
    secrets.add(SECRET, None, "")
    result = {"msg": f"x {SECRET}", "list": [SECRET, 1, None, True], SECRET: {"deep": (SECRET, "kept")}}
    masked = secrets.mask(result)
    assert masked == {"msg": f"x {MASK}", "list": [MASK, 1, None, True], MASK: {"deep": (MASK, "kept")}}


@pytest.mark.parametrize("short", ["", "a", "1", "test", "secret1"])
def test_a_short_value_hides_no_text(short: str) -> None:
    secrets = Secrets()
    secrets.add(short)
    text = "account 111111111111 has a test role with secret1"
    assert secrets.mask(text) == text


def test_secrets_are_not_shown() -> None:
    secrets = Secrets()
    secrets.add(SECRET)
    assert repr(secrets) == str(secrets) == "<Secrets: 1>"
