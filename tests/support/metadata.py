# SPDX-License-Identifier: GPL-3.0-or-later
"""The metadata service of an instance, version 2, on loopback. It accepts only requests with its token.

`python -m tests.support.metadata PORT KEYS` serves until it is killed; KEYS is a JSON object with an access key.

Source: EC2 User Guide, "Use the Instance Metadata Service to access instance metadata".
"""

from __future__ import annotations

import http.server
import json
import sys
from typing import Any

CREDENTIALS = "/latest/meta-data/iam/security-credentials/"
ROLE = "instance"
TOKEN = "token-of-the-metadata-service"


class Metadata(http.server.ThreadingHTTPServer):
    """The metadata service of an instance with the role `ROLE`.

    :param keys: `AccessKeyId`, `SecretAccessKey`, and `Token` for a session
    """

    def __init__(self, keys: dict[str, str], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        credentials = {"Code": "Success", "Type": "AWS-HMAC", "Expiration": "2100-01-01T00:00:00Z", **keys}
        self.texts = {CREDENTIALS: ROLE, CREDENTIALS + ROLE: json.dumps(credentials)}


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Metadata

    def do_PUT(self) -> None:
        self._answer(200 if self.path == "/latest/api/token" else 404, TOKEN)

    def do_GET(self) -> None:
        is_permitted = self.headers.get("X-aws-ec2-metadata-token") == TOKEN
        status = 401 if not is_permitted else 200 if self.path in self.server.texts else 404
        self._answer(status, self.server.texts.get(self.path, ""))

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600")
        self.end_headers()
        self.wfile.write(text.encode() if status == 200 else b"")

    def log_message(self, *_arguments: Any) -> None:
        pass


if __name__ == "__main__":
    Metadata(json.loads(sys.argv[2]), int(sys.argv[1])).serve_forever()
