#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This is a virtual module that is entirely implemented as an action plugin and runs on the controller.

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_handoff
short_description: Writes the hand-off, for Ansible and as a page for people
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Writes what the consumer account needs to pull, as a YAML file that the role P(crossaccount.ecr.ecr_pull#role) reads
    as data, and beside it a page in Markdown for people who pull without Ansible.
  - It runs on the controller and writes there, with the mode C(0600). Nothing in the files is secret.
  - Where there are several consumers or regions, each has files of its own, whose names tell them.
  - All values and all paths are validated before the first file is written. In check mode, with the results of the
    other modules in check mode, this finds every problem before anything is shared.
options:
  path:
    description:
      - The file for Ansible. The page has the same name with the ending C(.md).
      - With several consumers, C(-NUMBER-ACCOUNT) is put before the ending; with several regions, C(-REGION).
      - The folder must exist and be writable. What exists at the path must be a regular file of at most 1 MiB.
      - A leading C(~) is expanded, and no environment variable.
      - Without it, no file is written.
    type: str
  role:
    description: The result of M(crossaccount.ecr.iam_ecr_pull_role).
    type: dict
    required: true
  tagged:
    description: Results of M(crossaccount.ecr.ecr_repository_tag), one for each region.
    type: list
    elements: dict
    required: true
  repository_tags:
    description: The tags that grant access.
    type: dict
    required: true
  repositories:
    description:
      - The repositories that are shared, as declared, by name or by pattern. Each of O(images) must be in one of them,
        and none of O(denied) may be one of them. Without it, this is not compared.
    type: list
    elements: str
    default: []
  access:
    description: What the role allows, as in M(crossaccount.ecr.iam_ecr_pull_role).
    type: str
    choices: [pull, read]
    default: read
  denied:
    description: Repositories, by name, of which the consumer proves that they are denied.
    type: list
    elements: str
    default: []
  images:
    description: What to pull, as C(REPOSITORY:IMAGE_TAG) or C(REPOSITORY@DIGEST).
    type: list
    elements: str
    default: []
  share_changed:
    description:
      - Whether this run changed the share. If it did not, the time of the last change in the existing file is kept, if
        it is a valid time.
    type: bool
    required: true
  artifact:
    description:
      - Publish the text of a single hand-off under this name, as C(set_stats) does. With several
        hand-offs or several hosts, nothing is published.
    type: str
extends_documentation_fragment:
  - crossaccount.ecr.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
"""

EXAMPLES = r"""
- name: Write the hand-off
  crossaccount.ecr.ecr_handoff:
    path: handoff.yml
    role: "{{ role }}"
    tagged: ["{{ tagged }}"]
    repository_tags:
      environment: release
    share_changed: "{{ role.changed or tagged.changed }}"
"""

RETURN = r"""
files:
  description: The files of the hand-off, whether they changed or not.
  returned: success
  type: list
  elements: str
  sample: [/srv/handoff.yml, /srv/handoff.md]
handoffs:
  description: Each hand-off as C(account), C(region) and C(text), which is what the file for Ansible has.
  returned: success
  type: list
  elements: dict
  sample:
    - account: "222222222222"
      region: ap-northeast-1
      text: "ecr_pull_role_arn: ..."
"""
