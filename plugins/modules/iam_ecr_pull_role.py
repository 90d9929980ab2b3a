#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: iam_ecr_pull_role
short_description: Manage the role with which other accounts pull from tagged ECR repositories
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Manages one role with its managed policy and its trust policy as one resource.
  - The managed policy allows reading from the repositories of the owner account that have all of O(repository_tags),
    and C(ecr:GetAuthorizationToken), which has no resource and gives no access by itself.
  - The trust policy has one statement for each of O(consumers), and no other statement.
  - Documents are compared by meaning. The order of the writes ensures that at no moment can a principal read a
    repository unless the old or the new declaration allows it.
  - An existing role or policy that is not tagged C(managed-by=crossaccount.ecr) and that differs from the declaration
    is not changed unless O(adopt=true).
options:
  name:
    description: The name of the role, 1 to 64 letters, digits and characters of C(_+=,.@-).
    type: str
    required: true
  policy_name:
    description: The name of the managed policy, 1 to 128 of the same characters. The default is O(name).
    type: str
  repository_tags:
    description:
      - The tags that grant access. A repository needs all keys. If a value is a list, any value of the list matches.
      - Required with O(state=present).
    type: dict
  access:
    description:
      - V(pull) is what a container engine needs, C(ecr:BatchGetImage) and C(ecr:GetDownloadUrlForLayer).
      - V(read) adds describing and listing images, repositories and repository tags.
    type: str
    choices: [pull, read]
    default: read
  condition_key:
    description: Which condition key carries the tag, C(ecr:ResourceTag/<key>) or C(aws:ResourceTag/<key>).
    type: str
    choices: [ecr, aws]
    default: ecr
  regions:
    description: The regions whose repositories the role can reach. The default is all regions.
    type: list
    elements: str
  consumers:
    description:
      - Who can assume the role. Each entry is one statement of the trust policy.
      - Required with O(state=present).
    type: list
    elements: dict
    suboptions:
      account:
        description:
          - The consumer account's ID, 12 digits. Quote it, or YAML reads a number. It cannot be the owner account.
          - White space around it, dashes as in C(2222-2222-2222), and the ARN of the account's root are read as the ID.
            The ARN of a user or a role is rejected. Set it in O(consumers[].principals).
        type: raw
        required: true
      principals:
        description:
          - The users and roles in that account, as C(user/NAME), C(role/NAME) or full ARNs.
          - The default is the whole account. Its own policies then decide which of its principals can assume the role.
        type: list
        elements: str
      external_id:
        description:
          - What the consumer must present, 2 to 1,224 letters, digits and characters of C(_+=,.@:/-).
          - V(generate) creates a random external ID once. Later runs read it from the trust policy of the role.
          - AWS does not treat it as a secret. It prevents the confused deputy problem, so each consumer account needs a
            different external ID, and each statement of an account needs one.
        type: str
      allow_no_external_id:
        description: Allow this consumer without an external ID. No other statement of its account can have one then.
        type: bool
        default: false
      principal_match:
        description:
          - V(principal) names the ARNs in the trust policy. IAM binds them to the unique ID of the user or role, so a
            principal that is deleted and created again is not trusted.
          - V(condition) trusts the account with a condition on C(aws:PrincipalArn). A principal that is deleted and
            created again is trusted.
        type: str
        choices: [principal, condition]
        default: principal
      organization_id:
        description: Require that the consumer account is in this AWS organization.
        type: str
      require_mfa:
        description: Require that the caller signed in with MFA.
        type: bool
        default: false
  max_session_duration:
    description:
      - The maximum session duration in seconds, 3,600 to 43,200.
      - If omitted, the current value is kept. The default of IAM for a new role is 3,600.
    type: int
  path:
    description: The path of the role and its policy. IAM cannot change it later.
    type: str
    default: /
  description:
    description: The description of the role, up to 1,000 Latin-1 characters. If omitted, the current value is kept.
    type: str
  permissions_boundary:
    description: The ARN of the permissions boundary of the role. If omitted, the current value is kept.
    type: str
  tags:
    description: The IAM tags of the role and its policy. Other tags are kept.
    type: dict
  owner_account:
    description:
      - The account that owns the repositories, 12 digits, quoted. With credentials of another account, the module stops
        before it reads or writes anything.
    type: raw
  trust_policy_quota:
    description:
      - How many characters the trust policy may have. Set V(4096) if AWS raised the quota of the account, see the IAM
        User Guide, "IAM and AWS STS quotas".
    type: int
    choices: [2048, 4096]
    default: 2048
  adopt:
    description: Take over a role or policy of this name that this collection did not create.
    type: bool
    default: false
  state:
    description:
      - V(present) creates or changes the role and its policy as declared.
      - V(absent) deletes both. It fails if others attached something to the role, or the policy to something.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - crossaccount.ecr.assume_role
  - crossaccount.ecr.wait
  - crossaccount.ecr.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
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
  description: The role's ARN.
  returned: success
  type: str
  sample: arn:aws:iam::111111111111:role/allow_ecr_release
policy_arn:
  description: The managed policy's ARN.
  returned: success
  type: str
  sample: arn:aws:iam::111111111111:policy/allow_ecr_release
account:
  description: The owner account.
  returned: success
  type: str
  sample: "111111111111"
permissions:
  description: The permissions document, empty with O(state=absent).
  returned: success
  type: dict
  sample:
    Version: "2012-10-17"
    Statement: []
trust:
  description: The trust policy, empty with O(state=absent).
  returned: success
  type: dict
  sample:
    Version: "2012-10-17"
    Statement: []
consumers:
  description: The consumers, each with the external ID that its trust statement has.
  returned: success
  type: list
  elements: dict
  sample:
    - account: "222222222222"
      principals: []
      external_id: 7c2f4e0b-share
before:
  description: The role before the run, as far as it decides who can read which repository.
  returned: success
  type: dict
  sample:
    permissions: {}
    trust: {}
    attached: false
dangling_principals:
  description: IDs in the trust before, of users and roles that were deleted. The declaration replaces them.
  returned: success
  type: list
  elements: str
  sample: []
steps:
  description: The writes that were made, or that would be made in check mode, in their order.
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
