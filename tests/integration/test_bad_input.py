# SPDX-License-Identifier: GPL-3.0-or-later
"""The response to bad input: one clear error that names the object and the next step, and nothing written."""

from __future__ import annotations

import pathlib
import shutil
from typing import Any

import pytest

from tests.support.control import ROLE_ARN, Control, Run
from tests.support.lab import Lab

ASSUME = {"role_arn": ROLE_ARN, "external_id": "test"}


def refused(control: Control, run: Run, *sentences: str) -> None:
    """The run failed with these sentences, without a traceback; line breaks of the display do not count."""
    assert run.code != 0, run
    output = " ".join(run.output.split())
    for sentence in sentences:
        assert sentence in output, run
    assert "Traceback" not in run.output


@pytest.mark.parametrize(
    ("variables", "sentences"),
    [
        (
            {"ecr_share_repositories": ["release", "nowhere"]},
            ["Repository nowhere does not exist in account 111111111111, region ap-northeast-1. Create it, or correct"],
        ),
        (
            {"ecr_share_repository_tags": {"aws:environment": "release"}},
            ["tag key 'aws:environment' starts with aws:, which AWS reserves. Choose another key."],
        ),
        (
            {"ecr_share_consumers": [{"account": "22222222222", "external_id": "test"}]},
            ["Consumer 1: '22222222222' is not an AWS account ID of 12 digits."],
        ),
        (
            {"ecr_share_consumers": [{"account": 222222222222, "external_id": "test"}]},
            ["Consumer 1: 222222222222 is a number, not an AWS account ID of 12 digits. Quote it"],
        ),
        (
            {"ecr_share_consumers": [{"account": "222222222222", "external_id": ""}]},
            ["external_id is empty. Set the external ID that the trust policy names"],
        ),
        (
            {"ecr_share_consumers": [{"account": "222222222222"}]},
            ["Consumer 1 (222222222222) has no external_id. Set one, or set allow_no_external_id: true."],
        ),
        (
            {"ecr_share_consumers": [{"account": "222222222222", "externalid": "test"}]},
            ["An entry of ecr_share_consumers has an unknown option externalid."],
        ),
        (
            {"ecr_share_handoff_path": "nowhere/handoff.yml"},
            ["The directory of ecr_share_handoff_path nowhere/handoff.yml does not exist. Create it first."],
        ),
        (
            {
                "ecr_share_repositories": ["nowhere"],
                "ecr_share_images": [],
                "ecr_share_consumers": [
                    {"account": "1", "external_id": "test"},
                    {"account": "222222222222", "external_id": "a", "principals": ["user/*"]},
                ],
            },
            [
                "4 problems, nothing was written:",
                "Consumer 1: '1' is not an AWS account ID",
                "external_id has 1 characters",
                "principal 'user/*' contains a wildcard",
                "Repository nowhere does not exist",
            ],
        ),
    ],
)
def test_a_wrong_declaration_is_refused_before_the_first_write(
    control: Control, variables: dict[str, Any], sentences: list[str]
) -> None:
    mark = len(control.lab.calls())
    refused(control, control.share(**variables), *sentences)
    assert control.lab.writes_since(mark) == []
    assert not control.handoff.exists()


def test_undeclared_share_names_the_missing_options(control: Control) -> None:
    run = control.playbook("share", "owner")
    refused(
        control,
        run,
        "ecr_share_consumers, ecr_share_repositories, ecr_share_repository_tags, ecr_share_role_name",
    )


@pytest.mark.parametrize("name", ["share", "pull"])
def test_missing_credentials_are_named(control: Control, name: str) -> None:
    variables = {
        "ecr_pull_role_arn": ROLE_ARN,
        "ecr_pull_region": "ap-northeast-1",
        "ecr_share_region": "ap-northeast-1",
    }
    run = control.playbook(name, None, "-e", "@playbooks/vars/scenario.yml", **variables)
    refused(control, run, f"No AWS credentials were found. Name a profile (ecr_{name}_profile or AWS_PROFILE), set")


def test_a_profile_that_does_not_exist_is_named(control: Control) -> None:
    refused(control, control.share(profile="nobody"), "Profile nobody does not exist in ")


def test_a_lab_that_does_not_run_is_named(control: Control, tmp_path: pathlib.Path) -> None:
    configuration = (control.lab.folder / "aws-config").read_text()
    port = configuration.partition("127.0.0.1:")[2].split()[0]
    (tmp_path / "aws-config").write_text(configuration.replace(f"127.0.0.1:{port}", "127.0.0.1:9"))
    nowhere = Control(Lab(tmp_path), tmp_path)
    # One module: each tries its first call ten times.
    result = nowhere.module("ecr_repository_tag", "owner", names=["release"], tags={"environment": "release"})
    sentence = 'Could not connect to the endpoint URL: "http://127.0.0.1:9/". Nothing listens on 127.0.0.1:9.'
    assert result["msg"].startswith(sentence), result
    assert "make lab-up" not in result["msg"]


@pytest.mark.parametrize(
    ("module", "options", "message"),
    [
        (
            "ecr_image_pull",
            {**ASSUME, "images": ["release:v1.0"], "engine": "docker"},
            "Engine docker cannot be used: docker is installed but its engine does not answer: ",
        ),
        (
            "ecr_image_pull",
            {**ASSUME, "images": ["release"], "engine": "docker"},
            "Image 'release' has no image tag and no digest. Write release:IMAGE_TAG; none is assumed.",
        ),
        (
            "ecr_image_pull",
            {**ASSUME, "images": ["release:v1.0"], "external_id": "", "engine": "docker"},
            "external_id is empty. Set the external ID that the trust policy names, or omit the option.",
        ),
        (
            "ecr_access_info",
            {"role_arn": "allow_ecr_release", "readable": ["release"]},
            "role_arn 'allow_ecr_release' is not the ARN of a role, such as arn:aws:iam::111111111111:role/NAME.",
        ),
        (
            "ecr_access_info",
            {**ASSUME, "readable": ["release", "Release"], "denied": ["release"]},
            "2 problems, nothing was written:\n- 'Release' is not a repository name. A name has 2 to 256 characters of",
        ),
        ("ecr_repository_tag", {"names": [], "tags": {"a": "b"}}, "names is empty: list at least one repository."),
        (
            "ecr_repository_tag",
            {"names": ["release"], "tags": {"release": True}},
            "the value of release must be a string; True is not. Quote it.",
        ),
        (
            "ecr_repository_tag",
            {"names": ["rel*", "x*"], "tags": {"a": "b"}},
            "Pattern 'x*' matches none of the 2 repositories in this registry and region.",
        ),
        (
            "ecr_repository_tag",
            {"names": ["release"], "tags": {"a": "b"}, "endpoint_url": "no-url"},
            "A client of sts cannot be created: Invalid endpoint: no-url. Check endpoint_url.",
        ),
        (
            "iam_ecr_pull_role",
            {"name": "no/slash", "policy_name": "policy", "state": "absent"},
            "Role name 'no/slash' must have 1 to 64 of letters, digits and _+=,.@-",
        ),
    ],
)
def test_a_wrong_option_is_refused_before_aws_is_changed(
    control: Control, module: str, options: dict[str, Any], message: str
) -> None:
    mark = len(control.lab.calls())
    control.engines = {"DOCKER_HOST": f"unix://{control.folder}/no.sock"}
    profile = "consumer" if module in ("ecr_image_pull", "ecr_access_info") else "owner"
    result = control.module(module, profile, **options)
    assert result["code"] == 2
    assert result["msg"].startswith(message)
    assert control.lab.writes_since(mark) == []


def test_an_engine_that_is_not_installed_is_named(control: Control, tmp_path: pathlib.Path) -> None:
    for program in ("sh", "rm", "mkdir", "echo", "chmod", "sleep"):
        (tmp_path / program).symlink_to(str(shutil.which(program)))
    control.engines = {"PATH": str(tmp_path)}
    result = control.module("ecr_image_pull", "consumer", **ASSUME, images=["release:v1.0"], engine="podman")
    assert result["msg"] == (
        "Engine podman cannot be used: podman is not installed (no such program in PATH)."
        " Install it, or choose another engine."
    )
