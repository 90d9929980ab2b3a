# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The options of AssumeRole for the pull role, and their validation. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._denial import OWN, ROLE
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity, arn_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import account_problems, assume_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option

#: The options of every module in addition to those of amazon.aws.
ASSUME_ROLE_ARGUMENTS: Json = {
    "assume_role_arn": {"type": "str"},
    "assume_role_external_id": {"type": "str"},
}
#: The options of the modules that assume the pull role; each module has its own `role_arn` and `duration_seconds`.
SESSION_ARGUMENTS: Json = {
    "external_id": {"type": "str"},
    "role_session_name": {"type": "str"},
    "consumer_account": {"type": "str"},
    "registry_account": {"type": "str"},
}


@dataclass(frozen=True)
class SessionOptions:
    """The parameters of AssumeRole, and the consumer account of the share.

    :param role_arn: None for a share without a role, in which the caller sends all requests
    :param registry_account: the owner account of a share without a role
    :param session_name: None for the name of the role
    :param duration: seconds; None for the default of AWS, which is 3,600 (STS API Reference, AssumeRole)
    """

    role_arn: str | None
    external_id: str | None = None
    session_name: str | None = None
    duration: int | None = None
    consumer_account: str | None = None
    registry_account: str | None = None

    @classmethod
    def of(cls, params: Json) -> SessionOptions:
        """The options in the parameters of a module."""
        names = ("role_arn", "external_id", "role_session_name", "duration_seconds")
        return cls(*(params[name] for name in (*names, "consumer_account", "registry_account")))

    @property
    def owner_account(self) -> str:
        return account_of_role(self.role_arn) if self.role_arn is not None else str(self.registry_account)

    @property
    def called(self) -> str:
        """The sender of the requests for images, as in `_denial`."""
        return OWN if self.role_arn is None else ROLE

    def owner_arn(self, caller_arn: str) -> str:
        """An ARN of the owner account, which is in the partition of the caller."""
        return self.role_arn or Identity(arn_of(caller_arn).partition, self.owner_account).root

    @property
    def request(self) -> dict[str, str | int]:
        """The parameters of AssumeRole. A session name needs at least two characters; a role name may have one."""
        known: dict[str, str | int | None] = {
            "RoleArn": self.role_arn,
            "RoleSessionName": self.session_name or f"{str(self.role_arn).rpartition('/')[2]:_<2}",
            "ExternalId": self.external_id,
            "DurationSeconds": self.duration,
        }
        return {name: value for name, value in known.items() if value is not None}


def session_problems(options: SessionOptions) -> t.Iterator[str]:
    """Problems with the options. Source: STS API Reference, AssumeRole."""
    if options.role_arn is not None:
        yield from assume_problems(options.role_arn, options.external_id, options.session_name or "unnamed")
    else:
        yield from (f"registry_account: {problem}" for problem in account_problems(options.registry_account))
        used = [name for name in ("external_id", "session_name") if getattr(options, name) is not None]
        if used:
            names = " and ".join(option(name.replace("session", "role_session")) for name in used)
            yield f"{names}: no role is assumed with registry_account. Remove it."
    if options.consumer_account is not None:
        for problem in account_problems(options.consumer_account):
            yield f"consumer_account: {problem}"
    if options.duration is not None and not 900 <= options.duration <= 43200:
        yield (
            f"{option('duration_seconds')} is {options.duration}; AWS accepts 900 to 43,200, up to the maximum session"
            " duration of the role."
        )


def account_of_role(role_arn: str) -> str:
    """The account in the ARN of a role."""
    return arn_of(role_arn).account


def is_session_of(caller_arn: str, role_arn: str | None) -> bool:
    """Whether the caller is a session of this role. The ARN of a session has no path."""
    if role_arn is None:
        return False
    caller, name = arn_of(caller_arn), role_arn.rpartition("/")[2]
    return caller.account == account_of_role(role_arn) and caller.resource.startswith(f"assumed-role/{name}/")


def other_external_ids(options: SessionOptions) -> tuple[str | None, ...]:
    """No external ID, and a wrong one; empty if the share has none."""
    return () if options.external_id is None else (None, f"not-{options.external_id}"[:1224])


def caller_problems(options: SessionOptions, caller_account: str) -> t.Iterator[str]:
    """Reasons why the caller must not assume the role.

    :param caller_account: the account of the credentials, as AWS reports it
    """
    if options.role_arn is None and options.registry_account == caller_account:
        yield (
            f"registry_account {caller_account} is the account of these credentials, so no share is needed. Use the"
            " credentials of the consumer account, or check the hand-off."
        )
    elif options.owner_account == caller_account:
        yield (
            f"Role {options.role_arn} is in account {caller_account}, the account of these credentials. A pull role"
            " belongs to another account: use the credentials of the consumer account, or check the hand-off."
        )
    elif options.consumer_account not in (None, caller_account):
        yield (
            f"This hand-off is for {options.consumer_account}; these credentials are of {caller_account}. Use"
            f" credentials of account {options.consumer_account}, or ask the owner account for a hand-off for"
            f" {caller_account}."
        )
