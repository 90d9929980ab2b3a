# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Groups the repositories of a region into classes for which every policy decides alike. Standard library only."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils import _wildcard
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_policies import documents_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._context import VARIABLE
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Estate, IamPrincipal, Registry, Repository
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import as_list, statements

#: A repository, and the name of the template that would create it; empty for one that exists.
Candidate = tuple[Repository, str]
#: The start of an ARN that is of no repository. A wildcard also matches the colons between the segments of an ARN.
_OF_ANOTHER_SERVICE = re.compile(r"[^:*?$]*:[^:*?$]*:(?!ecr:)[^:*?$]*:")


class RepositoryClasses:
    """The classes of the repositories of one region."""

    def __init__(self, estate: Estate, registry: Registry, candidates: t.Iterable[Candidate]) -> None:
        self._candidates = list(candidates)
        patterns = resource_patterns(estate, registry)
        self._by_name = any("${" in pattern for pattern in patterns)
        self._patterns = [((pattern, True),) for pattern in patterns]

    def groups(self) -> t.Iterator[tuple[Candidate, list[Repository]]]:
        """Each class, by its first repository, with all its repositories."""
        found: dict[t.Hashable, tuple[Candidate, list[Repository]]] = {}
        for candidate in self._candidates:
            found.setdefault(self._key(candidate), (candidate, []))[1].append(candidate[0])
        yield from found.values()

    def _key(self, candidate: Candidate) -> t.Hashable:
        repository, template = candidate
        matched = tuple(_wildcard.matches(pattern, repository.arn) for pattern in self._patterns)
        tags = None if repository.tags is None else frozenset(repository.tags.items())
        policy = None if repository.policy is None else repr(repository.policy.document)
        name = repository.arn if self._by_name or repository.policy_denied else ""
        return matched, tags, policy, name, template


def resource_patterns(estate: Estate, registry: Registry) -> list[str]:
    """The resources that the policies name and that may be repositories."""
    found: dict[str, None] = {}
    for policy, region in documents_of(estate):
        if region not in ("", registry.region) or not isinstance(policy.document, dict):
            continue
        for statement in statements(policy.document):
            for name in ("Resource", "NotResource"):
                listed = [value for value in as_list(statement.get(name, [])) if isinstance(value, str)]
                found.update(dict.fromkeys(value for value in listed if not _OF_ANOTHER_SERVICE.match(value)))
    return list(found)


def without_variables(patterns: t.Iterable[str], roles: t.Iterable[IamPrincipal]) -> list[str]:
    """Resource patterns in which a policy variable has any value, or is a tag of one of the roles."""
    tags = [{f"aws:principaltag/{key}".lower(): value for key, value in role.tags.items()} for role in roles]
    found: dict[str, None] = {}
    for pattern in patterns:
        for values in [{}, *tags] if "${" in pattern else [{}]:
            found[_filled(pattern, values)] = None
    return list(found)


def _filled(pattern: str, values: t.Mapping[str, str]) -> str:
    return VARIABLE.sub(lambda match: values.get(match[1].partition(",")[0].strip().lower(), "*"), pattern)


def rests_below(text: str, start: str) -> list[str]:
    """Texts that, after a start, give a text that a pattern matches."""
    ahead = _with_skipped({0}, text)
    for char in start:
        matching = {at for at in ahead if at < len(text) and text[at] in ("*", "?", char)}
        ahead = _with_skipped({at if text[at] == "*" else at + 1 for at in matching}, text)
    return [text[at:].replace("*", "x").replace("?", "x") for at in sorted(ahead)]


def _with_skipped(positions: set[int], text: str) -> set[int]:
    """Positions in a pattern, with those after a `*` that matches nothing."""
    found = set(positions)
    for at in positions:
        while at < len(text) and text[at] == "*":
            at += 1
            found.add(at)
    return found
