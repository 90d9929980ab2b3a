"""Credentials that are wrong before they are used."""

from __future__ import annotations

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._credentials import (
    failure_of,
    key_problems,
    profile_problems,
    web_identity_failure,
    zone_problem,
)

KEY, SECRET, TOKEN = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "IQoJb3JpZ2luX2VjEOr/" * 8


@pytest.mark.parametrize("keys", [(KEY, SECRET, TOKEN), (KEY, SECRET, None), (KEY, SECRET, ""), (None, None, None)])
def test_keys_that_can_be_used(keys: tuple[str | None, str | None, str | None]) -> None:
    assert list(key_problems(*keys)) == []


@pytest.mark.parametrize(
    ("spoil", "fact"),
    [
        (lambda value: value + "\n", "contains a line break"),
        (lambda value: value + "\r\n", "contains a line break"),
        (lambda value: value[:9] + "\n" + value[9:], "contains a line break"),
        (lambda value: " " + value, "begins or ends with white space"),
        (lambda value: value + "\t", "begins or ends with white space"),
        (lambda value: value[:5] + " " + value[5:], "not printable ASCII"),
        (lambda value: value + "é", "not printable ASCII"),
        (lambda value: "\ufeff" + value, "not printable ASCII"),
        (lambda value: value + "\x00", "not printable ASCII"),
    ],
)
@pytest.mark.parametrize(("place", "name"), [(0, "access key ID"), (1, "secret access key"), (2, "session token")])
def test_a_value_that_no_header_can_hold(spoil: object, fact: str, place: int, name: str) -> None:
    keys = [KEY, SECRET, TOKEN]
    keys[place] = spoil(keys[place])  # type: ignore[operator]
    (problem,) = key_problems(*keys)
    assert problem.startswith(f"The {name} ")
    assert fact in problem
    assert not any(value[:8] in problem for value in (KEY, SECRET, TOKEN))


def test_all_problems_at_once() -> None:
    assert len(list(key_problems(KEY + "\n", SECRET + " ", TOKEN + "\r\n"))) == 3


@pytest.mark.parametrize(("access_key", "secret_key"), [(KEY, None), (None, SECRET), ("", SECRET), (KEY, "")])
def test_half_of_the_keys(access_key: str | None, secret_key: str | None) -> None:
    (problem,) = key_problems(access_key, secret_key, TOKEN)
    assert "Set both, or none of them." in problem


def test_mfa_is_found_along_the_source_profiles() -> None:
    role = {"role_arn": "arn:aws:iam::111111111111:role/x"}
    profiles: dict[str, dict[str, object]] = {
        "mfa": {**role, "source_profile": "keys", "mfa_serial": "arn:aws:iam::111111111111:mfa/me"},
        "above": {**role, "source_profile": "mfa"},
        "loop": {**role, "source_profile": "loop"},
        "keys": {"mfa_serial": "arn:aws:iam::111111111111:mfa/me"},
        "odd": {**role, "source_profile": {"not": "a name"}},
    }
    assert [text.split()[1] for text in profile_problems(profiles, "above")] == ["mfa"]
    assert [text.split()[1] for text in profile_problems(profiles, "mfa")] == ["mfa"]
    for name in ("loop", "keys", "odd", "missing"):
        assert list(profile_problems(profiles, name)) == []


@pytest.mark.parametrize("region", ["eu-west-1a", "ap-northeast-1d", "us-gov-west-1b", "cn-north-1a"])
def test_an_availability_zone_is_not_a_region(region: str) -> None:
    (problem,) = zone_problem(region)
    assert f"Set the region {region[:-1]}," in problem


@pytest.mark.parametrize("region", ["eu-west-1", "us-gov-west-1", "eusc-de-east-1", "", "local", "eu-west-1aa"])
def test_a_region_is_not_a_zone(region: str) -> None:
    assert list(zone_problem(region)) == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("UnauthorizedSSOTokenError", "aws sso login --profile ci"),
        ("SSOTokenLoadError", "aws sso login --profile ci"),
        ("TokenRetrievalError", "aws sso login --profile ci"),
        ("MetadataRetrievalError", "hop limit"),
        ("JSONDecodeError", "did not print the JSON"),
        ("KeyError", "did not print the JSON"),
        ("EOFError", "MFA code"),
        ("FileNotFoundError", "does not exist"),
    ],
)
def test_why_credentials_could_not_be_read(error: str, words: str) -> None:
    text = failure_of(error, "ci")
    assert text is not None
    assert words in text
    assert "rofile ci" in text
    alone = failure_of(error, None)
    assert alone is not None
    assert "{" not in alone + text
    assert "--profile" not in alone


def test_an_unknown_failure_is_not_explained() -> None:
    assert failure_of("SomethingNewError", "ci") is None
    assert web_identity_failure("AccessDenied", "ci") is None


@pytest.mark.parametrize("code", ["ExpiredTokenException", "InvalidIdentityToken"])
def test_a_web_identity_that_sts_rejects(code: str) -> None:
    text = web_identity_failure(code, None)
    assert text is not None
    assert "web_identity_token_file" in text
