# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Validates each value of a hand-off with the rules of the declaration. Standard library only."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import parse_reference
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import (
    account_problems,
    assume_problems,
    external_id_problems,
    organization_problems,
    region_problems,
    repository_problems,
    unit_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy import ACTIONS, repository_tags_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import REGISTRY_POLICY, REPOSITORY_POLICY
from ansible_collections.crossaccount.ecr.plugins.module_utils._timestamp import shared_at_problems, time_of

#: The prefix of the role's variables, and so of the keys of a hand-off.
PREFIX = "ecr_pull_"
#: The maximum number of entries in a list. A proof sends requests for each repository; the default quota of ECR is
#: 100,000 repositories in a registry (ECR User Guide, "Amazon ECR service quotas").
MAXIMUM_ENTRIES = 10_000
#: The modes of a share without a role.
_MODES = (REPOSITORY_POLICY, REGISTRY_POLICY)
_REGISTRY = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?")


def value_problems(values: t.Mapping[str, object]) -> t.Iterator[str]:
    """Problems with each value individually.

    :param values: the values by their keys without the prefix
    """
    for name, check in CHECKS.items():
        for problem in check(values[name]) if name in values else ():
            variable = f"{PREFIX}{name}"
            yield problem if problem.startswith(variable) else f"{variable}: {problem}"


Check = t.Callable[[t.Any], t.Iterable[str]]


def _text(check: t.Callable[[str], t.Iterable[str]]) -> Check:
    def problems(value: object) -> t.Iterator[str]:
        if isinstance(value, str):
            yield from check(value)
        else:
            yield f"{value!r} is not a string."

    return problems


def _texts(check: t.Callable[[str], t.Iterable[str]]) -> Check:
    def problems(values: object) -> t.Iterator[str]:
        if not isinstance(values, list):
            yield f"{values!r} is not a list of strings."
        elif len(values) > MAXIMUM_ENTRIES:
            yield f"it has {len(values)} entries; the limit is {MAXIMUM_ENTRIES}."
        else:
            for value in values:
                yield from _text(check)(value)

    return problems


def _tags_problems(tags: object) -> t.Iterator[str]:
    if not isinstance(tags, dict):
        yield f"{tags!r} is not a dictionary of strings."
        return
    yield from repository_tags_problems(tags)


def image_problems(image: str) -> t.Iterator[str]:
    try:
        parse_reference(image)
    except EcrError as error:
        yield str(error)


def _registry_problems(registry: str) -> t.Iterator[str]:
    if not _REGISTRY.fullmatch(registry):
        yield f"{registry!r} is not the host of a registry, without https:// and repository."


def _access_problems(access: str) -> t.Iterator[str]:
    if access not in ACTIONS:
        yield f"{access!r} is not one of {', '.join(ACTIONS)}."


def _role_arn_problems(role_arn: str) -> t.Iterator[str]:
    problems = list(assume_problems(role_arn, None, "unnamed"))
    if problems:
        yield "; ".join(problems)


def _expires_problems(expires: str) -> t.Iterator[str]:
    if time_of(expires) is None:
        yield f"{expires!r} is not a time in UTC such as 2026-01-31T23:59:59Z."


def _mode_problems(mode: str) -> t.Iterator[str]:
    if mode not in _MODES:
        yield f"{mode!r} is not one of {', '.join(_MODES)}."


def _policy_problems(policy: object) -> t.Iterator[str]:
    if not isinstance(policy, dict):
        yield f"{policy!r} is not an IAM policy."


#: The check of each key, without the prefix.
CHECKS: dict[str, Check] = {
    "role_arn": _text(_role_arn_problems),
    "external_id": _text(external_id_problems),
    "shared_at": _text(shared_at_problems),
    "expires": _text(_expires_problems),
    "region": _text(lambda region: region_problems(region, "region")),
    "registry": _text(_registry_problems),
    "repository_tags": _tags_problems,
    "access": _text(_access_problems),
    "repositories": _texts(repository_problems),
    "denied": _texts(repository_problems),
    "images": _texts(image_problems),
    "consumer_account": _text(account_problems),
    "consumer_organization": _text(organization_problems),
    "consumer_units": _texts(lambda unit: unit_problems(unit, None)),
    "mode": _text(_mode_problems),
    "registry_account": _text(account_problems),
    "consumer_policy": _policy_problems,
}
