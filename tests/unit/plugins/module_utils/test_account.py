# SPDX-License-Identifier: GPL-3.0-or-later
"""The owner account as it is read."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _account
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from botocore.exceptions import ClientError

from tests.unit.aws_answers import SHARE, WAIT


@pytest.mark.parametrize("code", ["AccessDeniedException", "ServerException"])
def test_only_denial_leaves_other_repositories_unknown(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    def refuse(*_arguments: Any) -> Any:
        raise ClientError({"Error": {"Code": code, "Message": "No."}}, "DescribeRepositories")

    monkeypatch.setattr(_account, "discover", refuse)
    owner = Identity("aws", "111111111111")
    search = _account._Search("eu-west-1", None, None, (), frozenset(SHARE.items()), everything=False)
    if code == "ServerException":
        with pytest.raises(ClientError):
            _account._registry(owner, search, WAIT)
        return
    assert "No." in _account._registry(owner, search, WAIT).unknown


def test_tags_of_a_removed_region_may_be_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any) -> Any:
        raise ClientError({"Error": {"Code": "OptInRequired", "Message": "Not here."}}, "GetTagKeys")

    monkeypatch.setattr(_account, "discover", refuse)
    owner = Identity("aws", "111111111111")
    search = _account._Search("eu-west-1", None, None, (), frozenset(SHARE.items()), everything=False)
    assert "Not here." in _account._read_registry(owner, search, [], WAIT).unknown
