# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Whether the installed botocore supports a request."""

from __future__ import annotations

import typing as t

try:
    import botocore
except ImportError:
    pass  # AnsibleAWSModule reports it

from ansible_collections.crossaccount.ecr.plugins.module_utils._ecr import Client
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError


def is_supported(client: Client, operation: str, *members: str) -> bool:
    """Whether botocore has an operation, and a member of its parameters.

    :param members: the names that lead to the member
    """
    model = client.meta.service_model
    if operation not in model.operation_names:
        return False
    shape = model.operation_model(operation).input_shape
    for member in members:
        if member not in shape.members:
            return False
        shape = shape.members[member]
    return True


def require_operation(client: Client, operation: str, members: t.Iterable[str] = (), workaround: str = "") -> None:
    """
    :param members: the parameters of the request
    :param workaround: a further sentence of the message
    :raises EcrError: if botocore is too old for the request
    """
    model = client.meta.service_model
    missing = [operation]
    if operation in model.operation_names:
        supported = model.operation_model(operation).input_shape.members
        missing = [f"{member} of {operation}" for member in members if member not in supported]
    if missing:
        raise EcrError(
            f"botocore {botocore.__version__} does not support {', '.join(missing)}. Install a newer version of"
            f" botocore and boto3.{workaround}"
        )
