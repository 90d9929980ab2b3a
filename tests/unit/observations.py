# SPDX-License-Identifier: GPL-3.0-or-later
"""Observations of one repository, and the verdict on them, for the tests of a proof."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ansible_collections.crossaccount.ecr.plugins.module_utils._denial import BY_THE_SHARE, ROLE, Denial
from ansible_collections.crossaccount.ecr.plugins.module_utils._observation import Observation
from ansible_collections.crossaccount.ecr.plugins.module_utils._verdict import Expectations, verdicts_of

#: The kind that the module gives to each outcome, for a denial by the role's policy.
KINDS = {"allowed": "", "denied": "no_identity_policy", "expired": "expired", "not_found": "unknown_repository"}
SENTENCE = "User: x is not authorized because no identity-based policy allows the ecr:BatchGetImage action"
ALLOWED = Observation("allowed")
EXPIRED = "The session expired before the proof was complete. Run again, or set a longer duration_seconds."
ABSENT = "It does not exist in the owner account and region: check its name."


def observation(probe: str, outcome: str, kind: str = "", sentence: str = SENTENCE) -> Observation:
    """The observation of a request, with the advice that belongs to the kind."""
    stated = kind or KINDS[outcome]
    denial = Denial(stated, policy="identity-based policy" if stated in BY_THE_SHARE else "")
    advice = {"allowed": "", "denied": denial.advice(ROLE), "not_found": ABSENT, "expired": EXPIRED}[outcome]
    text = "" if outcome == "allowed" else f"{probe}: {sentence}"
    return Observation(outcome, text, denial.kind, advice, outcome == "denied" and denial.is_by_the_share)


def observations(describe: str, manifest: str, layer: str) -> dict[str, Observation]:
    return {
        "describe": observation("describe", describe),
        "manifest": observation("manifest", manifest),
        "layer": observation("layer", layer),
    }


def judged(
    expected: str,
    observed: dict[str, Observation],
    token: Observation = ALLOWED,
    access: str = "read",
    repository_tags: dict[str, Any] | None = None,
    tags: dict[str, dict[str, str] | None] | None = None,
) -> dict[str, Any]:
    """The verdict on the repository app, as it is in a result."""
    readable, denied = (("app",), ()) if expected == "readable" else ((), ("app",))
    expectations = Expectations(readable, denied, access, repository_tags or {})
    (verdict,) = verdicts_of(expectations, {"app": observed}, token, tags or {})
    return asdict(verdict)


def wrong(**kinds: str) -> dict[str, Any]:
    """A repository that should be readable, with these kinds of denial."""
    observed = {
        probe: observation(probe, "denied", kinds[probe]) if probe in kinds else ALLOWED
        for probe in ("describe", "manifest", "layer")
    }
    return judged("readable", observed)


RIGHT = judged("readable", observations("allowed", "allowed", "allowed"))
HIDDEN = judged("denied", observations("denied", "denied", "denied"))
SHOWN = judged("denied", observations("allowed", "allowed", "allowed"))
ABSENT_VERDICT = judged("readable", observations("not_found", "not_found", "not_found"))
