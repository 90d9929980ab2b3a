# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The module `iam_ecr_pull_role`: reads the role, plans it, and carries out the plan."""

from __future__ import annotations

import secrets
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils import _policy_document
from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import ASSUME_ROLE_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._declared_account import (
    OWNER_ACCOUNT_ARGUMENT,
    OwnerAccount,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._iam import PullRole
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import arn_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import Module, warn
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import name_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._retry import confirmed_removal
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_declaration import role_declaration_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_writes import carry_out
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import session_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_declaration import (
    CONSUMER_ARGUMENTS,
    TRUST_QUOTA_ARGUMENT,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_roles import (
    NewValues,
    PlannedRole,
    plan_pull_role,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WAIT_ARGUMENTS, WaitOptions, wait_problems

PULL_ROLE_ARGUMENTS: Json = {
    "name": {"type": "str", "required": True},
    "policy_name": {"type": "str"},
    "repository_tags": {"type": "dict"},
    "access": {"type": "str", "choices": ["pull", "read"], "default": "read"},
    "condition_key": {"type": "str", "choices": ["ecr", "aws"], "default": "ecr"},
    "regions": {"type": "list", "elements": "str"},
    "consumers": {"type": "list", "elements": "dict", "options": CONSUMER_ARGUMENTS},
    "max_session_duration": {"type": "int"},
    "path": {"type": "str", "default": "/"},
    "description": {"type": "str"},
    "permissions_boundary": {"type": "str"},
    "tags": {"type": "dict"},
    "adopt": {"type": "bool", "default": False},
    "expires": {"type": "raw"},
    "role_expires": {"type": "raw"},
    "share": {"type": "str"},
    "policy_roles": {"type": "list", "elements": "str", "default": []},
    "keep_policy": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "narrowed", "absent"], "default": "present"},
    **TRUST_QUOTA_ARGUMENT,
    **OWNER_ACCOUNT_ARGUMENT,
    **ASSUME_ROLE_ARGUMENTS,
    **WAIT_ARGUMENTS,
}
PULL_ROLE_RULES: Json = {
    "required_if": [("state", state, ("repository_tags", "consumers")) for state in ("present", "narrowed")]
}


def pull_role(module: Module, progress: t.Callable[[str], None] = lambda _text: None) -> Json:
    """The result of the module.

    :param progress: receives the current activity
    """
    declared, declared_owner, problems = (
        role_declaration_of(module.params),
        OwnerAccount.of(module.params),
        Problems(),
    )
    problems.extend(name_problems(declared.name, declared.policy_name, declared.path))
    problems.extend(declared_owner.problems())
    wait = WaitOptions.of(module.params)
    problems.extend(wait_problems(wait))
    problems.check()

    session = session_of(module)
    owner = arn_of(session.identity["arn"]).identity
    declared_owner.check(owner.account)
    role = PullRole(session.client("iam"), owner, declared.name, declared.policy_name, declared.path)
    new = NewValues(lambda: secrets.token_hex(16), session.now)

    def read_and_plan() -> PlannedRole:
        found = Problems()
        planned = plan_pull_role(role.read(), declared, owner, new, found)
        found.check()
        return planned

    is_removal = declared.is_narrowed or not declared.is_present
    planned = confirmed_removal(read_and_plan, _finds_a_role, wait) if is_removal else read_and_plan()

    warn(module, planned.warnings)
    if module.check_mode:
        written = [step.name for step in planned.plan.steps]
    else:
        written = carry_out(role, planned.plan, wait, progress)
    return {
        "role_arn": role.role_arn,
        "policy_arn": role.policy_arn,
        "account": owner.account,
        "steps": written,
        **_result(planned),
    }


def _finds_a_role(planned: PlannedRole) -> bool:
    """Whether the role exists and has something to remove."""
    return planned.plan.before.role_exists and bool(planned.plan.steps)


def _result(planned: PlannedRole) -> Json:
    before, after = planned.plan.before, planned.plan.after
    return {
        "changed": bool(planned.plan.steps),
        "permissions": after.permissions or {},
        "trust": after.trust or {},
        "consumers": planned.consumers,
        "expires": planned.end_text,
        "before": {
            "permissions": before.permissions or {},
            "trust": before.trust or {},
            "attached": before.attached,
        },
        "dangling_principals": _policy_document.dangling_principals(before.trust),
        "diff": planned.plan.diff,
    }
