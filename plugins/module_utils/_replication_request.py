# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The declaration of a replication from one account to another, for both sides. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import Destination
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import (
    Reference,
    parse_reference,
    registry_problems,
    valid_references,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import account_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_policy_declaration import StatementDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_declaration import RuleDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_proof import proof_selection_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_rule import Rule
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_selection import (
    SELECTION_ARGUMENTS,
    Selection,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_templates import (
    TEMPLATES_ARGUMENT,
    repeated_problems,
    replication_template,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_ownership import OwnedTemplate

ANY, POSSIBLE, REPLICATED = "any", "possible", "replicated"
REQUEST_ARGUMENTS: Json = {
    **SELECTION_ARGUMENTS,
    "owner_account": {"type": "raw", "required": True},
    "consumer_account": {"type": "raw", "required": True},
    "regions": {"type": "list", "elements": "str"},
    "side": {"type": "str", "choices": ["both", "owner", "consumer"], "default": "both"},
    "delete_replication": {"type": "bool"},
    "allow_deletions": {"type": "bool", "default": False},
    "images": {"type": "list", "elements": "str", "default": []},
    "adopt": {"type": "bool", "default": False},
    "sid": {"type": "str"},
    "create_repositories": {"type": "bool", "default": True},
    **TEMPLATES_ARGUMENT,
    "backfill": {"type": "bool", "default": False},
    "accepted": {"type": "bool", "default": False},
    "handoff": {"type": "dict", "default": {}},
    "handoff_path": {"type": "str"},
    "expect": {"type": "str", "choices": [ANY, POSSIBLE, REPLICATED], "default": ANY},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "consumer_profile": {"type": "str"},
    "consumer_assume_role_arn": {"type": "str"},
    "consumer_assume_role_external_id": {"type": "str"},
}
_CREDENTIALS = ("access_key", "secret_key", "session_token")


@dataclass(frozen=True)
class ReplicationRequest:
    """A declared replication.

    :param owner: the account of the images
    :param consumer: the account that receives them
    :param regions: the regions that receive them; empty for the region of the images
    :param side: the account that the run changes: `owner`, `consumer` or `both`
    :param deletes: whether deletions are replicated; None to keep the setting
    :param allow_deletions: the consent to that
    :param images: the images that the consumer account pulls as a proof
    :param statement: the statement of the consumer account
    :param adopt: whether rules, statements and templates of others are replaced
    :param backfill: whether existing images are replicated, too
    :param accepted: whether the owner account states that the consumer account has configured its side
    :param handoff: the hand-off of the consumer account; empty without one
    :param handoff_path: the path of the hand-off of this side; empty for no file
    :param expects: the errors of the module: `any` for none, `possible` for a change that cannot be made, `replicated`
        for a missing image
    """

    selection: Selection
    owner: t.Any
    consumer: t.Any
    regions: tuple[str, ...]
    side: str
    deletes: bool | None
    allow_deletions: bool
    images: tuple[str, ...]
    statement: StatementDeclaration
    templates: tuple[OwnedTemplate, ...]
    adopt: bool
    backfill: bool
    accepted: bool
    handoff: Json
    handoff_path: str
    expects: str
    is_present: bool

    @classmethod
    def of(cls, params: Json) -> ReplicationRequest:
        """The declaration in the parameters of the module."""
        return cls(
            Selection.of(params),
            params["owner_account"],
            params["consumer_account"],
            tuple(params["regions"] or ()),
            params["side"],
            params["delete_replication"],
            params["allow_deletions"],
            tuple(params["images"]),
            StatementDeclaration.of(
                {**params, "source_account": params["owner_account"], "cache_account": None, "cache_role": None}
            ),
            tuple(
                replication_template(one, params["owner_account"], params["state"] == "present")
                for one in params["templates"]
            ),
            params["adopt"],
            params["backfill"],
            params["accepted"],
            params["handoff"],
            params["handoff_path"] or "",
            params["expect"],
            params["state"] == "present",
        )

    @property
    def has_owner(self) -> bool:
        """Whether the run has the credentials of the owner account."""
        return self.side != "consumer"

    @property
    def has_consumer(self) -> bool:
        """Whether the run has the credentials of the consumer account."""
        return self.side != "owner"

    @property
    def expects_copies(self) -> bool:
        """Whether a missing image is an error."""
        return self.expects == REPLICATED

    @property
    def needs_consent(self) -> bool:
        """Whether the replication of deletions is declared without consent."""
        return bool(self.is_present and self.deletes and not self.allow_deletions)

    @property
    def needs_repositories(self) -> bool:
        """Whether the destinations must have the repositories before the replication begins."""
        return self.expects == POSSIBLE and self.is_present and not self.statement.creates

    @property
    def references(self) -> tuple[Reference, ...]:
        """The images that the consumer account pulls, without those that are not valid."""
        return valid_references(self.images) if self.is_present else ()

    def rule(self, region: str) -> RuleDeclaration:
        """The rule of the owner account.

        :param region: the region of the images
        """
        return RuleDeclaration(self.selection, self.destinations(region), self.deletes, self.adopt, self.is_present)

    def destinations(self, region: str) -> tuple[Destination, ...]:
        """The registries that receive the images.

        :param region: the region of the images
        """
        return tuple(Destination(self.consumer, one) for one in self.regions or (region,))

    def problems(self) -> t.Iterator[str]:
        """Problems that can be found without a request to AWS."""
        accounts = [*self._account_problems()]
        yield from accounts or dict.fromkeys((*self._rule_problems(), *self.statement.problems()))
        yield from repeated_problems(self.templates)
        yield from self._image_problems()
        for template in self.templates:
            found = template.declaration().problems()
            yield from (f"{option('templates')}, {template.prefix}: {problem}" for problem in found)

    def _image_problems(self) -> t.Iterator[str]:
        for image in self.images:
            try:
                parse_reference(image)
            except EcrError as error:
                yield f"{option('images')}: {error}"
        yield from registry_problems(self.references, str(self.owner))

    def _rule_problems(self) -> t.Iterator[str]:
        # The default is the region of the session, which is known later.
        return self.rule("").problems() if self.regions else self.selection.problems()

    def _account_problems(self) -> t.Iterator[str]:
        for name, account in (("owner_account", self.owner), ("consumer_account", self.consumer)):
            yield from (f"{option(name)}: {problem}" for problem in account_problems(account))
        if self.owner == self.consumer:
            yield (
                f"{option('owner_account')} and {option('consumer_account')} are both {self.owner}. Set the account"
                " that receives the images, or use ecr_replication_rule for other regions of one account."
            )

    def result(self) -> Json:
        """The values that a hand-off may have set."""
        return {
            "owner_account": self.owner,
            "consumer_account": self.consumer,
            "prefixes": list(self.selection.prefixes),
            "all_repositories": self.selection.every,
        }

    def check_credentials(self, owner: str | None, consumer: str | None) -> None:
        """Fail if credentials belong to another account than the declared one.

        :param owner: the account of the credentials for the owner account; None without credentials
        :param consumer: the account of the credentials for the consumer account; None without credentials
        """
        problems = Problems()
        if owner not in (None, self.owner):
            problems.add(
                f"The credentials for the owner account belong to account {owner}, but {option('owner_account')} is"
                f" {self.owner}. Set {option('profile')} to a profile of account {self.owner}."
            )
        if consumer not in (None, self.consumer):
            problems.add(
                f"The credentials for the consumer account belong to account {consumer}, but"
                f" {option('consumer_account')} is {self.consumer}. Set {option('consumer_profile')} to a profile of"
                f" account {self.consumer}, or configure each side on its own with {option('side')}."
            )
        problems.check()

    def problems_in(self, region: str) -> t.Iterator[str]:
        """Problems with the destinations, which depend on the region of the images."""
        yield from self.rule(region).problems_in(Destination(str(self.owner), region))
        yield from proof_selection_problems(self.references, Rule(self.selection.prefixes, ()))


def consumer_parameters(params: Json) -> Json:
    """The parameters of a module with the credentials of the consumer account."""
    profile = params.get("consumer_profile")
    return {
        **params,
        **(dict.fromkeys(_CREDENTIALS) if profile else {}),
        "profile": profile or params.get("profile"),
        "assume_role_arn": params.get("consumer_assume_role_arn"),
        "assume_role_external_id": params.get("consumer_assume_role_external_id"),
    }
