#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_share_info
short_description: Plan ECR shares, and report who gains and who loses access
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Reads the owner account, plans all declared shares together, and returns the plan. It changes nothing.
  - The module validates each share, and checks whether shares contradict each other. It reports all problems in one
    failure.
  - The plan is a list of options for M(crossaccount.ecr.ecr_repository_tag), M(crossaccount.ecr.iam_ecr_pull_role) and
    M(crossaccount.ecr.ecr_repository_policy_statement). Apply them in the order RV(untag), RV(statements), RV(roles),
    RV(tag). Then, at every moment, a principal can read a repository only if the old or the new declaration allows it.
    The role P(crossaccount.ecr.ecr_share#role) applies the plan in this order.
  - If an object cannot be read, a warning names the facts that are unknown. To find roles that are not declared, the
    caller needs C(iam:GetAccountAuthorizationDetails), which reads the IAM configuration of the account. Without this
    permission, the module shows a warning and continues.
  - On the control node itself, without C(become), the module runs in the process of C(ansible-playbook).
options:
  state:
    description: V(absent) ends all shares, whatever their own state is.
    type: str
    choices: [present, absent]
    default: present
  expired_only:
    description:
      - With O(state=absent), delete only the roles of shares and consumers whose end has passed, and the tags that no
        other role grants. Nothing else is changed. The end must have passed both in the declaration and in AWS.
    type: bool
    default: false
  expect_unchanged:
    description:
      - Plan again after the first plan was applied. The module waits until AWS returns everything as declared, and
        fails if any setting still differs after O(wait_timeout).
      - In check mode, no plan was applied, and the module does not wait.
    type: bool
    default: false
  tag_guard:
    description:
      - Limits who may set the tags of all present shares. The module validates the guard, and returns RV(tag_guards).
    type: dict
    suboptions:
      guard:
        description:
          - See M(crossaccount.ecr.iam_ecr_tag_guard). If omitted, there is no guard. With O(state=absent), each value
            means V(absent).
        type: str
        choices: [report, deny, absent]
      guard_name:
        description: The name of the managed policy. It cannot be that of a share.
        type: str
        default: deny_ecr_sharing_tag
      principals:
        description: The users and roles under the guard.
        type: list
        elements: str
      dest:
        description: The directory of the files on the control node.
        type: str
        default: .
      adopt:
        description: Manage an existing policy of this name that this collection did not create.
        type: bool
        default: false
extends_documentation_fragment:
  - crossaccount.ecr._shares.shares
  - crossaccount.ecr._owner_account
  - crossaccount.ecr._owner_account.trust_policy_quota
  - crossaccount.ecr._assume_role
  - crossaccount.ecr._wait
  - crossaccount.ecr._attributes
  - crossaccount.ecr._attributes.info
  - crossaccount.ecr._attributes.action_group
  - crossaccount.ecr._requirements.aws
  - amazon.aws.common.modules
  - amazon.aws.region.modules
attributes:
  async:
    support: full
seealso:
  - ref: ansible_collections.crossaccount.ecr.ecr_share_role
    description: The role C(crossaccount.ecr.ecr_share) applies the plan.
  - module: crossaccount.ecr.ecr_repository_tag
    description: Applies RV(untag) and RV(tag).
  - module: crossaccount.ecr.iam_ecr_pull_role
    description: Applies RV(roles).
  - module: crossaccount.ecr.ecr_repository_policy_statement
    description: Applies RV(statements).
  - module: crossaccount.ecr.iam_ecr_tag_guard
    description: Applies RV(tag_guards).
  - module: crossaccount.ecr.ecr_handoff
    description: Writes RV(handoffs).
"""

EXAMPLES = r"""
- name: Plan two shares
  crossaccount.ecr.ecr_share_info:
    region: ap-northeast-1
    shares:
      - role_name: allow_ecr_release
        repository_tags:
          environment: release
        repositories: [release]
        consumers:
          - account: "222222222222"
            external_id: 7c2f4e0b-share
      - role_name: allow_ecr_develop
        state: absent
        repository_tags:
          environment: develop
        repositories: [develop]
  register: plan

- name: Show who gains and who loses access
  crossaccount.ecr.display_lines:
    lines: "{{ plan.lines }}"
"""

RETURN = r"""
would_change:
  description: Whether anything differs from the declaration.
  returned: success
  type: bool
  sample: true
untag:
  description: Options of M(crossaccount.ecr.ecr_repository_tag) with C(state=absent), to be applied first.
  returned: success
  type: list
  elements: dict
  sample: []
roles:
  description: Options of M(crossaccount.ecr.iam_ecr_pull_role), to be applied third.
  returned: success
  type: list
  elements: dict
  sample:
    - name: allow_ecr_release
      state: present
statements:
  description:
    - Options of M(crossaccount.ecr.ecr_repository_policy_statement), to be applied second. The last steps remove the
      statements of an earlier mode.
  returned: success
  type: list
  elements: dict
  sample: []
tag:
  description: Options of M(crossaccount.ecr.ecr_repository_tag), to be applied last.
  returned: success
  type: list
  elements: dict
  sample:
    - region: ap-northeast-1
      names: [release]
      tags:
        environment: release
tag_guards:
  description: Options of M(crossaccount.ecr.iam_ecr_tag_guard), with the tags of all present shares.
  returned: success
  type: list
  elements: dict
  sample: []
access_gained:
  description: The access that the plan adds.
  returned: success
  type: list
  elements: dict
  contains: &access
    principal:
      description: The consumer account, user or role.
      type: str
      sample: 222222222222 (external ID)
    repository:
      description: The name of the repository.
      type: str
      sample: release
    region:
      description: The region of the repository.
      type: str
      sample: ap-northeast-1
access_lost:
  description: The access that the plan removes.
  returned: success
  type: list
  elements: dict
  contains: *access
lines:
  description: The principals that gain or lose access, as lines of text. A line names at most ten repositories.
  returned: success
  type: list
  elements: str
  sample:
    - "+ 222222222222 (external ID) can pull release"
all_lines:
  description: The same lines with the names of all repositories.
  returned: success
  type: list
  elements: str
  sample:
    - "+ 222222222222 (external ID) can pull release"
summary:
  description: The shares after the plan is applied, as lines of text. A line names at most ten repositories.
  returned: success
  type: list
  elements: str
  sample:
    - Owner account 111111111111, role arn:aws:iam::111111111111:role/allow_ecr_release
all_summary:
  description: The same lines with the names of all repositories.
  returned: success
  type: list
  elements: str
  sample:
    - Owner account 111111111111, role arn:aws:iam::111111111111:role/allow_ecr_release
regions:
  description: The regions of the shared repositories, and of those to which a principal loses access.
  returned: success
  type: list
  elements: str
  sample: [ap-northeast-1]
repositories:
  description: The shared repositories, and those to which a principal loses access.
  returned: success
  type: list
  elements: str
  sample: [release]
handoffs:
  description: Options of M(crossaccount.ecr.ecr_handoff) for each share. Empty for a share that is absent.
  returned: success
  type: list
  elements: dict
  sample: []
shares:
  description: Each pull role, and each share without a role, after the plan is applied.
  returned: success
  type: list
  elements: dict
  contains: &shared
    id:
      description: The ARN of the pull role. Without a role, the Sid of the statement.
      type: str
      sample: arn:aws:iam::111111111111:role/allow_ecr_release
    mode:
      description: V(role), V(repository_policy) or V(registry_policy).
      type: str
      sample: role
    sid:
      description: The Sid of the statement in the policies. Empty with a role.
      type: str
      sample: ""
    consumer_policy:
      description:
        - The IAM policy that a principal of the consumer needs in addition to the policies of the repositories. Empty
          with a role.
      type: dict
      sample: {}
    role_name:
      description: The name of the pull role, or of the share without a role.
      type: str
      sample: allow_ecr_release
    state:
      description: V(present) or V(absent).
      type: str
      sample: present
    role_arn:
      description: The ARN of the pull role.
      type: str
      sample: arn:aws:iam::111111111111:role/allow_ecr_release
    policy_arn:
      description: The ARN of the managed policy.
      type: str
      sample: arn:aws:iam::111111111111:policy/allow_ecr_release
    account:
      description: The account ID of the owner account.
      type: str
      sample: "111111111111"
    changed:
      description: Whether the plan changes this share.
      type: bool
      sample: true
    consumers:
      description: The consumers, each with the external ID in its trust statement.
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
      type: str
      sample: "2026-12-31T00:00:00Z"
    permissions:
      description: The permissions policy document. Empty if the share is absent.
      type: dict
      sample: {}
    trust:
      description: The trust policy document. Empty if the share is absent.
      type: dict
      sample: {}
    regions:
      description: The registry and the shared repositories of each region.
      type: list
      elements: dict
      sample:
        - region: ap-northeast-1
          registry: 111111111111.dkr.ecr.ap-northeast-1.amazonaws.com
          repositories:
            - name: release
share:
  description:
    - If exactly one entry of RV(shares) is present, that entry. If no entry is present, and RV(shares) has only one
      entry, this entry. Otherwise, empty.
  returned: success
  type: dict
  contains: *shared
diff:
  description: The changes of the plan, in the format of Ansible's diff.
  returned: success
  type: list
  elements: dict
  sample: []
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import run_and_exit
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_info import SHARE_INFO_ARGUMENTS, share_info


def main() -> None:
    run_and_exit(AnsibleAWSModule(argument_spec=SHARE_INFO_ARGUMENTS, supports_check_mode=True), share_info)


if __name__ == "__main__":
    main()
