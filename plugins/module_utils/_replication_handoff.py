# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The hand-off between the two accounts of a replication, if each one configures its own side. Standard library only.

The owner account hands off its declaration. The consumer account hands off what its registry accepts. The author of
a hand-off belongs to another organization, so the declared values of the reader decide: the consumer account takes
only what it has not declared, and the owner account only compares.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._list_text import list_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_request import ReplicationRequest
from ansible_collections.crossaccount.ecr.plugins.module_utils._suggestion import did_you_mean

VARIABLE = "ecr_replicate_handoff"
_PREFIX, _ACCEPTED, _EVERY = "ecr_replicate_", "accepted", "all_repositories"
_TEXTS, _LISTS, _FLAGS = ("owner_account", "consumer_account"), ("regions", "prefixes"), (_EVERY, _ACCEPTED)
_PLAYBOOK = "ansible-playbook crossaccount.ecr.replicate"


def handoff_text(declared: ReplicationRequest, region: str) -> str:
    """The hand-off of the side that runs, a YAML file of strings.

    :param region: the region of the images
    """
    lines = [
        f"# The hand-off of {_PLAYBOOK}, for the other account. Pass the path of this file as {VARIABLE}.",
        *(f"{_PREFIX}{name}: {json.dumps(value)}" for name, value in _values(declared, region).items()),
    ]
    return "\n".join(lines) + "\n"


def _values(declared: ReplicationRequest, region: str) -> Json:
    selection = declared.selection
    return {
        "owner_account": declared.owner,
        "consumer_account": declared.consumer,
        "regions": [place.region for place in declared.destinations(region)],
        **({_EVERY: "true"} if selection.every else {"prefixes": list(selection.prefixes)}),
        **({_ACCEPTED: "true"} if declared.has_consumer else {}),
    }


def handoff_values(document: t.Mapping[str, object], source: str) -> Json:
    """The values of a hand-off, with the names of the options.

    :param source: its name in messages
    :raises EcrError: if it is not a hand-off of a replication
    """
    names = (*_TEXTS, *_LISTS, *_FLAGS)
    found: Json = {}
    for key, value in document.items():
        name = key.removeprefix(_PREFIX)
        expected = "a list of strings" if name in _LISTS else '"true"' if name in _FLAGS else "a string"
        if key != f"{_PREFIX}{name}" or name not in names:
            raise EcrError(f"{source}: key {key} is unknown.{did_you_mean(key, [_PREFIX + one for one in names])}")
        is_list = isinstance(value, list) and all(isinstance(one, str) for one in value)
        if not (is_list if name in _LISTS else value == "true" if name in _FLAGS else isinstance(value, str)):
            raise EcrError(
                f"{source}: {key} must be {expected}. Use the hand-off exactly as the other account wrote it."
            )
        found[name] = name in _FLAGS or value
    return found


def conflicts(params: Json, values: Json) -> t.Iterator[str]:
    """Problems with options that differ from the hand-off of the owner account."""
    for name in (*_TEXTS, *_LISTS):
        own, other = params.get(name), values.get(name)
        own, other = (sorted(one) if isinstance(one, list) else one for one in (own, other))
        if own and other and own != other:
            yield (
                f"{option(name)} is {_shown(own)}, but the hand-off has {_shown(other)}. Remove {option(name)} to use"
                " the hand-off, or agree on one value with the other account."
            )


def with_handoff(params: Json, values: Json) -> Json:
    """The options of the consumer account, and the values of the hand-off for those that are not set.

    An option with an empty value is set. Declared prefixes are not extended to all repositories.
    """
    taken = {name: value for name, value in values.items() if name not in _FLAGS and params.get(name) is None}
    if values.get(_EVERY) and params.get("prefixes") is None:
        taken[_EVERY] = True
    return {**params, **taken}


def other_side_problem(declared: ReplicationRequest, region: str) -> str:
    """The message for a consumer account that has not configured its side, with the command; empty if it has.

    :param region: the region of the images
    """
    gaps = missing_acceptance(declared, region)
    if not gaps:
        return ""
    values = {f"{_PREFIX}{name}": value for name, value in _values(declared, region).items()}
    path = declared.handoff_path
    source = f"-e {VARIABLE}=FILE" if path else f"-e '{json.dumps(values)}'"
    given = f"Give it {path} as FILE. " if path else ""
    return (
        f"Account {declared.consumer} does not accept the images yet. Missing there: {list_text(gaps, noun='parts')}."
        f" Nothing was written. {given}That account runs `{_PLAYBOOK} -e ecr_replicate_side=consumer {source} -e"
        f" ecr_replicate_handoff_path=ANSWER`. Then run this again with -e {VARIABLE}=ANSWER. If the account is"
        f" configured in another way, set {option(_ACCEPTED)} to true."
    )


def missing_acceptance(declared: ReplicationRequest, region: str) -> list[str]:
    """The declared parts that the hand-off of the consumer account does not accept."""
    if declared.side != "owner" or not declared.is_present or declared.accepted:
        return []
    own, other = _values(declared, region), declared.handoff
    if not other.get(_ACCEPTED):
        return ["the registry policy"]
    gaps = [f"{name.replace('_', ' ')} {own[name]}" for name in _TEXTS if other.get(name) != own[name]]
    gaps += [f"region {one}" for one in own["regions"] if one not in other.get("regions", ())]
    accepted = [""] if other.get(_EVERY) else other.get("prefixes", [])
    wanted = [""] if declared.selection.every else own["prefixes"]
    names = [one for one in wanted if not any(map(one.startswith, accepted))]
    return gaps + [f"prefix {one}" if one else "all repositories" for one in names]


def _shown(value: object) -> str:
    return list_text(value) if isinstance(value, list) else str(value)
