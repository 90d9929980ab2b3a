# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The role and its policy as values: as they are in the account, and as they are declared. Standard library only."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils import (
    _access,
    _consumers,
    _names,
    _parties,
    _policy,
    _policy_document,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import MAXIMUM_TAGS, boundary_problems

#: What a role has beside its trust and its tags.
SETTINGS = ("description", "max_session_duration", "permissions_boundary")
#: The IAM tag that says that a role or a policy was made by this collection.
OWNERSHIP_TAG = ("managed-by", "crossaccount.ecr")


@dataclass(frozen=True)
class PolicyVersion:
    """A version of the managed policy."""

    identifier: str
    is_default: bool
    document: dict[str, t.Any] | None = None


@dataclass(frozen=True)
class RoleState:
    """The role and its policy: as they are in the account, or as they are declared."""

    role_exists: bool = False
    policy_exists: bool = False
    path: str = "/"
    description: str = ""
    max_session_duration: int = 3600
    permissions_boundary: str | None = None
    trust: dict[str, t.Any] | None = None
    permissions: dict[str, t.Any] | None = None
    attached: bool = False
    role_tags: dict[str, str] = field(default_factory=dict)
    policy_tags: dict[str, str] = field(default_factory=dict)
    versions: tuple[PolicyVersion, ...] = ()
    #: Whether older sessions were revoked: the inline policy of that is on the role.
    revoked: bool = False
    #: Whether a run that takes somebody out of the trust has not come to its end: the inline policy of that is there.
    revoking: bool = False
    #: What others added to the role or attached the policy to; it blocks a deletion.
    foreign: tuple[str, ...] = ()

    def shown(self) -> dict[str, t.Any]:
        """What a diff shows."""
        return {
            "role": {
                "path": self.path,
                "description": self.description,
                "max_session_duration": self.max_session_duration,
                "permissions_boundary": self.permissions_boundary,
                "trust": self.trust,
                "tags": self.role_tags,
            }
            if self.role_exists
            else {},
            "policy": {"permissions": self.permissions, "tags": self.policy_tags} if self.policy_exists else {},
            "attached": self.attached,
        }


def declare_role(
    before: RoleState, options: dict[str, t.Any], partition: str, account: str, problems: Problems
) -> RoleState:
    """The role as it shall be. What the options do not mention stays as it is.

    :param options: the options of `iam_ecr_pull_role`
    """
    consumers = _consumers.consumers_of(options["consumers"] or [], partition, problems)
    for problem in _parties.consumer_problems(consumers, account):
        problems.add(problem)
    repository_tags = _policy.repository_tags_of(options["repository_tags"] or {}, problems)
    tags = {OWNERSHIP_TAG[0]: OWNERSHIP_TAG[1], **(options["tags"] or {})}
    trust = _policy.trust_document(partition, consumers)
    permissions = _policy.permissions_document(
        partition, account, repository_tags, options["access"], options["condition_key"], options["regions"] or ()
    )
    for problem in _role_problems(before, options, trust, permissions, tags):
        problems.add(problem)
    return replace(
        before,
        role_exists=True,
        policy_exists=True,
        path=options["path"],
        description=_said(options["description"], before.description),
        max_session_duration=_said(options["max_session_duration"], before.max_session_duration),
        permissions_boundary=_said(options["permissions_boundary"], before.permissions_boundary),
        trust=before.trust if _policy_document.equal(before.trust, trust) else trust,
        permissions=before.permissions if _policy_document.equal(before.permissions, permissions) else permissions,
        attached=True,
        role_tags=_with_tags(before.role_tags, tags),
        policy_tags=_with_tags(before.policy_tags, tags),
    )


def _with_tags(before: dict[str, str], tags: dict[str, str]) -> dict[str, str]:
    """IAM does not tell tag keys apart by case: a key takes the place of its twin, or keeps its spelling."""
    twins = {key.lower(): key for key in before}
    added = {key: value for key, value in tags.items() if before.get(twins.get(key.lower(), key)) != value}
    replaced = {key.lower() for key in added}
    return {**{key: value for key, value in before.items() if key.lower() not in replaced}, **added}


def _role_problems(
    before: RoleState, options: dict[str, t.Any], trust: t.Any, permissions: t.Any, tags: dict[str, str]
) -> t.Iterator[str]:
    name, duration, description = options["name"], options["max_session_duration"], options["description"] or ""
    if before.role_exists and before.path != options["path"]:
        yield (
            f"Role {name} has the path {before.path}; IAM can not move it to {options['path']}."
            " Declare the path it has, or delete the role first (state: absent)."
        )
    if duration is not None and not 3600 <= duration <= 43200:
        yield f"max_session_duration is {duration} seconds; IAM takes 3,600 to 43,200."
    # IAM API Reference, CreateRole, Description: Latin-1 without most control characters, 1,000 at most.
    wrong = [character for character in description if not re.match(r"[\t\n\r\x20-\x7e\xa1-\xff]", character)]
    if wrong:
        yield f"The description has {wrong[0]!r}; IAM takes Latin-1 characters only in a role's description."
    if len(description) > 1000:
        yield f"The description has {len(description)} characters; IAM takes 1,000."
    if options["permissions_boundary"] is not None:
        yield from boundary_problems(options["permissions_boundary"], name, options["policy_name"] or name)
    if options["regions"] == []:
        yield "regions is an empty list: name the regions, or leave the option out for all of them."
    for region in options["regions"] or ():
        problem = _names.region_problem(region)
        if problem:
            yield problem
    for key, value in tags.items():
        problem = (
            _names.tag_problem(key, value)
            if isinstance(value, str)
            else f"the value of {key} must be a string; {value!r} is not. Quote it."
        )
        if problem:
            yield f"tags: {problem}"
    for problem in _names.spelling_problems(tags):
        yield f"tags: {problem}"
    if tags[OWNERSHIP_TAG[0]] != OWNERSHIP_TAG[1]:
        yield f"tags: {OWNERSHIP_TAG[0]} is how this collection knows its roles and policies. Choose another key."
    for what, there in ((f"Role {name}", before.role_tags), ("Its policy", before.policy_tags)):
        if len({key.lower() for key in {**there, **tags}}) > MAXIMUM_TAGS:
            yield f"{what} would have more than {MAXIMUM_TAGS} tags. Declare fewer, or remove some first."
    for what, document, limit in (
        ("The trust policy", trust, options["trust_policy_quota"]),
        ("The permissions policy", permissions, _policy.POLICY_CHARACTERS),
    ):
        size = _policy_document.size(document)
        if size > limit:
            yield f"{what} of {name} would have {size} characters; AWS takes {limit}. Share in two roles."


def _said(declared: t.Any, actual: t.Any) -> t.Any:
    return actual if declared is None else declared


def reaches_beyond_tags(permissions: dict[str, t.Any] | None) -> bool:
    """Whether a permissions document of others lets a session pull what carries no tag that it asks for."""
    return any(
        statement.get("Effect") == "Allow"
        and _policy_document.as_list(statement.get("Action")) != [_policy.TOKEN_ACTION]
        and not _access.granting_tags({"Statement": [statement]})
        for statement in _policy_document.statements(permissions or {})
    )


def folded(tags: dict[str, str]) -> dict[str, str]:
    return {key.lower(): value for key, value in tags.items()}


def is_ours(tags: dict[str, str]) -> bool:
    """Whether a role or a policy with these tags was made by this collection."""
    key, value = OWNERSHIP_TAG
    return folded(tags).get(key) == value


def ownership_problems(before: RoleState, after: RoleState, name: str, policy_name: str) -> list[str]:
    """Why an existing role or policy is not taken over: it is not tagged as ours and differs from the declaration."""
    key, value = OWNERSHIP_TAG
    found = []
    for kind, exists, tags, same, what in (
        ("Role", before.role_exists, before.role_tags, _policy_document.equal(before.trust, after.trust), name),
        (
            "Policy",
            before.policy_exists,
            before.policy_tags,
            _policy_document.equal(before.permissions, after.permissions),
            policy_name,
        ),
    ):
        if exists and not is_ours(tags) and not same:
            found.append(
                f"{kind} {what} exists, is not tagged {key}={value}, and differs from the declaration."
                " If it is yours to change, say adopt: true; else choose another name."
            )
    return found
