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
import botocore.regions
import botocore.session

#: The names of events as handlers are registered under them.
_NAMES: dict[str, str] = {}
_MODELS: dict[str, Any] = {}
#: The class of the clients of each model. The rules of the endpoints, by the address of their description.
_CLASSES: dict[Any, Any] = {}
_PROVIDERS: dict[tuple[tuple[str, int], ...], Any] = {}


@functools.cache
def install() -> None:
    """Keep the descriptions of the services and what is made of them, the names of events, and handlers' keywords."""
    botocore.session.create_loader = functools.cache(botocore.session.create_loader)
    botocore.hooks.accepts_kwargs = _accepts_keywords
    botocore.hooks.NodeList.__copy__ = _copy_of_handlers
    create = botocore.hooks.EventAliaser.__init__

    def create_with_names(self: Any, *arguments: Any, **options: Any) -> None:
        create(self, *arguments, **options)
        self._alias_name_cache = _NAMES

    botocore.hooks.EventAliaser.__init__ = create_with_names
    _keep_models()
    _keep_providers()


def _keep_models() -> None:
    """Keep the model of each service, and the class of its clients."""
    creator = botocore.client.ClientCreator
    load, create_class = creator._load_service_model, creator._create_client_class

    def load_once(self: Any, name: str, version: str | None = None) -> Any:
        if name not in _MODELS:
            _MODELS[name] = load(self, name, version)
        return _MODELS[name]

    def create_class_once(self: Any, name: str, model: Any) -> Any:
        if model not in _CLASSES:
            _CLASSES[model] = create_class(self, name, model)
        return _CLASSES[model]

    creator._load_service_model, creator._create_client_class = load_once, create_class_once


def _keep_providers() -> None:
    create = botocore.regions.EndpointProvider

    def create_once(**data: Any) -> Any:
        key = tuple((name, id(value)) for name, value in data.items())
        if key not in _PROVIDERS:
            _PROVIDERS[key] = (create(**data), data)  # with the data, so that no other object gets their addresses
        return _PROVIDERS[key][0]

    botocore.regions.EndpointProvider = create_once


def preload(client: Any) -> None:
    """Read what botocore reads when a client first needs it, once for all processes that are forked."""
    client.can_paginate(next(iter(client.meta.method_to_api_mapping)))  # it lists the files of all services
    _ = client.exceptions
    model = client.meta.service_model
    for name in model.operation_names:
        operation = model.operation_model(name)
        for shape in (operation.input_shape, operation.output_shape):
            _read_members(shape, ())


def _read_members(shape: Any, outer: tuple[str, ...]) -> None:
    if shape is None or shape.name in outer:
        return
    _ = (shape.metadata, shape.serialization, getattr(shape, "required_members", None))
    members = [*shape.members.values()] if shape.type_name == "structure" else []
    members += [getattr(shape, name) for name in ("member", "key", "value") if hasattr(shape, name)]
    for member in members:
        _read_members(member, (*outer, shape.name))


def _copy_of_handlers(handlers: Any) -> Any:
    return botocore.hooks.NodeList(handlers.first[:], handlers.middle[:], handlers.last[:])


def _accepts_keywords(handler: Any) -> bool:
    """As botocore's function, which computes the whole signature."""
    code = getattr(getattr(handler, "__func__", handler), "__code__", None)
    return bool(code.co_flags & inspect.CO_VARKEYWORDS if code else inspect.getfullargspec(handler)[2])
