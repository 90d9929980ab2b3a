# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Access through copies of images and through repositories that do not exist yet. Standard library only.

A replication rule copies images to the registry of another account. A pull through cache rule copies images of another
registry into repositories of the account. A repository creation template decides who can access a new repository.
"""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_classes import (
    resource_patterns,
    rests_below,
    without_variables,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_ends import ends_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_policies import unseen_layer
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_principals import (
    SERVICE,
    Outsider,
    account_outsider,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_request import repository_requests
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_rows import (
    CACHE,
    LISTING,
    REPLICATION,
    ROLE,
    TEMPLATE,
    Attempt,
    Path,
    unknown_attempt,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_target import Target
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_trust import concerning
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_ways import (
    Way,
    attempt_of,
    decide_by_resource,
    decisions_by_way,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import (
    CacheRule,
    CreationTemplate,
    Estate,
    Registry,
    Repository,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import ALLOWED, Decision, Layers
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import repository_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import AWS, Principal
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import covers_action
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_declaration import EVERY_NAME

#: The context keys of an outsider that its account as a whole does not have.
_OF_ONE_PRINCIPAL = ("aws:PrincipalArn", "aws:username")


def recipients(estate: Estate, known: t.Iterable[Outsider]) -> list[Outsider]:
    """The accounts that receive copies, and the registries that images are copied from, if they are not known yet."""
    names = {outsider.name for outsider in known}
    found: dict[str, Outsider] = {}
    for registry in estate.registries:
        for rule in registry.replication:
            for account, _region in rule.destinations:
                if account != estate.account:
                    outsider = account_outsider(account, estate)
                    found.setdefault(outsider.name, outsider)
        for cache in registry.cache_rules:
            found.setdefault(cache.upstream, Outsider(cache.upstream, SERVICE, Principal("Service", cache.upstream)))
    return [outsider for name, outsider in found.items() if name not in names]


def future_repositories(estate: Estate, registry: Registry) -> t.Iterator[tuple[Repository, str]]:
    """Repositories that each creation template would create, with the name of the template.

    One has any name, and one has a name that each resource pattern of the policies matches.
    """
    patterns = without_variables(resource_patterns(estate, registry), estate.roles) if registry.templates else []
    prefixes = [_prefix_of(template) for template in registry.templates]
    existing = {repository.name for repository in registry.repositories}
    for template, prefix in zip(registry.templates, prefixes):
        longer = tuple(other for other in prefixes if len(other) > len(prefix))  # the most specific template decides
        start = estate.identity.repository(registry.region, prefix)
        further = (f"{prefix}{rest}" for pattern in patterns for rest in rests_below(pattern, start))
        possible = (one for one in further if one not in existing and not one.startswith(longer))
        names = [f"{prefix}new-repository", *(one for one in possible if not any(repository_problems(one)))]
        for name in dict.fromkeys(names):
            arn = estate.identity.repository(registry.region, name)
            future = Repository(f"{prefix}*", registry.region, arn, template.tags, template.policy)
            yield future, f"repository creation template {template.prefix}"


def _prefix_of(template: CreationTemplate) -> str:
    return "" if template.prefix == EVERY_NAME else f"{template.prefix.rstrip('/')}/"


def attempts_for(estate: Estate, outsider: Outsider, repository: Repository) -> list[Attempt]:
    """The access of an outsider to one repository through copies."""
    registry = next(one for one in estate.registries if one.region == repository.region)
    found = []
    for number, rule in enumerate(registry.replication, 1):
        regions = [region for account, region in rule.destinations if _receives(outsider, account)]
        matching = not rule.prefixes or any(repository.name.startswith(prefix) for prefix in rule.prefixes)
        if regions and matching:
            actions = ("describe", "pull")
            document = f"rule {number} of the replication configuration"
            path = Path(REPLICATION, actions, document, "", tuple(f"a copy in {region}" for region in regions))
            found.append(Attempt(dict.fromkeys(actions, (ALLOWED, "")), (path,)))
    for cache in _caches(registry, repository.name):
        if cache.upstream == outsider.name:
            path = Path(CACHE, ("push",), f"pull through cache rule {cache.prefix}")
            found.append(Attempt({"push": (ALLOWED, "")}, (path,)))
    return found


def _caches(registry: Registry, name: str) -> list[CacheRule]:
    """The cache rules for a repository. A rule for every name applies only to names that no other rule matches."""
    matching = [rule for rule in registry.cache_rules if name.startswith(f"{rule.prefix.rstrip('/')}/")]
    return matching or [rule for rule in registry.cache_rules if rule.prefix == EVERY_NAME]


def unseen_copies(estate: Estate, region: str) -> list[Attempt]:
    """The access of everyone to each repository of a region through copies, if their rules could not be read."""
    affected = {REPLICATION: ("describe", "pull"), CACHE: ("push",)}
    found = [(path, actions, unseen_layer(estate, path, region).reason) for path, actions in affected.items()]
    return [unknown_attempt(reason, path, actions) for path, actions, reason in found if reason]


def unseen_repositories(estate: Estate, region: str) -> list[Attempt]:
    """The access of everyone to the repositories that are not known: those that exist, and those of templates."""
    reasons = {path: unseen_layer(estate, path, region).reason for path in (LISTING, TEMPLATE)}
    return [
        unknown_attempt(reason, TEMPLATE if path == TEMPLATE else ROLE) for path, reason in reasons.items() if reason
    ]


def _receives(outsider: Outsider, account: str) -> bool:
    return outsider.account == account and outsider.kind != SERVICE


def replication_into(estate: Estate, outsider: Outsider, target: Target) -> list[Attempt]:
    """Replication from the account of an outsider, which the registry policy allows to the account as a whole.

    No repository policy decides about it.

    Source: <https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry-permissions.html>
    """
    policy = target.registry_policy
    actions = ("ecr:ReplicateImage", *(("ecr:CreateRepository",) if target.template else ()))
    if outsider.principal.kind != AWS or not any(covers_action(one, actions[0]).holds for one in policy.statements):
        return []
    account = Principal.of(f"arn:{estate.identity.partition}:iam::{outsider.principal.account}:root")
    known = {key: values for key, values in outsider.context.items() if key not in _OF_ONE_PRINCIPAL}
    layers = Layers(resource=policy)

    def decide(at: Estate) -> dict[Way, Decision]:
        requests = repository_requests(at, actions, target.repository, account, known)
        return dict(one for request in requests for one in decisions_by_way(request, layers, decide_by_resource))

    decided, ends = ends_of(estate, concerning(policy, account), decide)
    attempt = attempt_of({"push": actions}, decided, ends, policy, lambda _document: REPLICATION)
    return [attempt] if attempt.paths else []
