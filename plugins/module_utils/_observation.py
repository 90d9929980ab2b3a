# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The observed access of the pull role in one request. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._aws_errors import recognize
from ansible_collections.crossaccount.ecr.plugins.module_utils._denial import ROLE, read_denial
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import DENIED_CODES
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import options_in

ALLOWED, DENIED, EXPIRED, NOT_FOUND, ERROR = "allowed", "denied", "expired", "not_found", "error"
#: The outcome of an error by its kind. ECR reports a missing image or layer only after it has authorized the request.
_OUTCOMES = {"expired": EXPIRED, "unknown_repository": NOT_FOUND, "no_such_layer": ALLOWED, "unknown_image": ALLOWED}
_EXPIRED = "The session expired before the proof was complete. Run again, or set a longer O(duration_seconds)."
#: The next step for a denied token, which does not depend on repository tags.
_TOKEN = "The owner account has to allow ecr:GetAuthorizationToken to the role."


@dataclass(frozen=True)
class Observation:
    """The result of one request.

    :param sentence: the message of AWS; empty if the request was allowed
    :param kind: the kind of the denial or the error, such as `no_identity_policy`
    :param advice: the next step
    :param by_the_share: whether a policy of the owner account denied the request, so that every host is denied
    """

    outcome: str
    sentence: str = ""
    kind: str = ""
    advice: str = ""
    by_the_share: bool = False

    @property
    def is_allowed(self) -> bool:
        return self.outcome == ALLOWED


def observation_of_registry(status: int, reason: str, called: str = ROLE) -> Observation:
    """The observation for a manifest that does not exist, which was requested from the registry itself.

    :param status: the HTTP status
    :param reason: the message of the registry, which repeats that of AWS for a denial
    :param called: the sender of the request, ROLE or OWN
    """
    if status == 404 and reason.startswith("manifest_unknown"):  # authorized before the registry looks for it
        return Observation(ALLOWED)
    if "is not authorized to perform" in reason:
        denial = read_denial(reason, called)
        return Observation(DENIED, reason, denial.kind, denial.advice(called), denial.is_by_the_share)
    return Observation(ERROR, reason, "unknown_error", f"The registry refused a manifest with HTTP {status}: {reason}")


def observation_of_error(call: str, code: str, sentence: str, called: str = ROLE) -> Observation:
    """The observation for a request that failed.

    :param call: the operation, such as `BatchGetImage`
    :param code: AWS's error code, or the code of a failure in a response
    :param sentence: AWS's message
    :param called: the sender of the request, ROLE or OWN
    """
    if code in DENIED_CODES:
        denial = read_denial(sentence, called)
        is_token = called == ROLE and call == "GetAuthorizationToken" and denial.is_missing_permission
        advice = _TOKEN if is_token else denial.advice(called)
        return Observation(DENIED, sentence, denial.kind, advice, denial.is_by_the_share)
    row = recognize(call, code, sentence, by_role=called == ROLE)
    if row is None:
        return Observation(ERROR, sentence, "unknown_error", f"{call} failed with {code}: {sentence or 'no message'}")
    outcome = _OUTCOMES.get(row.kind, ERROR)
    if outcome == ALLOWED:
        return Observation(ALLOWED)
    advice = options_in(_EXPIRED if outcome == EXPIRED else row.next_step)
    prefix = f"{code}: {sentence.rstrip('.')}. " if outcome == ERROR and sentence else ""
    return Observation(outcome, sentence or code, row.kind, prefix + advice)
