# SPDX-License-Identifier: GPL-3.0-or-later
"""Statements of policies."""

from __future__ import annotations

import json
from typing import Any

ASSUME, TOKEN_CALL, DESCRIBE_CALL = "sts:AssumeRole", "ecr:GetAuthorizationToken", "ecr:DescribeImages"
MANIFEST_CALL, LAYER_CALL = "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"
Statement = dict[str, Any]


def allow(*actions: str, **terms: Any) -> Statement:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*", **terms}


def deny(*actions: str) -> Statement:
    return {"Effect": "Deny", "Action": list(actions), "Resource": "*"}


TOKEN, DESCRIBE, PULL = allow(TOKEN_CALL), allow(DESCRIBE_CALL), allow(MANIFEST_CALL, LAYER_CALL)
READ = (TOKEN, DESCRIBE, PULL)
EXTERNAL_ID = {"StringEquals": {"sts:ExternalId": "test"}}


def document(*statements: Statement) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
