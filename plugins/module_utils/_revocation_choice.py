# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Which roles of the declared shares a run revokes: all of them, or those of some consumers. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._consumer_problems import identity_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._consumer_roles import (
    role_name_of,
    role_of_consumer_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._consumers import Consumer, consumer_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import (
    account_of,
    account_problems,
    name_problems,
    organization_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import ROLE
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_declaration import SHARE_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_modes import MODES
from ansible_collections.crossaccount.ecr.plugins.module_utils._suggestion import did_you_mean

#: The options that declare the shares, and the consumers whose sessions are revoked.
CHOICE_ARGUMENTS: Json = {
    "role_name": {"type": "str"},
    "mode": {"type": "str", "choices": list(MODES), "default": ROLE},
    "roles": {"type": "str", "choices": ["shared", "per_consumer"], "default": "shared"},
    "consumers": SHARE_ARGUMENTS["consumers"],
    "shares": {"type": "list", "elements": "dict", "options": SHARE_ARGUMENTS},
    "revoke_consumers": {"type": "list", "elements": "raw"},
}


@dataclass(frozen=True)
class ChosenRole:
    """A role whose sessions are revoked.

    :param consumer: the account or organization of its only consumer; empty for a role that all consumers use
    """

    name: str
    consumer: str = ""


@dataclass(frozen=True)
class _DeclaredShare:
    """The roles of one share, as declared."""

    role_name: str
    is_per_consumer: bool
    consumers: tuple[Consumer, ...]

    @property
    def parties(self) -> list[str]:
        """The account or organization of each consumer."""
        return [consumer.in_partition(None).party for consumer in self.consumers]

    def roles(self, parties: t.Sequence[object] | None) -> t.Iterator[ChosenRole]:
        """The roles of the share.

        :param parties: the consumers whose sessions are revoked; None for all consumers
        """
        if not self.is_per_consumer:
            yield from () if parties is not None else (ChosenRole(self.role_name),)
            return
        for consumer, party in zip(self.consumers, self.parties):
            if parties is None or party in parties:
                yield ChosenRole(role_name_of(self.role_name, consumer), party)

    def problems(self) -> t.Iterator[str]:
        """Problems with the names of the roles."""
        if not self.role_name:
            yield f"The role to revoke is not named. Set {option('role_name')}, or role_name in {option('shares')}."
            return
        yield from name_problems(self.role_name, "unused", "/")
        if not self.is_per_consumer:
            return
        if not self.consumers:
            yield (
                f"Share {self.role_name} has a role for each consumer, but no consumer is declared. Set"
                f" {option('consumers')}."
            )
        for number, consumer in enumerate(self.consumers, 1):
            for problem in identity_problems(consumer.in_partition(None)):
                yield f"Consumer {number}: {problem}"
        yield from role_of_consumer_problems(self.role_name, self.consumers)

    def shared_role_problems(self, party: object) -> t.Iterator[str]:
        """The reason why the sessions of one consumer cannot be revoked alone."""
        if not self.is_per_consumer and (not self.consumers or party in self.parties):
            yield (
                f"The sessions of consumer {party} cannot be revoked alone, because all consumers of share"
                f" {self.role_name} use one role. To revoke the sessions of all consumers, omit"
                f" {option('revoke_consumers')}. To give each consumer its own role, set {option('roles')}:"
                " per_consumer and share again."
            )


@dataclass(frozen=True)
class RevocationOptions:
    """The shares whose sessions are revoked. A share with `state: absent`, or in a policy mode, has no role.

    :param parties: the consumers whose sessions are revoked; None for all consumers
    :param without_role: the present shares in a policy mode
    """

    shares: tuple[_DeclaredShare, ...]
    parties: tuple[object, ...] | None = None
    without_role: tuple[_DeclaredShare, ...] = ()

    @classmethod
    def of(cls, params: Json) -> RevocationOptions:
        """The options in the parameters of the module."""
        listed = [{}] if params["shares"] is None else params["shares"]
        common = {name: params[name] for name in ("role_name", "mode", "roles", "consumers")}
        declared = [
            {**common, **{name: value for name, value in share.items() if value is not None}} for share in listed
        ]
        chosen = params["revoke_consumers"]
        present = [share for share in declared if share.get("state") != "absent"]
        with_role, without_role = ([one for one in present if (one["mode"] == ROLE) == has] for has in (True, False))
        return cls(
            tuple(map(_declared_share, with_role)),
            None if chosen is None else tuple(account_of(party, None) for party in chosen),
            tuple(map(_declared_share, without_role)),
        )

    @property
    def roles(self) -> list[ChosenRole]:
        """The roles whose sessions are revoked, each once."""
        return list({role.name.lower(): role for share in self.shares for role in share.roles(self.parties)}.values())

    def problems(self) -> t.Iterator[str]:
        """Problems with the options."""
        if not self.shares and self.without_role:
            names = ", ".join(share.role_name or "(no name)" for share in self.without_role)
            yield (
                f"No declared share has a role, so there are no sessions to revoke. Without a role: {names}. To end the"
                f" access of a consumer, remove it from {option('consumers')} and run crossaccount.ecr.share."
            )
            return
        if not self.shares:
            yield f"{option('shares')} has no share to revoke. Declare a share with state: present."
            return
        for share in self.shares:
            yield from share.problems()
        if self.parties is not None and not self.parties:
            yield f"{option('revoke_consumers')} is empty. Name an account, or omit it to revoke all sessions."
        for party in self.parties or ():
            yield from self._consumer_problems(party)

    def _consumer_problems(self, party: object) -> t.Iterator[str]:
        is_organization = isinstance(party, str) and party.startswith("o-")
        invalid = list(organization_problems(str(party)) if is_organization else account_problems(party))
        if invalid:
            yield from (f"{option('revoke_consumers')}: {problem}" for problem in invalid)
            return
        declared = list(dict.fromkeys(known for share in self.shares for known in share.parties))
        found = [problem for share in self.shares for problem in share.shared_role_problems(party)]
        yield from found
        if found or party in declared:
            return
        others = [share.role_name for share in self.without_role if party in share.parties]
        if others:
            yield (
                f"Consumer {party} to revoke is declared only in shares without a role: {', '.join(others)}. It has no"
                f" sessions to revoke. To end its access, remove it from {option('consumers')} and run"
                " crossaccount.ecr.share."
            )
        else:
            yield (
                f"Consumer {party} to revoke is not declared.{did_you_mean(str(party), declared)} Declared:"
                f" {', '.join(declared) or 'none'}. Correct {option('revoke_consumers')}."
            )


def _declared_share(share: Json) -> _DeclaredShare:
    consumers = tuple(consumer_of(consumer) for consumer in share["consumers"] or ())
    return _DeclaredShare(str(share["role_name"] or ""), share["roles"] == "per_consumer", consumers)
