# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""A kind of finding. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FindingKind:
    """A kind of finding.

    :param id: its stable ID
    :param meaning: the fact that it reports, as a sentence
    :param next_step: the action of the owner, as a sentence
    """

    id: str
    severity: str
    subject: str
    meaning: str
    next_step: str
