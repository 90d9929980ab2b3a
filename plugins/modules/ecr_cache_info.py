#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_cache_info
short_description: Plan a pull through cache for an ECR registry of another account
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Plans the changes to the role, the statement, the rule and the repository creation template of a pull through cache.
    It writes nothing.
  - The module fails if AWS would reject a change, if a change would replace an object that another program wrote, or if
    an account cannot be reached. The message lists the problems of both accounts.
  - The connection options apply to the account that caches the images. The options C(upstream_profile),
    C(upstream_assume_role_arn) and C(upstream_assume_role_external_id) apply to the upstream account.
  - If O(account) and O(upstream_account) are the same account, the upstream registry must be in another region. No
    statement is planned, and O(prefixes) limits the role instead.
options:
  name:
    description: The name of the role of the cache. See M(crossaccount.ecr.iam_ecr_cache_role).
    type: str
    required: true
  path:
    description: The path of the role.
    type: str
    default: /
  permissions_boundary:
    description: The ARN of the permissions boundary of the role.
    type: str
  account:
    description: The account ID of the registry that caches the images, 12 digits, quoted.
    type: raw
    required: true
  sid:
    description: The Sid of the statement. See M(crossaccount.ecr.ecr_registry_policy_statement).
    type: str
  template:
    description:
      - The settings of the repositories that the cache creates. The keys are options of
        M(crossaccount.ecr.ecr_repository_creation_template). If omitted, no template is written.
      - The template has a description that names this collection and the upstream account.
    type: dict
    suboptions:
      image_tag_mutability:
        description: Whether image tags can be overwritten.
        type: str
        choices: [MUTABLE, IMMUTABLE, MUTABLE_WITH_EXCLUSION, IMMUTABLE_WITH_EXCLUSION]
      image_tag_mutability_exclusions:
        description:
          - Filters for image tags. The matching image tags are immutable with V(MUTABLE_WITH_EXCLUSION), and mutable
            with V(IMMUTABLE_WITH_EXCLUSION).
        type: list
        elements: str
      encryption_type:
        description: The encryption of a repository.
        type: str
        choices: [AES256, KMS, KMS_DSSE]
      kms_key:
        description: The ARN of the KMS key.
        type: str
      repository_policy:
        description: The policy of a repository.
        type: dict
      lifecycle_policy:
        description: The lifecycle policy of a repository.
        type: dict
      tags:
        description: The tags of a repository.
        type: dict
      custom_role_arn:
        description: The role that ECR assumes to create a repository.
        type: str
      sharing_tags:
        description: Further tags that share a repository.
        type: dict
      allow_sharing_tags:
        description: Consent to tags that share each new repository.
        type: bool
        default: false
  adopt:
    description:
      - Whether the run replaces a role, a statement, a template or the role of a rule if another program wrote it.
    type: bool
    default: false
  side:
    description: The account whose credentials the run has. The objects of the other account are not planned.
    type: str
    choices: [both, owner, consumer]
    default: both
  state:
    description:
      - V(absent) plans the end of the cache. A template that another program wrote is kept.
    type: str
    choices: [present, absent]
    default: present
  upstream_profile:
    description: The AWS profile of the upstream account. The default is that of the environment.
    type: str
  upstream_assume_role_arn:
    description: A role in the upstream account to assume before the first request.
    type: str
  upstream_assume_role_external_id:
    description: The external ID for O(upstream_assume_role_arn).
    type: str
  wait:
    description: Whether the run that makes the changes waits for them. This module only validates the option.
    type: bool
    default: true
  wait_timeout:
    description:
      - The maximum wait time of the run that makes the changes, in seconds. This module only validates the option.
    type: int
    default: 120
  wait_interval:
    description: The time between two requests while that run waits, in seconds. This module only validates the option.
    type: float
    default: 0.25
extends_documentation_fragment:
  - crossaccount.ecr._cache
  - crossaccount.ecr._replication
  - crossaccount.ecr._assume_role
  - crossaccount.ecr._attributes
  - crossaccount.ecr._attributes.info
  - crossaccount.ecr._attributes.action_group
  - crossaccount.ecr._requirements.aws
  - amazon.aws.common.modules
  - amazon.aws.region.modules
attributes:
  async:
    support: full
notes:
  - The caller needs C(ecr:DescribePullThroughCacheRules) and the C(iam:Get) and C(iam:List) actions of
    M(crossaccount.ecr.iam_ecr_cache_role) in the account that caches, and C(ecr:GetRegistryPolicy) in the upstream
    account.
  - With O(template) or O(state=absent), the caller also needs C(ecr:DescribeRepositoryCreationTemplates) in the account
    that caches.
seealso:
  - module: crossaccount.ecr.ecr_pull_through_rule
    description: Manages the rule.
  - module: crossaccount.ecr.iam_ecr_cache_role
    description: Manages the role that ECR assumes.
  - module: crossaccount.ecr.ecr_registry_policy_statement
    description: Manages the statement of the upstream account.
"""

EXAMPLES = r"""
- name: Plan a cache with the credentials of both accounts
  crossaccount.ecr.ecr_cache_info:
    account: "222222222222"
    upstream_account: "111111111111"
    upstream_profile: owner
    name: ecr-cache
    prefix: cache
    prefixes: [release]
"""

RETURN = r"""
role_arn:
  description: The ARN of the role of the cache. Empty with O(side=owner).
  returned: success
  type: str
  sample: arn:aws:iam::222222222222:role/ecr-cache
upstream_region:
  description: The region of the upstream registry.
  returned: success
  type: str
  sample: ap-northeast-1
owner:
  description:
    - Whether the run changes the registry policy of the upstream account. V(false) with O(side=consumer).
    - V(false) if both registries are in the same account, because the cache then needs no statement.
  returned: success
  type: bool
  sample: true
consumer:
  description: Whether the run changes the account that caches the images. V(false) with O(side=owner).
  returned: success
  type: bool
  sample: true
other_side:
  description:
    - The O(side) that the other account configures in a run of its own. Empty with O(side=both), and if both registries
      are in the same account.
  returned: success
  type: str
  sample: ""
role_prefixes:
  description: The O(prefixes), sorted, as an option of M(crossaccount.ecr.iam_ecr_cache_role).
  returned: if both registries are in the same account, and O(prefixes) is set
  type: list
  elements: str
  sample: [release]
templates:
  description:
    - The template to write or to delete, as options of M(crossaccount.ecr.ecr_repository_creation_template). Empty if
      nothing changes.
  returned: success
  type: list
  elements: dict
  sample: []
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_info import CACHE_INFO_ARGUMENTS, cache_info
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import run_and_exit


def main() -> None:
    module = AnsibleAWSModule(argument_spec=CACHE_INFO_ARGUMENTS, supports_check_mode=True)
    run_and_exit(module, cache_info)


if __name__ == "__main__":
    main()
