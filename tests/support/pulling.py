# SPDX-License-Identifier: GPL-3.0-or-later
"""The five requests of a pull, each over connections that stay open, and without the retries of an SDK."""

from __future__ import annotations

import http.client
import json
import re
import urllib.parse
from typing import NamedTuple

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.lab import accounts
from tests.support.lab_accounts import Keys

ALLOWED, DENIED = "allowed", "denied"
#: The codes of a denial by STS, by ECR's API and by the registry.
_DENIALS = ("AccessDenied", "AccessDeniedException", "DENIED")
_OPERATION = "AmazonEC2ContainerRegistry_V20150921."


class Answer(NamedTuple):
    """A response."""

    status: int
    text: str

    @property
    def outcome(self) -> str:
        """`allowed`, `denied` by a policy, or another error, such as an expired session."""
        if self.status == 200:
            return ALLOWED
        code = re.search(r'<Code>(\w+)<|"__type": ?"(?:[^"]*#)?(\w+)"|"code": ?"(\w+)"', self.text)
        found = next(filter(None, code.groups()), "") if code else ""
        by_policy = found in _DENIALS and "is not authorized to perform" in self.text
        return DENIED if by_policy else f"{self.status} {self.text}"


class Puller:
    """A consumer: a principal that can assume one role, and one repository. It belongs to one thread.

    :param keys: of the principal
    """

    def __init__(self, endpoint: str, keys: Keys, role_arn: str, external_id: str, repository: str) -> None:
        self._url = endpoint
        self._connection = http.client.HTTPConnection(urllib.parse.urlsplit(endpoint).netloc, timeout=300)
        self._keys, self._role_arn, self._external_id = keys, role_arn, external_id
        self.repository, self._layer = repository, ""

    def close(self) -> None:
        self._connection.close()

    def assume(self, seconds: int = 3600) -> tuple[Answer, Keys]:
        """The response, and the keys of the session if there is one."""
        form = {
            **{"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": self._role_arn},
            **{"RoleSessionName": "pull", "ExternalId": self._external_id, "DurationSeconds": str(seconds)},
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self._signed("sts", self._keys, urllib.parse.urlencode(form), headers)
        names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
        found = [re.search(f"<{name}>([^<]+)<", answer.text) for name in names]
        return answer, Keys(*(match[1] if match else "" for match in found))

    def token(self, session: Keys) -> tuple[Answer, str]:
        """The response, and the registry token if there is one."""
        answer = self._ecr("GetAuthorizationToken", session)
        found = json.loads(answer.text).get("authorizationData") if answer.status == 200 else None
        return answer, found[0]["authorizationToken"] if found else ""

    def describe(self, session: Keys) -> Answer:
        return self._ecr("DescribeImages", session, repositoryName=self.repository)

    def manifest(self, token: str) -> Answer:
        answer = self._registry(f"manifests/{accounts.IMAGE_TAG}", token)
        if answer.status == 200:
            self._layer = json.loads(answer.text)["layers"][0]["digest"]
        return answer

    def layer(self, token: str) -> Answer:
        """The first layer of the manifest that was pulled last."""
        return self._registry(f"blobs/{self._layer}", token)

    def _ecr(self, operation: str, session: Keys, **data: str) -> Answer:
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": _OPERATION + operation}
        return self._signed("ecr", session, json.dumps(data), headers)

    def _signed(self, service: str, keys: Keys, body: str, headers: dict[str, str]) -> Answer:
        request = AWSRequest("POST", f"{self._url}/", headers, body)
        credentials = Credentials(keys.key, keys.secret, keys.token or None)
        SigV4Auth(credentials, service, accounts.REGION).add_auth(request)
        return self._send("POST", "/", body.encode(), dict(request.headers.items()))

    def _registry(self, path: str, token: str) -> Answer:
        return self._send("GET", f"/v2/{self.repository}/{path}", None, {"Authorization": f"Basic {token}"})

    def _send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        self._connection.request(method, path, body, headers)
        reply = self._connection.getresponse()
        return Answer(reply.status, reply.read().decode("latin-1"))
