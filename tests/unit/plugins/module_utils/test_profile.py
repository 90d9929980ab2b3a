# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles of AWS that cannot be used."""

from __future__ import annotations

from ansible_collections.crossaccount.ecr.plugins.module_utils._profile import profile_and_keys, unknown_profile

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
