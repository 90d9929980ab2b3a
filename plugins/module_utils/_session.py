# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""An AWS identity and its boto3 clients. Only `Session` has access to the credentials."""

from __future__ import annotations

import datetime
import email.utils
import functools
import os
import typing as t

try:
    import botocore.config
    import botocore.exceptions
    import botocore.session
except ImportError:
    pass  # AnsibleAWSModule reports it

from ansible_collections.amazon.aws.plugins.module_utils.botocore import get_aws_connection_info
from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import SessionOptions, caller_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._caller_keys import (
    Boto3,
    check_keys,
    new_session,
    read_keys,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._concurrency import CONCURRENCY
from ansible_collections.crossaccount.ecr.plugins.module_utils._credentials import zone_problem
from ansible_collections.crossaccount.ecr.plugins.module_utils._denial import ASSUME, read_denial
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import (
    EcrError,
    Problems,
    aws_sentence,
    is_denied,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import Module
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import region_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._profile import profile_and_keys
from ansible_collections.crossaccount.ecr.plugins.module_utils._response import check_response

#: A boto3 client. boto3 has no type annotations.
Client = t.Any

#: The options of amazon.aws for keys.
_OPTIONS = ("access_key", "secret_key", "session_token")
#: The retries of botocore. In mode adaptive, a throttled client reduces its request rate, which is necessary because
#: AWS does not publish the rate limits of the ECR control plane. In mode standard, 32 threads exhaust the retry quota.
_CONFIG = {"retries": {"mode": "adaptive", "max_attempts": 7}, "max_pool_connections": CONCURRENCY}


#: The parameters of a boto3 client for keys. In upper case, they are the names of environment variables.
_KEYS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


class Session:
    """One AWS identity. It never returns its keys, so that they cannot appear in a result, a log or an exception.

    :param credentials: the keys of an assumed role, as STS returns them; None for the keys of the module
    :raises EcrError: if the region of the module is not valid, or its keys cannot be used
    """

    def __init__(self, module: Module, credentials: Json | None = None) -> None:
        self._module, problems = module, Problems()
        profile = module.params.get("profile")
        if profile and any(module.params.get(name) for name in _OPTIONS):
            raise EcrError(profile_and_keys(str(profile)))
        self._region, self._endpoint, connection = get_aws_connection_info(module)
        wanted = module.params.get("region")
        zone = list(zone_problem(str(self._region)))
        problems.extend(zone or (region_problems(wanted, "region") if wanted else ()))
        problems.check()
        self._profile, self._aws_config = connection.pop("profile_name", None), connection.pop("aws_config", None)
        if credentials:
            keys = [credentials[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
        else:
            keys = [connection[name] for name in _KEYS]
        check_keys(*keys)
        if keys == [os.environ.get(name) or None for name in _VARIABLES]:
            keys = [None, None, None]  # boto3 also supports further variables, such as AWS_SECURITY_TOKEN
        self._has_keys = bool(keys[0])
        if connection["verify"] is True:
            connection.pop("verify")  # verify would take precedence over ca_bundle in the profile
        self._connection = {**connection, **dict(zip(_KEYS, keys))}

    def __repr__(self) -> str:
        return "<Session>"

    @property
    def region(self) -> str:
        return str(self._region)

    @functools.cached_property
    def _boto3(self) -> Boto3:
        """The boto3 session of all clients, so that keys and the service models of AWS are loaded once."""
        session = new_session(self._profile, self._region)
        if not self._has_keys:
            read_keys(session)
        return session

    def client(self, service: str, region: str | None = None, **config: object) -> Client:
        """A boto3 client of this identity.

        :param region: None for the region of the session
        :param config: further options of botocore.config.Config
        :raises EcrError: if the endpoint_url of the module is not a URL
        """
        settings = botocore.config.Config(**{**_CONFIG, **config})
        if self._aws_config:
            settings = settings.merge(self._aws_config)
        connection = {"region_name": region or self._region, "endpoint_url": self._endpoint, **self._connection}
        try:
            client = self._boto3.client(service, config=settings, **connection)
        except botocore.exceptions.BotoCoreError:
            raise  # some errors of botocore are also ValueErrors
        except ValueError as error:
            raise EcrError(f"A client of {service} cannot be created: {error}. Check endpoint_url.") from None
        client.meta.events.register("after-call", check_response)
        return client

    @functools.cached_property
    def _sts(self) -> Client:
        return self.client("sts")

    @functools.cached_property
    def _caller(self) -> Json:
        reply: Json = self._sts.get_caller_identity()
        return reply

    @property
    def identity(self) -> dict[str, str]:
        """The `account`, `arn` and `user_id` of this identity. It is requested once."""
        reply = self._caller
        return {"account": reply["Account"], "arn": reply["Arn"], "user_id": reply["UserId"]}

    @property
    def now(self) -> datetime.datetime:
        """The time by the clock of AWS when the identity was requested, in seconds."""
        return email.utils.parsedate_to_datetime(self._caller["ResponseMetadata"]["HTTPHeaders"]["date"])

    def assume(self, options: SessionOptions) -> Session:
        """Assume a role. Without a role, this session sends the requests to the registry of the owner account.

        :raises EcrError: if AWS denies the request; the message names the role and the next step
        """
        if options.role_arn is None:
            return self
        try:
            reply = self._sts.assume_role(**options.request)
        except botocore.exceptions.ClientError as error:
            if not is_denied(error):
                raise
            sentence = aws_sentence(error) or "AWS states no reason"
            denial = read_denial(aws_sentence(error), ASSUME)
            # AWS may have denied the role of the profile.
            refused = denial.resource if ":role/" in denial.resource else options.role_arn
            raise EcrError(
                f"Role {refused} cannot be assumed: {sentence.rstrip('. ')}. {denial.advice(ASSUME)}",
                denial=sentence,
                denial_kind=denial.kind,
            ) from None
        return Session(self._module, reply["Credentials"])


def session_of(module: Module) -> Session:
    """The session of a module: of `assume_role_arn` if it is set, otherwise of the caller."""
    session = Session(module)
    role_arn = module.params.get("assume_role_arn")
    if not role_arn:
        return session
    external_id = module.params.get("assume_role_external_id")
    return session.assume(SessionOptions(role_arn, external_id, "crossaccount.ecr"))


def caller_of(session: Session, options: SessionOptions) -> dict[str, str]:
    """The identity of the caller, validated before it assumes the pull role.

    :raises EcrError: if the role is in the caller's account, or the share is for another account
    """
    problems = Problems()
    problems.extend(caller_problems(options, session.identity["account"]))
    problems.check()
    return session.identity
