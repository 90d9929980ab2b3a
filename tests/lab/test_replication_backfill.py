# SPDX-License-Identifier: GPL-3.0-or-later
"""A backfill copies the images that existed before a replication rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.lab import Lab

from . import accounts
from .clients import Account, allow, denial, refusal
from .replication_copies import OTHER_REGION, accept, configure, destination, digests, fill, rule

HERE = destination()
IN_PROGRESS = ("PREPARING", "IN_PROGRESS", "STOPPING")


@pytest.fixture
def owner(lab: Lab) -> Iterator[Any]:
    """The owner's client. The test leaves no rule and no backfill in progress behind."""
    ecr = lab.client("owner", "ecr")
    yield ecr
    configure(ecr)
    while any(one["status"] in IN_PROGRESS for one in backfills(ecr)):
        pass


@pytest.fixture
def consumer(lab: Lab) -> Iterator[Any]:
    """The client of the destination, which accepts images. The test leaves no policy behind."""
    ecr = lab.client("consumer-administrator", "ecr")
    accept(ecr)
    yield ecr
    refusal(ecr.delete_registry_policy)


def backfills(ecr: Any, **options: Any) -> list[dict[str, Any]]:
    pages = ecr.get_paginator("list_replication_backfills").paginate(**options)
    return [one for page in pages for one in page["backfills"]]


def start(ecr: Any, to: dict[str, str] | None = None) -> str:
    return str(ecr.start_replication_backfill(destination=to or HERE)["replicationBackfillId"])


def results(ecr: Any, identifier: str, **options: Any) -> Any:
    return ecr.describe_replication_backfill_results(replicationBackfillId=identifier, **options)


def statuses(ecr: Any, identifier: str) -> list[str]:
    """The status of a backfill at each request until its end."""
    found = ["PREPARING"]
    while found[-1] in IN_PROGRESS:
        found.append(results(ecr, identifier)["status"])
    return found


def test_images_of_the_rules_are_copied_with_their_tags(lab: Lab, owner: Any, consumer: Any) -> None:
    inside, outside = fill(lab, owner, "backfilled", 3), fill(lab, owner, "kept-here", 1)
    owner.put_image(repositoryName=inside, imageManifest=first_manifest(owner, inside), imageTag="again")
    configure(owner, rule(HERE, prefix="backfilled"))
    assert refusal(consumer.describe_images, repositoryName=inside)[0] == "RepositoryNotFoundException"
    identifier = start(owner)
    assert list(dict.fromkeys(statuses(owner, identifier))) == ["PREPARING", "IN_PROGRESS", "COMPLETE"]
    assert digests(consumer, inside) == digests(owner, inside)
    assert refusal(consumer.describe_images, repositoryName=outside)[0] == "RepositoryNotFoundException"
    numbers = results(owner, identifier)["progress"]
    assert (numbers["totalReplicationCount"], numbers["completedReplicationCount"]) == (4, 4)
    assert (numbers["failedReplicationCount"], numbers["failureCodes"]) == (0, [])
    assert {one["status"] for one in results(owner, identifier)["results"]} == {"COMPLETE"}


def first_manifest(ecr: Any, name: str) -> str:
    (image,) = ecr.batch_get_image(repositoryName=name, imageIds=[{"imageTag": "0"}])["images"]
    return str(image["imageManifest"])


def test_one_backfill_for_each_region_is_in_progress(owner: Any, consumer: Any) -> None:
    elsewhere, same_region = destination(region=OTHER_REGION), destination(accounts.STRANGER)
    configure(owner, rule(HERE, elsewhere, same_region))
    start(owner)
    code, message = refusal(owner.start_replication_backfill, destination=same_region)
    assert code == "ReplicationBackfillInProgressException"
    assert accounts.REGION in message
    start(owner, elsewhere)
    assert [one["destination"] for one in backfills(owner, PaginationConfig={"PageSize": 1})][:2] == [elsewhere, HERE]


def test_ten_backfills_of_a_registry_are_in_progress(owner: Any) -> None:
    regions = [destination(region=f"region-{number}") for number in range(11)]
    configure(owner, rule(*regions))
    for one in regions[:10]:
        start(owner, one)
    assert refusal(owner.start_replication_backfill, destination=regions[10])[0] == "LimitExceededException"


def test_destination_without_a_rule_is_refused(owner: Any) -> None:
    code, message = refusal(owner.start_replication_backfill, destination=HERE)
    assert (code, "'destination'" in message) == ("InvalidParameterException", True)


def test_images_that_the_destination_refuses_fail(lab: Lab, owner: Any) -> None:
    name = fill(lab, owner, "refused", 2)
    configure(owner, rule(HERE, prefix=name))
    identifier = start(owner)
    assert statuses(owner, identifier)[-1] == "COMPLETE"
    failed = results(owner, identifier, resultStatusFilter="FAILED")["results"]
    assert [one["failureCode"] for one in failed] == ["AccessDenied"] * 2
    assert results(owner, identifier, resultStatusFilter="COMPLETE")["results"] == []


def test_backfill_is_stopped(lab: Lab, owner: Any, consumer: Any) -> None:
    name = fill(lab, owner, "stopped", 3)
    configure(owner, rule(HERE, prefix=name))
    identifier = start(owner)
    assert results(owner, identifier)["status"] == "IN_PROGRESS"
    assert owner.stop_replication_backfill(replicationBackfillId=identifier)["status"] == "STOPPING"
    assert statuses(owner, identifier)[-1] == "STOPPED"
    assert refusal(consumer.describe_images, repositoryName=name)[0] == "RepositoryNotFoundException"
    again = refusal(owner.stop_replication_backfill, replicationBackfillId=identifier)
    assert again[0] == "ReplicationBackfillInvalidStatusException"


def test_unknown_backfill_is_named(owner: Any) -> None:
    unknown = "5d3f1c2e-7a40-4a58-9b0c-2f6b8e1d9c77"
    for call in (owner.stop_replication_backfill, owner.describe_replication_backfill_results):
        code, message = refusal(call, replicationBackfillId=unknown)
        assert (code, unknown in message) == ("ReplicationBackfillNotFoundException", True)


def test_calls_need_permission_in_the_identity_policy(lab: Lab) -> None:
    user = Account(lab).user("ecr", allow("ecr:Get*"))
    for call, options in (
        ("start_replication_backfill", {"destination": HERE}),
        ("list_replication_backfills", {}),
        ("stop_replication_backfill", {"replicationBackfillId": "5d3f1c2e-7a40-4a58-9b0c-2f6b8e1d9c77"}),
        ("describe_replication_backfill_results", {"replicationBackfillId": "5d3f1c2e-7a40-4a58-9b0c-2f6b8e1d9c77"}),
    ):
        action = "".join(word.capitalize() for word in call.split("_"))
        expected = f"because no identity-based policy allows the ecr:{action} action"
        assert denial(getattr(user, call), **options) == expected
