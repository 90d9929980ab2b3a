# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The declared account of a module, which its credentials must belong to. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import account_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option

#: The option of the modules that run in the owner account of a share.
OWNER_ACCOUNT_ARGUMENT: Json = {"owner_account": {"type": "raw"}}
#: The option of the modules that use one registry, in any account.
REGISTRY_ACCOUNT_ARGUMENT: Json = {"account": {"type": "raw"}}

Declared = t.TypeVar("Declared", bound="RegistryAccount")


@dataclass(frozen=True)
class RegistryAccount:
    """The declared account of a registry.

    :param declared: the value of the option; None if it is not set
    """

    declared: object = None

    #: The option, and the account in messages.
    name: t.ClassVar[str] = "account"
    noun: t.ClassVar[str] = "account"

    @classmethod
    def of(cls: type[Declared], params: Json) -> Declared:
        return cls(params[cls.name])

    def problems(self) -> t.Iterator[str]:
        """Problems that can be found without a request to AWS."""
        if self.declared is not None:
            yield from (f"{option(self.name)}: {problem}" for problem in account_problems(self.declared))

    def check(self, actual: str) -> None:
        """Fail if the credentials belong to another account.

        :param actual: the account of the credentials
        """
        if self.declared not in (None, actual):
            raise EcrError(
                f"The credentials belong to account {actual}, but the declared {self.noun} is {self.declared}. Use"
                f" credentials of account {self.declared}, or correct {option(self.name)}."
            )


@dataclass(frozen=True)
class UpstreamAccount(RegistryAccount):
    """The declared account of the upstream registry of a cache."""

    name: t.ClassVar[str] = "upstream_account"
    noun: t.ClassVar[str] = "upstream account"


@dataclass(frozen=True)
class OwnerAccount(RegistryAccount):
    """The declared owner account of a share."""

    name: t.ClassVar[str] = "owner_account"
    noun: t.ClassVar[str] = "owner account"
