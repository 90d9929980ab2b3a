# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of ECR come in pages, as on AWS."""

from __future__ import annotations

from typing import Any

import botocore.client
import pytest

from tests.support.lab import Lab

from . import accounts
from .clients import refusal

MANY = 1101
#: botocore itself refuses what AWS would refuse.
UNCHECKED = botocore.client.Config(parameter_validation=False)


@pytest.fixture(scope="module")
def ecr(lab: Lab) -> Any:
    """The client of an account with many repositories."""
    client = lab.client("consumer-administrator", "ecr")
    for number in range(MANY):
        client.create_repository(repositoryName=f"many/{number}")
    return client


def pages(ecr: Any, **options: Any) -> list[list[str]]:
    """The names of the repositories of each page."""
    pages_ = []
    for page in ecr.get_paginator("describe_repositories").paginate(**options):
        pages_.append([repository["repositoryName"] for repository in page["repositories"]])
    return pages_


@pytest.mark.parametrize(
    ("options", "sizes"),
    [({}, [100] * 11 + [1]), ({"PaginationConfig": {"PageSize": 1000}}, [1000, 101])],
    ids=["default", "largest"],
)
def test_all_repositories_are_on_one_of_the_pages(ecr: Any, options: dict[str, Any], sizes: list[int]) -> None:
    pages_ = pages(ecr, **options)
    assert [len(page) for page in pages_] == sizes
    assert {name for page in pages_ for name in page} == {f"many/{number}" for number in range(MANY)}


def test_last_page_has_no_token(ecr: Any) -> None:
    first = ecr.describe_repositories(maxResults=1000)
    rest = ecr.describe_repositories(maxResults=101, nextToken=first["nextToken"])
    assert (len(rest["repositories"]), "nextToken" in rest) == (101, False)


@pytest.mark.parametrize("most", [0, 1001])
def test_size_of_a_page_is_limited(lab: Lab, most: int) -> None:
    unchecked = lab.session("consumer-administrator").client("ecr", config=UNCHECKED)
    code, sentence = refusal(unchecked.describe_repositories, maxResults=most)
    assert code == "InvalidParameterException"
    assert "'maxResults' failed to satisfy constraint" in sentence


def test_names_and_pages_exclude_each_other(lab: Lab, ecr: Any) -> None:
    code, _sentence = refusal(ecr.describe_repositories, repositoryNames=["many/1"], maxResults=10)
    assert code == "InvalidParameterException"
    names = [f"many/{number}" for number in range(100)]
    assert len(ecr.describe_repositories(repositoryNames=names)["repositories"]) == 100
    assert refusal(ecr.describe_repositories, nextToken="made up")[0] == "InvalidParameterException"
    assert lab.client("owner", "ecr").describe_repositories()["repositories"]


def test_images_come_in_pages(lab: Lab) -> None:
    ecr, named = lab.client("owner", "ecr"), {"repositoryName": "release"}
    reply = ecr.batch_get_image(**named, imageIds=[{"imageTag": accounts.IMAGE_TAG}])
    text = reply["images"][0]["imageManifest"]
    for number in range(2):
        ecr.put_image(**named, imageManifest=text + " " * (number + 1), imageTag=f"other-{number}")
    for method, member in (("describe_images", "imageDetails"), ("list_images", "imageIds")):
        pages_ = list(ecr.get_paginator(method).paginate(**named, PaginationConfig={"PageSize": 2}))
        assert [len(page[member]) for page in pages_] == [2, 1]
