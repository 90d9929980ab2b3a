# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Attaches a managed policy to users and roles, and detaches it from users, roles and groups."""

from __future__ import annotations

from ansible_collections.crossaccount.ecr.plugins.module_utils._iam_reads import Client
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import Attachment


def attach_policy(client: Client, policy_arn: str, to: Attachment) -> None:
    _change(client, "attach", policy_arn, to)


def detach_policy(client: Client, policy_arn: str, principal: Attachment) -> None:
    _change(client, "detach", policy_arn, principal)


def _change(client: Client, verb: str, policy_arn: str, principal: Attachment) -> None:
    kind = principal.kind.value
    request = getattr(client, f"{verb}_{kind}_policy")
    request(PolicyArn=policy_arn, **{f"{kind.title()}Name": principal.name})
