# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry of an account, from the responses of ECR."""

from __future__ import annotations

import types
from typing import Any

import boto3
import botocore
import botocore.exceptions
import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_registry import Reads, _pages, _replication
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import ReplicationRule
from botocore.stub import Stubber

ACCOUNT, REGION = "222222222222", "us-east-1"
OLD = f"botocore {botocore.__version__} is too old for this request. Install a newer version"


@pytest.mark.parametrize(
    ("given", "deletes"),
    [({}, False), ({"deleteReplication": {"enabled": False}}, False), ({"deleteReplication": {"enabled": True}}, True)],
)
def test_replication_of_deletions_is_read(given: dict[str, Any], deletes: bool) -> None:
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
    ecr = boto3.client("ecr", region_name="eu-west-1", **keys)
    rule = {"destinations": [{"region": REGION, "registryId": ACCOUNT}], **given}
    with Stubber(ecr) as stubber:
        stubber.add_response("describe_registry", {"replicationConfiguration": {"rules": [rule]}})
        assert _replication(ecr) == (ReplicationRule(((ACCOUNT, REGION),), (), deletes),)


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
