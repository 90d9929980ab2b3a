# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The hand-off: the YAML file with the values that a consumer account needs to pull. Standard library only."""

from __future__ import annotations

import json
import os.path
import re
import typing as t
from dataclasses import asdict, dataclass, fields

from ansible_collections.crossaccount.ecr.plugins.module_utils._consumer_policy import consumer_policy
from ansible_collections.crossaccount.ecr.plugins.module_utils._consumers import organization_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity, arn_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import (
    account_problems,
    organization_problems,
    unit_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy import repository_tags_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_declaration import partition_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import REPOSITORY_POLICY
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_plan import has_every_tag
from ansible_collections.crossaccount.ecr.plugins.module_utils._timestamp import time_of

_SHARED_AT = re.compile(r'(?m)^ecr_pull_shared_at: "([^"]*)"$')


@dataclass(frozen=True)
class Handoff:
    """The hand-off for one consumer and one region. The keys of the file have the order of these fields.

    :param role_arn: None for a share without a role
    :param consumer_account: None if the consumer is an organization
    :param consumer_units: the paths of its organizational units; None for the whole organization
    :param mode: of a share without a role; None for a share with one, as `registry_account` and `consumer_policy`
    :param consumer_policy: the IAM policy that the consumer's own principal needs
    :param sid: the Sid of the statement of a share without a role; it is not in the file
    :param unshared: the repositories without the tags that grant access; they are only in the comment of the file
    """

    role_arn: str | None
    consumer_account: str | None
    consumer_organization: str | None
    consumer_units: list[str] | None
    external_id: str | None
    shared_at: str | None
    expires: str | None
    region: str
    registry: str
    repository_tags: Json
    access: str
    repositories: list[str]
    denied: list[str]
    images: list[str]
    mode: str | None = None
    registry_account: str | None = None
    consumer_policy: Json | None = None
    sid: str | None = None
    unshared: tuple[str, ...] = ()

    @property
    def owner(self) -> str:
        return arn_of(self.role_arn).account if self.role_arn is not None else str(self.registry_account)

    @property
    def consumer(self) -> str:
        """The consumer in a sentence."""
        if self.consumer_account is not None:
            return f"account {self.consumer_account}"
        return organization_text(self.consumer_organization, self.consumer_units)

    @property
    def role_name(self) -> str:
        return (self.role_arn or "").rpartition("/")[2]

    @property
    def shared(self) -> list[str]:
        """The repositories that the consumer can pull from."""
        unshared = {*self.unshared}
        return [name for name in self.repositories if name not in unshared]

    @property
    def start(self) -> str:
        """When the access to further repositories begins, as a sentence; empty if all repositories are shared."""
        if self.repositories and not self.unshared:
            return ""
        shares_again = f", and account {self.owner} has run share.yml again" if self.mode == REPOSITORY_POLICY else ""
        return f"Access begins as soon as a repository has the tags that grant access{shares_again}."

    def values(self) -> Json:
        """The keys and values of the file."""
        values = {**asdict(self), "sid": None, "unshared": None}
        return {f"ecr_pull_{name}": value for name, value in values.items() if value is not None}


def handoff_names(path: str, parties: t.Sequence[str], regions: t.Sequence[str]) -> list[str]:
    """The paths of a share's hand-off files without extensions, one for each consumer and region.

    The name contains the consumer if the share has several consumers, and the region if it has several regions.

    :param parties: the account or organization of each consumer, in the order of their declaration
    """
    stem = os.path.splitext(path)[0]
    of_consumer = [f"-{number}-{party}" if parties[1:] else "" for number, party in enumerate(parties, 1)]
    of_region = [f"-{region}" if regions[1:] else "" for region in regions]
    return [f"{stem}{consumer}{region}" for consumer in of_consumer for region in of_region]


@dataclass(frozen=True)
class HandoffOptions:
    """The options of the module `ecr_handoff`.

    :param role: the result of `iam_ecr_pull_role`; `mode`, `account` and `consumers` of a share without a role
    :param tagged: the results of `ecr_repository_tag`, one for each region
    """

    path: str | None
    role: Json
    tagged: list[Json]
    repository_tags: Json
    repositories: list[str]
    access: str
    denied: list[str]
    images: list[str]
    share_changed: bool
    artifact: str | None
    forms: list[str]

    @classmethod
    def of(cls, params: Json) -> HandoffOptions:
        return cls(**{field.name: params[field.name] for field in fields(cls)})

    @property
    def names(self) -> list[str]:
        """The paths of the files without extensions, in the order of `handoffs`. Without `path`, no file is written."""
        parties = [consumer["account"] or consumer.get("organization_id") for consumer in self.role["consumers"]]
        path = os.path.abspath(os.path.expanduser(self.path or ""))
        return handoff_names(path, parties, [place["region"] for place in self.tagged])


def handoffs(options: HandoffOptions, shared_at: str | None = None) -> list[Handoff]:
    """The hand-offs of a share."""
    return [
        Handoff(
            role_arn=options.role.get("role_arn") or None,
            consumer_account=consumer["account"],
            consumer_organization=None if consumer["account"] else consumer.get("organization_id"),
            consumer_units=None if consumer["account"] else consumer.get("organization_units") or None,
            external_id=consumer.get("external_id"),
            shared_at=shared_at,
            expires=options.role.get("expires"),
            region=place["region"],
            registry=place["registry"],
            repository_tags=options.repository_tags,
            access=options.access,
            repositories=_names(place),
            denied=options.denied,
            images=options.images,
            unshared=_unshared(options, place),
            **_without_role(options, place),
        )
        for consumer in options.role["consumers"]
        for place in options.tagged
    ]


def _names(place: Json) -> list[str]:
    return [repository["name"] for repository in place["repositories"]]


def _unshared(options: HandoffOptions, place: Json) -> tuple[str, ...]:
    """The repositories without the tags that grant access. If the tags are unknown, they are expected to be there."""
    wanted = repository_tags_of(options.repository_tags)
    known = (one for one in place["repositories"] if one.get("tags") is not None)
    return tuple(one["name"] for one in known if not has_every_tag(one["tags"], wanted))


def _without_role(options: HandoffOptions, place: Json) -> Json:
    """The values that only the hand-off of a share without a role has."""
    if options.role.get("role_arn"):
        return {}
    account = options.role["account"]
    policy = policy_of_consumer(account, place["region"], _names(place), options.access)
    mode, sid = options.role["mode"], str(options.role.get("sid") or "") or None
    return {"mode": mode, "registry_account": account, "consumer_policy": policy, "sid": sid}


def policy_of_consumer(account: str, region: str, names: t.Iterable[str], access: str) -> Json:
    """The IAM policy that a principal of the consumer needs to pull with its own identity.

    :param account: the owner account
    :param names: the shared repositories in the region
    """
    owner = Identity(partition_of(region), account)
    return consumer_policy([owner.repository(region, name) for name in names], access)


def shared_at_in(text: str) -> str | None:
    """The time of the last change of the share in the text of a hand-off file; None if the text has no valid time."""
    found = _SHARED_AT.search(text)
    return found[1] if found and time_of(found[1]) is not None else None


def consumer_value_problems(handoff: Handoff) -> t.Iterator[str]:
    """Problems with the account or the organization of the consumer."""
    if handoff.consumer_account is not None:
        yield from account_problems(handoff.consumer_account)
        return
    yield from organization_problems(handoff.consumer_organization or "")
    for unit in handoff.consumer_units or ():
        yield from unit_problems(unit, handoff.consumer_organization)


def handoff_yaml(handoff: Handoff) -> str:
    """The text of the YAML file, which the role ecr_pull reads as data."""
    for problem in (*account_problems(handoff.owner), *consumer_value_problems(handoff)):
        raise EcrError(f"No hand-off is written: {problem}")
    head = f"""\
---
# The hand-off of account {handoff.owner} for {handoff.consumer}. Use the file without changes:
#   ansible-playbook crossaccount.ecr.pull -e ecr_pull_handoff=THIS_FILE
"""
    head += "".join(f"# {line}\n" for line in no_access_lines(handoff))
    return head + "".join(f"{name}: {yaml_value(value)}\n" for name, value in handoff.values().items())


def no_access_lines(handoff: Handoff) -> list[str]:
    """Lines for the comment of a file, about repositories that the consumer cannot pull from yet."""
    if not handoff.start:
        return []
    missing = f"No access yet to {yaml_value(list(handoff.unshared))}: the tags that grant access are missing there."
    return [missing if handoff.unshared else "The share has no repository yet.", handoff.start]


def yaml_value(value: object) -> str:
    """A value in the flow style of YAML, on one line. Every string is quoted.

    JSON escapes a character beyond U+FFFF as two surrogates, which YAML does not combine. So printable characters are
    not escaped, and other characters have YAML escapes.
    """

    def escaped(match: re.Match[str]) -> str:
        character = match[0]
        return character if character.isprintable() else f"\\U{ord(character):08x}"

    return re.sub(r"[^\x20-\x7e]", escaped, json.dumps(value, ensure_ascii=False))
