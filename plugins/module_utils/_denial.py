# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Parses the message of an AWS denial: the policy that denied the request, and the next step. Standard library only.

The message begins with `User: ARN is not authorized to perform: ACTION on resource: ARN`. It continues with one of

- `because no TYPE allows the ACTION action`: no policy of that type allows the action;
- `with an explicit deny in a TYPE: POLICY-ARN`: a policy of that type has a Deny statement. The message has the ARN
  only if caller and policy are in the same account or organization;
- nothing, for example from services that do not support this format.

The message names one type of policy, even if policies of several types deny the request. Source: IAM User Guide,
"Troubleshoot access denied error messages".
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

#: The sender of the request: a session of the pull role, a caller of AssumeRole for the pull role, the own identity of
#: the consumer in a share without a role, or any other caller.
ROLE, ASSUME, OWN, CALLER = "role", "assume", "identity", "caller"

_POLICY = re.compile(
    r"(?:because no|an explicit deny in (?:an?|the)) ((?:[\w-]+ ){0,3}(?:policy|boundary))\b(?:: (arn:[\w:/.@+=,-]+))?",
    re.I,
)
_ACTION = re.compile(r"not authorized to perform:?\s+([a-z0-9-]+:\w+)", re.I)
#: The messages about missing permissions. Source: IAM User Guide; 99designs/aws-vault#381 (`Access denied`);
#: Netflix/security_monkey#530 (`Not authorized to perform …`); Organizations (`You don't have permissions …`).
_PERMISSIONS = re.compile(r"not authorized|access ?denied|permission|\A\Z", re.I)
_RESOURCE = re.compile(r"on resource: (arn:\S+)", re.I)

#: The kind of the denial by the type of the policy in the message.
_KINDS = {
    "vpc endpoint policy": "endpoint_policy",
    "permissions boundary": "boundary",
    "session policy": "session_policy",
    "service control policy": "organization_policy",
    "resource control policy": "organization_policy",
    "role trust policy": "trust",
    "resource-based policy": "no_resource_policy",
    "identity-based policy": "no_identity_policy",
}
#: The kind of the denial by the action, which takes precedence over the type of the policy.
_ACTION_KINDS = {"sts:tagsession": "session_tags", "sts:setsourceidentity": "source_identity"}
#: The kind of the denial for messages in other formats. Source of the first: IAM User Guide, "AWS account root user".
_SENTENCES = (
    (re.compile(r"may not be assumed by root", re.I), "root_user"),
    (re.compile(r"explicit deny", re.I), "explicit_deny"),
)

#: The kinds of denials that may end within about a minute, while a new share propagates.
PROPAGATING = ("no_identity_policy", "trust", "unknown")
#: The kinds of denials by the policies of the owner account, which apply to all sessions of the role on all hosts.
BY_THE_SHARE = ("no_identity_policy", "explicit_deny")
#: The types of the policies of the owner account that decide whether the role may read a repository.
_OF_THE_SHARE = ("identity-based policy", "resource-based policy")

#: The next step by the kind of the denial and the sender. `{policy}` is replaced by the policy in the message.
_ADVICE: dict[str, dict[str, str]] = {
    "no_identity_policy": {
        ROLE: "The role's policy does not allow it: the repository lacks the tag, or the policy lacks the action.",
        ASSUME: "Allow sts:AssumeRole on this role in an identity-based policy of the caller.",
        OWN: "The consumer's side is missing: give this identity the IAM policy ecr_pull_consumer_policy of the"
        " hand-off.",
        CALLER: "Grant this action to the caller, or use other credentials.",
    },
    "no_resource_policy": {
        ROLE: "The identity that called belongs to another account than the repository, whose repository policy does"
        " not allow it. Compare the two account IDs: the pull role is in the account of the repository.",
        ASSUME: "The trust policy of the role does not allow this caller: the owner account has to declare it as a"
        " consumer.",
        OWN: "The owner's side is missing: the owner account has to declare this identity as a consumer, and to run"
        " share.yml again if the repository got its tags later.",
        CALLER: "The caller belongs to another account than the resource. Use credentials of the account of the"
        " resource.",
    },
    "explicit_deny": {
        ROLE: "{policy} has a Deny statement for it: the owner account has to change that statement.",
        ASSUME: "{policy} has a Deny statement for sts:AssumeRole: change it in the account of the caller, or in the"
        " trust policy of the role.",
        CALLER: "{policy} has a Deny statement for it: change that statement, or use other credentials.",
    },
    "boundary": {
        ROLE: "{policy} does not allow it: the owner account has to change the permissions boundary of the role.",
        ASSUME: "{policy} does not allow sts:AssumeRole: change the permissions boundary of the caller.",
        CALLER: "{policy} does not allow it: change the permissions boundary of the caller.",
    },
    "session_policy": {
        ROLE: "{policy} does not allow it: assume the role without a session policy.",
        ASSUME: "{policy} does not allow sts:AssumeRole: start the session of the caller without a session policy.",
        CALLER: "{policy} does not allow it: start the session of the caller without a session policy.",
    },
    "endpoint_policy": {
        ROLE: "{policy} does not allow it: change the policy of the VPC endpoint that this host uses, or run from"
        " another network.",
        ASSUME: "{policy} does not allow sts:AssumeRole: change the policy of the VPC endpoint for STS that this"
        " host uses.",
        CALLER: "{policy} does not allow it: change the policy of the VPC endpoint that this host uses.",
    },
    "organization_policy": {
        ROLE: "{policy} denies it: ask the administrator of the owner account's organization.",
        ASSUME: "{policy} denies sts:AssumeRole: ask the administrator of the caller's organization about a service"
        " control policy, and of the owner account's organization about a resource control policy.",
        CALLER: "{policy} denies it: ask the administrator of the organization.",
    },
    "trust": {
        ROLE: "The trust policy of the role does not allow this caller.",
        ASSUME: "Check, in this order: the trust policy of the role names this account or principal, or an"
        " organization and unit of this account; the external ID is the one in that statement; an identity-based policy"
        " of the caller allows sts:AssumeRole on this role.",
        CALLER: "The trust policy of the role does not allow this caller: add the caller to it, or use other"
        " credentials.",
    },
    "session_tags": {
        ASSUME: "The session of the caller passes session tags. The trust policy of the role (session_tags: true of"
        " the consumer), and an identity-based policy of the caller, must allow sts:TagSession as well; or start the"
        " session without tags.",
    },
    "source_identity": {
        ASSUME: "The session of the caller has a source identity. The trust policy of the role, and an"
        " identity-based policy of the caller, must allow sts:SetSourceIdentity as well; or start the session"
        " without a source identity.",
    },
    "root_user": {
        ASSUME: "The root user cannot assume a role. Use the access keys of an IAM user or role of the account."
    },
    "unknown": {
        ROLE: "AWS did not state which policy decided.",
        OWN: "AWS did not state which side denies it. Both a policy of the owner account and an IAM policy of this"
        " identity must allow it.",
        CALLER: "Grant this action to the caller, or use other credentials.",
    },
}

_UNNAMED = (
    "A policy has a Deny statement for it, but AWS does not name that policy. Check the policies of the caller and of"
    " the resource, and the policy of the VPC endpoint that this host uses."
)


@dataclass(frozen=True)
class Denial:
    """A parsed denial. Values that the message does not contain are empty.

    :param kind: a key of `_ADVICE`, such as `no_identity_policy` or `trust`
    :param explicit: whether a Deny statement denied the request
    :param policy: the type of the policy, such as `service control policy`
    :param policy_arn: the ARN of that policy
    :param action: the denied action, such as `ecr:BatchGetImage`
    :param resource: the ARN of the resource
    :param is_about_permissions: whether the message is about permissions, not for example about a suspended account
    :param is_own: whether the consumer's own identity sent the request, so that only a resource-based policy is of the
        owner account
    """

    kind: str
    explicit: bool = False
    policy: str = ""
    policy_arn: str = ""
    action: str = ""
    resource: str = ""
    is_about_permissions: bool = True
    is_own: bool = False

    @property
    def is_missing_permission(self) -> bool:
        """Whether the message names no policy that denies the action, so that an Allow statement is missing."""
        return self.kind == "no_identity_policy" or (
            self.kind == "unknown" and self.is_about_permissions and not self.policy
        )

    @property
    def is_by_the_share(self) -> bool:
        """Whether a policy of the owner account denied the request, so that every host and network is denied."""
        if self.is_own:
            return self.policy.lower() == "resource-based policy"
        return self.kind in BY_THE_SHARE and self.policy.lower() in _OF_THE_SHARE and not self._is_of_another_service

    @property
    def _is_of_another_service(self) -> bool:
        """Whether the denied action is not one of ECR, such as kms:Decrypt."""
        return bool(self.action) and not self.action.lower().startswith("ecr:")

    def advice(self, called: str) -> str:
        """The next step.

        :param called: the sender of the request: ROLE, ASSUME, OWN or CALLER
        """
        named = f"The {self.policy} {self.policy_arn}".rstrip() if self.policy else "A policy"
        if self.policy and self.policy.lower() not in _KINDS:  # a new type of policy
            verb = "has a Deny statement for it" if self.explicit else "does not allow it"
            return f"{named} {verb}: change that policy, or ask its administrator."
        if self.kind == "explicit_deny" and not self.policy:
            return _UNNAMED
        if not self.is_about_permissions:
            return _ADVICE["unknown"][ROLE]
        if self.kind == "no_identity_policy" and called == ROLE and self._is_of_another_service:
            return f"The policies of the role do not allow {self.action}: the owner account has to allow it."
        texts = _ADVICE.get(self.kind) or _ADVICE["unknown"]
        text = texts.get(called) or (texts.get(CALLER) if called == OWN else None) or next(iter(texts.values()))
        return text.replace("{policy}", named)


def read_denial(sentence: str, called: str) -> Denial:
    """Parse the message of a denial.

    :param called: the sender of the request: ROLE, ASSUME, OWN or CALLER. For ASSUME, the kind is `trust` if the
        message has no policy
    """
    match, action, resource = (form.search(sentence) for form in (_POLICY, _ACTION, _RESOURCE))
    policy, arn = (match[1], match[2] or "") if match else ("", "")
    explicit = "explicit deny" in sentence.lower()
    denied = action[1] if action else ""
    kind = _ACTION_KINDS.get(denied.lower()) or _KINDS.get(policy.lower())
    if kind in ("no_resource_policy", "no_identity_policy", "trust") and explicit:
        kind = "explicit_deny"
    if kind is None:
        kind = next((kind for form, kind in _SENTENCES if form.search(sentence)), None)
    is_about_permissions = bool(_PERMISSIONS.search(sentence))
    if kind is None:
        kind = "trust" if called == ASSUME and not policy and is_about_permissions else "unknown"
    of = resource[1].rstrip(".") if resource else ""
    about = is_about_permissions or kind != "unknown"
    return Denial(kind, explicit, policy, arn.rstrip("."), denied, of, about, called == OWN)


def kinds() -> t.Iterator[tuple[str, str, str]]:
    """Each kind with the sender and the advice, for the documentation."""
    for kind, texts in _ADVICE.items():
        for called, text in texts.items():
            yield kind, called, text
