# SPDX-License-Identifier: GPL-3.0-or-later
"""The message about an error that no code expects."""

from __future__ import annotations

import json

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _destination, _identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._unexpected_error import explain_unexpected

REST = (
    ". If a proxy or endpoint_url is set, check that the response comes from AWS. Otherwise, report this message as a"
    " bug of crossaccount.ecr."
)


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "fact"),
    [
        (ValueError("no \n\t such value."), "ValueError: no such value"),
        (ValueError(), "ValueError"),
        (KeyError("tags"), "KeyError: 'tags'"),
        (UnprintableError(), "UnprintableError"),
    ],
)
def test_the_message_has_the_class_and_the_text(error: Exception, fact: str) -> None:
    assert explain_unexpected(error) == f"Unexpected error: {fact}{REST}"


def test_message_names_the_innermost_function_of_ours() -> None:
    with pytest.raises(TypeError) as caught:
        _identity.arn_of(5)  # type: ignore[arg-type]
    place = f"split_arn (_identity.py, line {caught.traceback[-1].lineno + 1})"
    assert explain_unexpected(caught.value).startswith(f"Unexpected error in {place}: TypeError: expected string")


def test_a_function_that_the_collection_calls_is_not_named() -> None:
    with pytest.raises(ValueError, match="Expecting value") as caught:
        _destination.expand_destination("/srv", json.loads)
    assert explain_unexpected(caught.value).startswith("Unexpected error in expand_destination (_destination.py, line ")


def test_a_place_outside_the_collection_is_not_named() -> None:
    with pytest.raises(ValueError, match="Expecting value") as caught:
        json.loads("/srv")
    # ansible-test runs this file as a part of the collection, so its own frame is removed.
    traceback = caught.value.__traceback__
    assert traceback is not None
    error = caught.value.with_traceback(traceback.tb_next)
    assert explain_unexpected(error).startswith("Unexpected error: JSONDecodeError: Expecting value")
