# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of an image that cannot be written."""

from __future__ import annotations

import errno
import os

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._write_error import writing

STEP = "Free disk space or correct the permissions, or choose another dest."


@pytest.mark.parametrize(
    ("number", "path", "place"),
    [
        (errno.ENOSPC, None, "/srv/image"),
        (errno.EDQUOT, None, "/srv/image"),
        (errno.EACCES, "/srv/image/blobs", "/srv/image/blobs"),
        (errno.EROFS, "/srv/image/blobs", "/srv/image/blobs"),
    ],
)
def test_error_names_image_path_and_reason(number: int, path: str | None, place: str) -> None:
    with pytest.raises(EcrError) as caught, writing("Image release:v1.0", "/srv/image"):
        raise OSError(number, os.strerror(number), path)
    assert str(caught.value) == f"Image release:v1.0 cannot be written to {place}: {os.strerror(number)}. {STEP}"


def test_other_errors_are_unchanged() -> None:
    with pytest.raises(EcrError, match=r"^no image$"), writing("Image release:v1.0", "/srv/image"):
        raise EcrError("no image")
