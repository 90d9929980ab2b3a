# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Reads the caller's AWS keys once from the source that boto3 selects, and explains a failure."""

from __future__ import annotations

import logging
import os
import typing as t
import urllib.parse

try:
    import boto3
    import botocore.exceptions
    import botocore.session
except ImportError:
    pass  # AnsibleAWSModule reports it

from ansible_collections.crossaccount.ecr.plugins.module_utils._credential_source import Source
from ansible_collections.crossaccount.ecr.plugins.module_utils._credentials import header_problems, key_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems, error_code, explain
from ansible_collections.crossaccount.ecr.plugins.module_utils._profile import unknown_profile
from ansible_collections.crossaccount.ecr.plugins.module_utils._secrets import KNOWN

#: A boto3 session. boto3 has no type annotations.
Boto3 = t.Any
#: The value that causes a line break in each header, including the headers of requests by which boto3 gets keys.
_HEADERS = {
    "X-Amz-Security-Token": "session token",
    "x-amz-sso_bearer_token": "access token of IAM Identity Center (SSO)",
    "Authorization": "access key ID",
}


class AwsRequest(t.Protocol):
    """The part of a botocore request that this file reads."""

    headers: t.Mapping[str, str | bytes]
    body: object


def new_session(profile: str | None, region: str | None) -> Boto3:
    """A boto3 session that checks each request before it is sent. botocore writes to no log.

    :param region: the region of all requests, including those by which boto3 gets keys
    :raises EcrError: if the profile does not exist
    """
    logging.getLogger("botocore").propagate = False  # botocore logs tracebacks, for example to the log file of Ansible
    core = botocore.session.get_session()
    core.register("before-send", check_request)
    try:
        return boto3.session.Session(profile_name=profile, region_name=region, botocore_session=core)
    except botocore.exceptions.ProfileNotFound:
        name = str(profile or core.get_config_variable("profile") or "")
        files = [core.get_config_variable(name) for name in ("config_file", "credentials_file")]
        raise EcrError(unknown_profile(name, botocore.session.Session().available_profiles, files)) from None


def check_request(request: AwsRequest, **_event: object) -> None:
    """Add the token of a request to the known secrets, and reject a token that an error of the HTTP library would show.

    :raises EcrError: if a header has a line break
    """
    body = request.body.decode(errors="replace") if isinstance(request.body, bytes) else request.body
    if isinstance(body, str) and "WebIdentityToken=" in body:  # the form of AssumeRoleWithWebIdentity
        KNOWN.add(*urllib.parse.parse_qs(body).get("WebIdentityToken", []))
    for header, name in _HEADERS.items():
        value = request.headers.get(header, "")
        text = value.decode(errors="replace") if isinstance(value, bytes) else value
        if name != "access key ID":
            KNOWN.add(text)
        if "\n" in text or "\r" in text:
            raise EcrError(next(header_problems(name, text)))


def check_keys(access_key: str | None, secret_key: str | None, session_token: str | None) -> None:
    """Add keys to the known secrets, and validate them.

    :raises EcrError: with all problems
    """
    KNOWN.add(secret_key, session_token)
    problems = Problems()
    problems.extend(key_problems(access_key, secret_key, session_token))
    problems.check()


def read_keys(session: Boto3) -> None:
    """Read and validate the keys of the session. The session caches them for all of its clients.

    :raises EcrError: if the keys cannot be read or used; the message names their source
    """
    core, problems = session._session, Problems()
    source = Source(core.full_config.get("profiles", {}), core.get_config_variable("profile"))
    problems.extend(source.problems())
    problems.check()
    try:
        credentials = session.get_credentials()
        if credentials is None:
            raise botocore.exceptions.NoCredentialsError
        keys = credentials.get_frozen_credentials()
        check_keys(keys.access_key, keys.secret_key, keys.token)
    except EcrError:
        raise
    except Exception as error:
        raise EcrError(_failure(source, error)) from None


def _failure(source: Source, error: Exception) -> str:
    """The message for keys that cannot be read."""
    code, facts, operation = error_code(error), getattr(error, "kwargs", {}), getattr(error, "operation_name", "")
    details = (getattr(error, "filename", None), *(facts.get(name) for name in ("cred_var", "error_msg", "report")))
    fact = str(next(filter(None, details), ""))
    known = source.failure(code, str(facts.get("provider", "")), fact)
    if operation == "AssumeRoleWithWebIdentity":
        known = source.web_identity_failure(code)
    if known:
        return known
    if code == "ValueError" and "AWS_CONTAINER_CREDENTIALS_FULL_URI" in os.environ:
        return (
            "The credentials of the container cannot be requested. Check that the host of"
            " AWS_CONTAINER_CREDENTIALS_FULL_URI is one that AWS accepts, and that AWS_CONTAINER_AUTHORIZATION_TOKEN"
            " has no line break."
        )
    if operation == "AssumeRole":
        return f"The role of {source.named} cannot be assumed: {explain(error, os.environ)}"
    if isinstance(error, (botocore.exceptions.NoCredentialsError, botocore.exceptions.ProfileNotFound)):
        return explain(error, os.environ)
    if isinstance(error, (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError)):
        return f"The keys of {source.named} cannot be read: {explain(error, os.environ)}"
    return (
        f"The keys of {source.named} cannot be read: {code}. Check with aws sts get-caller-identity whether the AWS CLI"
        " can read them."
    )
