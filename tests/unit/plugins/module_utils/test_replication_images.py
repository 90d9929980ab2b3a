# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparison of images with their copies, and its lines."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import Destination
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_acceptance import not_accepted_names
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_images import (
    ListedImage,
    compare_copies,
    count_states,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_report import (
    deletion_problems,
    end_lines,
    missing_problem,
    not_accepted,
    not_created,
    other_side_lines,
    preview_lines,
    table_lines,
)

OWNER, CONSUMER = "111111111111", "222222222222"
PLACE, OTHER = Destination(CONSUMER, "eu-west-1"), Destination(CONSUMER, "us-east-1")


def image(number: int, *image_tags: str, kind: str = "image", is_active: bool = True) -> ListedImage:
    return ListedImage(f"sha256:{number:064}", image_tags, kind, is_active)


def images(*listed: ListedImage) -> dict[str, ListedImage]:
    return {one.digest: one for one in listed}


SOURCE = {
    "release": images(
        image(1, "v1"),
        image(2, "v2", kind="index"),
        image(3, kind="referrer"),
        image(4, "old", is_active=False),
        image(5, "v5"),
    )
}
COPIES = {
    PLACE: {
        "release": images(image(1, "v1"), image(2, "v2", kind="index"), image(5, "v5", is_active=False), image(9, "x"))
    },
    OTHER: {},
}


def test_each_image_has_a_state_at_each_destination() -> None:
    rows = compare_copies(SOURCE, COPIES)
    states = {(row.destination.region, int(row.image.digest[7:])): row.state for row in rows}
    assert states == {
        ("eu-west-1", 1): "replicated",
        ("eu-west-1", 2): "replicated",
        ("eu-west-1", 3): "missing",
        ("eu-west-1", 4): "archived",
        ("eu-west-1", 5): "archived",
        ("eu-west-1", 9): "extra",
        ("us-east-1", 1): "missing",
        ("us-east-1", 2): "missing",
        ("us-east-1", 3): "missing",
        ("us-east-1", 4): "archived",
        ("us-east-1", 5): "missing",
    }
    assert count_states(rows) == {"replicated": 2, "missing": 5, "extra": 1, "archived": 3}


def test_rows_are_ordered_by_image_tags_of_the_original() -> None:
    source = {"b": images(image(1, "v2"), image(2)), "a": images(image(3, "v1"))}
    copies = {PLACE: {"b": images(image(1, "old"), image(4, "v1"), image(5, "v3"))}}
    rows = compare_copies(source, copies)
    assert [(row.repository, row.image.image_tags) for row in rows] == [
        ("a", ("v1",)),
        ("b", ("v1",)),
        ("b", ("v2",)),
        ("b", ("v3",)),
        ("b", ()),
    ]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ({}, ("image", True)),
        ({"imageStatus": "ARCHIVED"}, ("image", False)),
        ({"imageManifestMediaType": "application/vnd.oci.image.index.v1+json"}, ("index", True)),
        ({"subjectManifestDigest": "sha256:1", "imageStatus": "ACTIVE"}, ("referrer", True)),
    ],
)
def test_kind_of_an_image_in_a_response(reply: dict[str, Any], expected: tuple[str, bool]) -> None:
    found = ListedImage.of({"imageDigest": "sha256:2", "imageTags": ["b", "a"], **reply})
    assert (found.kind, found.is_active, found.image_tags) == (*expected, ("a", "b"))


def test_preview_names_what_appears_and_what_may_be_deleted() -> None:
    rows = compare_copies(SOURCE, COPIES)
    lines = list(preview_lines(SOURCE, rows, [PLACE], True))
    assert lines[:2] == [
        "The selection has 5 images in release.",
        "+ account 222222222222 in eu-west-1: 1 image can appear, in release.",
    ]
    assert lines[2] == (
        "  account 222222222222 in eu-west-1: 1 archived image does not appear. ECR does not replicate archived images."
    )
    assert lines[3].endswith("deletes the copy there. This affects 3 images now.")
    assert len(list(preview_lines(SOURCE, rows, [PLACE], False))) == 3
    (_selection, unread, deleted) = preview_lines(SOURCE, [], [PLACE], True)
    assert deleted.endswith("deletes the copy there. This affects 4 images now.")
    assert unread.startswith("+ account 222222222222 in eu-west-1: the images there are not read.")
    assert next(preview_lines({}, [], [PLACE], False)) == "The selection has 0 images in no repository yet."


def test_preview_names_only_repositories_whose_images_appear() -> None:
    source = {"release": images(image(1, "v1")), "tools": images(image(2, "v2"))}
    rows = compare_copies(source, {PLACE: {"tools": source["tools"]}, OTHER: source})
    places = ["account 222222222222 in eu-west-1", "account 222222222222 in us-east-1"]
    assert list(preview_lines(source, rows, [PLACE, OTHER], False)) == [
        "The selection has 2 images in release, tools.",
        f"+ {places[0]}: 1 image can appear, in release.",
        f"+ {places[1]}: 0 images can appear.",
    ]


def test_end_names_the_copies_that_stay() -> None:
    (line,) = end_lines(compare_copies(SOURCE, COPIES), [PLACE])
    assert line == "- account 222222222222 in eu-west-1: no new images appear. 5 copies of the selection stay there."


def test_table_has_one_line_for_each_image() -> None:
    lines = list(table_lines(compare_copies(SOURCE, COPIES)))
    assert lines[0].split() == ["state", "repository", "image", "tags", "digest", "kind", "destination", "status"]
    assert len(lines) == 1 + 11 + 2
    assert lines[-2] == "2 replicated, 5 missing, 1 extra, 3 archived."
    assert lines[-1].startswith("ECR neither replicates an archived image nor returns it in a pull.")
    ends = [line.split("  ")[-1] for line in lines if line.startswith("archived")]
    assert sorted(ends) == ["the copy is archived", "the original is archived", "the original is archived"]
    assert list(table_lines([])) == []


def test_long_table_has_no_replicated_images_without_verbosity() -> None:
    many = {"release": images(*(image(number, str(number)) for number in range(30)))}
    rows = compare_copies(many, {PLACE: many})
    assert list(table_lines(rows)) == ["30 replicated, 0 missing, 0 extra, 0 archived."]
    assert len(list(table_lines(rows, every_row=True))) == 32
    assert len(list(table_lines(rows[:20]))) == 22
    assert len(list(table_lines(rows[:21]))) == 1


def test_row_has_the_image_tags_or_a_dash() -> None:
    source = {"release": images(image(1, "v1", "latest"), image(2))}
    _header, tagged, untagged, _counts = table_lines(compare_copies(source, {PLACE: source}))
    place = [f"sha256:{'0' * 12}", "image", CONSUMER, "eu-west-1", "-"]
    assert tagged.split() == ["replicated", "release", "v1,", "latest", *place]
    assert untagged.split() == ["replicated", "release", "-", *place]


def test_messages_about_missing_images_and_deletions() -> None:
    rows = compare_copies(SOURCE, COPIES)
    missing = [row for row in rows if row.state == "missing"][:1]
    assert missing_problem(missing, 5).startswith(
        "After 5 seconds, 1 image is not replicated: release@sha256:000000000000 in account 222222222222 in eu-west-1"
        " (no status). Images"
    )
    assert missing_problem(missing * 2, 5).startswith("After 5 seconds, 2 images are not replicated: ")
    (problem,) = deletion_problems(rows)
    assert "release:old" not in problem  # archived
    assert "release:x" not in problem  # not of the owner account
    assert "release:v1, release:v2" in problem
    (problem,) = deletion_problems([])
    assert "This affects these images: none now." in problem
    message = not_accepted(PLACE, OWNER, ("ecr:A", "ecr:B"), ["release"])
    assert "its policy does not allow ecr:A and ecr:B for release. Run" in message
    assert not_created(PLACE, ["a", "b"]).startswith(
        "account 222222222222 in eu-west-1 lacks a, b, and create_repositories"
    )
    assert [len(list(other_side_lines(side, OWNER, CONSUMER))) for side in ("both", "owner", "consumer")] == [0, 1, 1]


SOURCE_ID, REGISTRY = Identity("aws", OWNER), Identity("aws", CONSUMER)
ALLOW = {
    "Effect": "Allow",
    "Principal": {"AWS": SOURCE_ID.root},
    "Action": ["ecr:CreateRepository", "ecr:ReplicateImage"],
    "Resource": REGISTRY.repository("eu-west-1", "rel*"),
}


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({}, ["develop"]),
        ({"Principal": "*", "Action": "ecr:*", "Resource": "*"}, []),
        ({"Principal": {"AWS": [OWNER]}}, ["develop"]),
        ({"Principal": {"AWS": CONSUMER}}, ["develop", "release"]),
        ({"Action": "ecr:ReplicateImage"}, ["develop", "release"]),
        ({"Effect": "Deny"}, ["develop", "release"]),
        ({"Resource": REGISTRY.repository("us-east-1", "*")}, ["develop", "release"]),
    ],
)
def test_policy_that_does_not_accept_a_repository(changed: dict[str, Any], refused: list[str]) -> None:
    policy = {"Statement": [{**ALLOW, **changed}]}
    names = ["develop", "release"]
    assert not_accepted_names(policy, SOURCE_ID, REGISTRY, "eu-west-1", names, ALLOW["Action"]) == refused
    assert not_accepted_names(None, SOURCE_ID, REGISTRY, "eu-west-1", names, ALLOW["Action"]) == names


def test_statement_without_creation_accepts_existing_ones() -> None:
    policy = {"Statement": [{**ALLOW, "Action": "ecr:ReplicateImage"}]}
    assert not_accepted_names(policy, SOURCE_ID, REGISTRY, "eu-west-1", ["release"], ["ecr:ReplicateImage"]) == []


def test_row_of_a_result_has_the_image_and_its_place() -> None:
    (row,) = compare_copies({"release": images(image(1, "v1", is_active=False))}, {PLACE: {}})
    assert row.result() == {
        "account": CONSUMER,
        "region": "eu-west-1",
        "repository": "release",
        "digest": f"sha256:{1:064}",
        "image_tags": ["v1"],
        "kind": "image",
        "state": "archived",
        "status": "the original is archived",
    }
