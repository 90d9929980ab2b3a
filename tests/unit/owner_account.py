# SPDX-License-Identifier: GPL-3.0-or-later
"""An owner account in memory: plans of shares are applied to it, one write at a time."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.crossaccount.ecr.plugins.module_utils._consumer_roles import is_role_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._former_modes import policies_of_mode, policy_search
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_declaration import AccessDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_plan import merged
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_declaration import role_declaration_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import (
    Attachment,
    AttachmentKind,
    RoleState,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import Account, RegistryState, Share
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_declaration import (
    declared_shares,
    share_declaration_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_plan import SharePlan, plan_shares
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_roles import NewValues, plan_pull_role

from tests.unit.authority import EARLY, Caller, assumes, reads
from tests.unit.iam_writes import applied

OWNER, REGION = "111111111111", "eu-west-1"
ONE, TWO, THREE = "222222222222", "333333333333", "444444444444"
TAG = {"environment": "release"}
OURS = {"managed-by": "crossaccount.ecr"}
POLICY = ("policy_exists", "permissions", "policy_tags", "versions")


def consumer(account: str, external_id: str = "shared-id", **options: Any) -> dict[str, Any]:
    return {"account": account, "external_id": f"{external_id}-{account}", **options}


def declared(name: str, *accounts: str, **options: Any) -> dict[str, Any]:
    """A share in the form that the module receives."""
    return {
        "role_name": name,
        "repository_tags": TAG,
        "repositories": ["release"],
        "consumers": [consumer(account) for account in accounts or [ONE]],
        **options,
    }


CALLERS = [
    Caller(f"arn:aws:iam::{account}:user/any", f"{external_id}-{account}")
    for account in (ONE, TWO, THREE)
    for external_id in ("shared-id", "other-id")
]


def time_of(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


@dataclass
class OwnerAccount:
    """The owner account: pull roles, and the tags of repositories in one region.

    :param policy_of: the policy of each role
    :param documents: the texts of the policies of repositories
    :param now: the time of its next reads
    """

    repositories: dict[str, dict[str, str]]
    roles: dict[str, RoleState] = field(default_factory=dict)
    unknown: str = ""
    policies: dict[str, RoleState] = field(default_factory=dict)
    policy_of: dict[str, str] = field(default_factory=dict)
    now: str = EARLY
    documents: dict[str, str | None] = field(default_factory=dict)

    def read(self, name: str, policy: str) -> RoleState:
        """The state of a role and its policy, as IAM returns it."""
        state, known = self.roles.get(name, RoleState()), self.policies.get(policy)
        if known is None:
            return state
        others = [
            Attachment(AttachmentKind.ROLE, other)
            for other, role in self.roles.items()
            if other != name and role.attached and self.policy_of.get(other) == policy
        ]
        return replace(state, attachments=tuple(others), **{part: getattr(known, part) for part in POLICY})

    def write(self, name: str, policy: str, state: RoleState) -> OwnerAccount:
        part = replace(RoleState(), **{part: getattr(state, part) for part in POLICY})
        return replace(
            self,
            roles={**self.roles, name: replace(state, attachments=())},
            policies={**self.policies, policy: part},
            policy_of={**self.policy_of, name: policy},
        )

    def account(self, shares: list[Share]) -> Account:
        """The result of a reader."""
        every, shares = shares, [share for share in shares if share.has_role]
        names = {share.name: share.policy_name for share in shares}
        for name, role in self.roles.items():
            if role.role_exists and role.role_tags.items() >= OURS.items() and name in self.policy_of:
                former = [share for share in every if not share.has_role and is_role_of(share, name, role)]
                names.update({name: self.policy_of[name]} if former else {})
        for share in every:
            policy = self.policies.get(share.label)
            if not share.has_role and policy and policy.policy_exists:
                names.setdefault(share.label, share.label)
        names.update({share.label: share.policy_name for share in shares if share.label in self.roles})
        for name, role in self.roles.items():
            label = role.role_tags.get("crossaccount.ecr-share", name)
            for share in shares:
                if share.label == label:
                    names[name] = share.policy_name
        others = {
            name: role
            for name, role in self.roles.items()
            if name not in names and role.role_tags.items() >= OURS.items()
        }
        roles = {name: replace(self.read(name, policy), policy_name=policy) for name, policy in names.items()}
        documents: dict[str, str | None] = {name: self.documents.get(name) for name in [*self.repositories, "*"]}
        modes = policy_search(every, roles, REGION).modes
        documents = {name: text for mode in modes for name, text in policies_of_mode(documents, mode).items()}
        registry = RegistryState(
            REGION, "registry", dict(self.repositories), tuple(self.repositories), self.unknown, documents
        )
        return Account(Identity("aws", OWNER), time_of(self.now), roles, others, {REGION: registry})

    def plan(
        self,
        shares: list[dict[str, Any]],
        state: str = "present",
        is_carried_out: bool = False,
        expired_only: bool = False,
        make_id: Callable[[], str] = lambda: "generated",
    ) -> SharePlan:
        options = {"shares": shares, "defaults": None, "state": state, "trust_policy_quota": 2048}
        listed = declared_shares(options, REGION)
        plan = plan_shares(listed, self.account(listed), make_id, is_carried_out, expired_only)
        return replace(plan, problems=list(dict.fromkeys([*share_declaration_problems(options), *plan.problems])))

    def sessions(self, now: str = "") -> dict[str, list[str]]:
        """The principals that can assume each role."""
        return {
            name: readers(state.trust or {"Statement": []}, now or self.now)
            for name, state in self.roles.items()
            if state.role_exists
        }

    def readable(self, name: str, now: str = "") -> list[str]:
        """The repositories that a session of a role can read."""
        state = self.roles[name]
        permissions = self.policies[self.policy_of[name]].permissions if name in self.policy_of else state.permissions
        if not (state.role_exists and state.attached and permissions):
            return []
        ends = state.end_policy or {"Statement": []}
        document = {"Statement": [*permissions["Statement"], *ends["Statement"]]}
        arn = f"arn:aws:ecr:{REGION}:{OWNER}:repository/"
        return [
            repository
            for repository, tags in self.repositories.items()
            if reads(document, "ecr:BatchGetImage", arn + repository, tags, now or self.now)
        ]

    def pairs(self, now: str = "") -> set[tuple[str, str, str]]:
        """The repositories that each principal can read, by role."""
        return {
            (name, caller, repository)
            for name, callers in self.sessions(now).items()
            for caller in callers
            for repository in self.readable(name, now)
        }

    def consumers(self, now: str = "") -> set[tuple[str, str]]:
        """The repositories that each principal can read, through any role."""
        return {(caller, repository) for _role, caller, repository in self.pairs(now)}


def readers(trust: dict[str, Any], now: str = EARLY) -> list[str]:
    return [f"{caller.account} {caller.external_id}" for caller in CALLERS if assumes(trust, caller, now)]


def carried_out(world: OwnerAccount, plan: SharePlan) -> Iterator[OwnerAccount]:
    """The account before the first write of a plan, and after each write."""
    assert plan.problems == []
    yield world
    for module, options in plan.steps:
        if module == "iam_ecr_pull_role":
            name, policy = options["name"], options["policy_name"]
            new, problems = NewValues(lambda: "not called", time_of(world.now)), Problems()
            before = world.read(name, policy)
            role = plan_pull_role(before, role_declaration_of(options), Identity("aws", OWNER), new, problems)
            assert problems.found == []
            state = role.plan.before
            for step in role.plan.steps:
                state = applied(state, step)
                world = world.write(name, policy, state)
                yield world
            continue
        for name in options["names"] or ["*"]:
            if module == "ecr_repository_policy_statement":
                world = _with_statement(world, name, options)
                yield world
                continue
            tags, change = world.repositories[name], options["tags"]
            if options["state"] == "absent":
                tags = {key: value for key, value in tags.items() if change.get(key) != value}
            else:
                tags = {**tags, **change}
            world = replace(world, repositories={**world.repositories, name: tags})
            yield world


def _with_statement(world: OwnerAccount, name: str, options: dict[str, Any]) -> OwnerAccount:
    """The account after a statement was written to the policy of one repository."""
    declared = AccessDeclaration.of({"repository_tags": None, "exclusive": False, **options})
    text = world.documents.get(name)
    policy = merged(
        None if text is None else json.loads(text), declared, declared.statements(Identity("aws", OWNER), REGION)
    )
    return replace(world, documents={**world.documents, name: None if policy is None else json.dumps(policy)})


def end_of(world: OwnerAccount, *shares: dict[str, Any], state: str = "present") -> OwnerAccount:
    *_moments, end = carried_out(world, world.plan(list(shares), state))
    return end
