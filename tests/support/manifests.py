# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest of an image, as the registry of the lab returns it."""

from __future__ import annotations

import http.client
import json
import urllib.parse
from typing import Any

from tests.lab import accounts
from tests.support.lab import Lab


def manifest(lab: Lab, ecr: Any, repository: str) -> tuple[int, Any]:
    """The status and the response of the registry to a request with a client's token."""
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(lab.endpoint).netloc, timeout=300)
    headers = {"Authorization": f"Basic {token}"}
    connection.request("GET", f"/v2/{repository}/manifests/{accounts.IMAGE_TAG}", headers=headers)
    reply = connection.getresponse()
    return reply.status, json.loads(reply.read())
