# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The declaration of a statement of a registry policy, which accepts replication from another account or a cache of
another account. Standard library only.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import account_problems, role_name_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_selection import (
    SELECTION_ARGUMENTS,
    Selection,
)

REPLICATE, CREATE = "ecr:ReplicateImage", "ecr:CreateRepository"
PULL = "ecr:BatchGetImage"
#: The actions that a cache needs. Source: ECR User Guide, "Setting up permissions for cross-account ECR to ECR PTC".
CACHE_ACTIONS = (PULL, "ecr:BatchImportUpstreamImage", "ecr:GetDownloadUrlForLayer", "ecr:GetImageCopyStatus")
#: Source of the characters: IAM User Guide, "IAM JSON policy elements: Sid".
_SID = re.compile(r"[A-Za-z0-9]{1,100}")

STATEMENT_ARGUMENTS: Json = {
    "source_account": {"type": "raw"},
    "cache_account": {"type": "raw"},
    "cache_role": {"type": "str"},
    "sid": {"type": "str"},
    **SELECTION_ARGUMENTS,
    "create_repositories": {"type": "bool", "default": True},
    "adopt": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
STATEMENT_RULES: Json = {
    "required_one_of": [("source_account", "cache_account")],
    "mutually_exclusive": [("source_account", "cache_account")],
    "required_together": [("cache_account", "cache_role")],
}


@dataclass(frozen=True)
class StatementDeclaration:
    """A declared statement.

    :param source: the account whose images are accepted, or that caches images of the registry
    :param creates: whether replication may create repositories
    :param adopt: whether the statement replaces one with the same Sid that has another form
    :param cache_role: the role of the cache, with its path; None for replication
    """

    source: object
    sid: str
    selection: Selection
    creates: bool = True
    adopt: bool = False
    is_present: bool = True
    cache_role: str | None = None

    @classmethod
    def of(cls, params: Json) -> StatementDeclaration:
        """The declaration in the parameters of the module."""
        cache, source, sid = params["cache_account"], params["source_account"], params["sid"]
        default = f"CrossaccountEcrReplication{source}" if cache is None else f"CrossaccountEcrCache{cache}"
        return cls(
            source if cache is None else cache,
            default if sid is None else sid,
            Selection.of(params),
            params["create_repositories"],
            params["adopt"],
            params["state"] == "present",
            None if cache is None else (params["cache_role"] or "").removeprefix("/"),
        )

    @property
    def is_cache(self) -> bool:
        """Whether the statement is that of a cache. An empty name of a role is a problem, not a replication."""
        return self.cache_role is not None

    @property
    def subject(self) -> str:
        """The accepted requests, for messages."""
        return f"{'a cache of' if self.is_cache else 'replication from'} account {self.source}"

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions that such a statement may have. The first one decides about an image."""
        return CACHE_ACTIONS if self.is_cache else (REPLICATE, CREATE)

    def problems(self) -> t.Iterator[str]:
        """Problems that can be found without a request to AWS."""
        name, source = "cache_account" if self.is_cache else "source_account", list(account_problems(self.source))
        yield from (f"{option(name)}: {problem}" for problem in source)
        if self.cache_role is not None:
            path, _slash, role = f"/{self.cache_role}".rpartition("/")
            yield from (f"{option('cache_role')}: {problem}" for problem in role_name_problems(role, f"{path}/"))
        if not source and not _SID.fullmatch(self.sid):
            yield f"{option('sid')} {self.sid!r} needs 1 to 100 letters and digits."
        if self.is_present:
            yield from self.selection.problems()

    def problems_in(self, registry: Identity) -> t.Iterator[str]:
        """Problems that depend on the account of the registry."""
        account = registry.account
        if self.source == account and self.is_cache:
            yield (
                f"{option('cache_account')} {account} is the account of the registry. A cache within an account needs"
                f" no registry policy. Use the credentials of the account that has the images, or correct"
                f" {option('cache_account')}."
            )
        elif self.source == account:
            yield (
                f"{option('source_account')} {account} is the account of the registry. Replication within an account"
                " needs no registry policy. Use the credentials of the account that receives the images, or correct"
                f" {option('source_account')}."
            )

    def statement(self, registry: Identity, region: str) -> Document:
        """The statement in the policy of a registry.

        A cache has the account as the principal, because AWS rejects a role that does not exist, and a condition with
        the role. Source: ECR User Guide, "Registry permissions for cross-account replication".
        """
        source = Identity(registry.partition, str(self.source))
        role = {"ArnEquals": {"aws:PrincipalArn": source.role("/", str(self.cache_role))}}
        resources = [registry.repository(region, f"{prefix}*") for prefix in self.selection.prefixes or ("",)]
        return {
            "Sid": self.sid,
            "Effect": "Allow",
            "Principal": {"AWS": source.root},
            "Action": self.written_actions,
            "Resource": resources,
            **({"Condition": role} if self.is_cache else {}),
        }

    @property
    def written_actions(self) -> list[str]:
        """The actions of the statement."""
        return sorted(self.actions) if self.is_cache or self.creates else [REPLICATE]
