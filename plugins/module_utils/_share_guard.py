# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The tag guard of a declaration of shares. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy import repository_tags_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import Share
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_guard import merged_tags
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_guard_declaration import TagGuardDeclaration

#: The options of `iam_ecr_tag_guard`, without the tags. `guard` has no default: without it, there is no guard.
SHARE_GUARD_ARGUMENT: Json = {
    "tag_guard": {
        "type": "dict",
        "options": {
            "guard": {"type": "str", "choices": ["report", "deny", "absent"]},
            "guard_name": {"type": "str", "default": "deny_ecr_sharing_tag"},
            "principals": {"type": "list", "elements": "str"},
            "dest": {"type": "str", "default": "."},
            "adopt": {"type": "bool", "default": False},
        },
    }
}


@dataclass(frozen=True)
class ShareGuard:
    """The guard of all present shares.

    :param guard: `report`, `deny` or `absent`; None for no guard
    :param ends: whether the run ends all shares, and therefore also the guard
    """

    guard: str | None = None
    name: str = ""
    principals: tuple[str, ...] = ()
    dest: str = "."
    adopt: bool = False
    ends: bool = False

    @classmethod
    def of(cls, params: Json) -> ShareGuard:
        """The options in the parameters of `ecr_share_info`. A run that removes only ended shares leaves the guard."""
        given = params["tag_guard"]
        if given is None or params["expired_only"]:
            return cls()
        principals = tuple(given["principals"] or ())
        ends = params["state"] == "absent"
        return cls(given["guard"], given["guard_name"], principals, given["dest"], given["adopt"], ends)

    @property
    def has_files(self) -> bool:
        return self.guard in ("report", "deny") and not self.ends

    def declaration(self, shares: t.Iterable[Share]) -> TagGuardDeclaration | None:
        """The declaration of the guard; None without a guard, or while the declaration has no tags."""
        present = [share for share in shares if share.is_present]
        tags = merged_tags(repository_tags_of(share.role.repository_tags) for share in present)
        if self.guard is None or (self.has_files and not tags):
            return None
        guard = self.guard if self.has_files else "absent"
        listed: Json = {key: list(values) for key, values in tags.items()}
        regions = tuple(dict.fromkeys(region for share in present for region in share.regions))
        return TagGuardDeclaration(self.name, guard, listed, self.principals, self.adopt, self.dest, regions)

    def problems(self, shares: t.Sequence[Share]) -> t.Iterator[str]:
        """Problems of the guard with the shares."""
        if self.guard is None and self.principals:
            yield (
                f"{option('principals')} is set, but {option('guard')} is not, so nothing is denied to them. Set"
                f" {option('guard')}: deny."
            )
        if self.has_files and shares and not any(share.is_present for share in shares):
            yield (
                "All shares are absent, so no tag shares a repository, and the tag guard has nothing to deny. Set"
                f" {option('guard')}: absent."
            )
        if self.guard and any(share.policy_name.lower() == self.name.lower() for share in shares):
            yield f"{self.name} is the policy of a share. Choose another {option('guard_name')}."
