#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: iam_ecr_pull_role
short_description: Manage the role through which other accounts pull from tagged ECR repositories
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Manages a role, its managed policy and its trust policy as one resource.
  - The managed policy allows reading the repositories of the owner account that have all of O(repository_tags). It also
    allows C(ecr:GetAuthorizationToken), which cannot be restricted to a repository and gives no access by itself.
  - The trust policy has one statement for each of O(consumers), and no other statement.
  - Policy documents are compared by meaning. The order of the writes ensures that a principal never gets access beyond
    what the old declaration or the new declaration allows.
  - The tag C(managed-by=crossaccount.ecr) marks the roles and policies of this collection. If an existing role or
    policy has no such tag and differs from the declaration, the module fails unless O(adopt=true).
options:
  name:
    description: The name of the role. It can have 1 to 64 letters, digits and characters from C(_+=,.@-).
    type: str
    required: true
  repository_tags:
    description:
      - The tags that grant access. A repository must have all of the tag keys. If a value is a list, any value of the
        list matches.
      - Required with O(state=present).
    type: dict
  access:
    description:
      - V(pull) allows what a container engine needs, C(ecr:BatchGetImage) and C(ecr:GetDownloadUrlForLayer).
      - V(read) also allows describing and listing images, repositories and repository tags.
    type: str
    choices: [pull, read]
    default: read
  condition_key:
    description: The condition key of the policy, C(ecr:ResourceTag/<key>) or C(aws:ResourceTag/<key>).
    type: str
    choices: [ecr, aws]
    default: ecr
  regions:
    description: The regions whose repositories the role can read. The default is all regions.
    type: list
    elements: str
  path:
    description: The IAM path of the role and its policy. IAM cannot change it later.
    type: str
    default: /
  tags:
    description: The IAM tags of the role and its policy. Other tags are kept.
    type: dict
  adopt:
    description: Manage an existing role or policy of this name that this collection did not create.
    type: bool
    default: false
  expires:
    description:
      - The end of the access. Set a time such as V(2026-12-31T00:00:00Z), or a duration such as V(14d) with the unit
        V(s), V(m), V(h), V(d) or V(w). The module writes the end as a condition on C(aws:CurrentTime) in the trust
        policy and in the managed policy.
      - With a duration, the first run calculates the end and stores it in the tag C(crossaccount.ecr-expires) of the
        role. A later run with the same duration keeps that end. The option also accepts the value of this tag, which
        consists of a duration and a time.
      - A new end in the past is rejected.
    type: raw
  role_expires:
    description:
      - The end of the access through this role only. Set it if other roles have the same managed policy. The module
        writes this end as a condition in the trust policy, and as an inline policy with the name
        C(crossaccount.ecr-end). If O(expires) is earlier, O(expires) applies.
    type: raw
  share:
    description:
      - The name of the share, if this role serves only one consumer of the share. The module stores the name in the tag
        C(crossaccount.ecr-share) of the role.
    type: str
  policy_roles:
    description: The other roles of this collection that have the same managed policy.
    type: list
    elements: str
    default: []
  keep_policy:
    description: With O(state=absent), delete only the role. Set this if other roles have its managed policy.
    type: bool
    default: false
  state:
    description:
      - V(present) creates the role and its policy, or changes them as declared.
      - V(narrowed) only removes access that is not declared. It changes the trust policy, the permissions boundary and
        the end of an existing role, and revokes sessions. Before you change a managed policy that several roles have,
        narrow each of these roles. If the role does not exist, the module creates it, but does not attach the policy.
      - V(absent) deletes the role and its policy. It fails if other policies are attached to the role, or if the policy
        is attached to other principals.
    type: str
    choices: [present, narrowed, absent]
    default: present
extends_documentation_fragment:
  - crossaccount.ecr._shares.consumers
  - crossaccount.ecr._shares.role
  - crossaccount.ecr._owner_account
  - crossaccount.ecr._owner_account.trust_policy_quota
  - crossaccount.ecr._assume_role
  - crossaccount.ecr._wait
  - crossaccount.ecr._attributes
  - crossaccount.ecr._attributes.action_group
  - crossaccount.ecr._requirements.aws
  - amazon.aws.common.modules
  - amazon.aws.region.modules
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
  async:
    support: full
seealso:
  - module: crossaccount.ecr.ecr_repository_tag
    description: Sets the tags that grant access.
  - module: crossaccount.ecr.ecr_access_info
    description: Proves the access from the consumer account.
  - ref: ansible_collections.crossaccount.ecr.ecr_share_role
    description: The role C(crossaccount.ecr.ecr_share) manages the role and the tags together, in a safe order.
"""

EXAMPLES = r"""
- name: Share the repositories with the tag environment=release with one account
  crossaccount.ecr.iam_ecr_pull_role:
    name: allow_ecr_release
    repository_tags:
      environment: release
    consumers:
      - account: "222222222222"
        external_id: 7c2f4e0b-share

- name: Share with one user and one pipeline only
  crossaccount.ecr.iam_ecr_pull_role:
    name: allow_ecr_release
    access: pull
    repository_tags:
      environment: [release, hotfix]
    consumers:
      - account: "222222222222"
        principals: [user/puller]
        external_id: 7c2f4e0b-share
      - account: "444444444444"
        principals: [role/ci/deployer]
        principal_match: condition
        external_id: 91d3aa52-share
"""

RETURN = r"""
role_arn:
  description: The ARN of the role.
  returned: success
  type: str
  sample: arn:aws:iam::111111111111:role/allow_ecr_release
policy_arn:
  description: The ARN of the managed policy.
  returned: success
  type: str
  sample: arn:aws:iam::111111111111:policy/allow_ecr_release
account:
  description: The account ID of the owner account.
  returned: success
  type: str
  sample: "111111111111"
permissions:
  description: The permissions policy document. Empty with O(state=absent).
  returned: success
  type: dict
  sample:
    Version: "2012-10-17"
    Statement: []
trust:
  description: The trust policy document. Empty with O(state=absent).
  returned: success
  type: dict
  sample:
    Version: "2012-10-17"
    Statement: []
consumers:
  description: The consumers, each with the external ID in its trust statement.
  returned: success
  type: list
  elements: dict
  sample:
    - account: "222222222222"
      principals: []
      organization_id: null
      organization_units: []
      external_id: 7c2f4e0b-share
expires:
  description: The end of the access. V(null) if it does not end.
  returned: success
  type: str
  sample: "2026-12-31T00:00:00Z"
before:
  description: The settings that determine the access, as they were before the run.
  returned: success
  type: dict
  sample:
    permissions: {}
    trust: {}
    attached: false
dangling_principals:
  description:
    - The unique IDs of deleted users and roles that were in the trust policy before the run. The run replaces them.
  returned: success
  type: list
  elements: str
  sample: []
steps:
  description: The writes, in the order in which they were made. In check mode, the writes that a run would make.
  returned: success
  type: list
  elements: str
  sample: [create_role, create_policy, attach]
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import run_and_exit
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull_role import (
    PULL_ROLE_ARGUMENTS,
    PULL_ROLE_RULES,
    pull_role,
)


def main() -> None:
    module = AnsibleAWSModule(argument_spec=PULL_ROLE_ARGUMENTS, supports_check_mode=True, **PULL_ROLE_RULES)
    run_and_exit(module, pull_role)


if __name__ == "__main__":
    main()
