#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_repository_policy_statement
short_description: Manage the statement of a share in the policies of many ECR repositories
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Manages one statement in the policy of each selected repository. The statement allows the consumers to pull with
    their own identity, without a role. All other statements of each policy are kept. The Sid identifies the statement.
  - For cross-account access, AWS requires two policies. The principal also needs an IAM policy in its own account that
    allows the same actions on these repositories, and C(ecr:GetAuthorizationToken).
  - All conditions of a statement apply to all of its principals. Therefore, consumers with the same conditions share a
    statement. Consumers with other conditions are in a separate statement, with a number at the end of its Sid.
  - All names are validated and all policies are read before the first write.
  - AWS replaces the whole policy with each write. The module reads each policy again immediately before and after it
    writes the policy. If the policy that AWS returns after the write differs from the written policy, the module fails
    and shows both policies.
  - If another program writes between the last read and the write of the module, the change of that program is lost. Do
    not run two programs that write the policy of one repository at the same time.
  - If the removed statement was the only one, the policy is deleted.
options:
  name:
    description:
      - The name of the share. It can have 1 to 64 letters, digits and characters from C(_+=,.@-). The RV(sid) of the
        statement is derived from the name. Each share needs its own name.
    type: str
    required: true
  policy:
    description:
      - With V(repository), the policy of each selected repository has the statement.
      - With V(registry), the policy of the registry has the statement, with a condition on the O(repository_tags). It
        applies to all repositories that have the tags, including those that get them later.
      - The documentation of AWS states that a registry policy can grant a pull. A maintainer of another project reports
        that it cannot (akuity/kargo#5587). V(registry) has not been tested on AWS yet.
    type: str
    choices: [repository, registry]
    default: repository
  names:
    description:
      - The repositories, by exact name or C(fnmatch) pattern such as V(tools/*).
      - A pattern that matches no repository is an error.
      - Either O(names) or O(repository_tags) is required with O(policy=repository).
    type: list
    elements: str
  repository_tags:
    description:
      - Select the repositories that have these tags. A repository must have all of the tag keys. If a value is a list,
        any value of the list matches. The case of keys is ignored, as in IAM.
      - A repository that gets the tags later gets the statement at the next run.
    type: dict
  exclusive:
    description:
      - With O(state=present), remove the statement from every other repository of the registry and region, such as a
        repository that lost the tags. The module then reads the policies of all repositories.
    type: bool
    default: false
  access:
    description:
      - V(pull) allows what a container engine needs.
      - V(read) also allows describing and listing images, repositories and repository tags.
    type: str
    choices: [pull, read]
    default: read
  adopt:
    description:
      - Replace or remove a statement that has the Sid of the share but was changed by another program. This ends the
        access that the changed statement allows.
    type: bool
    default: false
  state:
    description:
      - V(absent) removes the statement from the selected repositories. In this state, a repository that does not exist
        is not an error.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - crossaccount.ecr._shares.policy_consumers
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
    support: full
notes:
  - The caller needs C(ecr:GetRepositoryPolicy), C(ecr:SetRepositoryPolicy) and C(ecr:DeleteRepositoryPolicy) on the
    repositories. A pattern and O(exclusive) need C(ecr:DescribeRepositories). O(repository_tags) needs
    C(ecr:ListTagsForResource), C(tag:GetTagKeys) and C(tag:GetResources). O(policy=registry) needs
    C(ecr:GetRegistryPolicy), C(ecr:PutRegistryPolicy) and C(ecr:DeleteRegistryPolicy) instead.
  - If many repositories change, the diff lists them in groups, with only the statements of the share.
seealso:
  - module: crossaccount.ecr.iam_ecr_pull_role
    description: Shares through a role, with an external ID.
"""

EXAMPLES = r"""
- name: Let another account pull from two repositories and all of the tools, with its own identities
  crossaccount.ecr.ecr_repository_policy_statement:
    region: ap-northeast-1
    name: release-images
    names: [release, base, tools/*]
    consumers:
      - account: "222222222222"

- name: Let AWS Lambda in another account pull from the repositories that have a tag, and from no others
  crossaccount.ecr.ecr_repository_policy_statement:
    region: ap-northeast-1
    name: lambda-images
    repository_tags:
      lambda: "true"
    exclusive: true
    access: pull
    consumers:
      - account: "222222222222"
      - service: lambda.amazonaws.com
        source_arns: ["arn:aws:lambda:ap-northeast-1:222222222222:function:*"]

- name: End the access
  crossaccount.ecr.ecr_repository_policy_statement:
    region: ap-northeast-1
    name: release-images
    names: ["*"]
    state: absent
"""

RETURN = r"""
region:
  description: The region of the repositories.
  returned: success
  type: str
  sample: ap-northeast-1
sid:
  description: The Sid of the statement.
  returned: success
  type: str
  sample: CrossaccountEcrReleaseImages29352cc7
statements:
  description: The declared statement. Several if the consumers have different conditions. Empty with O(state=absent).
  returned: success
  type: list
  elements: dict
  sample:
    - Sid: CrossaccountEcrReleaseImages29352cc7
      Effect: Allow
      Principal:
        AWS: arn:aws:iam::222222222222:root
      Action: ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
repositories:
  description: The repositories whose policies were read, sorted by name. Empty with O(policy=registry).
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the repository.
      type: str
      sample: release
    changed:
      description: Whether the policy of the repository changes.
      type: bool
      sample: true
    state:
      description: V(present) if the policy has the statement after the run, otherwise V(absent).
      type: str
      sample: present
failed_repositories:
  description: The reason for each repository whose policy could not be written or was overwritten by another program.
  returned: if some policies were written and others were not
  type: dict
  sample: {}
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import run_and_exit
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy import (
    REPOSITORY_POLICY_ARGUMENTS,
    REPOSITORY_POLICY_RULES,
    repository_policy_statement,
)


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec=REPOSITORY_POLICY_ARGUMENTS, supports_check_mode=True, **REPOSITORY_POLICY_RULES
    )
    run_and_exit(module, repository_policy_statement)


if __name__ == "__main__":
    main()
