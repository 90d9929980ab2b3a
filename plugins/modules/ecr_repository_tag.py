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
  - Adds tags to ECR repositories, or removes them. Every other tag and setting stays as it is.
  - A pull role grants access by tags (M(crossaccount.ecr.iam_ecr_pull_role)), so a tag shares a repository.
  - All names are checked and all tags are read from ECR before the first write.
  - O(all_except) finds repositories through the Resource Groups Tagging API, which can lag behind for a while after a
    change. If the caller may not use that API, or if it returns no repository, the module reads the tags of each
    repository from ECR.
  - A principal that may tag a repository can share it. Restrict C(ecr:TagResource), C(ecr:CreateRepository) and
    C(tag:TagResources) in the owner account.
options:
  names:
    description:
      - Repositories, by exact name or by C(fnmatch) pattern such as V(tools/*).
      - A pattern that matches nothing is an error.
      - Required unless O(all_except) is given.
    type: list
    elements: str
    default: []
  tags:
    description:
      - The tags, key to value. Keys are 1 to 128 characters, values up to 256, of letters, digits, space and
        C(+-=._:/@), see the ECR API Reference, data type Tag. A repository has at most 50 tags.
    type: dict
    required: true
  state:
    description:
      - V(present) adds the tags.
      - V(absent) removes each tag whose value is the given one, in any case of its key, because IAM does not tell
        C(Environment) from C(environment). A repository that does not exist is then not an error.
    type: str
    choices: [present, absent]
    default: present
  all_except:
    description:
      - With O(state=absent), remove the tags from every repository of the registry and region except these (exact
        names or patterns). An empty list means every repository.
    type: list
    elements: str
  owner_account:
    description:
      - The account that owns the repositories, 12 digits, quoted. With credentials of another account, the module stops
        before it reads or writes anything.
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
    support: full
"""

EXAMPLES = r"""
- name: Share two repositories and all of the tools
  crossaccount.ecr.ecr_repository_tag:
    names: [release, base, tools/*]
    tags:
      environment: release

- name: Remove the tag from every other repository
  crossaccount.ecr.ecr_repository_tag:
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
  description: The host of the registry, which precedes the name of a repository. Empty if there is no repository.
  returned: success
  type: str
  sample: 111111111111.dkr.ecr.ap-northeast-1.amazonaws.com
repositories:
  description: Each repository whose tags were read, in the order of their names.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The repository.
      type: str
      sample: release
    arn:
      description: Its ARN.
      type: str
      sample: arn:aws:ecr:ap-northeast-1:111111111111:repository/release
    before:
      description: All its tags, before the change.
      type: dict
      sample: {}
    changed:
      description: Whether its tags change.
      type: bool
      sample: true
    tags:
      description: All its tags, after the change.
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
