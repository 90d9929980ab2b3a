# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The proof: what a role may read against what is expected. For the module, and for its action plugin."""

from __future__ import annotations

import functools
import typing as t

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule says so to the user

from ansible_collections.crossaccount.ecr.plugins.module_utils import _ecr
from ansible_collections.crossaccount.ecr.plugins.module_utils._access import (
    ALLOWED,
    DENIED,
    EXPIRED,
    NOT_FOUND,
    PROPAGATING,
    Observation,
    classify,
    judge,
    settled,
    table,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._caller import CALLER_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import (
    EcrError,
    Problems,
    aws_sentence,
    error_code,
    is_denied,
    is_expired,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import arn_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import result_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import repository_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._sts import (
    ASSUME_ROLE_ARGUMENTS,
    Session,
    caller_of,
    each,
    session_of,
    session_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import (
    WAIT_BY_DOING_ARGUMENTS,
    wait_by_doing,
    wait_problems,
)

#: The options of `ecr_access_info` beside amazon.aws's.
PROVE_ARGUMENTS: dict[str, t.Any] = {
    "role_arn": {"type": "str", "required": True},
    "external_id": {"type": "str"},
    "role_session_name": {"type": "str", "default": "crossaccount.ecr"},
    "readable": {"type": "list", "elements": "str", "default": []},
    "denied": {"type": "list", "elements": "str", "default": []},
    "access": {"type": "str", "choices": ["pull", "read"], "default": "read"},
    "repository_tags": {"type": "dict"},
    "duration_seconds": {"type": "int", "default": 900},
    "credentials": {"type": "str", "choices": ["host", "controller"], "default": "host"},
    **CALLER_ARGUMENTS,
    **ASSUME_ROLE_ARGUMENTS,
    **WAIT_BY_DOING_ARGUMENTS,
}

#: How each probe asks.
PROBE_CALLS: dict[str, t.Callable[[t.Any, str], t.Any]] = {
    "describe": _ecr.describe_images,
    "manifest": _ecr.ask_manifest,
    "layer": _ecr.ask_layer,
}


def check(options: dict[str, t.Any]) -> None:
    problems = Problems()
    for problem in [*session_problems(options), *wait_problems(options)]:
        problems.add(problem)
    for name in [*options["readable"], *options["denied"]]:
        problems.extend(repository_problems(name))
    for name in sorted(set(options["readable"]) & set(options["denied"])):
        problems.add(f"Repository {name} is expected to be readable and denied. Name it once.")
    problems.check()


def observe(call: t.Callable[..., t.Any], *arguments: t.Any) -> Observation:
    """Make one call and tell whether it is allowed."""
    try:
        call(*arguments)
    except botocore.exceptions.ClientError as error:
        sentence = aws_sentence(error)
        if is_denied(error):
            return Observation(DENIED, sentence, classify(sentence))
        if is_expired(error):
            return Observation(EXPIRED, sentence, "expired")
        if error_code(error) == "RepositoryNotFoundException":
            return Observation(NOT_FOUND, sentence, "unknown_repository")
        if error_code(error) != "LayersNotFoundException":
            raise
    return Observation(ALLOWED)


def external_id_enforced(session: Session, options: dict[str, t.Any]) -> str:
    """Ask for the role without the external id and with a wrong one; AWS recommends this check to third parties."""
    if options["external_id"] is None:
        return "false"  # the role was assumed without one
    for external_id in (None, f"not-{options['external_id']}"[:1224]):
        try:
            session.assume(options["role_arn"], external_id, options["role_session_name"], 900)
        except EcrError:
            continue
        except botocore.exceptions.ClientError:
            return "unknown"
        return "false"
    return "true"


def tags_of(ecr: t.Any, arn: str) -> dict[str, str] | None:
    try:
        return _ecr.tags(ecr, arn)
    except botocore.exceptions.ClientError:
        return None


def prove(session: Session, options: dict[str, t.Any]) -> dict[str, t.Any]:
    """Assume the role, ask everything once, and judge.

    :raises EcrError: when the role can not be assumed
    """
    role = session.assume(
        options["role_arn"], options["external_id"], options["role_session_name"], options["duration_seconds"]
    )
    ecr, assumed = role.client("ecr"), role.identity
    names = list(dict.fromkeys([*options["readable"], *options["denied"]]))
    asked = [(name, probe) for name in names for probe in PROBE_CALLS]
    asks: list[t.Callable[[], t.Any]] = [
        functools.partial(external_id_enforced, session, options),
        functools.partial(observe, _ecr.token, ecr),
        *(functools.partial(observe, PROBE_CALLS[probe], ecr, name) for name, probe in asked),
    ]
    enforced, token, *seen = each(lambda ask: ask(), asks)
    found = dict(zip(asked, seen))
    observed = {name: {probe: found[name, probe] for probe in PROBE_CALLS} for name in names}
    prefix = arn_of(assumed["arn"]).identity.repository(role.region, "")
    readable = [name for name in options["denied"] if ALLOWED in [one.outcome for one in observed[name].values()]]
    tags = dict(zip(readable, each(lambda name: tags_of(ecr, prefix + name), readable)))
    repositories = judge(
        options["readable"],
        options["denied"],
        observed,
        token,
        options["access"],
        options["repository_tags"],
        tags,
    )
    problems = [one["advice"] for one in repositories if one["advice"]]
    if token.outcome != ALLOWED:
        problems.append(f"The role gets no registry token: {token.sentence}")
    if options["external_id"] is not None and enforced == "false":
        problems.append(
            f"Role {options['role_arn']} can be assumed without the external id, or with another:"
            " ask the owner account to require it."
        )
    return {
        "assumed": assumed,
        "external_id_enforced": enforced,
        "token": token.outcome,
        "token_denial_kind": token.kind,
        "repositories": repositories,
        "verdict": "fail" if problems else "pass",
        "problems": problems,
        "summary": table(repositories),
    }


def stays(result: dict[str, t.Any], access: str) -> bool:
    """Whether no propagation can change a result.

    :param access: what reading means, as in `judge`
    """
    if result.get("failed"):
        return result.get("denial_kind") not in PROPAGATING
    if result["token_denial_kind"] and result["token_denial_kind"] not in PROPAGATING:
        return True
    wrong = any(one["verdict"] == "fail" for one in result["repositories"])
    return result["verdict"] == "pass" or (wrong and settled(result["repositories"], access))


def proof(module: t.Any, say: t.Callable[[dict[str, t.Any], float], None] = lambda _result, _left: None) -> t.Any:
    """The result of `ecr_access_info`; with `failed` when the role can not be assumed.

    :param module: an AnsibleAWSModule, or what has its `params`
    :param say: told while it is waited
    :raises EcrError: when the options are wrong
    """
    options = module.params
    check(options)
    session = session_of(module)
    caller = caller_of(session, options)
    result = wait_by_doing(
        lambda: result_of(lambda: prove(session, options)),
        lambda result: stays(result, options["access"]),
        options,
        say,
    )
    return {"changed": False, "caller": caller, **result}
