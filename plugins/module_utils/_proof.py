# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The options and the result of `ecr_access_info`, and whether a result is final. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import (
    ASSUME_ROLE_ARGUMENTS,
    SESSION_ARGUMENTS,
    SessionOptions,
    session_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._aws_errors import is_retryable
from ansible_collections.crossaccount.ecr.plugins.module_utils._denial_proof import denial_is_final
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import repository_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._observation import Observation
from ansible_collections.crossaccount.ecr.plugins.module_utils._verdict import (
    Expectations,
    Verdict,
    table,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import RETRY_ARGUMENTS, WaitOptions, wait_problems

#: The kinds of denial that the option `accepted_denials` may have. They prove nothing about the share.
ACCEPTABLE = [
    *("boundary", "endpoint_policy", "explicit_deny", "no_identity_policy", "no_resource_policy"),
    *("organization_policy", "session_policy", "unknown"),
]
#: The options of `ecr_access_info` in addition to those of amazon.aws.
ACCESS_INFO_ARGUMENTS: Json = {
    "role_arn": {"type": "str"},
    "expect": {"type": "str", "choices": ["allowed", "denied"], "default": "allowed"},
    "readable": {"type": "list", "elements": "str", "default": []},
    "denied": {"type": "list", "elements": "str", "default": []},
    "access": {"type": "str", "choices": ["pull", "read"], "default": "read"},
    "repository_tags": {"type": "dict"},
    "existing": {"type": "list", "elements": "str", "default": []},
    "accepted_denials": {"type": "list", "elements": "str", "choices": ACCEPTABLE, "default": []},
    "duration_seconds": {"type": "int", "default": 900},
    "credentials": {"type": "str", "choices": ["host", "control_node"], "default": "host"},
    "registry_host": {"type": "str"},
    **SESSION_ARGUMENTS,
    **ASSUME_ROLE_ARGUMENTS,
    **RETRY_ARGUMENTS,
}
#: The dependencies between the options.
ACCESS_INFO_RULES: Json = {
    "required_one_of": [("role_arn", "registry_account")],
    "mutually_exclusive": [("role_arn", "registry_account")],
}


@dataclass(frozen=True)
class ProofOptions:
    """The role to assume, the expected access, and the time to wait for it.

    :param expects_denial: whether no access may remain. Then all repositories are expected to be denied
    :param registry_host: a host name of the registry that is requested too
    :param ca_path: a file with CA certificates for requests to that host name
    """

    session: SessionOptions
    expectations: Expectations
    wait: WaitOptions
    expects_denial: bool = False
    registry_host: str | None = None
    validate_certs: bool = True
    ca_path: str | None = None

    @classmethod
    def of(cls, params: Json) -> ProofOptions:
        """The options in the parameters of the module."""
        readable, denied, existing = (tuple(params[name]) for name in ("readable", "denied", "existing"))
        expects_denial = params["expect"] == "denied"
        if expects_denial:
            readable, denied, existing = (), tuple(dict.fromkeys([*readable, *denied])), (*existing, *readable)
        expectations = Expectations(
            readable,
            denied,
            params["access"],
            params["repository_tags"] or {},
            tuple(params["accepted_denials"]),
            existing,
        )
        return cls(
            SessionOptions.of(params),
            expectations,
            WaitOptions.of(params),
            expects_denial,
            params["registry_host"],
            bool(params["validate_certs"]),
            params["aws_ca_bundle"],
        )


def proof_problems(options: ProofOptions) -> t.Iterator[str]:
    """Problems with the options, without the registry host, which depends on the region of the session."""
    yield from session_problems(options.session)
    yield from wait_problems(options.wait)
    expected = options.expectations
    for name in (*expected.readable, *expected.denied):
        yield from repository_problems(name)
    for name in sorted({*expected.readable} & {*expected.denied}):
        yield f"Repository {name} is expected to be readable and denied. List it only once."


def proof_result(
    options: SessionOptions,
    assumed: dict[str, str],
    external_id: tuple[str, str],
    token: Observation,
    verdicts: list[Verdict],
) -> Json:
    """The result of the module, without the caller.

    :param assumed: the identity of the session of the role
    :param external_id: whether the trust policy requires it (`true`, `false` or `unknown`), and the reason if unknown
    """
    enforced, unknown = external_id
    problems = [verdict.advice for verdict in verdicts if verdict.advice]
    if not token.is_allowed:
        sentence = token.sentence.rstrip(".")
        problems.append(f"The {options.called} cannot get a registry token: {sentence}. {token.advice}")
    if options.external_id is not None and enforced == "false":
        problems.append(
            f"Role {options.role_arn} can be assumed without the external ID, or with another one:"
            " ask the owner account to require it."
        )
    if unknown:
        problems.append(f"Whether role {options.role_arn} requires the external ID is unknown: {unknown}")
    return {
        "assumed": assumed,
        "external_id_enforced": enforced,
        "token": token.outcome,
        "token_denial_kind": token.kind,
        "repositories": [asdict(verdict) for verdict in verdicts],
        "verdict": "fail" if problems else "pass",
        "problems": problems,
        "summary": table(verdicts),
    }


def identities(options: SessionOptions, caller: dict[str, str], assumed: dict[str, str]) -> list[str]:
    """The identity before and after assuming the role, or the one that sends all requests, line by line."""
    if options.role_arn is None:
        return [f"identity: {caller['arn']}"]
    return [f"before: {caller['arn']}", *([f"after:  {assumed['arn']}"] if assumed else [])]


def artifact_of(options: SessionOptions, caller: dict[str, str], result: Json) -> Json:
    """The summary of a proof for set_stats, which AWX stores as an artifact. It contains no secret."""
    assume_role = {"assume_role": result["assume_role"]["outcome"]} if "assume_role" in result else {}
    return {
        **assume_role,
        "verdict": result["verdict"],
        "problems": result["problems"],
        **({"role_arn": options.role_arn} if options.role_arn else {"registry_account": options.registry_account}),
        "caller": caller["arn"],
        "external_id_enforced": result["external_id_enforced"],
        "repositories": {repository["name"]: repository["pull"] for repository in result["repositories"]},
    }


def proof_is_final(result: Json, access: str) -> bool:
    """Whether the result is final, so that the propagation of a new share cannot change it.

    :param access: `pull` or `read`, as in `Expectations`
    """
    if result.get("failed"):
        return not is_retryable(result.get("denial_kind"))
    if result["verdict"] == "pass":
        return True
    if "assume_role" in result:
        return denial_is_final(result)
    if result["token_denial_kind"] and not is_retryable(result["token_denial_kind"]):
        return True
    return any(
        not is_retryable(kind)
        for repository in result["repositories"]
        if repository["verdict"] == "fail"
        for probe, kind in repository["denial_kinds"].items()
        if (probe, repository["expected"], access) != ("describe", "readable", "pull")
    )
