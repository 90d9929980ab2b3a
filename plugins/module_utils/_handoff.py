# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The hand-off: what the owner account gives each consumer account, as a YAML file. Standard library only."""

from __future__ import annotations

import json
import os.path
import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import account_problem
from ansible_collections.crossaccount.ecr.plugins.module_utils._timestamp import time_of

#: The keys of the file, in their order.
Handoff = dict[str, t.Any]
_SHARED_AT = re.compile(r'(?m)^ecr_pull_shared_at: "([^"]*)"$')


def handoffs(options: dict[str, t.Any]) -> list[tuple[str, Handoff]]:
    """The hand-offs of a share, each with the name of its file without the ending; without `ecr_pull_shared_at`.

    A name tells the consumer where there are several, and the region where there are several.

    :param options: those of the module `write_handoff`
    """
    role, tagged = options["role"], options["tagged"]
    stem = os.path.splitext(options["path"] or "")[0]
    found = []
    for number, consumer in enumerate(role["consumers"], 1):
        for place in tagged:
            names = [f"-{number}-{consumer['account']}"] if len(role["consumers"]) > 1 else []
            names += [f"-{place['region']}"] if len(tagged) > 1 else []
            external_id = consumer["external_id"]
            handoff: Handoff = {
                "ecr_pull_role_arn": role["role_arn"],
                "ecr_pull_consumer_account": consumer["account"],
                **({} if external_id is None else {"ecr_pull_external_id": external_id}),
                "ecr_pull_shared_at": None,
                "ecr_pull_region": place["region"],
                "ecr_pull_registry": place["registry"],
                "ecr_pull_repository_tags": options["repository_tags"],
                "ecr_pull_access": options["access"],
                "ecr_pull_repositories": [one["name"] for one in place["repositories"]],
                "ecr_pull_denied": options["denied"],
                "ecr_pull_images": options["images"],
            }
            found.append(("".join([stem, *names]), handoff))
    return found


def noted_time(text: str) -> str | None:
    """When the share of a hand-off last changed, by the text of its file; None if the file has no valid time."""
    found = _SHARED_AT.search(text)
    return found[1] if found and time_of(found[1]) is not None else None


def for_ansible(handoff: Handoff) -> str:
    """The hand-off as a YAML file that the role ecr_pull reads as data."""
    owner = handoff["ecr_pull_role_arn"].split(":")[4]
    for account in (owner, handoff["ecr_pull_consumer_account"]):
        if account_problem(account):
            raise EcrError(f"No hand-off is written: {account_problem(account)}")
    head = f"""\
---
# The hand-off of account {owner} for account {handoff["ecr_pull_consumer_account"]}. Use the file without changes:
#   ansible-playbook crossaccount.ecr.pull -e ecr_pull_handoff=THIS_FILE
"""
    return head + "".join(f"{name}: {_quoted(value)}\n" for name, value in handoff.items())


def _quoted(value: t.Any) -> str:
    """A value in YAML's flow style, on one line.

    JSON writes a character beyond U+FFFF as two surrogates, which YAML does not join. So printable characters stay as
    they are, and all others have an escape of YAML's own.
    """

    def escaped(match: re.Match[str]) -> str:
        character = match[0]
        return character if character.isprintable() else f"\\U{ord(character):08x}"

    return re.sub(r"[^\x20-\x7e]", escaped, json.dumps(value, ensure_ascii=False))
