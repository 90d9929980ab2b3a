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
  - A role has one such policy, so the run ends the sessions of all consumers that use the role. If each consumer has
    its own role, O(revoke_consumers) limits the run to some consumers. The sessions of the others remain valid.
  - The trust policy and the permissions do not change. Every consumer can start a new session immediately. To end the
    access of a consumer, remove it from the declaration of the share and run P(crossaccount.ecr.ecr_share#role).
  - Presigned URLs of layers cannot be revoked. They remain valid until they expire.
  - If a role does not exist, or this collection did not create it, the module fails before it writes anything.
  - Only roles of declared consumers are revoked. If a consumer was removed from the declaration, run
    P(crossaccount.ecr.ecr_share#role), which deletes its role or revokes its sessions.
options:
  role_name:
    description: The name of the role, or of the share. Required unless each share has a C(role_name).
    type: str
  mode:
    description:
      - The mode of a share without its own C(mode). Only shares with V(role) have a role. The others have no sessions
        to revoke, and are ignored. If no share has a role, the module fails.
    type: str
    choices: [role, repository_policy, registry_policy]
    default: role
  roles:
    description:
      - With V(shared), all consumers of a share use its role. With V(per_consumer), each consumer has its own role,
        with the name C(NAME-ACCOUNT) or C(role_name) of the consumer.
    type: str
    choices: [shared, per_consumer]
    default: shared
  revoke_consumers:
    description:
      - The consumers whose sessions are revoked, each by its account ID or by the ID of its organization. The default
        is all consumers.
      - Each of them must be declared, in a share with O(roles=per_consumer).
    type: list
    elements: raw
extends_documentation_fragment:
  - crossaccount.ecr._shares.revoked
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

- name: End the sessions of one consumer, which has its own role
  crossaccount.ecr.iam_ecr_session_revocation:
    role_name: allow_ecr_release
    roles: per_consumer
    consumers:
      - account: "222222222222"
      - account: "333333333333"
    revoke_consumers: ["333333333333"]
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
      description:
        - The principals in the trust policy, which can start a new session. Empty if the access of the role has ended.
      type: list
      elements: str
      sample: [222222222222 user/puller (external ID)]
    consumer:
      description: The account ID of the only consumer of the role. Empty if all consumers of the share use the role.
      type: str
      sample: "222222222222"
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
