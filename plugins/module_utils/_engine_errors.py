# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The table of registry errors as docker, podman and skopeo report them. Standard library only.

With the containerd image store, the default since docker 29, docker sends HEAD requests. The responses have no body, so
docker reports an HTTP status without the message of AWS.

Sources of the formats: containerd, core/remotes/errors (`unexpected status from …`), docker/fetcher (`unexpected status
code …`); containers/image, docker/errors.go and docker/docker_client.go (`StatusCode: …`, `received unexpected HTTP
status: …`, `too many requests to registry`); distribution, registry/client/errors.go (`error parsing HTTP …`).
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._image_errors import LAYER_DENIED

#: The text before an HTTP status.
_STATUS = (
    r"(?:unexpected status(?: code| from [A-Z]+ request to)? [^\n]{1,4000}?: ?|StatusCode: |unexpected HTTP status: "
    r"|invalid status code [^\n]{1,200}? |error parsing HTTP )"
)


@dataclass(frozen=True)
class EngineError:
    """One kind of error in the output of an engine.

    :param kind: a kind of the tables of AWS errors or of denials, which determines whether the pull is repeated
    :param text: a regular expression to search for in the output, ignoring case
    :param next_step: one or more sentences
    :param source: the public report, or the document, that shows this text
    """

    kind: str
    text: str
    next_step: str
    source: str


#: The first row that matches applies. The presigned URL of a layer has a query, which messages show as `?…`.
ROWS: t.Final = (
    EngineError(
        "layer_denied",
        rf"(?:starport-layer-bucket\S{{0,2000}}?|\?…): ?403\b|{_STATUS}403\b[^\n]{{0,200}}?<\?xml",
        LAYER_DENIED,
        "moby/moby#34185; awsdocs/amazon-ecr-user-guide#8",
    ),
    EngineError(
        "throttled",
        rf"\btoo ?many ?requests\b|\brate exceeded\b|{_STATUS}429\b",
        "ECR limits the rate of requests. Run again later, or with fewer hosts at a time.",
        "ECR User Guide, HTTP 429: Too Many Requests; ScribeMD/docker-cache#829; containers/image#618",
    ),
    EngineError(
        "service_failure",
        rf"{_STATUS}(?:500|502|503|504)\b",
        "The registry, or a proxy before it, could not respond. Run again.",
        "podman-container-tools/skopeo#2499",
    ),
    EngineError(
        "expired",
        r"authorization token (?:has expired|is invalid)",
        "The registry token is no longer valid. Run again; a longer O(duration_seconds) gives a longer token.",
        "ECR User Guide, Errors when using Docker commands",
    ),
    EngineError(
        "unknown",
        rf"{_STATUS}403\b|requested access to the resource is denied"
        r"|pull access denied(?![^\n]{0,4000}no basic auth)",
        "The registry denied it, and the engine does not report the sentence of AWS. If the share is new, run again"
        " in a minute. Otherwise check the policy of the VPC endpoint for the registry (ecr.dkr), and a proxy between"
        " the engine and the registry.",
        "aws-samples/bedrock-access-gateway#114; aws/aws-lambda-base-images#220; podman-container-tools/podman#9990",
    ),
)


def recognize_engine_error(text: str) -> EngineError | None:
    """The row of an error, or None if no row matches."""
    return next((row for row in ROWS if re.search(row.text, text, re.I)), None)
