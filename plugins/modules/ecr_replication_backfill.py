#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_replication_backfill
short_description: Replicate the images that existed before a replication rule
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Replication copies only images that are pushed after its rule was created. This module starts a replication backfill
    to each destination, which copies the existing images that match the rules, and waits until it has ended.
  - The module reads the newest backfill of each destination. If it is in progress, the module waits for it, so an
    interrupted run can be repeated. If it was successful, the module starts none, unless O(force=true).
  - At the same time, AWS runs at most one backfill for each destination region, and at most ten for a registry. Further
    backfills start when others have ended.
  - While it waits, the module shows the number of replicated images every ten seconds.
  - If an image was not replicated, the module fails and names the image and the reason.
options:
  destinations:
    description: The registries that receive the images. A replication rule of the registry must contain each of them.
    type: list
    elements: dict
    required: true
    suboptions:
      account:
        description: The account ID, 12 digits, quoted.
        type: raw
        required: true
      region:
        description: The region.
        type: str
        required: true
  state:
    description:
      - V(complete) starts the backfills and waits for their end.
      - V(stopped) stops those that are in progress. Images that are replicated already remain.
    type: str
    choices: [complete, stopped]
    default: complete
  force:
    description:
      - Start a backfill even if the newest one was successful. Set it after a change to the replication rules, because
        a backfill copies the images that match the rules at its start.
      - A backfill that is in progress is not started again.
    type: bool
    default: false
  wait:
    description:
      - Wait until the backfills have ended. With V(false), the module starts what AWS accepts now, and a warning names
        the other destinations.
    type: bool
    default: true
  wait_timeout:
    description:
      - The maximum time to wait, in seconds. After this time, the module fails. AWS continues the backfills, and the
        next run waits for them.
    type: int
    default: 3600
  wait_interval:
    description: The time between two reads, in seconds.
    type: float
    default: 5.0
extends_documentation_fragment:
  - crossaccount.ecr._registry_account
  - crossaccount.ecr._assume_role
  - crossaccount.ecr._attributes
  - crossaccount.ecr._attributes.action_group
  - crossaccount.ecr._requirements.aws
  - amazon.aws.common.modules
  - amazon.aws.region.modules
attributes:
  check_mode:
    support: full
    details: >-
      If no replication rule contains a destination, the module only warns, because an earlier task may add the rule.
  diff_mode:
    support: none
  idempotent:
    support: partial
    details: With O(force=true), each run starts the backfills again.
  async:
    support: full
notes:
  - Requires a version of botocore that supports C(StartReplicationBackfill). With an older version, the module fails
    before the first request, and the message names another way to copy the images.
seealso:
  - module: crossaccount.ecr.ecr_replication_rule
    description: Manages the replication rule, which must exist.
  - module: crossaccount.ecr.ecr_repository_creation_template
    description: Manages the settings of the repositories that replication creates.
"""

EXAMPLES = r"""
- name: Replicate the existing images to the registry of another account
  crossaccount.ecr.ecr_replication_backfill:
    account: "111111111111"
    destinations:
      - account: "222222222222"
        region: ap-northeast-1

- name: Start backfills to two regions, and do not wait
  crossaccount.ecr.ecr_replication_backfill:
    destinations:
      - account: "222222222222"
        region: ap-northeast-1
      - account: "222222222222"
        region: eu-west-1
    wait: false
"""

RETURN = r"""
source:
  description: The registry whose images are replicated.
  returned: success
  type: dict
  sample:
    account: "111111111111"
    region: ap-northeast-1
backfills:
  description: The newest backfill of each destination, in the order of O(destinations).
  returned: success, and if a backfill has failed or has not ended
  type: list
  elements: dict
  contains:
    account:
      description: The account ID of the destination.
      type: str
      sample: "222222222222"
    region:
      description: The region of the destination.
      type: str
      sample: ap-northeast-1
    id:
      description: The ID of the backfill. Empty if the status is V(NOT_STARTED).
      type: str
      sample: 5d3f1c2e-7a40-4a58-9b0c-2f6b8e1d9c77
    status:
      description: The status of AWS, or V(NOT_STARTED).
      type: str
      sample: COMPLETE
    started:
      description: Whether this run started the backfill.
      type: bool
      sample: true
    started_at:
      description: The time of the start.
      type: str
      sample: "2026-11-27T03:30:00Z"
    ended_at:
      description: The time of the end. Empty before the end.
      type: str
      sample: "2026-11-27T03:48:12Z"
    failure_code:
      description: The failure code of AWS. Empty if there is no failure.
      type: str
      sample: ""
    total:
      description: The number of replications. AWS counts each combination of an image and an image tag.
      type: int
      sample: 120
    completed:
      description: The number of replications that were successful.
      type: int
      sample: 120
    failed:
      description: The number of replications that failed.
      type: int
      sample: 0
    failures:
      description: The images that were not replicated, each with the failure code of AWS.
      type: list
      elements: dict
      sample: []
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill import (
    REPLICATION_BACKFILL_ARGUMENTS,
    replication_backfill,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import run_and_exit


def main() -> None:
    module = AnsibleAWSModule(argument_spec=REPLICATION_BACKFILL_ARGUMENTS, supports_check_mode=True)
    run_and_exit(module, replication_backfill)


if __name__ == "__main__":
    main()
