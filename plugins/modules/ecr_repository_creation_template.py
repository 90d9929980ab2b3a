#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_repository_creation_template
short_description: Manage the settings of ECR repositories that replication, caching or a push creates
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Manages one repository creation template of a registry. ECR applies it when replication, a pull through a cache or a
    push creates a repository. Replication copies images, but none of the settings of the source repository.
  - A template has no effect on repositories that exist.
  - The module changes only the declared settings. Each of them replaces the current value. A declared empty value
    removes the setting. Policies are compared by meaning.
  - An update sends all settings of the template, because AWS may reset a setting that a request omits. Therefore, the
    caller needs C(iam:PassRole) if the template has a custom role, even if the role does not change.
  - A tag of a template can share each new repository, because pull roles (M(crossaccount.ecr.iam_ecr_pull_role)) and
    statements of shares in the registry policy (M(crossaccount.ecr.ecr_repository_policy_statement)) grant access by
    tag. The module rejects such a tag, unless O(allow_sharing_tags=true).
options:
  prefix:
    description:
      - The first part of the repository names, such as V(team) for V(team/app). ECR adds a slash to it.
      - V(ROOT) matches all repositories that no other template matches.
    type: str
    required: true
  applied_for:
    description:
      - The reasons for which ECR creates a repository with this template.
      - Required to create a template.
    type: list
    elements: str
    choices: [REPLICATION, PULL_THROUGH_CACHE, CREATE_ON_PUSH]
  description:
    description: A description, up to 256 characters.
    type: str
  image_tag_mutability:
    description: Whether an image tag can be moved to another image. A new template has V(MUTABLE) by default.
    type: str
    choices: [MUTABLE, IMMUTABLE, MUTABLE_WITH_EXCLUSION, IMMUTABLE_WITH_EXCLUSION]
  image_tag_mutability_exclusions:
    description:
      - Up to 5 filters for image tags, such as V(dev-*). The matching image tags are immutable with
        V(MUTABLE_WITH_EXCLUSION), and mutable with V(IMMUTABLE_WITH_EXCLUSION).
      - Only with V(MUTABLE_WITH_EXCLUSION) and V(IMMUTABLE_WITH_EXCLUSION).
    type: list
    elements: str
  encryption_type:
    description: The encryption of the images. A new template has V(AES256) by default.
    type: str
    choices: [AES256, KMS, KMS_DSSE]
  kms_key:
    description:
      - The ARN of the KMS key, in the region of the registry. By default, ECR uses the AWS managed key.
      - Only with V(KMS) and V(KMS_DSSE).
    type: str
  repository_policy:
    description: The policy of each new repository, up to 10,240 characters. An empty dictionary removes it.
    type: dict
  lifecycle_policy:
    description: The lifecycle policy of each new repository, up to 30,720 characters. An empty dictionary removes it.
    type: dict
  tags:
    description:
      - All tags of each new repository. An empty dictionary removes the tags of the template.
      - Tags require O(custom_role_arn).
    type: dict
  custom_role_arn:
    description:
      - The role with which ECR creates the repositories, in the account of the registry. C(ecr.amazonaws.com) must be
        allowed to assume it, and it needs C(ecr:CreateRepository), C(ecr:ReplicateImage) and C(ecr:TagResource).
      - Required if the template has tags or uses KMS. Otherwise, ECR creates no repository, and the replication or the
        pull fails as if the repository did not exist.
    type: str
  sharing_tags:
    description:
      - Further tags that share a repository, in the form of the option
        O(crossaccount.ecr.iam_ecr_pull_role#module:repository_tags).
      - The module always considers the tags that grant access through the pull roles of this collection in the account,
        and through the statements of this collection in the registry policy. To read them, the caller needs
        C(iam:GetAccountAuthorizationDetails) and C(ecr:GetRegistryPolicy). If the caller lacks one of these
        permissions, a template with tags requires this option, unless O(allow_sharing_tags=true).
    type: dict
  allow_sharing_tags:
    description: Consent to tags that share each new repository.
    type: bool
    default: false
  state:
    description: V(absent) deletes the template. The repositories that it created do not change.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
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
  - module: crossaccount.ecr.ecr_replication_backfill
    description: Replicates the images that exist already.
  - module: crossaccount.ecr.iam_ecr_pull_role
    description: Manages the role that grants access by tag.
"""

EXAMPLES = r"""
- name: Keep the settings of the release repositories in the registry of the destination
  crossaccount.ecr.ecr_repository_creation_template:
    account: "222222222222"
    prefix: release
    applied_for: [REPLICATION]
    image_tag_mutability: IMMUTABLE_WITH_EXCLUSION
    image_tag_mutability_exclusions: [latest]
    lifecycle_policy:
      rules:
        - rulePriority: 1
          description: Expire untagged images after 14 days
          selection:
            tagStatus: untagged
            countType: sinceImagePushed
            countUnit: days
            countNumber: 14
          action:
            type: expire

- name: Tag each repository that replication creates
  crossaccount.ecr.ecr_repository_creation_template:
    prefix: ROOT
    applied_for: [REPLICATION]
    tags:
      team: platform
    custom_role_arn: arn:aws:iam::222222222222:role/ecr-creation

- name: Delete a template
  crossaccount.ecr.ecr_repository_creation_template:
    prefix: release
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
template:
  description: The settings of the template after the run, with the names of the options. Empty with O(state=absent).
  returned: success
  type: dict
  sample:
    prefix: release
    applied_for: [REPLICATION]
    description: ""
    image_tag_mutability: IMMUTABLE_WITH_EXCLUSION
    image_tag_mutability_exclusions: [latest]
    encryption_type: AES256
    kms_key: ""
    repository_policy: {}
    lifecycle_policy: {}
    tags: {}
    custom_role_arn: ""
shared_by:
  description:
    - The pull roles, and the Sids of the statements of the registry policy, that grant access to each new repository
      because of its tags.
  returned: success
  type: list
  elements: str
  sample: []
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.crossaccount.ecr.plugins.module_utils._creation_template import (
    CREATION_TEMPLATE_ARGUMENTS,
    creation_template,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import run_and_exit


def main() -> None:
    module = AnsibleAWSModule(argument_spec=CREATION_TEMPLATE_ARGUMENTS, supports_check_mode=True)
    run_and_exit(module, creation_template)


if __name__ == "__main__":
    main()
