# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The exception of this collection, and the messages for AWS errors. Standard library only."""

from __future__ import annotations

import contextlib
import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._aws_errors import recognize
from ansible_collections.crossaccount.ecr.plugins.module_utils._denial import ASSUME, CALLER, read_denial
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option, options_in
from ansible_collections.crossaccount.ecr.plugins.module_utils._profile import config_file_problem
from ansible_collections.crossaccount.ecr.plugins.module_utils._secrets import KNOWN

_ALLOW = "Grant this action to the caller, or use other credentials."
#: The next step by the denied IAM operation. owner-policy.json allows these operations only for a role with the
#: permissions boundary in that policy.
_NEXT_STEPS_IF_DENIED = {
    "PutRolePermissionsBoundary": (
        "Have an administrator of the account run this once, so that the role gets its boundary. owner-policy.json does"
        " not allow this action, because a caller that may set a boundary may also replace it."
    ),
    "CreateRole": (
        f"{_ALLOW} If the policy of the caller requires a permissions boundary, declare it as O(permissions_boundary)."
    ),
    # Source: ECR User Guide, "Using service-linked roles for Amazon ECR".
    "PutReplicationConfiguration": (
        f"{_ALLOW} The first replication rule of an account creates the service-linked role"
        " AWSServiceRoleForECRReplication, so it also requires iam:CreateServiceLinkedRole."
    ),
    "CreatePullThroughCacheRule": (
        f"{_ALLOW} A rule with a role also requires iam:PassRole on it. The first pull through cache rule of an account"
        " creates the service-linked role AWSServiceRoleForECRPullThroughCache, so it also requires"
        " iam:CreateServiceLinkedRole."
    ),
    **dict.fromkeys(
        ("AttachRolePolicy", "DetachRolePolicy", "PutRolePolicy", "DeleteRolePolicy"),
        f"{_ALLOW} If the role lacks the permissions boundary that the policy of the caller requires, have an"
        " administrator of the account run this once, with that O(permissions_boundary).",
    ),
}


#: The maximum number of characters in a line of a message, which may quote text of any length.
_LONGEST_LINE = 4000


def printable(text: str) -> str:
    """A text that is safe for a terminal and a log: unprintable characters are escaped, long lines are truncated."""
    lines = []
    for line in text.split("\n"):
        shown = line[: _LONGEST_LINE + 1]
        if not shown.isprintable():
            shown = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in shown)
        if len(shown) > _LONGEST_LINE:
            shown = f"{shown[: _LONGEST_LINE - 40]}... ({len(line)} characters)"
        lines.append(shown)
    return "\n".join(lines)


class EcrError(Exception):
    """An error for the user. Its message names the object, the fact and the next step.

    :param message: one or more sentences. Known secrets are masked, and unprintable characters are escaped
    :param facts: further keys of the module's result
    """

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(printable(KNOWN.mask(message)))
        self.facts: Json = facts


class RefusalError(EcrError):
    """A registry refused a request.

    :param subject: the host that responded
    :param label: the requested content
    :param status: the HTTP status
    :param reason: the message of the host
    """

    def __init__(self, subject: str, label: str, status: int, reason: str) -> None:
        super().__init__(f"{subject} refused the {label}: {reason}")
        self.status, self.reason = status, reason


class Problems:
    """Collects problems, to report all of them in one error before the first write."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, message: str) -> None:
        """Add a problem, unless it is known."""
        text = printable(KNOWN.mask(message))
        if text not in self.found:
            self.found.append(text)

    def extend(self, messages: t.Iterable[str]) -> None:
        """Add each message that a `…_problems` function yields."""
        for message in messages:
            self.add(message)

    def check(self, **facts: object) -> None:
        """Raise one EcrError with all problems and these facts, if a problem was added."""
        if len(self.found) == 1:
            raise EcrError(self.found[0], problems=self.found, **facts)
        if self.found:
            listed = "\n".join(f"- {problem}" for problem in self.found)
            raise EcrError(f"{len(self.found)} problems, nothing was written:\n{listed}", problems=self.found, **facts)


@contextlib.contextmanager
def collecting_problems(problems: Problems) -> t.Iterator[None]:
    """Context manager that adds an EcrError to the problems."""
    try:
        yield
    except EcrError as error:
        problems.add(str(error))


#: The error codes of denials.
DENIED_CODES = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")


def error_code(error: Exception) -> str:
    """The AWS error code of a botocore ClientError; the class name for any other exception."""
    response = getattr(error, "response", None) or {}
    return printable(str(response.get("Error", {}).get("Code") or type(error).__name__))


def is_denied(error: Exception) -> bool:
    """Whether AWS denied the request."""
    return error_code(error) in DENIED_CODES


def is_expired(error: Exception) -> bool:
    """Whether the session of the caller has expired."""
    return error_code(error) in ("ExpiredToken", "ExpiredTokenException")


def aws_sentence(error: Exception) -> str:
    """The message of AWS, without the text that botocore adds; empty if AWS sent none."""
    response = getattr(error, "response", None) or {}
    return printable(str(response.get("Error", {}).get("Message") or ("" if "Error" in response else error)))


#: The next step for an error of the connection, by the class of the exception.
_CONNECTION_STEPS = {
    "ProxyConnectionError": "Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY.",
    "SSLError": "Check the clock of this machine, and set AWS_CA_BUNDLE or ca_bundle to the CA of a proxy or endpoint.",
}
_LOOPBACK = re.compile(r"https?://((?:localhost|127\.[\d.]+|\[::1\])(?::\d+)?)(?:/|$)")


def _no_answer(code: str, facts: Json) -> str:
    """The fact and the next step if an endpoint does not answer."""
    here = _LOOPBACK.match(str(facts.get("endpoint_url")))
    if here and code == "EndpointConnectionError":
        return f"Nothing listens on {here[1]}. Correct endpoint_url or AWS_ENDPOINT_URL, or start the server there."
    return "No server answers at this address: check the network and, if it is set, endpoint_url or AWS_ENDPOINT_URL."


def explain(error: Exception, environment: t.Mapping[str, str] | None = None) -> str:
    """The message for an error of botocore: the fact and the next step.

    :param environment: the environment variables, to recognize a job of AWX
    """
    code, sentence = error_code(error), aws_sentence(error)
    if code in ("NoCredentialsError", "PartialCredentialsError") and "AWX_HOST" in (environment or {}):
        return (
            "No AWS credentials were found in this job of AWX. Attach a credential of the type ECR owner account to"
            " share and unshare, or one of the type ECR consumer account to prove and pull. The pattern ecr_share"
            " creates both credential types. A credential of the type Amazon Web Services also works. Check that the"
            " keys of the credential are filled in."
        )
    if code in ("NoCredentialsError", "PartialCredentialsError"):
        return (
            f"No AWS credentials were found. Name a profile ({option('profile')} or AWS_PROFILE), set AWS_ACCESS_KEY_ID"
            " and AWS_SECRET_ACCESS_KEY, or run where an instance profile is attached. In a"
            " container on EC2, the hop limit of the instance's metadata options must be at least 2."
        )
    if code in ("EndpointConnectionError", "ConnectTimeoutError", "ConnectionClosedError", "ReadTimeoutError"):
        return f"{sentence.rstrip('.')}. {_no_answer(code, getattr(error, 'kwargs', {}))}"
    if code == "ConfigParseError":
        return config_file_problem(*(getattr(error, "kwargs", {}).get(name, "") for name in ("path", "error")))
    if code in _CONNECTION_STEPS:
        return f"{sentence.rstrip('. ')}. {_CONNECTION_STEPS[code]}"
    if code == "NoRegionError":
        return f"No region is known. Set {option('region')}, AWS_REGION, or the region of the profile."
    operation = str(getattr(error, "operation_name", None) or "")
    happened = ": ".join(filter(None, (operation, code, sentence))).rstrip()
    if is_denied(error):
        called = ASSUME if operation.startswith("AssumeRole") else CALLER
        denial = read_denial(sentence, called)
        usual = options_in(_NEXT_STEPS_IF_DENIED.get(operation, "")) if denial.is_missing_permission else ""
        next_step = usual or denial.advice(called)
    else:
        row = recognize(operation, code, sentence)
        next_step = options_in(row.next_step) if row else ""
    return f"{happened.rstrip('.')}. {next_step}" if next_step else happened
