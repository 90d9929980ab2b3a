"""What MiniStack's IAM lacks, added in place before the lab serves a request."""

from __future__ import annotations

from typing import Any

from ministack.services import iam


def install() -> None:
    """Add `SetDefaultPolicyVersion`."""
    iam._IAM_HANDLERS["SetDefaultPolicyVersion"] = _set_default_policy_version


def _set_default_policy_version(parameters: Any) -> Any:
    arn, version = iam._p(parameters, "PolicyArn"), iam._p(parameters, "VersionId")
    policy = iam._policies.get(arn)
    if not policy or version not in policy["Versions"]:
        what = f"Policy {arn} version {version} does not exist or is not attachable."
        return iam._error(404, "NoSuchEntity", what, ns="iam")
    for identifier, one in policy["Versions"].items():
        one["IsDefaultVersion"] = identifier == version
    policy["DefaultVersionId"] = version
    return iam._xml(200, "SetDefaultPolicyVersionResponse", "", ns="iam")
