# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The module `ecr_repository_creation_template`: reads the template, plans its settings, and writes them."""

from __future__ import annotations

from dataclasses import dataclass

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule reports it

from ansible_collections.crossaccount.ecr.plugins.module_utils._access_statement import permissions_of_shares
from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import ASSUME_ROLE_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._declared_account import REGISTRY_ACCOUNT_ARGUMENT
from ansible_collections.crossaccount.ecr.plugins.module_utils._ecr import Client
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems, error_code
from ansible_collections.crossaccount.ecr.plugins.module_utils._failed_result import may_have_been_sent, message_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import arn_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import Module, Progress, no_progress
from ansible_collections.crossaccount.ecr.plugins.module_utils._own_roles import roles_of_this_collection
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_policy import read_registry_policy
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_session import registry_session
from ansible_collections.crossaccount.ecr.plugins.module_utils._response import InvalidResponseError
from ansible_collections.crossaccount.ecr.plugins.module_utils._retry import wait_until_consistent
from ansible_collections.crossaccount.ecr.plugins.module_utils._sdk_support import require_operation
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import Session
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_declaration import (
    TEMPLATE_ARGUMENTS,
    TemplateDeclaration,
    without_slash,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_plan import (
    Template,
    declared_template,
    differences,
    template_diff,
    template_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_sharing import (
    Grants,
    Sharing,
    sharing_of,
    sharing_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WAIT_ARGUMENTS, WaitOptions

CREATION_TEMPLATE_ARGUMENTS: Json = {
    **TEMPLATE_ARGUMENTS,
    **REGISTRY_ACCOUNT_ARGUMENT,
    **ASSUME_ROLE_ARGUMENTS,
    **WAIT_ARGUMENTS,
}


@dataclass(frozen=True)
class TemplatePlan:
    """The change of a template.

    :param before: None if it does not exist
    :param after: None if it is to be deleted
    :param problems: the reasons for which it must not be written
    """

    before: Template | None
    after: Template | None
    sharing: Sharing
    problems: tuple[str, ...]


def plan_template(session: Session, region: str, declared: TemplateDeclaration) -> TemplatePlan:
    """Read the template, and plan its settings. Nothing is written."""
    identity = arn_of(session.identity["arn"]).identity
    before = read_template(session.client("ecr", region), declared.prefix)
    problems, sharing = [*declared.problems_in(identity.partition, identity.account, region)], Sharing((), ())
    if not declared.is_present:
        return TemplatePlan(before, None, sharing, tuple(problems))
    after = declared_template(declared, before)
    grants = _grants(session, region) if after.tags else Grants({})
    sharing = sharing_of(after.tags, declared, grants, identity.repository(region, ""))
    problems += [*template_problems(after), *sharing_problems(after, declared, sharing, grants)]
    return TemplatePlan(before, after, sharing, tuple(problems))


def creation_template(module: Module, progress: Progress = no_progress) -> Json:
    """The result of the module.

    :param progress: receives the current activity
    """
    declared, wait, problems = TemplateDeclaration.of(module.params), WaitOptions.of(module.params), Problems()
    session = registry_session(module, declared.problems())
    ecr = session.client("ecr")
    plan = plan_template(session, session.region, declared)
    before, after = plan.before, plan.after
    problems.extend(plan.problems)
    problems.check()

    if before != after and not module.check_mode:
        progress(f"writing repository creation template {declared.prefix}")
        if read_template(ecr, declared.prefix) != before:
            raise EcrError(
                f"Repository creation template {declared.prefix} was changed by another program during the run. Nothing"
                " was written. Run again."
            )
        _write(ecr, before, after)
        wait_until_consistent(lambda: differences(after, read_template(ecr, declared.prefix)), wait)
    return {
        "changed": before != after,
        "account": session.identity["account"],
        "region": session.region,
        "template": after.result() if after else {},
        "shared_by": [*plan.sharing.roles, *plan.sharing.statements],
        "diff": template_diff(before, after),
    }


def read_template(ecr: Client, prefix: str) -> Template | None:
    """The template of a prefix; None if it does not exist."""
    require_operation(ecr, "DescribeRepositoryCreationTemplates")
    pages = ecr.get_paginator("describe_repository_creation_templates").paginate()
    listed = [Template.of(one) for page in pages for one in page["repositoryCreationTemplates"]]
    return next((template for template in listed if without_slash(template.prefix) == prefix), None)


def write_template(ecr: Client, before: Template | None, after: Template | None) -> None:
    """Create, change or delete the template."""
    if after is None:
        _delete(ecr, before)
        return
    request, operation = after.request(before), "Update" if before else "Create"
    require_operation(ecr, f"{operation}RepositoryCreationTemplate", request)
    if before:
        ecr.update_repository_creation_template(**request)
        return
    try:
        ecr.create_repository_creation_template(**request)
    except botocore.exceptions.ClientError as error:
        # The SDK repeats a request whose response was lost. Then the first request created the template.
        if error_code(error) != "TemplateAlreadyExistsException":
            raise
        if differences(after, read_template(ecr, without_slash(after.prefix))):
            raise EcrError(
                f"Repository creation template {after.prefix} was created by another program during the run, with other"
                " settings. Nothing was written. Run again."
            ) from None


def _write(ecr: Client, before: Template | None, after: Template | None) -> None:
    """Write the template.

    :raises EcrError: with the fact `changed`: AWS may have applied a request whose response was lost
    """
    try:
        write_template(ecr, before, after)
    except Exception as error:
        if isinstance(error, EcrError) and not isinstance(error, InvalidResponseError):
            raise
        changed = may_have_been_sent(error) and _is_changed(ecr, before, after)
        raise EcrError(message_of(error), changed=changed) from None


def _is_changed(ecr: Client, before: Template | None, after: Template | None) -> bool:
    try:
        return read_template(ecr, without_slash((before or after or Template("")).prefix)) != before
    except Exception:
        return False  # the caller raises the error of the write, which is more specific


def _delete(ecr: Client, before: Template | None) -> None:
    if before is None:
        return
    try:
        ecr.delete_repository_creation_template(prefix=before.prefix)
    except botocore.exceptions.ClientError as error:
        if error_code(error) != "TemplateNotFoundException":  # another program deleted it, or the SDK repeats a request
            raise


def _grants(session: Session, region: str) -> Grants:
    roles, statements, unknown = {}, {}, []
    try:
        roles = roles_of_this_collection(session.client("iam"))
    except Exception as error:  # the caller may not need the roles
        unknown.append(message_of(error).rstrip("."))
    try:
        policy = read_registry_policy(session.client("ecr", region), f"registry policy in {region}")
        statements = permissions_of_shares(policy)
    except Exception as error:  # the caller may not need the statements
        unknown.append(message_of(error).rstrip("."))
    return Grants({name: state.permissions or {} for name, state in roles.items()}, "; ".join(unknown), statements)
