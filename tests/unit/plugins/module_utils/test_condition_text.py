# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts for the conditions of a statement, and for their changes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._condition import read_condition
from ansible_collections.crossaccount.ecr.plugins.module_utils._condition_text import (
    action_changes,
    condition_changes,
    requirement_texts,
)

A, B = {"StringEquals": {"sts:ExternalId": "a"}}, {"StringEquals": {"sts:ExternalId": "b"}}
IP, TIME, MFA = "aws:SourceIp", "aws:CurrentTime", "aws:MultiFactorAuthPresent"
BEFORE, OTHER_END = {"DateLessThan": {TIME: "2027"}}, {"DateLessThan": {TIME: "2028"}}


def in_unit(*patterns: str) -> dict[str, Any]:
    return {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": list(patterns)}}


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (A, ["external ID"]),
        ({"StringLike": {"sts:ExternalId": "a*"}}, ["StringLike sts:ExternalId an external ID"]),
        ({"Null": {"sts:ExternalId": "false"}}, ["Null sts:ExternalId false"]),
        ({"StringEquals": {"aws:PrincipalOrgID": ["o-a", "o-b"]}}, ["organization o-a or o-b"]),
        (
            {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": ["o-a/r-b/ou-c/*", "o-a/r-b/ou-d/*"]}},
            ["unit o-a/r-b/ou-c or o-a/r-b/ou-d"],
        ),
        (
            {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": ["o-a/r-b/ou-c/*", "o-a/*/ou-d/*"]}},
            ["ForAnyValue:StringLike aws:PrincipalOrgPaths o-a/r-b/ou-c/* or o-a/*/ou-d/*"],
        ),
        (
            {"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-a/r-b/*"}},
            ["ForAllValues:StringLike aws:PrincipalOrgPaths o-a/r-b/*"],
        ),
        ({"Bool": {MFA: "True"}}, ["MFA"]),
        ({"Bool": {MFA: "false"}}, [f"Bool {MFA} false"]),
        ({"BoolIfExists": {MFA: "true"}}, [f"BoolIfExists {MFA} true"]),
        (
            {"Bool": {MFA: ["true", "false"]}},
            [f"Bool {MFA} true or false"],
        ),
        ({"IpAddress": {IP: ["10.0.0.0/8", "::1"]}}, [f"IpAddress {IP} 10.0.0.0/8 or ::1"]),
        ({"StringEqualsIfExists": {"sts:ExternalId": "a"}}, ["StringEqualsIfExists sts:ExternalId an external ID"]),
        (
            {"ForAnyValue:StringEquals": {"aws:PrincipalOrgID": "o-a"}},
            ["ForAnyValue:StringEquals aws:PrincipalOrgID o-a"],
        ),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-a/*"}}, ["organization o-a/*"]),
        (in_unit("o-a/r-b/ou-c"), ["ForAnyValue:StringLike aws:PrincipalOrgPaths o-a/r-b/ou-c"]),
        (in_unit("o-a/r-b/ou-*/*"), ["ForAnyValue:StringLike aws:PrincipalOrgPaths o-a/r-b/ou-*/*"]),
        (in_unit("o-a/r-?/*"), ["ForAnyValue:StringLike aws:PrincipalOrgPaths o-a/r-?/*"]),
        (in_unit("${x}/*"), ["ForAnyValue:StringLike aws:PrincipalOrgPaths ${x}/*"]),
        (BEFORE, ["until 2027"]),
        ({"DateLessThanIfExists": {TIME: "2027"}}, [f"DateLessThanIfExists {TIME} 2027"]),
        ({"DateLessThan": {"aws:TokenIssueTime": "2027"}}, ["DateLessThan aws:TokenIssueTime 2027"]),
        ({"StringEquals": {"ecr:ResourceTag/team": ["a", "b"]}}, ["tag team=a or b"]),
        ({"stringequals": {"AWS:ResourceTag/a/b": "c"}}, ["tag a/b=c"]),
        ({"StringLike": {"ecr:ResourceTag/team": "a*"}}, ["StringLike ecr:ResourceTag/team a*"]),
        ({"StringEquals": {"aws:PrincipalTag/team": "a"}}, ["StringEquals aws:PrincipalTag/team a"]),
        ({**A, **BEFORE}, ["external ID", "until 2027"]),
    ],
)
def test_conditions_in_words(condition: dict[str, Any], words: list[str]) -> None:
    assert list(requirement_texts(read_condition(condition))) == words


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ({}, {}, []),
        (A, A, []),
        (A, {"stringequals": {"STS:ExternalID": ["a"]}}, []),
        (A, B, ["external ID changes"]),
        (A, {"StringLike": {"sts:ExternalId": "*"}}, ["must now meet StringLike sts:ExternalId an external ID"]),
        ({}, {"IpAddress": {IP: "10.0.0.0/8"}}, ["may now come only from 10.0.0.0/8"]),
        ({"IpAddress": {IP: "10.0.0.0/8"}}, {"IpAddress": {IP: "::1"}}, ["may now come from other addresses: ::1"]),
        ({"NotIpAddress": {IP: "::1"}}, {}, [f"no longer has to meet NotIpAddress {IP} ::1"]),
        ({}, {"DateLessThan": {TIME: "2027"}}, ["access now ends on 2027"]),
        ({}, {"DateGreaterThan": {TIME: "2027"}}, ["is now limited in time"]),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-a"}}, {}, ["may now belong to any organization"]),
        ({}, in_unit("o-a/r-b/ou-c/*"), ["must now belong to unit o-a/r-b/ou-c"]),
        (in_unit("o-a/r-b/ou-c/*"), in_unit("o-a/r-b/ou-d/*"), ["must now belong to unit o-a/r-b/ou-d"]),
        (in_unit("o-a/r-b/ou-c/*"), {}, ["may now belong to any unit"]),
        (
            in_unit("o-a/r-b/ou-c"),
            in_unit("o-a/r-b/ou-c/*"),
            ["must now meet ForAnyValue:StringLike aws:PrincipalOrgPaths o-a/r-b/ou-c"],
        ),
        ({"Bool": {MFA: "true"}}, {}, ["no longer needs MFA"]),
        ({"Bool": {"k": "true"}}, {"Bool": {"k": "True"}}, []),
        ({"StringEquals": {"k": "a"}}, {"StringEquals": {"k": "A"}}, ["must now meet StringEquals k A"]),
        ({"StringEquals": {"k": ["a", "b"]}}, {"StringEquals": {"k": ["b", "a"]}}, []),
        ({}, A, ["must now present an external ID"]),
        (A, {}, ["no longer needs an external ID"]),
        ({"Null": {"sts:ExternalId": "true"}}, {}, ["no longer has to meet Null sts:ExternalId true"]),
        ({}, {"Bool": {MFA: "true"}}, ["now needs MFA"]),
        ({"IpAddress": {IP: "::1"}}, {}, ["may now come from any address"]),
        (
            {},
            {"IpAddress": {IP: "10.0.0.0/8"}, "NotIpAddress": {IP: "10.1.0.0/16"}},
            [f"must now meet IpAddress {IP} 10.0.0.0/8, NotIpAddress {IP} 10.1.0.0/16"],
        ),
        ({"DateGreaterThan": {TIME: "2027"}}, {}, ["is no longer limited in time"]),
        (BEFORE, {"DateGreaterThan": {TIME: "2027"}}, ["is now limited to another time"]),
        (BEFORE, {"NumericLessThan": {TIME: "2027"}}, [f"must now meet NumericLessThan {TIME} 2027"]),
        (BEFORE, OTHER_END, ["access now ends on 2028, not on 2027"]),
        (BEFORE, {}, ["access no longer ends on 2027"]),
        (A, {"Bool": {"k": "true"}}, ["no longer needs an external ID", "must now meet Bool k true"]),
    ],
)
def test_changes_in_words(old: dict[str, Any], new: dict[str, Any], words: list[str]) -> None:
    assert list(condition_changes(read_condition(old), read_condition(new))) == words


def test_actions_that_are_gained_and_lost() -> None:
    assert action_changes(["pull", "push"], ["pull", "tag"]) == ("may now use tag", "may no longer use push")
    assert action_changes(["pull"], ["pull"]) == ()
