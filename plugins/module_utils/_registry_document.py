# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Changes one part of a document of a registry, which AWS replaces as a whole with each write."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._aws_errors import is_transient_kind
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._failed_result import (
    failed_result,
    may_have_been_sent,
    message_of,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_conflict import (
    Elements,
    conflict,
    document_differences,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._response import InvalidResponseError
from ansible_collections.crossaccount.ecr.plugins.module_utils._retry import (
    CONSISTENT_READS,
    NotConfirmedError,
    backoff,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WaitOptions

#: The setting `retries` of a client that sends each request once. A repeated write of an old document would overwrite
#: a change that another program made after the first attempt.
ONE_ATTEMPT = {"mode": "standard", "total_max_attempts": 1}
Content = t.TypeVar("Content")


@dataclass(frozen=True)
class RegistryDocument(t.Generic[Content]):
    """A document.

    :param name: its name in messages
    :param read: reads it from AWS
    :param write: replaces it, with one request
    :param merge: adds or removes the part of the module; raises an error if the result must not be written
    :param elements: the parts of the document, for the comparison
    :param planned: the document that the plan has read; empty if the plan is not known
    """

    name: str
    read: t.Callable[[], Content]
    write: t.Callable[[Content], None]
    merge: t.Callable[[Content], Content]
    elements: t.Callable[[Content], Elements]
    planned: tuple[Content, ...] = ()


def write_merged(document: RegistryDocument[Content], wait: WaitOptions) -> tuple[Content, Content]:
    """Write the merged document, and read it again. Return the last read before the write, and the written document.

    :raises EcrError: if the read after the write shows that another program overwrote the document
    """
    return send_merged(document, wait, confirms=True)


def send_merged(
    document: RegistryDocument[Content], wait: WaitOptions, confirms: bool = False
) -> tuple[Content, Content]:
    """Read the document, merge the part of the module, and write it. Return the last read and the written document.

    After a transient error, the document is read and merged again, because another program may have written meanwhile.

    :param confirms: whether the document is read again
    """
    sent: list[tuple[Content, Content]] = []
    try:
        before, after = _send(document, wait, sent)
        if confirms and sent:
            _confirm(document, before, after, wait)
        return before, after
    except Exception as error:
        if not sent or (isinstance(error, EcrError) and error.facts.get("changed")):
            raise
        raise EcrError(message_of(error), changed=True) from None


def _send(
    document: RegistryDocument[Content], wait: WaitOptions, sent: list[tuple[Content, Content]]
) -> tuple[Content, Content]:
    """The same.

    :param sent: receives the write that AWS has applied, or may have applied
    """
    failure: Exception | None = None
    last = document.planned
    for _attempt in backoff(wait):
        before = _read(document, last)
        last = (before,)
        after = document.merge(before)
        if after == before:
            return sent[0] if sent else (before, after)
        sent.clear()  # AWS has not applied the write of the last attempt, or another program has written since
        try:
            document.write(after)
        except Exception as error:
            if isinstance(error, InvalidResponseError) or not _is_answered(error):
                sent.append((before, after))
            if not _may_succeed_later(error):
                raise
            failure = error
            continue
        sent.append((before, after))
        return before, after
    raise t.cast(Exception, failure)


def _read(document: RegistryDocument[Content], last: tuple[Content, ...]) -> Content:
    """Read the document, and read it again until it equals the document of the read before.

    AWS may return an earlier document once. Its merge would remove what other programs have written since.

    :param last: the document of the read before; empty for the first read
    """
    content = document.read()
    for _number in range(CONSISTENT_READS):
        if not last or content == last[0]:
            break
        last, content = (content,), document.read()
    return content


def unconfirmed(document: RegistryDocument[Content], before: Content, after: Content) -> list[str]:
    """How the document that AWS returns differs from the written one, while AWS may still return the old document.

    :raises EcrError: if another program overwrote the document
    """
    content = document.read()
    old, found = document.elements(before), document.elements(content)
    different = document_differences(old, document.elements(after), found)
    if different and found.keys() != old.keys():
        message = conflict(document.name, different, after, content)
        facts = {"written": after, "found": content, "differences": different}
        raise EcrError(message, changed=True, conflict=facts)
    return different


def _is_answered(error: Exception) -> bool:
    """Whether AWS answered, or the collection did not send the request."""
    return isinstance(error, EcrError) or not may_have_been_sent(error)


def _may_succeed_later(error: Exception) -> bool:
    """Whether the same write may succeed soon."""
    return is_transient_kind(failed_result(error).get("denial_kind")) or not _is_answered(error)


def _confirm(document: RegistryDocument[Content], before: Content, after: Content, wait: WaitOptions) -> None:
    """Read until AWS returns the written document. An old document is read again, any other one is a conflict."""
    deadline, agreed = time.monotonic() + wait.seconds, 0
    while True:
        different = unconfirmed(document, before, after)
        agreed = 0 if different else agreed + 1
        if agreed == CONSISTENT_READS or not wait.wait:
            return
        if different and time.monotonic() > deadline:
            raise NotConfirmedError(
                f"Everything was written, but after {wait.timeout} seconds AWS does not confirm the {document.name}: it"
                f" {', and it '.join(different)}. Another program may have restored the old document. Run again.",
                changed=True,
            )
        time.sleep(wait.interval)
