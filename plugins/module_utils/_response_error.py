# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Parses the HTTP error of a registry, of S3 or of a proxy. Standard library only.

A registry sends JSON (OCI Distribution Specification 1.1, "Error Codes"). S3 sends XML (Amazon S3 API Reference, "Error
responses"). Regular expressions find its two relevant elements, because an XML parser would expand entities of an
untrusted document. Any other body is quoted without markup.
"""

from __future__ import annotations

import html
import json
import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import printable
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_errors import LAYER_ROWS

#: The maximum number of bytes of a body to read.
MAXIMUM_BODY = 64 * 1024
#: The maximum number of characters to quote, and of the body to search for them.
_QUOTED, _READ = 200, 4096
_S3 = re.compile(r"\s*(?:<\?xml[^<>]*\?>\s*)?<Error[\s>]")
_CODE = re.compile(r"<Code>\s*([A-Za-z0-9.]{1,100})\s*</Code>")
_MESSAGE = re.compile(r"<Message>([^<]{0,1000})</Message>")
_MARKUP = re.compile(r"(?is)<(?:style|script)\b[^>]*>[^<]*|<[^>]{0,1000}>")
#: The query of a URL, which is a credential if the URL is presigned.
_QUERY = re.compile(r"(?i)(?:\?|%3f)[^\s\"'<>]*?(?:=|%3d)[^\s\"'<>]*?(?=:?(?:[\s\"'<>]|$))")
_LAYER_BUCKET = re.compile(r"prod-([a-z0-9-]+)-starport-layer-bucket")
_REGISTRY = re.compile(r"\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.")


def without_queries(text: str) -> str:
    """The text with the query of each URL replaced by `?…`, because anyone with a presigned URL can read the layer."""
    return _QUERY.sub("?…", text)


def response_reason(status: str, body: bytes, host: str, registry: str, mask: t.Callable[[str], str] = str) -> str:
    """The reason in an error response, with the next step for a known error of S3.

    :param status: such as `403 Forbidden`
    :param host: the host that responded: the registry, or the target of a redirect
    :param registry: the host of the registry
    :param mask: masks the token in a text, before the text is shortened
    """
    text = mask(body[:MAXIMUM_BODY].decode(errors="replace"))
    stated = _of_registry(text)
    if stated is not None:
        return mask(printable(without_queries(stated)))
    code = _CODE.search(text) if _S3.match(text) else None
    found = _MESSAGE.search(text) if code else None
    message = _short(html.unescape(found[1]) if found else "" if code else text, mask)
    fact = (f"{code[1]}: {message}" if code else f"HTTP {status}: {message}").rstrip(": .")
    bucket = _LAYER_BUCKET.search(host)
    step = _next_step(code[1] if code else status[:3], message) if host != registry and (code or bucket) else ""
    region = bucket or _REGISTRY.search(registry)
    return f"{fact}. {step.replace('REGION', region[1] if region else 'REGION')}" if step else fact


def _next_step(code: str, message: str) -> str:
    return next((row.next_step for row in LAYER_ROWS if row.matches("GetObject", code, message)), "")


def _of_registry(text: str) -> str | None:
    """The first error in the JSON of a registry, such as `denied: User: … is not authorized …`; None if it has none."""
    try:
        first = json.loads(text)["errors"][0]
        return f"{str(first['code']).lower()}: {first['message']}"
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return None


def _short(text: str, mask: t.Callable[[str], str]) -> str:
    """The shortened text, without markup and queries."""
    words = " ".join(html.unescape(_MARKUP.sub(" ", text[:_READ])).split())
    cleaned = printable(without_queries(mask(words)))
    return cleaned if len(cleaned) <= _QUOTED else cleaned[:_QUOTED] + "…"
