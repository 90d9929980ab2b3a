# SPDX-License-Identifier: GPL-3.0-or-later
"""Repositories found by name, pattern and tag."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _tag_discovery
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_declaration import TagDeclaration
from botocore.stub import Stubber

from tests.unit.aws_answers import ARN, SHARE, WAIT, stubbed_client


@pytest.fixture
def client() -> Any:
    return stubbed_client("resourcegroupstaggingapi")


@pytest.mark.parametrize("operation", ["get_tag_keys", "get_resources"])
@pytest.mark.parametrize("answer", ["AccessDeniedException", "InvalidParameterException", "nothing"])
def test_ecr_lists_all_if_the_tagging_api_cannot(client: Any, answer: str, operation: str) -> None:
    class Repositories:
        def get_paginator(self, operation: str) -> Any:
            assert operation == "describe_repositories"
            return self

        def paginate(self, **options: Any) -> Any:
            return [{"repositories": [{"repositoryName": "aa"}]}, {"repositories": [{"repositoryName": "bb"}]}]

    with Stubber(client) as stub:
        if answer == "nothing" or operation == "get_resources":
            stub.add_response("get_tag_keys", {"PaginationToken": "", "TagKeys": []})
        if answer == "nothing":
            stub.add_response("get_resources", {"PaginationToken": "", "ResourceTagMappingList": []})
        else:
            stub.add_client_error(operation, answer)
        assert _tag_discovery.discover(client, Repositories(), [("share", "yes")]) == (["aa", "bb"], False)


class Session:
    """The session that knows only the tagging API."""

    def client(self, service: str) -> None:
        assert service == "resourcegroupstaggingapi"


def session() -> Any:
    return Session()


@pytest.mark.parametrize(
    ("reads", "found", "asked"),
    [
        ([{}, {"Share": "yes"}], {"Share": "yes"}, 2),  # an old answer first
        ([{}, {}, {}, {"share": "yes"}], {}, 3),  # three agree: the other API is behind
        ([{"share": "yes"}], {"share": "yes"}, 1),
        ([None], None, 1),  # gone
    ],
)
def test_tag_missing_in_ecr_is_read_again(
    monkeypatch: pytest.MonkeyPatch, reads: list[Any], found: dict[str, str] | None, asked: int
) -> None:
    answers = iter(reads)
    monkeypatch.setattr(_tag_discovery, "discover", lambda *_arguments: (["release"], True))
    monkeypatch.setattr(_tag_discovery, "tags_or_none", lambda *_arguments: next(answers))
    names = _tag_discovery.declared_names(session(), None, TagDeclaration((), SHARE, False, ()))
    tags = _tag_discovery.tags_of_each(
        None, ARN, names.selected, names.tagged, SHARE.items(), replace(WAIT, wait=False)
    )
    assert tags == {"release": found}
    assert len(reads) - len(list(answers)) == asked


def test_only_patterns_need_the_names_of_all_repositories() -> None:
    exact = TagDeclaration(("release", "base"), SHARE)
    assert _tag_discovery.declared_names(session(), None, exact) == (["release", "base"], None, frozenset())


@pytest.mark.parametrize("has_tags", [True, False])
def test_all_except_selects_the_others(monkeypatch: pytest.MonkeyPatch, has_tags: bool) -> None:
    monkeypatch.setattr(_tag_discovery, "discover", lambda *_arguments: (["base", "release", "tools/a"], has_tags))
    names = _tag_discovery.declared_names(session(), None, TagDeclaration((), SHARE, False, ("release", "tools/*")))
    assert names == (["base"], None, frozenset(["base"] if has_tags else []))
