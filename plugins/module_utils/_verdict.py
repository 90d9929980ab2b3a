# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The verdict of a proof: expected access against observed access. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._listed import listed
from ansible_collections.crossaccount.ecr.plugins.module_utils._observation import (
    ALLOWED,
    DENIED,
    ERROR,
    EXPIRED,
    NOT_FOUND,
    Observation,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import as_list

#: The requests for each repository. The token of the registry is the same for all of them.
PROBES = ("describe", "manifest", "layer")
TOKEN = "token"
#: Without one of them, nothing can be pulled.
_PULL = (TOKEN, "manifest", "layer")
Tags = t.Optional[dict[str, str]]


Observations = dict[str, Observation]


@dataclass(frozen=True)
class Expectations:
    """What a role should be able to read.

    :param access: what reading means: `read` includes describing, `pull` does not
    :param repository_tags: the tags that grant access, as far as they are known
    :param accepted_denials: the kinds of denial that prove nothing about the share, and are accepted all the same
    :param existing: the repositories that exist, as the owner account states
    """

    readable: tuple[str, ...]
    denied: tuple[str, ...]
    access: str = "read"
    repository_tags: Json = field(default_factory=dict)
    accepted_denials: tuple[str, ...] = ()
    existing: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys([*self.readable, *self.denied]))

    @property
    def unknown_existence(self) -> list[str]:
        """The repositories of which nobody states that they exist, although a denial is expected."""
        return [name for name in self.denied if name not in self.existing]


@dataclass(frozen=True)
class Verdict:
    """One repository: what was expected, the outcome of each request, and what to do if they differ."""

    name: str
    expected: str
    describe: str
    manifest: str
    layer: str
    token: str
    pull: str
    verdict: str
    denial: str
    denial_kind: str
    denials: dict[str, str]
    denial_kinds: dict[str, str]
    advice: str


def judge(
    expectations: Expectations,
    observed: t.Mapping[str, Observations],
    token: Observation,
    tags: t.Mapping[str, Tags],
) -> list[Verdict]:
    """The verdict on each repository.

    :param observed: the observation of each of `PROBES`, by repository
    :param tags: the tags of the repositories that are readable but should be denied; None if they could not be read
    """
    verdicts = []
    for name in expectations.readable:
        seen = {TOKEN: token, **observed[name]}
        verdicts.append(_verdict(name, "readable", seen, _advice_if_denied(name, seen, expectations.access)))
    for name in expectations.denied:
        seen = {TOKEN: token, **observed[name]}
        advice = _advice_if_readable(name, seen, expectations, tags.get(name))
        verdicts.append(_verdict(name, "denied", seen, advice))
    return verdicts


def _verdict(name: str, expected: str, seen: Observations, advice: str) -> Verdict:
    refused = _refused(seen)
    return Verdict(
        name=name,
        expected=expected,
        describe=seen["describe"].outcome,
        manifest=seen["manifest"].outcome,
        layer=seen["layer"].outcome,
        token=seen[TOKEN].outcome,
        pull=_pull_outcome(seen),
        verdict="fail" if advice else "pass",
        denial=refused[0].sentence if refused else "",
        denial_kind=refused[0].kind if refused else "",
        denials={probe: one.sentence for probe, one in seen.items() if not one.is_allowed},
        denial_kinds={probe: one.kind for probe, one in seen.items() if not one.is_allowed},
        advice=advice,
    )


def _pull_outcome(seen: Observations) -> str:
    """The worst outcome of the requests of a pull."""
    outcomes = [seen[probe].outcome for probe in _PULL]
    return next((outcome for outcome in (ERROR, NOT_FOUND, EXPIRED, DENIED) if outcome in outcomes), ALLOWED)


def _refused(seen: Observations) -> list[Observation]:
    """What was not allowed, the most telling one first."""
    return [seen[probe] for probe in ("manifest", "layer", "describe", TOKEN) if not seen[probe].is_allowed]


def _advice_if_denied(name: str, seen: Observations, access: str) -> str:
    """Why a repository is not readable, and the next step; empty if it is readable."""
    pullable = _pull_outcome(seen) == ALLOWED
    if pullable and (access == "pull" or seen["describe"].is_allowed):
        return ""
    what = "can be pulled but not described" if pullable else "cannot be pulled"
    return f"Repository {name} {what}. {_refused(seen)[0].advice}"


def _advice_if_readable(name: str, seen: Observations, expectations: Expectations, tags: Tags) -> str:
    """Why a repository is not proven to be denied, and the next step; empty if the share denies it."""
    able = ", ".join(probe for probe in PROBES if seen[probe].is_allowed)
    if able:
        why = _why_readable(expectations.repository_tags, tags)
        verb = "are" if ", " in able else "is"
        return f"Repository {name} was expected to be denied, but {able} {verb} allowed. {why}"
    observed = [seen[probe] for probe in ("manifest", "layer", "describe")]
    unclear = [one for one in observed if one.outcome != DENIED]
    if unclear:
        return f"Repository {name} could not be proven to be denied. {unclear[0].advice}"
    by_others = [one for one in observed if not one.by_the_share and one.kind not in expectations.accepted_denials]
    if not by_others:
        return ""
    return (
        f"Repository {name} is denied, but this does not prove that the share denies it. {by_others[0].advice} To"
        f" accept denials of this kind, set {option('accepted_denials')}: [{by_others[0].kind}]."
    )


def _why_readable(granting: Json, tags: Tags) -> str:
    if tags is None:
        return "Its tags cannot be read with this role; ask the owner account for them, and for the role's policies."
    if granting and all(str(tags.get(key)) in map(str, as_list(value)) for key, value in granting.items()):
        carried = ", ".join(f"{key}={tags[key]}" for key in granting)
        return f"It carries {carried}, which the role's policy grants: the owner account has to remove that tag."
    carried = ", ".join(f"{key}={value}" for key, value in sorted(tags.items())) or "no tag"
    if granting:
        return (
            f"It carries {carried}, which is not what grants access: another policy of the role, or one of the"
            " repository, allows reading it."
        )
    return f"It carries {carried}: the owner account has to compare that with the role's policies."


def existence_warnings(expectations: Expectations) -> t.Iterator[str]:
    """What a proof of denials leaves open: whether these repositories exist at all."""
    names = expectations.unknown_existence
    if names:
        yield (
            f"A denial of {listed(names)} does not show that the name is right: ECR denies a repository that does not"
            " exist in the same way, and the two cannot be told apart. The hand-off of the owner account names"
            " repositories that exist."
        )


def table(verdicts: t.Sequence[Verdict]) -> list[str]:
    """The verdicts as the lines of a table, one for each repository."""
    rows = [("REPOSITORY", "EXPECTED", "DESCRIBE", "MANIFEST", "LAYER", "TOKEN", "VERDICT")]
    rows += [
        (one.name, one.expected, one.describe, one.manifest, one.layer, one.token, one.verdict) for one in verdicts
    ]
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
