# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Reads one pull role and its managed policy from IAM."""

from __future__ import annotations

import typing as t
from dataclasses import replace

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule reports it

from ansible_collections.crossaccount.ecr.plugins.module_utils import _policy_document
from ansible_collections.crossaccount.ecr.plugins.module_utils._concurrency import map_concurrently
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import error_code
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import (
    Attachment,
    AttachmentKind,
    PolicyVersion,
    RoleState,
)

#: The inline policy that revokes sessions, with the name that the AWS console uses.
REVOCATION = "AWSRevokeOlderSessions"
#: The same inline policy while a revocation is unfinished.
UNFINISHED = "crossaccount.ecr-revocation-unfinished"
#: The inline policy that ends the access of one role.
END = "crossaccount.ecr-end"
_OWN_POLICIES = (REVOCATION, UNFINISHED, END)
#: The maximum number of reads of a role or a policy that changes during the read.
_READS = 3
#: A boto3 client of `iam`; boto3 has no type for it.
Client = t.Any


class PullRoleReader:
    """Reads one pull role and its managed policy, by their names in the owner account."""

    def __init__(self, client: Client, owner: Identity, name: str, policy_name: str, path: str) -> None:
        self.client, self.name, self.policy_name, self.path = client, name, policy_name, path
        self.policy_arn, self.role_arn = owner.policy(path, policy_name), owner.role(path, name)

    def read(self) -> RoleState:
        """The current state of the role and its policy."""
        return read_roles([self])[0]

    def read_role(self) -> RoleState:
        """The current state of the role, without its managed policy."""
        return self.consistent(self.role)

    @staticmethod
    def consistent(read: t.Callable[[], RoleState]) -> RoleState:
        """The result of `read`, which is repeated if an object disappears during the read or has not propagated yet."""
        for _try in range(_READS):
            try:
                return read()
            except botocore.exceptions.ClientError as error:
                if error_code(error) != "NoSuchEntity":
                    raise
        return RoleState()  # treated as missing; the next request shows whether it exists

    def role(self) -> RoleState:
        """The state of the role, with the policies and instance profiles that others added to it."""
        reply = self._or_none(self.client.get_role, RoleName=self.name)
        if reply is None:
            return RoleState()
        role = reply["Role"]
        attached = self._pages("list_attached_role_policies", "AttachedPolicies", RoleName=self.name)
        arns = [policy["PolicyArn"] for policy in attached]
        inline = self._pages("list_role_policies", "PolicyNames", RoleName=self.name)
        profiles = self._pages("list_instance_profiles_for_role", "InstanceProfiles", RoleName=self.name)
        added = {
            AttachmentKind.MANAGED_POLICY: [arn for arn in arns if arn != self.policy_arn],
            AttachmentKind.INLINE_POLICY: [name for name in inline if name not in _OWN_POLICIES],
            AttachmentKind.INSTANCE_PROFILE: [profile["InstanceProfileName"] for profile in profiles],
        }
        return RoleState(
            role_exists=True,
            path=role["Path"],
            description=role.get("Description", ""),
            max_session_duration=role.get("MaxSessionDuration", 3600),
            permissions_boundary=role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
            trust=_policy_document.parse(role["AssumeRolePolicyDocument"]),
            attached=self.policy_arn in arns,
            revoked=REVOCATION in inline,
            revoking=UNFINISHED in inline,
            end_policy=self._end_policy() if END in inline else None,
            role_tags=_tags(role.get("Tags", [])),
            attachments=tuple(Attachment(kind, name) for kind, names in added.items() for name in names),
        )

    def _end_policy(self) -> Document:
        reply = self.client.get_role_policy(RoleName=self.name, PolicyName=END)
        return _policy_document.parse(reply["PolicyDocument"])

    def policy(self) -> RoleState:
        """The state of the policy, with the identities to which others attached it."""
        reply = self._or_none(self.client.get_policy, PolicyArn=self.policy_arn)
        if reply is None:
            return RoleState()
        versions = tuple(self._versions())
        return RoleState(
            policy_exists=True,
            permissions=next((version.document for version in versions if version.is_default), None),
            policy_tags=_tags(reply["Policy"].get("Tags", [])),
            versions=versions,
            attachments=tuple(self._entities()),
        )

    def _versions(self) -> t.Iterator[PolicyVersion]:
        for entry in self._pages("list_policy_versions", "Versions", PolicyArn=self.policy_arn):
            version = entry["VersionId"]
            reply = self.client.get_policy_version(PolicyArn=self.policy_arn, VersionId=version)
            yield PolicyVersion(
                version, entry["IsDefaultVersion"], _policy_document.parse(reply["PolicyVersion"]["Document"])
            )

    def _entities(self) -> t.Iterator[Attachment]:
        for page in self.client.get_paginator("list_entities_for_policy").paginate(PolicyArn=self.policy_arn):
            for kind in (AttachmentKind.ROLE, AttachmentKind.USER, AttachmentKind.GROUP):
                name = kind.value.title()
                for entity in page.get(f"Policy{name}s", []):
                    yield Attachment(kind, entity[f"{name}Name"])

    def _pages(self, operation: str, key: str, **arguments: str) -> list[t.Any]:
        return [item for page in self.client.get_paginator(operation).paginate(**arguments) for item in page[key]]

    @staticmethod
    def _or_none(call: t.Callable[..., Json], **arguments: str) -> Json | None:
        try:
            return call(**arguments)
        except botocore.exceptions.ClientError as error:
            if error_code(error) == "NoSuchEntity":
                return None
            raise


def read_roles(roles: t.Sequence[PullRoleReader]) -> list[RoleState]:
    """The current states of roles that have one policy, which is read once."""
    first = roles[0]
    policy, *states = map_concurrently(first.consistent, [first.policy, *(role.role for role in roles)])
    return [_with_policy(state, policy, role.name) for role, state in zip(roles, states)]


def _with_policy(role: RoleState, policy: RoleState, name: str) -> RoleState:
    own = Attachment(AttachmentKind.ROLE, name)
    return replace(
        role,
        policy_exists=policy.policy_exists,
        permissions=policy.permissions,
        policy_tags=policy.policy_tags,
        versions=policy.versions,
        attachments=role.attachments + tuple(entity for entity in policy.attachments if entity != own),
    )


def _tags(listed: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in listed}
