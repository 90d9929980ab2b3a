# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing an image: only a share that has not reached the registry is retried."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _pull
from ansible_collections.crossaccount.ecr.plugins.module_utils._denial import CALLER, ROLE, read_denial
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import parse_reference
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import capture_result
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull import fetch_with_retry, pull_is_final, resolve
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WaitOptions
from botocore.exceptions import ClientError

WAIT = WaitOptions(True, 60, 0)
DENIED = "docker could not pull it: denied: User: x is not authorized to perform: ecr:BatchGetImage on resource: y"
LATE, LASTING = " because no identity-based policy allows it", " with an explicit deny in an identity-based policy"


def bringing(*outcomes: str | bool) -> tuple[Any, list[str | bool]]:
    """A function that fails with each text and ends with the first other value, and the remaining outcomes."""
    left = list(outcomes)

    def bring() -> bool:
        outcome = left.pop(0)
        if isinstance(outcome, str):
            raise EcrError(outcome)
        return outcome

    return bring, left


@pytest.mark.parametrize("changed", [True, False])
def test_a_denial_that_may_be_an_old_answer_is_tried_again(changed: bool) -> None:
    bring, left = bringing(DENIED + LATE, DENIED + LATE, changed)
    assert fetch_with_retry(bring, WAIT) is changed
    assert not left


@pytest.mark.parametrize(
    ("message", "options", "kind"),
    [
        (DENIED + LASTING, WAIT, "explicit_deny"),
        (DENIED + LATE, replace(WAIT, wait=False), "no_identity_policy"),
        (DENIED + LATE, replace(WAIT, shared_at="2020-01-01T00:00:00Z"), "no_identity_policy"),
        ("The layer broke off.", WAIT, None),
    ],
)
def test_permanent_errors_are_not_retried(message: str, options: WaitOptions, kind: str | None) -> None:
    bring, left = bringing(message, True)
    with pytest.raises(EcrError) as raised:
        fetch_with_retry(bring, options)
    advice = f". {read_denial(message, ROLE).advice(ROLE)}" if kind else ""
    assert (str(raised.value), raised.value.facts.get("denial_kind")) == (f"{message}{advice}", kind)
    assert left == [True]


BARE = "docker could not pull it: unexpected status from HEAD request to https://h/v2/app/manifests/v1: 403 Forbidden"
BUSY = "podman could not pull it: toomanyrequests: Rate exceeded"


@pytest.mark.parametrize(
    ("text", "options", "attempts"),
    [
        (BARE, WAIT, 3),
        (BARE, replace(WAIT, shared_at="2020-01-01T00:00:00Z"), 1),
        (BUSY, WAIT, 3),
        (BUSY, replace(WAIT, shared_at="2020-01-01T00:00:00Z"), 3),  # which has nothing to do with the share
        (BUSY, replace(WAIT, wait=False), 1),
    ],
)
def test_engine_error_without_the_sentence_of_aws_is_repeated(text: str, options: WaitOptions, attempts: int) -> None:
    bring, left = bringing(text, text, True)
    if attempts == 3:
        assert fetch_with_retry(bring, options)
        return
    with pytest.raises(EcrError) as raised:
        fetch_with_retry(bring, options)
    assert str(raised.value).startswith(f"{text}. ")
    assert raised.value.facts["denial_kind"] == ("unknown" if text == BARE else "throttled")
    assert len(left) == 2


class Registry:
    """A registry in which each image has an outcome: its digest, or a code and a message of AWS."""

    def __init__(self, **images: str | tuple[str, str]) -> None:
        self.images = images

    def batch_get_image(self, **request: Any) -> dict[str, Any]:
        outcome = self.images[request["repositoryName"]]
        if isinstance(outcome, tuple):
            raise ClientError({"Error": {"Code": outcome[0], "Message": outcome[1]}}, "BatchGetImage")
        if not outcome:
            return {"images": [], "failures": [{"failureCode": "ImageNotFound"}]}
        return {"images": [{"imageId": {"imageDigest": outcome}, "imageManifest": "{}"}]}


NOT_FOUND = ("RepositoryNotFoundException", "The repository with name 'gone' does not exist")
REGISTRY = Registry(
    here="sha256:1",
    empty="",
    gone=NOT_FOUND,
    upstream=("UnableToGetUpstreamImageException", "unable to be pulled"),
    refused=("AccessDeniedException", "x is not authorized to perform: y because no identity-based policy allows it"),
    broken=("InternalFailure", "try again"),
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gone", ""),
        ("empty", ""),
        ("upstream", ""),
        ("refused", ""),
        ("here", "Image here:v1 can be pulled, although denied lists it."),
        ("broken", "Whether image broken:v1 can be pulled is unknown: Image broken:v1"),
    ],
)
@pytest.mark.parametrize("called", [ROLE, CALLER])
def test_only_a_missing_or_denied_image_is_not_available(name: str, expected: str, called: str) -> None:
    problems = [*_pull._available(REGISTRY, [parse_reference(f"{name}:v1")], called), ""]
    assert problems[0].startswith(expected)
    assert len(problems) == (2 if expected else 1)


def resolved(name: str, called: str) -> dict[str, Any]:
    return {"digests": resolve(REGISTRY, [parse_reference(f"{name}:v1")], called)}


@pytest.mark.parametrize("name", ["gone", "empty", "upstream"])
def test_missing_image_of_a_cache_is_requested_again(name: str) -> None:
    """A cache is ready only after some seconds. A missing image of the owner account stays missing."""
    for called, is_final, part in ((CALLER, False, "ECR could not copy the image"), (ROLE, True, "owner account")):
        result = capture_result(functools.partial(resolved, name, called))
        assert (pull_is_final(result), result["failed"]) == (is_final, True), result
        assert part in result["msg"] or name == "empty"
