# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The requests to IAM that change one pull role and its managed policy."""

from __future__ import annotations

import datetime
import email.utils
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils import _policy_document
from ansible_collections.crossaccount.ecr.plugins.module_utils._iam_reads import (
    END,
    REVOCATION,
    UNFINISHED,
    PullRoleReader,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import (
    RoleSettings,
    Tags,
)


class PullRole(PullRoleReader):
    """One pull role and its managed policy, by their names in the owner account."""

    def create_policy(self, document: Document, tags: Tags) -> None:
        self.client.create_policy(
            PolicyName=self.policy_name,
            Path=self.path,
            PolicyDocument=_policy_document.text(document),
            Tags=_tag_list(tags),
        )

    def create_version(self, document: Document) -> None:
        self.client.create_policy_version(
            PolicyArn=self.policy_arn, PolicyDocument=_policy_document.text(document), SetAsDefault=True
        )

    def set_default_version(self, version: str) -> None:
        self.client.set_default_policy_version(PolicyArn=self.policy_arn, VersionId=version)

    def delete_version(self, version: str) -> None:
        self.client.delete_policy_version(PolicyArn=self.policy_arn, VersionId=version)

    def delete_policy(self) -> None:
        self.client.delete_policy(PolicyArn=self.policy_arn)

    def tag_policy(self, tags: Tags) -> None:
        self.client.tag_policy(PolicyArn=self.policy_arn, Tags=_tag_list(tags))

    def create_role(self, trust: Document, tags: Tags, settings: RoleSettings) -> None:
        boundary = settings.permissions_boundary
        self.client.create_role(
            RoleName=self.name,
            Path=self.path,
            AssumeRolePolicyDocument=_policy_document.text(trust),
            Description=settings.description,
            MaxSessionDuration=settings.max_session_duration,
            Tags=_tag_list(tags),
            **({"PermissionsBoundary": boundary} if boundary else {}),
        )

    def update_role(self, description: str, max_session_duration: int) -> None:
        self.client.update_role(RoleName=self.name, Description=description, MaxSessionDuration=max_session_duration)

    def update_trust(self, document: Document) -> None:
        self.client.update_assume_role_policy(RoleName=self.name, PolicyDocument=_policy_document.text(document))

    def begin_revocation(self) -> None:
        self._deny_sessions(UNFINISHED, self.revocation_time())

    def revoke_sessions(self, until: str | None = None) -> None:
        """
        :param until: the time before which the sessions were issued; None for the current time by the clock of AWS
        """
        self._deny_sessions(REVOCATION, until or self.revocation_time())

    def revocation_time(self) -> str:
        """The time for a revocation, from the clock of AWS.

        It is rounded up, because the Date header and the issue time of a session have a resolution of one second.
        """
        answer = self.client.get_role(RoleName=self.name)["ResponseMetadata"]["HTTPHeaders"]["date"]
        return f"{email.utils.parsedate_to_datetime(answer) + datetime.timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}"

    def _deny_sessions(self, policy_name: str, until: str) -> None:
        condition = {"DateLessThan": {"aws:TokenIssueTime": until}}
        statement = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}
        self._put_inline(policy_name, {"Version": "2012-10-17", "Statement": [statement]})

    def _put_inline(self, policy_name: str, document: Document) -> None:
        text = _policy_document.text(document)
        self.client.put_role_policy(RoleName=self.name, PolicyName=policy_name, PolicyDocument=text)

    def end_revocation(self) -> None:
        self.client.delete_role_policy(RoleName=self.name, PolicyName=UNFINISHED)

    def delete_revocation(self) -> None:
        self.client.delete_role_policy(RoleName=self.name, PolicyName=REVOCATION)

    def put_end(self, document: Document) -> None:
        self._put_inline(END, document)

    def delete_end(self) -> None:
        self.client.delete_role_policy(RoleName=self.name, PolicyName=END)

    def put_boundary(self, boundary: str) -> None:
        self.client.put_role_permissions_boundary(RoleName=self.name, PermissionsBoundary=boundary)

    def tag_role(self, tags: Tags) -> None:
        self.client.tag_role(RoleName=self.name, Tags=_tag_list(tags))

    def untag_role(self, keys: t.Sequence[str]) -> None:
        self.client.untag_role(RoleName=self.name, TagKeys=list(keys))

    def attach(self) -> None:
        self.client.attach_role_policy(RoleName=self.name, PolicyArn=self.policy_arn)

    def detach(self) -> None:
        self.client.detach_role_policy(RoleName=self.name, PolicyArn=self.policy_arn)

    def delete_role(self) -> None:
        self.client.delete_role(RoleName=self.name)


def _tag_list(tags: Tags) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
