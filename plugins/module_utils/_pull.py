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
from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import SessionOptions
from ansible_collections.crossaccount.ecr.plugins.module_utils._aws_errors import is_retryable, recognize
from ansible_collections.crossaccount.ecr.plugins.module_utils._concurrency import map_concurrently
from ansible_collections.crossaccount.ecr.plugins.module_utils._declared_account import RegistryAccount
from ansible_collections.crossaccount.ecr.plugins.module_utils._denial import CALLER, OWN, ROLE, read_denial
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
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option, options_in
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_host import check_registry_host
from ansible_collections.crossaccount.ecr.plugins.module_utils._retry import (
    Report,
    ignore_result,
    retry_while_propagating,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import Client, Session, caller_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WaitOptions

Value = t.TypeVar("Value")
_DENIAL = "is not authorized to perform"
#: The kinds of errors about an image that a registry does not have.
_MISSING = ("unknown_repository", "unknown_image", "upstream")
#: The kind of such an error in the own registry of the caller, whose cache may not be ready yet.
_NOT_CACHED = "not_cached"
#: The kinds of errors which show that the caller cannot get an image.
_UNAVAILABLE = (*_MISSING, _NOT_CACHED, "no_identity_policy", "no_resource_policy", "explicit_deny")


@dataclass(frozen=True)
class Authorization:
    """The URL of a registry, a token for it, and the digest of each image."""

    url: str
    token: str = field(repr=False)
    digests: list[str]


def pull_is_final(result: Json) -> bool:
    """Whether the result is final, so that the propagation of a new share or cache cannot change it."""
    kind = result.get("denial_kind")
    return not result.get("failed") or not (is_retryable(kind) or kind == _NOT_CACHED)


def authorize(
    session: Session,
    source: SessionOptions | RegistryAccount,
    wait: WaitOptions,
    references: list[Reference],
    report: Report = ignore_result,
    denied: t.Sequence[Reference] = (),
    registry_host: str | None = None,
) -> Authorization:
    """Resolve the images of a registry, and get a token. This is repeated while a new share may propagate.

    :param source: the pull role to assume, or the account of the session, whose own registry has the images
    :param report: receives each result that is not final
    :param denied: the images that must not be available
    :param registry_host: the chosen host name of the registry; None for the one that ECR returns
    :raises EcrError: if the role cannot be assumed, or images are denied or missing; the message names all of them
    """
    caller_arn = session.identity["arn"]
    owner_arn = caller_arn if isinstance(source, RegistryAccount) else source.owner_arn(caller_arn)
    check_registry_host(registry_host, owner_arn, session.region)
    account, called, opened = _registry_of(session, source)
    regions = [session.region]

    def attempt() -> Json:
        ecr = opened().client("ecr")
        if called == OWN:
            _ecr.of_account(ecr, account)
        digests = resolve(ecr, references, called)
        problems = Problems()
        problems.extend(_available(ecr, denied, called))
        problems.check()
        token, url = _token(ecr, called)
        # The token is valid for all registries, but AWS returns the URL of the caller's own one.
        url = url.replace(f"//{session.identity['account']}.", f"//{account}.")
        _check_registries(references, account, regions, [urllib.parse.urlsplit(url).netloc])
        chosen = f"https://{registry_host}" if registry_host else url
        return {"authorization": Authorization(chosen, token, digests)}

    _check_registries([*references, *denied], account, regions)
    result = retry_while_propagating(lambda: capture_result(attempt), pull_is_final, wait, report)
    if result.pop("failed", False):
        raise EcrError(result.pop("msg"), **result)
    authorization: Authorization = result["authorization"]
    return authorization


def _registry_of(
    session: Session, source: SessionOptions | RegistryAccount
) -> tuple[str, str, t.Callable[[], Session]]:
    """The account of the registry, the sender of the requests to it, and a function that returns its session."""
    if isinstance(source, RegistryAccount):
        account = session.identity["account"]
        source.check(account)
        return account, CALLER, lambda: session
    caller_of(session, source)
    return source.owner_account, source.called, lambda: session.assume(source)


def _check_registries(
    references: list[Reference], account: str, regions: list[str], hosts: list[str] | None = None
) -> None:
    problems = Problems()
    problems.extend(registry_problems(references, account, regions, hosts))
    problems.check()


def fetch_with_retry(call: t.Callable[[], Value], wait: WaitOptions, called: str = ROLE) -> Value:
    """Call an engine. The call is repeated while a new share may propagate to the registry.

    :param called: the owner of the registry token: a session of the pull role, or the caller
    :raises EcrError: if the call fails; it has `denial_kind` if AWS denied the pull
    """

    def attempt() -> Json:
        result = capture_result(lambda: {"value": call()})
        message = result.get("msg", "")
        if _DENIAL in message:  # the registry and most engines repeat the message of AWS
            denial = read_denial(message, called)
            advice = denial.advice(called)
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


def _token(ecr: Client, called: str = ROLE) -> tuple[str, str]:
    try:
        return _ecr.token(ecr)
    except botocore.exceptions.ClientError as error:
        if called == CALLER or not is_denied(error):
            raise
        observation = observation_of_error("GetAuthorizationToken", error_code(error), aws_sentence(error), called)
        raise EcrError(
            f"The {called} cannot get a registry token: {observation.sentence.rstrip('.')}. {observation.advice}",
            denial=observation.sentence,
            denial_kind=observation.kind,
        ) from None


def resolve(ecr: Client, references: t.Sequence[Reference], called: str = ROLE) -> list[str]:
    """The digest of each image, from ECR. All denied and missing images are reported together.

    :param called: the sender of the requests: a session of the pull role, or the caller
    """
    problems, digests, kinds = Problems(), [], []
    for outcome in map_concurrently(lambda reference: _digest(ecr, reference, called), references):
        if isinstance(outcome, str):
            digests.append(outcome)
        else:
            problems.add(str(outcome))
            kinds.append(outcome.facts["denial_kind"])
    # A repetition cannot help if one of the failures is not retryable.
    lasting = [kind for kind in kinds if not (is_retryable(kind) or kind == _NOT_CACHED)]
    problems.check(denial_kind=[*lasting, *kinds, ""][0])
    return digests


def _available(ecr: Client, denied: t.Sequence[Reference], called: str) -> t.Iterator[str]:
    """Problems with images that must not be available."""
    for reference, outcome in zip(denied, map_concurrently(lambda one: _digest(ecr, one, called), denied)):
        if isinstance(outcome, str):
            yield (
                f"Image {reference} can be pulled, although {option('denied')} lists it. Check the policies that allow"
                " it, and whether a cache has kept a copy."
            )
        elif outcome.facts["denial_kind"] not in _UNAVAILABLE:
            yield f"Whether image {reference} can be pulled is unknown: {outcome}"


def _digest(ecr: Client, reference: Reference, called: str) -> str | EcrError:
    try:
        found = _ecr.image(ecr, reference.repository, reference.identifier)
    except botocore.exceptions.ClientError as error:
        return _failure(reference, error_code(error), aws_sentence(error), called)
    except _ecr.ImageFailureError as error:
        return _failure(reference, error.code, error.reason, called)
    if found is None and called == CALLER:
        return _not_cached(reference, f"repository {reference.repository} has no such image")
    if found is None:
        fact = f"does not exist: repository {reference.repository} has no such image."
    elif reference.digest and found["digest"] != reference.digest:
        fact = f"does not exist: {reference.image_tag} has the digest {found['digest']}."
    else:
        return str(found["digest"])
    return EcrError(f"Image {reference} {fact}", denial_kind="unknown_image")


def _failure(reference: Reference, code: str, sentence: str, called: str = ROLE) -> EcrError:
    """The error for an image that cannot be resolved, with the next step."""
    if code in DENIED_CODES:
        denial = read_denial(sentence, called)
        message = f"Image {reference} cannot be pulled: denied: {sentence.rstrip('.')}. {denial.advice(called)}"
        return EcrError(message, denial_kind=denial.kind)
    row = recognize("BatchGetImage", code, sentence, by_role=called == ROLE)
    fact = f"{code}: {sentence}".rstrip(": .")
    if row and called == CALLER and row.kind in _MISSING:
        return _not_cached(reference, fact)
    if row is None:
        return EcrError(f"Image {reference} cannot be pulled: {fact}.", denial_kind="unknown_error")
    return EcrError(f"Image {reference} cannot be pulled: {fact}. {options_in(row.next_step)}", denial_kind=row.kind)


def _not_cached(reference: Reference, fact: str) -> EcrError:
    return EcrError(
        f"Image {reference} cannot be pulled: {fact}. If a pull through cache rule matches the name, ECR could not copy"
        " the image: check that the upstream registry has it, and that its policy accepts the role of the cache.",
        denial_kind=_NOT_CACHED,
    )
