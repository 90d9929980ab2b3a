# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sessions: who calls AWS, and the clients of that identity. Credentials stay inside `Session`."""

from __future__ import annotations

import functools
import threading
import typing as t

try:
    import boto3
    import botocore.config
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule says so to the user

from ansible_collections.amazon.aws.plugins.module_utils.botocore import get_aws_connection_info
from ansible_collections.crossaccount.ecr.plugins.module_utils._access import classify
from ansible_collections.crossaccount.ecr.plugins.module_utils._caller import caller_problem
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, aws_sentence, is_denied
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import (
    account_problems,
    assume_problems,
    region_problems,
)

#: Connections at once, to one service. Also the number of threads that share a client.
CONCURRENCY = 32
#: botocore's own retries, with room for ECR's control plane, whose rates AWS does not publish: a client that was
#: throttled asks no faster than it is answered. In mode standard, 32 threads use up the quota of retries, and fail.
_CONFIG = {"retries": {"mode": "adaptive", "max_attempts": 7}, "max_pool_connections": CONCURRENCY}


Item = t.TypeVar("Item")
Answer = t.TypeVar("Answer")


def each(call: t.Callable[[Item], Answer], items: t.Iterable[Item]) -> list[Answer]:
    """What `call` returns for each item, in their order; several are asked for at once, and the first error is raised.

    Who is interrupted does not wait for an answer that is under way: the threads are daemons.
    """
    asked = list(items)
    answers: list[t.Any] = [None] * len(asked)
    errors: list[BaseException] = []
    numbers = iter(range(len(asked)))

    def work() -> None:
        for number in numbers:
            try:
                answers[number] = call(asked[number])
            except BaseException as error:
                errors.append(error)
            if errors:
                return

    threads = [threading.Thread(target=work, daemon=True) for _item in asked[:CONCURRENCY]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return answers


class Session:
    """One AWS identity. Its keys are never handed out, so they can not be returned, logged or raised.

    :param module: an AnsibleAWSModule
    :param credentials: keys of an assumed role, as STS returns them; None for the module's own
    :raises EcrError: when the module's region is no region
    """

    def __init__(self, module: t.Any, credentials: dict[str, t.Any] | None = None) -> None:
        self._module = module
        wanted = module.params.get("region")
        for problem in region_problems(wanted, "region") if wanted else ():
            raise EcrError(problem)
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
    def _boto3(self) -> t.Any:
        """One for all clients: what a profile asks for keys is asked once, and AWS's models are read once."""
        return boto3.session.Session(profile_name=self._profile)

    def client(self, service: str, region: str | None = None, **config: t.Any) -> t.Any:
        """A boto3 client of this identity; `config` adds to botocore's configuration.

        :param region: None for the region of the session
        :raises EcrError: when the module's endpoint_url is no URL
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
            raise EcrError(f"No client of {service} can be made: {error}. Check endpoint_url.") from None

    @functools.cached_property
    def _sts(self) -> t.Any:
        return self.client("sts")

    @functools.cached_property
    def identity(self) -> dict[str, str]:
        """Who this is: `account`, `arn`, `user_id`. It is asked for once."""
        reply = self._sts.get_caller_identity()
        return {"account": reply["Account"], "arn": reply["Arn"], "user_id": reply["UserId"]}

    def assume(self, role_arn: str, external_id: str | None, session_name: str, duration: int | None = None) -> Session:
        """The session of a role.

        :param duration: seconds, 900 to the role's maximum; None for AWS's default of 3,600
        :raises EcrError: when AWS refuses, naming the role and what to mend
        """
        arguments: dict[str, t.Any] = {"RoleArn": role_arn, "RoleSessionName": session_name}
        if external_id is not None:
            arguments["ExternalId"] = external_id
        if duration is not None:
            arguments["DurationSeconds"] = duration
        try:
            reply = self._sts.assume_role(**arguments)
        except botocore.exceptions.ClientError as error:
            if not is_denied(error):
                raise
            sentence = aws_sentence(error)
            raise EcrError(
                f"Role {role_arn} can not be assumed: {sentence.rstrip('.')}. Check, in this order: the role's trust"
                " names this account or principal; the external id is the one in that statement; the caller's own"
                " policies allow sts:AssumeRole on this role.",
                denial=sentence,
                denial_kind=classify(sentence, "trust"),
            ) from None
        return Session(self._module, reply["Credentials"])


def session_of(module: t.Any) -> Session:
    """The session that a module works with: the caller's, or that of `assume_role_arn`."""
    session = Session(module)
    role_arn = module.params.get("assume_role_arn")
    if not role_arn:
        return session
    return session.assume(role_arn, module.params.get("assume_role_external_id"), "crossaccount.ecr")


def caller_of(session: Session, options: dict[str, t.Any]) -> dict[str, str]:
    """The identity of the caller, checked before it assumes the pull role.

    :param options: `role_arn`, and `consumer_account`, the account that the share is for, or None
    :raises EcrError: when the role is in the caller's own account, or the share is for another account
    """
    problem = caller_problem(options["role_arn"], options["consumer_account"], session.identity["account"])
    if problem:
        raise EcrError(problem)
    return session.identity


def session_problems(options: dict[str, t.Any]) -> list[str]:
    """What is wrong with the options by which the pull role is assumed. Source: STS API Reference, AssumeRole."""
    found = list(assume_problems(options["role_arn"], options["external_id"], options["role_session_name"]))
    account = options["consumer_account"]
    for problem in () if account is None else account_problems(account):
        found.append(f"consumer_account: {problem}")
    seconds = options["duration_seconds"]
    if not 900 <= seconds <= 43200:
        found.append(f"duration_seconds is {seconds}; AWS takes 900 to 43,200, and no more than the role's maximum.")
    return found


#: The options that every module has beside amazon.aws's.
ASSUME_ROLE_ARGUMENTS: dict[str, t.Any] = {
    "assume_role_arn": {"type": "str"},
    "assume_role_external_id": {"type": "str"},
}
