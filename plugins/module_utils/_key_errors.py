# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The table of errors about the keys, the signature, the clock and the account of a request. Standard library only."""

from __future__ import annotations

from ansible_collections.crossaccount.ecr.plugins.module_utils._aws_error_row import CALLER, HOST, OWNER, AwsError

_SIGNATURE = "SignatureDoesNotMatch|InvalidSignatureException"
_UNSIGNED = "IncompleteSignature(?:Exception)?|MissingAuthenticationToken(?:Exception)?"
_KEY = "InvalidClientTokenId|UnrecognizedClientException|InvalidAccessKeyId"

#: The first row that matches applies, so a row with a message precedes the row with only its code.
ROWS: tuple[AwsError, ...] = (
    AwsError(
        "clock",
        f"{_SIGNATURE}|RequestExpired|RequestTimeTooSkewed|RequestInTheFuture",
        "signature (?:expired|not yet current)|(?:earlier|later) than|difference between the request"
        " time|expired|future|date in credential scope",
        "",
        HOST,
        False,
        "The clock of the machine that sent the request is wrong by more than AWS accepts (5 to 15 minutes). Set it,"
        " for instance with NTP, and run again.",
        "IAM User Guide, Troubleshoot signed requests; convox/rack#235; upmc-enterprises/registry-creds#47",
    ),
    AwsError(
        "signature_scope",
        _SIGNATURE,
        "should be scoped to",
        "",
        CALLER,
        False,
        "The request was signed for another region or service than the endpoint has: check the region, endpoint_url and"
        " AWS_ENDPOINT_URL.",
        "IAM User Guide, Troubleshoot signed requests; aws/aws-cli#4057",
    ),
    AwsError(
        "secret_key",
        _SIGNATURE,
        "signature we calculated|^$",
        "",
        CALLER,
        False,
        "The secret access key does not belong to this access key ID. Copy both again.",
        "IAM User Guide, Troubleshoot signed requests",
    ),
    AwsError(
        "malformed_key",
        _UNSIGNED,
        "key=value pair|slash-delimited|^$",
        "",
        CALLER,
        False,
        "The access key ID has a space, a line break or another character that does not belong there. Copy it again.",
        "STS API Reference, Common Errors; boto/boto3#2280",
    ),
    AwsError(
        "unsigned",
        _UNSIGNED,
        "missing authentication|must contain|requires '",
        "",
        HOST,
        False,
        "The request reached AWS without a complete signature: check whether a proxy removes or changes its headers.",
        "STS API Reference, Common Errors",
    ),
    AwsError(
        "expired",
        "ExpiredToken(?:Exception)?|TokenRefreshRequired|ExpiredTokenError",
        "",
        "",
        CALLER,
        False,
        "Renew the session of these credentials.",
        "STS API Reference, Common Errors",
    ),
    AwsError(
        "region_disabled",
        "RegionDisabledException",
        "",
        "",
        CALLER,
        False,
        "The region is not enabled for the account that AWS names. Enable it there, or use another region.",
        "STS API Reference, AssumeRole, Errors; turbot/steampipe-plugin-aws#1510",
    ),
    AwsError(
        "account_inactive",
        "OptInRequired|SubscriptionRequired(?:Exception)?|AccountProblem|PendingVerification",
        "",
        "",
        CALLER,
        False,
        "The account of these credentials cannot use this service in this region: complete its registration, enable the"
        " region, or ask AWS Support.",
        "STS API Reference, Common Errors",
    ),
    AwsError(
        "access_key",
        _KEY,
        "",
        "",
        CALLER,
        False,
        "This access key does not exist in AWS, or the region is not enabled: check the profile, the environment and"
        " the region.",
        "STS API Reference, Common Errors; nccgroup/ScoutSuite#1389",
    ),
)

#: The row for a service that rejects the keys of a role session that STS has just issued.
ROLE_KEY = AwsError(
    "region_disabled",
    _KEY,
    "",
    "",
    OWNER,
    False,
    "STS has just issued these keys, so the access key is right. Either the region is not enabled in the owner"
    " account, or the token comes from the global endpoint of STS and is not valid in this region: set"
    " AWS_STS_REGIONAL_ENDPOINTS=regional.",
    "IAM User Guide, Manage AWS STS in an AWS Region; aws/aws-toolkit-azure-devops#496; rebuy-de/aws-nuke#1062",
)
