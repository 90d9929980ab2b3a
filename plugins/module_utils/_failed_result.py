# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""What a module returns for an exception of any class."""

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
from ansible_collections.crossaccount.ecr.plugins.module_utils._unexpected_error import explain_unexpected


def message_of(error: Exception) -> str:
    """What happened, and the next step."""
    if isinstance(error, EcrError):
        return str(error)
    if isinstance(error, _AWS_ERRORS):
        return printable(explain(error, os.environ))
    if isinstance(error, OSError) and error.errno is not None:  # of the files and the programs of this host
        return printable(f"This host reports an error: {error}. Correct it and run again.")
    return printable(explain_unexpected(error))


def failed_result(error: Exception) -> Json:
    """The result of a module that failed with this exception; for an error of AWS that is known, with its kind."""
    facts = error.facts if isinstance(error, EcrError) else {}
    if isinstance(error, _AWS_ERRORS) and not is_denied(error):
        row = recognize(str(getattr(error, "operation_name", "")), error_code(error), aws_sentence(error))
        facts = {"denial_kind": row.kind} if row else {}
    return {"failed": True, "msg": message_of(error), **facts}


@contextlib.contextmanager
def reporting_changes(made: t.Sized) -> t.Iterator[None]:
    """Within, an error has the fact `changed`: whether anything was changed before it.

    :param made: what was changed so far
    """
    try:
        yield
    except Exception as error:
        result = failed_result(error)
        message, _failed = result.pop("msg"), result.pop("failed")
        raise EcrError(message, **{"changed": bool(len(made)), **result}) from None


def may_have_been_sent(error: Exception) -> bool:
    """Whether AWS may have carried out the request that ended in this error. AWS itself says so in a ClientError."""
    return not isinstance(error, botocore.exceptions.ClientError)
