#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: iam_ecr_tag_guard
short_description: Limit who may set the tags that share ECR repositories
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Each user or role that may set a sharing tag can share a repository. The guard denies setting these tags.
  - Writes a service control policy (SCP) and a resource control policy (RCP) to files, for the administrator of the
    organization. Both deny the tags to all principals except the caller of this module. The module never changes an
    organization.
  - With O(guard=deny), also creates a managed policy that denies the tags, and attaches it to O(principals) and to
    nothing else. The policy is detached from each user, role and group that O(principals) does not name.
  - The policies deny C(ecr:CreateRepository) and C(ecr:TagResource) with one of the tags, in each spelling of its key.
    The tagging API and the tag editor of the console also need C(ecr:TagResource). Other tags, and other values of the
    same keys, are allowed.
  - They also deny each C(ecr:CreateRepositoryCreationTemplate) and C(ecr:UpdateRepositoryCreationTemplate), because IAM
    cannot check the tags in a template.
  - A repository creation template that already sets a sharing tag continues to set it. A warning names such templates.
    The caller needs C(ecr:DescribeRepositoryCreationTemplates) to find them.
  - A principal that may change IAM policies can detach the managed policy. It cannot change the SCP and the RCP.
  - All problems are reported in one failure before the first write. The caller itself cannot be one of O(principals).
options:
  guard_name:
    description:
      - The name of the managed policy, and the first part of the names of the files.
      - Two declarations in the same account need different names. Otherwise, each declaration replaces the guard of the
        other.
    type: str
    default: deny_ecr_sharing_tag
  guard:
    description:
      - V(report) writes the files. It also deletes the managed policy, if it is a guard of this collection.
      - V(deny) also creates and attaches the managed policy.
      - V(absent) detaches the managed policy from all principals, and deletes it. The files are kept.
    type: str
    choices: [report, deny, absent]
    default: report
  repository_tags:
    description:
      - The tags that grant access. If a value is a list, each value of the list is denied.
      - Required unless O(guard=absent).
    type: dict
  principals:
    description:
      - The users and roles under the guard, as C(user/NAME), C(role/NAME), C(role/PATH/NAME) or their ARNs. They must
        exist in the account of the caller.
      - Required with O(guard=deny). With O(guard=report), they are only validated.
    type: list
    elements: str
  dest:
    description:
      - The directory of the files on the control node. It must exist. The names of the files are
        C(NAME-ACCOUNT-scp.json) and C(NAME-ACCOUNT-rcp.json).
    type: str
    default: .
  regions:
    description: The regions whose repository creation templates are checked. The default is the region of the module.
    type: list
    elements: str
  adopt:
    description: Manage an existing policy of this name that this collection did not create.
    type: bool
    default: false
extends_documentation_fragment:
  - crossaccount.ecr._owner_account
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
    support: none
seealso:
  - module: crossaccount.ecr.ecr_audit_info
    description: Lists the principals that may set the tags.
  - module: crossaccount.ecr.iam_ecr_pull_role
    description: Manages the role that grants access by the tags.
"""

EXAMPLES = r"""
- name: Write the policies for the administrator of the organization
  crossaccount.ecr.iam_ecr_tag_guard:
    repository_tags:
      environment: release
    dest: policies

- name: Also deny the tag to one user and one role
  crossaccount.ecr.iam_ecr_tag_guard:
    guard: deny
    repository_tags:
      environment: [release, hotfix]
    principals:
      - user/developer
      - role/ci/deployer
"""

RETURN = r"""
account:
  description: The account ID of the owner account.
  returned: success
  type: str
  sample: "111111111111"
policy_arn:
  description: The ARN of the managed policy after the run. Empty if it does not exist.
  returned: success
  type: str
  sample: arn:aws:iam::111111111111:policy/deny_ecr_sharing_tag
attached_to:
  description: The users and roles to which the managed policy is attached after the run, without their paths.
  returned: success
  type: list
  elements: str
  sample: [user/developer, role/deployer]
files:
  description: The policies for the administrator of the organization. Empty with O(guard=absent).
  returned: success
  type: list
  elements: dict
  contains:
    type:
      description: C(scp) for the service control policy, or C(rcp) for the resource control policy.
      type: str
      sample: scp
    path:
      description: The path of the file on the control node.
      type: str
      sample: policies/deny_ecr_sharing_tag-111111111111-scp.json
    text:
      description: The text of the file, a policy document in JSON.
      type: str
      sample: "{}"
steps:
  description: The writes to IAM in their order. In check mode, the writes that a run would make.
  returned: success
  type: list
  elements: str
  sample: [create_policy, attach_to, attach_to]
lines:
  description: The guard as text.
  returned: success
  type: list
  elements: str
  sample:
    - >-
      Tag guard: policy arn:aws:iam::111111111111:policy/deny_ecr_sharing_tag denies environment=release to
      user developer, role deployer
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import run_and_exit
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_guard_policy import TAG_GUARD_ARGUMENTS, tag_guard


def main() -> None:
    run_and_exit(AnsibleAWSModule(argument_spec=TAG_GUARD_ARGUMENTS, supports_check_mode=True), tag_guard)


if __name__ == "__main__":
    main()
