# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The source from which boto3 reads AWS keys, and the messages for its failures. Standard library only.

No message contains a key or the output of a program.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

_Profiles = t.Mapping[str, t.Mapping[str, object]]

#: The settings of a profile by which botocore gets keys from a program or with a web identity token.
_PROCESS, _WEB_IDENTITY = ("credential_process",), ("web_identity_token_file",)
_SSO, _LOGIN, _ROLE = ("sso_session", "sso_start_url"), ("login_session",), ("role_arn",)
_ELSEWHERE = (*_PROCESS, *_WEB_IDENTITY, *_SSO, *_LOGIN, *_ROLE)

#: Each message with its placeholder {profile}, and the settings that determine which profile it names.
_SSO_SESSION = (
    "{profile} has no valid session of IAM Identity Center (SSO). Run aws sso login{option}, and run again.",
    _SSO,
)
_LOGIN_SESSION = ("{profile} has no valid session of aws login. Run aws login{option}, and run again.", _LOGIN)
_METADATA = (
    "The instance or container metadata did not return credentials for {profile}. In a container on EC2, the hop"
    " limit of the instance's metadata options must be at least 2; check the attached role as well.",
    ("credential_source",),
)
_MFA = (
    "{profile} requires an MFA code (mfa_serial), for which no module can ask. Start a session with the code"
    " first, for instance with aws sts get-session-token, and use the keys of that session.",
    ("mfa_serial",),
)
_PROCESS_OUTPUT = (
    "The credential_process of {profile} did not print the JSON that AWS specifies. Run its command in a shell:"
    " it must print an object with Version, AccessKeyId and SecretAccessKey, and nothing else.",
    _PROCESS,
)
_PROCESS_STATUS = (
    "The credential_process of {profile} failed. Run its command in a shell, as the same user, to see why.",
    _PROCESS,
)
_PROCESS_START = (
    "The credential_process of {profile} cannot be started. Set the absolute path of a program that this user may run.",
    _PROCESS,
)
_TOKEN_FILE = (
    "{profile} names the token file {fact}, which cannot be read. Check web_identity_token_file, or the environment"
    " variable that names it, and whether this user may read the file.",
    _WEB_IDENTITY,
)
_TOKEN = (
    "The web identity token of {profile} is empty or not a token. Write a new token to the file that"
    " web_identity_token_file or AWS_WEB_IDENTITY_TOKEN_FILE names, and run again.",
    _WEB_IDENTITY,
)
_PARTIAL = (
    "{profile} has only a part of its keys: {fact} is missing. Set it, and run again.",
    ("aws_access_key_id",),
)
_EXPIRED = (
    "The keys of {profile} had already expired when they were read. Renew them at their source, and check the clock of"
    " this machine.",
    _ELSEWHERE,
)

#: The message for each exception of botocore, by its class name.
_FAILURES = {
    **dict.fromkeys(
        (
            "UnauthorizedSSOTokenError",
            "SSOTokenLoadError",
            "TokenRetrievalError",
            "SSOError",
            "PendingAuthorizationExpiredError",
        ),
        _SSO_SESSION,
    ),
    **dict.fromkeys(
        ("LoginError", "LoginRefreshRequired", "LoginInsufficientPermissions", "LoginTokenLoadError"), _LOGIN_SESSION
    ),
    "MetadataRetrievalError": _METADATA,
    "EOFError": _MFA,
    "RefreshWithMFAUnsupportedError": _MFA,
    "RuntimeError": _EXPIRED,
    "PartialCredentialsError": _PARTIAL,
}
#: The exceptions of parsing the output of a program.
_UNREADABLE = (
    *("JSONDecodeError", "ValueError", "KeyError", "TypeError", "AttributeError", "UnicodeDecodeError"),
    "ParserError",  # dateutil, which reads the key Expiration
)
#: The names in botocore of the providers that read instance or container metadata.
_METADATA_PROVIDERS = ("iam-role", "container-role", "Ec2InstanceMetadata", "EcsContainer")


@dataclass(frozen=True)
class Source:
    """The source of the keys in the configuration of boto3.

    :param profiles: the settings of every profile, by its name
    :param profile: the selected profile; None for the environment variables, then the profile `default`
    """

    profiles: _Profiles
    profile: str | None

    @property
    def chain(self) -> list[str]:
        """The selected profile, followed by its source profiles."""
        chain: list[str] = []
        at: object = self.profile or "default"
        while isinstance(at, str) and at not in chain and at in self.profiles:
            chain.append(at)
            at = self.profiles[at].get("source_profile")
        return chain

    def with_setting(self, *settings: str) -> str | None:
        """The first profile of the chain that has one of the settings, otherwise the selected profile."""
        return next((name for name in self.chain if {*settings} & {*self.profiles[name]}), self.profile)

    def problems(self) -> t.Iterator[str]:
        """Problems with the `credential_process` in the configuration."""
        for name in self.chain:
            if self.profiles[name].get("role_arn") and self.profiles[name].get("mfa_serial"):
                yield _filled(_MFA[0], name)

    def failure(self, error: str, provider: str = "", fact: str = "") -> str | None:
        """The message for an exception while keys are read; None if the exception is not in the table.

        :param error: the class name of the exception
        :param provider: the name in botocore of the provider that failed, from a CredentialRetrievalError
        :param fact: the path, from an OSError; otherwise the detail from botocore, which the message never contains
        """
        runs = bool(self._command)
        found = _FAILURES.get(error)
        if error in _UNREADABLE and runs:
            found = _PROCESS_OUTPUT
        elif error == "UnicodeDecodeError" or (error == "ParamValidationError" and "WebIdentityToken" in fact):
            found = _TOKEN
        elif error in ("FileNotFoundError", "PermissionError", "IsADirectoryError", "NotADirectoryError", "OSError"):
            found = _PROCESS_START if runs and fact in self._command else _TOKEN_FILE
        elif error == "CredentialRetrievalError" and provider in _METADATA_PROVIDERS:
            found = _METADATA
        elif error == "CredentialRetrievalError" and runs:
            is_output = fact.startswith(("Unsupported version", "Missing required key", "Credential refresh failed"))
            found = _PROCESS_OUTPUT if is_output else _PROCESS_STATUS
        return _filled(found[0], self.with_setting(*found[1]), fact) if found else None

    @property
    def _command(self) -> str:
        """The credential_process of the chain; empty if no profile has one."""
        return next(
            (str(self.profiles[name][_PROCESS[0]]) for name in self.chain if _PROCESS[0] in self.profiles[name]), ""
        )

    def web_identity_failure(self, code: str) -> str | None:
        """The message for a web identity token that STS rejects; None for any other error.

        Source: STS API Reference, AssumeRoleWithWebIdentity.
        """
        if code not in ("ExpiredTokenException", "ExpiredToken", "InvalidIdentityToken", "IDPRejectedClaim"):
            return None
        profile = self.with_setting(*_WEB_IDENTITY)
        where = f"of profile {profile}" if profile else "of the environment"
        return (
            f"STS rejects the web identity token {where}: it has expired, or the role does not trust its provider."
            " Write a new token to web_identity_token_file, and run again."
        )

    @property
    def named(self) -> str:
        """The source as a noun phrase for a message."""
        profile = self.with_setting(*_ELSEWHERE)
        return f"profile {profile}" if profile else "the environment"


def _filled(text: str, profile: str | None, fact: str = "") -> str:
    named, option = (f"Profile {profile}", f" --profile {profile}") if profile else ("The environment", "")
    sentence = text.replace("{option}", option).replace("{fact}", fact)
    return sentence.replace("{profile}", named if sentence.startswith("{profile}") else named[0].lower() + named[1:])
