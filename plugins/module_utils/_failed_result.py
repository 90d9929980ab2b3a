# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The result of a module that ends with an exception."""

from __future__ import annotations

import contextlib
import os
import typing as t

try:
    import botocore.exceptions
    import botocore.parsers

    _AWS_ERRORS: tuple[type[Exception], ...] = (
        botocore.exceptions.BotoCoreError,
        botocore.exceptions.ClientError,
        botocore.parsers.ResponseParserError,
    )
except ImportError:
    _AWS_ERRORS = ()  # AnsibleAWSModule reports it; a pull with a token needs no boto3

from ansible_collections.crossaccount.ecr.plugins.module_utils._aws_errors import recognize
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import (
    EcrError,
    aws_sentence,
    error_code,
    explain,
    is_denied,
    printable,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._secrets import KNOWN
from ansible_collections.crossaccount.ecr.plugins.module_utils._unexpected_error import explain_unexpected


def message_of(error: Exception) -> str:
    """The message for an exception, with secrets masked: the fact and the next step."""
    if isinstance(error, EcrError):
        return str(error)
    if isinstance(error, _AWS_ERRORS):
        message = explain(error, os.environ)
    elif isinstance(error, OSError) and error.errno is not None:  # an error of a file or a program on this host
        message = f"This host reports an error: {error}. Correct it and run again."
    else:
        message = explain_unexpected(error)
    return printable(KNOWN.mask(message))


def failed_result(error: Exception) -> Json:
    """The result of a module that failed with this exception. It has `denial_kind` if the tables have the AWS error."""
    facts = error.facts if isinstance(error, EcrError) else {}
    if isinstance(error, _AWS_ERRORS) and not is_denied(error):
        row = recognize(str(getattr(error, "operation_name", "")), error_code(error), aws_sentence(error))
        facts = {"denial_kind": row.kind} if row else {}
    return {"failed": True, "msg": message_of(error), **facts}


@contextlib.contextmanager
def reporting_changes(changes: t.Sized) -> t.Iterator[None]:
    """Context manager that adds the fact `changed` to an error: whether anything was changed before the error.

    :param changes: the changes that were made so far
    """
    try:
        yield
    except Exception as error:
        result = failed_result(error)
        message, _failed = result.pop("msg"), result.pop("failed")
        raise EcrError(message, **{"changed": bool(len(changes)), **result}) from None


def may_have_been_sent(error: Exception) -> bool:
    """Whether AWS may have processed the request despite this error. A ClientError is a response that AWS did not."""
    return not isinstance(error, botocore.exceptions.ClientError)
