# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reads the owner account, plans all shares, and reports the plan. Changes nothing."""

from __future__ import annotations

import secrets
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils import _parties
from ansible_collections.crossaccount.ecr.plugins.module_utils._account import read_account
from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import ASSUME_ROLE_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._retry import wait_until_read_back
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import session_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import SHARE_ARGUMENTS, Options, shares_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_plan import SharePlan, plan_shares
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WAIT_ARGUMENTS, WaitOptions, wait_problems

Progress = t.Callable[[str], None]

SHARE_INFO_ARGUMENTS: Options = {
    "shares": {"type": "list", "elements": "dict", "options": SHARE_ARGUMENTS},
    "defaults": {"type": "dict", "options": SHARE_ARGUMENTS},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "trust_policy_quota": {"type": "int", "choices": [2048, 4096], "default": 2048},
    "expect_unchanged": {"type": "bool", "default": False},
    **_parties.OWNER_ACCOUNT_ARGUMENT,
    **ASSUME_ROLE_ARGUMENTS,
    **WAIT_ARGUMENTS,
}


def share_info(module: t.Any, progress: Progress = lambda _text: None) -> Options:
    """The result of the module `ecr_share_info`.

    :param progress: receives what the run is waiting for
    """
    options, problems = module.params, Problems()
    session = session_of(module)
    shares = shares_of(options, session.region, problems)
    owner_problem = _parties.owner_account_problem(options["owner_account"])
    for problem in (owner_problem, *wait_problems(WaitOptions.of(options))):
        if problem:
            problems.add(problem)
    if not owner_problem:
        _parties.check_owner_account(options, session.identity["account"])

    def read_and_plan() -> SharePlan:
        found = Problems()
        found.found += problems.found
        account, repeated = read_account(session, shares, options), options["expect_unchanged"]
        plan = plan_shares(shares, account, lambda: secrets.token_hex(16), found, repeated)
        found.found = list(dict.fromkeys(found.found))
        found.check()
        return plan

    written = options["expect_unchanged"] and not module.check_mode
    plan = _unchanged(read_and_plan, options, progress) if written else read_and_plan()
    for warning in plan.warnings:
        module.warn(warning)
    return result_of_plan(plan, module.check_mode)


def _unchanged(
    read_and_plan: t.Callable[[], SharePlan], options: Options, progress: t.Callable[[str], None]
) -> SharePlan:
    """The plan once AWS returns everything as declared, in several reads in a row."""
    plans: list[SharePlan] = []

    def remaining() -> list[str]:
        plans.append(read_and_plan())
        left = plans[-1].remaining
        if left:
            progress(f"waiting until AWS returns {', '.join(left)}")
        return left

    try:
        wait_until_read_back(remaining, WaitOptions.of(options))
    except EcrError as error:
        facts = {name: value for name, value in error.facts.items() if name != "changed"}
        raise EcrError(f"{error} If it happens again, another run changes the same share.", **facts) from None
    return plans[-1] if plans else read_and_plan()


def result_of_plan(plan: SharePlan, check_mode: bool) -> Options:
    """The plan as a module returns it."""
    heading = ["In check mode nothing is written. It would be:"] if check_mode else []
    return {
        "changed": False,
        "would_change": plan.changed,
        "untag": plan.untag,
        "roles": [{name: value for name, value in role.items() if value is not None} for role in plan.roles],
        "tag": plan.tag,
        "access_gained": plan.access.gained,
        "access_lost": plan.access.lost,
        "lines": plan.access.lines,
        "all_lines": plan.access.all_lines,
        "summary": [*heading, *plan.summary],
        "all_summary": [*heading, *plan.all_summary],
        "handoffs": plan.handoffs,
        "shares": plan.shares,
        "share": plan.shares[0] if len(plan.shares) == 1 else {},
        "diff": plan.diff,
    }
