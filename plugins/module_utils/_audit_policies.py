# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The parsed policies of an account, for an audit. Each document is parsed once. Standard library only."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import (
    Estate,
    IamPrincipal,
    PolicyDocument,
    Registry,
    Repository,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import Layer, layer_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Statement

#: The names of resource policies in reports. The row of a report names the repository.
REPOSITORY_POLICY, REGISTRY_POLICY = "repository policy", "registry policy"
_PLACE = re.compile(r"statement (?P<number>[0-9]+)(?: \((?P<sid>.*)\))? of (?P<document>.*)", re.DOTALL)


class Place(t.NamedTuple):
    """Where a statement is: the name of its document, and its Sid or its number."""

    document: str
    statement: str


def place_of(reason: str) -> Place:
    """The place in a reason that is the position of a statement; empty texts if it is another reason."""
    match = _PLACE.match(reason)
    return Place(match["document"], match["sid"] or match["number"]) if match else Place("", "")


@dataclass(frozen=True)
class ParsedPrincipal:
    """A user or a role, with its parsed policies.

    :param trust: None for a user
    """

    principal: IamPrincipal
    identity: Layer
    limits: tuple[Layer, ...]
    trust: Layer | None


class PolicyParser:
    """Parses documents. Equal documents with equal names are parsed once."""

    def __init__(self) -> None:
        self._layers: dict[tuple[str, str, bool], Layer] = {}

    def layer(self, policy: PolicyDocument, of_a_resource: bool, name: str = "") -> Layer:
        """The statements of a document.

        :param name: the name of the document in reasons; the name of the policy if omitted
        """
        key = (repr(policy.document), name or policy.name, of_a_resource)
        if key not in self._layers:
            self._layers[key] = layer_of([(name or policy.name, policy.document)], of_a_resource)
        return self._layers[key]

    def principal(self, principal: IamPrincipal) -> ParsedPrincipal:
        return ParsedPrincipal(
            principal,
            joined(self.layer(policy, False) for policy in principal.policies),
            () if principal.boundary is None else (self.layer(principal.boundary, False),),
            None if principal.trust is None else self.layer(principal.trust, True),
        )

    def registry_policy(self, estate: Estate, registry: Registry) -> Layer:
        if registry.policy is not None:
            return self.layer(registry.policy, True, REGISTRY_POLICY)
        return unseen_layer(estate, "registry_policy", registry.region)

    def repository_policy(self, repository: Repository) -> Layer:
        if repository.policy is not None:
            return self.layer(repository.policy, True, REPOSITORY_POLICY)
        return Layer(reason=repository.policy_denied)


def unseen_layer(estate: Estate, path: str, region: str) -> Layer:
    """A layer without statements. Its result is unknown if the policies of an access path could not be read."""
    reasons = [
        f"{unseen.what} could not be read: {unseen.why}"
        for unseen in estate.unseen
        if unseen.path == path and unseen.region in ("", region)
    ]
    return Layer(reason="; ".join(reasons))


def joined(layers: t.Iterable[Layer]) -> Layer:
    """Several documents that act as one policy."""
    listed = list(layers)
    statements: list[Statement] = [statement for layer in listed for statement in layer.statements]
    return Layer(tuple(statements), "; ".join(layer.reason for layer in listed if layer.reason))


def documents_of(estate: Estate) -> t.Iterator[tuple[PolicyDocument, str]]:
    """Every policy document of an account, with its region or an empty text."""
    for principal in estate.principals:
        listed = [*principal.policies, principal.boundary, principal.trust]
        yield from ((policy, "") for policy in listed if policy)
    for registry in estate.registries:
        policies = [
            registry.policy,
            *(repository.policy for repository in registry.repositories),
            *(template.policy for template in registry.templates),
        ]
        yield from ((policy, registry.region) for policy in policies if policy)
