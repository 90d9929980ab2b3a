# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter of secrets: every form, every part, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import textwrap
import urllib.parse
from collections.abc import Callable

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


@pytest.mark.parametrize("before", [b"", b"\0", b"x", b"\0\0", b"xy"])
@pytest.mark.parametrize("after", [b"", b"\0", b"\0\0\0", b"xyz"])
@pytest.mark.parametrize("length", [30, 31, 32])
def test_in_base64_only_the_characters_of_the_secret_are_masked(before: bytes, after: bytes, length: int) -> None:
    """A character of base64 has 6 bits. Those at both ends may also have bits of the text around the secret."""
    secret = SECRET[:length]
    secrets = Secrets()
    secrets.add(secret)
    text = base64.b64encode(before + secret.encode() + after).decode()
    start, end = -(-len(before) * 8 // 6), (len(before) + length) * 8 // 6
    assert secrets.mask(f"<{text}>") == f"<{text[:start]}{MASK}{text[end:]}>"


@pytest.mark.parametrize("start", [0, 100, len(SECRET) - 12])
def test_twelve_characters_are_masked_and_eleven_are_not(start: int) -> None:
    secrets = Secrets()
    secrets.add(SECRET)
    assert secrets.mask(f"<{SECRET[start : start + 12]}>") == f"<{MASK}>"
    assert secrets.mask(f"<{SECRET[start : start + 11]}>") == f"<{SECRET[start : start + 11]}>"


@pytest.mark.parametrize(
    "write",
    [
        lambda secret: "".join(f"%{ord(character):02x}" for character in secret),
        lambda secret: "".join(f"\\x{ord(character):02X}" for character in secret),
        lambda secret: "".join(f"\\u{ord(character):04X}" for character in secret),
        lambda secret: "".join(f"&#{ord(character)};" for character in secret),
        lambda secret: "".join(f"&#x{ord(character):x};" for character in secret),
        lambda secret: "".join(f"\\{character}" if character in "/+" else character for character in secret),
        lambda secret: "\n".join(secret[at : at + 5] for at in range(0, len(secret), 5)),
        lambda secret: "\\n ".join(secret[at : at + 5] for at in range(0, len(secret), 5)),
        html.escape,
    ],
)
@pytest.mark.parametrize("secret", ["a/b+c=d/e+f=g/h+", "<a>&'b'\"c\"<d>&e"])
def test_an_escaped_or_split_secret_is_masked_as_a_whole(secret: str, write: Callable[[str], str]) -> None:
    secrets = Secrets()
    secrets.add(secret)
    for text in ("{}", "a{}b", "100% {} & \\t", " {} "):
        assert secrets.mask(text.format(write(secret))) == text.format(MASK)


def test_a_split_secret_with_spaces_is_masked_as_a_whole() -> None:
    secret = "pass word with-several-spaces in it"
    secrets = Secrets()
    secrets.add(secret)
    for width in (3, 5, 7):
        assert secrets.mask("<{}>".format("\n".join(textwrap.wrap(secret, width)))) == f"<{MASK}>"


@pytest.mark.parametrize("quote", [repr, json.dumps])
@pytest.mark.parametrize(
    "secret", ["first line\nsecond [line]\\", 'first "line"\nsecond\tline', "SECRET+of/letters=only"]
)
def test_a_quoted_secret_is_masked_between_its_quotes(secret: str, quote: Callable[[str], str]) -> None:
    secrets = Secrets()
    secrets.add(secret)
    marked = "a-mark-that-nothing-escapes"
    once = quote(secret)[1:-1]
    twice = quote(once)[1:-1]
    thrice = quote(twice)[1:-1]
    nested = quote(quote(secret))
    for text in (quote(secret), nested, quote(nested), quote(f"before {quote(secret)} after")):
        masked = secrets.mask(text)
        expected = text
        for form in (thrice, twice, once):
            expected = expected.replace(form, marked)
        assert masked == expected.replace(marked, MASK)


def test_a_secret_of_eight_characters_is_masked() -> None:
    secrets = Secrets()
    secrets.add("abcdefgh")
    assert (secrets.mask("<abcdefgh>"), secrets.mask("<abcdefg>")) == (f"<{MASK}>", "<abcdefg>")


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
        ("QVdTO!nNlY3JldC1wYXNzd29yZA==", "no base64: secret-password", "no base64: secret-password"),
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
