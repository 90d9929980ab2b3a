# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each value of a hand-off, by the checks that a declaration has. Standard library only."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import parse_reference
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import (
    account_problem,
    assume_problems,
    external_id_problem,
    region_problem,
    repository_problem,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy import ACTIONS, repository_tags_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import shared_at_problem

#: What the names of the role's variables, and so the keys of a hand-off, start with.
PREFIX = "ecr_pull_"
#: Entries of one list. ECR's default quota is 100,000 repositories in a registry; a proof sends requests for each.
MAXIMUM_ENTRIES = 10_000
_REGISTRY = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?")


def value_problems(values: t.Mapping[str, t.Any]) -> list[str]:
    """What is wrong with each value by itself; their keys have no prefix."""
    return [
        f"{PREFIX}{name}: {problem}"
        for name, check in CHECKS.items()
        if name in values
        for problem in check(values[name])
    ]


def _text(check: t.Callable[[str], str | None]) -> t.Callable[[t.Any], list[str]]:
    def problems(value: t.Any) -> list[str]:
        problem = check(value) if isinstance(value, str) else f"{value!r} is not a string."
        return [problem] if problem else []

    return problems


def _texts(check: t.Callable[[str], str | None]) -> t.Callable[[t.Any], list[str]]:
    def problems(values: t.Any) -> list[str]:
        if not isinstance(values, list):
            return [f"{values!r} is not a list of strings."]
        if len(values) > MAXIMUM_ENTRIES:
            return [f"it has {len(values)} entries; the limit is {MAXIMUM_ENTRIES}."]
        return [problem for value in values for problem in _text(check)(value)]

    return problems


def _tags_problems(tags: t.Any) -> list[str]:
    if not isinstance(tags, dict):
        return [f"{tags!r} is not a dictionary of strings."]
    problems = Problems()
    repository_tags_of(tags, problems)
    return problems.found


def _image_problem(image: str) -> str | None:
    try:
        parse_reference(image)
    except EcrError as error:
        return str(error)
    return None


def _registry_problem(registry: str) -> str | None:
    if _REGISTRY.fullmatch(registry):
        return None
    return f"{registry!r} is not the host of a registry, without https:// and repository."


def _access_problem(access: str) -> str | None:
    return None if access in ACTIONS else f"{access!r} is not one of {', '.join(ACTIONS)}."


#: Each key without its prefix, with its check: the problems of a value.
CHECKS: dict[str, t.Callable[[t.Any], list[str]]] = {
    "role_arn": _text(lambda role_arn: "; ".join(assume_problems(role_arn, None, "unnamed"))),
    "external_id": _text(external_id_problem),
    "shared_at": _text(shared_at_problem),
    "region": _text(lambda region: region_problem(region, "region")),
    "registry": _text(_registry_problem),
    "repository_tags": _tags_problems,
    "access": _text(_access_problem),
    "repositories": _texts(repository_problem),
    "denied": _texts(repository_problem),
    "images": _texts(_image_problem),
    "consumer_account": _text(account_problem),
}
