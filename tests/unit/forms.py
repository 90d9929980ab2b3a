# SPDX-License-Identifier: GPL-3.0-or-later
"""A hand-off, its forms, and values that a parser could misread."""

from __future__ import annotations

from typing import Any

from ansible_collections.crossaccount.ecr.plugins.module_utils import _handoff, _handoff_forms
from hypothesis import strategies as st

OWNER, CONSUMER, REGION = "111111111111", "222222222222", "ap-northeast-1"
REGISTRY = f"{OWNER}.dkr.ecr.{REGION}.amazonaws.com"
ROLE_ARN = f"arn:aws:iam::{OWNER}:role/team/allow_ecr_release"
PROFILE = f"allow_ecr_release-{OWNER}-{REGION}"
#: Valid external IDs that a parser could read as another type or as the end of a value.
EXTERNAL_IDS = [
    "0123",
    "1e3",
    "null",
    "yes",
    "0x1f",
    "12:30:45",
    "=x",
    ":x",
    "x=",
    "2026-01-31",
    "+1",
    "@x",
    ",x",
    "--",
]
#: Texts that no hand-off may contain. The escapes are right for them nevertheless.
HOSTILE = [
    "${x}",
    "$${x}",
    "$$${x}",
    "%{if}",
    "%%{x",
    "${{ secrets.x }}",
    '"',
    "\\",
    "a\nb",
    "\t\x00\x1b",
    "\u2028",
    "😀",
]

texts = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=["Cs"])))


def handoff(**changed: Any) -> _handoff.Handoff:
    """The hand-off of one share."""
    values: dict[str, Any] = {
        "role_arn": ROLE_ARN,
        "consumer_account": CONSUMER,
        "consumer_organization": None,
        "consumer_units": None,
        "external_id": "7c2f4e0b-share",
        "shared_at": None,
        "expires": None,
        "region": REGION,
        "registry": REGISTRY,
        "repository_tags": {"environment": "release"},
        "access": "pull",
        "repositories": ["release", "tools/build"],
        "denied": [],
        "images": ["release:v1.0"],
    }
    return _handoff.Handoff(**{**values, **changed})


def form(name: str, **changed: Any) -> str:
    (text,) = _handoff_forms.form_texts(handoff(**changed), [name]).values()
    return text
