# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The table of errors of any AWS request: credentials, signature, clock, region, rate. Standard library only."""

from __future__ import annotations

from ansible_collections.crossaccount.ecr.plugins.module_utils._aws_error_row import AWS, CALLER, HOST, OWNER, AwsError

_SIGNATURE = "SignatureDoesNotMatch|InvalidSignatureException"
_KEY = "InvalidClientTokenId|UnrecognizedClientException|InvalidAccessKeyId|AuthFailure"

#: The first row that matches applies, so a row with a message precedes the row with only its code.
ROWS: tuple[AwsError, ...] = (
    AwsError(
        "clock",
        f"{_SIGNATURE}|RequestExpired|RequestTimeTooSkewed|RequestInTheFuture|AuthFailure",
        "signature (?:expired|not yet current)|(?:earlier|later) than|difference between the request"
        " time|expired|future",
        "",
        HOST,
        False,
        "The clock of the machine that sent the request is wrong by more than AWS accepts (5 to 15 minutes). Set it,"
        " for instance with NTP, and run again.",
        "IAM User Guide, Troubleshoot signed requests; convox/rack#235; upmc-enterprises/registry-creds#47",
    ),
    AwsError(
        "secret_key",
        _SIGNATURE,
        "",
        "",
        CALLER,
        False,
        "The secret access key does not belong to this access key ID. Copy both again.",
        "IAM User Guide, Troubleshoot signed requests",
    ),
    AwsError(
        "malformed_key",
        "IncompleteSignature(?:Exception)?|MissingAuthenticationToken(?:Exception)?",
        "",
        "",
        CALLER,
        False,
        "The access key ID has a space, a line break or another character that does not belong there. Copy it again.",
        "STS API Reference, Common Errors; boto/boto3#2280",
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
        "RegionDisabledException|OptInRequired",
        "",
        "",
        CALLER,
        False,
        "The region is not enabled for the account that AWS names. Enable it there, or use another region.",
        "STS API Reference, AssumeRole, Errors; turbot/steampipe-plugin-aws#1510",
    ),
    AwsError(
        "access_key",
        _KEY,
        "",
        "",
        CALLER,
        False,
        "This access key does not exist in AWS: check the profile or the environment variables.",
        "STS API Reference, Common Errors; nccgroup/ScoutSuite#1389",
    ),
    AwsError(
        "session_duration",
        "ValidationError",
        "session limit for roles assumed by role chaining|MaxSessionDuration",
        "AssumeRole.*",
        CALLER,
        False,
        "Set O(duration_seconds) to a value that the role allows: at most its maximum session duration, and at most"
        " 3,600 if the caller is itself the session of a role.",
        "STS API Reference, AssumeRole, DurationSeconds; 99designs/aws-vault#263",
    ),
    AwsError(
        "principal",
        "MalformedPolicyDocument(?:Exception)?",
        "",
        "",
        OWNER,
        False,
        "A principal in the trust policy may not exist. Create it first, or trust it with principal_match: condition.",
        "IAM User Guide, AWS JSON policy elements: Principal",
    ),
    AwsError(
        "throttled",
        "Throttl\\w*|TooManyRequests\\w*|RequestLimitExceeded|LimitExceededException|RequestThrottled\\w*|SlowDown",
        "rate|thrott|too many|slow|^$",
        "",
        AWS,
        True,
        "AWS limits the rate of this call. Run again later, or with fewer hosts at a time.",
        "ECR User Guide, Service quotas",
    ),
    AwsError(
        "service_failure",
        "Internal\\w*|Server(?:Exception|Error)|Service(?:Unavailable|Failure)\\w*|5\\d\\d",
        "",
        "",
        AWS,
        True,
        "AWS could not process the request. Run again. If the error persists, check the AWS Health Dashboard.",
        "STS API Reference, Common Errors",
    ),
    AwsError(
        "not_aws",
        "ResponseParserError|[34]\\d\\d",
        "",
        "",
        HOST,
        False,
        "The response does not come from AWS: check the proxy and endpoint_url.",
        "public reports of web proxies that answer in the place of AWS",
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
