# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Assumes the pull role and probes its access. The module `ecr_access_info` and its action plugin use it."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import typing as t

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule reports it

from ansible_collections.crossaccount.ecr.plugins.module_utils import _ecr
from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import (
    SessionOptions,
    is_session_of,
    other_external_ids,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._concurrency import map_concurrently
from ansible_collections.crossaccount.ecr.plugins.module_utils._denial import OWN, ROLE
from ansible_collections.crossaccount.ecr.plugins.module_utils._denial_probe import probe_denial
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import (
    EcrError,
    Problems,
    aws_sentence,
    error_code,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._failed_result import message_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import arn_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import (
    Module,
    Progress,
    capture_result,
    no_progress,
    warn,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._observation import (
    ALLOWED,
    ERROR,
    Observation,
    observation_of_error,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._proof import (
    ProofOptions,
    artifact_of,
    identities,
    proof_is_final,
    proof_problems,
    proof_result,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_host import check_registry_host
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_probe import probe_registry
from ansible_collections.crossaccount.ecr.plugins.module_utils._retry import (
    Report,
    ignore_result,
    retry_while_propagating,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import (
    Client,
    Session,
    caller_of,
    session_of,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._verdict import (
    REGISTRY,
    Expectations,
    Observations,
    Tags,
    Verdict,
    existence_warnings,
    verdicts_of,
)

#: The request of each probe.
_PROBE_CALLS: dict[str, t.Callable[[Client, str], object]] = {
    "describe": _ecr.describe_images,
    "manifest": _ecr.request_manifest,
    "layer": _ecr.request_layer,
}


def probe_request(request: t.Callable[[], object], called: str = ROLE) -> Observation:
    """Send one request, and return whether AWS allows it.

    :param called: the sender of the request, ROLE or OWN
    """
    try:
        request()
    except botocore.exceptions.ClientError as error:
        return observation_of_error(error.operation_name, error_code(error), aws_sentence(error), called)
    except _ecr.ImageFailureError as error:
        return observation_of_error("BatchGetImage", error.code, error.reason, called)
    except Exception as error:  # the other requests are still sent
        return Observation(ERROR, message_of(error), "unknown_error", message_of(error))
    return Observation(ALLOWED)


def external_id_enforced(session: Session, options: SessionOptions) -> tuple[str, str]:
    """Assume the role without an external ID and with a wrong one. AWS recommends this check to third parties.

    Source: IAM User Guide, "Access to AWS accounts owned by third parties".

    :return: whether the trust policy requires the external ID (`true`, `false` or `unknown`), and the reason if unknown
    """
    if options.external_id is None:
        return "false", ""
    for external_id in other_external_ids(options):
        try:
            session.assume(dataclasses.replace(options, external_id=external_id, duration=900))
        except Exception as error:
            if isinstance(error, EcrError) and "denial" in error.facts:
                continue
            return "unknown", message_of(error)
        return "false", ""
    return "true", ""


def probe_access(session: Session, options: ProofOptions, progress: Progress = no_progress) -> Json:
    """Assume the role, send every request once, and compare the results with the expectations.

    :raises EcrError: if the role cannot be assumed
    """
    role = session.assume(options.session)
    enforced: list[tuple[str, str]] = []
    token, verdicts = _probe_session(
        role, options, progress, lambda: enforced.append(external_id_enforced(session, options.session))
    )
    return proof_result(options.session, role.identity, enforced[0], token, verdicts)


def _probe_session(
    role: Session, options: ProofOptions, progress: Progress, also: t.Callable[[], None] = lambda: None
) -> tuple[Observation, list[Verdict]]:
    """Send every request of a session once, and compare the results with the expectations.

    :param also: sends further requests at the same time
    :return: the observation of the registry token, and the verdicts
    """
    ecr, _identity, expectations = role.client("ecr"), role.identity, options.expectations
    called = options.session.called
    if called == OWN:
        _ecr.of_account(ecr, options.session.owner_account)
    tokens: list[str] = []
    probes = [(name, probe) for name in expectations.names for probe in _PROBE_CALLS]
    count = itertools.count(1)

    def send(name: str, probe: str) -> Observation:
        observation = probe_request(functools.partial(_PROBE_CALLS[probe], ecr, name), called)
        proven, total = next(count) // len(_PROBE_CALLS), len(expectations.names)
        progress(f"{proven:,} of {total:,} repositories proven")
        return observation

    requests: list[t.Callable[[], Observation]] = [
        functools.partial(probe_request, lambda: tokens.append(_ecr.token(ecr)[0]), called),
        *(functools.partial(send, name, probe) for name, probe in probes),
    ]
    _also, token, *observations = t.cast(
        "list[Observation]", map_concurrently(lambda request: request(), [also, *requests])
    )
    observed: dict[str, Observations] = {name: {} for name in expectations.names}
    for (name, probe), observation in zip(probes, observations):
        observed[name][probe] = observation
    if options.registry_host:
        at_host = probe_registry(options, tokens[0], expectations.names) if tokens else itertools.repeat(token)
        for name, observation in zip(expectations.names, at_host):
            observed[name][REGISTRY] = observation
    tags = _tags_of_readable(role, ecr, expectations, observed)
    return token, verdicts_of(expectations, observed, token, tags)


def _tags_of_readable(
    role: Session, ecr: Client, expectations: Expectations, observed: dict[str, Observations]
) -> dict[str, Tags]:
    """The tags of the repositories that are readable but should be denied; None where they cannot be read."""
    prefix = arn_of(role.identity["arn"]).identity.repository(role.region, "")
    names = [
        name for name in expectations.denied if any(observation.is_allowed for observation in observed[name].values())
    ]

    def tags(name: str) -> Tags:
        try:
            return _ecr.tags(ecr, prefix + name)
        except Exception:  # the tags only explain the result
            return None

    return dict(zip(names, map_concurrently(tags, names)))


def _probe(session: Session, options: ProofOptions, progress: Progress) -> Json:
    """The result of one attempt."""
    if not options.expects_denial:
        return probe_access(session, options, progress)
    return probe_denial(session, options, lambda role: _probe_session(role, options, progress))


def access_info(module: Module, report: Report = ignore_result, progress: Progress = no_progress) -> Json:
    """The result of `ecr_access_info`; with `failed` if the role cannot be assumed.

    :param report: receives each result that is not final
    :param progress: receives the number of repositories that were probed
    :raises EcrError: if the options are wrong
    """
    options, problems = ProofOptions.of(module.params), Problems()
    problems.extend(proof_problems(options))
    problems.check()
    session = session_of(module)
    check_registry_host(options.registry_host, options.session.owner_arn(session.identity["arn"]), session.region)
    is_earlier = options.expects_denial and is_session_of(session.identity["arn"], options.session.role_arn)
    caller = session.identity if is_earlier else caller_of(session, options.session)
    result = retry_while_propagating(
        lambda: capture_result(lambda: _probe(session, options, progress)),
        lambda result: proof_is_final(result, options.expectations.access),
        options.wait,
        report,
    )
    if not result.get("failed"):
        warn(module, existence_warnings(options.expectations) if result["repositories"] else ())
        result["artifact"] = artifact_of(options.session, caller, result)
        result["identities"] = identities(options.session, caller, result["assumed"])
    return {"changed": False, "caller": caller, **result}
