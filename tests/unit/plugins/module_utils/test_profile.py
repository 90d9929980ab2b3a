# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles of AWS that cannot be used."""

from __future__ import annotations

import configparser

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._profile import (
    config_file_problem,
    profile_and_keys,
    unknown_profile,
)

STEP = " Correct profile or AWS_PROFILE, or set AWS_CONFIG_FILE to the file that has the profile."


def test_unknown_profile_names_the_files_and_the_profiles() -> None:
    assert unknown_profile("ownr", ["owner", "consumer"], ["/a", "/b"]) == (
        "Profile ownr does not exist in /a or /b. Available profiles: consumer, owner. Did you mean owner?" + STEP
    )


def test_unknown_profile_without_any_profile() -> None:
    assert unknown_profile("x", [], ["/a", "/b"]) == (
        "Profile x does not exist in /a or /b. They contain no profile." + STEP
    )


def test_profile_and_keys_names_both_sources() -> None:
    message = profile_and_keys("owner")
    assert message.startswith("Profile owner and an access key are both set")
    assert "or unset profile and AWS_PROFILE." in message


def test_empty_name_of_a_profile() -> None:
    assert unknown_profile("", ["owner"], ["/a"]) == (
        "AWS_PROFILE is empty. Unset it, or set it to the name of a profile."
    )


SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"[p]\nkey = 1\nkey = {SECRET}\n", ", line 3: key key occurs twice in a section"),
        (f"[p]\n[q]\n[p]\nkey = {SECRET}\n", ", line 3: a section occurs twice"),
        (f"{SECRET}\n", ", line 1: no section precedes it, or the file begins with a byte order mark"),
        (f"\ufeff[p]\nkey = {SECRET}\n", ", line 1: no section precedes it, or the file begins with a byte order mark"),
        (f"[p]\n{SECRET}\n", ", line 2: it is not a section, a key or a comment"),
    ],
)
def test_configuration_file_that_cannot_be_parsed(content: str, message: str) -> None:
    with pytest.raises(configparser.Error) as caught:
        configparser.RawConfigParser(default_section="").read_string(content)
    problem = config_file_problem("/a", caught.value)
    assert problem == f"/a{message}. Correct the file and run again."
    assert SECRET not in problem


def test_configuration_file_that_is_not_text() -> None:
    with pytest.raises(UnicodeDecodeError) as caught:
        "[p]".encode("utf-16").decode()
    assert config_file_problem("/a", caught.value) == "/a: the file is not UTF-8 text. Correct the file and run again."
