# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The proof: assumes the role, and requests what it may read. For the module, and for its action plugin."""

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
from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import SessionOptions
from ansible_collections.crossaccount.ecr.plugins.module_utils._concurrency import map_concurrently
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
    no_progress,
    result_of,
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
    proof_is_final,
    proof_problems,
    proof_result,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._retry import Say, quiet, retry_while_propagating
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import (
    Client,
    Session,
    caller_of,
    session_of,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._verdict import (
    Expectations,
    Observations,
    Tags,
    existence_warnings,
    judge,
)

#: The request of each probe.
_PROBE_CALLS: dict[str, t.Callable[[Client, str], object]] = {
    "describe": _ecr.describe_images,
    "manifest": _ecr.ask_manifest,
    "layer": _ecr.ask_layer,
}


def observe(request: t.Callable[[], object]) -> Observation:
    """Send one request, and tell whether it is allowed."""
    try:
        request()
    except botocore.exceptions.ClientError as error:
        return observation_of_error(error.operation_name, error_code(error), aws_sentence(error))
    except _ecr.ImageFailureError as error:
        return observation_of_error("BatchGetImage", error.code, error.reason)
    except Exception as error:  # it fails this request, not the whole proof
        return Observation(ERROR, message_of(error), "unknown_error", message_of(error))
    return Observation(ALLOWED)


def external_id_enforced(session: Session, options: SessionOptions) -> tuple[str, str]:
    """Assume the role without the external ID and with a wrong one; AWS recommends this check to third parties.

    The result is `true`, `false` or `unknown`, and why it is unknown.
    """
    if options.external_id is None:
        return "false", ""  # the role was assumed without one
    for external_id in (None, f"not-{options.external_id}"[:1224]):
        try:
            session.assume(dataclasses.replace(options, external_id=external_id, duration=900))
        except Exception as error:
            if isinstance(error, EcrError) and "denial" in error.facts:
                continue
            return "unknown", message_of(error)
        return "false", ""
    return "true", ""


def prove(session: Session, options: ProofOptions, progress: Progress = no_progress) -> Json:
    """Assume the role, send every request once, and judge.

    :raises EcrError: if the role cannot be assumed
    """
    role = session.assume(options.session)
    ecr, assumed, expectations = role.client("ecr"), role.identity, options.expectations
    probes = [(name, probe) for name in expectations.names for probe in _PROBE_CALLS]
    count = itertools.count(1)

    def send(name: str, probe: str) -> Observation:
        observation = observe(functools.partial(_PROBE_CALLS[probe], ecr, name))
        proven, total = next(count) // len(_PROBE_CALLS), len(expectations.names)
        progress(f"{proven:,} of {total:,} repositories proven")
        return observation

    requests: list[t.Callable[[], tuple[str, str] | Observation]] = [
        functools.partial(external_id_enforced, session, options.session),
        functools.partial(observe, functools.partial(_ecr.token, ecr)),
        *(functools.partial(send, name, probe) for name, probe in probes),
    ]
    answers = map_concurrently(lambda request: request(), requests)
    (enforced,) = [answer for answer in answers if isinstance(answer, tuple)]
    token, *seen = [answer for answer in answers if isinstance(answer, Observation)]
    observed: dict[str, Observations] = {name: {} for name in expectations.names}
    for (name, probe), observation in zip(probes, seen):
        observed[name][probe] = observation
    verdicts = judge(expectations, observed, token, _tags_of_readable(role, ecr, expectations, observed))
    return proof_result(options.session, assumed, enforced, token, verdicts)


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
        except Exception:  # the repository is readable, whatever its tags are
            return None

    return dict(zip(names, map_concurrently(tags, names)))


def proof(module: Module, say: Say = quiet, progress: Progress = no_progress) -> Json:
    """The result of `ecr_access_info`; with `failed` if the role cannot be assumed.

    :param say: receives each result that may still change
    :param progress: receives how many repositories are proven
    :raises EcrError: if the options are wrong
    """
    options, problems = ProofOptions.of(module.params), Problems()
    problems.extend(proof_problems(options))
    problems.check()
    session = session_of(module)
    caller = caller_of(session, options.session)
    result = retry_while_propagating(
        lambda: result_of(lambda: prove(session, options, progress)),
        lambda result: proof_is_final(result, options.expectations.access),
        options.wait,
        say,
    )
    if not result.get("failed"):
        warn(module, existence_warnings(options.expectations))
        result["artifact"] = artifact_of(options.session.role_arn, caller, result)
    return {"changed": False, "caller": caller, **result}
