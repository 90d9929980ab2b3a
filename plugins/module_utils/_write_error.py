# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The error for a file of an image that cannot be written. Standard library only."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option


@contextlib.contextmanager
def writing(label: str, place: object) -> t.Iterator[None]:
    """Context manager that converts an OSError to an EcrError with the image and the path.

    :param label: the object that is written, such as `Image release:v1.0`
    :param place: the path that the user set, for an OSError without a path
    """
    try:
        yield
    except OSError as error:
        path = error.filename or place
        raise EcrError(
            f"{label} cannot be written to {path}: {error.strerror or error}. Free disk space or correct the"
            f" permissions, or choose another {option('dest')}."
        ) from None
