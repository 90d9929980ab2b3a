# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The repositories whose images are replicated, by the first parts of their names. Standard library only."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option

#: Source of the pattern and the length: ECR API Reference, data type RepositoryFilter.
_PREFIX = re.compile(r"(?:[a-z0-9]+(?:[._-][a-z0-9]*)*/)*[a-z0-9]*(?:[._-][a-z0-9]*)*")
_FEWEST_CHARACTERS, _MOST_CHARACTERS = 2, 256
#: The maximum number of filters of a rule. Source: ECR User Guide, "Private image replication". botocore accepts more.
MOST_PREFIXES = 100

#: The options that select repositories by their names.
SELECTION_ARGUMENTS: Json = {
    "prefixes": {"type": "list", "elements": "str"},
    "all_repositories": {"type": "bool", "default": False},
}


@dataclass(frozen=True)
class Selection:
    """The repositories that a declaration selects.

    :param prefixes: the first parts of their names
    :param every: whether all repositories are selected, which has no prefixes
    """

    prefixes: tuple[str, ...]
    every: bool = False

    @classmethod
    def of(cls, params: Json) -> Selection:
        """The selection in the parameters of a module."""
        return cls(tuple(sorted(set(params["prefixes"] or ()))), params["all_repositories"])

    def problems(self) -> t.Iterator[str]:
        """Problems that can be found without a request to AWS."""
        if self.every and self.prefixes:
            yield f"{option('prefixes')} and {option('all_repositories')} exclude each other. Remove one of them."
        if not self.every and not self.prefixes:
            yield (
                f"{option('prefixes')} is empty. Set at least one prefix of repository names, or set"
                f" {option('all_repositories')} to true."
            )
        if len(self.prefixes) > MOST_PREFIXES:
            yield (
                f"{option('prefixes')} has {len(self.prefixes)} prefixes; ECR accepts up to {MOST_PREFIXES} in a rule."
            )
        for prefix in self.prefixes:
            if not _PREFIX.fullmatch(prefix) or not _FEWEST_CHARACTERS <= len(prefix) <= _MOST_CHARACTERS:
                yield (
                    f"{option('prefixes')}: {prefix!r} is not a valid prefix of repository names, such as release or"
                    f" team/. It needs {_FEWEST_CHARACTERS} to {_MOST_CHARACTERS} lowercase letters, digits"
                    " and ._-/ without *."
                )
