# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Compares a document of a registry with the document that a module wrote. Standard library only.

AWS has no request that writes a document only if it has not changed. So two programs can overwrite each other between
the last read and the write, which is one request. The read after the write shows the loss, unless the other program has
written before this module.
"""

from __future__ import annotations

import json
import typing as t

#: The parts of a document, such as its rules: a value that is equal for the same meaning, and a text.
Elements = t.Mapping[t.Hashable, str]


def document_differences(before: Elements, after: Elements, found: Elements) -> list[str]:
    """The parts that AWS does not return although they were written, and those that it returns although they were
    removed.

    :param before: the last read
    :param after: the written document
    :param found: the read after the write
    """
    lost = [f"lacks {text}" for key, text in after.items() if key not in found]
    return lost + [f"still has {text}" for key, text in before.items() if key not in after and key in found]


def conflict(name: str, different: t.Iterable[str], written: object, found: object) -> str:
    """The message for a document that another program overwrote.

    :param name: the name of the document
    """
    return (
        f"Another program changed the {name} at the same time: it {', and it '.join(different)}.\n"
        f"This run wrote: {json.dumps(written)}\n"
        f"AWS returns now: {json.dumps(found)}\n"
        "Run one program at a time. Compare the two documents, and run again: a run adds its part to what it finds."
    )
