# SPDX-License-Identifier: GPL-3.0-or-later
"""The service-linked roles of ECR. The first rule of an account creates one, if the caller may create it.

Source: Amazon ECR User Guide, "Using service-linked roles for Amazon ECR".
"""

from __future__ import annotations

from ministack.core import iam_actions, iam_evaluator, responses
from ministack.services import iam

from .image_states import Response, error


def link(service: str, name: str) -> Response | None:
    """Create the service-linked role of the account. An error if the caller may not create it."""
    if name in iam._roles:
        return None
    action, account = "iam:CreateServiceLinkedRole", responses.get_account_id()
    arn = f"arn:aws:iam::{account}:role/aws-service-role/{service}/{name}"
    refusal = iam_evaluator.enforce(iam_evaluator._verified_key.get(), action, "iam", responses.get_region(), arn)
    if refusal is not None:
        explicit = refusal.decision == "Deny"
        sentence = iam_actions.identity_denial_message(action, refusal.principal_arn, arn, explicit)
        return error("AccessDeniedException", sentence)
    before = set(iam._roles)
    iam._create_service_linked_role({"AWSServiceName": [service]})
    (made,) = set(iam._roles) - before
    iam._roles[name] = {**iam._roles.pop(made), "RoleName": name, "Arn": arn}
    return None
