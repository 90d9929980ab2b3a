# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors that the tables of AWS errors recognize, and those that they do not."""

from __future__ import annotations

import re

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _aws_errors
from ansible_collections.crossaccount.ecr.plugins.module_utils._aws_errors import recognize

EARLIER = "Signature expired: 20261126T100000Z is now earlier than 20261126T134500Z (20261126T140000Z - 15 min.)"
LATER = "Signature not yet current: 20261126T180000Z is still later than 20261126T141500Z (20261126T140000Z + 15 min.)"


@pytest.mark.parametrize(
    ("call", "code", "message", "kind", "transient"),
    [
        ("GetCallerIdentity", "SignatureDoesNotMatch", EARLIER, "clock", False),
        ("GetCallerIdentity", "SignatureDoesNotMatch", LATER, "clock", False),
        ("BatchGetImage", "InvalidSignatureException", EARLIER, "clock", False),
        ("BatchGetImage", "RequestExpired", "Request has expired.", "clock", False),
        (
            "",
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
            "clock",
            False,
        ),
        (
            "GetCallerIdentity",
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match",
            "secret_key",
            False,
        ),
        ("BatchGetImage", "InvalidSignatureException", "The request signature we calculated", "secret_key", False),
        (
            "GetCallerIdentity",
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
            "access_key",
            False,
        ),
        ("AssumeRole", "RegionDisabledException", "STS is not activated in this region", "region_disabled", False),
        ("GetCallerIdentity", "IncompleteSignature", "not a valid key=value pair", "malformed_key", False),
        (
            "AssumeRole",
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration",
            "session_duration",
            False,
        ),
        ("BatchGetImage", "ThrottlingException", "Rate exceeded", "throttled", True),
        ("BatchGetImage", "RequestLimitExceeded", "Request limit exceeded.", "throttled", True),
        ("BatchGetImage", "429", "Too Many Requests", "throttled", True),
        ("CreateRole", "LimitExceededException", "Rate exceeded", "throttled", True),
        ("BatchGetImage", "KmsException", "The operation failed: kmsError=ThrottlingException", "throttled", True),
        ("CreateRole", "LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000", "quota", False),
        (
            "TagResource",
            "LimitExceededException",
            "The operation did not succeed because it would have exceeded a service limit for your account.",
            "quota",
            False,
        ),
        ("CreateRole", "ConcurrentModification", "multiple requests were submitted", "concurrent_change", True),
        (
            "TagResources",
            "InvalidParameterException",
            "The tag policy does not allow the specified value for the following tag key: 'environment'.",
            "tag_policy",
            False,
        ),
        (
            "UpdateAssumeRolePolicy",
            "MalformedPolicyDocument",
            'Invalid principal in policy: "AWS":"arn:aws:iam::222222222222:user/gone"',
            "principal",
            False,
        ),
        (
            "GetCallerIdentity",
            "MissingAuthenticationToken",
            "Request is missing Authentication Token",
            "unsigned",
            False,
        ),
        (
            "GetCallerIdentity",
            "IncompleteSignature",
            "Request must contain a signature that conforms to AWS standards",
            "unsigned",
            False,
        ),
        (
            "DescribeImages",
            "IncompleteSignatureException",
            "Credential must have at least 5 slash-delimited elements",
            "malformed_key",
            False,
        ),
        (
            "GetCallerIdentity",
            "SignatureDoesNotMatch",
            "Credential should be scoped to a valid region.",
            "signature_scope",
            False,
        ),
        (
            "DescribeImages",
            "InvalidSignatureException",
            "Credential should be scoped to correct service: 'ecr'.",
            "signature_scope",
            False,
        ),
        (
            "GetCallerIdentity",
            "SignatureDoesNotMatch",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP",
            "clock",
            False,
        ),
        ("DescribeImages", "OptInRequired", "The AWS Access Key Id needs a subscription", "account_inactive", False),
        ("DescribeImages", "SubscriptionRequiredException", "", "account_inactive", False),
        ("BatchGetImage", "UnableToDecryptSecretValueException", "could not be decrypted.", "upstream", False),
        ("BatchGetImage", "ServerException", "", "service_failure", True),
        ("BatchGetImage", "503", "Service Unavailable", "service_failure", True),
        ("BatchGetImage", "403", "<html>Blocked</html>", "not_aws", False),
        ("DescribeImages", "RepositoryNotFoundException", "The repository does not exist", "unknown_repository", False),
        ("GetDownloadUrlForLayer", "LayersNotFoundException", "The layer could not be found", "no_such_layer", False),
        (
            "GetDownloadUrlForLayer",
            "LayerInaccessibleException",
            "it is not associated with an image.",
            "no_such_layer",
            False,
        ),
        ("GetDownloadUrlForLayer", "LayerInaccessibleException", "The layer is archived.", "archived", False),
        ("GetDownloadUrlForLayer", "KmsException", "access to the KMS key is denied", "kms", False),
        ("BatchGetImage", "KmsError", "The KMS key is disabled.", "kms", False),
        ("BatchGetImage", "UpstreamTooManyRequests", "", "upstream_busy", True),
        ("BatchGetImage", "UpstreamAccessDenied", "", "upstream", False),
        ("BatchGetImage", "UnableToGetUpstreamImageException", "", "upstream", False),
        ("BatchGetImage", "ImageInaccessible", "", "archived", False),
        ("BatchGetImage", "ImageNotFound", "", "unknown_image", False),
        ("BatchGetImage", "ImageTagDoesNotMatchDigest", "", "image_request", False),
    ],
)
def test_an_error_that_is_known(call: str, code: str, message: str, kind: str, transient: bool) -> None:
    row = recognize(call, code, message)
    assert row is not None
    assert (row.kind, row.transient) == (kind, transient)


@pytest.mark.parametrize(
    ("call", "code", "message"),
    [
        ("BatchGetImage", "SomethingNewException", "A message of next year"),
        ("AssumeRole", "ValidationError", "1 validation error detected: Value 'x' at 'roleArn' failed"),
        ("PutRolePolicy", "LimitExceeded", "Maximum policy size of 10240 bytes exceeded for role x"),
        ("CreatePolicyVersion", "LimitExceeded", "A managed policy can have up to 5 versions."),
        ("CreateRole", "LimitExceededException", "The quota of repositories is reached"),
        ("CreatePolicy", "MalformedPolicyDocument", "Syntax errors in policy."),
        ("UpdateAssumeRolePolicy", "MalformedPolicyDocument", "Has prohibited field Resource"),
        ("DescribeImages", "AuthFailure", "AWS was not able to validate the provided access credentials"),
        ("GetCallerIdentity", "SignatureDoesNotMatch", "A reason of next year"),
        ("GetCallerIdentity", "IncompleteSignature", "A reason of next year"),
        ("AssumeRole", "PackedPolicyTooLarge", "Packed size of session tags consumes 106% of allotted space."),
        ("TagResource", "InvalidTagParameterException", "Tag keys can have a maximum length of 128 characters"),
        ("AssumeRole", "InvalidIdentityToken", "No OpenIDConnect provider found in your account"),
        ("BatchGetImage", "InvalidParameterException", "Invalid parameter at 'registryId'"),
        ("DeleteRole", "DeleteConflict", "Cannot delete entity, must detach all policies first."),
        ("UpdateRole", "UnmodifiableEntity", "Cannot perform the operation on the protected role 'x'"),
        ("ListRoots", "AWSOrganizationsNotInUseException", "Your account is not a member of an organization."),
        ("GetResources", "PaginationTokenExpiredException", ""),
        ("", "", ""),
    ],
)
def test_an_unknown_error_is_not_explained(call: str, code: str, message: str) -> None:
    assert recognize(call, code, message) is None


@pytest.mark.parametrize("code", ["UnrecognizedClientException", "InvalidClientTokenId"])
def test_keys_of_a_new_session_are_valid_for_sts(code: str) -> None:
    of_role = recognize("BatchGetImage", code, "The security token included in the request is invalid", by_role=True)
    of_caller = recognize("BatchGetImage", code, "The security token included in the request is invalid")
    assert of_role is not None
    assert of_caller is not None
    assert "region is not enabled" in of_role.next_step
    assert of_caller.next_step.startswith("This access key does not exist")


def test_each_row_is_complete() -> None:
    for row in _aws_errors.TABLE:
        assert all((row.kind, row.codes, row.side, row.source)), row
        assert row.next_step.endswith("."), row
        for pattern in (row.codes, row.message, row.calls):
            re.compile(pattern)
