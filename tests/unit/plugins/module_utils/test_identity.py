# SPDX-License-Identifier: GPL-3.0-or-later
"""ARNs, built and split."""

from __future__ import annotations

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Arn, Identity, arn_of, split_arn
from hypothesis import given
from hypothesis import strategies as st

OWNER = Identity("aws-cn", "111111111111")


@pytest.mark.parametrize(
    ("built", "arn"),
    [
        (OWNER.root, "arn:aws-cn:iam::111111111111:root"),
        (OWNER.iam("user/team/puller"), "arn:aws-cn:iam::111111111111:user/team/puller"),
        (OWNER.role("/", "allow"), "arn:aws-cn:iam::111111111111:role/allow"),
        (OWNER.role("/shares/", "allow"), "arn:aws-cn:iam::111111111111:role/shares/allow"),
        (OWNER.policy("/shares/", "allow"), "arn:aws-cn:iam::111111111111:policy/shares/allow"),
        (OWNER.repository("cn-north-1", "team/app"), "arn:aws-cn:ecr:cn-north-1:111111111111:repository/team/app"),
    ],
)
def test_built_arn_belongs_to_the_identity(built: str, arn: str) -> None:
    assert built == arn
    assert arn_of(built).identity == OWNER
    assert arn_of(built).name == arn.rpartition("/")[2].rpartition(":")[2]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", Arn("aws", "iam", "", "aws", "policy/ReadOnlyAccess")),
        (
            "arn:aws:sts::111111111111:assumed-role/allow/session",
            Arn("aws", "sts", "", "111111111111", "assumed-role/allow/session"),
        ),
        ("arn:aws:s3:::bucket/a:b", Arn("aws", "s3", "", "", "bucket/a:b")),
    ],
)
def test_parts_of_an_arn(text: str, parts: Arn) -> None:
    assert split_arn(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        "",
        "arn:aws:iam::111111111111:",
        "arn:aws:iam::11111111111:root",
        "arn:aws:iam::111111111111:root\n",
        "arn:other:iam::111111111111:root",
        "arn:aws:iam:111111111111:root",
        " arn:aws:iam::111111111111:root",
        "AIDAEXAMPLEEXAMPLE123",
    ],
)
def test_other_texts_are_rejected_by_name(text: str) -> None:
    assert split_arn(text) is None
    with pytest.raises(EcrError, match="is not an ARN, such as arn:aws:iam::111111111111:role/NAME") as raised:
        arn_of(text)
    assert repr(text) in str(raised.value)


@given(st.text(alphabet="arn:aws-iam1/\n*é"))
def test_any_text_is_an_arn_or_is_not(text: str) -> None:
    arn = split_arn(text)
    assert arn is None or ":".join(("arn", *arn)) == text
