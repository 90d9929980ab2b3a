# SPDX-License-Identifier: GPL-3.0-or-later
"""The requests of EKS Pod Identity to the owner account: a chain of two roles with session tags and an external ID.

The lab has no EKS. A principal of the consumer account takes the place of the EKS service, with the tags and the
external ID that the Amazon EKS User Guide documents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
import yaml

from tests.lab import accounts
from tests.lab.clients import Account, allow, refusal, trust
from tests.support.consumer_side import options_of, prove
from tests.support.control import ROLE_ARN, Control
from tests.support.paths import ROOT

SCENARIO = ("-e", "@playbooks/vars/scenario.yml")
#: In the form REGION/ACCOUNT/CLUSTER/NAMESPACE/SERVICE-ACCOUNT.
EXTERNAL_ID = f"ap-northeast-1/{accounts.CONSUMER}/build_1/ci-runners/image.puller"
TAGS = {
    "eks-cluster-arn": f"arn:aws:eks:ap-northeast-1:{accounts.CONSUMER}:cluster/build_1",
    "eks-cluster-name": "build_1",
    "kubernetes-namespace": "ci-runners",
    "kubernetes-service-account": "image.puller",
    "kubernetes-pod-name": "runner-0",
    "kubernetes-pod-uid": "0f1e2d3c",
}
ACTIONS = ("sts:AssumeRole", "sts:TagSession")
Session = Callable[[dict[str, str]], boto3.Session]


@pytest.fixture(scope="module")
def session(control: Control) -> Session:
    def made(keys: dict[str, str]) -> boto3.Session:
        names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        parts = (keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
        return control.lab.session("consumer", **dict(zip(names, parts)))

    return made


@pytest.fixture(scope="module")
def pod_role(control: Control) -> str:
    """The role of the association in the account of the cluster. It may assume the pull role."""
    return Account(control.lab, "consumer-administrator").role(
        trust(accounts.CONSUMER, actions=ACTIONS), allow(*ACTIONS)
    )


@pytest.fixture
def pod(control: Control, pod_role: str) -> dict[str, str]:
    """The credentials of a session of that role, as EKS starts it: all tags are transitive."""
    tags = [{"Key": key, "Value": value} for key, value in TAGS.items()]
    sts = control.lab.client("consumer-administrator", "sts")
    arguments: dict[str, Any] = {"Tags": tags, "TransitiveTagKeys": list(TAGS)}
    keys: dict[str, str] = sts.assume_role(RoleArn=pod_role, RoleSessionName="eks", **arguments)["Credentials"]
    return keys


@pytest.fixture(autouse=True)
def _nothing_shared_afterwards(control: Control) -> Iterator[None]:
    yield
    assert control.playbook("unshare", "owner", *SCENARIO).code == 0


def share(control: Control, pod_role: str, **changed: Any) -> None:
    principal = pod_role.partition(f"{accounts.CONSUMER}:")[2]
    example = yaml.safe_load((ROOT / "docs/examples/share-eks-pod-identity.yml").read_text(encoding="utf-8"))
    consumer = {**example["ecr_share_consumers"][0], "principals": [principal], "external_id": EXTERNAL_ID, **changed}
    run = control.share(ecr_share_consumers=[consumer])
    assert run.code == 0, run


def test_target_role_pulls_with_the_external_id_of_eks(
    control: Control, pod_role: str, pod: dict[str, str], session: Session
) -> None:
    """EKS assumes the pull role with the credentials of the first role, and the pod gets the second credentials."""
    share(control, pod_role, session_tags=True)
    sts = session(pod).client("sts")
    target = {"RoleArn": ROLE_ARN, "RoleSessionName": "eks"}
    other = EXTERNAL_ID.replace("ci-runners", "default")
    for identified in ({}, {"ExternalId": other}):
        assert refusal(sts.assume_role, **target, **identified)[0] == "AccessDenied"
    ecr = session(sts.assume_role(**target, ExternalId=EXTERNAL_ID)["Credentials"]).client("ecr")
    images = {"imageIds": [{"imageTag": accounts.IMAGE_TAG}]}
    assert ecr.batch_get_image(repositoryName="release", **images)["images"]
    assert refusal(ecr.batch_get_image, repositoryName="develop", **images)[0] == "AccessDeniedException"
    # Another role of the account has the external ID, and is not the principal.
    assert refusal(control.lab.client("consumer", "sts").assume_role, **target, ExternalId=EXTERNAL_ID)[0]


@pytest.mark.parametrize("session_tags", [True, False])
def test_pod_without_a_target_role_proves_its_access(
    control: Control, pod_role: str, pod: dict[str, str], session_tags: bool
) -> None:
    """The pod assumes the pull role itself, and its transitive tags pass to the new session."""
    share(control, pod_role, session_tags=session_tags)
    proof = prove(control, ROLE_ARN, readable=["release"], external_id=EXTERNAL_ID, **options_of(control, pod))
    if session_tags:
        assert (proof["verdict"], proof["problems"]) == ("pass", []), proof
    else:
        assert "must allow sts:TagSession as well" in str(proof), proof
