#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_replication_info
short_description: Compare the images of an ECR registry with their copies in the registry of another account
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Reads the images of the selected repositories in the owner account, and their copies in each region of the consumer
    account, and compares them by digest. It changes nothing.
  - Image indexes, their images, and referrers such as signatures and SBOMs are compared, each by its own digest.
  - Archived images are compared, too. ECR does not replicate them.
  - The options of the connection are for the owner account. The options that begin with C(consumer_) are for the
    consumer account.
options:
  owner_account:
    description: The account ID of the registry that has the images, 12 digits, quoted.
    type: raw
    required: true
  consumer_account:
    description: The account ID of the registries that receive the images, 12 digits, quoted.
    type: raw
    required: true
  regions:
    description: The regions of the consumer account that receive the images. The default is the region of the images.
    type: list
    elements: str
  side:
    description:
      - The account whose credentials the run has. With V(owner), the copies are not read. With V(consumer), the images
        are not read.
    type: str
    choices: [both, owner, consumer]
    default: both
  delete_replication:
    description: Whether the replication also deletes copies. See M(crossaccount.ecr.ecr_replication_rule).
    type: bool
  allow_deletions:
    description:
      - Consent to O(delete_replication=true). Without it, the module lists the affected images and fails.
    type: bool
    default: false
  images:
    description:
      - The images that the consumer account pulls as a proof, as C(repository:image-tag), C(repository@digest) or
        C(repository:image-tag@digest), each in one of the selected repositories. RV(pulls) has their digests.
      - The comparison includes the referrers that C(ListImageReferrers) returns for these images. If the installed
        version of botocore does not support this request, the module warns.
      - The module fails if the owner account does not have an image, or if it is archived there.
    type: list
    elements: str
    default: []
  adopt:
    description:
      - Whether the replication replaces rules, statements and templates of other programs. See
        M(crossaccount.ecr.ecr_replication_rule). It has an effect only with O(expect=possible).
    type: bool
    default: false
  sid:
    description: The Sid of the statement. See M(crossaccount.ecr.ecr_registry_policy_statement).
    type: str
  create_repositories:
    description:
      - Whether replication may create repositories in the consumer account. With V(false), O(expect=possible) fails if
        a selected repository does not exist there.
    type: bool
    default: true
  templates:
    description:
      - The settings of the repositories that replication creates in the consumer account. Each entry has options of
        M(crossaccount.ecr.ecr_repository_creation_template).
    type: list
    elements: dict
    default: []
    suboptions:
      prefix:
        description: The first part of the names of the repositories, or V(ROOT) for every name.
        type: str
        required: true
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
  backfill:
    description:
      - With O(side=owner), read which existing images AWS has replicated. See RV(needs_backfill).
    type: bool
    default: false
  accepted:
    description: With O(side=owner), confirms that the registry of the consumer account accepts the images.
    type: bool
    default: false
  handoff:
    description:
      - With O(side=owner), the values that the consumer account accepts. The keys are the names of the options of this
        module, and C(accepted). The role C(crossaccount.ecr.ecr_replicate) reads them from a file.
    type: dict
    default: {}
  handoff_path:
    description: The path of the hand-off of this side, for RV(missing_side).
    type: str
  expect:
    description:
      - V(possible) plans each change in the declared accounts without writing. It fails with all problems if AWS would
        not accept one of them, or if it would replace an object that another program wrote.
      - V(replicated) waits until each image has a copy. It fails if the registry policy of a destination does not
        accept the images, or if an image has no copy in time.
    type: str
    choices: [any, possible, replicated]
    default: any
  state:
    description: V(absent) describes the end of the replication.
    type: str
    choices: [present, absent]
    default: present
  consumer_profile:
    description: The AWS profile of the consumer account. The default is the profile of the owner account.
    type: str
  consumer_assume_role_arn:
    description: A role in the consumer account to assume before the first request.
    type: str
  consumer_assume_role_external_id:
    description: The external ID for O(consumer_assume_role_arn).
    type: str
  wait:
    description: With O(expect=replicated), wait for missing copies.
    type: bool
    default: true
  wait_timeout:
    description: The maximum time to wait, in seconds. AWS replicates most images within 30 minutes.
    type: int
    default: 1800
  wait_interval:
    description: The time between two reads, in seconds.
    type: float
    default: 15.0
extends_documentation_fragment:
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
  - The caller needs C(ecr:DescribeRepositories) and C(ecr:DescribeImages) in both accounts,
    C(ecr:DescribeImageReplicationStatus) in the owner account and C(ecr:GetRegistryPolicy) in the consumer account.
    With O(images), the caller also needs C(ecr:BatchGetImage) in both accounts.
  - With O(expect=possible), the caller also needs C(ecr:DescribeRegistry) in the owner account, and with O(templates)
    C(ecr:DescribeRepositoryCreationTemplates) in the consumer account.
  - With O(backfill=true) and O(side=owner), the caller also needs C(ecr:ListReplicationBackfills) and
    C(ecr:DescribeReplicationBackfillResults) in the owner account.
seealso:
  - module: crossaccount.ecr.ecr_replication_rule
    description: Replicates the images.
  - module: crossaccount.ecr.ecr_replication_backfill
    description: Replicates the images that exist already.
"""

EXAMPLES = r"""
- name: Show which images have a copy
  crossaccount.ecr.ecr_replication_info:
    prefixes: [release]
    owner_account: "111111111111"
    consumer_account: "222222222222"
    consumer_profile: consumer-administrator

- name: Wait until all images have a copy
  crossaccount.ecr.ecr_replication_info:
    prefixes: [release]
    owner_account: "111111111111"
    consumer_account: "222222222222"
    consumer_profile: consumer-administrator
    expect: replicated
"""

RETURN = r"""
declaration:
  description: The accounts and the selection.
  returned: success
  type: dict
  sample:
    owner_account: "111111111111"
    consumer_account: "222222222222"
    prefixes: [release]
    all_repositories: false
changes_rule:
  description: With O(expect=possible), whether the replication rule of the owner account has to be written or removed.
  returned: success
  type: bool
  sample: false
statements:
  description: With O(expect=possible), the destinations whose statement has to be written or removed.
  returned: success
  type: list
  elements: dict
  sample: []
templates:
  description: With O(expect=possible), the templates to write or to delete, each with its region.
  returned: success
  type: list
  elements: dict
  sample: []
missing_side:
  description:
    - With O(expect=possible) and O(side=owner), the objects that the consumer account has not configured yet, and the
      command that configures them. Empty if nothing is missing.
  returned: success
  type: str
  sample: ""
handoff:
  description: The hand-off for the other account, a YAML text.
  returned: success
  type: str
  sample: |
    ecr_replicate_owner_account: "111111111111"
needs_backfill:
  description:
    - Whether an existing image has no copy. With O(side=owner), it is V(true) if a backfill is in progress, or
      if AWS reports an image with an image tag that is neither replicated nor in progress.
  returned: success
  type: bool
  sample: false
state_lines:
  description: The state of each image as text.
  returned: success
  type: list
  elements: str
  sample: []
all_state_lines:
  description: The state of each image as text, with every image.
  returned: success
  type: list
  elements: str
  sample: []
owner:
  description: Whether the run has the credentials of the owner account.
  returned: success
  type: bool
  sample: true
consumer:
  description: Whether the run has the credentials of the consumer account.
  returned: success
  type: bool
  sample: true
destinations:
  description: The registries that receive the images.
  returned: success
  type: list
  elements: dict
  sample:
    - account: "222222222222"
      region: ap-northeast-1
repositories:
  description: The existing repositories that are selected. Empty with O(side=consumer).
  returned: success
  type: list
  elements: str
  sample: [release]
images:
  description:
    - The state of each image at each destination. V(replicated) has a copy, V(missing) has none, V(extra) is only at
      the destination, and V(archived) is archived in one of the two registries. An archived image cannot be pulled. The
      module assumes that ECR does not replicate it either.
    - C(status) is the status of the replication that AWS reports, or the place where an image is archived. If more than
      20 images are compared, the status is requested only for missing images at the end of the wait.
    - Empty unless O(side=both).
  returned: success, and if an image has no copy
  type: list
  elements: dict
  sample:
    - account: "222222222222"
      region: ap-northeast-1
      repository: release
      digest: sha256:9f2e4c6a8b0d1e3f5a7c9b1d3e5f7a9c0b2d4f6e8a1c3e5f7b9d0a2c4e6f8b1d
      image_tags: [v1.0]
      kind: image
      state: replicated
      status: COMPLETE
pulls:
  description:
    - The images of O(images) that the consumer account can pull from each destination, with the digests of the owner
      account.
    - Empty unless O(side=both) and O(state=present).
  returned: success
  type: list
  elements: dict
  sample:
    - account: "222222222222"
      region: ap-northeast-1
      images:
        - release:v1.0@sha256:9f2e4c6a8b0d1e3f5a7c9b1d3e5f7a9c0b2d4f6e8a1c3e5f7b9d0a2c4e6f8b1d
counts:
  description: The number of entries in RV(images) in each state.
  returned: success
  type: dict
  sample: {replicated: 1, missing: 0, extra: 0, archived: 0}
lines:
  description: The comparison as text.
  returned: success
  type: list
  elements: str
  sample: []
all_lines:
  description: The comparison as text, with every image.
  returned: success
  type: list
  elements: str
  sample: []
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import run_and_exit
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_info import (
    REPLICATION_INFO_ARGUMENTS,
    replication_info,
)


def main() -> None:
    module = AnsibleAWSModule(argument_spec=REPLICATION_INFO_ARGUMENTS, supports_check_mode=True)
    run_and_exit(module, replication_info)


if __name__ == "__main__":
    main()
