#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: iam_ecr_session_revocation
short_description: Revoke the active sessions of pull roles
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Revokes all sessions of each role that were issued before the run, as B(Revoke active sessions) in the IAM console
    does. Writes the inline policy C(AWSRevokeOlderSessions), whose time is from the clock of AWS.
  - A role has one such policy. All consumers of a share use the same role, so the run ends the sessions of all of them.
    The sessions of a single consumer cannot be revoked.
  - The trust policy and the permissions do not change. Every consumer can start a new session immediately. To end the
    access of a consumer, remove it from the declaration of the share and run P(crossaccount.ecr.ecr_share#role).
  - Presigned URLs of layers cannot be revoked. They remain valid until they expire.
  - If a role does not exist, or this collection did not create it, the module fails before it writes anything.
options:
  role_name:
    description: The name of the role. Required unless each share has a C(role_name).
    type: str
  shares:
    description:
      - The shares whose roles are revoked, as declared for P(crossaccount.ecr.ecr_share#role).
      - The module reads the keys C(role_name) and C(state). The default of C(role_name) is O(role_name). Shares with
        C(state=absent) are ignored.
    type: list
    elements: dict
extends_documentation_fragment:
  - crossaccount.ecr._owner_account
  - crossaccount.ecr._assume_role
  - crossaccount.ecr._attributes
  - crossaccount.ecr._attributes.action_group
  - crossaccount.ecr._requirements.aws
  - amazon.aws.common.modules
  - amazon.aws.region.modules
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: none
    details: The module can run again at any time. Each run revokes the sessions that were issued before it.
  async:
    support: full
seealso:
  - module: crossaccount.ecr.iam_ecr_pull_role
    description: Manages the role, and revokes its sessions when it removes a consumer.
  - module: crossaccount.ecr.ecr_access_info
    description: Proves from the consumer account that a session is denied, with C(expect=denied).
"""

EXAMPLES = r"""
- name: End all active sessions of a share
  crossaccount.ecr.iam_ecr_session_revocation:
    role_name: allow_ecr_release
"""

RETURN = r"""
account:
  description: The account ID of the owner account.
  returned: success
  type: str
  sample: "111111111111"
roles:
  description: The roles whose sessions were revoked. In check mode, the roles whose sessions a run would revoke.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the role.
      type: str
      sample: allow_ecr_release
    role_arn:
      description: The ARN of the role.
      type: str
      sample: arn:aws:iam::111111111111:role/allow_ecr_release
    issued_before:
      description: The time by the clock of AWS. All sessions that were issued before it are denied.
      type: str
      sample: "2026-11-27T03:30:00Z"
    admitted:
      description: The principals in the trust policy, which can start a new session.
      type: list
      elements: str
      sample: [222222222222 user/puller (external ID)]
steps:
  description: The writes in their order, one for each role. In check mode, the writes that a run would make.
  returned: success
  type: list
  elements: str
  sample: [revoke_sessions]
lines:
  description: The result as text, with what cannot be revoked and the next step.
  returned: success
  type: list
  elements: str
  sample:
    - "allow_ecr_release: all sessions of all consumers that were issued before 2026-11-27T03:30:00Z are denied"
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import run_and_exit
from ansible_collections.crossaccount.ecr.plugins.module_utils._session_revocation import (
    REVOCATION_ARGUMENTS,
    session_revocation,
)


def main() -> None:
    run_and_exit(AnsibleAWSModule(argument_spec=REVOCATION_ARGUMENTS, supports_check_mode=True), session_revocation)


if __name__ == "__main__":
    main()
