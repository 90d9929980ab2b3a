#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_replication_rule
short_description: Manage one rule of the replication configuration of an ECR registry
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Manages one replication rule of the registry that has the images. All other rules of the registry are kept.
  - A rule has no name. Its prefixes and its destinations identify it.
  - AWS replaces the whole configuration with each write. The module reads the configuration immediately before the
    write, adds its rule, writes the configuration, and reads it again. If AWS then returns another configuration than
    the written one, the module fails and shows both configurations.
  - If another program writes between the last read and the write of the module, the change of that program is lost. Do
    not run two programs that write the configuration of one registry at the same time.
  - The registry of another account needs a policy that accepts the images
    (M(crossaccount.ecr.ecr_registry_policy_statement)).
  - A rule applies to images that are pushed after it exists.
options:
  destinations:
    description: The registries that receive the images, up to 25 in all rules of the registry.
    type: list
    elements: dict
    required: true
    suboptions:
      account:
        description:
          - The account ID, 12 digits, quoted. For another region of the same account, set the account of the images.
        type: raw
        required: true
      region:
        description: The region. It must be enabled in that account, and belong to the partition of the images.
        type: str
        required: true
  delete_replication:
    description:
      - Whether ECR deletes an image at every destination after its last image tag is removed, or after the image is
        deleted, for example by a lifecycle policy.
      - If this option is omitted, a new rule replicates no deletions, and an existing rule keeps its setting.
      - V(true) requires a version of botocore that supports C(deleteReplication).
    type: bool
  adopt:
    description:
      - Replace every other rule that replicates a repository of the same name to the same destination. Such a rule is
        removed entirely, with its other prefixes and destinations. With V(false), it is an error.
      - This option is not needed if the declared rule replicates everything that the other rule replicates, in the same
        way.
    type: bool
    default: false
  state:
    description:
      - V(absent) removes the rule that has these prefixes and destinations. It fails if another rule still replicates
        a part of them, unless O(adopt=true).
      - Images that are already replicated stay at the destinations.
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
  - The caller needs C(ecr:DescribeRegistry), C(ecr:PutReplicationConfiguration) and C(ecr:DescribeRepositories). The
    first rule of an account also needs C(iam:CreateServiceLinkedRole).
seealso:
  - module: crossaccount.ecr.ecr_registry_policy_statement
    description: Accepts the images in the registry of the other account.
"""

EXAMPLES = r"""
- name: Replicate the release repositories to the registry of another account
  crossaccount.ecr.ecr_replication_rule:
    prefixes: [release]
    destinations:
      - account: "222222222222"
        region: ap-northeast-1

- name: Stop the replication. The copies stay
  crossaccount.ecr.ecr_replication_rule:
    prefixes: [release]
    destinations:
      - account: "222222222222"
        region: ap-northeast-1
    state: absent
"""

RETURN = r"""
source:
  description: The registry of the images.
  returned: success
  type: dict
  sample:
    account: "111111111111"
    region: ap-northeast-1
rule:
  description: The declared rule in the form of AWS. Empty with O(state=absent).
  returned: success
  type: dict
  sample:
    destinations:
      - region: ap-northeast-1
        registryId: "222222222222"
    repositoryFilters:
      - filter: release
        filterType: PREFIX_MATCH
rules:
  description: All rules of the registry after the run, in the form of AWS.
  returned: success
  type: list
  elements: dict
  sample: []
repositories:
  description: The existing repositories that the rule selects. Empty with O(state=absent).
  returned: success
  type: list
  elements: str
  sample: [release]
conflict:
  description: The rules that this run wrote, the rules that AWS returned afterward, and how they differ.
  returned: if another program overwrote the configuration
  type: dict
  sample:
    written: []
    found: []
    differences: []
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import run_and_exit
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_configuration import (
    REPLICATION_RULE_ARGUMENTS,
    replication_rule,
)


def main() -> None:
    module = AnsibleAWSModule(argument_spec=REPLICATION_RULE_ARGUMENTS, supports_check_mode=True)
    run_and_exit(module, replication_rule)


if __name__ == "__main__":
    main()
