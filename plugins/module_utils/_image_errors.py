# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The table of ECR errors about repositories, images and layers, including `failures` in a successful response."""

from __future__ import annotations

from ansible_collections.crossaccount.ecr.plugins.module_utils._aws_error_row import CONSUMER, HOST, OWNER, AwsError

#: The first row that matches applies, so a row with a message precedes the row with only its code.
ROWS: tuple[AwsError, ...] = (
    AwsError(
        "unknown_repository",
        "RepositoryNotFoundException",
        "",
        "",
        OWNER,
        False,
        "It does not exist in the owner account and region: check its name.",
        "ECR API Reference, DescribeImages, Errors",
    ),
    AwsError(
        "no_such_layer",
        "LayersNotFoundException|LayerInaccessibleException",
        "not associated with an image|could not be found|not found|do not exist|does not exist|^$",
        "",
        OWNER,
        False,
        "The registry does not have this layer. Push the image again.",
        "ECR API Reference, GetDownloadUrlForLayer, Errors; monken/aws-ecr-public#11",
    ),
    AwsError(
        "throttled",
        "KmsException|KmsError|KMS\\w+",
        "thrott",
        "",
        OWNER,
        True,
        "AWS KMS limits the rate of requests in the owner account. Run again later.",
        "ECR API Reference, KmsException; AWS KMS Developer Guide, Throttling AWS KMS requests",
    ),
    AwsError(
        "kms",
        "KmsException|KmsError|KMS\\w+",
        "",
        "",
        OWNER,
        False,
        "The owner account has to restore ECR's access to the KMS key of the repository: the key is enabled, and its"
        " grants for ECR exist.",
        "ECR User Guide, Encryption at rest; JetBrains/space-issues-import#13",
    ),
    AwsError(
        "upstream_busy",
        "UpstreamTooManyRequests|UpstreamUnavailable",
        "",
        "",
        OWNER,
        True,
        "The upstream registry of the pull through cache limits or refuses requests. Run again later.",
        "ECR API Reference, ImageFailure; aws/containers-roadmap#2354",
    ),
    AwsError(
        "upstream",
        "Upstream\\w+|UnableToGetUpstream\\w+|UnableTo(?:AccessSecret|DecryptSecretValue)Exception|SecretNotFoundException",
        "",
        "",
        OWNER,
        False,
        "The repository is a pull through cache, and ECR cannot read its upstream registry: the owner account has to"
        " check the cache rule, its credentials and its role.",
        "ECR API Reference, BatchGetImage and GetDownloadUrlForLayer, Errors; aws/containers-roadmap#2304",
    ),
    AwsError(
        "archived",
        "ImageArchived\\w*|ImageInaccessible|LayerInaccessibleException",
        "",
        "",
        OWNER,
        False,
        "The image is archived or cannot be read now. The owner account has to restore it (UpdateImageStorageClass).",
        "ECR User Guide, Archive images; ECR API Reference, ImageFailure",
    ),
    AwsError(
        "image_request",
        "InvalidImage\\w+|ImageTagDoesNotMatchDigest|MissingDigestAndTag|ImageReferencedByManifestList",
        "",
        "",
        CONSUMER,
        False,
        "Check the tag and the digest of the image.",
        "ECR API Reference, ImageFailure",
    ),
    AwsError(
        "unknown_image",
        "ImageNotFound(?:Exception)?",
        "",
        "",
        OWNER,
        False,
        "The repository has no such image: check the tag or the digest. An archived image is not found either.",
        "ECR API Reference, ImageFailure",
    ),
)

LAYER_DENIED = (
    "ECR stores layers in S3. If this host reaches S3 through a VPC endpoint, the policy of that endpoint must"
    " allow s3:GetObject on all objects of the bucket prod-REGION-starport-layer-bucket."
)
#: Errors of S3, which stores the layers of ECR. Messages quote all other errors of S3 without an explanation, because
#: ECR signed the request.
LAYER_ROWS: tuple[AwsError, ...] = (
    AwsError(
        "layer_expired",
        "AccessDenied|ExpiredToken",
        "expired|not yet valid",
        "GetObject",
        HOST,
        False,
        "The URL of a layer in S3 is valid for a limited time. Check the clock of this host, and run again.",
        "S3 User Guide, Download and upload objects with presigned URLs",
    ),
    AwsError(
        "layer_denied",
        "AccessDenied|403",
        "",
        "GetObject",
        HOST,
        False,
        LAYER_DENIED,
        "ECR User Guide, Amazon ECR interface VPC endpoints; moby/moby#34185; awsdocs/amazon-ecr-user-guide#8",
    ),
)
