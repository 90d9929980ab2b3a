# SPDX-License-Identifier: GPL-3.0-or-later
"""The images that the consumer account pulls as the proof of a replication."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _replication_reads
from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import Destination
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import parse_reference
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_images import ListedImage
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_proof import (
    proof_image_problems,
    proof_selection_problems,
    pulls,
    subjects_of,
    with_referrers,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_rule import new_rule

PLACE, OTHER = (Destination("222222222222", region) for region in ("eu-west-1", "us-east-1"))
FIRST, SECOND, SIGNATURE = (f"sha256:{number:064}" for number in (1, 2, 3))
SOURCE = {
    "release": {
        FIRST: ListedImage(FIRST, ("v1", "latest"), "image", True),
        SECOND: ListedImage(SECOND, ("v2",), "image", False),
    }
}


def references(*texts: str) -> list[Any]:
    return [parse_reference(text) for text in texts]


@pytest.mark.parametrize(
    ("image", "problem"),
    [
        ("release:v1", ""),
        (f"release@{FIRST}", ""),
        (f"release:latest@{FIRST}", ""),
        ("release:v3", "images: image release:v3 does not exist in the owner account."),
        ("other:v1", "images: image other:v1 does not exist in the owner account."),
        (f"release:v1@{SECOND}", f"images: image release:v1@{SECOND} does not exist in the owner account."),
        (f"release@{SIGNATURE}", f"images: image release@{SIGNATURE} does not exist in the owner account."),
        ("release:v2", "images: image release:v2 is archived in the owner account, so it is not replicated"),
    ],
)
def test_image_is_an_active_one_of_the_owner(image: str, problem: str) -> None:
    problems = list(proof_image_problems(references(image), SOURCE))
    assert [one[: len(problem)] for one in problems] == ([problem] if problem else [])


def test_images_are_in_the_selection() -> None:
    rule = new_rule(["release"], [PLACE], False)
    assert list(proof_selection_problems(references("release:v1", "release-candidate:v1"), rule)) == []
    assert list(proof_selection_problems(references("develop:v1", "release:v1", "tools:v1"), rule)) == [
        "images: the replication does not select the repositories of develop:v1, tools:v1. Add their prefixes to"
        " prefixes, or remove the images."
    ]


def test_images_are_pulled_by_digest_from_each_destination() -> None:
    chosen = references("release:v1", "release:v3")
    expected = {"account": "222222222222", "images": [f"release:v1@{FIRST}"]}
    assert pulls(chosen, SOURCE, [PLACE, OTHER]) == [
        {**expected, "region": "eu-west-1"},
        {**expected, "region": "us-east-1"},
    ]
    assert pulls([], SOURCE, [PLACE]) == []


def test_referrers_are_added_to_the_images_of_their_repository() -> None:
    assert subjects_of(references("release:v1", f"release@{FIRST}", "other:v1"), SOURCE) == {"release": {FIRST}}
    referrer = ListedImage.of_referrer({"digest": SIGNATURE, "artifactStatus": "ARCHIVED"})
    known = ListedImage.of_referrer({"digest": FIRST})
    merged = with_referrers(SOURCE, [("release", referrer), ("release", known)])
    assert merged["release"] == {**SOURCE["release"], SIGNATURE: ListedImage(SIGNATURE, (), "referrer", False)}
    assert SIGNATURE not in SOURCE["release"]


class OldSdk:
    """A client of a version of botocore that has neither referrers nor archived images."""

    def __init__(self) -> None:
        shape = SimpleNamespace(members={"filter": SimpleNamespace(members={"tagStatus": None})})
        model = SimpleNamespace(operation_names=["DescribeImages"])
        model.operation_model = lambda _name: SimpleNamespace(input_shape=shape)
        self.meta = SimpleNamespace(service_model=model)

    def get_paginator(self, name: str) -> Any:
        reply = {
            "describe_repositories": {"repositories": [{"repositoryName": "release"}]},
            "describe_images": {"imageDetails": [{"imageDigest": FIRST}]},
        }[name]

        def paginate(**request: Any) -> list[dict[str, Any]]:
            assert "filter" not in request
            return [reply]

        return SimpleNamespace(paginate=paginate)


def test_old_botocore_is_named_and_still_compares() -> None:
    ecr = OldSdk()
    archived, referrers = _replication_reads.unread(ecr, ["release:v1"])
    assert "cannot request archived images" in archived
    assert "does not support ListImageReferrers" in referrers
    assert len(list(_replication_reads.unread(ecr, []))) == 1
    inventory = _replication_reads.read_inventory(ecr, lambda _name: True)
    assert list(inventory["release"]) == [FIRST]
    assert _replication_reads.add_referrers(ecr, inventory, {"release": {FIRST}}) is inventory
