# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Finds shares that contradict each other, so that a run of one would undo the other. Standard library only."""

from __future__ import annotations

import itertools
import os.path
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff import handoff_names
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import registry_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import Account, Share, Tag

#: The declared repositories of each share, by its index in the declaration and by region.
Selected = t.Mapping[tuple[int, str], t.Collection[str]]


def contradictions(shares: t.Sequence[Share], selected: Selected) -> t.Iterator[str]:
    """Problems between individually valid shares. Each message names both shares and the next step."""
    for (number, share), (other_number, other) in itertools.combinations(enumerate(shares), 2):
        yield from _same_names(share, other, number + 1, other_number + 1)
        yield from _same_handoff(share, other)
        for region in sorted({*share.regions} & {*other.regions}):
            names, other_names = selected[number, region], selected[other_number, region]
            if share.is_present and other.is_present:
                yield from _same_key(share, other, sorted({*names} & {*other_names}), region)
            yield from _exclusive(share, other, sorted({*other_names} - {*names}), region)
            yield from _exclusive(other, share, sorted({*names} - {*other_names}), region)


def _same_names(share: Share, other: Share, number: int, other_number: int) -> t.Iterator[str]:
    if not (share.is_named and other.is_named):
        return
    # IAM ignores the case of names.
    if share.label == other.label:
        return
    if share.name.lower() == other.name.lower():
        yield _same_name(number, other_number, other.name)
    elif share.has_role and other.has_role and share.policy_name.lower() == other.policy_name.lower():
        yield (
            f"Shares {share.name} and {other.name} have the same policy {other.policy_name}. Give each share its own"
            " policy_name."
        )


def same_name_problems(names: t.Sequence[str | None]) -> t.Iterator[str]:
    """Problems with the declared names of shares that are exactly the same."""
    for number, name in enumerate(names):
        if name is not None and name in names[:number]:
            yield _same_name(names.index(name) + 1, number + 1, name)


def _same_name(number: int, other_number: int, name: str) -> str:
    return (
        f"Shares {number} and {other_number} have the same role_name {name}. Give each share its own"
        " role_name, or declare them as one share."
    )


def _same_handoff(share: Share, other: Share) -> t.Iterator[str]:
    path, other_path = share.handoff.path or "", other.handoff.path or ""
    files, other_files = _files_with_forms(share), _files_with_forms(other)
    same = files and other_files and os.path.realpath(path) == os.path.realpath(other_path)
    if same or files & other_files:
        yield (
            f"Two shares have the hand-off {other_path}. Give each share its own handoff_path."
            f" The shares are {share.name} and {other.name}."
        )


def image_problems_of_shares(shares: t.Sequence[Share], account: Account) -> t.Iterator[str]:
    """Problems with images of hand-offs whose registry is not of the owner account."""
    for share in shares:
        places = [account.registries.get(region) for region in share.regions]
        if share.is_present:
            hosts = [place.host for place in places if place]
            yield from registry_problems(share.handoff.images, account.identity.account, share.regions, hosts)


def handoff_files(share: Share, absolute: t.Callable[[str], str] = os.path.abspath) -> list[str]:
    """The hand-off files of a share without extensions; empty if it has no hand-off."""
    path = share.handoff.path
    if not path or not share.is_present:
        return []
    parties = [consumer.in_partition(None).party for consumer in share.role.consumers if not consumer.service]
    return handoff_names(absolute(os.path.expanduser(path)), parties, share.regions)


def _files_with_forms(share: Share) -> set[str]:
    """The hand-off files of a share and the files of its forms, without extensions."""
    names = handoff_files(share, os.path.realpath)
    return {*names, *(f"{name}.{form}" for name in names for form in share.handoff.forms)}


def _same_key(share: Share, other: Share, names: list[str], region: str) -> t.Iterator[str]:
    values, other_values = dict(share.tag_set), dict(other.tag_set)
    for key in sorted({*values} & {*other_values}):
        if names and values[key] != other_values[key]:
            yield (
                f"Shares {share.name} and {other.name} give tag {key} of repository {names[0]} in {region} two values,"
                f" {values[key]} and {other_values[key]}. Use different keys, or share the repository once."
            )


def _exclusive(share: Share, other: Share, names: list[str], region: str) -> t.Iterator[str]:
    """The problem if `share` removes a tag from repositories that only `other` declares."""
    common = sorted(share.tag_set & other.tag_set)
    if share.is_present and share.exclusive and other.is_present and names and common:
        tag = tag_text(common[0])
        yield (
            f"Share {share.name} is exclusive and would remove {tag} from repository {names[0]} in {region},"
            f" which share {other.name} shares with the same tag. Give the shares different tags, or set"
            " exclusive: false."
        )


def tag_text(tag: Tag) -> str:
    """The text for a tag."""
    return f"{tag[0]}={tag[1]}"
