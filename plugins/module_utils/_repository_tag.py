# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The module `ecr_repository_tag`: reads the repositories, plans the changes of their tags, and applies them."""

from __future__ import annotations

from ansible_collections.crossaccount.ecr.plugins.module_utils import _ecr
from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import ASSUME_ROLE_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._declared_account import (
    OWNER_ACCOUNT_ARGUMENT,
    OwnerAccount,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._ecr import Client
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import arn_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import Module
from ansible_collections.crossaccount.ecr.plugins.module_utils._retry import confirmed_removal
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import Session, session_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_declaration import (
    TAG_ARGUMENTS,
    TagDeclaration,
    tag_declaration,
    tag_declaration_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_discovery import declared_names, tags_of_each
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_plan import (
    TaggedRepository,
    TagPlan,
    missing_repository_problems,
    plan_tags,
    tag_plan_problems,
    unmatched_pattern_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_writes import Progress, TagWriter
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WAIT_ARGUMENTS, WaitOptions, wait_problems

REPOSITORY_TAG_ARGUMENTS: Json = {
    **TAG_ARGUMENTS,
    **OWNER_ACCOUNT_ARGUMENT,
    **ASSUME_ROLE_ARGUMENTS,
    **WAIT_ARGUMENTS,
}


def tag_repositories(module: Module, progress: Progress = lambda _text: None) -> Json:
    """The result of the module `ecr_repository_tag`.

    :param progress: receives the current activity
    """
    params, problems = module.params, Problems()
    declared, owner, wait = tag_declaration(params), OwnerAccount.of(params), WaitOptions.of(params)
    problems.extend(tag_declaration_problems(declared))
    problems.extend(owner.problems())
    problems.extend(wait_problems(wait))
    problems.check()

    session = session_of(module)
    owner.check(session.identity["account"])
    ecr = session.client("ecr")

    def read_and_plan() -> TagPlan:
        found = Problems()
        plan = plan_tags(read_repositories(session, ecr, declared, wait, found), declared.tags, declared.is_present)
        found.extend(tag_plan_problems(plan))
        found.check()
        return plan

    plan = read_and_plan() if declared.is_present else confirmed_removal(read_and_plan, TagPlan.is_complete, wait)
    registry = _ecr.repository_uri(ecr, plan.repositories[0].name).partition("/")[0] if plan.repositories else ""
    if plan.changes and not module.check_mode:
        writer = TagWriter(session.client("resourcegroupstaggingapi"), ecr, plan, wait)
        writer.write(progress)
        writer.wait_until_confirmed(progress)
    return {
        "changed": bool(plan.changes),
        "region": session.region,
        "registry": registry,
        "repositories": plan.result(),
        "diff": plan.diff,
    }


def read_repositories(
    session: Session, ecr: Client, declared: TagDeclaration, wait: WaitOptions, problems: Problems
) -> list[TaggedRepository]:
    """The repositories that a declaration selects, with the tags that ECR returns.

    A repository that does not exist has no tags, which is as declared if tags are to be removed.
    """
    names = declared_names(session, ecr, declared)
    owner = arn_of(session.identity["arn"]).identity
    prefix = owner.repository(session.region, "")
    found = tags_of_each(ecr, prefix, names.selected, names.tagged, declared.tags.items(), wait)
    if declared.is_present:
        problems.extend(unmatched_pattern_problems(declared.names, names.known or ()))
        missing = [name for name, tags in found.items() if tags is None]
        problems.extend(missing_repository_problems(missing, owner.account, session.region))
    return [TaggedRepository(name, prefix + name, tags) for name, tags in found.items() if tags is not None]
