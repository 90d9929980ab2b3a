# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The summary of a share that a consumer sees before the pull. Standard library only."""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._consumers import organization_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._end_date import end_text, parse_end
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff_schema import Share

#: The maximum number of names on one line. A hand-off may list thousands.
_NAMED = 20


def summary(share: Share, owner_account: str | None, now: datetime.datetime) -> list[str]:
    """The lines of the summary.

    :param owner_account: the expected owner account, or None
    :param now: the current time, with which the end of the access is compared
    """
    end = parse_end(share.expires)
    checked = (
        "as ecr_pull_owner_account requires"
        if owner_account
        else "not checked; set ecr_pull_owner_account to the account that you expect"
    )
    return [
        f"owner account:    {share.owner_account} ({checked})",
        *([f"consumer account: {share.consumer_account}"] if share.consumer_account else []),
        *(
            [f"consumer:         {organization_text(share.consumer_organization, share.consumer_units)}"]
            if share.consumer_organization
            else []
        ),
        f"role:             {share.role_arn}"
        if share.role_arn
        else f"mode:             {share.mode}. The consumer pulls with its own identity.",
        *([f"access:           {end_text(end.time, now)}"] if end and end.time else []),
        f"repositories:     {_list_text(share.repositories)}",
        f"denied:           {_list_text(share.denied)}",
        f"images:           {_list_text(share.images)}",
    ]


def summary_of_hosts(summaries: dict[str, list[str]]) -> list[str]:
    """The summaries of all hosts. Hosts with equal lines share one summary.

    :param summaries: the lines of each host, in the order of the hosts
    """
    groups: dict[tuple[str, ...], list[str]] = {}
    for host, lines in summaries.items():
        groups.setdefault(tuple(lines), []).append(host)
    if len(groups) == 1:
        return list(*groups)
    return [line for lines, hosts in groups.items() for line in (f"on {_list_text(hosts)}:", *lines)]


def _list_text(names: t.Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if names[_NAMED:] else ""
    return ", ".join(names[:_NAMED]) + more if names else "none"
