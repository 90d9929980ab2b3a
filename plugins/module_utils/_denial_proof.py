# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The proof that access has ended: the response to AssumeRole, and the result. Standard library only.

A denial of AssumeRole is a proof only if the trust policy of the role decided, or if AWS names no policy. AWS names
none if the role does not exist, if its trust policy does not allow the caller, or if the external ID is wrong. All
other denials depend on the caller, its organization or its network, and say nothing about the owner account.
"""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._denial import ASSUME, read_denial
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._observation import ALLOWED, DENIED, Observation
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._verdict import Verdict, table

NOT_REQUESTED = "not_requested"
#: The kinds of denial of AssumeRole by which the trust policy does not allow the caller.
_BY_TRUST = ("trust", "no_resource_policy")
#: The types of policy with a Deny statement that the owner account wrote.
_OF_THE_OWNER = ("role trust policy", "resource-based policy")
_AGAIN = "If the owner account ended the access within the last minute, run again."


@dataclass(frozen=True)
class Assumption:
    """The response of AWS to AssumeRole.

    :param outcome: `allowed`, `denied`, or `not_requested` for a session that exists already
    :param denial: the message of AWS
    :param advice: the reason why the response does not prove that the access has ended, and the next step
    """

    outcome: str
    denial: str = ""
    denial_kind: str = ""
    advice: str = ""


def denied_assumption(role_arn: str, sentence: str) -> Assumption:
    """The response for a denial.

    :param sentence: AWS's message
    """
    denial = read_denial(sentence, ASSUME)
    is_about_role = denial.action.lower() == "sts:assumerole" and denial.resource.rstrip(".") == role_arn
    by_trust = denial.kind in _BY_TRUST or (denial.kind == "explicit_deny" and denial.policy.lower() in _OF_THE_OWNER)
    advice = (
        ""
        if is_about_role and by_trust
        else f"Role {role_arn} cannot be assumed, but this does not prove that the owner account ended the access:"
        f" {sentence.rstrip('.')}. {denial.advice(ASSUME)} Then run again."
    )
    return Assumption(DENIED, sentence, denial.kind, advice)


def allowed_assumption(role_arn: str, caller_arn: str, without_external_id: bool) -> Assumption:
    """The response if the role can be assumed.

    :param without_external_id: whether AWS denied the external ID of the share, but not a request with another or none
    """
    how = " without the external ID, or with another one" if without_external_id else ""
    advice = (
        f"Role {role_arn} can still be assumed by {caller_arn}{how}. Ask the owner account to remove this consumer from"
        f" the share, or to end the share. {_AGAIN}"
    )
    return Assumption(ALLOWED, advice=advice)


def token_problems(token: Observation, accepted: t.Sequence[str]) -> t.Iterator[str]:
    """Reasons why the session is not proven to be denied a registry token."""
    if token.is_allowed:
        yield f"The session of the role still gets a registry token. Ask the owner account to revoke it. {_AGAIN}"
    elif token.outcome != DENIED or not (token.by_the_share or token.kind in accepted):
        yield f"The session of the role is not proven to be denied a registry token. {token.advice}"


def denial_result(
    caller_arn: str,
    assumption: Assumption,
    assumed: dict[str, str],
    token: Observation | None,
    verdicts: list[Verdict],
    accepted: t.Sequence[str] = (),
) -> Json:
    """The result of the module for `expect: denied`, without the caller.

    :param assumed: the identity of the session whose access was probed; empty if no session was probed
    :param token: None if no session was probed
    """
    problems = [assumption.advice] if assumption.advice else []
    if assumption.outcome == NOT_REQUESTED and not verdicts:
        problems.append(f"No repository was requested with this session. Set {option('readable')}.")
    problems += [verdict.advice for verdict in verdicts if verdict.advice]
    problems += token_problems(token, accepted) if token else []
    shown = f"AssumeRole as {caller_arn}: {assumption.outcome}"
    return {
        "assumed": assumed,
        "assume_role": asdict(assumption),
        "external_id_enforced": "unknown",
        "token": token.outcome if token else NOT_REQUESTED,
        "token_denial_kind": token.kind if token else "",
        "repositories": [asdict(verdict) for verdict in verdicts],
        "verdict": "fail" if problems else "pass",
        "problems": problems,
        "summary": [
            shown if assumption.outcome != NOT_REQUESTED else f"session that existed before the run: {caller_arn}",
            *([f"  {assumption.denial}"] if assumption.denial else []),
            *(table(verdicts) if verdicts else []),
        ],
    }


def denial_is_final(result: Json) -> bool:
    """Whether the result is final, so that the propagation of a removal cannot change it."""
    return ALLOWED not in (result["assume_role"]["outcome"], result["token"])
