#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_repository_tag
short_description: Tag many ECR repositories in one task
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Adds tags to ECR repositories or removes them. All other tags and settings are preserved.
  - A pull role grants access by tag (M(crossaccount.ecr.iam_ecr_pull_role)), so a tag shares a repository.
  - All names are validated and all tags are read from ECR before the first write.
  - O(all_except) finds repositories through the Resource Groups Tagging API, which can lag behind a change. If the
    caller may not use that API, or if it returns no repository, the module reads the tags of each repository from ECR.
  - A principal that can tag a repository can share it. Restrict C(ecr:TagResource), C(ecr:CreateRepository) and
    C(tag:TagResources) in the owner account.
options:
  names:
    description:
      - The repositories, by exact name or C(fnmatch) pattern such as V(tools/*).
      - A pattern that matches no repository is an error.
      - Required unless O(all_except) is set.
    type: list
    elements: str
    default: []
  tags:
    description:
      - The tags. A key has 1 to 128 characters and a value up to 256, of letters, digits, spaces and C(+-=._:/@), see
        the ECR API Reference, data type Tag. A repository can have up to 50 tags.
    type: dict
    required: true
  state:
    description:
      - V(present) adds the tags.
      - V(absent) removes each tag that has the given value. The case of the key is ignored, because IAM does not
        distinguish C(Environment) from C(environment). A repository that does not exist is not an error then.
    type: str
    choices: [present, absent]
    default: present
  all_except:
    description:
      - With O(state=absent), remove the tags from every repository of the registry and region except these (exact
        names or patterns). An empty list means every repository.
    type: list
    elements: str
extends_documentation_fragment:
  - crossaccount.ecr._owner_account
  - crossaccount.ecr._assume_role
  - crossaccount.ecr._wait
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
  - module: crossaccount.ecr.iam_ecr_pull_role
    description: Manages the role that grants access by tag.
  - ref: ansible_collections.crossaccount.ecr.ecr_share_role
    description: The role C(crossaccount.ecr.ecr_share) manages the role and the tags together, in a safe order.
  - module: community.aws.ecs_ecr
    description: Creates repositories.
"""

EXAMPLES = r"""
- name: Share two repositories and all of the tools
  crossaccount.ecr.ecr_repository_tag:
    region: ap-northeast-1
    names: [release, base, tools/*]
    tags:
      environment: release

- name: Remove the tag from every other repository
  crossaccount.ecr.ecr_repository_tag:
    region: ap-northeast-1
    state: absent
    all_except: [release, base, tools/*]
    tags:
      environment: release
"""

RETURN = r"""
region:
  description: The region of the repositories.
  returned: success
  type: str
  sample: ap-northeast-1
registry:
  description: The host name of the registry. Empty if no repository exists.
  returned: success
  type: str
  sample: 111111111111.dkr.ecr.ap-northeast-1.amazonaws.com
repositories:
  description: The repositories whose tags were read, sorted by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the repository.
      type: str
      sample: release
    arn:
      description: The ARN of the repository.
      type: str
      sample: arn:aws:ecr:ap-northeast-1:111111111111:repository/release
    before:
      description: All tags of the repository before the change.
      type: dict
      sample: {}
    changed:
      description: Whether the tags of the repository change.
      type: bool
      sample: true
    tags:
      description: All tags of the repository after the change.
      type: dict
      sample:
        environment: release
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import run_and_exit
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_tag import (
    REPOSITORY_TAG_ARGUMENTS,
    tag_repositories,
)


def main() -> None:
    run_and_exit(AnsibleAWSModule(argument_spec=REPOSITORY_TAG_ARGUMENTS, supports_check_mode=True), tag_repositories)


if __name__ == "__main__":
    main()
