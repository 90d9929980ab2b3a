#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_registry_policy_statement
short_description: Manage a statement of an ECR registry policy that accepts replication or a cache of another account
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Manages one statement of the policy of a registry. With O(source_account), it is the registry that receives
    replicated images. With O(cache_account), it is the registry whose images another account caches.
  - All other statements are kept. The Sid identifies the statement.
  - AWS replaces the whole policy with each write. The module reads the policy immediately before the write, adds its
    statement, writes the policy, and reads it again. If AWS then returns another policy than the written one, the
    module fails and shows both policies.
  - If another program writes between the last read and the write of the module, the change of that program is lost. Do
    not run two programs that write the policy of one registry at the same time.
  - If the removed statement was the only one, the policy is deleted.
options:
  source_account:
    description:
      - The account ID of the registry that has the images, 12 digits, quoted. Its replication is accepted.
      - Either this option or O(cache_account) is required.
    type: raw
  cache_account:
    description:
      - The account ID of the registry that caches the images, 12 digits, quoted. Its role O(cache_role) may read them.
        AWS grants a cache of another account no access without such a statement.
      - The other account needs a rule (M(crossaccount.ecr.ecr_pull_through_rule)) and the role
        (M(crossaccount.ecr.iam_ecr_cache_role)).
    type: raw
  cache_role:
    description: The name of the role of the cache, after its path if it has one, such as V(ecr-cache).
    type: str
  sid:
    description:
      - The Sid of the statement. The default is C(CrossaccountEcrReplication) and the O(source_account), or
        C(CrossaccountEcrCache) and the O(cache_account).
      - If the other account has several declarations, give each of them its own Sid.
    type: str
  create_repositories:
    description:
      - Whether replication may create repositories. With V(false), images of missing repositories are not replicated.
        It has no effect on a cache.
    type: bool
    default: true
  adopt:
    description:
      - Manage an existing statement with this Sid that accepts something else, or accepts it from another account or
        with other conditions. The access that it allows now ends.
    type: bool
    default: false
  state:
    description: V(absent) removes the statement. Images that are already replicated or cached stay.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - crossaccount.ecr._replication
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
notes:
  - The caller needs C(ecr:GetRegistryPolicy), C(ecr:PutRegistryPolicy) and, to remove the last statement,
    C(ecr:DeleteRegistryPolicy).
seealso:
  - module: crossaccount.ecr.ecr_replication_rule
    description: Replicates the images from the registry of the other account.
  - module: crossaccount.ecr.ecr_pull_through_rule
    description: Caches the images in the registry of the other account.
"""

EXAMPLES = r"""
- name: Accept the release repositories of another account
  crossaccount.ecr.ecr_registry_policy_statement:
    source_account: "111111111111"
    prefixes: [release]

- name: Let another account cache the release repositories
  crossaccount.ecr.ecr_registry_policy_statement:
    cache_account: "333333333333"
    cache_role: ecr-cache
    prefixes: [release]

- name: Accept no further images. The copies stay
  crossaccount.ecr.ecr_registry_policy_statement:
    source_account: "111111111111"
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
sid:
  description: The Sid of the statement.
  returned: success
  type: str
  sample: CrossaccountEcrReplication111111111111
statement:
  description: The declared statement. Empty with O(state=absent).
  returned: success
  type: dict
  sample:
    Sid: CrossaccountEcrReplication111111111111
    Effect: Allow
    Principal:
      AWS: arn:aws:iam::111111111111:root
    Action: ["ecr:CreateRepository", "ecr:ReplicateImage"]
    Resource: ["arn:aws:ecr:ap-northeast-1:222222222222:repository/release*"]
policy:
  description: The whole policy after the run. Empty without a statement.
  returned: success
  type: dict
  sample: {}
conflict:
  description: The policy that this run wrote, the policy that AWS returned afterward, and how they differ.
  returned: if another program overwrote the policy
  type: dict
  sample:
    written: {}
    found: {}
    differences: []
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import run_and_exit
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_policy import (
    POLICY_STATEMENT_ARGUMENTS,
    policy_statement,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_policy_declaration import STATEMENT_RULES


def main() -> None:
    module = AnsibleAWSModule(argument_spec=POLICY_STATEMENT_ARGUMENTS, supports_check_mode=True, **STATEMENT_RULES)
    run_and_exit(module, policy_statement)


if __name__ == "__main__":
    main()
