# SPDX-License-Identifier: GPL-3.0-or-later
"""A request that botocore does not know is a fact that the audit could not read."""

from __future__ import annotations

import types

import botocore
import botocore.exceptions
import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_registry import Reads, _pages

OLD = f"botocore {botocore.__version__} is too old for this request. Install a newer version"


def test_a_request_that_an_old_botocore_does_not_have() -> None:
    reads = Reads()
    client = types.SimpleNamespace()
    assert (
        reads.read(lambda: _pages(client, "describe_new_things", "things"), "things", "template", "eu-west-1") is None
    )
    (unseen,) = reads.unseen
    assert (unseen.what, unseen.why, unseen.path, unseen.region) == ("things", OLD, "template", "eu-west-1")


def test_a_parameter_that_an_old_botocore_does_not_have() -> None:
    def call() -> None:
        raise botocore.exceptions.ParamValidationError(report="Unknown parameter")

    reads = Reads()
    assert reads.read(call, "images") is None
    assert [unseen.why for unseen in reads.unseen] == [OLD]


def test_another_error_is_not_hidden() -> None:
    def call() -> None:
        raise botocore.exceptions.ClientError({"Error": {"Code": "ServerException"}}, "DescribeRegistry")

    reads = Reads()
    with pytest.raises(botocore.exceptions.ClientError):
        reads.read(call, "replication rules")
    assert reads.unseen == []
