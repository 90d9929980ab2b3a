# SPDX-License-Identifier: GPL-3.0-or-later
"""An endpoint of AWS whose responses a test sets."""

from __future__ import annotations

import http.server
import json
import urllib.parse
from typing import Any
from xml.sax.saxutils import escape

OWNER, CONSUMER, REGION = "111111111111", "222222222222", "ap-northeast-1"
ROLE = "allow_ecr_release"
ROLE_ARN = f"arn:aws:iam::{OWNER}:role/{ROLE}"
POLICY_ARN = f"arn:aws:iam::{OWNER}:policy/{ROLE}"
REPOSITORY_ARN = f"arn:aws:ecr:{REGION}:{OWNER}:repository/release"
DIGEST = "sha256:" + "a" * 64
#: The credentials of a run, which must not be displayed.
ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SESSION_KEY, SESSION_TOKEN = "c2Vzc2lvbi9rZXkrb2Y/dGVzdA9876543210", "IQoJb3JpZ2luX2VjE/session+token//of+test=="
REGISTRY_PASSWORD = "registry/password+of/the+run"
REGISTRY_TOKEN = "QVdTOnJlZ2lzdHJ5L3Bhc3N3b3JkK29mL3RoZStydW4="  # base64 of AWS:REGISTRY_PASSWORD
SECRETS = (REGISTRY_PASSWORD, REGISTRY_TOKEN, SECRET_KEY, SESSION_KEY, SESSION_TOKEN)

_TAGS = [{"Key": "environment", "Value": "release"}]
_TRUST = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{CONSUMER}:root"}, "Action": "sts:AssumeRole"}
_DOCUMENT = urllib.parse.quote(json.dumps({"Version": "2012-10-17", "Statement": [_TRUST]}))
_IMAGE = {"registryId": OWNER, "repositoryName": "release", "imageId": {"imageDigest": DIGEST, "imageTag": "v1.0"}}
_TIME = "2026-01-31T23:59:59Z"
_REPOSITORY = {
    "repositoryArn": REPOSITORY_ARN,
    "repositoryName": "release",
    "repositoryUri": f"{OWNER}.dkr.ecr.{REGION}.amazonaws.com/release",
    "registryId": OWNER,
}
#: A valid answer to each call of the collection.
ANSWERS: dict[str, Any] = {
    "GetCallerIdentity": {"Account": CONSUMER, "Arn": f"arn:aws:iam::{CONSUMER}:user/dev", "UserId": "AIDAEXAMPLE"},
    "AssumeRole": {
        "Credentials": {
            "AccessKeyId": "ASIAIOSFODNN7EXAMPLE",
            "SecretAccessKey": SESSION_KEY,
            "SessionToken": SESSION_TOKEN,
            "Expiration": _TIME,
        },
        "AssumedRoleUser": {"Arn": f"arn:aws:sts::{OWNER}:assumed-role/{ROLE}/x", "AssumedRoleId": "AROAEXAMPLE:x"},
    },
    "GetAuthorizationToken": {
        "authorizationData": [
            {"authorizationToken": REGISTRY_TOKEN, "expiresAt": 1.8e9, "proxyEndpoint": "https://127.0.0.1:9"}
        ]
    },
    "BatchGetImage": {
        "images": [{**_IMAGE, "imageManifest": "{}", "imageManifestMediaType": "text/plain"}],
        "failures": [],
    },
    "DescribeImages": {"imageDetails": []},
    "GetDownloadUrlForLayer": {"downloadUrl": "https://127.0.0.1:9", "layerDigest": DIGEST},
    "DescribeRepositories": {"repositories": [_REPOSITORY]},
    "ListTagsForResource": {"tags": _TAGS},
    "GetRepositoryPolicy": {"policyText": urllib.parse.unquote(_DOCUMENT)},
    "GetResources": {"ResourceTagMappingList": [{"ResourceARN": REPOSITORY_ARN, "Tags": _TAGS}]},
    "GetTagKeys": {"TagKeys": ["environment"]},
    "GetTagValues": {"TagValues": ["release"]},
    "TagResources": {"FailedResourcesMap": {}},
    "UntagResources": {"FailedResourcesMap": {}},
    "GetRole": {
        "Role": {
            "Path": "/",
            "RoleName": ROLE,
            "RoleId": "AROAEXAMPLE",
            "Arn": ROLE_ARN,
            "CreateDate": _TIME,
            "AssumeRolePolicyDocument": _DOCUMENT,
            "Description": "of others",
            "MaxSessionDuration": 3600,
            "Tags": [{"Key": "managed-by", "Value": "crossaccount.ecr"}],
        }
    },
    "ListRoleTags": {"Tags": [{"Key": "managed-by", "Value": "crossaccount.ecr"}], "IsTruncated": False},
    "GetPolicy": {
        "Policy": {
            "PolicyName": ROLE,
            "PolicyId": "ANPAEXAMPLE",
            "Arn": POLICY_ARN,
            "Path": "/",
            "DefaultVersionId": "v1",
            "AttachmentCount": 1,
            "Tags": [{"Key": "managed-by", "Value": "crossaccount.ecr"}],
        }
    },
    "GetPolicyVersion": {"PolicyVersion": {"Document": _DOCUMENT, "VersionId": "v1", "IsDefaultVersion": True}},
    "ListPolicyVersions": {"Versions": [{"VersionId": "v1", "IsDefaultVersion": True}], "IsTruncated": False},
    "ListAttachedRolePolicies": {
        "AttachedPolicies": [{"PolicyName": ROLE, "PolicyArn": POLICY_ARN}],
        "IsTruncated": False,
    },
    "ListRolePolicies": {"PolicyNames": ["of-others"], "IsTruncated": False},
    "GetRolePolicy": {"RoleName": ROLE, "PolicyName": "of-others", "PolicyDocument": _DOCUMENT},
    "ListInstanceProfilesForRole": {"InstanceProfiles": [], "IsTruncated": False},
    "ListEntitiesForPolicy": {
        "PolicyRoles": [{"RoleName": ROLE, "RoleId": "AROAEXAMPLE"}],
        "PolicyUsers": [],
        "PolicyGroups": [],
        "IsTruncated": False,
    },
}
#: The calls of one account only, so that the run receives a hostile response.
CONSUMER_CALLS = ["GetCallerIdentity", "AssumeRole", "GetAuthorizationToken", "BatchGetImage"]
OWNER_CALLS = ["GetRole", "GetPolicy", "GetPolicyVersion", "ListAttachedRolePolicies", "ListRolePolicies"]
REPOSITORY_CALLS = ["DescribeRepositories", "ListTagsForResource", "GetResources"]


def error(code: str, message: str) -> dict[str, Any]:
    """An error response of AWS."""
    return {"__type": code, "message": message, "Error": {"Code": code, "Message": message, "Type": "Sender"}}


class HostileAws(http.server.ThreadingHTTPServer):
    """Responds to every call. `answers` overrides the valid responses; a string is sent unchanged."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, Any] = {}
        self.refused: set[str] = set()
        self.calls: list[str] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that closes the connection is not an error."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def environment(self) -> dict[str, str]:
        """Variables that direct a run to this endpoint, with the credentials of the run."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/nonexistent",
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        }


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: HostileAws

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        target = self.headers.get("X-Amz-Target", "")
        call = target.rpartition(".")[2] or dict(urllib.parse.parse_qsl(body))["Action"]
        self.server.calls.append(call)
        answer = self.server.answers.get(call, ANSWERS.get(call, {}))
        if not isinstance(answer, str):
            answer = json.dumps(answer) if target else xml_reply(call, answer)
        content = answer.encode("utf-8", "replace")  # botocore fails with other bytes
        self.send_response(400 if call in self.server.refused else 200)
        self.send_header("Content-Type", "application/x-amz-json-1.1" if target else "text/xml")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def xml_reply(call: str, answer: Any) -> str:
    if "Error" in answer:
        return f"<ErrorResponse>{_element('Error', answer['Error'])}</ErrorResponse>"
    return f"<{call}Response>{_element(f'{call}Result', answer)}</{call}Response>"


def _element(name: str, value: Any) -> str:
    if isinstance(value, dict):
        inner = "".join(_element(key, member) for key, member in value.items())
    elif isinstance(value, list):
        inner = "".join(_element("member", element) for element in value)
    elif isinstance(value, bool):
        inner = str(value).lower()
    else:
        inner = "".join(item if item.isprintable() else f"&#{ord(item)};" for item in escape(str(value)))
    return f"<{name}>{inner}</{name}>"
