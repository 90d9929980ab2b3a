# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof of a replication: the comparison with all kinds of images, and pulls by the consumer account itself."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_info import (
    REPLICATION_INFO_ARGUMENTS,
    replication_info,
)

from tests.lab import accounts
from tests.lab.clients import Account, refusal, trust
from tests.lab.replication_copies import accept, configure, destination, digests, fill, put_manifest, rule
from tests.support.consumer_side import here
from tests.support.control import Control
from tests.support.lab import Lab
from tests.support.paths import ROOT

DECLARATION = "@playbooks/vars/replication.yml"
OWNER_POLICY, CONSUMER_POLICY = (
    (ROOT / f"playbooks/vars/replication-{side}-policy.json").read_text("utf-8") for side in ("owner", "consumer")
)


class Replication:
    """A repository that is replicated, and its images in both accounts."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.owner, self.consumer = (lab.client(one, "ecr") for one in ("owner", "consumer-administrator"))
        accept(self.consumer)
        self.name = fill(lab, self.owner, "proven", 1)
        configure(self.owner, rule(destination(), prefix="proven/"))

    def end(self) -> None:
        configure(self.owner)
        self.consumer.delete_registry_policy()
        for ecr in (self.owner, self.consumer):
            refusal(ecr.delete_repository, repositoryName=self.name, force=True)

    def info(self, control: Control, progress: Any = lambda _status: None, **options: Any) -> dict[str, Any]:
        """The result of the module ecr_replication_info in this process."""
        declared = {
            "owner_account": accounts.OWNER,
            "consumer_account": accounts.CONSUMER,
            "profile": "owner",
            "consumer_profile": "consumer-administrator",
            "prefixes": ["proven/"],
            "wait_interval": 0,
            **options,
        }
        return here(control, declared, REPLICATION_INFO_ARGUMENTS, lambda module: replication_info(module, progress))


@pytest.fixture
def replication(lab: Lab) -> Iterator[Replication]:
    found = Replication(lab)
    yield found
    found.end()


def rows(result: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {row["digest"]: (row["kind"], row["state"]) for row in result["images"]}


def test_waiting_ends_when_aws_has_replicated(control: Control, replication: Replication) -> None:
    statuses: list[str] = []
    with contextlib.ExitStack() as stack:
        # The image of `fill` is older than the rule, which replicates new images only.
        replication.owner.batch_delete_image(repositoryName=replication.name, imageIds=[{"imageTag": "0"}])
        stack.enter_context(replication.lab.replication_held())
        image = put_manifest(replication.owner, replication.name, 1, image_tag="v1")
        late = replication.info(control, expect="replicated", wait_timeout=0, images=[f"{replication.name}:v1"])
        assert "(IN_PROGRESS)" in late["msg"]
        assert [row["status"] for row in late["images"] if row["digest"] == image] == ["IN_PROGRESS"]

        def progress(status: str) -> None:
            statuses.append(status)
            stack.close()

        done = replication.info(control, progress, expect="replicated", wait_timeout=600)
    assert statuses[0] == "1 of 1 images are not replicated yet"
    assert statuses[-1] == "0 of 1 images are not replicated yet"
    assert done["counts"] == {"replicated": 1, "missing": 0, "extra": 0, "archived": 0}


def test_all_kinds_of_images_are_compared(control: Control, replication: Replication) -> None:
    ecr, name = replication.owner, replication.name
    signed = put_manifest(ecr, name, 1, image_tag="signed")
    signature = put_manifest(ecr, name, 2, signed)
    old = put_manifest(ecr, name, 3, image_tag="old")
    replication.consumer.batch_delete_image(repositoryName=name, imageIds=[{"imageDigest": old}])
    ecr.update_image_storage_class(repositoryName=name, imageId={"imageDigest": old}, targetStorageClass="ARCHIVE")
    (first,) = digests(ecr, name).keys() - {signed, signature}

    mark = len(control.lab.calls())
    result = replication.info(control, images=[f"{name}:signed"])
    assert control.lab.calls()[mark:].count("ecr:ListImageReferrers") == 2
    assert rows(result) == {
        first: ("image", "missing"),
        signed: ("image", "replicated"),
        signature: ("referrer", "replicated"),
        old: ("image", "archived"),
    }
    assert result["pulls"] == [
        {"account": accounts.CONSUMER, "region": accounts.REGION, "images": [f"{name}:signed@{signed}"]}
    ]
    assert "1 archived image does not appear." in " ".join(result["lines"])
    archived = replication.info(control, images=[f"{name}:old"])
    assert "is archived in the owner account, so it is not replicated" in archived["msg"]


def exactly(text: str, lab: Lab, profile: str) -> str:
    """The ARN of a role of an account that has the permissions of a documented policy."""
    account = Account(lab, profile)
    statements = json.loads(text.replace("CONSUMER_ACCOUNT", account.id).replace("OWNER_ACCOUNT", account.id))
    return account.role(trust(account.id), *statements["Statement"])


@pytest.mark.engine
def test_consumer_pulls_its_own_copy(control: Control, lab: Lab, docker: dict[str, str]) -> None:
    owner, consumer = (lab.client(one, "ecr") for one in ("owner", "consumer-administrator"))
    name = fill(lab, owner, "pulled", 1)
    (digest,) = digests(owner, name)
    variables = {
        "ecr_replicate_owner_assume_role_arn": exactly(OWNER_POLICY, lab, "owner"),
        "ecr_replicate_consumer_assume_role_arn": exactly(CONSUMER_POLICY, lab, "consumer-administrator"),
        "ecr_replicate_prefixes": ["pulled/"],
        "ecr_replicate_images": [f"{name}:0"],
        "ecr_replicate_wait_interval": 0.05,
    }
    control.engines = docker
    try:
        runs = [control.playbook("replicate", None, "-e", DECLARATION, **variables) for _number in range(2)]
    finally:
        control.engines = {}
    for run, changed, verb in zip(runs, (4, 0), ("pulled", "already pulled")):
        assert (run.code, run.changed) == (0, changed), run
        assert f"{name}:0@{digest} {verb} by docker with the identity of account {accounts.CONSUMER}" in run.output
    reference = f"{consumer.describe_repositories(repositoryNames=[name])['repositories'][0]['repositoryUri']}:0"
    command = ["docker", "image", "inspect", "--format", "{{json .RepoDigests}}", reference]
    inspected = subprocess.run(command, env={**os.environ, **docker}, capture_output=True, text=True, check=True)
    assert digest in inspected.stdout
    configure(owner)
    consumer.delete_registry_policy()


@pytest.mark.parametrize(
    ("profile", "images", "message"),
    [
        ("consumer", ["{name}:0"], "Grant this action to the caller, or use other credentials."),
        (
            "consumer-administrator",
            ["{name}:1"],
            "Image {name}:1 cannot be pulled: repository {name} has no such image.",
        ),
        ("owner", ["{name}:0"], "The credentials belong to account 111111111111, but the declared account is 2222"),
    ],
)
def test_pull_of_the_own_registry_fails_with_the_reason(
    control: Control, own_copy: str, profile: str, images: list[str], message: str
) -> None:
    named = [image.format(name=own_copy) for image in images]
    layout = {"engine": "oci_layout", "dest": str(control.folder / "own")}
    result = control.module("ecr_image_pull", profile, account=accounts.CONSUMER, images=named, **layout)
    assert message.format(name=own_copy) in result["msg"]


def test_control_node_passes_a_token_for_the_own_registry(control: Control, own_copy: str) -> None:
    layout = {"engine": "oci_layout", "dest": str(control.folder / "own")}
    request = {"account": accounts.CONSUMER, "images": [f"{own_copy}:0"], "credentials": "control_node", **layout}
    result = control.module("ecr_image_pull", "consumer-administrator", **request)
    assert (result["changed"], result["images"][0]["image"]) == (True, f"{own_copy}:0"), result


def test_missing_engine_is_named(control: Control, own_copy: str, tmp_path: pathlib.Path) -> None:
    control.engines = {"PATH": str(tmp_path)}
    try:
        request = {"account": accounts.CONSUMER, "images": [f"{own_copy}:0"], "engine": "docker"}
        result = control.module("ecr_image_pull", "consumer-administrator", **request)
    finally:
        control.engines = {}
    assert result["msg"].startswith("Engine docker cannot be used: docker is not installed"), result


@pytest.fixture(scope="module")
def own_copy(lab: Lab) -> Iterator[str]:
    """A repository of the consumer account."""
    consumer = lab.client("consumer-administrator", "ecr")
    name = fill(lab, consumer, "own", 1)
    yield name
    consumer.delete_repository(repositoryName=name, force=True)
