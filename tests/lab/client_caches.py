# SPDX-License-Identifier: GPL-3.0-or-later
"""Caches of the results that botocore computes again for each session and client, which takes most of their time.

Tests, labs and quick programs create thousands of clients. The events, the handlers and the requests stay the same.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any

import botocore.client
import botocore.hooks
import botocore.session

#: The names of events as handlers are registered under them.
_NAMES: dict[str, str] = {}
_MODELS: dict[str, Any] = {}


@functools.cache
def install() -> None:
    """Keep the descriptions of the services, the names of events, and which handlers accept keywords."""
    botocore.session.create_loader = functools.cache(botocore.session.create_loader)
    botocore.hooks.accepts_kwargs = _accepts_keywords
    create = botocore.hooks.EventAliaser.__init__

    def create_with_names(self: Any, *arguments: Any, **options: Any) -> None:
        create(self, *arguments, **options)
        self._alias_name_cache = _NAMES

    botocore.hooks.EventAliaser.__init__ = create_with_names
    load = botocore.client.ClientCreator._load_service_model

    def load_once(self: Any, name: str, version: str | None = None) -> Any:
        if name not in _MODELS:
            _MODELS[name] = load(self, name, version)
        return _MODELS[name]

    botocore.client.ClientCreator._load_service_model = load_once


def _accepts_keywords(handler: Any) -> bool:
    """As botocore's function, which computes the whole signature."""
    code = getattr(getattr(handler, "__func__", handler), "__code__", None)
    return bool(code.co_flags & inspect.CO_VARKEYWORDS if code else inspect.getfullargspec(handler)[2])
