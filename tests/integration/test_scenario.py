# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenario from end to end: the owner shares, the consumer pulls, and what should be denied is denied."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import re
import subprocess
from typing import Any

import pytest
import yaml

from tests.lab import accounts
from tests.support.control import REPOSITORY_ARN, ROLE, ROLE_ARN, Control
from tests.support.fixtures import podman_storage
from tests.support.lab import Lab
from tests.support.paths import ROOT

DENIED = (
    f"User: arn:aws:sts::{accounts.OWNER}:assumed-role/{ROLE}/{ROLE} is not authorized to perform: {{}}"
    f" on resource: {REPOSITORY_ARN}develop because no identity-based policy allows the {{}} action"
)


@pytest.fixture(scope="module")
def control(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Control:
    """With the Python that users have."""
    control = Control(lab, tmp_path_factory.mktemp("control"))
    control.python = None
    return control


@pytest.fixture(scope="module")
def shared(control: Control) -> Control:
    run = control.share()
    assert run.code == 0, run
    return control


@pytest.fixture(scope="module")
def quick(shared: Control) -> Control:
    """With the quick Python, for runs beside the way from the share to the image."""
    control = Control(shared.lab, shared.folder)
    assert control.python
    return control


@pytest.fixture(scope="module")
def digest(control: Control) -> str:
    """The digest that ECR reports."""
    images = control.lab.client("owner", "ecr").describe_images(repositoryName="release")
    return str(images["imageDetails"][0]["imageDigest"])


def test_check_mode_of_first_share_predicts_it(alone: Control) -> None:
    mark = len(alone.lab.calls())
    run = alone.share("--check", "--diff")
    assert run.code == 0, run
    assert alone.lab.writes_since(mark) == []
    assert run.changed == 3
    assert "ecr:ResourceTag/environment" in run.output
    assert not alone.handoff.exists()


def test_share_agrees_with_the_scenario(shared: Control) -> None:
    iam, ecr = shared.lab.client("owner", "iam"), shared.lab.client("owner", "ecr")
    role = iam.get_role(RoleName=ROLE)["Role"]
    assert role["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{accounts.CONSUMER}:root"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "test"}},
        }
    ]
    attached = iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == [ROLE]
    tags = {
        name: ecr.list_tags_for_resource(resourceArn=REPOSITORY_ARN + name)["tags"] for name in accounts.REPOSITORIES
    }
    assert tags == {"release": [{"Key": "environment", "Value": "release"}], "develop": []}


def test_the_handoff_has_all_that_the_consumer_needs(shared: Control) -> None:
    handoff = yaml.safe_load(shared.handoff.read_text())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", handoff.pop("ecr_pull_shared_at"))
    assert handoff == {
        "ecr_pull_role_arn": ROLE_ARN,
        "ecr_pull_external_id": "test",
        "ecr_pull_consumer_account": accounts.CONSUMER,
        "ecr_pull_region": accounts.REGION,
        "ecr_pull_registry": shared.lab.endpoint.partition("://")[2],
        "ecr_pull_repository_tags": {"environment": "release"},
        "ecr_pull_access": "read",
        "ecr_pull_repositories": ["release"],
        "ecr_pull_denied": ["develop"],
        "ecr_pull_images": ["release:v1.0"],
    }


@pytest.mark.parametrize("flags", [(), ("--check",)])
def test_a_second_share_changes_nothing_and_writes_nothing(shared: Control, flags: tuple[str, ...]) -> None:
    mark = len(shared.lab.calls())
    run = shared.share(*flags)
    assert run.code == 0, run
    assert run.changed == 0
    assert shared.lab.writes_since(mark) == []
    assert len(shared.lab.calls()) > mark


def test_relative_handoff_path_starts_at_working_directory(quick: Control) -> None:
    relative = os.path.relpath(quick.folder / "relative.yml", ROOT)
    assert quick.share(ecr_share_handoff_path=relative).code == 0
    written, expected = (yaml.safe_load(path.read_text()) for path in (quick.folder / "relative.yml", quick.handoff))
    assert {**written, "ecr_pull_shared_at": expected["ecr_pull_shared_at"]} == expected
    assert (quick.folder / "relative.md").read_text() == quick.handoff.with_suffix(".md").read_text()


def test_proof_shows_caller_and_denials_of_aws(shared: Control) -> None:
    result = shared.module(
        "ecr_access_info",
        "consumer",
        role_arn=ROLE_ARN,
        external_id="test",
        role_session_name=ROLE,
        readable=["release"],
        denied=["develop"],
    )
    assert result["caller"]["arn"] == f"arn:aws:iam::{accounts.CONSUMER}:user/puller"
    assert result["assumed"]["arn"] == f"arn:aws:sts::{accounts.OWNER}:assumed-role/{ROLE}/{ROLE}"
    assert (result["verdict"], result["external_id_enforced"], result["token"]) == ("pass", "true", "allowed")
    release, develop = result["repositories"]
    assert [release[probe] for probe in ("describe", "manifest", "layer")] == ["allowed"] * 3
    assert develop["denials"] == {
        probe: DENIED.format(action, action)
        for probe, action in (
            ("describe", "ecr:DescribeImages"),
            ("manifest", "ecr:BatchGetImage"),
            ("layer", "ecr:GetDownloadUrlForLayer"),
        )
    }


def test_unmet_expectation_stops_the_pull_with_reason(quick: Control) -> None:
    mark = len(quick.lab.calls())
    run = quick.pull(ecr_pull_repositories=["develop"], ecr_pull_denied=["release"], ecr_pull_engine="oci_layout")
    assert run.code == 2, run
    assert "Repository develop cannot be pulled. The role's policy does not allow it" in run.output
    assert "Repository release was expected to be denied, but describe, manifest, layer are allowed" in run.output
    assert not [call for call in quick.lab.calls()[mark:] if call.startswith("GET /v2/")]


def test_the_oci_layout_has_every_blob_at_its_digest(shared: Control, quick: Control, digest: str) -> None:
    dest = shared.folder / "layout"
    options: dict[str, Any] = {"ecr_pull_engine": "oci_layout", "ecr_pull_dest": str(dest)}
    predicted = quick.pull("--check", **options)
    assert (predicted.code, predicted.changed, dest.exists()) == (0, 1, False), predicted
    first, second = quick.pull(**options), quick.pull(**options)
    assert (first.code, first.changed, second.code, second.changed) == (0, 1, 0, 0), (first, second)
    assert digest in first.output
    (entry,) = json.loads((dest / "index.json").read_text())["manifests"]
    assert entry["annotations"]["crossaccount.ecr.digest"] == digest
    blobs = sorted((dest / "blobs/sha256").iterdir())
    assert len(blobs) == 4  # manifest, configuration, two layers
    assert [blob.name for blob in blobs] == [hashlib.sha256(blob.read_bytes()).hexdigest() for blob in blobs]


@pytest.mark.engine
@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_an_engine_pulls_release_at_the_digest_that_ecr_reports(
    shared: Control, quick: Control, digest: str, engine: str, request: pytest.FixtureRequest
) -> None:
    shared.engines = quick.engines = request.getfixturevalue(engine)
    reference = f"{shared.lab.endpoint.partition('://')[2]}/release"
    predicted = quick.pull("--check", ecr_pull_engine=engine)
    assert (predicted.code, predicted.changed) == (0, 1), predicted
    assert images(shared, engine) == []
    # The whole way of a user: with docker.
    first = (shared if engine == "docker" else quick).pull(ecr_pull_engine=engine)
    second = quick.pull(ecr_pull_engine=engine)
    assert (first.code, first.changed, second.code, second.changed) == (0, 1, 0, 0), (first, second)
    assert images(shared, engine) == [f"{reference} v1.0 {digest}"]


def images(control: Control, engine: str) -> list[str]:
    """`repository image-tag digest` of every image that the engine has from this lab."""
    command = [engine, "images", "--digests", "--format", "{{.Repository}} {{.Tag}} {{.Digest}}"]
    environment = {**os.environ, **control.engines}
    listed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    host = control.lab.endpoint.partition("://")[2]
    return sorted({line for line in listed.stdout.splitlines() if line.startswith(f"{host}/")})


@pytest.mark.engine
def test_docker_itself_is_denied_develop_in_the_words_of_aws(
    shared: Control, docker: dict[str, str], tmp_path: pathlib.Path
) -> None:
    """The unmodified docker client with the role's token, as in the scenario."""
    ecr = shared.lab.assume("consumer", "ecr", ROLE, ExternalId="test")
    token = ecr.get_authorization_token()["authorizationData"][0]
    host = token["proxyEndpoint"].partition("://")[2]
    (tmp_path / "config.json").write_text(json.dumps({"auths": {host: {"auth": token["authorizationToken"]}}}))
    command = ["docker", "--config", str(tmp_path), "pull", f"{host}/develop:v1.0"]
    pulled = subprocess.run(command, env={**os.environ, **docker}, capture_output=True, text=True, check=False)
    assert pulled.returncode == 1
    assert "pull access denied for" in pulled.stderr
    assert "denied: " + DENIED.format("ecr:BatchGetImage", "ecr:BatchGetImage") in pulled.stderr


@pytest.mark.engine
def test_the_module_is_denied_develop_in_the_words_of_aws(shared: Control, docker: dict[str, str]) -> None:
    shared.engines = docker
    before = images(shared, "docker")
    result = shared.module(
        "ecr_image_pull",
        "consumer",
        role_arn=ROLE_ARN,
        external_id="test",
        role_session_name=ROLE,
        images=["release:v1.0", "develop:v1.0"],
        engine="docker",
    )
    assert result["code"] == 2
    assert (
        result["msg"]
        == "Image develop:v1.0 cannot be pulled: denied: "
        + DENIED.format("ecr:BatchGetImage", "ecr:BatchGetImage")
        + ". The role's policy does not allow it: the repository lacks the tag, or the policy lacks the action."
    )
    assert images(shared, "docker") == before


CHECKS = "the external ID is the one in that statement"


@pytest.mark.parametrize(
    ("profile", "role", "external_id", "who", "advice"),
    [
        ("stranger", ROLE_ARN, "test", f"arn:aws:iam::{accounts.STRANGER}:user/stranger", CHECKS),
        ("consumer", ROLE_ARN, "wrong", f"arn:aws:iam::{accounts.CONSUMER}:user/puller", CHECKS),
        (
            "consumer",
            f"arn:aws:iam::{accounts.STRANGER}:role/{ROLE}",
            "test",
            f"arn:aws:iam::{accounts.CONSUMER}:user/puller",
            "Allow sts:AssumeRole on this role in an identity-based policy of the caller.",
        ),
    ],
)
def test_undeclared_caller_cannot_assume_the_role(
    quick: Control, profile: str, role: str, external_id: str, who: str, advice: str
) -> None:
    own = {"ecr_pull_role_arn": role, "ecr_pull_external_id": external_id}  # without the hand-off of another account
    run = quick.playbook("pull", profile, ecr_pull_wait_timeout=0, **own)
    assert run.code == 2, run
    output = " ".join(run.output.split())
    assert f"Role {role} cannot be assumed: User: {who} is not authorized to perform: sts:AssumeRole" in output
    assert advice in output
    assert "Traceback" not in run.output


@pytest.mark.engine
def test_the_oci_layout_loads_into_an_engine(quick: Control, tmp_path: pathlib.Path) -> None:
    """podman reads the layout as an image, although ECR has it under Docker's media types."""
    podman = podman_storage(tmp_path)  # in its own storage, podman would show the digest of this image for another one
    dest = quick.folder / "loads"
    assert quick.pull(ecr_pull_engine="oci_layout", ecr_pull_dest=str(dest)).code == 0
    command = ["podman", "pull", "--quiet", f"oci:{dest}:release:v1.0"]
    loaded = subprocess.run(command, env={**os.environ, **podman}, capture_output=True, text=True, check=False)
    assert loaded.returncode == 0, loaded.stderr
