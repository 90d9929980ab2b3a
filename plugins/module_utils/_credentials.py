# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong with AWS credentials before they are used, and why they could not be read. Standard library only.

No text here contains a value of a key, or what a program printed in the place of one.
"""

from __future__ import annotations

import re
import typing as t

_LINE_BREAK = re.compile(r"[\r\n]")
_ZONE = re.compile(r"([a-z]{2,}(?:-[a-z]+)+-[0-9]{1,2})[a-z]")
#: An access key ID and what else a header of HTTP can hold. Source: RFC 9110, section 5.5; SigV4 signs printable ASCII.
_HEADER = re.compile(r"[\x21-\x7e]*")
_Profiles = t.Mapping[str, t.Mapping[str, object]]

#: botocore's exception: the sentence, in which {profile} is filled in.
_FAILURES = {
    **dict.fromkeys(
        (
            "UnauthorizedSSOTokenError",
            "SSOTokenLoadError",
            "TokenRetrievalError",
            "SSOError",
            "PendingAuthorizationExpiredError",
        ),
        "{profile} has no valid session of IAM Identity Center (SSO). Run aws sso login{option}, and run again.",
    ),
    "MetadataRetrievalError": (
        "The instance or container metadata did not return credentials for {profile}. In a container on EC2, the hop"
        " limit of the instance's metadata options must be at least 2; check the attached role as well."
    ),
    **dict.fromkeys(
        ("JSONDecodeError", "ValueError", "KeyError", "TypeError", "UnicodeDecodeError"),
        "The credential_process of {profile} did not print the JSON that AWS specifies. Run its command in a shell:"
        " it must print an object with Version, AccessKeyId and SecretAccessKey, and nothing else.",
    ),
    "EOFError": (
        "{profile} requires an MFA code (mfa_serial), for which no module can ask. Start a session with the code"
        " first, for instance with aws sts get-session-token, and use the keys of that session."
    ),
    "FileNotFoundError": "{profile} names a file that does not exist: check web_identity_token_file.",
    "PermissionError": "{profile} names a file that cannot be read: check web_identity_token_file.",
}


def key_problems(access_key: str | None, secret_key: str | None, session_token: str | None) -> t.Iterator[str]:
    """What is wrong with keys, without a part of their values."""
    for name, value in (
        ("access key ID", access_key),
        ("secret access key", secret_key),
        ("session token", session_token),
    ):
        if not value:
            continue
        if _LINE_BREAK.search(value):
            yield f"The {name} contains a line break. Remove it where the value is stored, and run again."
        elif value != value.strip():
            yield f"The {name} begins or ends with white space. Remove it where the value is stored, and run again."
        elif not _HEADER.fullmatch(value):
            yield (
                f"The {name} contains a character that is not printable ASCII. Copy the value again where it is"
                " stored, and run again."
            )
    if bool(access_key) != bool(secret_key):
        missing, present = (
            ("secret access key", "access key ID") if access_key else ("access key ID", "secret access key")
        )
        yield f"There is {_article(present)} {present} but no {missing}. Set both, or none of them."


def _article(name: str) -> str:
    return "an" if name[0] in "aeiou" else "a"


def profile_problems(profiles: _Profiles, name: str) -> t.Iterator[str]:
    """Why the keys of a profile cannot be read by a program, from the configuration alone.

    :param profiles: every profile of the configuration, name to settings
    """
    seen: list[str] = []
    at: object = name
    while isinstance(at, str) and at not in seen and at in profiles:
        seen.append(at)
        settings = profiles[at]
        if settings.get("role_arn") and settings.get("mfa_serial"):
            yield failure_of("EOFError", at) or ""
        at = settings.get("source_profile")


def zone_problem(region: str) -> t.Iterator[str]:
    """What is wrong with a region that is the name of an Availability Zone."""
    match = _ZONE.fullmatch(region)
    if match:
        yield f"region {region!r} is an Availability Zone. Set the region {match[1]}, also in the profile."


def failure_of(error: str, profile: str | None) -> str | None:
    """The sentence for an exception that was raised while credentials were read; None for one that is not known.

    :param error: the name of its class
    :param profile: the profile that was read; None for the environment
    """
    text = _FAILURES.get(error)
    if text is None:
        return None
    named, option = (f"Profile {profile}", f" --profile {profile}") if profile else ("The environment", "")
    sentence = text.replace("{option}", option)
    return sentence.replace("{profile}", named if sentence.startswith("{profile}") else named[0].lower() + named[1:])


def web_identity_failure(code: str, profile: str | None) -> str | None:
    """The sentence for a web identity token that STS rejects. Source: STS API Reference, AssumeRoleWithWebIdentity."""
    if code not in ("ExpiredTokenException", "ExpiredToken", "InvalidIdentityToken", "IDPRejectedClaim"):
        return None
    where = f"of profile {profile}" if profile else "of the environment"
    return (
        f"STS rejects the web identity token {where}: it has expired, or the role does not trust its provider. Write"
        " a new token to web_identity_token_file, and run again."
    )
