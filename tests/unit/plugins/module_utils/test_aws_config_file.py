# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles merged into an AWS configuration: ours are set, and everything else stays."""

from __future__ import annotations

import configparser

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _aws_config_file
from ansible_collections.crossaccount.ecr.plugins.module_utils._aws_config_file import KEYS, merge_profiles
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from hypothesis import example, given
from hypothesis import strategies as st

SECTION, OTHER = "profile ecr-pull-1", "profile ecr-pull-2"
PROFILE = {"role_arn": "arn:aws:iam::111111111111:role/x", "source_profile": "default"}
SECRET = "QVdTOnRoZS10b2tlbiBvZg"


def merged(content: bytes | None, *sections: str, present: bool = True) -> bytes | None:
    return merge_profiles(content, {section: PROFILE if present else {} for section in sections or [SECTION]}).content


@pytest.mark.parametrize(
    "text", [None, "", "\n", "\n\n", "[default]\nregion = x", "[default]\nregion = x\n", "# only this\n\n"]
)
@pytest.mark.parametrize("order", [(SECTION, OTHER), (OTHER, SECTION)])
def test_added_and_removed_section_leaves_the_file_as_it_was(text: str | None, order: tuple[str, str]) -> None:
    """An empty file stays, and a file that was created is deleted (None)."""
    content = None if text is None else text.encode()
    both = merged(merged(content, SECTION), OTHER)
    back = merged(merged(both, order[0], present=False), order[1], present=False)
    assert back == (content + b"\n" if content and not content.endswith(b"\n") else content)
    assert merged(content, present=False) == content


def test_diff_shows_only_the_keys_of_this_collection() -> None:
    """A value of several lines may be a secret in a wrong place."""
    content = f"[default]\naws_secret_access_key = {SECRET}\n\n[{SECTION}]\nregion = x\nrole_arn = old\n  {SECRET}\n"
    change = merge_profiles(content.encode(), {SECTION: PROFILE, OTHER: {}})
    assert change.before == f"[{SECTION}]\nrole_arn = (not shown)\n"
    assert change.after == f"[{SECTION}]\n" + "".join(f"{key} = {value}\n" for key, value in PROFILE.items())
    assert merge_profiles(None, {SECTION: PROFILE}).before == merge_profiles(content.encode(), {OTHER: {}}).after == ""


WRITTEN = "".join(f"{key} = {value}\n" for key, value in PROFILE.items())


@pytest.mark.parametrize(
    ("text", "configured", "removed"),
    [
        (
            f"[{SECTION}]\nregion = x\nrole_arn = y\n more\n\n[default]\n",
            f"[{SECTION}]\n{WRITTEN}region = x\n\n[default]\n",
            f"[{SECTION}]\nregion = x\n\n[default]\n",
        ),
        (f"[{SECTION}]\n{WRITTEN}\n[default]\n", f"[{SECTION}]\n{WRITTEN}\n[default]\n", "[default]\n"),
        (f"[{SECTION}]\n{WRITTEN}# mine\n[default]\n", f"[{SECTION}]\n{WRITTEN}# mine\n[default]\n",
         "# mine\n[default]\n"),
        (f"[{SECTION}]\n{WRITTEN}# mine\n# too\n[default]\n", f"[{SECTION}]\n{WRITTEN}# mine\n# too\n[default]\n",
         "# mine\n# too\n[default]\n"),
        (f"[{SECTION}]\n{WRITTEN}\n# mine\n[default]\n", f"[{SECTION}]\n{WRITTEN}\n# mine\n[default]\n",
         "# mine\n[default]\n"),
        # Written by hand without an empty line before the section.
        (f"[default]\n[{SECTION}]\nrole_arn = y\n[profile x]\n", f"[default]\n[{SECTION}]\n{WRITTEN}[profile x]\n",
         "[default]\n[profile x]\n"),
        (f"[default]\n\n[{SECTION}]\nrole_arn: y\n", f"[default]\n\n[{SECTION}]\n{WRITTEN}", "[default]\n"),
    ],
)  # fmt: skip
def test_only_the_keys_of_this_collection_change(text: str, configured: str, removed: str) -> None:
    assert merged(text.encode()) == configured.encode()
    assert merged(text.encode(), present=False) == removed.encode()


def test_comments_for_what_follows_stay_when_a_section_goes() -> None:
    content = f"# mine\n\n[{SECTION}]\nrole_arn = x\n\n# the last\n[profile last]\nregion = x\n"
    assert merged(content.encode(), present=False) == b"# mine\n\n# the last\n[profile last]\nregion = x\n"


@pytest.mark.parametrize(
    "content", ["[default]\nregion = x\n", "[default]\n", f"[{SECTION}]\nregion = x\nrole_arn = y\n"]
)
def test_a_merge_that_would_lose_something_is_rejected(content: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        _aws_config_file, "_replaced", lambda _text, section, expected: _aws_config_file._written(section, expected)
    )
    with pytest.raises(EcrError, match="in a form that cannot be merged"):
        merged(content.encode())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"aws_secret_access_key = {SECRET}\n", "is not an AWS configuration file (line 1)."),
        (f"[default]\n{SECRET}\n", "is not an AWS configuration file (line 2)."),
        ("[default]\n[default]\n", "is not an AWS configuration file (line 2)."),
        ("[default]\na = 1\na = 2\n", "is not an AWS configuration file (line 3)."),
        ("[default]\nfirst\nsecond\n", "is not an AWS configuration file (line 2)."),
        (f"[{SECTION}]\n  role_arn = x\n", f"has one of {SECTION} in a form that cannot be merged. Remove it by hand."),
    ],
)
def test_a_file_that_cannot_be_merged(text: str, message: str) -> None:
    with pytest.raises(EcrError) as refused:
        merged(text.encode())
    assert str(refused.value) == message


# --- any content


lines = st.sampled_from(
    [
        f"[{SECTION}]",
        "[default]",
        "[profile x]",
        "role_arn = x",
        "source_profile: y",
        "region=z",
        "  nested = 1",
        "\tdeep",
        "",
        "# [profile x]",
        "; comment",
        "[",
        "=",
        " [default]",
        f"[{SECTION}] # ours",
        "a = [b]",
        "\r",
        "\x0b[x]",
        "\u2028",
        "[DEFAULT]",
        "%(x)s = %",
    ]
) | st.text(max_size=8)


def foreign(content: bytes) -> dict[tuple[str, str], str]:
    """The content of a configuration except for our keys, read by a separate parser."""
    parser = configparser.ConfigParser(default_section="\0", interpolation=None)
    parser.read_string(content.decode())
    found = {(section, key): value for section in parser.sections() for key, value in parser.items(section)}
    return {place: value for place, value in found.items() if place[0] != SECTION or place[1] not in KEYS}


@given(st.lists(lines, max_size=12).map("\n".join))
@example(f"[{SECTION}]\n\n[{SECTION}] # twice\n")
def test_any_configuration_is_merged_or_rejected(text: str) -> None:
    content = text.encode("utf-8", "surrogatepass")
    try:
        configured = merged(content)
    except EcrError:
        return
    assert configured is not None
    back = merged(configured, present=False)
    assert merged(configured) == configured
    assert foreign(configured) == foreign(back or b"") == foreign(content)
