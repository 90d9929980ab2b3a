# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a pull: images of another registry are rejected before AWS is asked."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull_options import PULL_ARGUMENTS, PullOptions

HOST = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"
ROLE_ARN = "arn:aws:iam::111111111111:role/allow_ecr_release"
DIGEST = "sha256:" + "a" * 64
BY_ROLE = {"role_arn": ROLE_ARN}
BY_TOKEN = {"registry_url": f"https://{HOST}", "registry_token": "QVdTOng="}


def options_of(**own: Any) -> PullOptions:
    params = {name: option.get("default") for name, option in PULL_ARGUMENTS.items()}
    return PullOptions.of({**params, "validate_certs": True, "aws_ca_bundle": None, **own})


@pytest.mark.parametrize("given", [BY_ROLE, BY_TOKEN])
@pytest.mark.parametrize("form", ["{}", "https://{}", " docker pull {}\n"])
def test_image_of_the_registry(given: dict[str, Any], form: str) -> None:
    options = options_of(images=[form.format(f"{HOST}/app@{DIGEST}")], **given)
    assert [str(reference) for reference in options.references] == [f"app@{DIGEST}"]


@pytest.mark.parametrize(
    ("given", "registry", "expected"),
    [
        (BY_ROLE, HOST.replace("111111111111", "222222222222"), "the registry of account 111111111111"),
        (BY_TOKEN, HOST.replace("west", "north"), f"registry {HOST}"),
        (BY_TOKEN, "localhost:5000", f"registry {HOST}"),
    ],
)
def test_image_of_another_registry(given: dict[str, Any], registry: str, expected: str) -> None:
    with pytest.raises(EcrError) as caught:
        options_of(images=[f"https://{registry}/app@{DIGEST}", "App:v1"], **given)
    assert f"names registry {registry}, but this share is in {expected}. If" in str(caught.value)
    assert "https:/:" not in str(caught.value)
    assert "Image 'App:v1'" in str(caught.value), "all problems are reported together"


@pytest.mark.parametrize("role_arn", ["x", ""])
def test_invalid_role_is_the_only_problem(role_arn: str) -> None:
    with pytest.raises(EcrError) as caught:
        options_of(images=[f"{HOST}/app:v1"], role_arn=role_arn)
    assert "names registry" not in str(caught.value)
