# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The declaration of a pull role, and the state that it declares. Standard library only."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils import (
    _consumers,
    _policy,
    _policy_document,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._consumers import Consumer
from ansible_collections.crossaccount.ecr.plugins.module_utils._end_condition import earlier, end_policy, with_end
from ansible_collections.crossaccount.ecr.plugins.module_utils._end_date import parse_end
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import (
    END_TAG,
    END_TAGS,
    OWNERSHIP_TAG,
    ROLE_END_TAG,
    SHARE_TAG,
    RoleState,
    Tags,
)


@dataclass(frozen=True)
class RoleDeclaration:
    """The declaration of a pull role. A setting that is None is not changed.

    :param repository_tags: each value is a string, or a list of alternatives
    :param regions: None for all regions
    :param is_narrowed: whether a run only removes access that the declaration does not have
    :param expires: the end of the share; it may have any type until `role_end_problems` has validated it
    :param role_expires: the earlier end of this role, while other roles have the same policy
    :param share: the declared name of a share with a role for each consumer; empty for any other role
    :param policy_roles: the other roles of this collection with the same policy
    :param keep_policy: whether the policy is kept if the role is deleted
    """

    name: str
    policy_name: str
    consumers: tuple[Consumer, ...] = ()
    repository_tags: Json = field(default_factory=dict)
    is_present: bool = True
    access: str = "read"
    condition_key: str = "ecr"
    regions: tuple[str, ...] | None = None
    path: str = "/"
    description: str | None = None
    max_session_duration: int | None = None
    permissions_boundary: str | None = None
    tags: Json = field(default_factory=dict)
    trust_policy_quota: int = 2048
    adopt: bool = False
    is_narrowed: bool = False
    expires: object = None
    role_expires: object = None
    share: str = ""
    policy_roles: tuple[str, ...] = ()
    keep_policy: bool = False

    @property
    def ownership(self) -> tuple[str, str]:
        """The IAM tag of a role and a policy that this collection created."""
        return OWNERSHIP_TAG

    @property
    def all_tags(self) -> Json:
        """The IAM tags of the role and its policy, with the ownership tag."""
        return {**dict([self.ownership]), **self.tags}

    @property
    def role_tags(self) -> Json:
        """The IAM tags of the role, with those that this collection reads in later runs."""
        ends = {key: parse_end(value) for key, value in ((END_TAG, self.expires), (ROLE_END_TAG, self.role_expires))}
        fixed = {key: end.text for key, end in ends.items() if end and end.duration}
        return {**self.all_tags, **({SHARE_TAG: self.share} if self.share else {}), **fixed}

    @property
    def end(self) -> datetime.datetime | None:
        """The end of the share; None if it has no end, or if its duration is not fixed yet."""
        end = parse_end(self.expires)
        return end.time if end else None

    @property
    def role_end(self) -> datetime.datetime | None:
        """The end of this role, if it has its own end."""
        end = parse_end(self.role_expires)
        return earlier(end.time, self.end) if end else None

    def trust(self, owner: Identity) -> Document:
        document = _policy.trust_document(owner.partition, self.consumers)
        return with_end(document, earlier(self.end, self.role_end))

    def permissions(self, owner: Identity) -> Document:
        tags = _policy.repository_tags_of(self.repository_tags)
        document = _policy.permissions_document(owner, tags, self.access, self.condition_key, self.regions or ())
        return with_end(document, self.end)

    @property
    def options(self) -> Json:
        """The options of `iam_ecr_pull_role` for this declaration."""
        return {
            "name": self.name,
            "policy_name": self.policy_name,
            "state": "absent" if not self.is_present else "narrowed" if self.is_narrowed else "present",
            "repository_tags": self.repository_tags,
            "consumers": [consumer.options for consumer in self.consumers],
            "access": self.access,
            "condition_key": self.condition_key,
            "regions": None if self.regions is None else list(self.regions),
            "path": self.path,
            "description": self.description,
            "max_session_duration": self.max_session_duration,
            "permissions_boundary": self.permissions_boundary,
            "tags": self.tags or None,
            "trust_policy_quota": self.trust_policy_quota,
            "adopt": self.adopt,
            "expires": self.expires,
            "role_expires": self.role_expires,
            "share": self.share or None,
            "policy_roles": list(self.policy_roles),
            "keep_policy": self.keep_policy,
        }


def role_declaration_of(options: Json) -> RoleDeclaration:
    """The declaration in options.

    :param options: the options of `iam_ecr_pull_role`
    """
    return RoleDeclaration(
        name=options["name"],
        policy_name=options["policy_name"] or options["name"],
        consumers=tuple(_consumers.consumer_of(consumer) for consumer in options["consumers"] or ()),
        repository_tags=options["repository_tags"] or {},
        is_present=options["state"] != "absent",
        is_narrowed=options["state"] == "narrowed",
        access=options["access"],
        condition_key=options["condition_key"],
        regions=None if options["regions"] is None else tuple(options["regions"]),
        path=options["path"],
        description=options["description"],
        max_session_duration=options["max_session_duration"],
        permissions_boundary=options["permissions_boundary"],
        tags=options["tags"] or {},
        trust_policy_quota=options["trust_policy_quota"],
        adopt=options["adopt"],
        expires=options.get("expires"),
        role_expires=options.get("role_expires"),
        share=options.get("share") or "",
        policy_roles=tuple(options.get("policy_roles") or ()),
        keep_policy=bool(options.get("keep_policy")),
    )


def declared_state(before: RoleState, declared: RoleDeclaration, owner: Identity) -> RoleState:
    """The planned state of the role. Settings that the declaration omits are not changed."""
    trust, permissions = declared.trust(owner), declared.permissions(owner)
    boundary, duration = declared.permissions_boundary, declared.max_session_duration
    return replace(
        before,
        role_exists=True,
        policy_exists=True,
        path=declared.path,
        description=before.description if declared.description is None else declared.description,
        max_session_duration=before.max_session_duration if duration is None else duration,
        permissions_boundary=before.permissions_boundary if boundary is None else boundary,
        trust=before.trust if _policy_document.equivalent(before.trust, trust) else trust,
        permissions=before.permissions if _policy_document.equivalent(before.permissions, permissions) else permissions,
        attached=True,
        end_policy=end_policy(declared.role_end) if declared.role_end else None,
        role_tags=with_tags(_without_ends(before.role_tags), declared.role_tags),
        policy_tags=with_tags(before.policy_tags, declared.all_tags),
    )


def _without_ends(tags: Tags) -> Tags:
    """The tags of a role without the ends that an earlier run fixed."""
    return {key: value for key, value in tags.items() if key.lower() not in END_TAGS}


def with_tags(before: Tags, tags: Tags) -> Tags:
    """The tags `before` with `tags` added. An added tag replaces one whose key differs in case, which IAM ignores."""
    twins = {key.lower(): key for key in before}
    added = {key: value for key, value in tags.items() if before.get(twins.get(key.lower(), key)) != value}
    replaced = {key.lower() for key in added}
    return {**{key: value for key, value in before.items() if key.lower() not in replaced}, **added}
