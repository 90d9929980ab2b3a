# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry of an account, from the responses of ECR."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_registry import _replication
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import ReplicationRule
from botocore.stub import Stubber

ACCOUNT, REGION = "222222222222", "us-east-1"


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
