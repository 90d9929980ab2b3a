# SPDX-License-Identifier: GPL-3.0-or-later
"""Where keys come from, and the sentence for each reason why they cannot be read."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._credential_source import Source

ROLE = {"role_arn": "arn:aws:iam::111111111111:role/x"}
PROFILES: dict[str, dict[str, Any]] = {
    "mfa": {**ROLE, "source_profile": "keys", "mfa_serial": "arn:aws:iam::111111111111:mfa/me"},
    "above": {**ROLE, "source_profile": "mfa"},
    "loop": {**ROLE, "source_profile": "loop"},
    "keys": {"mfa_serial": "arn:aws:iam::111111111111:mfa/me"},
    "odd": {**ROLE, "source_profile": {"not": "a name"}},
    "process": {"credential_process": "/opt/keys --for me"},
    "by-process": {**ROLE, "source_profile": "process"},
    "sso": {"sso_session": "work"},
    "by-sso": {**ROLE, "source_profile": "sso"},
    "old-sso": {"sso_start_url": "https://example.com"},
    "web": {**ROLE, "web_identity_token_file": "/srv/token"},
    "half": {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE"},
}


def test_mfa_is_found_along_the_source_profiles() -> None:
    assert [text.split()[1] for text in Source(PROFILES, "above").problems()] == ["mfa"]
    assert [text.split()[1] for text in Source(PROFILES, "mfa").problems()] == ["mfa"]
    for name in ("loop", "keys", "odd", "missing", None):
        assert list(Source(PROFILES, name).problems()) == []


@pytest.mark.parametrize(
    ("error", "profile", "words"),
    [
        ("UnauthorizedSSOTokenError", "sso", "aws sso login --profile sso"),
        ("SSOTokenLoadError", "old-sso", "aws sso login --profile old-sso"),
        ("TokenRetrievalError", "by-sso", "aws sso login --profile sso"),
        ("LoginRefreshRequired", "sso", "aws login --profile sso"),
        ("MetadataRetrievalError", "keys", "hop limit"),
        ("JSONDecodeError", "process", "The credential_process of profile process did not print the JSON"),
        ("JSONDecodeError", "by-process", "The credential_process of profile process did not print the JSON"),
        ("AttributeError", "process", "did not print the JSON"),
        ("KeyError", "process", "did not print the JSON"),
        ("ParserError", "process", "did not print the JSON"),
        ("UnicodeDecodeError", "process", "did not print the JSON"),
        ("UnicodeDecodeError", "web", "The web identity token of profile web is empty or not a token"),
        ("RuntimeError", "process", "The keys of profile process had already expired"),
        ("EOFError", "mfa", "Profile mfa requires an MFA code"),
        ("FileNotFoundError", "web", "Profile web names the token file"),
        ("PermissionError", "web", "Check web_identity_token_file"),
        ("PartialCredentialsError", "half", "Profile half has only a part of its keys"),
    ],
)
def test_reasons_for_unreadable_keys(error: str, profile: str, words: str) -> None:
    text = Source(PROFILES, profile).failure(error)
    assert text is not None
    assert words in text
    assert "{" not in text


@pytest.mark.parametrize(
    ("provider", "fact", "words"),
    [
        ("custom-process", "login of alice failed, key AKIA", "credential_process of profile process failed"),
        ("custom-process", "Unsupported version '2' for credential process", "did not print the JSON"),
        ("custom-process", "Missing required key in response: 'SecretAccessKey'", "did not print the JSON"),
        ("Ec2InstanceMetadata", "No credentials found", "hop limit"),
        ("container-role", "Received non 200 response", "hop limit"),
    ],
)
def test_source_that_did_not_supply_keys_is_named(provider: str, fact: str, words: str) -> None:
    text = Source(PROFILES, "process").failure("CredentialRetrievalError", provider, fact)
    assert text is not None
    assert words in text
    assert fact not in text


def test_a_program_and_a_token_file_that_cannot_be_opened() -> None:
    process = Source({"default": {**PROFILES["process"]}}, None)
    started = process.failure("FileNotFoundError", fact="/opt/keys")
    assert started is not None
    assert "The credential_process of profile default cannot be started" in started
    named = process.failure("FileNotFoundError", fact="/srv/token")
    assert named is not None
    assert named.startswith("The environment names the token file /srv/token, which cannot be read.")


def test_the_environment_is_not_a_profile() -> None:
    source = Source(PROFILES, None)
    text = source.failure("UnauthorizedSSOTokenError")
    assert text is not None
    assert "--profile" not in text
    assert text.startswith("The environment has no valid session")
    assert source.named == "the environment"
    assert Source({"default": PROFILES["sso"]}, None).named == "profile default"


@pytest.mark.parametrize("error", ["SomethingNewError", "ValueError", "KeyError", "CredentialRetrievalError"])
def test_an_unknown_failure_is_not_explained(error: str) -> None:
    assert Source(PROFILES, "keys").failure(error) is None


@pytest.mark.parametrize("code", ["ExpiredTokenException", "InvalidIdentityToken"])
def test_a_web_identity_that_sts_rejects(code: str) -> None:
    text = Source(PROFILES, None).web_identity_failure(code)
    assert text is not None
    assert "of the environment" in text
    assert "of profile web:" in str(Source(PROFILES, "web").web_identity_failure(code))
    assert Source(PROFILES, "web").web_identity_failure("AccessDenied") is None


def test_empty_web_identity_token() -> None:
    report = "Invalid length for parameter WebIdentityToken, value: 0, valid min length: 4"
    text = Source(PROFILES, "web").failure("ParamValidationError", fact=report)
    assert text is not None
    assert text.startswith("The web identity token of profile web is empty")
    assert Source(PROFILES, "web").failure("ParamValidationError", fact="Invalid length for parameter RoleArn") is None
