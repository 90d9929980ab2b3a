# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The options that declare shares, and their individual validation. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._consumer_roles import (
    role_of_consumer_problems,
    shared_role_problems,
    shares_of_consumers,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._consumers import consumer_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._end_date import end_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff_declaration import (
    declared_handoff,
    handoff_declaration_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff_forms import FORM_NAMES
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import (
    name_problems,
    region_problems,
    repository_or_pattern_problems,
    tag_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_declaration import role_declaration_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import ROLE, Share
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_checks import same_name_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_modes import MODES, mode_problems

CONSUMER_ARGUMENTS: Json = {
    "account": {"type": "raw"},
    "principals": {"type": "list", "elements": "str"},
    "external_id": {"type": "str"},
    "allow_no_external_id": {"type": "bool", "default": False},
    "principal_match": {"type": "str", "choices": ["principal", "condition"], "default": "principal"},
    "organization_id": {"type": "str"},
    "organization_units": {"type": "list", "elements": "str"},
    "require_mfa": {"type": "bool", "default": False},
    "session_tags": {"type": "bool", "default": False},
    "service": {"type": "str"},
    "source_arns": {"type": "list", "elements": "str"},
    "source_accounts": {"type": "list", "elements": "str"},
}
#: The options of a consumer of a share.
SHARE_CONSUMER_ARGUMENTS: Json = {
    **CONSUMER_ARGUMENTS,
    "role_name": {"type": "str"},
    "max_session_duration": {"type": "int"},
    "expires": {"type": "raw"},
}
#: The maximum number of characters in a trust policy: the default quota, and the quota after an increase by AWS.
#: Source: IAM User Guide, "IAM and AWS STS quotas".
TRUST_QUOTA_ARGUMENT: Json = {"trust_policy_quota": {"type": "int", "choices": [2048, 4096], "default": 2048}}
#: The options of a share, and of the defaults for all shares. The last defaults are in `_DEFAULTS`.
SHARE_ARGUMENTS: Json = {
    "role_name": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"]},
    "mode": {"type": "str", "choices": list(MODES)},
    "policy_name": {"type": "str"},
    "repository_tags": {"type": "dict"},
    "repositories": {"type": "list", "elements": "str"},
    "tags": {"type": "dict"},
    "consumers": {"type": "list", "elements": "dict", "options": SHARE_CONSUMER_ARGUMENTS},
    "roles": {"type": "str", "choices": ["shared", "per_consumer"]},
    "expires": {"type": "raw"},
    "access": {"type": "str", "choices": ["pull", "read"]},
    "condition_key": {"type": "str", "choices": ["ecr", "aws"]},
    "path": {"type": "str"},
    "description": {"type": "str"},
    "max_session_duration": {"type": "int"},
    "permissions_boundary": {"type": "str"},
    "exclusive": {"type": "bool"},
    "regions": {"type": "list", "elements": "str"},
    "adopt": {"type": "bool"},
    "denied": {"type": "list", "elements": "str"},
    "images": {"type": "list", "elements": "str"},
    "handoff_path": {"type": "str"},
    "handoff_forms": {"type": "list", "elements": "str", "choices": list(FORM_NAMES)},
}
_DEFAULTS: Json = {
    **dict.fromkeys(SHARE_ARGUMENTS),
    "state": "present",
    "mode": ROLE,
    "roles": "shared",
    "access": "read",
    "condition_key": "ecr",
    "path": "/",
    "exclusive": False,
    "adopt": False,
    **{name: [] for name in ("denied", "images", "handoff_forms")},
}
_REQUIRED = ("consumers", "repositories", "repository_tags", "role_name")


@dataclass(frozen=True)
class _Declaration:
    """The options of each share, with defaults.

    :param is_list: whether the shares are declared as a list; if not, the common options declare one share
    """

    shares: tuple[Json, ...]
    is_list: bool
    trust_policy_quota: int

    @classmethod
    def of(cls, params: Json) -> _Declaration:
        common, state = _given(params["defaults"] or {}), {"state": "absent"} if params["state"] == "absent" else {}
        listed = [{}] if params["shares"] is None else params["shares"]
        shares = tuple({**_DEFAULTS, **common, **_given(share), **state} for share in listed)
        return cls(shares, params["shares"] is not None, params["trust_policy_quota"])


def declared_shares(params: Json, region: str) -> list[Share]:
    """The declared shares, each with its valid values. A share with a role for each consumer is listed once for each.

    :param params: the options of the module `ecr_share_info`
    :param region: the region of the repositories of a share without `regions`
    """
    declared = _Declaration.of(params)
    return [
        one
        for given in declared.shares
        for share in [_share_of(given, declared.trust_policy_quota, region)]
        for one in (shares_of_consumers(share) if share.has_role and given["roles"] == "per_consumer" else [share])
    ]


def share_declaration_problems(params: Json) -> t.Iterator[str]:
    """Problems with each declared share individually.

    :param params: the options of the module `ecr_share_info`
    """
    declared = _Declaration.of(params)
    if not declared.shares:
        yield "ecr_share_shares is an empty list. Declare at least one share; state: absent ends one."
    for number, share in enumerate(declared.shares, 1):
        found = [*_missing_problems(share, number if declared.is_list else 0), *_declared_option_problems(share)]
        prefix = f"Share {share['role_name'] or number}: " if len(declared.shares) > 1 else ""
        yield from (prefix + problem for problem in found)
    yield from same_name_problems([share["role_name"] for share in declared.shares])


def _given(options: Json) -> Json:
    return {name: value for name, value in options.items() if value is not None}


def _missing(share: Json) -> tuple[str, ...]:
    required = (name for name in _REQUIRED if share["state"] == "present" or name != "consumers")
    return tuple(name for name in required if share[name] is None)


def _tags_of(share: Json) -> Json:
    """The tags of the repositories."""
    return share["tags"] or share["repository_tags"] or {}


def _share_of(share: Json, quota: int, region: str) -> Share:
    role = {**share, "name": share["role_name"] or "", "tags": None, "trust_policy_quota": quota}
    return Share(
        role_declaration_of(role),
        tuple(name for name in share["repositories"] or () if not any(repository_or_pattern_problems(name))),
        {key: value for key, value in _tags_of(share).items() if not any(tag_problems(str(key), value))},
        tuple(region for region in share["regions"] or [region] if not any(region_problems(region))),
        share["exclusive"],
        declared_handoff(share),
        is_named=not any(_role_name_problems(share)),
        missing=_missing(share),
        mode=share["mode"],
    )


def _missing_problems(share: Json, number: int) -> t.Iterator[str]:
    """Problems with required options that are missing.

    :param number: the number of the share in the list `ecr_share_shares`; 0 if the variables of the role declare it
    """
    missing = _missing(share)
    if missing and number:
        yield f"missing required arguments: {', '.join(missing)}. Set them in share {number} of ecr_share_shares."
    elif missing:
        names = ", ".join(f"ecr_share_{name}" for name in missing)
        yield f"missing required arguments: {names}. Declare the share, or a list of shares as ecr_share_shares."


def _role_name_problems(share: Json) -> t.Iterator[str]:
    return name_problems(share["role_name"] or "", share["policy_name"] or share["role_name"] or "", share["path"])


def _declared_option_problems(share: Json) -> t.Iterator[str]:
    repositories = share["repositories"] or []
    yield from mode_problems(share)
    if share["role_name"] is not None:
        yield from _role_name_problems(share)
    if share["repositories"] == []:
        yield f"{option('repositories')} is empty: list at least one repository."
    for name in repositories:
        yield from repository_or_pattern_problems(name)
    yield from _tag_problems(share)
    for region in share["regions"] or ():
        yield from region_problems(region)
    yield from end_problems(share["expires"])
    for consumer in share["consumers"] or ():
        yield from end_problems(consumer.get("expires"))
    if share["state"] == "present":
        yield from handoff_declaration_problems(share)
        yield from _consumer_role_problems(share)


def _consumer_role_problems(share: Json) -> t.Iterator[str]:
    consumers = [consumer_of(consumer) for consumer in share["consumers"] or ()]
    if share["mode"] != ROLE:
        return  # the plan of the statement reports the settings of a role
    if share["roles"] == "shared":
        yield from shared_role_problems(consumers)
    elif share["role_name"] is not None:
        yield from role_of_consumer_problems(share["role_name"], consumers)


def _tag_problems(share: Json) -> t.Iterator[str]:
    """Problems with the tags of the repositories. The plan of the role reports problems with all other tags."""
    for key, value in _tags_of(share).items():
        if share["tags"]:
            yield from (f"{option('tags')}: {problem}" for problem in tag_problems(str(key), value))
        elif isinstance(value, list):
            yield (
                f"{option('repository_tags')} has several values of {key}. Set {option('tags')} to the one that the"
                " repositories get."
            )
