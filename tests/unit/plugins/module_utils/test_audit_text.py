# SPDX-License-Identifier: GPL-3.0-or-later
"""The principals, the access paths and the pulls of a report of an audit, as texts."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_text import (
    path_text,
    principal_text,
    pull_lines,
)

from tests.unit.audits import CONSUMER, ROLE, path, row

NOW = datetime.datetime(2026, 11, 27, tzinfo=datetime.timezone.utc)


@pytest.mark.parametrize(
    ("principal", "kind", "account", "text"),
    [
        (f"arn:aws:iam::{CONSUMER}:root", "account", CONSUMER, CONSUMER),
        (CONSUMER, "account", CONSUMER, CONSUMER),
        (f"arn:aws:iam::{CONSUMER}:user/a:b", "principal", CONSUMER, f"{CONSUMER} b"),
        (f"arn:aws:iam::{CONSUMER}:user/team/puller", "principal", CONSUMER, f"{CONSUMER} user/team/puller"),
        ("arn:aws:iam::*:role/ci", "principal", "", "arn:aws:iam::*:role/ci"),
        ("o-abcdefghij", "organization", None, "o-abcdefghij"),
        ("lambda.amazonaws.com", "service", "", "lambda.amazonaws.com"),
        ("*", "everyone", "", "everyone"),
    ],
)
def test_principals(principal: str, kind: str, account: str | None, text: str) -> None:
    assert principal_text(row(principal=principal, principal_kind=kind, principal_account=account)) == text


@pytest.mark.parametrize(
    ("used", "text"),
    [
        (path(), "role allow_ecr_release, statement ReadImages"),
        (path(statement=""), "role allow_ecr_release"),
        (path(role="", document="a policy"), "a policy, statement ReadImages"),
        (path("repository_policy", "X"), "the repository policy, statement X"),
        (path("registry_policy", "X"), "the registry policy, statement X"),
        (path("replication", "", document="rule 1"), "rule 1"),
        # A template with the role of a share is still a template.
        ({**path("creation_template", "1", document="template a"), "role": ROLE}, "template a, statement 1"),
        ({"path": "role", "document": "a policy"}, "a policy"),
    ],
)
def test_access_paths(used: dict[str, Any], text: str) -> None:
    assert path_text(used) == text


def lines(*rows: dict[str, Any], **options: Any) -> list[str]:
    return pull_lines([(one, used) for one in rows for used in one["paths"]], "can pull", "may pull", **options)


def test_repositories_of_one_path_are_one_line() -> None:
    used = path("registry_policy", "X")
    assert lines(row(used, repository="b"), row(used, repository="a"), row(used, repository="b")) == [
        f"{CONSUMER} can pull a, b through the registry policy, statement X"
    ]


def test_unknown_access_is_a_line_of_its_own() -> None:
    used = path("registry_policy", "X")
    rows = [row(used), row(used, repository="develop", pull="unknown"), row(used, pull="unknown", reasons={})]
    assert lines(*rows) == [
        f"{CONSUMER} can pull release through the registry policy, statement X",
        f"{CONSUMER} may pull release through the registry policy, statement X (unknown: )",
        f"{CONSUMER} may pull develop through the registry policy, statement X (unknown: the role cannot be read)",
    ]


def test_names_have_their_regions_if_there_are_several() -> None:
    used = path("registry_policy", "X")
    (line,) = lines(row(used), row(used, region="us-east-1"), several=True)
    assert "can pull release in eu-west-1, release in us-east-1 through" in line
    (line,) = lines(row(used), row(used, region="us-east-1"))
    assert "can pull release through" in line


@pytest.mark.parametrize(("every_name", "is_shown"), [(None, False), (False, False), (True, True)])
def test_a_long_list_is_shortened_unless_all_are_wanted(every_name: bool | None, is_shown: bool) -> None:
    rows = [row(path(), repository=f"r{number:02}") for number in range(12)]
    (line,) = lines(*rows, **({} if every_name is None else {"every_name": every_name}))
    assert ("r11" in line) is is_shown


def test_end_of_access_is_stated_at_the_time_of_the_report() -> None:
    ending = row(path(until="2026-12-24T00:00:00Z"))
    (line,) = lines(ending, now=NOW)
    assert line.endswith("statement ReadImages; access ends on 2026-12-24T00:00:00Z (in 27 days)")
    for without in (lines(ending), lines(row(path(until=None)), now=NOW), lines(row(path()), now=NOW)):
        assert without == [f"{CONSUMER} can pull release through role allow_ecr_release, statement ReadImages"]
