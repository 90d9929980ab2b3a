# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Shares that contradict each other, so that a run of one would undo the other. Standard library only."""

from __future__ import annotations

import itertools
import os.path
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff import handoff_names
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import registry_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import account_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import Account, Share, Tag

#: The declared repositories of each share, by its place in the declaration and by region.
Selected = t.Mapping[tuple[int, str], t.Collection[str]]


def contradictions(shares: t.Sequence[Share], selected: Selected) -> t.Iterator[str]:
    """What is wrong with shares that are valid by themselves. Each text names both shares and what to change."""
    for (number, one), (other_number, other) in itertools.combinations(enumerate(shares), 2):
        yield from _same_names(one, other, number + 1, other_number + 1)
        yield from _same_handoff(one, other)
        for region in sorted({*one.regions} & {*other.regions}):
            names, other_names = selected[number, region], selected[other_number, region]
            if one.is_present and other.is_present:
                yield from _same_key(one, other, sorted({*names} & {*other_names}), region)
            yield from _exclusive(one, other, sorted({*other_names} - {*names}), region)
            yield from _exclusive(other, one, sorted({*names} - {*other_names}), region)


def _same_names(one: Share, other: Share, number: int, other_number: int) -> t.Iterator[str]:
    if not (one.is_named and other.is_named):
        return
    # IAM compares names without regard to case.
    if one.name.lower() == other.name.lower():
        yield (
            f"Shares {number} and {other_number} have the same role_name {other.name}. Give each share its own"
            " role_name, or declare them as one share."
        )
    elif one.policy_name.lower() == other.policy_name.lower():
        yield (
            f"Shares {one.name} and {other.name} have the same policy {other.policy_name}. Give each share its own"
            " policy_name."
        )


def _same_handoff(one: Share, other: Share) -> t.Iterator[str]:
    path, other_path = one.handoff.path or "", other.handoff.path or ""
    files, other_files = (set(handoff_files(share, os.path.realpath)) for share in (one, other))
    same = files and other_files and os.path.realpath(path) == os.path.realpath(other_path)
    if same or files & other_files:
        yield (
            f"Two shares have the hand-off {other_path}. Give each share its own handoff_path."
            f" The shares are {one.name} and {other.name}."
        )


def image_problems_of_shares(shares: t.Sequence[Share], account: Account) -> t.Iterator[str]:
    """The images of hand-offs that name another registry than that of the owner account."""
    for share in shares:
        places = [account.registries.get(region) for region in share.regions]
        if share.is_present:
            hosts = [place.host for place in places if place]
            yield from registry_problems(share.handoff.images, account.identity.account, share.regions, hosts)


def handoff_files(share: Share, absolute: t.Callable[[str], str] = os.path.abspath) -> list[str]:
    """The hand-off files of a share, without their extensions; none if it writes no hand-off."""
    path = share.handoff.path
    if not path or not share.is_present:
        return []
    accounts = [account_of(one.account, "aws") for one in share.role.consumers]
    return handoff_names(absolute(os.path.expanduser(path)), accounts, share.regions)


def _same_key(one: Share, other: Share, names: list[str], region: str) -> t.Iterator[str]:
    values, other_values = dict(one.tag_set), dict(other.tag_set)
    for key in sorted({*values} & {*other_values}):
        if names and values[key] != other_values[key]:
            yield (
                f"Shares {one.name} and {other.name} give tag {key} of repository {names[0]} in {region} two values,"
                f" {values[key]} and {other_values[key]}. Use different keys, or share the repository once."
            )


def _exclusive(one: Share, other: Share, names: list[str], region: str) -> t.Iterator[str]:
    """Whether `one` removes a tag from repositories that only `other` declares."""
    common = sorted(one.tag_set & other.tag_set)
    if one.is_present and one.exclusive and other.is_present and names and common:
        yield (
            f"Share {one.name} is exclusive and would remove {shown(common[0])} from repository {names[0]} in {region},"
            f" which share {other.name} shares with the same tag. Give the shares different tags, or set"
            " exclusive: false."
        )


def shown(tag: Tag) -> str:
    """A tag for people."""
    return f"{tag[0]}={tag[1]}"
