# SPDX-License-Identifier: GPL-3.0-or-later
"""Regions that an account has to enable, added in place before the lab serves a request.

No account of the lab has enabled one. There, ECR and the Resource Groups Tagging API do not know the access key, and
STS is not activated.

Sources: AWS Account Management Reference Guide, "Enable or disable AWS Regions"; aws/aws-toolkit-azure-devops#496;
turbot/steampipe-plugin-aws#1510.
"""

from __future__ import annotations

from typing import Any

from ministack.core import iam_evaluator, responses

OPT_IN = {
    *("af-south-1", "ap-east-1", "ap-east-2", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5"),
    *("ap-southeast-6", "ap-southeast-7", "ca-west-1", "eu-central-2", "eu-south-1", "eu-south-2", "il-central-1"),
    *("me-central-1", "me-south-1", "mx-central-1"),
}
_UNKNOWN_KEY = "The security token included in the request is invalid"


def install() -> None:
    """Put the addition into MiniStack."""
    enforce = iam_evaluator.enforce

    def enforce_in_enabled_region(key: str, action: str, service: str, region: str, *more: Any, **options: Any) -> Any:
        refusal = enforce(key, action, service, region, *more, **options)
        if region not in OPT_IN or isinstance(refusal, iam_evaluator.AuthError):
            return refusal
        return _error(action, service) or refusal

    iam_evaluator.enforce = enforce_in_enabled_region


def _error(action: str, service: str) -> Any:
    """The error of a service of a region; None for a service without regions."""
    if service in ("ecr", "tagging"):
        return iam_evaluator.AuthError("UnrecognizedClientException", _UNKNOWN_KEY)
    if action == "sts:GetCallerIdentity":
        return iam_evaluator.AuthError("InvalidClientTokenId", f"{_UNKNOWN_KEY}.")
    if service == "sts":
        sentence = (
            f"STS is not activated in this region for account:{responses.get_account_id()}. Your account administrator"
            " can activate STS in this region using the IAM Console."
        )
        return iam_evaluator.AuthError("RegionDisabledException", sentence)
    return None
