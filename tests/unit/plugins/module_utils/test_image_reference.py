# SPDX-License-Identifier: GPL-3.0-or-later
"""References to images of a registry."""

from __future__ import annotations

from dataclasses import replace

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
SPACE = "contains white space. Write only the image, such as app:v1."
UPPER = ": '{}' has uppercase letters, which no repository of ECR has."
SHA = "a digest is sha256: and 64 hexadecimal digits."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{HOST}/app", "has no image tag and no digest. Write app:IMAGE_TAG; none is assumed."),
        (f"https://{HOST}/app", "has no image tag and no digest. Write app:IMAGE_TAG; none is assumed."),
        ("https://app:v1", "has no valid registry before its name. Write it as repository:IMAGE_TAG."),
        ("https:///app:v1", "has no valid registry before its name. Write it as repository:IMAGE_TAG."),
        (f"https://{HOST}/", "has no valid registry before its name. Write it as repository:IMAGE_TAG."),
        ("a b:c/app:v1", SPACE),
        ("app:v1 # newest", SPACE),
        (f"image: {HOST}/app:v1", SPACE),
        (f"FROM {HOST}/app:v1 AS base", SPACE),
        (f"{HOST}/app:v1 {HOST}/app:v2", SPACE),
        (f"docker pull --platform linux/arm64 {HOST}/app:v1", SPACE),
        (f"skopeo copy docker://{HOST}/app:v1 dir:x", SPACE),
        (f"helm pull oci://{HOST}/chart --version 1", SPACE),
        (f"{HOST}/app:v1//", f": 'app:v1//' {NAME}"),
        (
            f"containers-storage:{HOST}/app:v1",
            "has no valid registry before its name. Write it as repository:IMAGE_TAG.",
        ),
        ("Team/App:v1", UPPER.format("Team/App")),
        (f"{HOST}/App:v1", UPPER.format("App")),
        (f"https://https://{HOST}/app:v1", "has no valid registry before its name. Write it as repository:IMAGE_TAG."),
        (
            "https://eu-west-1.console.aws.amazon.com/ecr/repositories/private/111111111111/app?region=eu-west-1",
            "is a page of the AWS console. Copy the image URI from that page.",
        ),
        ("docker pull --quiet app:v1", SPACE),
        (f"docker run {HOST}/app:v1", SPACE),
        ("docker pull app:v1 app:v2", SPACE),
        ("docker run app:v1", SPACE),
        ("'app:v1", f': "\'app" {NAME}'),
        ("https://", "has no valid registry before its name. Write it as repository:IMAGE_TAG."),
        ("app", "has no image tag and no digest. Write app:IMAGE_TAG; none is assumed."),
        ("team/app", "has no image tag and no digest. Write team/app:IMAGE_TAG; none is assumed."),
        ("app:", ": '' is not an image tag."),
        (f"app:@{DIGEST}", ": '' is not an image tag."),
        ("app:-v1", ": '-v1' is not an image tag."),
        ("app:.v1", ": '.v1' is not an image tag."),
        ("app:v1\nx", SPACE),
        ("app:" + "a" * 129, f": '{'a' * 129}' is not an image tag."),
        ("app@", f": {SHA}"),
        ("app:v1@", f": {SHA}"),
        (f"app@{DIGEST}0", f": {SHA}"),
        (f"app@{DIGEST[:-1]}", f": {SHA}"),
        (f"app@{DIGEST.replace('256', '512')}", f": {SHA}"),
        (f"app@{DIGEST}@{DIGEST}", f": {SHA}"),
        ("app@sha256:../../../../etc/passwd", f": {SHA}"),
        ("../app:v1", f": '../app' {NAME}"),
        ("app/../../etc:v1", f": 'app/../../etc' {NAME}"),
        ("/app:v1", f": '/app' {NAME}"),
        ("App:v1", UPPER.format("App")),
        ("A..B:v1", f": 'A..B' {NAME}"),
        ("a b:v1", SPACE),
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


PASTED = [
    "{}",
    " {}\n",
    "\u200b{}\xa0",
    '"{}"',
    "'{}'",
    " ` {} ` ",
    "\u201c{}\u201d",
    "https://{}",
    "HTTPS://{}",
    "http://{}",
    "docker://{}",
    "oci://{}",
    "{}/",
    "https://{}/",
    "$ docker pull {}",
    "nerdctl pull {}",
    "docker pull {}",
    "sudo podman  pull {}",
    "docker image pull {}",
    '"docker pull https://{}"',
]


@pytest.mark.parametrize("form", PASTED)
@pytest.mark.parametrize("host", [HOST, HOST.upper(), "111111111111.dkr-ecr.eu-west-1.on.aws", "127.0.0.1:5000"])
@pytest.mark.parametrize("name", ["app:v1", f"team/app@{DIGEST}", f"app:v1@{DIGEST}"])
def test_pasted_references(form: str, host: str, name: str) -> None:
    parsed = _image_reference.parse_reference(form.format(f"{host}/{name}"))
    assert (str(parsed), parsed.registry) == (name, host.lower())
    if "://" not in form:
        assert _image_reference.parse_reference(form.format(name)) == _image_reference.parse_reference(name)


def test_name_with_dots_is_not_a_registry() -> None:
    assert _image_reference.parse_reference("ghcr.io/team/app:v1") == Reference("ghcr.io/team/app", "v1")


@pytest.mark.parametrize("host", ["public.ecr.aws", "localhost", "example.com:443", "x.dkr.ecr.a-b-1.amazonaws.com.cn"])
def test_other_registries(host: str) -> None:
    assert _image_reference.parse_reference(f"{host}/team/app:v1").registry == host


def test_password_in_a_reference_is_not_repeated() -> None:
    for scheme in ("https://", "docker://", ""):
        for name in ("app:v1", f"app@{DIGEST}", "app", "App:v1", ""):
            with pytest.raises(EcrError) as caught:
                _image_reference.parse_reference(f"{scheme}AWS:hunter2@{HOST}/{name}")
            assert "hunter2" not in str(caught.value)


def test_uppercase_digits_of_a_digest_are_accepted() -> None:
    assert _image_reference.parse_reference(f"app@{DIGEST.upper()}") == Reference("app", None, DIGEST)


ACCOUNT, REGION = "111111111111", "eu-west-1"
OF_ACCOUNT = f"the registry of account {ACCOUNT}"


@pytest.mark.parametrize(
    ("registry", "account", "regions", "hosts", "expected"),
    [
        (None, ACCOUNT, [REGION], [HOST], None),
        (HOST, ACCOUNT, [], None, None),
        (HOST, ACCOUNT, [REGION], None, None),
        (HOST, ACCOUNT, ["eu-north-1", REGION], [HOST], None),
        (HOST, ACCOUNT, [REGION], ["127.0.0.1:5000"], None),  # a test environment
        (HOST, None, [], [HOST], None),
        ("111111111111.dkr-ecr.eu-west-1.on.aws", None, [], [HOST], None),
        ("111111111111.dkr.ecr-fips.eu-west-1.amazonaws.com", ACCOUNT, [REGION], [HOST], None),
        ("localhost:5000", ACCOUNT, [REGION], None, None),  # the registry is not known yet
        ("localhost:5000", ACCOUNT, [REGION], ["localhost:5000"], None),
        (HOST, "222222222222", [], None, "the registry of account 222222222222"),
        (HOST, ACCOUNT, ["eu-north-1"], None, f"{OF_ACCOUNT}, region eu-north-1"),
        (HOST, ACCOUNT, ["eu-north-1", "eu-south-1"], [""], f"{OF_ACCOUNT}, region eu-north-1 or eu-south-1"),
        (HOST, None, [], ["localhost:5000"], "registry localhost:5000"),
        (HOST, None, [], [HOST.replace("west", "north")], f"registry {HOST.replace('west', 'north')}"),
        ("localhost:5000", ACCOUNT, [REGION], [HOST], f"registry {HOST}"),
        ("public.ecr.aws", ACCOUNT, [REGION], [HOST, "x"], f"registry {HOST} or x"),
        ("localhost", ACCOUNT, [REGION], [], f"{OF_ACCOUNT}, region {REGION}"),
    ],
)
def test_registry_of_the_share(
    registry: str | None, account: str | None, regions: list[str], hosts: list[str] | None, expected: str | None
) -> None:
    reference = Reference("app", "v1", registry=registry)
    problems = list(_image_reference.registry_problems([reference], account, regions, hosts))
    assert problems == (
        []
        if expected is None
        else [
            f"Image {registry}/app:v1 names registry {registry}, but the images are in {expected}. If this image is"
            " one of them, write app:v1."
        ]
    )


@given(st.text(alphabet="ab1.:/@_-A" + DIGEST[:7], max_size=20) | st.text())
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    try:
        parsed = _image_reference.parse_reference(text)
    except EcrError:
        return
    assert str(parsed).lower() in text.lower()
    assert _image_reference.parse_reference(str(parsed)) == replace(parsed, registry=None)
    assert ".." not in parsed.repository
