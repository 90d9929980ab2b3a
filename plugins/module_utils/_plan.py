# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What has to change, as values: before, after, and the writes between them in order. Standard library only.

The order of the writes keeps one rule: at no moment may a principal read a repository unless the old or the new
declaration allows exactly that pair. So the trust is narrowed to what both declarations have, then the permissions
change, then the trust is widened; and a role is attached to its policy only when both are as declared.
"""

from __future__ import annotations

import fnmatch
import re
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils import _access, _parties, _policy, _trust
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems

#: Resource Groups Tagging API Reference, TagResources and UntagResources: at most 20 ARNs in a call.
TAGGING_BATCH = 20
#: ECR User Guide, "Tagging a private repository": at most 50 tags on a repository.
MAXIMUM_TAGS = 50
#: ECR API Reference, CreateRepository, repositoryName.
_REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
#: A registry's host and a name: ECR would take it for a repository's name, but nobody means it as one.
_REGISTRY = re.compile(r"[0-9]{12}\.dkr[.-]ecr[.-]")

#: IAM User Guide, "Versioning IAM policies": at most five versions of a policy.
_MAXIMUM_VERSIONS = 5
#: What a role has beside its trust and its tags.
_SETTINGS = ("description", "max_session_duration", "permissions_boundary")
#: The IAM tag that says that a role or a policy was made by this collection.
OWNERSHIP_TAG = ("managed-by", "crossaccount.ecr")


# --- tags on repositories ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TagChange:
    """One repository whose tags change."""

    name: str
    arn: str
    before: dict[str, str]
    after: dict[str, str]

    @property
    def removed(self) -> list[str]:
        """The keys that go."""
        return sorted(set(self.before) - set(self.after))


@dataclass(frozen=True)
class TagPlan:
    """The repositories looked at, and those that change."""

    state: str
    tags: dict[str, str]
    repositories: dict[str, tuple[str, dict[str, str]]]
    changes: list[TagChange]

    @property
    def diff(self) -> dict[str, t.Any]:
        """In Ansible's form: the repositories that change, before and after."""
        return {
            "before": {change.name: change.before for change in self.changes},
            "after": {change.name: change.after for change in self.changes},
        }

    def is_done(self, change: TagChange, tags: dict[str, str]) -> bool:
        """Whether a repository with these tags has what this plan is about; what others do to other tags is theirs."""
        if self.state == "present":
            return self.tags.items() <= tags.items()
        return not any(tags.get(key) == change.before[key] for key in change.removed)

    def batches(self) -> list[list[TagChange]]:
        """The changes in groups that fit into one call: few enough, and all lose the same keys."""
        groups: dict[tuple[str, ...], list[TagChange]] = {}
        for change in self.changes:
            groups.setdefault(tuple(change.removed), []).append(change)
        return [
            group[at : at + TAGGING_BATCH] for group in groups.values() for at in range(0, len(group), TAGGING_BATCH)
        ]

    def result(self) -> list[dict[str, t.Any]]:
        """One entry for each repository, in the order of their names, as after the run."""
        changed = {change.name: change.after for change in self.changes}
        return [
            {"name": name, "arn": arn, "changed": name in changed, "before": tags, "tags": changed.get(name, tags)}
            for name, (arn, tags) in sorted(self.repositories.items())
        ]


def is_pattern(name: str) -> bool:
    """Whether a name is an `fnmatch` pattern rather than a repository's name."""
    return any(character in name for character in "*?[")


def repository_problem(name: str) -> str | None:
    """What is wrong with a repository's name, or None."""
    if 2 <= len(name) <= 256 and _REPOSITORY.fullmatch(name) and not _REGISTRY.match(name):
        return None
    return (
        f"{name!r} is not a repository name: 2 to 256 of a-z, 0-9 and . _ - / are, beginning and ending with a letter"
        " or digit. Give the name alone, without registry and image tag."
    )


def pattern_problem(pattern: str) -> str | None:
    """What is wrong with an `fnmatch` pattern of repository names, or None."""
    if pattern.isprintable():
        return None
    return f"Pattern {pattern!r} contains an unprintable character. Remove it."


def select(names: t.Sequence[str], known: t.Iterable[str], problems: Problems) -> list[str]:
    """The repositories that `names` means: exact names as they are, patterns matched against `known`."""
    known = sorted(known)
    selected = dict.fromkeys(name for name in names if not is_pattern(name))
    for pattern in filter(is_pattern, names):
        matched = fnmatch.filter(known, pattern)
        if not matched:
            problems.add(
                f"Pattern {pattern!r} matches none of the {len(known)} repositories in this registry and region."
            )
        selected.update(dict.fromkeys(matched))
    return list(selected)


def carries(tags: dict[str, str], wanted: dict[str, str]) -> bool:
    """Whether one of the tags `wanted` is among `tags`, in any case of its key: IAM does not tell them apart."""
    there = {(key.lower(), value) for key, value in tags.items()}
    return any((key.lower(), value) in there for key, value in wanted.items())


def may_pass(reason: str) -> bool:
    """Whether a failure is one of AWS's own, or of too many calls, so that the same call may work soon.

    :param reason: AWS's error code, and after a colon its message
    """
    code = reason.partition(":")[0]
    return any(part in code for part in ("Throttl", "TooManyRequests", "RequestLimit", "Internal", "Server", "Service"))


def plan_tags(
    repositories: dict[str, tuple[str, dict[str, str]]], tags: dict[str, str], state: str, problems: Problems
) -> TagPlan:
    """What to change so that each repository has, or no longer has, `tags`. Other tags stay.

    :param repositories: name to (ARN, tags as they are)
    :param state: `present` or `absent`; with `absent` a tag goes only where its value is the declared one, and then in
        any case of its key, for IAM does not tell them apart
    """
    changes, going = [], {(key.lower(), value) for key, value in tags.items()}
    if state == "present":
        for problem in _policy.spelling_problems(tags):
            problems.add(f"tags: {problem}")
    for name, (arn, before) in sorted(repositories.items()):
        if state == "present":
            after = {**before, **tags}
        else:
            after = {key: value for key, value in before.items() if (key.lower(), value) not in going}
        if after == before:
            continue
        if len(after) > MAXIMUM_TAGS:
            problems.add(
                f"Repository {name} would have {len(after)} tags; ECR takes {MAXIMUM_TAGS}. Remove some first."
            )
        for key in tags:
            twins = [other for other in before if other != key and other.lower() == key.lower()]
            if state == "present" and twins:
                problems.add(
                    f"Repository {name} has a tag {twins[0]!r}, which IAM does not tell from {key!r}. Remove it first."
                )
        changes.append(TagChange(name, arn, before, after))
    return TagPlan(state, tags, repositories, changes)


# --- the pull role -------------------------------------------------------------------------------------------------


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


@dataclass(frozen=True)
class Step:
    """One write: a function of `_iam` and its arguments."""

    call: str
    arguments: dict[str, t.Any]


@dataclass(frozen=True)
class RolePlan:
    """Before, after, and the writes between."""

    before: RoleState
    after: RoleState
    steps: list[Step]

    @property
    def diff(self) -> dict[str, t.Any]:
        return {"before": self.before.shown(), "after": self.after.shown()}


_ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_POLICY_NAME = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)
_POLICY_ARN = re.compile(r"arn:aws[a-z-]*:iam::(?:[0-9]{12}|aws):policy/[\w+=,.@/-]+", re.ASCII)
_PATH = re.compile(r"/(?:[\w+=,.@-]+/)*", re.ASCII)


def declare_role(
    before: RoleState, options: dict[str, t.Any], partition: str, account: str, problems: Problems
) -> RoleState:
    """The role as it shall be. What the options do not mention stays as it is.

    :param options: the options of `iam_ecr_pull_role`
    """
    consumers = _policy.consumers_of(options["consumers"] or [], partition, problems)
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
        trust=before.trust if _policy.equal(before.trust, trust) else trust,
        permissions=before.permissions if _policy.equal(before.permissions, permissions) else permissions,
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


def name_problems(name: str, policy_name: str, path: str) -> list[str]:
    """What is wrong with the names of role and policy. Source: IAM API Reference, CreateRole and CreatePolicy."""
    found = []
    allowed = "letters, digits and _+=,.@-"
    if not _ROLE_NAME.fullmatch(name):
        found.append(f"Role name {name!r} must have 1 to 64 of {allowed}.")
    if not _POLICY_NAME.fullmatch(policy_name):
        found.append(f"Policy name {policy_name!r} must have 1 to 128 of {allowed}.")
    if not _PATH.fullmatch(path) or len(path) > 512:
        found.append(f"Path {path!r} must begin and end with / and have {allowed} between, 512 characters at most.")
    return found


def _boundary_problems(boundary: str, role: str, policy: str) -> t.Iterator[str]:
    if not _POLICY_ARN.fullmatch(boundary):
        yield f"permissions_boundary {boundary!r} is not a policy's ARN, such as arn:aws:iam::111111111111:policy/NAME."
    # Names of policies are unique in an account, regardless of path and case.
    elif "::aws:" not in boundary and boundary.rpartition("/")[2].lower() == policy.lower():
        yield (
            f"permissions_boundary {boundary} is the policy of role {role} itself, so it limits nothing."
            " Name another policy."
        )


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
        yield from _boundary_problems(options["permissions_boundary"], name, options["policy_name"] or name)
    if options["regions"] == []:
        yield "regions is an empty list: name the regions, or leave the option out for all of them."
    for region in options["regions"] or ():
        problem = _policy.region_problem(region)
        if problem:
            yield problem
    for key, value in tags.items():
        problem = (
            _policy.tag_problem(key, value)
            if isinstance(value, str)
            else f"the value of {key} must be a string; {value!r} is not. Quote it."
        )
        if problem:
            yield f"tags: {problem}"
    for problem in _policy.spelling_problems(tags):
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
        size = _policy.size(document)
        if size > limit:
            yield f"{what} of {name} would have {size} characters; AWS takes {limit}. Share in two roles."


def _said(declared: t.Any, actual: t.Any) -> t.Any:
    return actual if declared is None else declared


#: Nobody: what stands in the trust while nothing is common to the old and the new declaration.
NOBODY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}


#: Deny every session that was issued until now. IAM User Guide, "Revoke IAM role temporary security credentials".
REVOKE = Step("revoke_sessions", {})
#: The same, and a mark that this is to be done once more when the trust is narrower: whoever comes in before that would
#: keep the session if this run were killed in between, and the next run would know nothing of it.
BEGIN_REVOCATION, END_REVOCATION = Step("begin_revocation", {}), Step("end_revocation", {})


def plan_role(before: RoleState, after: RoleState) -> RolePlan:
    """The writes that make the role and its policy as declared; none where they are."""
    steps: list[Step] = []
    trust_differs = not _policy.equal(before.trust, after.trust)
    permissions_differ = not _policy.equal(before.permissions, after.permissions)

    boundary_differs = after.permissions_boundary not in (None, before.permissions_boundary)
    put_boundary = Step("put_boundary", {"boundary": after.permissions_boundary})
    if before.role_exists and boundary_differs and before.permissions_boundary is None:
        # A first boundary only narrows what the role can do, so no other write has to come before it. A caller that may
        # not set it fails here, and nothing is written.
        steps.append(put_boundary)
        boundary_differs = False

    trust = before.trust
    if before.trust and after.trust:
        if permissions_differ and boundary_differs:
            # The old of the one with the new of the other may reach what neither declaration does.
            trust = NOBODY
        elif trust_differs and (permissions_differ or boundary_differs):
            common = _policy.common_statements(before.trust, after.trust)
            trust = {"Version": "2012-10-17", "Statement": common} if common else NOBODY
        # Sessions outlive the trust that let them in, and the attachment: who is no longer declared must not see what
        # comes next. Before the trust changes, and afterwards, for who came in meanwhile.
        loses = bool(_trust.lost(before.trust, after.trust))
        # Where an unshare was killed, the role is there and its revocation is gone: who was dropped before that is out.
        returns = not before.attached and not before.revoked and _policy.equal(before.trust, NOBODY)
        if loses or before.revoking or returns:
            after = replace(after, revoked=True, revoking=False)
        if loses and not before.revoking:
            steps.append(BEGIN_REVOCATION)
        if loses and _policy.equal(trust, before.trust):
            trust = after.trust
        if not _policy.equal(trust, before.trust):
            steps.append(Step("update_trust", {"document": trust}))
        if loses or before.revoking:
            steps += [REVOKE, END_REVOCATION]
        elif returns:
            steps.append(REVOKE)

    # A new role comes first: IAM may refuse a principal in its trust, and then nothing was written.
    if not before.role_exists:
        arguments = {
            "trust": after.trust,
            "tags": after.role_tags,
            "description": after.description,
            "max_session_duration": after.max_session_duration,
            "permissions_boundary": after.permissions_boundary,
        }
        steps.append(Step("create_role", arguments))
    if not before.policy_exists:
        steps.append(Step("create_policy", {"document": after.permissions, "tags": after.policy_tags}))
    else:
        steps += _new_permissions(before, after) if permissions_differ else surplus(before.versions)
        steps += _new_tags("tag_policy", before.policy_tags, after.policy_tags)

    if before.role_exists:
        if boundary_differs:
            steps.append(put_boundary)
        if (before.description, before.max_session_duration) != (after.description, after.max_session_duration):
            settings = {"description": after.description, "max_session_duration": after.max_session_duration}
            steps.append(Step("update_role", settings))
        steps += _new_tags("tag_role", before.role_tags, after.role_tags)
    if before.role_exists and not _policy.equal(trust, after.trust):
        steps.append(Step("update_trust", {"document": after.trust}))
    if not before.attached:
        steps.append(Step("attach", {}))
    return RolePlan(before, after, steps)


def _new_permissions(before: RoleState, after: RoleState) -> list[Step]:
    for version in before.versions:
        if version.document is not None and _policy.equal(version.document, after.permissions):
            return [
                Step("set_default_version", {"version": version.identifier}),
                *surplus(before.versions, version.identifier),
            ]
    steps = []
    if len(before.versions) >= _MAXIMUM_VERSIONS:
        oldest = min((one for one in before.versions if not one.is_default), key=lambda one: int(one.identifier[1:]))
        steps.append(Step("delete_version", {"version": oldest.identifier}))
    return [*steps, Step("create_version", {"document": after.permissions})]


def surplus(versions: t.Sequence[PolicyVersion], default: str | None = None) -> list[Step]:
    """The writes that remove versions with the very document of the default one.

    A creation that was sent twice leaves one, since the first answer was lost; so do two runs at once.

    :param default: the version that is the default one by then; None for the one that is
    """
    kept = next((one for one in versions if (one.identifier == default if default else one.is_default)), None)
    return [
        Step("delete_version", {"version": one.identifier})
        for one in versions
        if kept and one is not kept and one.document is not None and one.document == kept.document
    ]


def _new_tags(call: str, before: dict[str, str], after: dict[str, str]) -> list[Step]:
    added = {key: value for key, value in after.items() if before.get(key) != value}
    return [Step(call, {"tags": added})] if added else []


def plan_role_absent(
    before: RoleState, name: str, policy_name: str, problems: Problems, adopt: bool = False
) -> RolePlan:
    """The writes that remove the role and its policy; refused where others made them or hang on to them."""
    key, value = OWNERSHIP_TAG
    for what, exists, tags in (
        (f"Role {name}", before.role_exists, before.role_tags),
        (f"Policy {policy_name}", before.policy_exists, before.policy_tags),
    ):
        if exists and not _is_ours(tags) and not adopt:
            problems.add(
                f"{what} is not tagged {key}={value}, so this collection did not make it."
                " If it is yours to delete, say adopt: true."
            )
    for foreign in before.foreign:
        problems.add(f"{foreign}. Remove that first; nothing else was touched.")
    steps = []
    if before.attached:
        steps.append(Step("detach", {}))
    if (before.revoked or before.revoking) and not _policy.equal(before.trust, NOBODY):
        steps.append(Step("update_trust", {"document": NOBODY}))  # tells a share after a killed run to revoke again
    if before.revoked:
        steps.append(Step("delete_revocation", {}))
    if before.revoking:
        steps.append(END_REVOCATION)
    if before.role_exists:
        steps.append(Step("delete_role", {}))
    for version in before.versions:
        if not version.is_default:
            steps.append(Step("delete_version", {"version": version.identifier}))
    if before.policy_exists:
        steps.append(Step("delete_policy", {}))
    return RolePlan(before, RoleState(), steps)


def role_warnings(plan: RolePlan, name: str, policy_name: str) -> list[str]:
    """What a user should know of a plan before it is carried out, though it is no error."""
    before, found = plan.before, []
    dangling = _policy.dangling_principals(before.trust)
    if dangling and plan.steps:
        found.append(f"The trust of {name} named deleted users or roles: {', '.join(dangling)}. They are replaced.")
    if not plan.after.role_exists:
        return found
    elsewhere = [one for one in before.foreign if one.startswith(f"Policy {policy_name} ")]
    if elsewhere and plan.steps:
        found.append(f"{'; '.join(elsewhere)}. Others attached it: what they may read changes with it.")
    added = [one for one in before.foreign if one not in elsewhere and " has " in one]
    if added:
        found.append(f"{'; '.join(added)}. Others added it: what it allows comes on top of what is declared.")
    return found


def settled(plan: RolePlan, seen: RoleState) -> list[str]:
    """What IAM does not read back yet of a plan that was carried out; empty when it reads back all of it."""
    after = plan.after
    missing = [
        what
        for what, as_planned in (
            ("the role", seen.role_exists == after.role_exists),
            ("the policy", seen.policy_exists == after.policy_exists),
            ("the trust", _policy.equal(seen.trust, after.trust)),
            ("the permissions", _policy.equal(seen.permissions, after.permissions)),
            ("the attachment", seen.attached == after.attached),
            ("the end of the revocation", not seen.revoking),
            ("the role's tags", _folded(seen.role_tags) == _folded(after.role_tags)),
            ("the policy's tags", _folded(seen.policy_tags) == _folded(after.policy_tags)),
        )
        if not as_planned
    ]
    if after.role_exists and (
        (seen.description, seen.max_session_duration, seen.permissions_boundary)
        != (after.description, after.max_session_duration, after.permissions_boundary)
    ):
        missing.append("the role's settings")
    return missing


def reaches_beyond_tags(permissions: dict[str, t.Any] | None) -> bool:
    """Whether a permissions document of others lets a session pull what carries no tag that it asks for."""
    return any(
        statement.get("Effect") == "Allow"
        and _policy.as_list(statement.get("Action")) != [_policy.TOKEN_ACTION]
        and not _access.granting_tags({"Statement": [statement]})
        for statement in _policy.statements(permissions or {})
    )


def _folded(tags: dict[str, str]) -> dict[str, str]:
    return {key.lower(): value for key, value in tags.items()}


def _is_ours(tags: dict[str, str]) -> bool:
    key, value = OWNERSHIP_TAG
    return _folded(tags).get(key) == value


#: The writes after which something is gone; that it is gone already is as good.
REMOVALS = ("detach", "delete_revocation", "end_revocation", "delete_role", "delete_version", "delete_policy")

#: With which code AWS refuses a write because what it makes is there, or has taken the last place.
IN_THE_WAY = {
    "create_role": "EntityAlreadyExists",
    "create_policy": "EntityAlreadyExists",
    "create_version": "LimitExceeded",
}


def made(step: Step, seen: RoleState) -> bool | None:
    """Whether what is there now is what `step` was to make, though AWS refused it; None while nothing is seen.

    AWS took a request whose answer was lost, the SDK sent it again, and what it made stood in its way; or somebody
    else made the like, and then it is taken for ours only where it is tagged and has the content of ours.
    """
    said = step.arguments
    if step.call == "create_role":
        if not seen.role_exists:
            return None
        return (
            _policy.equal(seen.trust, said["trust"])
            and _folded(said["tags"]).items() <= _folded(seen.role_tags).items()
            and all(getattr(seen, name) == said[name] for name in _SETTINGS)
        )
    if step.call == "create_policy":
        if not seen.policy_exists:
            return None
        return (
            _policy.equal(seen.permissions, said["document"])
            and _folded(said["tags"]).items() <= _folded(seen.policy_tags).items()
        )
    if step.call == "create_version" and not _policy.equal(seen.permissions, said["document"]):
        return None if len(seen.versions) < _MAXIMUM_VERSIONS else False
    return step.call == "create_version"


def ownership_problems(before: RoleState, after: RoleState, name: str, policy_name: str) -> list[str]:
    """Why an existing role or policy is not taken over: it is not tagged as ours and differs from the declaration."""
    key, value = OWNERSHIP_TAG
    found = []
    for kind, exists, tags, same, what in (
        ("Role", before.role_exists, before.role_tags, _policy.equal(before.trust, after.trust), name),
        (
            "Policy",
            before.policy_exists,
            before.policy_tags,
            _policy.equal(before.permissions, after.permissions),
            policy_name,
        ),
    ):
        if exists and not _is_ours(tags) and not same:
            found.append(
                f"{kind} {what} exists, is not tagged {key}={value}, and differs from the declaration."
                " If it is yours to change, say adopt: true; else choose another name."
            )
    return found
