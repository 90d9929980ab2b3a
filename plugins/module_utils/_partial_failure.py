# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The error of a run that changed some repositories and not others. Standard library only."""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError

#: The reason of the failure by the name of the repository.
Failures = dict[str, str]


def partial_failure(names: t.Sequence[str], failures: Failures, advice: t.Iterable[str]) -> EcrError:
    """The error with the repositories that failed, and those that were changed.

    :param names: the repositories that the run had to change
    :param advice: the next steps
    """
    changed = [name for name in names if name not in failures]
    listed = "\n".join(f"- {name}: {reason}" for name, reason in sorted(failures.items()))
    next_step = "".join(f"\n{step}" for step in dict.fromkeys(advice))
    return EcrError(
        f"{len(failures)} of {len(names)} repositories could not be changed:\n{listed}{next_step}",
        changed=bool(changed),
        failed_repositories=failures,
        changed_repositories=changed,
    )
