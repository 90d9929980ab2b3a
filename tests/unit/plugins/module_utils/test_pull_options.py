# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a pull: images of another registry are rejected before AWS is asked."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._declared_account import RegistryAccount
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull_options import (
    PULL_ARGUMENTS,
    PULL_RULES,
    PullOptions,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WaitOptions

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
        ({"registry_account": "333333333333"}, HOST, "the registry of account 333333333333"),
        (BY_TOKEN, HOST.replace("west", "north"), f"registry {HOST}"),
        (BY_TOKEN, "localhost:5000", f"registry {HOST}"),
    ],
)
def test_image_of_another_registry(given: dict[str, Any], registry: str, expected: str) -> None:
    with pytest.raises(EcrError) as caught:
        options_of(images=[f"https://{registry}/app@{DIGEST}", "App:v1"], **given)
    assert f"names registry {registry}, but the images are in {expected}. If" in str(caught.value)
    assert "https:/:" not in str(caught.value)
    assert "Image 'App:v1'" in str(caught.value), "all problems are reported together"


@pytest.mark.parametrize("role_arn", ["x", ""])
def test_invalid_role_is_the_only_problem(role_arn: str) -> None:
    with pytest.raises(EcrError) as caught:
        options_of(images=[f"{HOST}/app:v1"], role_arn=role_arn)
    assert "names registry" not in str(caught.value)


def problems_of(**own: Any) -> str:
    with pytest.raises(EcrError) as caught:
        options_of(**{"images": [f"app@{DIGEST}"], **own})
    return str(caught.value)


def test_the_options_of_a_task() -> None:
    options = options_of(
        images=["app:v1"],
        engine="skopeo",
        dest="dir:/srv/app",
        platform="linux/arm64",
        ca_path="/etc/ca.pem",
        aws_ca_bundle="/etc/aws.pem",
        validate_certs=False,
        wait=False,
        **BY_ROLE,
    )
    assert (options.engine, options.dest, options.platform) == ("skopeo", "dir:/srv/app", "linux/arm64")
    assert (options.ca_path, options.validate_certs, options.wait) == (
        "/etc/ca.pem",
        False,
        WaitOptions(False, 60, 2.0),
    )
    assert options.session is not None
    assert (options.session.role_arn, options.session.duration) == (ROLE_ARN, 3600)
    assert (options.registry_url, options.registry_token) == (None, None)


def test_a_task_with_a_registry_token_has_no_session() -> None:
    options = options_of(images=[f"app@{DIGEST}"], aws_ca_bundle="/etc/aws.pem", **BY_TOKEN)
    assert (options.session, options.ca_path, options.validate_certs) == (None, "/etc/aws.pem", True)
    assert (options.registry_url, options.registry_token) == (BY_TOKEN["registry_url"], "QVdTOng=")
    assert "QVdTOng=" not in repr(options)


def test_a_task_with_its_own_registry_assumes_no_role() -> None:
    options = options_of(images=["cache/app:v1"], account="222222222222", denied=["cache/other:v1"])
    assert (options.session, options.own) == (None, RegistryAccount("222222222222"))
    assert [str(reference) for reference in options.denied] == ["cache/other:v1"]
    assert "is a number" in problems_of(account=222222222222)


@pytest.mark.parametrize(
    ("own", "problem"),
    [
        ({**BY_TOKEN, "denied": [f"app@{DIGEST}"]}, "denied needs a request to AWS, which registry_token excludes."),
        ({"account": "222222222222", "images": [f"{HOST}/app@{DIGEST}"]}, "111111111111"),
        ({"account": "222222222222", "denied": [f"{HOST}/app@{DIGEST}"]}, "111111111111"),
        ({"account": "222222222222", "denied": ["App"]}, "'App'"),
        ({**BY_ROLE, "images": []}, "images is empty: list at least one image."),
        ({**BY_ROLE, "engine": "oci_layout"}, "Engine oci_layout needs a directory. Set dest."),
        ({**BY_ROLE, "engine": "oci_layout", "dest": ""}, "Engine oci_layout needs a directory. Set dest."),
        ({**BY_ROLE, "dest": "/srv/\n"}, "dest '/srv/\\n' has a character that is not printable. Remove it."),
        ({**BY_ROLE, "ca_path": "\x1b[2J"}, "ca_path '\\x1b[2J' has a character that is not printable. Remove it."),
        ({**BY_ROLE, "platform": "linux"}, "platform"),
        ({**BY_ROLE, "wait_interval": -1.0}, "wait_interval is -1.0 seconds; it cannot be negative."),
        ({**BY_ROLE, "duration_seconds": 60}, "duration_seconds is 60"),
        ({**BY_TOKEN, "credentials": "control_node"}, "credentials: control_node requests a token from AWS. Remove"),
        (
            {**BY_TOKEN, "images": ["app@sha256:" + "0" * 64], "registry_host": "x"},
            "registry_url has the host name of the registry. Remove registry_host.",
        ),
        ({**BY_TOKEN, "images": ["app:v1"]}, "Image 'app:v1' has no digest. With registry_token, no request is sent"),
    ],
)
def test_invalid_options_are_rejected(own: dict[str, Any], problem: str) -> None:
    assert problem in problems_of(**own)


def test_all_invalid_options_are_reported_together() -> None:
    message = problems_of(images=["App", "app:v1"], engine="oci_layout", **BY_TOKEN)
    assert [part in message for part in ("'App'", "'app:v1' has no digest", "needs a directory")] == [True] * 3


@pytest.mark.parametrize("own", [BY_ROLE, BY_TOKEN, {**BY_ROLE, "engine": "oci_layout", "dest": "/srv/a b"}])
@pytest.mark.parametrize("credentials", ["host", "control_node"])
def test_valid_options_are_accepted(own: dict[str, Any], credentials: str) -> None:
    chosen = {} if "registry_token" in own else {"credentials": credentials}
    assert options_of(images=[f"app@{DIGEST}"], **own, **chosen).credentials == chosen.get("credentials", "host")


@pytest.mark.parametrize(
    ("token", "credentials", "needed"),
    [(None, "host", True), (None, "control_node", False), ("QVdTOng=", "host", False), ("", "host", False)],
)
def test_boto3_is_needed_only_by_a_host_that_uses_aws(token: str | None, credentials: str, needed: bool) -> None:
    assert PullOptions.need_aws_sdk({"registry_token": token, "credentials": credentials}) is needed


def test_a_task_needs_a_role_or_a_registry() -> None:
    assert PULL_RULES == {
        "required_one_of": [("role_arn", "registry_token", "account", "registry_account")],
        "mutually_exclusive": [
            ("role_arn", "account", "registry_account"),
            ("registry_token", "account"),
            ("registry_token", "registry_account"),
        ],
        "required_together": [("registry_url", "registry_token")],
    }
