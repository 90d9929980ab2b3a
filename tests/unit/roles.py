# SPDX-License-Identifier: GPL-3.0-or-later
"""Declared roles and consumers for the tests, and a role that exists."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_declaration import (
    RoleDeclaration,
    declared_state,
    role_declaration_of,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_problems import role_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import (
    Attachment,
    AttachmentKind,
    PolicyVersion,
    RoleState,
)
from hypothesis import strategies as st

OWNER, CONSUMER, STRANGER = "111111111111", "222222222222", "333333333333"
IDENTITY = Identity("aws", OWNER)


def options(**chosen: Any) -> dict[str, Any]:
    """The options of `iam_ecr_pull_role`."""
    return {
        "name": "allow",
        "policy_name": None,
        "repository_tags": {"share": "yes"},
        "access": "read",
        "condition_key": "ecr",
        "regions": None,
        "consumers": [{"account": CONSUMER, "external_id": "id-one"}],
        "max_session_duration": None,
        "path": "/",
        "description": None,
        "permissions_boundary": None,
        "tags": None,
        "trust_policy_quota": 2048,
        "adopt": False,
        "expires": None,
        "role_expires": None,
        "share": None,
        "policy_roles": [],
        "keep_policy": False,
        "state": "present",
        **chosen,
    }


def declaration(**chosen: Any) -> RoleDeclaration:
    return role_declaration_of(options(**chosen))


def declare(before: RoleState, **chosen: Any) -> tuple[RoleState, list[str]]:
    """The role as it is to be, and what is wrong with its declaration."""
    declared = declaration(**chosen)
    return declared_state(before, declared, IDENTITY), list(role_problems(before, declared, IDENTITY))


OURS = {"managed-by": "crossaccount.ecr"}
BOUNDARY = f"arn:aws:iam::{OWNER}:policy/boundary"
THERE = replace(
    declare(RoleState())[0],
    path="/",
    description="Said before",
    max_session_duration=7200,
    permissions_boundary=BOUNDARY,
    role_tags={**OURS, "team": "a"},
    policy_tags={**OURS, "cost": "b"},
    versions=(PolicyVersion("v1", True, declare(RoleState())[0].permissions),),
    attachments=(Attachment(AttachmentKind.MANAGED_POLICY, "x"),),
)


def versioned(*numbers: int, default: int, same: int | None = None) -> RoleState:
    """A policy with these versions, of which `same` has the document that `declare(access="pull")` makes."""
    expected = declare(RoleState(), access="pull")[0].permissions
    versions = tuple(
        PolicyVersion(
            f"v{number}", number == default, expected if number == same else {"Statement": [], "Id": str(number)}
        )
        for number in numbers
    )
    return replace(THERE, versions=versions)


ACCOUNTS = [CONSUMER, STRANGER]
NAMES = ["user/puller", "user/other", "role/ci/deployer"]
EXTERNAL_IDS = ["id-one", "id-two"]
ORGANIZATIONS = ["o-aaaaaaaaaa", "o-bbbbbbbbbb"]
UNIT, LOWER_UNIT, OTHER_UNIT = (
    f"o-aaaaaaaaaa/r-ab12/{units}"
    for units in ("ou-ab12-11111111", "ou-ab12-11111111/ou-ab12-22222222", "ou-ab12-11111112")
)


@st.composite
def consumers(draw: st.DrawFn, partition: str) -> dict[str, Any]:
    account = draw(st.sampled_from(ACCOUNTS))
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=2))
    external_id = draw(st.none() | st.sampled_from(EXTERNAL_IDS))
    organization = draw(st.none() | st.sampled_from(ORGANIZATIONS))
    units = st.none() if organization != ORGANIZATIONS[0] else st.sampled_from([None, [UNIT], [OTHER_UNIT, LOWER_UNIT]])
    limits = {"organization_id": organization, "organization_units": draw(units), "session_tags": draw(st.booleans())}
    if organization and external_id and draw(st.booleans()):
        return {"external_id": external_id, **limits, "require_mfa": draw(st.booleans())}
    return {
        "account": account,
        "principals": [draw(st.sampled_from([name, f"arn:{partition}:iam::{account}:{name}"])) for name in names],
        "external_id": external_id,
        "allow_no_external_id": external_id is None,
        "principal_match": draw(st.sampled_from(["principal", "condition"])),
        **limits,
        "require_mfa": draw(st.booleans()),
    }
