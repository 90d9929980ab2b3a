#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_pull_through_rule
short_description: Manage a rule that caches images of another ECR registry
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Manages one pull through cache rule of a registry whose upstream is an ECR registry of another account or another
    region. The first pull of an image through the cache copies the image to this registry.
  - AWS can change only the role of a rule. If a rule with this prefix has another upstream, the module fails and
    changes nothing. If it has another role than O(custom_role_arn), the module changes it only with O(adopt=true),
    because a rule does not show which program created it.
  - At the end, even if nothing changes, ECR validates a rule that has a role. The module fails if ECR cannot assume the
    role or cannot reach the upstream registry.
  - ECR assumes the role without an external ID. Therefore, the role cannot be a pull role
    (M(crossaccount.ecr.iam_ecr_pull_role)).
options:
  custom_role_arn:
    description:
      - The role that ECR assumes to read the upstream registry, in the account of the cache. See
        M(crossaccount.ecr.iam_ecr_cache_role).
      - Required for an upstream registry of another account. If it is omitted, an existing rule keeps its role.
    type: str
  adopt:
    description: Change the role of an existing rule, or delete a rule that has another role than O(custom_role_arn).
    type: bool
    default: false
  state:
    description:
      - V(absent) deletes the rule, if it has this upstream. The cached images stay.
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
    details: The rule is not validated.
  diff_mode:
    support: full
  idempotent:
    support: full
  async:
    support: full
notes:
  - The caller needs C(ecr:DescribePullThroughCacheRules), C(ecr:CreatePullThroughCacheRule),
    C(ecr:UpdatePullThroughCacheRule), C(ecr:DeletePullThroughCacheRule), C(ecr:ValidatePullThroughCacheRule) and
    C(iam:PassRole) on the role. The first rule of an account also needs C(iam:CreateServiceLinkedRole).
  - AWS Lambda cannot pull through a cache. AWS supports no rules in the partitions C(aws-cn) and C(aws-us-gov).
seealso:
  - module: crossaccount.ecr.iam_ecr_cache_role
    description: Manages the role that ECR assumes.
  - module: crossaccount.ecr.ecr_registry_policy_statement
    description: Accepts the role in the registry of the other account.
  - module: crossaccount.ecr.ecr_repository_creation_template
    description: Manages the settings of the repositories that the cache creates.
"""

EXAMPLES = r"""
- name: Cache the release repositories of another account
  crossaccount.ecr.ecr_pull_through_rule:
    prefix: cache
    upstream_account: "111111111111"
    upstream_region: ap-northeast-1
    custom_role_arn: arn:aws:iam::222222222222:role/ecr-cache

- name: Cache no further images. The cached images stay
  crossaccount.ecr.ecr_pull_through_rule:
    prefix: cache
    upstream_account: "111111111111"
    upstream_region: ap-northeast-1
    state: absent
"""

RETURN = r"""
account:
  description: The account ID of the registry.
  returned: success
  type: str
  sample: "222222222222"
region:
  description: The region of the registry.
  returned: success
  type: str
  sample: ap-northeast-1
rule:
  description: The rule after the run. Empty with O(state=absent).
  returned: success
  type: dict
  sample:
    prefix: cache
    upstream_registry: 111111111111.dkr.ecr.ap-northeast-1.amazonaws.com
    upstream_prefix: ROOT
    custom_role_arn: arn:aws:iam::222222222222:role/ecr-cache
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_rule import (
    PULL_THROUGH_RULE_ARGUMENTS,
    pull_through_rule,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import run_and_exit


def main() -> None:
    module = AnsibleAWSModule(argument_spec=PULL_THROUGH_RULE_ARGUMENTS, supports_check_mode=True)
    run_and_exit(module, pull_through_rule)


if __name__ == "__main__":
    main()
