# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sessions: who sends requests to AWS, and the clients of that identity. Credentials stay inside `Session`."""

from __future__ import annotations

import functools
import typing as t

try:
    import boto3
    import botocore.config
    import botocore.exceptions
    import botocore.session
except ImportError:
    pass  # AnsibleAWSModule reports it

from ansible_collections.amazon.aws.plugins.module_utils.botocore import get_aws_connection_info
from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import SessionOptions, caller_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._concurrency import CONCURRENCY
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
from ansible_collections.crossaccount.ecr.plugins.module_utils._profile import profile_and_keys, unknown_profile

#: A client of boto3, which has no types.
Client = t.Any

#: The options of amazon.aws for keys.
_KEYS = ("access_key", "secret_key", "session_token")
#: botocore's own retries, with room for the control plane of ECR, whose rates AWS does not publish: a client that was
#: throttled slows down. In mode standard, 32 threads use up the quota of retries, and fail.
_CONFIG = {"retries": {"mode": "adaptive", "max_attempts": 7}, "max_pool_connections": CONCURRENCY}


class Session:
    """One AWS identity. It never returns its keys, so that they cannot appear in a result, a log or an exception.

    :param credentials: keys of an assumed role, as STS returns them; None for the module's own
    :raises EcrError: if the region of the module is not a region
    """

    def __init__(self, module: Module, credentials: Json | None = None) -> None:
        self._module = module
        wanted, wanted_profile = module.params.get("region"), module.params.get("profile")
        for problem in region_problems(wanted, "region") if wanted else ():
            raise EcrError(problem)
        if wanted_profile and any(module.params.get(name) for name in _KEYS):
            raise EcrError(profile_and_keys(str(wanted_profile)))
        self._region, self._endpoint, connection = get_aws_connection_info(module)
        self._profile, self._aws_config = connection.pop("profile_name", None), connection.pop("aws_config", None)
        if credentials:
            connection.update(
                aws_access_key_id=credentials["AccessKeyId"],
                aws_secret_access_key=credentials["SecretAccessKey"],
                aws_session_token=credentials["SessionToken"],
            )
        self._connection = connection

    def __repr__(self) -> str:
        return "<Session>"

    @property
    def region(self) -> str:
        return str(self._region)

    @functools.cached_property
    def _boto3(self) -> Client:
        """One for all clients, so that a profile is asked for keys once, and the models of AWS are read once."""
        try:
            return boto3.session.Session(profile_name=self._profile)
        except botocore.exceptions.ProfileNotFound:
            found = botocore.session.Session()
            files = [found.get_config_variable(name) for name in ("config_file", "credentials_file")]
            raise EcrError(unknown_profile(str(self._profile), found.available_profiles, files)) from None

    def client(self, service: str, region: str | None = None, **config: object) -> Client:
        """A boto3 client of this identity; `config` adds to the configuration of botocore.

        :param region: None for the region of the session
        :raises EcrError: if the endpoint_url of the module is not a URL
        """
        settings = botocore.config.Config(**{**_CONFIG, **config})
        if self._aws_config:
            settings = settings.merge(self._aws_config)
        connection = {"region_name": region or self._region, "endpoint_url": self._endpoint, **self._connection}
        try:
            return self._boto3.client(service, config=settings, **connection)
        except botocore.exceptions.BotoCoreError:
            raise  # some of them are ValueErrors too
        except ValueError as error:
            raise EcrError(f"A client of {service} cannot be created: {error}. Check endpoint_url.") from None

    @functools.cached_property
    def _sts(self) -> Client:
        return self.client("sts")

    @functools.cached_property
    def identity(self) -> dict[str, str]:
        """Who this is: `account`, `arn`, `user_id`. It is requested once."""
        reply = self._sts.get_caller_identity()
        return {"account": reply["Account"], "arn": reply["Arn"], "user_id": reply["UserId"]}

    def assume(self, options: SessionOptions) -> Session:
        """The session of a role.

        :raises EcrError: if AWS denies it, naming the role and what to check
        """
        try:
            reply = self._sts.assume_role(**options.request)
        except botocore.exceptions.ClientError as error:
            if not is_denied(error):
                raise
            sentence = aws_sentence(error)
            denial = read_denial(sentence, ASSUME)
            raise EcrError(
                f"Role {options.role_arn} cannot be assumed: {sentence.rstrip('.')}. {denial.advice(ASSUME)}",
                denial=sentence,
                denial_kind=denial.kind,
            ) from None
        return Session(self._module, reply["Credentials"])


def session_of(module: Module) -> Session:
    """The session that a module works with: that of the caller, or that of `assume_role_arn`."""
    session = Session(module)
    role_arn = module.params.get("assume_role_arn")
    if not role_arn:
        return session
    external_id = module.params.get("assume_role_external_id")
    return session.assume(SessionOptions(role_arn, external_id, "crossaccount.ecr"))


def caller_of(session: Session, options: SessionOptions) -> dict[str, str]:
    """The identity of the caller, checked before it assumes the pull role.

    :raises EcrError: if the role is in the caller's own account, or the share is for another account
    """
    problems = Problems()
    problems.extend(caller_problems(options, session.identity["account"]))
    problems.check()
    return session.identity
