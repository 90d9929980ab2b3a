# SPDX-License-Identifier: GPL-3.0-or-later
"""The service models of AWS. MiniStack pins an older botocore than the one that the tests and the collection use.

The lab reads the models of the newer one, which have the operations that AWS added. `.venv-demo` has only one botocore.
"""

from __future__ import annotations

import functools
import pathlib
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel

ROOT = pathlib.Path(__file__).parents[2]


@functools.cache
def service_model(name: str) -> Any:
    """The newest model of a service."""
    newer = [str(path) for path in ROOT.glob(".venv/lib/python3*/site-packages/botocore/data")]
    return ServiceModel(Loader(extra_search_paths=newer).load_service_model(name, "service-2"), name)
