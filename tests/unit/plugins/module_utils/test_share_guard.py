# SPDX-License-Identifier: GPL-3.0-or-later
"""The tag guard of a declaration of shares."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import Share
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_guard import ShareGuard
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_guard_declaration import TagGuardDeclaration

from tests.unit.roles import declaration


def guard(state: str = "present", **chosen: Any) -> ShareGuard:
    given = {"guard": "deny", "guard_name": "guard", "principals": ["user/a"], "dest": "folder", "adopt": False}
    return ShareGuard.of({"state": state, "expired_only": False, "tag_guard": {**given, **chosen}})


def share(name: str, *regions: str, state: str = "present", **tags: Any) -> Share:
    role = declaration(name=name, state=state, repository_tags=tags)
    return Share(role, ("release",), {}, regions or ("eu-west-1",), False)


RELEASE = share("release", "eu-west-1", "eu-west-2", environment=["release", "hotfix"])
SHARES = [RELEASE, share("red", team="red"), share("old", "us-east-1", state="absent", cost="1")]
TAGS = {"environment": ["release", "hotfix"], "team": ["red"]}


def test_guard_has_the_tags_and_regions_of_all_present_shares() -> None:
    assert guard().declaration(SHARES) == TagGuardDeclaration(
        "guard", "deny", TAGS, ("user/a",), False, "folder", ("eu-west-1", "eu-west-2")
    )
    assert (guard().has_files, [*guard().problems(SHARES)]) == (True, [])


@pytest.mark.parametrize("chosen", [{"guard": "absent"}, {"state": "absent"}, {"state": "absent", "guard": "report"}])
def test_guard_ends_with_the_shares(chosen: Any) -> None:
    ending = guard(**chosen)
    for shares in (SHARES, SHARES[2:]):
        declared = ending.declaration(shares)
        assert declared is not None
        assert (declared.guard, ending.has_files, [*ending.problems(shares)]) == ("absent", False, [])


def test_without_a_guard_nothing_is_declared() -> None:
    missing = ShareGuard.of({"state": "present", "expired_only": False, "tag_guard": None})
    for none in (missing, guard(guard=None, principals=None)):
        assert (none.declaration(SHARES), none.has_files, [*none.problems(SHARES)]) == (None, False, [])
    assert [*guard(guard=None).problems(SHARES)] == [
        "principals is set, but guard is not, so nothing is denied to them. Set guard: deny."
    ]


def test_guard_stays_when_only_ended_shares_are_removed() -> None:
    given = {"guard": "deny", "guard_name": "guard", "principals": None, "dest": ".", "adopt": False}
    ended = ShareGuard.of({"state": "absent", "expired_only": True, "tag_guard": given})
    assert (ended.declaration(SHARES), ended.has_files, [*ended.problems(SHARES)]) == (None, False, [])


def test_guard_of_absent_shares_is_rejected() -> None:
    assert guard().declaration(SHARES[2:]) is None
    assert [*guard().problems(SHARES[2:])] == [
        "All shares are absent, so no tag shares a repository, and the tag guard has nothing to deny. Set guard:"
        " absent."
    ]
    assert [*guard().problems([])] == []  # the declaration without shares is already reported


def test_missing_tags_of_a_share_are_reported_once() -> None:
    assert (guard().declaration([share("a")]), [*guard().problems([share("a")])]) == (None, [])


@pytest.mark.parametrize("chosen", ["deny", "report", "absent"])
def test_guard_cannot_have_the_policy_of_a_share(chosen: str) -> None:
    assert [*guard(guard=chosen, guard_name="RED").problems(SHARES)] == [
        "RED is the policy of a share. Choose another guard_name."
    ]
