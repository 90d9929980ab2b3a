# SPDX-License-Identifier: GPL-3.0-or-later
"""A pushed image is copied to the destinations that accept it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.lab import Lab

from . import accounts
from .clients import Account, allow, denial, document, refusal, trust

OTHER_REGION = "eu-west-1"
SOURCE = {"AWS": f"arn:aws:iam::{accounts.OWNER}:root"}
WHOLE = "replicationConfiguration"
_numbers = itertools.count()


def destination(registry: str = accounts.CONSUMER, region: str = accounts.REGION) -> dict[str, str]:
    return {"region": region, "registryId": registry}


def rule(*destinations: dict[str, str], prefix: str = "") -> dict[str, Any]:
    filters = {"repositoryFilters": [{"filter": prefix, "filterType": "PREFIX_MATCH"}]} if prefix else {}
    return {"destinations": list(destinations), **filters}


def configure(ecr: Any, *rules: dict[str, Any]) -> Any:
    return ecr.put_replication_configuration(replicationConfiguration={"rules": list(rules)})


@pytest.fixture
def owner(lab: Lab) -> Iterator[Any]:
    """The owner's client. The test leaves no rule behind."""
    ecr = lab.client("owner", "ecr")
    yield ecr
    configure(ecr)


@pytest.fixture
def consumer(lab: Lab) -> Iterator[Any]:
    """The consumer's client. The test leaves no policy behind."""
    ecr = lab.client("consumer-administrator", "ecr")
    yield ecr
    refusal(ecr.delete_registry_policy)


def accept(ecr: Any, *actions: str) -> None:
    ecr.put_registry_policy(policyText=document(allow(*actions, Principal=SOURCE)))


def push(lab: Lab, ecr: Any) -> str:
    """Push an image to a new repository; the name of the repository."""
    name = f"copied/{next(_numbers)}"
    ecr.create_repository(repositoryName=name, tags=[{"Key": "environment", "Value": "release"}])
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    accounts.push(lab.endpoint, token, name, accounts.IMAGE_TAG, accounts.scenario_layers())
    return name


def is_copied(ecr: Any, name: str) -> bool:
    return refusal(ecr.describe_images, repositoryName=name, imageIds=[{"imageTag": accounts.IMAGE_TAG}]) == ("", "")


def test_configuration_is_returned(owner: Any) -> None:
    assert owner.describe_registry()["replicationConfiguration"] == {"rules": []}
    rules = [rule(destination(), destination(accounts.OWNER, OTHER_REGION)), rule(destination(), prefix="rel")]
    assert configure(owner, *rules)["replicationConfiguration"] == {"rules": rules}
    reply = owner.describe_registry()
    assert (reply["registryId"], reply["replicationConfiguration"]) == (accounts.OWNER, {"rules": rules})


TOO_MANY = [rule(*(destination(f"{number:012}") for number in range(26)))]
FILTERS = {"repositoryFilters": rule(prefix="one")["repositoryFilters"] * 101}


@pytest.mark.parametrize(
    ("rules", "parameter", "constraint"),
    [
        ([rule(destination())] * 11, WHOLE, "Replication configuration must have at most 10 rules"),
        (TOO_MANY, WHOLE, "Replication configuration must have at most 25 destinations"),
        ([rule(destination(accounts.OWNER))], WHOLE, "Replication destination must not be the source registry"),
        (
            [{**rule(destination()), **FILTERS}],
            "repositoryFilters",
            "Member must have length less than or equal to 100",
        ),
        ([rule(destination("1234"))], "registryId", "must satisfy regular expression '[0-9]{12}'"),
    ],
)
def test_configuration_beyond_the_limits_is_refused(owner: Any, rules: Any, parameter: str, constraint: str) -> None:
    message = f"Invalid parameter at '{parameter}' failed to satisfy constraint: '{constraint}'"
    expected = ("InvalidParameterException", message)
    put = owner.put_replication_configuration
    assert refusal(put, replicationConfiguration={"rules": rules}) == expected
    assert owner.describe_registry()["replicationConfiguration"] == {"rules": []}


def test_calls_need_permission_in_the_identity_policy(lab: Lab) -> None:
    user = Account(lab).user("ecr", allow("ecr:Get*"))
    put = denial(user.put_replication_configuration, replicationConfiguration={"rules": []})
    assert put == "because no identity-based policy allows the ecr:PutReplicationConfiguration action"
    assert denial(user.describe_registry) == "because no identity-based policy allows the ecr:DescribeRegistry action"


def test_image_is_copied_if_the_destination_accepts_it(lab: Lab, owner: Any, consumer: Any) -> None:
    configure(owner, rule(destination()))
    assert not is_copied(consumer, push(lab, owner))
    accept(consumer, "ecr:ReplicateImage")
    assert not is_copied(consumer, push(lab, owner))
    accept(consumer, "ecr:ReplicateImage", "ecr:CreateRepository")
    name = push(lab, owner)
    (image,) = consumer.describe_images(repositoryName=name)["imageDetails"]
    (original,) = owner.describe_images(repositoryName=name)["imageDetails"]
    assert (image["imageDigest"], image["imageTags"]) == (original["imageDigest"], [accounts.IMAGE_TAG])
    assert image["registryId"] == accounts.CONSUMER
    (copied,) = consumer.describe_repositories(repositoryNames=[name])["repositories"]
    assert consumer.list_tags_for_resource(resourceArn=copied["repositoryArn"])["tags"] == []


def test_existing_repository_needs_no_permission_to_create_it(lab: Lab, owner: Any, consumer: Any) -> None:
    configure(owner, rule(destination()))
    accept(consumer, "ecr:ReplicateImage")
    name = push(lab, owner)
    consumer.create_repository(repositoryName=name)
    manifest = owner.batch_get_image(repositoryName=name, imageIds=[{"imageTag": accounts.IMAGE_TAG}])["images"][0]
    owner.put_image(repositoryName=name, imageManifest=manifest["imageManifest"], imageTag="second")
    assert not is_copied(consumer, name)
    assert refusal(consumer.describe_images, repositoryName=name, imageIds=[{"imageTag": "second"}]) == ("", "")


def test_only_repositories_that_a_filter_matches_are_copied(lab: Lab, owner: Any, consumer: Any) -> None:
    accept(consumer, "ecr:ReplicateImage", "ecr:CreateRepository")
    configure(owner, rule(destination(), prefix="other"))
    assert not is_copied(consumer, push(lab, owner))
    configure(owner, rule(destination(), prefix="copied/"))
    assert is_copied(consumer, push(lab, owner))


def test_another_region_of_the_account_needs_no_policy(lab: Lab, owner: Any) -> None:
    configure(owner, rule(destination(accounts.OWNER, OTHER_REGION)))
    elsewhere = lab.session("owner").client("ecr", region_name=OTHER_REGION)
    assert is_copied(elsewhere, push(lab, owner))


def test_deletion_is_copied_by_a_rule_that_says_so(lab: Lab, owner: Any, consumer: Any) -> None:
    accept(consumer, "ecr:ReplicateImage", "ecr:CreateRepository")
    for deletes in (False, True):
        configure(owner, {**rule(destination()), "deleteReplication": {"enabled": deletes}})
        name = push(lab, owner)
        owner.batch_delete_image(repositoryName=name, imageIds=[{"imageTag": accounts.IMAGE_TAG}])
        assert is_copied(consumer, name) != deletes
    assert owner.describe_registry()["replicationConfiguration"]["rules"][0]["deleteReplication"] == {"enabled": True}


def test_status_of_an_image_at_each_destination(lab: Lab, owner: Any, consumer: Any) -> None:
    configure(owner, rule(destination(), destination(accounts.OWNER, OTHER_REGION)))
    name = push(lab, owner)
    image = {"imageTag": accounts.IMAGE_TAG}
    reply = owner.describe_image_replication_status(repositoryName=name, imageId=image)
    statuses = {(one["registryId"], one["region"]): one["status"] for one in reply["replicationStatuses"]}
    assert statuses == {(accounts.CONSUMER, accounts.REGION): "FAILED", (accounts.OWNER, OTHER_REGION): "COMPLETE"}
    missing = {"repositoryName": name, "imageId": {"imageTag": "none"}}
    assert refusal(owner.describe_image_replication_status, **missing)[0] == "ImageNotFoundException"


def test_copies_wait_until_they_are_released(lab: Lab, owner: Any, consumer: Any) -> None:
    accept(consumer, "ecr:ReplicateImage", "ecr:CreateRepository")
    configure(owner, {**rule(destination()), "deleteReplication": {"enabled": True}})
    deleted = push(lab, owner)
    with lab.replication_held():
        name = push(lab, owner)
        owner.batch_delete_image(repositoryName=deleted, imageIds=[{"imageTag": accounts.IMAGE_TAG}])
        assert (is_copied(consumer, name), is_copied(consumer, deleted)) == (False, True)
        image = {"repositoryName": name, "imageId": {"imageTag": accounts.IMAGE_TAG}}
        (status,) = owner.describe_image_replication_status(**image)["replicationStatuses"]
        assert status["status"] == "IN_PROGRESS"
    assert (is_copied(consumer, name), is_copied(consumer, deleted)) == (True, False)
    (status,) = owner.describe_image_replication_status(**image)["replicationStatuses"]
    assert status["status"] == "COMPLETE"


def test_first_rule_of_an_account_needs_its_service_linked_role(lab: Lab) -> None:
    account = Account(lab, "fifth-administrator")
    user = account.user("ecr", allow("ecr:*"))
    put, rules = user.put_replication_configuration, {"rules": [rule(destination())]}
    assert denial(put, replicationConfiguration={"rules": []}) == ""
    expected = "because no identity-based policy allows the iam:CreateServiceLinkedRole action"
    assert denial(put, replicationConfiguration=rules) == expected
    configure(lab.client("fifth-administrator", "ecr"), rule(destination()))
    role = account.iam.get_role(RoleName="AWSServiceRoleForECRReplication")["Role"]
    assert role["Path"] == "/aws-service-role/replication.ecr.amazonaws.com/"
    assert denial(put, replicationConfiguration=rules) == ""


def test_template_of_the_destination_decides_about_the_copy(lab: Lab, owner: Any, consumer: Any) -> None:
    role = Account(lab, "consumer-administrator").role(trust(accounts.CONSUMER), allow("ecr:*"))
    tags = [{"Key": "environment", "Value": "shared"}]
    template = {"prefix": "copied", "appliedFor": ["REPLICATION"], "resourceTags": tags, "customRoleArn": role}
    consumer.create_repository_creation_template(**template)
    accept(consumer, "ecr:ReplicateImage", "ecr:CreateRepository")
    configure(owner, rule(destination()))
    (copied,) = consumer.describe_repositories(repositoryNames=[push(lab, owner)])["repositories"]
    assert consumer.list_tags_for_resource(resourceArn=copied["repositoryArn"])["tags"] == tags
    consumer.delete_repository_creation_template(prefix="copied")
