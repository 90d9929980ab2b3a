# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that declare shares."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import Reference
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import DeclaredHandoff, Share
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_declaration import (
    declared_shares,
    share_declaration_problems,
)

REGION = "eu-west-1"
SHARE = {
    "role_name": "first",
    "repository_tags": {"environment": "release"},
    "repositories": ["release", "tools/*"],
    "consumers": [{"account": "222222222222", "external_id": "test"}],
}


def params(shares: list[dict[str, Any]] | None, defaults: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"shares": shares, "defaults": defaults, "state": "present", "trust_policy_quota": 4096, **more}


def share_of(**options: Any) -> Share:
    (share,) = declared_shares(params([{**SHARE, **options}]), REGION)
    return share


def test_the_values_of_a_share() -> None:
    share = share_of(handoff_path="a.yml", denied=["develop"], images=["release:1"], exclusive=True)
    assert (share.name, share.policy_name, share.role.trust_policy_quota) == ("first", "first", 4096)
    assert (share.repositories, share.tags) == (("release", "tools/*"), {"environment": "release"})
    assert (share.regions, share.exclusive, share.is_present) == ((REGION,), True, True)
    assert share.handoff == DeclaredHandoff("a.yml", ("develop",), (Reference("release", "1"),))
    assert (share.is_named, share.missing) == (True, ())
    assert (share_of().exclusive, share_of().role.adopt, share_of(adopt=True).role.adopt) == (False, False, True)


def test_a_share_has_only_what_aws_can_be_asked_about() -> None:
    share = share_of(
        repositories=["release", "Release", "x*\n"],
        tags={"environment": "release", "aws:x": "y", "team": 1, "list": ["a"]},
        regions=["eu-west-1", "*"],
        role_name="no/slash",
        consumers=None,
    )
    assert (share.repositories, share.tags, share.regions) == (("release",), {"environment": "release"}, (REGION,))
    assert (share.is_named, share.missing) == (False, ("consumers",))


def test_the_variables_of_the_role_complete_each_share() -> None:
    defaults = {**SHARE, "regions": ["us-east-1"], "role_name": None}
    first, second = declared_shares(
        params([{"role_name": "a"}, {"role_name": "b", "regions": ["eu-west-1"], "state": "absent"}], defaults), REGION
    )
    assert (first.name, first.regions, first.is_present) == ("a", ("us-east-1",), True)
    assert (second.name, second.regions, second.is_present) == ("b", ("eu-west-1",), False)
    (same,) = declared_shares(params([dict.fromkeys(SHARE, None)], {**SHARE, "exclusive": True}), REGION)
    assert (same.name, same.repositories, same.exclusive) == ("first", ("release", "tools/*"), True)
    (alone,) = declared_shares(params(None, SHARE), REGION)
    assert alone.name == "first"


def test_the_state_of_the_run_ends_all_shares() -> None:
    (share,) = declared_shares(params([{**SHARE, "state": "present"}], state="absent"), REGION)
    assert not share.is_present


@pytest.mark.parametrize(
    ("shares", "defaults", "expected"),
    [
        ([SHARE], None, []),
        (None, SHARE, []),
        ([], SHARE, ["ecr_share_shares is an empty list. Declare at least one share; state: absent ends one."]),
        (
            None,
            {},
            [
                "missing required arguments: ecr_share_consumers, ecr_share_repositories, ecr_share_repository_tags,"
                " ecr_share_role_name. Declare the share, or a list of shares as ecr_share_shares."
            ],
        ),
        (
            [SHARE, {"role_name": "second", "state": "absent"}],
            None,
            [
                "Share second: missing required arguments: repositories, repository_tags. Set them in share 2 of"
                " ecr_share_shares."
            ],
        ),
        ([{**SHARE, "images": ["base:1"], "state": "absent"}], None, []),
        ([{**SHARE, "roles": "per_consumer", "role_name": "f" * 60, "state": "absent"}], None, []),
    ],
)
def test_the_problems_of_declared_shares(shares: Any, defaults: Any, expected: list[str]) -> None:
    assert list(share_declaration_problems(params(shares, defaults))) == expected


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (
            {"consumers": [{**SHARE["consumers"][0], "max_session_duration": 7200}]},  # type: ignore[index]
            "Consumer 1 (222222222222) has max_session_duration, but all consumers of the share use one role.",
        ),
        ({"roles": "per_consumer", "role_name": "f" * 60}, "Consumer 1 (222222222222): Role name"),
        ({"role_name": "no/slash", "policy_name": "policy"}, "Role name 'no/slash' must have"),
        ({"expires": "soon", "state": "absent"}, "expires 'soon' is neither a time"),
        (
            {"roles": "per_consumer", "consumers": [{**SHARE["consumers"][0], "expires": "soon"}]},  # type: ignore[index]
            "expires 'soon' is neither a time",
        ),
        ({"repositories": []}, "repositories is empty: list at least one repository."),
        ({"repositories": ["release", "Release"]}, "'Release' is not a repository name."),
        ({"regions": [REGION, "tokyo"]}, "regions: 'tokyo' does not look like a region"),
        ({"tags": {"environment": "release", "aws:x": "y"}}, "tags: tag key 'aws:x' starts with aws:"),
        ({"repository_tags": {"environment": ["a", "b"]}}, "repository_tags has several values of environment."),
        ({"images": ["base:1"]}, "Image 'base:1' is in repository base, which this share does not declare."),
        ({"denied": ["release"]}, "Repository release is declared both as shared and as denied."),
        ({"handoff_path": "page.md"}, "ecr_share_handoff_path page.md must not end in .md"),
    ],
)
def test_each_option_of_a_share_is_validated(options: dict[str, Any], problem: str) -> None:
    (found,) = share_declaration_problems(params([{**SHARE, **options}]))
    assert found.startswith(problem)
