# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Finds repositories by their tags, and reads their tags."""

from __future__ import annotations

import time
import typing as t

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule reports it

from ansible_collections.crossaccount.ecr.plugins.module_utils import _ecr, _tagging
from ansible_collections.crossaccount.ecr.plugins.module_utils._concurrency import map_concurrently
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import error_code, is_denied
from ansible_collections.crossaccount.ecr.plugins.module_utils._retry import CONSISTENT_READS
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_plan import carries
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WaitOptions

Tags = t.Optional[dict[str, str]]
Pairs = t.Collection[tuple[str, str]]


def discover(tagging: t.Any, ecr: t.Any, tags: Pairs) -> tuple[list[str], bool]:
    """The repositories that have one of the tags, and True; or all repositories, and False: read each of them."""
    found: list[str] = []
    try:
        found = _tagging.tagged_repositories(tagging, tags)
    except botocore.exceptions.ClientError as error:
        if not is_denied(error) and error_code(error) != "InvalidParameterException":
            raise
    # An empty answer may mean that this API does not know ECR here, or does not know the tags yet.
    return (found, True) if found else (_ecr.repository_names(ecr), False)


def tags_or_none(ecr: t.Any, arn: str) -> Tags:
    """The tags of a repository; None if it does not exist."""
    try:
        return _ecr.tags(ecr, arn)
    except botocore.exceptions.ClientError as error:
        if error_code(error) == "RepositoryNotFoundException":
            return None
        raise


def tags_of_each(
    ecr: t.Any, prefix: str, names: t.Sequence[str], tagged: t.Collection[str], tags: Pairs, wait: WaitOptions
) -> dict[str, Tags]:
    """The tags of each repository by its name.

    :param prefix: what precedes the name in an ARN
    :param tagged: the repositories that have one of `tags` according to the tagging API. If ECR returns tags without
        them, the answer may be an old one, and ECR is asked again.
    """

    def read(name: str) -> Tags:
        found = tags_or_none(ecr, prefix + name)
        for _again in range(CONSISTENT_READS - 1 if name in tagged else 0):
            if found is None or any(carries(found, {key: value}) for key, value in tags):
                break
            time.sleep(wait.interval if wait.wait else 0)
            found = tags_or_none(ecr, prefix + name)
        return found

    return dict(zip(names, map_concurrently(read, names)))
