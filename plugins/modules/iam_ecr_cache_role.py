#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: iam_ecr_cache_role
short_description: Manage the role with which ECR reads the upstream registry of a cache
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Manages a role of the account that caches the images, and a managed policy of the same name. ECR assumes the role
    when an image is pulled through the cache (M(crossaccount.ecr.ecr_pull_through_rule)).
  - The trust policy allows C(pullthroughcache.ecr.amazonaws.com) to assume the role, without a condition. ECR passes no
    external ID, and AWS documents no condition key for this request. Therefore, the role cannot be a pull role
    (M(crossaccount.ecr.iam_ecr_pull_role)), which requires an external ID. C(iam:PassRole) decides who may use the role
    in a rule.
  - The policy allows ECR to read the repositories of O(upstream_prefix) in the upstream registry, and to write to the
    repositories of O(prefix) in this registry. If the upstream registry is in another account, that account also has to
    accept the role (M(crossaccount.ecr.ecr_registry_policy_statement)).
  - The role and the policy have the tag C(managed-by=crossaccount.ecr-cache), and C(crossaccount.ecr-cache) with the
    region and the prefix of the cache. A role or a policy of another program or of another cache is changed or deleted
    only with O(adopt=true).
options:
  name:
    description: The name of the role and of its policy. Give each cache its own role.
    type: str
    required: true
  path:
    description: The path of the role and of its policy.
    type: str
    default: /
  prefixes:
    description:
      - The first parts of the names of the upstream repositories that the role may read, such as V(release). The
        default is all repositories of O(upstream_prefix).
      - Use this option for a cache of another region of the same account. No registry policy limits such a cache.
    type: list
    elements: str
  permissions_boundary:
    description: The ARN of the permissions boundary of the role.
    type: str
  adopt:
    description:
      - Change or delete an existing role or policy that this module did not create, or that belongs to another cache.
    type: bool
    default: false
  state:
    description:
      - V(absent) deletes the role and the policy. Delete the rule first, because ECR cannot read the upstream registry
        without the role.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - crossaccount.ecr._cache
  - crossaccount.ecr._registry_account
  - crossaccount.ecr._assume_role
  - crossaccount.ecr._wait.registry
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
  - module: crossaccount.ecr.ecr_pull_through_rule
    description: Manages the rule that uses the role.
"""

EXAMPLES = r"""
- name: Let ECR read the repositories of another account for a cache
  crossaccount.ecr.iam_ecr_cache_role:
    name: ecr-cache
    prefix: cache
    upstream_account: "111111111111"
    upstream_region: ap-northeast-1

- name: Delete the role after the rule
  crossaccount.ecr.iam_ecr_cache_role:
    name: ecr-cache
    prefix: cache
    upstream_account: "111111111111"
    state: absent
"""

RETURN = r"""
account:
  description: The account ID of the role.
  returned: success
  type: str
  sample: "222222222222"
role_arn:
  description: The ARN of the role.
  returned: success
  type: str
  sample: arn:aws:iam::222222222222:role/ecr-cache
policy_arn:
  description: The ARN of its policy.
  returned: success
  type: str
  sample: arn:aws:iam::222222222222:policy/ecr-cache
trust:
  description: The trust policy after the run. Empty with O(state=absent).
  returned: success
  type: dict
  sample: {}
permissions:
  description: The permissions after the run. Empty with O(state=absent).
  returned: success
  type: dict
  sample: {}
steps:
  description: The writes of the run. In check mode, those that a run would make.
  returned: success
  type: list
  elements: str
  sample: [create_role, create_policy, attach]
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_role import CACHE_ROLE_ARGUMENTS, cache_role
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import run_and_exit


def main() -> None:
    module = AnsibleAWSModule(argument_spec=CACHE_ROLE_ARGUMENTS, supports_check_mode=True)
    run_and_exit(module, cache_role)


if __name__ == "__main__":
    main()
