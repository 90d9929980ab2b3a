# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The table of errors about options, policies, rates and quotas of any AWS request. Standard library only."""

from __future__ import annotations

from ansible_collections.crossaccount.ecr.plugins.module_utils._aws_error_row import AWS, CALLER, HOST, OWNER, AwsError

#: The first row that matches applies, so a row with a message precedes the row with only its code.
ROWS: tuple[AwsError, ...] = (
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
        "invalid principal",
        "",
        OWNER,
        False,
        "A principal in the trust policy may not exist. Create it first, or trust it with principal_match: condition.",
        "IAM User Guide, AWS JSON policy elements: Principal",
    ),
    AwsError(
        "throttled",
        "Throttl\\w*|TooManyRequests\\w*|RequestLimitExceeded|RequestThrottled\\w*|SlowDown|429",
        "",
        "",
        AWS,
        True,
        "AWS limits the rate of this call. Run again later, or with fewer hosts at a time.",
        "ECR User Guide, Service quotas",
    ),
    AwsError(
        "throttled",
        "LimitExceeded(?:Exception)?",
        "rate|thrott|too many requests",
        "",
        AWS,
        True,
        "AWS limits the rate of this call. Run again later, or with fewer hosts at a time.",
        "ECR User Guide, Service quotas",
    ),
    AwsError(
        "quota",
        "LimitExceeded(?:Exception)?",
        "cannot exceed quota|quota .*exceeded|exceeded a service limit",
        "",
        CALLER,
        False,
        "A quota of the account is used up: delete what is no longer needed, or request a higher quota.",
        "IAM User Guide, IAM and AWS STS quotas; ECR User Guide, Service quotas",
    ),
    AwsError(
        "concurrent_change",
        "ConcurrentModification(?:Exception)?|ConcurrentAccess(?:Exception)?|EntityTemporarilyUnmodifiable",
        "",
        "",
        AWS,
        True,
        "Another request changes the same object. Run again.",
        "IAM API Reference, CreateRole and UpdateAssumeRolePolicy, Errors",
    ),
    AwsError(
        "tag_policy",
        "TagPolicyException|ConstraintViolationException|InvalidParameterException|InvalidTagParameterException",
        "tag polic",
        "",
        OWNER,
        False,
        "A tag policy of the organization does not allow this tag: declare a value that it allows, or ask the"
        " administrator of the organization.",
        "AWS Organizations User Guide, Tag policies; Resource Groups Tagging API Reference, FailureInfo",
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
