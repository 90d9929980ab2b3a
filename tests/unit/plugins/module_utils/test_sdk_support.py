# SPDX-License-Identifier: GPL-3.0-or-later
"""The message of a botocore that is too old for a request."""

from __future__ import annotations

import types
from typing import Any

import botocore
import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._sdk_support import require_operation
from botocore.model import ServiceModel

DESCRIPTION = {
    "metadata": {"protocol": "json", "serviceId": "ECR"},
    "operations": {"UpdateTemplate": {"name": "UpdateTemplate", "input": {"shape": "Request"}, "http": {}}},
    "shapes": {
        "Request": {"type": "structure", "members": {"prefix": {"shape": "Text"}}},
        "Text": {"type": "string"},
    },
}
OLD = f"botocore {botocore.__version__} does not support"


#: A boto3 client with the model of an old botocore.
OLD_CLIENT: Any = types.SimpleNamespace(meta=types.SimpleNamespace(service_model=ServiceModel(DESCRIPTION, "ecr")))


def message(operation: str, *members: str, workaround: str = "") -> str:
    with pytest.raises(EcrError) as caught:
        require_operation(OLD_CLIENT, operation, members, workaround)
    return str(caught.value)


def test_request_that_is_supported() -> None:
    require_operation(OLD_CLIENT, "UpdateTemplate", ["prefix"])


def test_operation_that_is_not_supported() -> None:
    text = message("StartReplicationBackfill", "destination", workaround=" Or copy the images.")
    assert text == (
        f"{OLD} StartReplicationBackfill. Install a newer version of botocore and boto3. Or copy the images."
    )


def test_parameters_that_are_not_supported() -> None:
    text = message("UpdateTemplate", "prefix", "appliedFor", "filters")
    assert text.startswith(f"{OLD} appliedFor of UpdateTemplate, filters of UpdateTemplate. Install")
