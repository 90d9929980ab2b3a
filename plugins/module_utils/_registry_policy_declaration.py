# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The declaration of a statement of a registry policy, which accepts replication from another account.
Standard library only.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import account_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_selection import (
    SELECTION_ARGUMENTS,
    Selection,
)

REPLICATE, CREATE = "ecr:ReplicateImage", "ecr:CreateRepository"
#: Source of the characters: IAM User Guide, "IAM JSON policy elements: Sid".
_SID = re.compile(r"[A-Za-z0-9]{1,100}")

STATEMENT_ARGUMENTS: Json = {
    "source_account": {"type": "raw", "required": True},
    "sid": {"type": "str"},
    **SELECTION_ARGUMENTS,
    "create_repositories": {"type": "bool", "default": True},
    "adopt": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


@dataclass(frozen=True)
class StatementDeclaration:
    """A declared statement.

    :param source: the account whose images are accepted
    :param creates: whether replication may create repositories
    :param adopt: whether the statement replaces one with the same Sid that has another form
    """

    source: object
    sid: str
    selection: Selection
    creates: bool = True
    adopt: bool = False
    is_present: bool = True

    @classmethod
    def of(cls, params: Json) -> StatementDeclaration:
        """The declaration in the parameters of the module."""
        return cls(
            params["source_account"],
            params["sid"] or f"CrossaccountEcrReplication{params['source_account']}",
            Selection.of(params),
            params["create_repositories"],
            params["adopt"],
            params["state"] == "present",
        )

    def problems(self) -> t.Iterator[str]:
        """Problems that can be found without a request to AWS."""
        source = list(account_problems(self.source))
        yield from (f"{option('source_account')}: {problem}" for problem in source)
        if not source and not _SID.fullmatch(self.sid):
            yield f"{option('sid')} {self.sid!r} needs 1 to 100 letters and digits."
        if self.is_present:
            yield from self.selection.problems()

    def problems_in(self, account: str) -> t.Iterator[str]:
        """Problems that depend on the account of the registry."""
        if self.source == account:
            yield (
                f"{option('source_account')} {account} is the account of the registry. Replication within an account"
                " needs no registry policy. Use the credentials of the account that receives the images, or correct"
                f" {option('source_account')}."
            )

    def statement(self, registry: Identity, region: str) -> Document:
        """The statement in the policy of a registry.

        Source: ECR User Guide, "Registry permissions for cross-account replication".
        """
        resources = [registry.repository(region, f"{prefix}*") for prefix in self.selection.prefixes or ("",)]
        return {
            "Sid": self.sid,
            "Effect": "Allow",
            "Principal": {"AWS": Identity(registry.partition, str(self.source)).root},
            "Action": [CREATE, REPLICATE] if self.creates else [REPLICATE],
            "Resource": resources,
        }
