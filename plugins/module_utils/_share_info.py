# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The module `ecr_share_info`: reads the owner account, and plans all shares. It changes nothing."""

from __future__ import annotations

import secrets
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._account import read_account
from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import ASSUME_ROLE_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_kept import affected_places
from ansible_collections.crossaccount.ecr.plugins.module_utils._declared_account import (
    OWNER_ACCOUNT_ARGUMENT,
    OwnerAccount,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import Module, warn
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._retry import wait_until_consistent
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import session_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_declaration import (
    SHARE_ARGUMENTS,
    TRUST_QUOTA_ARGUMENT,
    declared_shares,
    share_declaration_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_guard import SHARE_GUARD_ARGUMENT, ShareGuard
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_plan import SharePlan, plan_shares
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_text import framed_summary
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_guard_policy import read_tag_guard
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WAIT_ARGUMENTS, WaitOptions, wait_problems

Progress = t.Callable[[str], None]

SHARE_INFO_ARGUMENTS: Json = {
    "shares": {"type": "list", "elements": "dict", "options": SHARE_ARGUMENTS},
    "defaults": {"type": "dict", "options": SHARE_ARGUMENTS},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "expect_unchanged": {"type": "bool", "default": False},
    "expired_only": {"type": "bool", "default": False},
    **SHARE_GUARD_ARGUMENT,
    **TRUST_QUOTA_ARGUMENT,
    **OWNER_ACCOUNT_ARGUMENT,
    **ASSUME_ROLE_ARGUMENTS,
    **WAIT_ARGUMENTS,
}


@dataclass(frozen=True)
class _Options:
    """The options of the module, except those that declare shares."""

    owner: OwnerAccount
    wait: WaitOptions
    expect_unchanged: bool
    expired_only: bool
    is_absent: bool
    guard: ShareGuard

    def problems(self) -> t.Iterator[str]:
        """Problems with options that are not part of a share."""
        yield from self.owner.problems()
        yield from wait_problems(self.wait)
        if self.expired_only and not self.is_absent:
            yield f"{option('expired_only')} deletes shares, so it requires {option('state')}: absent. Use unshare.yml."

    @classmethod
    def of(cls, params: Json) -> _Options:
        return cls(
            OwnerAccount.of(params),
            WaitOptions.of(params),
            params["expect_unchanged"],
            params["expired_only"],
            params["state"] == "absent",
            ShareGuard.of(params),
        )


def share_info(module: Module, progress: Progress = lambda _text: None) -> Json:
    """The result of the module `ecr_share_info`.

    :param progress: receives the current activity
    """
    options, problems = _Options.of(module.params), Problems()
    session = session_of(module)
    shares = declared_shares(module.params, session.region)
    problems.extend(share_declaration_problems(module.params))
    problems.extend(options.problems())
    if not any(options.owner.problems()):
        options.owner.check(session.identity["account"])
    guard = options.guard.declaration(shares)
    problems.extend(options.guard.problems(shares))
    if guard and not options.expect_unchanged:
        read_tag_guard(module, session, guard, problems)

    def read_and_plan() -> SharePlan:
        found = Problems()
        found.found += problems.found
        account = read_account(session, shares, options.wait, options.expect_unchanged)
        plan = plan_shares(
            shares, account, lambda: secrets.token_hex(16), options.expect_unchanged, options.expired_only
        )
        found.found += plan.problems
        found.found = list(dict.fromkeys(found.found))
        found.check()
        return plan

    written = options.expect_unchanged and not module.check_mode
    plan = _unchanged(read_and_plan, options.wait, progress) if written else read_and_plan()
    warn(module, plan.warnings)
    return {**result_of_plan(plan, module.check_mode), "tag_guards": [guard.options] if guard else []}


def new_external_id() -> str:
    return secrets.token_hex(16)


def _unchanged(
    read_and_plan: t.Callable[[], SharePlan], wait: WaitOptions, progress: t.Callable[[str], None]
) -> SharePlan:
    """The plan after AWS has returned the declared state in several consecutive reads."""
    plans: list[SharePlan] = []

    def remaining() -> list[str]:
        plans.append(read_and_plan())
        left = plans[-1].remaining
        if left:
            progress(f"waiting until AWS returns {', '.join(left)}")
        return left

    try:
        wait_until_consistent(remaining, wait)
    except EcrError as error:
        facts = {name: value for name, value in error.facts.items() if name != "changed"}
        raise EcrError(f"{error} If it happens again, another run changes the same share.", **facts) from None
    return plans[-1] if plans else read_and_plan()


def result_of_plan(plan: SharePlan, check_mode: bool) -> Json:
    """The plan as the result of the module."""
    shares = [share.result for share in plan.shares]
    present = [share for share in shares if share["state"] == "present"] or shares
    is_shared = any(plan.handoffs)
    places = affected_places({"access_lost": plan.access.lost, "shares": shares})
    return {
        "changed": False,
        "would_change": plan.changed,
        "untag": [step.options for step in plan.untag],
        "roles": [{name: value for name, value in role.options.items() if value is not None} for role in plan.roles],
        "statements": [step.options for step in plan.statements],
        "tag": [step.options for step in plan.tag],
        "access_gained": plan.access.gained,
        "access_lost": plan.access.lost,
        "lines": plan.access.lines,
        "all_lines": plan.access.all_lines,
        "summary": framed_summary(plan.summary, is_shared, check_mode),
        "all_summary": framed_summary(plan.all_summary, is_shared, check_mode),
        "regions": sorted({region for region, _name in places}),
        "repositories": sorted({name for _region, name in places}),
        "handoffs": plan.handoffs,
        "shares": shares,
        "share": present[0] if len(present) == 1 else {},
        "diff": plan.diff,
    }
