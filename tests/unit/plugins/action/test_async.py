# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions with the credentials of the control node reject `async`, which runs a module on the host."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.action import ecr_access_info, ecr_image_pull

ROLE = {"role_arn": "arn:aws:iam::111111111111:role/pull", "region": "eu-west-1", "credentials": "control_node"}


@pytest.mark.parametrize(("action", "options"), [(ecr_access_info, {}), (ecr_image_pull, {"images": ["release:v1.0"]})])
def test_credentials_of_the_control_node_reject_async(action: Any, options: dict[str, Any]) -> None:
    task = SimpleNamespace(args={**ROLE, **options}, async_val=60, check_mode=False, no_log=False)
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None), transport="ssh")
    plugin = action.ActionModule(task, connection, SimpleNamespace(), None, None, None)
    result = plugin.run(None, {"inventory_hostname": "web1"})
    assert result["failed"]
    assert result["msg"].startswith("credentials: control_node does not support async.")
