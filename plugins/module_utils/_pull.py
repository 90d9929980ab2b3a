# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a pull needs from AWS: the images' digests and a token. For the module, and for its action plugin."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule says so to the user

from ansible_collections.crossaccount.ecr.plugins.module_utils import _ecr
from ansible_collections.crossaccount.ecr.plugins.module_utils._access import PROPAGATING, classify
from ansible_collections.crossaccount.ecr.plugins.module_utils._caller import CALLER_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import (
    EcrError,
    Problems,
    aws_sentence,
    error_code,
    is_denied,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import Reference, parse_reference
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import result_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._sts import (
    ASSUME_ROLE_ARGUMENTS,
    Session,
    caller_of,
    each,
    session_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import (
    WAIT_BY_DOING_ARGUMENTS,
    wait_by_doing,
    wait_problems,
)

#: The options of `ecr_image_pull` beside amazon.aws's.
PULL_ARGUMENTS: dict[str, t.Any] = {
    "role_arn": {"type": "str"},
    "external_id": {"type": "str"},
    "role_session_name": {"type": "str", "default": "crossaccount.ecr"},
    "duration_seconds": {"type": "int", "default": 3600},
    "images": {"type": "list", "elements": "str", "required": True},
    "engine": {
        "type": "str",
        "choices": ["auto", "docker", "podman", "skopeo", "oci_layout"],
        "default": "auto",
    },
    # The type path would fill in $NAME from an environment that may hold AWS keys.
    "dest": {"type": "str"},
    "platform": {"type": "str"},
    "ca_path": {"type": "str"},
    "credentials": {"type": "str", "choices": ["host", "controller"], "default": "host"},
    "registry_url": {"type": "str"},
    "registry_token": {"type": "str", "no_log": True},
    **CALLER_ARGUMENTS,
    **ASSUME_ROLE_ARGUMENTS,
    **WAIT_BY_DOING_ARGUMENTS,
}
#: And how they go together.
PULL_RULES: dict[str, t.Any] = {
    "required_if": [("engine", "oci_layout", ("dest",)), ("engine", "skopeo", ("dest",))],
    "required_one_of": [("role_arn", "registry_token")],
    "required_together": [("registry_url", "registry_token")],
}
Value = t.TypeVar("Value")
_DENIAL = "is not authorized to perform"
_PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9_]+(/[a-z0-9.]+)?")


@dataclass(frozen=True)
class Authorization:
    """A registry's URL, a token for it, and the digest of each image."""

    url: str
    token: str = field(repr=False)
    digests: list[str]


def check(options: dict[str, t.Any]) -> list[Reference]:
    """What can be said of the options without asking AWS; the images as references."""
    problems, references = Problems(), []
    by_token = options["registry_token"] is not None
    if by_token and options["credentials"] == "controller":
        problems.add("credentials: controller gets a token by itself. Leave registry_token out.")
    for problem in [*([] if by_token else session_problems(options)), *wait_problems(options)]:
        problems.add(problem)
    if options["platform"] and not _PLATFORM.fullmatch(options["platform"]):
        problems.add(f"platform {options['platform']!r} is not os/architecture, such as linux/arm64 or linux/arm/v7.")
    for name in ("dest", "ca_path"):
        if not (options[name] or "").isprintable():
            problems.add(f"{name} {options[name]!r} has a character that is not printable. Remove it.")
    if not options["images"]:
        problems.add("images is empty: name at least one image.")
    for text in options["images"]:
        try:
            reference = parse_reference(text)
        except EcrError as error:
            problems.add(str(error))
            continue
        references.append(reference)
        if by_token and not reference.digest:
            problems.add(f"Image {text!r} has no digest. With registry_token AWS is not asked: write {text}@sha256:…")
    problems.check()
    return references


def stays(result: dict[str, t.Any]) -> bool:
    """Whether no propagation can change a result."""
    return not result.get("failed") or result.get("denial_kind") not in PROPAGATING


def authorize(
    session: Session,
    options: dict[str, t.Any],
    references: list[Reference],
    say: t.Callable[[dict[str, t.Any], float], None] = lambda _result, _left: None,
) -> Authorization:
    """Assume the role, resolve the images, get a token; again while a new share may not be known everywhere.

    :param say: told while it is waited
    :raises EcrError: when the role can not be assumed, or images are denied or missing, all of them named
    """

    def attempt() -> dict[str, t.Any]:
        role = session.assume(
            options["role_arn"], options["external_id"], options["role_session_name"], options["duration_seconds"]
        )
        ecr = role.client("ecr")
        digests = resolve(ecr, references)
        token, url = _token(ecr)
        return {"authorization": Authorization(url, token, digests)}

    caller_of(session, options)
    result = wait_by_doing(lambda: result_of(attempt), stays, options, say)
    if result.pop("failed", False):
        raise EcrError(result.pop("msg"), **result)
    authorization: Authorization = result["authorization"]
    return authorization


def deliver(call: t.Callable[[], Value], options: dict[str, t.Any]) -> Value:
    """Call an engine; again while the registry may not know a share that ECR's API knew already.

    :raises EcrError: if it fails, with the kind of the denial if it is one
    """

    def attempt() -> dict[str, t.Any]:
        result = result_of(lambda: {"value": call()})
        # The registry and the engines tell it in AWS's words.
        if _DENIAL in result.get("msg", ""):
            result["denial_kind"] = classify(result["msg"])
        return result

    result = wait_by_doing(attempt, stays, options)
    if result.pop("failed", False):
        raise EcrError(result.pop("msg"), **result)
    value: Value = result["value"]
    return value


def _token(ecr: t.Any) -> tuple[str, str]:
    try:
        return _ecr.token(ecr)
    except botocore.exceptions.ClientError as error:
        if not is_denied(error):
            raise
        sentence = aws_sentence(error)
        raise EcrError(
            f"The role gets no registry token: {sentence.rstrip('.')}. The owner account has to allow it to the role.",
            denial=sentence,
            denial_kind=classify(sentence),
        ) from None


def resolve(ecr: t.Any, references: list[Reference]) -> list[str]:
    """The digest of each image, from ECR; everything that is denied or missing is reported together."""
    problems, digests, kinds = Problems(), [], []
    for outcome in each(lambda reference: _digest(ecr, reference), references):
        if isinstance(outcome, str):
            digests.append(outcome)
        else:
            problems.add(str(outcome))
            kinds.append(outcome.facts["denial_kind"])
    # What is wrong for good is not waited for.
    lasting = [kind for kind in kinds if kind not in PROPAGATING]
    problems.check(denial_kind=[*lasting, *kinds, ""][0])
    return digests


def _digest(ecr: t.Any, reference: Reference) -> str | EcrError:
    try:
        found = _ecr.image(ecr, reference.repository, reference.identifier)
    except botocore.exceptions.ClientError as error:
        sentence = aws_sentence(error)
        if is_denied(error):
            return EcrError(f"Image {reference} can not be pulled: denied: {sentence}", denial_kind=classify(sentence))
        if error_code(error) == "RepositoryNotFoundException":
            return EcrError(f"Image {reference} can not be pulled: {sentence}", denial_kind="unknown_repository")
        raise
    if found is None:
        fact = f"does not exist: repository {reference.repository} has no such image."
    elif reference.digest and found["digest"] != reference.digest:
        fact = f"is not there: {reference.image_tag} stands for {found['digest']}."
    else:
        return str(found["digest"])
    return EcrError(f"Image {reference} {fact}", denial_kind="unknown_image")
