# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The message for an unexpected exception. Standard library only."""

from __future__ import annotations

import os
import types

_PACKAGE = "ansible_collections.crossaccount.ecr."


def explain_unexpected(error: BaseException) -> str:
    """The message: the class of the exception, its text, and its position in this collection."""
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = ""  # the exception fails to format its text
    fact = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return (
        f"Unexpected error{_place(error.__traceback__)}: {fact.rstrip('.')}. If a proxy or endpoint_url is set, check"
        " that the response comes from AWS. Otherwise, report this message as a bug of crossaccount.ecr."
    )


def _place(traceback: types.TracebackType | None) -> str:
    """The innermost function of this collection in a traceback, with a leading space; empty if it has none."""
    place = ""
    while traceback:
        code = traceback.tb_frame.f_code
        if str(traceback.tb_frame.f_globals.get("__name__")).startswith(_PACKAGE):
            place = f" in {code.co_name} ({os.path.basename(code.co_filename)}, line {traceback.tb_lineno})"
        traceback = traceback.tb_next
    return place
