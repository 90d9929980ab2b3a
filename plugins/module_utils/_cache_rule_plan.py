# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The pull through cache rules of a registry, and the change that a declared rule needs. Standard library only.

The prefix identifies a rule. AWS can change only the role of a rule for an ECR registry. Rules have no tags. So a rule
with the declared prefix may belong to another program. If it has another upstream, it is neither changed nor deleted.
If it has only another role, it is changed or deleted with `adopt`.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_declaration import ROOT
from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_rule_declaration import RuleDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_declaration import without_slash

#: The maximum number of rules of a registry. Source: AWS General Reference, "Amazon ECR endpoints and quotas".
MOST_RULES = 50


@dataclass(frozen=True)
class CacheRule:
    """A rule.

    :param prefix: with a slash at its end if it was created so, because it identifies the rule
    :param upstream: the host of the upstream registry
    :param role_arn: the role that ECR assumes; empty without one
    """

    prefix: str
    upstream: str
    upstream_prefix: str = ROOT
    role_arn: str = ""

    @classmethod
    def of(cls, reply: Json) -> CacheRule:
        """The rule in a response of ECR."""
        return cls(
            reply["ecrRepositoryPrefix"],
            without_slash(reply["upstreamRegistryUrl"].removeprefix("https://")),
            without_slash(reply.get("upstreamRepositoryPrefix") or ROOT),
            reply.get("customRoleArn") or "",
        )

    def request(self) -> Json:
        """The parameters of the request that creates the rule."""
        return {
            "ecrRepositoryPrefix": self.prefix,
            "upstreamRegistryUrl": self.upstream,
            "upstreamRegistry": "ecr",
            "upstreamRepositoryPrefix": self.upstream_prefix,
            **({"customRoleArn": self.role_arn} if self.role_arn else {}),
        }

    def result(self) -> Json:
        """The rule, with the names of the options."""
        return {
            "prefix": self.prefix,
            "upstream_registry": self.upstream,
            "upstream_prefix": self.upstream_prefix,
            "custom_role_arn": self.role_arn,
        }

    def has_same_upstream(self, other: CacheRule) -> bool:
        """Whether two rules cache the same repositories of the same registry."""
        return (self.upstream, self.upstream_prefix) == (other.upstream, other.upstream_prefix)

    def overlaps(self, other: CacheRule) -> bool:
        """Whether one of two prefixes contains the other. `ROOT` matches only the names that no other rule matches."""
        one, two = (f"{without_slash(rule.prefix)}/" for rule in (self, other))
        return ROOT not in (self.prefix, other.prefix) and (one.startswith(two) or two.startswith(one))

    def __str__(self) -> str:
        part = "" if self.upstream_prefix == ROOT else f"/{self.upstream_prefix}"
        return f"Pull through cache rule {self.prefix}, which caches {self.upstream}{part},"


@dataclass(frozen=True)
class RulePlan:
    """The rule before and after a run; None without a rule.

    :param problems: the reasons for which nothing must be written
    :param warnings: facts about other rules
    """

    before: CacheRule | None
    after: CacheRule | None
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def is_change(self) -> bool:
        return self.before != self.after

    @property
    def diff(self) -> Json:
        """The change in the format of Ansible's diff."""
        return {
            "before": self.before.result() if self.before else {},
            "after": self.after.result() if self.after else {},
        }


def plan_cache_rule(rules: t.Sequence[CacheRule], declared: RuleDeclaration, account: str, region: str) -> RulePlan:
    """The plan for the declared rule.

    :param rules: all rules of the registry
    :param account: the account of the registry
    """
    cache = declared.cache
    before = next((rule for rule in rules if without_slash(rule.prefix) == cache.prefix), None)
    role_arn = declared.role_arn or (before.role_arn if before else "")
    prefix = before.prefix if before else cache.prefix
    wanted = CacheRule(prefix, cache.host(region), cache.upstream_prefix, role_arn)
    if before and not before.has_same_upstream(wanted):
        return RulePlan(before, before, (_other_upstream(before, declared),))
    problems = []
    if before and before.role_arn != role_arn and not declared.adopt:
        problems.append(_other_role(before, wanted))
    if not declared.is_present:
        return RulePlan(before, None, tuple(problems))
    if not role_arn and cache.upstream_account != account:
        problems.append(
            f"{option('custom_role_arn')} is missing. ECR needs a role of account {account} to read the registry of"
            f" account {cache.upstream_account}. iam_ecr_cache_role creates it."
        )
    overlaps = [_overlap(rule, wanted) for rule in rules if rule is not before and rule.overlaps(wanted)]
    if before:
        return RulePlan(before, wanted, tuple(problems), tuple(overlaps))
    if len(rules) >= MOST_RULES:
        problems.append(
            f"The registry has {len(rules)} pull through cache rules, the maximum of ECR. Delete one of them first."
        )
    return RulePlan(before, wanted, (*overlaps, *problems))


def _other_upstream(before: CacheRule, declared: RuleDeclaration) -> str:
    if not declared.is_present:
        return (
            f"{before} is not the declared one. Nothing was deleted. Correct {option('upstream_account')},"
            f" {option('upstream_region')} or {option('upstream_prefix')}."
        )
    return (
        f"{before} exists, and AWS cannot change its upstream. Declare another {option('prefix')}, or delete that rule"
        " and run again. The cached images stay."
    )


def _other_role(before: CacheRule, wanted: CacheRule) -> str:
    return (
        f"{before} has {before.role_arn or 'no role'} as its {option('custom_role_arn')}, not {wanted.role_arn}. If no"
        f" other program manages the rule, set {option('adopt')} to true. Otherwise, declare another"
        f" {option('prefix')}."
    )


def _overlap(other: CacheRule, wanted: CacheRule) -> str:
    return (
        f"{other} overlaps with the declared prefix {wanted.prefix}. Declare another {option('prefix')}, which neither"
        f" contains {without_slash(other.prefix)}/ nor is a part of it, or delete that rule."
    )


def rule_differences(expected: CacheRule | None, actual: CacheRule | None) -> list[str]:
    """The settings that differ from the written ones, as texts. None is a missing rule."""
    if expected is None or actual is None:
        return [] if expected is actual else ["the pull through cache rule"]
    before, after = actual.result(), expected.result()
    return [f"{name} of pull through cache rule {expected.prefix}" for name in after if after[name] != before[name]]
