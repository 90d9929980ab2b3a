# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Tries to assume the pull role, and probes a session that exists nevertheless, to prove that access has ended."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import (
    SessionOptions,
    is_session_of,
    other_external_ids,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._denial_proof import (
    NOT_REQUESTED,
    Assumption,
    allowed_assumption,
    denial_result,
    denied_assumption,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._observation import Observation
from ansible_collections.crossaccount.ecr.plugins.module_utils._proof import ProofOptions
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import Session
from ansible_collections.crossaccount.ecr.plugins.module_utils._verdict import Verdict, table

#: Sends all requests of a session, and returns the observation of the token and the verdicts.
Probe = t.Callable[[Session], tuple[Observation, list[Verdict]]]


def probe_denial(session: Session, options: ProofOptions, probe: Probe) -> Json:
    """Compare the responses of AWS with the expectation that no access remains."""
    caller = session.identity["arn"]
    if options.session.role_arn is None:
        token, verdicts = probe(session)
        # The token is of the consumer's own identity, so it is not part of the share.
        result = denial_result(caller, Assumption(NOT_REQUESTED), session.identity, None, verdicts)
        return {**result, "token": token.outcome, "summary": [f"identity: {caller}", *table(verdicts)]}
    if is_session_of(caller, options.session.role_arn):
        role: Session | None = session
        assumption = Assumption(NOT_REQUESTED)
    else:
        role, assumption = _assume(session, options.session)
    if role is None:
        return denial_result(caller, assumption, {}, None, [])
    token, verdicts = probe(role)
    return denial_result(caller, assumption, role.identity, token, verdicts, options.expectations.accepted_denials)


def _assume(session: Session, options: SessionOptions) -> tuple[Session | None, Assumption]:
    """Assume the role with the external ID and, if AWS denies it, without one and with another one.

    :return: the session of the role, or None; and the response that decides
    """
    responses = []
    for external_id in (options.external_id, *other_external_ids(options)):
        try:
            role = session.assume(dataclasses.replace(options, external_id=external_id))
        except EcrError as error:
            if "denial" not in error.facts:
                raise
            responses.append(denied_assumption(str(options.role_arn), str(error.facts["denial"])))
        else:
            return role, allowed_assumption(str(options.role_arn), session.identity["arn"], bool(responses))
    unclear = [response for response in responses if response.advice]
    return None, (unclear or responses)[0]
