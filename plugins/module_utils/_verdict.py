# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Compares expected and observed access. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._list_text import list_text
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

#: The requests for each repository. The registry token is requested once.
PROBES = ("describe", "manifest", "layer")
TOKEN = "token"
#: The request for a manifest that is sent to a chosen host name of the registry.
REGISTRY = "registry"
#: The requests that a pull requires.
_PULL = (TOKEN, "manifest", "layer")
Tags = t.Optional[dict[str, str]]


Observations = dict[str, Observation]


@dataclass(frozen=True)
class Expectations:
    """The expected access of a role.

    :param access: `pull`, or `read`, which includes DescribeImages
    :param repository_tags: the tags that grant access; empty if they are unknown
    :param accepted_denials: kinds of denial that are accepted although they prove nothing about the share
    :param existing: the repositories that exist according to the owner account
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
        """The repositories with an expected denial that may not exist."""
        return [name for name in self.denied if name not in self.existing]


@dataclass(frozen=True)
class Verdict:
    """The result for one repository: the expected access, the outcome of each request, and the next step."""

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
    registry: str = ""


def verdicts_of(
    expectations: Expectations,
    observed: t.Mapping[str, Observations],
    token: Observation,
    tags: t.Mapping[str, Tags],
) -> list[Verdict]:
    """The verdict for each repository.

    :param observed: the observation of each of `PROBES`, by repository
    :param tags: the tags of the repositories that are readable but should be denied; None if they could not be read
    """
    verdicts = []
    for name in expectations.readable:
        observations = {TOKEN: token, **observed[name]}
        verdicts.append(
            _verdict(name, "readable", observations, _advice_if_denied(name, observations, expectations.access))
        )
    for name in expectations.denied:
        observations = {TOKEN: token, **observed[name]}
        advice = _advice_if_readable(name, observations, expectations, tags.get(name))
        verdicts.append(_verdict(name, "denied", observations, advice))
    return verdicts


def _verdict(name: str, expected: str, observations: Observations, advice: str) -> Verdict:
    refused = _refused(observations)
    return Verdict(
        name=name,
        expected=expected,
        describe=observations["describe"].outcome,
        manifest=observations["manifest"].outcome,
        layer=observations["layer"].outcome,
        token=observations[TOKEN].outcome,
        pull=_pull_outcome(observations),
        verdict="fail" if advice else "pass",
        denial=refused[0].sentence if refused else "",
        denial_kind=refused[0].kind if refused else "",
        denials={
            probe: observation.sentence for probe, observation in observations.items() if not observation.is_allowed
        },
        denial_kinds={
            probe: observation.kind for probe, observation in observations.items() if not observation.is_allowed
        },
        advice=advice,
        registry=observations[REGISTRY].outcome if REGISTRY in observations else "",
    )


def _pull_outcome(observations: Observations) -> str:
    """The worst outcome of the requests that a pull requires."""
    outcomes = [observations[probe].outcome for probe in (*_PULL, REGISTRY) if probe in observations]
    return next((outcome for outcome in (ERROR, NOT_FOUND, EXPIRED, DENIED) if outcome in outcomes), ALLOWED)


def _refused(observations: Observations) -> list[Observation]:
    """The observations of requests that were not allowed. The most specific one is first."""
    ordered = [probe for probe in ("manifest", "layer", "describe", TOKEN, REGISTRY) if probe in observations]
    return [observations[probe] for probe in ordered if not observations[probe].is_allowed]


def _advice_if_denied(name: str, observations: Observations, access: str) -> str:
    """The reason why a repository is not readable, and the next step; empty if it is readable."""
    pullable = _pull_outcome(observations) == ALLOWED
    if pullable and (access == "pull" or observations["describe"].is_allowed):
        return ""
    state = "can be pulled but not described" if pullable else "cannot be pulled"
    return f"Repository {name} {state}. {_refused(observations)[0].advice}"


def _advice_if_readable(name: str, observations: Observations, expectations: Expectations, tags: Tags) -> str:
    """The reason why the share is not proven to deny a repository, and the next step; empty if it is proven."""
    probes = [probe for probe in (*PROBES, REGISTRY) if probe in observations]
    able = ", ".join(probe for probe in probes if observations[probe].is_allowed)
    if able:
        why = _why_readable(expectations.repository_tags, tags)
        verb = "are" if ", " in able else "is"
        return f"Repository {name} was expected to be denied, but {able} {verb} allowed. {why}"
    observed = [observations[probe] for probe in ("manifest", "layer", "describe", REGISTRY) if probe in observations]
    unclear = [observation for observation in observed if observation.outcome != DENIED]
    if unclear:
        return f"Repository {name} could not be proven to be denied. {unclear[0].advice}"
    by_others = [
        observation
        for observation in observed
        if not observation.by_the_share and observation.kind not in expectations.accepted_denials
    ]
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
        return f"It has {carried}, which grants access through the role: the owner account has to remove that tag."
    carried = ", ".join(f"{key}={value}" for key, value in sorted(tags.items())) or "no tag"
    if granting:
        return (
            f"It has {carried}, which does not explain the access: another policy of the role, or the policy of the"
            " repository, allows reading it."
        )
    return f"It has {carried}: the owner account has to compare that with the role's policies."


def existence_warnings(expectations: Expectations) -> t.Iterator[str]:
    """A warning about denied repositories that may not exist."""
    names = expectations.unknown_existence
    if names:
        text = list_text(names)
        yield (
            f"A denial of {text} does not prove that the repository exists: ECR returns the same denial for the name of"
            " a repository that does not exist. The hand-off of the owner account names only repositories that exist."
        )


def table(verdicts: t.Sequence[Verdict]) -> list[str]:
    """The lines of a table with the verdict for each repository."""
    with_registry = any(verdict.registry for verdict in verdicts)
    column = ("REGISTRY",) if with_registry else ()
    rows: list[tuple[str, ...]] = [
        ("REPOSITORY", "EXPECTED", "DESCRIBE", "MANIFEST", "LAYER", "TOKEN", *column, "VERDICT")
    ]
    rows += [
        (
            verdict.name,
            verdict.expected,
            verdict.describe,
            verdict.manifest,
            verdict.layer,
            verdict.token,
            *((verdict.registry,) if with_registry else ()),
            verdict.verdict,
        )
        for verdict in verdicts
    ]
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
