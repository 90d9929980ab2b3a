# SPDX-License-Identifier: GPL-3.0-or-later
"""A test can have users, roles and repositories in five accounts."""

from __future__ import annotations

import pytest

from tests.support.lab import Lab
from tests.support.lab_accounts import ADMINISTRATORS, Accounts

from . import accounts
from .clients import allow, denial, document

OTHER_REGION = "eu-west-1"


@pytest.fixture(scope="module")
def five(lab: Lab) -> Accounts:
    return Accounts(lab)


def test_each_account_has_principals_and_repositories_of_its_own(five: Accounts) -> None:
    assert len(ADMINISTRATORS) == 5
    for account in ADMINISTRATORS:
        user = five.user(account, "someone", allow("sts:*"), Path="/people/")
        role = five.role(account, "something", {"AWS": account}, allow("ecr:Describe*"))
        session = five.client("sts", five.assume(user, role)).get_caller_identity()
        assert session["Arn"] == f"arn:aws:sts::{account}:assumed-role/something/session"
        for region in (accounts.REGION, OTHER_REGION):
            ecr = five.administrator(account, "ecr", region)
            made = ecr.create_repository(repositoryName="theirs")["repository"]
            assert made["repositoryArn"] == f"arn:aws:ecr:{region}:{account}:repository/theirs"


def test_policy_of_one_account_decides_about_another(five: Accounts) -> None:
    user = five.user(accounts.FIFTH, "reader", allow("ecr:*"))
    owner, reader = five.administrator(accounts.FOURTH, "ecr"), five.client("ecr", user)
    owner.create_repository(repositoryName="shared")
    named = {"registryId": accounts.FOURTH, "repositoryName": "shared"}
    assert denial(reader.list_images, **named) == "because no resource-based policy allows the ecr:ListImages action"
    principal = {"AWS": f"arn:aws:iam::{accounts.FIFTH}:user/reader"}
    owner.put_registry_policy(policyText=document(allow("ecr:ListImages", Principal=principal)))
    assert not denial(reader.list_images, **named)


def test_managed_policy_of_ecr_allows_pulls(five: Accounts) -> None:
    keys, iam = five.user(accounts.OWNER, "puller"), five.administrator(accounts.OWNER, "iam")
    ecr, images = five.client("ecr", keys), {"imageIds": [{"imageTag": accounts.IMAGE_TAG}]}
    end = "because no identity-based policy allows the ecr:{} action"
    assert denial(ecr.batch_get_image, repositoryName="release", **images) == end.format("BatchGetImage")
    policy = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"
    iam.attach_user_policy(UserName="puller", PolicyArn=policy)
    assert not denial(ecr.batch_get_image, repositoryName="release", **images)
    assert denial(ecr.list_images, repositoryName="release") == end.format("ListImages")
