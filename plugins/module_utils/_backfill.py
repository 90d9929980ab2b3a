# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The module `ecr_replication_backfill`: starts replication backfills, waits for them, and stops them."""

from __future__ import annotations

import os
import time
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import ASSUME_ROLE_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_declaration import (
    BACKFILL_ARGUMENTS,
    BackfillDeclaration,
    missing_rule,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import (
    Backfill,
    Destination,
    backfill_problems,
    not_ended,
    not_started,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_run import (
    BackfillRun,
    configured_destinations,
    require_backfill,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._declared_account import (
    REGISTRY_ACCOUNT_ARGUMENT,
    RegistryAccount,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._failed_result import reporting_changes
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import Module, Progress, no_progress, warn
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import session_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WaitOptions, wait_problems

REPLICATION_BACKFILL_ARGUMENTS: Json = {
    **BACKFILL_ARGUMENTS,
    **REGISTRY_ACCOUNT_ARGUMENT,
    **ASSUME_ROLE_ARGUMENTS,
}


def replication_backfill(module: Module, progress: Progress = no_progress) -> Json:
    """The result of the module.

    :param progress: receives the current activity
    """
    declared, account, problems = (
        BackfillDeclaration.of(module.params),
        RegistryAccount.of(module.params),
        Problems(),
    )
    wait = WaitOptions.of(module.params)
    problems.extend(declared.problems())
    problems.extend(account.problems())
    problems.extend(wait_problems(wait))
    problems.check()

    session = session_of(module)
    account.check(session.identity["account"])
    ecr = session.client("ecr")
    require_backfill(ecr)
    source = Destination(session.identity["account"], session.region)
    configured = configured_destinations(ecr)
    problems.extend(declared.problems_in(source, configured, module.check_mode))
    problems.check()
    if module.check_mode and not declared.is_stopped:
        missing = [destination for destination in declared.destinations if destination not in configured]
        warn(module, (missing_rule(source, destination) for destination in missing))

    run = BackfillRun(ecr, declared)
    with reporting_changes(run.changed):
        if not module.check_mode:
            _carry_out(module, run, wait, progress)
    return {
        "changed": bool(run.changed or (module.check_mode and run.pending)),
        "source": {"account": source.account, "region": source.region},
        "backfills": run.result(),
    }


def _carry_out(module: Module, run: BackfillRun, wait: WaitOptions, progress: Progress) -> None:
    """Start or stop the backfills, and wait for their end.

    :raises EcrError: if images were not replicated, or if a backfill has not ended in time
    """
    deadline, started_by = time.monotonic() + wait.seconds, os.getppid()
    run.advance()
    while run.waiting and (left := deadline - time.monotonic()) > 0:
        progress("; ".join(run.waiting))
        time.sleep(min(wait.interval, left))
        if os.getppid() != started_by:  # a worker process of Ansible outlives a canceled job
            break
        run.read_and_advance()
    if wait.wait and run.waiting:
        raise EcrError(not_ended(run.waiting, wait.timeout), backfills=run.result())
    warn(module, (not_started(destination) for destination in run.pending))
    if run.declared.is_stopped:
        return
    run.add_failures()
    problems = [problem for one in run.backfills if not one.is_in_progress for problem in _ended_problems(run, one)]
    if problems:
        raise EcrError(" ".join(problems), backfills=run.result())


def _ended_problems(run: BackfillRun, backfill: Backfill) -> t.Iterable[str]:
    return () if backfill.destination in run.pending else backfill_problems(backfill)
