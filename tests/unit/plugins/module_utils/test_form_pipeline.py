# SPDX-License-Identifier: GPL-3.0-or-later
"""The form for Terraform, read by HashiCorp's parser of HCL."""

from __future__ import annotations

import unicodedata

import pygohcl
import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _form_text
from hypothesis import example, given

from tests.unit.forms import EXTERNAL_IDS, REGION, REGISTRY, ROLE_ARN, form, texts


@pytest.mark.parametrize("external_id", [*EXTERNAL_IDS, None])
def test_terraform_reads_the_provider(external_id: str | None) -> None:
    name = "ecr_pull_111111111111_ap_northeast_1"
    assert pygohcl.loads(form("terraform", external_id=external_id)) == {
        "provider": {
            "aws": {
                "alias": name,
                "region": REGION,
                "assume_role": {
                    "role_arn": ROLE_ARN,
                    **({} if external_id is None else {"external_id": external_id}),
                },
            }
        },
        "locals": {name: {"release": f"{REGISTRY}/release", "tools/build": f"{REGISTRY}/tools/build"}},
    }


@given(texts)
@example("\x7f\x85\ufeff")
def test_hcl_text_is_the_text(text: str) -> None:
    """HCL normalizes strings to the form NFC of Unicode."""
    assert pygohcl.loads(f"x = {_form_text.hcl_text(text)}\n")["x"] == unicodedata.normalize("NFC", text)
