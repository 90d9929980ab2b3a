# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The declaration of shares with which an audit compares an account. Standard library only."""

from __future__ import annotations

import datetime
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._consumers import Consumer
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import VARIABLES
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleState
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_variables import unknown_variables
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import Share
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_declaration import (
    SHARE_ARGUMENTS,
    declared_shares,
    share_declaration_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_roles import NewValues, plan_pull_role
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_statements import declared_statement

#: The role whose variables declare the shares.
SHARE_ROLE = "crossaccount.ecr.ecr_share"
#: A comparison writes no hand-off.
_UNUSED = ("handoff_path", "handoff_forms")
#: A placeholder for the region of a share without regions, which does not affect the problems.
_ANY_REGION = "us-east-1"
#: A placeholder for the current time. No declared end is in the past.
_ANY_TIME = datetime.datetime.min.replace(tzinfo=datetime.timezone.utc)
#: The beginning of an ARN, or of a pattern of ARNs.
_PARTITION = re.compile(r"\s*arn:(aws[a-z-]*):")


def declaring_variables() -> dict[str, str]:
    """The variables of the role `ecr_share` that declare shares, by the options of `ecr_share_info`."""
    names = VARIABLES[SHARE_ROLE]
    return {name: names[name] for name in ("shares", "state", "trust_policy_quota", *SHARE_ARGUMENTS)}


def declared_options(values: t.Mapping[str, object]) -> Json:
    """The options of `ecr_share_info` for the variables of the role `ecr_share`.

    :param values: the values of those variables that are set, by option
    """
    shares = values.get("shares")
    listed = [_without_handoff(share) for share in shares] if isinstance(shares, list) else shares
    common = {name: values[name] for name in SHARE_ARGUMENTS if name in values and name not in (*_UNUSED, "state")}
    top = {name: values[name] for name in ("state", "trust_policy_quota") if name in values}
    return {**top, "defaults": common, **({} if shares is None else {"shares": listed})}


def _without_handoff(share: object) -> object:
    return {name: value for name, value in share.items() if name not in _UNUSED} if isinstance(share, dict) else share


@dataclass(frozen=True)
class CompleteDeclaration:
    """The declared shares, each with the common options, so that other modules need no others."""

    shares: tuple[Json, ...]
    trust_policy_quota: int

    @classmethod
    def of(cls, params: Json) -> CompleteDeclaration:
        """
        :param params: the validated options of `ecr_share_info`
        """
        common, state = params["defaults"] or {}, {"state": "absent"} if params["state"] == "absent" else {}
        listed = [{}] if params["shares"] is None else params["shares"]
        shares = tuple(_given({**common, **_given(share), **state}) for share in listed)
        return cls(shares, params["trust_policy_quota"])


def _given(options: Json) -> Json:
    return {name: value for name, value in options.items() if value is not None}


def declaration_problems(params: Json, variables: t.Iterable[str], owner: str) -> list[str]:
    """Problems with a declaration that can be found without a request to AWS.

    :param params: the validated options of `ecr_share_info`
    :param variables: the names of all variables
    :param owner: the account ID of the owner account; empty if it is not declared
    """
    problems, new = Problems(), NewValues(lambda: "0" * 32, _ANY_TIME)
    problems.extend(unknown_variables(SHARE_ROLE, variables))
    problems.extend(share_declaration_problems(params))
    for share in declared_shares(params, _ANY_REGION):
        if share.is_present and not share.missing:
            identity = Identity(_partition_of(share), owner)
            if share.has_role:
                plan_pull_role(RoleState(), share.role, identity, new, problems)
            else:
                problems.extend(declared_statement(share).problems_in(identity))
    return list(dict.fromkeys(problems.found))


def _partition_of(share: Share) -> str:
    """The partition of the ARNs in a declaration, which is that of the owner account."""
    found = (_PARTITION.match(text) for consumer in share.role.consumers for text in _texts_of(consumer))
    return next((match[1] for match in found if match), "aws")


def _texts_of(consumer: Consumer) -> t.Iterator[str]:
    texts = (consumer.account, *consumer.principals, *consumer.source_arns, *consumer.source_accounts)
    yield from (text for text in texts if isinstance(text, str))
