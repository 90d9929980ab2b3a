# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The users and roles of an account that may set a tag of a repository. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_policies import (
    ParsedPrincipal,
    PolicyParser,
    place_of,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_request import (
    repository_request,
    session_of_role,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Estate, Repository
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import (
    ALLOWED,
    DENIED,
    UNKNOWN,
    Decision,
    Layer,
    Layers,
    decide_layers,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import Principal

#: Each action that sets a tag, directly or through a template. The tagging API requires the permission of ECR as well.
SETTING = (
    "ecr:TagResource",
    "ecr:CreateRepository",
    "tag:TagResources",
    "ecr:CreateRepositoryCreationTemplate",
    "ecr:UpdateRepositoryCreationTemplate",
)
_NEEDS = {"tag:TagResources": ("ecr:TagResource", "tag:TagResources")}
#: A new repository gets its tags only if the caller may also tag it.
_NEEDS["ecr:CreateRepository"] = ("ecr:CreateRepository", "ecr:TagResource")


@dataclass(frozen=True)
class TagSetter:
    """A user or a role that may set the tag of any repository.

    :param actions: the actions of `SETTING`
    """

    principal: str
    actions: tuple[str, ...]
    verdict: str
    reason: str
    document: str
    statement: str

    def as_json(self) -> Json:
        return {
            "principal": self.principal,
            "actions": list(self.actions),
            "verdict": self.verdict,
            "reason": self.reason,
            "document": self.document,
            "statement": self.statement,
        }


def tag_setters(estate: Estate) -> list[TagSetter]:
    """The users and roles of the account that may set a tag, in the order of their ARNs."""
    parser, samples = PolicyParser(), list(_samples(estate))
    found = []
    for principal in sorted(estate.principals, key=lambda principal: principal.arn):
        parsed = parser.principal(principal)
        decisions = {action: _decision(estate, parsed, action, samples) for action in SETTING}
        able = {action: decision for action, decision in decisions.items() if decision.verdict != DENIED}
        if able:
            first = next((one for one in able.values() if one.verdict == ALLOWED), next(iter(able.values())))
            place = place_of(first.reason.removesuffix(" allows it"))
            reason = "" if first.verdict == ALLOWED else first.reason
            found.append(TagSetter(principal.arn, tuple(able), first.verdict, reason, place.document, place.statement))
    return found


def _samples(estate: Estate) -> t.Iterator[Repository]:
    """Repositories for which requests are evaluated: one for each set of tags, and a new one."""
    found: dict[t.Hashable, Repository] = {}
    for registry in estate.registries:
        for repository in registry.repositories:
            tags = None if repository.tags is None else frozenset(repository.tags.items())
            found.setdefault((registry.region, tags, repository.name.rpartition("/")[0]), repository)
        arn = estate.identity.repository(registry.region, "new-repository")
        yield Repository("new-repository", registry.region, arn, {})
    yield from found.values()


def _decision(estate: Estate, parsed: ParsedPrincipal, action: str, samples: list[Repository]) -> Decision:
    """The verdict for the repository on which the principal may do most."""
    unknown: Decision | None = None
    last = Decision(DENIED, "no statement allows it")
    for repository in samples:
        for required in _NEEDS.get(action, (action,)):
            last = _decide(estate, parsed, required, repository)
            if last.verdict != ALLOWED:
                break
        if last.verdict == ALLOWED:
            return last
        if last.verdict == UNKNOWN:
            unknown = unknown or last
    return unknown or last


def _decide(estate: Estate, parsed: ParsedPrincipal, action: str, repository: Repository) -> Decision:
    if parsed.trust is not None:
        principal, values = session_of_role(estate, parsed.principal)
    else:
        arn = parsed.principal.arn
        principal, values = Principal.of(arn), {"aws:username": (arn.rpartition("/")[2],)}
        values.update({f"aws:PrincipalTag/{key}": (value,) for key, value in parsed.principal.tags.items()})
    resource = repository if action.startswith("ecr:") and "Template" not in action else _any_resource(repository)
    request = repository_request(estate, action, resource, principal, values)
    policy = Layer() if repository.policy is None else PolicyParser().repository_policy(repository)
    return decide_layers(request, Layers(parsed.identity, policy, parsed.limits))


def _any_resource(repository: Repository) -> Repository:
    """The resource of an action that has no resource type."""
    return Repository(repository.name, repository.region, "*", {})
