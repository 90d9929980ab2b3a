# SPDX-License-Identifier: GPL-3.0-or-later
"""One exception of each class that a call of AWS, a file or a program may raise."""

from __future__ import annotations

import asyncio
import binascii
import http.client
import inspect
import json
import socket
import ssl
import string
import xml.etree.ElementTree
import zlib
from collections.abc import Iterator
from types import ModuleType

import botocore.exceptions
import botocore.parsers
import urllib3.exceptions

TEXT = "text of the exception"


def each_exception() -> list[Exception]:
    """All classes of botocore, urllib3 and http.client, and the usual ones of Python."""
    return [
        *_of_module(botocore.exceptions),
        *_of_module(urllib3.exceptions),
        *_of_module(http.client),
        botocore.parsers.ResponseParserError(TEXT),
        botocore.exceptions.ClientError({}, "Operation"),
        botocore.exceptions.ClientError({"Error": {"Code": "NewException", "Message": TEXT}}, "Operation"),
        json.JSONDecodeError(TEXT, "{", 0),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, TEXT),
        UnicodeEncodeError("utf-8", "\udcff", 0, 1, TEXT),
        UnicodeError(TEXT),
        xml.etree.ElementTree.ParseError(TEXT),
        binascii.Error(TEXT),
        zlib.error(TEXT),
        OSError(),
        OSError(28, TEXT),
        PermissionError(13, TEXT, "/path"),
        ConnectionResetError(104, TEXT),
        BrokenPipeError(),
        TimeoutError(TEXT),
        asyncio.TimeoutError(),
        socket.gaierror(-2, TEXT),
        ssl.SSLError(1, TEXT),
        ssl.SSLCertVerificationError(1, TEXT),
        *(
            kind(TEXT)
            for kind in (
                *(EOFError, KeyError, IndexError, TypeError, ValueError, AttributeError, AssertionError, LookupError),
                *(RuntimeError, NotImplementedError, RecursionError, MemoryError, OverflowError, ZeroDivisionError),
                *(StopIteration, ImportError, NameError, BufferError, Exception),
            )
        ),
        KeyError(),
        Exception(),
    ]


def _of_module(module: ModuleType) -> Iterator[Exception]:
    for kind in vars(module).values():
        if inspect.isclass(kind) and issubclass(kind, Exception) and kind.__module__ == module.__name__:
            yield _new(kind)


def _new(kind: type[Exception]) -> Exception:
    """An exception of a class, made with the fields of its text, or with as many arguments as it accepts."""
    fields = {name.split(".")[0] for _text, name, *_rest in string.Formatter().parse(getattr(kind, "fmt", "")) if name}
    try:
        if hasattr(kind, "fmt"):
            return kind(**dict.fromkeys(fields, TEXT))
    except (TypeError, AttributeError):
        pass
    for count in range(6):
        try:
            error = kind(*[TEXT] * count)
            str(error)
        except (TypeError, AttributeError, IndexError, ValueError):
            continue
        return error
    return kind.__new__(kind)
