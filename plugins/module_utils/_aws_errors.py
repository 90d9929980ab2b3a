# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Finds the meaning of an AWS error and the next step in the tables of _key_errors.py, _request_errors.py and
_image_errors.py.

_denial.py parses denials. A message quotes an error that no row matches, and does not explain it. The page *AWS errors*
of the documentation is generated from the tables. Standard library only.
"""

from __future__ import annotations

from ansible_collections.crossaccount.ecr.plugins.module_utils import _image_errors, _key_errors, _request_errors
from ansible_collections.crossaccount.ecr.plugins.module_utils._aws_error_row import AwsError
from ansible_collections.crossaccount.ecr.plugins.module_utils._denial import PROPAGATING

TABLE: tuple[AwsError, ...] = (
    *_key_errors.ROWS,
    *_request_errors.ROWS,
    *_image_errors.ROWS,
    *_image_errors.LAYER_ROWS,
)


_TRANSIENT = frozenset(row.kind for row in TABLE if row.transient)


def is_retryable(kind: object) -> bool:
    """Whether the same request may succeed soon, because a share may not have propagated yet or the error is transient.

    :param kind: the kind of a denial or of an error
    """
    return kind in PROPAGATING or is_transient_kind(kind)


def is_transient_kind(kind: object) -> bool:
    """Whether the error is transient regardless of the age of the share, such as throttling."""
    return kind in _TRANSIENT


def recognize(call: str, code: str, message: str, by_role: bool = False) -> AwsError | None:
    """The row of an error, or None if no row matches.

    :param call: the operation, such as `BatchGetImage`; empty if it is unknown
    :param code: AWS's error code, the code of a failure in a response, or the class of the exception
    :param message: AWS's message
    :param by_role: whether a session of the pull role sent the request
    """
    if by_role and _key_errors.ROLE_KEY.matches(call, code, message):
        return _key_errors.ROLE_KEY
    return next((row for row in TABLE if row.matches(call, code, message)), None)
