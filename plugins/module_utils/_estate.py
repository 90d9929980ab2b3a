# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The facts that an audit evaluates: the IAM configuration and the registries of one account. Standard library only."""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass, field

from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity

#: A policy document as AWS returned it: parsed JSON, or the text if it is not JSON.
Document = t.Union[t.Mapping[str, object], str]


@dataclass(frozen=True)
class PolicyDocument:
    """A policy document with its name.

    :param name: such as `managed policy NAME of role ARN`, `repository policy of release in eu-west-1`
    """

    name: str
    document: Document


@dataclass(frozen=True)
class IamPrincipal:
    """A user or a role of the audited account.

    :param policies: its inline and managed policies, and those of the groups of a user
    :param boundary: its permissions boundary
    :param trust: the trust policy of a role; None for a user
    :param last_used: when AWS last recorded a session of the role; None if it never did
    """

    arn: str
    policies: tuple[PolicyDocument, ...]
    boundary: PolicyDocument | None = None
    trust: PolicyDocument | None = None
    tags: t.Mapping[str, str] = field(default_factory=dict)
    created: datetime.datetime | None = None
    last_used: datetime.datetime | None = None

    @property
    def is_role(self) -> bool:
        return self.trust is not None

    @property
    def name(self) -> str:
        """Its name, which the ARN has after the path."""
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True)
class Repository:
    """A repository.

    :param tags: None if the tags could not be read
    :param policy: None if it has none
    :param policy_denied: why the policy could not be read; empty if it was read
    :param archived: the number of archived images; None if it was not read
    """

    name: str
    region: str
    arn: str
    tags: t.Mapping[str, str] | None = None
    policy: PolicyDocument | None = None
    policy_denied: str = ""
    mutable_image_tags: bool = True
    archived: int | None = None


@dataclass(frozen=True)
class ReplicationRule:
    """A rule of the replication configuration.

    :param destinations: pairs of an account and a region
    :param prefixes: the prefixes of the repository names; empty for all repositories
    :param deletes: whether `deleteReplication` is enabled
    """

    destinations: tuple[tuple[str, str], ...]
    prefixes: tuple[str, ...]
    deletes: bool = False


@dataclass(frozen=True)
class CacheRule:
    """A pull through cache rule.

    :param prefix: of the repositories that the rule creates
    :param upstream: the URL of the upstream registry
    :param role: the ARN of the role that ECR assumes; empty if the rule has no role
    """

    prefix: str
    upstream: str
    role: str = ""


@dataclass(frozen=True)
class CreationTemplate:
    """A repository creation template.

    :param applied_for: some of `REPLICATION`, `PULL_THROUGH_CACHE`, `CREATE_ON_PUSH`
    :param policy: the repository policy that new repositories get
    """

    prefix: str
    applied_for: tuple[str, ...]
    tags: t.Mapping[str, str] = field(default_factory=dict)
    policy: PolicyDocument | None = None
    role: str = ""


@dataclass(frozen=True)
class Registry:
    """The registry of the account in one region."""

    region: str
    repositories: tuple[Repository, ...] = ()
    policy: PolicyDocument | None = None
    replication: tuple[ReplicationRule, ...] = ()
    cache_rules: tuple[CacheRule, ...] = ()
    templates: tuple[CreationTemplate, ...] = ()


@dataclass(frozen=True)
class Unseen:
    """Facts that the audit could not read.

    :param path: the access path that is therefore unknown; empty if no path depends on it
    :param region: empty if it concerns all regions
    """

    what: str
    why: str
    path: str = ""
    region: str = ""


@dataclass(frozen=True)
class Estate:
    """One account, as the audit read it.

    :param now: the time of AWS when the audit began, in UTC
    :param organization: the ID of the organization of the account; empty if it is unknown or the account is in none
    :param member_accounts: the accounts of the organization; None if they are unknown
    :param requested_tags: the tags in the evaluated requests to tag a repository, which are the tags that share
    """

    identity: Identity
    now: datetime.datetime
    principals: tuple[IamPrincipal, ...] = ()
    registries: tuple[Registry, ...] = ()
    unseen: tuple[Unseen, ...] = ()
    organization: str = ""
    member_accounts: frozenset[str] | None = None
    requested_tags: t.Mapping[str, str] = field(default_factory=dict)

    @property
    def account(self) -> str:
        return self.identity.account

    @property
    def roles(self) -> tuple[IamPrincipal, ...]:
        return tuple(principal for principal in self.principals if principal.is_role)

    @property
    def repositories(self) -> tuple[Repository, ...]:
        return tuple(repository for registry in self.registries for repository in registry.repositories)
