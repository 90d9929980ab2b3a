# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which policy denied a request, by AWS's message, and what to do about it. Standard library only."""

from __future__ import annotations

#: A part of AWS's message, and the kind of the denial. IAM User Guide, "Troubleshoot access denied error messages".
_MESSAGES = (
    ("VPC endpoint policy", "endpoint_policy"),
    ("permissions boundary", "boundary"),
    ("session policy", "session_policy"),
    ("service control policy", "organization_policy"),
    ("resource control policy", "organization_policy"),
    ("explicit deny", "explicit_deny"),
    ("no identity-based policy allows", "no_identity_policy"),
)
#: The next step for each kind of denial.
ADVICE = {
    "boundary": "The role's permissions boundary does not allow it: the owner account has to widen that boundary.",
    "session_policy": "The policy given to the session does not allow it: assume the role without one.",
    "organization_policy": "A policy of the owner account's organization forbids it: ask who manages the organization.",
    "endpoint_policy": "The policy of the VPC endpoint that the call went through does not allow it: widen it there.",
    "explicit_deny": "A Deny statement applies: the owner account has to look for it in the role's policies.",
    "no_identity_policy": (
        "The role's policy does not reach it: the repository lacks the tag, or the action is not in the policy."
    ),
    "trust": "The role's trust does not let this caller in.",
    "expired": "The session expired before everything was asked: run again, or with a longer duration_seconds.",
    "unknown_repository": "It does not exist in the owner account and region: check its name.",
    "unknown": "AWS did not say which policy decided.",
}
#: Denials that may pass once a new share has propagated.
_PROPAGATING = ("no_identity_policy", "trust", "unknown")


def may_pass(kind: object) -> bool:
    """Whether a denial of this kind may be a change that has not propagated yet."""
    return kind in _PROPAGATING


def classify(sentence: str, default: str = "unknown") -> str:
    """The kind of a denial, a key of `ADVICE`.

    :param sentence: the message of AWS
    :param default: the kind if the message names no policy
    """
    return next((kind for part, kind in _MESSAGES if part in sentence), default)
