#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_share_info
short_description: Plans ECR shares, and reports who gains and who loses access
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Reads the owner account, plans all declared shares together, and reports the plan. It changes nothing.
  - All shares are validated, by themselves and against each other. All problems are reported in one failure.
  - The plan is a list of options for M(crossaccount.ecr.ecr_repository_tag) and M(crossaccount.ecr.iam_ecr_pull_role).
    Carried out in the order RV(untag), RV(roles), RV(tag), at no moment can a principal read a repository unless the
    old or the new declaration allows exactly that. The role P(crossaccount.ecr.ecr_share#role) does so.
  - What cannot be read becomes a warning that names what is unknown. To find roles that are not declared, the caller
    needs C(iam:GetAccountAuthorizationDetails), a read of the account's IAM configuration. Without it, the run goes on.
  - On the controller itself, without C(become), the module runs in the process of C(ansible-playbook).
options:
  shares:
    description:
      - The shares. An option that a share does not have is taken from O(defaults).
      - Without this list, O(defaults) is the only share.
    type: list
    elements: dict
    suboptions: &share
      role_name:
        description: The name of the pull role. Required.
        type: str
      state:
        description:
          - V(present) shares. V(absent) removes the tags, then deletes the role and its policy. V(present) by default.
        type: str
        choices: [present, absent]
      policy_name:
        description: The name of the managed policy. The default is the role's name.
        type: str
      repository_tags:
        description: The tags that grant access. All keys are required; a list as value means any of them. Required.
        type: dict
      repositories:
        description: The repositories to share, by name or C(fnmatch) pattern. Required.
        type: list
        elements: str
      tags:
        description: The tags that the repositories get. The default is the tags that grant access.
        type: dict
      consumers:
        description:
          - Who can assume the role, see M(crossaccount.ecr.iam_ecr_pull_role). Required if the share is to be present.
        type: list
        elements: dict
        suboptions:
          account:
            description: The consumer account's ID, 12 digits, quoted. It cannot be the owner account.
            type: raw
            required: true
          principals:
            description: Users and roles of that account, as C(user/NAME), C(role/NAME) or ARNs. All of them by default.
            type: list
            elements: str
          external_id:
            description: What the consumer must present. V(generate) makes a random one, and keeps it afterwards.
            type: str
          allow_no_external_id:
            description: Allow this consumer without an external ID.
            type: bool
            default: false
          principal_match:
            description: Whether the trust policy names the principals, or has a condition on C(aws:PrincipalArn).
            type: str
            choices: [principal, condition]
            default: principal
          organization_id:
            description: Require that the consumer account is in this AWS organization.
            type: str
          require_mfa:
            description: Require that the caller signed in with a second factor.
            type: bool
            default: false
      access:
        description: V(pull) is what a container engine needs, V(read) adds describing and listing. V(read) by default.
        type: str
        choices: [pull, read]
      condition_key:
        description: Which condition key carries the tag. V(ecr) by default.
        type: str
        choices: [ecr, aws]
      path:
        description: The IAM path of the role and its policy. V(/) by default.
        type: str
      description:
        description: The role's description. If omitted, the current value is kept.
        type: str
      max_session_duration:
        description: The longest session in seconds. If omitted, the current value is kept.
        type: int
      permissions_boundary:
        description: The ARN of the policy that bounds the role. If omitted, the current value is kept.
        type: str
      exclusive:
        description: Remove the tags from every other repository of these regions. Off by default.
        type: bool
      regions:
        description: The regions of the repositories. The default is the region of the connection.
        type: list
        elements: str
      adopt:
        description: Take over a role or policy of this name that this collection did not create. Off by default.
        type: bool
      denied:
        description: Repositories whose denial the consumer proves. They go into the hand-off.
        type: list
        elements: str
      images:
        description: Images that the consumer pulls. They go into the hand-off.
        type: list
        elements: str
      handoff_path:
        description: The hand-off file on the controller, see M(crossaccount.ecr.ecr_handoff).
        type: str
  defaults:
    description: What the shares have in common.
    type: dict
    suboptions: *share
  state:
    description: V(absent) ends all shares, whatever their own state is.
    type: str
    choices: [present, absent]
    default: present
  trust_policy_quota:
    description: How many characters a trust policy may have. Set V(4096) if AWS raised the quota of the account.
    type: int
    choices: [2048, 4096]
    default: 2048
  expect_unchanged:
    description:
      - For a second plan, after the first one was carried out. Wait until AWS returns everything as declared, as
        O(wait), O(wait_timeout) and O(wait_interval) say, and fail if anything still differs from the declaration.
      - In check mode nothing was carried out, so it does not wait.
    type: bool
    default: false
  owner_account:
    description:
      - The account that owns the repositories, 12 digits, quoted. With credentials of another account, the module stops
        before it reads anything else.
    type: raw
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
    support: none
    details: Nothing is changed. RV(diff) has what a run changes.
"""

EXAMPLES = r"""
- name: Plan two shares
  crossaccount.ecr.ecr_share_info:
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
  description: Options of M(crossaccount.ecr.ecr_repository_tag) with C(state=absent), to be carried out first.
  returned: success
  type: list
  elements: dict
  sample: []
roles:
  description: Options of M(crossaccount.ecr.iam_ecr_pull_role), to be carried out second.
  returned: success
  type: list
  elements: dict
  sample:
    - name: allow_ecr_release
      state: present
tag:
  description: Options of M(crossaccount.ecr.ecr_repository_tag), to be carried out last.
  returned: success
  type: list
  elements: dict
  sample:
    - region: ap-northeast-1
      names: [release]
      tags:
        environment: release
access_gained:
  description: Who gains access, as C(principal), C(repository) and C(region).
  returned: success
  type: list
  elements: dict
  sample:
    - principal: 222222222222 (external ID)
      repository: release
      region: ap-northeast-1
access_lost:
  description: Who loses access, in the same form.
  returned: success
  type: list
  elements: dict
  sample: []
lines:
  description: Who gains and who loses access, for people. A line names at most ten repositories.
  returned: success
  type: list
  elements: str
  sample:
    - "+ 222222222222 (external ID) can pull release"
all_lines:
  description: The same with the names of all repositories.
  returned: success
  type: list
  elements: str
  sample:
    - "+ 222222222222 (external ID) can pull release"
summary:
  description: What is shared after the plan was carried out, for people. A line names at most ten repositories.
  returned: success
  type: list
  elements: str
  sample:
    - Owner account 111111111111, role arn:aws:iam::111111111111:role/allow_ecr_release
all_summary:
  description: The same with the names of all repositories.
  returned: success
  type: list
  elements: str
  sample:
    - Owner account 111111111111, role arn:aws:iam::111111111111:role/allow_ecr_release
handoffs:
  description: Options of M(crossaccount.ecr.ecr_handoff) for each share, empty for a share that is absent.
  returned: success
  type: list
  elements: dict
  sample: []
shares:
  description: Each share as it is after the plan was carried out.
  returned: success
  type: list
  elements: dict
  contains: &shared
    role_name:
      description: The name of the pull role.
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
      description: The ARN of its policy.
      type: str
      sample: arn:aws:iam::111111111111:policy/allow_ecr_release
    account:
      description: The owner account.
      type: str
      sample: "111111111111"
    changed:
      description: Whether the plan changes this share.
      type: bool
      sample: true
    consumers:
      description: The consumers, each with the external ID that its trust statement has.
      type: list
      elements: dict
      sample:
        - account: "222222222222"
          principals: []
          external_id: 7c2f4e0b-share
    permissions:
      description: The permissions document, empty if the share is absent.
      type: dict
      sample: {}
    trust:
      description: The trust policy, empty if the share is absent.
      type: dict
      sample: {}
    regions:
      description: For each region its registry and the shared repositories.
      type: list
      elements: dict
      sample:
        - region: ap-northeast-1
          registry: 111111111111.dkr.ecr.ap-northeast-1.amazonaws.com
          repositories:
            - name: release
share:
  description: The only share; empty if there are several.
  returned: success
  type: dict
  contains: *shared
diff:
  description: What the plan changes, in the form of Ansible's diff.
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
