# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Merges a declared rule into the replication configuration of a registry. Standard library only.

AWS replaces the whole configuration with each write. So a merge keeps every rule that it does not replace, as AWS
returned it, in the same order. It replaces

- the rule with the same prefixes and destinations;
- rules whose images the declared rule replicates in the same way, so that nothing ends;
- with `adopt`, all other rules that replicate a repository of the same name to the same destination. Without it, they
  are a problem: nothing shows whether the declared rule is a new version of such a rule.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import Destination
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_conflict import Elements
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_declaration import (
    MOST_DESTINATIONS,
    MOST_RULES,
    RuleDeclaration,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_rule import Rule, places_text, rule_of

#: The rules of a registry, as AWS returns them.
Rules = list[Json]


@dataclass(frozen=True)
class MergedRules:
    """The result of a merge.

    :param rules: the rules after the merge; the same as before if nothing changes
    :param rule: the declared rule. It keeps the current setting of deletions if the declaration has none
    :param problems: the reasons for which the merge must not be written
    :param warnings: facts about other rules
    """

    rules: Rules
    rule: Rule
    problems: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def merge_rule(rules: Rules, declared: RuleDeclaration) -> MergedRules:
    """Add, change or remove the declared rule."""
    parsed = [rule_of(rule) for rule in rules]
    known = {number: rule for number, rule in enumerate(parsed) if rule}
    wanted = declared.rule(bool(declared.deletes))
    same = [number for number, rule in known.items() if rule.is_same(wanted)]
    if declared.deletes is None:
        wanted = declared.rule(any(known[number].deletes for number in same))
    others = {n: rule for n, rule in known.items() if n not in same and rule.shared_with(wanted)}
    contained = [n for n, rule in others.items() if declared.is_present and rule.is_part_of(wanted)]
    foreign = [number for number in others if number not in contained]
    replaced = sorted([*same, *contained, *(foreign if declared.adopt else ())])
    problems = () if declared.adopt else tuple(_overlap(n, others[n], wanted, declared) for n in foreign)
    warnings = (
        *(_unknown(number) for number, rule in enumerate(parsed) if rule is None),
        *(_contained(number, others[number], wanted) for number in contained),
    )
    if declared.is_present and [known[number] for number in replaced] == [wanted]:
        return MergedRules(rules, wanted, problems, warnings)
    added = [wanted.request()] if declared.is_present else []
    position = replaced[0] if replaced else len(rules)
    kept = [rule for number, rule in enumerate(rules) if number not in replaced]
    merged = [*kept[:position], *added, *kept[position:]]
    limits = _limit_problems(merged) if declared.is_present else ()
    return MergedRules(merged, wanted, (*problems, *limits), warnings)


def _overlap(number: int, other: Rule, wanted: Rule, declared: RuleDeclaration) -> str:
    places = places_text(other.shared_with(wanted))
    deletes = "with" if other.deletes else "without"
    fact = f"Rule {number + 1} of the registry, {other}, {deletes} deletions,"
    if not declared.is_present:
        return (
            f"{fact} still replicates repositories of the declared rule to {places}. Declare that rule with"
            f" {option('state')} absent, or set {option('adopt')} to true to remove it entirely."
        )
    return (
        f"{fact} overlaps with the declared rule, {wanted}. If the declared rule is a new version of it, set"
        f" {option('adopt')} to true, which removes the other rule entirely. Otherwise, declare prefixes or"
        " destinations that do not overlap."
    )


def _unknown(number: int) -> str:
    return (
        f"Rule {number + 1} of the registry has settings that this collection does not support. It is kept as it is,"
        " and it may replicate the same repositories."
    )


def _contained(number: int, other: Rule, wanted: Rule) -> str:
    return (
        f"Rule {number + 1} of the registry, {other}, is a part of the declared rule, {wanted}, which replaces it. If"
        " another program manages that rule, declare prefixes or destinations that do not overlap."
    )


def _limit_problems(merged: Rules) -> t.Iterator[str]:
    if len(merged) > MOST_RULES:
        yield (
            f"The registry would have {len(merged)} replication rules; ECR accepts up to {MOST_RULES}. Remove a rule,"
            " or add the prefixes to another rule with the same destinations."
        )
    places = {place for rule in merged for place in destinations_of(rule)}
    if len(places) > MOST_DESTINATIONS:
        yield (
            f"The replication rules of the registry would have {len(places)} destinations; ECR accepts up to"
            f" {MOST_DESTINATIONS}. Remove a destination."
        )


def unmatched(declared: RuleDeclaration, repositories: t.Sequence[str]) -> t.Iterator[str]:
    """Warnings about prefixes that match no repository."""
    for prefix in declared.selection.prefixes if declared.is_present else ():
        if not any(name.startswith(prefix) for name in repositories):
            yield (
                f"{option('prefixes')}: no repository of the registry begins with {prefix}. The rule replicates nothing"
                " for this prefix until such a repository exists."
            )


def destinations_of(rule: Json) -> list[Destination]:
    """The destinations of a rule as AWS returns it."""
    return [Destination(one["registryId"], one["region"]) for one in rule["destinations"]]


def rules_of(configuration: object, name: str) -> Rules:
    """The rules of a replication configuration.

    :raises EcrError: if the configuration has another form, so that a merge could lose a part of it
    """
    rules = configuration.get("rules", []) if isinstance(configuration, dict) else None
    is_known = isinstance(rules, list) and set(t.cast(Json, configuration)) <= {"rules"} and all(map(_has_form, rules))
    if not is_known:
        raise EcrError(
            f"{name} has a form that this collection does not support. Nothing was written. Update the collection."
        )
    return t.cast(Rules, rules)


def _has_form(rule: object) -> bool:
    if not isinstance(rule, dict) or not isinstance(rule.get("destinations"), list):
        return False
    places, filters = rule["destinations"], rule.get("repositoryFilters") or []
    return (
        all(isinstance(one, dict) and {"registryId", "region"} <= one.keys() for one in places)
        and isinstance(filters, list)
        and all(isinstance(one, dict) and "filter" in one for one in filters)
    )


def rule_elements(rules: Rules) -> Elements:
    """The rules, each with a text. Rules with the same meaning are equal."""
    return {_meaning(rule): f"the rule {rule_of(rule) or json.dumps(rule, sort_keys=True)}" for rule in rules}


def _meaning(rule: Json) -> t.Hashable:
    return rule_of(rule) or json.dumps(rule, sort_keys=True)
