# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Gets digests of images and a registry token from AWS, for the module `ecr_image_pull` and its action plugin."""

from __future__ import annotations

import typing as t
import urllib.parse
from dataclasses import dataclass, field

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule reports it

from ansible_collections.crossaccount.ecr.plugins.module_utils import _ecr
from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import SessionOptions, account_of_role
from ansible_collections.crossaccount.ecr.plugins.module_utils._aws_errors import is_retryable, recognize
from ansible_collections.crossaccount.ecr.plugins.module_utils._concurrency import map_concurrently
from ansible_collections.crossaccount.ecr.plugins.module_utils._denial import ROLE, read_denial
from ansible_collections.crossaccount.ecr.plugins.module_utils._engine_errors import recognize_engine_error
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import (
    DENIED_CODES,
    EcrError,
    Problems,
    aws_sentence,
    error_code,
    is_denied,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import Reference, registry_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import capture_result
from ansible_collections.crossaccount.ecr.plugins.module_utils._observation import observation_of_error
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import options_in
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_host import registry_host_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._retry import (
    Report,
    ignore_result,
    retry_while_propagating,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import Client, Session, caller_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WaitOptions

Value = t.TypeVar("Value")
_DENIAL = "is not authorized to perform"


@dataclass(frozen=True)
class Authorization:
    """The URL of a registry, a token for it, and the digest of each image."""

    url: str
    token: str = field(repr=False)
    digests: list[str]


def pull_is_final(result: Json) -> bool:
    """Whether the result is final, so that the propagation of a new share cannot change it."""
    return not result.get("failed") or not is_retryable(result.get("denial_kind"))


def authorize(
    session: Session,
    options: SessionOptions,
    wait: WaitOptions,
    references: list[Reference],
    registry_host: str | None = None,
    report: Report = ignore_result,
) -> Authorization:
    """Assume the role, resolve the images, and get a token. This is repeated while a new share may propagate.

    :param registry_host: the chosen host name of the registry; None for the one that ECR returns
    :param report: receives each result that is not final
    :raises EcrError: if the role cannot be assumed, or images are denied or missing; the message names all of them
    """

    account, regions = account_of_role(options.role_arn), [session.region]

    def attempt() -> Json:
        ecr = session.assume(options).client("ecr")
        digests = resolve(ecr, references)
        token, url = _token(ecr)
        _check_registries(references, account, regions, [urllib.parse.urlsplit(url).netloc])
        chosen = f"https://{registry_host}" if registry_host else url
        return {"authorization": Authorization(chosen, token, digests)}

    problems = Problems()
    problems.extend(registry_host_problems(registry_host, options.role_arn, session.region))
    problems.check()
    caller_of(session, options)
    _check_registries(references, account, regions)
    result = retry_while_propagating(lambda: capture_result(attempt), pull_is_final, wait, report)
    if result.pop("failed", False):
        raise EcrError(result.pop("msg"), **result)
    authorization: Authorization = result["authorization"]
    return authorization


def _check_registries(
    references: list[Reference], account: str, regions: list[str], hosts: list[str] | None = None
) -> None:
    problems = Problems()
    problems.extend(registry_problems(references, account, regions, hosts))
    problems.check()


def fetch_with_retry(call: t.Callable[[], Value], wait: WaitOptions) -> Value:
    """Call an engine. The call is repeated while a new share may propagate to the registry.

    :raises EcrError: if the call fails; it has `denial_kind` if AWS denied the pull
    """

    def attempt() -> Json:
        result = capture_result(lambda: {"value": call()})
        message = result.get("msg", "")
        if _DENIAL in message:  # the registry and most engines repeat the message of AWS
            denial = read_denial(message, ROLE)
            advice = denial.advice(ROLE)
            known = advice if advice in message else f"{message.rstrip('. ')}. {advice}"
            result |= {"msg": known, "denial_kind": denial.kind}
        elif row := recognize_engine_error(message):
            result |= {"msg": f"{message.rstrip('. ')}. {options_in(row.next_step)}", "denial_kind": row.kind}
        return result

    result = retry_while_propagating(attempt, pull_is_final, wait)
    if result.pop("failed", False):
        raise EcrError(result.pop("msg"), **result)
    value: Value = result["value"]
    return value


def _token(ecr: Client) -> tuple[str, str]:
    try:
        return _ecr.token(ecr)
    except botocore.exceptions.ClientError as error:
        if not is_denied(error):
            raise
        observation = observation_of_error("GetAuthorizationToken", error_code(error), aws_sentence(error))
        raise EcrError(
            f"The role cannot get a registry token: {observation.sentence.rstrip('.')}. {observation.advice}",
            denial=observation.sentence,
            denial_kind=observation.kind,
        ) from None


def resolve(ecr: Client, references: list[Reference]) -> list[str]:
    """The digest of each image, from ECR. All denied and missing images are reported together."""
    problems, digests, kinds = Problems(), [], []
    for outcome in map_concurrently(lambda reference: _digest(ecr, reference), references):
        if isinstance(outcome, str):
            digests.append(outcome)
        else:
            problems.add(str(outcome))
            kinds.append(outcome.facts["denial_kind"])
    # A repetition cannot help if one of the failures is not retryable.
    lasting = [kind for kind in kinds if not is_retryable(kind)]
    problems.check(denial_kind=[*lasting, *kinds, ""][0])
    return digests


def _digest(ecr: Client, reference: Reference) -> str | EcrError:
    try:
        found = _ecr.image(ecr, reference.repository, reference.identifier)
    except botocore.exceptions.ClientError as error:
        return _failure(reference, error_code(error), aws_sentence(error))
    except _ecr.ImageFailureError as error:
        return _failure(reference, error.code, error.reason)
    if found is None:
        fact = f"does not exist: repository {reference.repository} has no such image."
    elif reference.digest and found["digest"] != reference.digest:
        fact = f"does not exist: {reference.image_tag} has the digest {found['digest']}."
    else:
        return str(found["digest"])
    return EcrError(f"Image {reference} {fact}", denial_kind="unknown_image")


def _failure(reference: Reference, code: str, sentence: str) -> EcrError:
    """The error for an image that cannot be resolved, with the next step."""
    if code in DENIED_CODES:
        denial = read_denial(sentence, ROLE)
        message = f"Image {reference} cannot be pulled: denied: {sentence.rstrip('.')}. {denial.advice(ROLE)}"
        return EcrError(message, denial_kind=denial.kind)
    row = recognize("BatchGetImage", code, sentence, by_role=True)
    fact = f"{code}: {sentence}".rstrip(": .")
    if row is None:
        return EcrError(f"Image {reference} cannot be pulled: {fact}.", denial_kind="unknown_error")
    return EcrError(f"Image {reference} cannot be pulled: {fact}. {options_in(row.next_step)}", denial_kind=row.kind)
