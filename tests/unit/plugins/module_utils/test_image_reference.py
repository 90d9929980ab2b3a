"""References to images of a registry."""

from __future__ import annotations

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _image_reference
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import Reference
from hypothesis import given
from hypothesis import strategies as st

DIGEST, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64


@pytest.mark.parametrize(
    ("text", "reference", "identifier"),
    [
        ("release:v1.0", Reference("release", "v1.0"), {"imageTag": "v1.0"}),
        ("team/app:latest", Reference("team/app", "latest"), {"imageTag": "latest"}),
        (f"team/app@{DIGEST}", Reference("team/app", None, DIGEST), {"imageDigest": DIGEST}),
        (f"app:v1@{DIGEST}", Reference("app", "v1", DIGEST), {"imageTag": "v1"}),
        ("app:_.-A9", Reference("app", "_.-A9"), {"imageTag": "_.-A9"}),
        ("app:" + "a" * 128, Reference("app", "a" * 128), {"imageTag": "a" * 128}),
        ("a.b:1", Reference("a.b", "1"), {"imageTag": "1"}),
    ],
)
def test_good_references(text: str, reference: Reference, identifier: dict[str, str]) -> None:
    parsed = _image_reference.parse_reference(text)
    assert parsed == reference
    assert str(parsed) == text
    assert parsed.identifier == identifier


HOST = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"
NAME = (
    "is not a repository name. A name has 2 to 256 characters of a-z, 0-9 and . _ - /, and begins and ends with a"
    " letter or digit. Omit the registry and the image tag."
)
THERE = "the registry is that of the role's account."
SHA = "a digest is sha256: and 64 hexadecimal digits."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{HOST}/app:v1", f"names a registry. Write it without {HOST}/: {THERE}"),
        (f"{HOST}/app@{DIGEST}", f"names a registry. Write it without {HOST}/: {THERE}"),
        ("localhost/app:v1", f"names a registry. Write it without localhost/: {THERE}"),
        ("localhost:5000/app", f"names a registry. Write it without localhost:5000/: {THERE}"),
        ("127.0.0.1:5000/app:v1", f"names a registry. Write it without 127.0.0.1:5000/: {THERE}"),
        ("app", "has no image tag and no digest. Write app:IMAGE_TAG; none is assumed."),
        ("team/app", "has no image tag and no digest. Write team/app:IMAGE_TAG; none is assumed."),
        ("app:", ": '' is not an image tag."),
        (f"app:@{DIGEST}", ": '' is not an image tag."),
        ("app:-v1", ": '-v1' is not an image tag."),
        ("app:.v1", ": '.v1' is not an image tag."),
        ("app:v1\n", ": 'v1\\n' is not an image tag."),
        ("app:" + "a" * 129, f": '{'a' * 129}' is not an image tag."),
        ("app@", f": {SHA}"),
        ("app:v1@", f": {SHA}"),
        (f"app@{DIGEST}0", f": {SHA}"),
        (f"app@{DIGEST[:-1]}", f": {SHA}"),
        (f"app@{DIGEST}\n", f": {SHA}"),
        (f"app@{DIGEST.upper()}", f": {SHA}"),
        (f"app@{DIGEST.replace('256', '512')}", f": {SHA}"),
        (f"app@{DIGEST}@{DIGEST}", f": {SHA}"),
        ("app@sha256:../../../../etc/passwd", f": {SHA}"),
        ("../app:v1", f": '../app' {NAME}"),
        ("app/../../etc:v1", f": 'app/../../etc' {NAME}"),
        ("/app:v1", f": '/app' {NAME}"),
        ("App:v1", f": 'App' {NAME}"),
        ("a b:v1", f": 'a b' {NAME}"),
        ("--help:v1", f": '--help' {NAME}"),
        ("app:v1:v2", f": 'app:v1' {NAME}"),
        (":v1", f": '' {NAME}"),
        (f"@{DIGEST}", f": '' {NAME}"),
        ("", f": '' {NAME}"),
    ],
)
def test_bad_references(text: str, message: str) -> None:
    with pytest.raises(EcrError) as caught:
        _image_reference.parse_reference(text)
    separator = "" if message.startswith(":") else " "
    assert str(caught.value) == f"Image {text!r}{separator}{message}"


@given(st.text(alphabet="ab1.:/@_-A" + DIGEST[:7], max_size=20) | st.text())
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    try:
        parsed = _image_reference.parse_reference(text)
    except EcrError:
        return
    assert str(parsed) == text
    assert ".." not in parsed.repository
