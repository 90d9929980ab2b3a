# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Finds repositories by name, pattern or tag, and reads their tags from ECR."""

from __future__ import annotations

import time
import typing as t

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule reports it

from ansible_collections.crossaccount.ecr.plugins.module_utils import _ecr, _tagging
from ansible_collections.crossaccount.ecr.plugins.module_utils._concurrency import map_concurrently
from ansible_collections.crossaccount.ecr.plugins.module_utils._ecr import Client
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import error_code, is_denied
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import is_pattern
from ansible_collections.crossaccount.ecr.plugins.module_utils._retry import CONSISTENT_READS
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import Session
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_declaration import TagDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_plan import has_any_tag, select
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WaitOptions

Tags = t.Optional[dict[str, str]]
Pairs = t.Collection[tuple[str, str]]


class Discovery(t.NamedTuple):
    """Repositories that may have one of the tags.

    :param has_tags: whether the tagging API reported that each of them has one of the tags. Otherwise these are all
        repositories, and their tags must be read from ECR.
    """

    names: list[str]
    has_tags: bool


def discover(tagging: Client, ecr: Client, tags: Pairs) -> Discovery:
    """The repositories with one of the tags. If the tagging API returns none, these are all repositories."""
    found: list[str] = []
    try:
        found = _tagging.tagged_repositories(tagging, tags)
    except botocore.exceptions.ClientError as error:
        if not is_denied(error) and error_code(error) != "InvalidParameterException":
            raise
    # The tagging API may not support ECR at this endpoint, or may not return new tags yet.
    return Discovery(found, True) if found else Discovery(_ecr.repository_names(ecr), False)


class DeclaredNames(t.NamedTuple):
    """The repositories that a declaration selects.

    :param known: all repositories; None if they were not listed because no pattern requires it
    :param tagged: the repositories that have one of the tags according to the tagging API
    """

    selected: list[str]
    known: list[str] | None = None
    tagged: frozenset[str] = frozenset()


def declared_names(session: Session, ecr: Client, declared: TagDeclaration) -> DeclaredNames:
    """The names of the repositories that a declaration selects."""
    if declared.all_except is not None:
        names, has_tags = discover(session.client("resourcegroupstaggingapi"), ecr, declared.tags.items())
        kept = set(select(declared.all_except, names))
        selected = [name for name in names if name not in kept]
        return DeclaredNames(selected, tagged=frozenset(selected if has_tags else ()))
    if any(is_pattern(name) for name in declared.names):
        known = _ecr.repository_names(ecr)
        return DeclaredNames(select(declared.names, known), known)
    return DeclaredNames(list(declared.names))


def tags_or_none(ecr: Client, arn: str) -> Tags:
    """The tags of a repository; None if it does not exist."""
    try:
        return _ecr.tags(ecr, arn)
    except botocore.exceptions.ClientError as error:
        if error_code(error) == "RepositoryNotFoundException":
            return None
        raise


def tags_of_each(
    ecr: Client, prefix: str, names: t.Sequence[str], tagged: t.Collection[str], tags: Pairs, wait: WaitOptions
) -> dict[str, Tags]:
    """The tags of each repository by its name.

    :param prefix: the part of the ARN before the name
    :param tagged: the repositories that have one of `tags` according to the tagging API. If ECR returns none of these
        tags, the response may be outdated, and the request is repeated.
    """

    def read(name: str) -> Tags:
        found = tags_or_none(ecr, prefix + name)
        for _again in range(CONSISTENT_READS - 1 if name in tagged else 0):
            if found is None or has_any_tag(found, tags):
                break
            time.sleep(wait.interval if wait.wait else 0)
            found = tags_or_none(ecr, prefix + name)
        return found

    return dict(zip(names, map_concurrently(read, names)))
