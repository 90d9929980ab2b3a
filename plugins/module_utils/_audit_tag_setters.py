# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The users and roles of an account that may set a tag of a repository. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_choices import MFA, Values, combinations
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_classes import RepositoryClasses
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_policies import (
    ParsedPrincipal,
    PolicyParser,
    joined,
    place_of,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_request import (
    named_sessions,
    repository_request,
    session_of_role,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_sessions import spare_name
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
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import covers_action

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

#: A repository, with the policies of resources that apply to it.
Sample = tuple[Repository, Layer]
#: A user or the session of a role, with the context keys of its requests.
Caller = tuple[Principal, Values]


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
    parser = PolicyParser()
    samples = list(_samples(estate, parser))
    resource_policies = joined(dict.fromkeys(policy for _repository, policy in samples))
    names = named_sessions(resource_policies.statements, estate.account)
    found = []
    for principal in sorted(estate.principals, key=lambda principal: principal.arn):
        parsed = parser.principal(principal)
        listed = [*samples, *_new_repositories(estate, parsed, parser)]
        callers = _callers(estate, parsed, names.get(principal.name, ()))
        decisions = {action: _decision(estate, parsed, action, listed, callers) for action in SETTING}
        able = {action: decision for action, decision in decisions.items() if decision.verdict != DENIED}
        if able:
            first = next((one for one in able.values() if one.verdict == ALLOWED), next(iter(able.values())))
            place = place_of(first.reason.removesuffix(" allows it").partition(": ")[0])
            reason = "" if first.verdict == ALLOWED else first.reason
            found.append(TagSetter(principal.arn, tuple(able), first.verdict, reason, place.document, place.statement))
    return found


def _samples(estate: Estate, parser: PolicyParser) -> t.Iterator[Sample]:
    """A repository of each class, with the policies of resources that apply to it."""
    for registry in estate.registries:
        shared = parser.registry_policy(estate, registry)
        candidates = (
            (
                repository
                if _concerns_tags(parser.repository_policy(repository))
                else replace(repository, policy=None),
                "",
            )
            for repository in registry.repositories
        )
        for (repository, _template), _members in RepositoryClasses(estate, registry, candidates).groups():
            yield repository, joined([parser.repository_policy(repository), shared])


def _concerns_tags(policy: Layer) -> bool:
    """Whether a policy may allow or deny an action that sets a tag."""
    return bool(policy.reason) or any(
        covers_action(statement, action).holds is not False for statement in policy.statements for action in SETTING
    )


def _new_repositories(estate: Estate, parsed: ParsedPrincipal, parser: PolicyParser) -> t.Iterator[Sample]:
    """Repositories that a principal could create: with any name, and with each name that its policies mention."""
    scopes = [one.resources.patterns for one in parsed.identity.statements if one.effect == "Allow" and one.resources]
    patterns = dict.fromkeys(pattern for scope in scopes for pattern in scope if ":repository/" in pattern)
    names = [pattern.partition(":repository/")[2].replace("*", "x").replace("?", "x") for pattern in patterns]
    for registry in estate.registries:
        shared = parser.registry_policy(estate, registry)
        for name in dict.fromkeys(["new-repository", *names]):
            arn = estate.identity.repository(registry.region, name)
            yield Repository(name, registry.region, arn, {}), shared


def _decision(
    estate: Estate, parsed: ParsedPrincipal, action: str, samples: list[Sample], callers: list[Caller]
) -> Decision:
    """The verdict for the repository on which the principal may do most."""
    unknown: Decision | None = None
    last = Decision(DENIED, "no statement allows it")
    needs = _NEEDS.get(action, (action,))
    for repository, resource in samples:
        if not all(_is_granted(parsed.identity, one) or _is_granted(resource, one) for one in needs):
            continue
        for caller in callers:
            for required in needs:
                last = _decide(estate, parsed, required, repository, resource, caller)
                if last.verdict != ALLOWED:
                    break
            if last.verdict == ALLOWED:
                return last
            if last.verdict == UNKNOWN:
                unknown = unknown or last
    return unknown or last


def _is_granted(layer: Layer, action: str) -> bool:
    """Whether any Allow statement covers an action, or some documents could not be read. It is a quick check."""
    return bool(layer.reason) or any(
        one.effect == "Allow" and covers_action(one, action).holds is not False for one in layer.statements
    )


def _callers(estate: Estate, parsed: ParsedPrincipal, names: t.Sequence[str]) -> list[Caller]:
    """The sessions of a role that resource policies tell apart, or a user without and with MFA.

    The session of a role has no MFA.

    :param names: the names of the sessions of the role that resource policies mention
    """
    if parsed.trust is not None:
        return [session_of_role(estate, parsed.principal, name) for name in (spare_name(names), *names)]
    values: Values = {"aws:username": (parsed.principal.name,)}
    values.update({f"aws:PrincipalTag/{key}": (value,) for key, value in parsed.principal.tags.items()})
    statements = [one for layer in (parsed.identity, *parsed.limits) for one in layer.statements]
    user = Principal.of(parsed.principal.arn)
    return [(user, {**values, **chosen}) for chosen in combinations(statements, lambda key: key in MFA, {})]


def _decide(
    estate: Estate, parsed: ParsedPrincipal, action: str, repository: Repository, policy: Layer, caller: Caller
) -> Decision:
    principal, values = caller
    resource = repository if action.startswith("ecr:") and "Template" not in action else _any_resource(repository)
    request = repository_request(estate, action, resource, principal, values)
    return decide_layers(request, Layers(parsed.identity, policy, parsed.limits))


def _any_resource(repository: Repository) -> Repository:
    """The resource of an action that has no resource type."""
    return Repository(repository.name, repository.region, "*", {})
