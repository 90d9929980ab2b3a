#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This is a virtual module that is entirely implemented as an action plugin and runs on the control node.

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_handoff_info
short_description: Read the hand-off of an owner account as data
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Reads the hand-off in the variable C(ecr_pull_handoff), validates every value, and returns the share. The module
    runs on the control node and changes nothing.
  - The hand-off comes from another organization. The module never loads it as variables and never evaluates it as a
    template. It accepts only the keys of the published schema, C(docs/handoff.schema.json).
  - The variable is the path of the file, or the text itself, such as an artifact of AWX. A value that contains a line
    break, or that starts with C({) as JSON does, is text. A relative path starts at the directory in which
    C(ansible-playbook) was started.
  - The variable is not an option of this module, and is not in the argument specification of a role, because Ansible
    evaluates the templates in both before a module can validate anything. In a path, only names of variables are
    evaluated, such as C({{ playbook_dir }}/handoff.yml). The variable can also name another variable, such as
    C({{ my_handoff }}).
  - Set the variable in the C(vars) of a play, task or role, or with C(-e). Ansible rejects it as a parameter in
    C(roles).
  - The file must be a regular file of at most 1 MiB of UTF-8 text. YAML tags, anchors and aliases are rejected.
  - Each option except O(owner_account), O(expected_external_id) and O(registry_host) replaces a value of the hand-off.
    Without a hand-off, these options describe the share.
options:
  owner_account:
    description:
      - The account ID that the owner account must have. If omitted, any account except that of the consumer is
        accepted.
    type: str
  expected_external_id:
    description:
      - The external ID that the share must have. A third party that pulls for its customers sets it from its own
        records.
      - A hand-off with another external ID is rejected before the external ID is sent to AWS.
    type: str
  registry_host:
    description:
      - The host name of the registry that the consumer chooses for its requests. A hand-off cannot contain it.
      - It must be the default, the dual-stack or a FIPS name of the registry of the share.
    type: str
  role_arn:
    description: The ARN of the pull role. Required without a hand-off.
    type: str
  external_id:
    description: The external ID.
    type: str
  shared_at:
    description: The time when the share last changed.
    type: str
  region:
    description: The region of the repositories.
    type: str
  registry:
    description: The host name of the registry.
    type: str
  repository_tags:
    description: The tags that grant access.
    type: dict
  access:
    description: The access that the role grants. V(read) if neither this option nor the hand-off has it.
    type: str
    choices: [pull, read]
  repositories:
    description: Repositories that must be readable.
    type: list
    elements: str
  denied:
    description: Repositories that must be denied.
    type: list
    elements: str
  images:
    description: Images to pull.
    type: list
    elements: str
extends_documentation_fragment:
  - crossaccount.ecr._attributes
  - crossaccount.ecr._attributes.info
  - crossaccount.ecr._requirements
attributes:
  async:
    support: none
  action_group:
    support: none
    membership: []
seealso:
  - module: crossaccount.ecr.ecr_handoff
    description: Writes the hand-off in the owner account.
  - module: crossaccount.ecr.ecr_access_info
    description: Proves the access that the share grants.
  - ref: ansible_collections.crossaccount.ecr.ecr_pull_role
    description: The role C(crossaccount.ecr.ecr_pull) reads the hand-off, proves the access, then pulls.
"""

EXAMPLES = r"""
- name: Read the hand-off of account 111111111111
  crossaccount.ecr.ecr_handoff_info:
    owner_account: "111111111111"
  vars:
    ecr_pull_handoff: handoff.yml
  register: share

- name: Prove the access that the share grants
  crossaccount.ecr.ecr_access_info:
    role_arn: "{{ share.role_arn }}"
    external_id: "{{ share.external_id | default(omit) }}"
    consumer_account: "{{ share.consumer_account | default(omit) }}"
    region: "{{ share.region }}"
    readable: "{{ share.repositories }}"
    denied: "{{ share.denied }}"
"""

RETURN = r"""
owner_account:
  description: The account ID of the owner account.
  returned: success
  type: str
  sample: "111111111111"
consumer_account:
  description: The account ID of the consumer account.
  returned: with a hand-off for an account
  type: str
  sample: "222222222222"
consumer_organization:
  description: The ID of the organization whose accounts can pull.
  returned: with a hand-off for an organization
  type: str
  sample: o-a1b2c3d4e5
consumer_units:
  description: The paths of the organizational units whose accounts can pull.
  returned: with a hand-off for organizational units
  type: list
  elements: str
  sample: [o-a1b2c3d4e5/r-f6g7/ou-f6g7-11111111]
role_arn:
  description: The ARN of the pull role.
  returned: if the share has a role
  type: str
  sample: arn:aws:iam::111111111111:role/allow_ecr_release
mode:
  description: V(repository_policy) or V(registry_policy). The consumer pulls with its own identity.
  returned: if the share has no role
  type: str
  sample: repository_policy
registry_account:
  description: The account ID of the owner account.
  returned: if the share has no role
  type: str
  sample: "111111111111"
consumer_policy:
  description: The IAM policy that the user or role of the consumer needs.
  returned: if the share has no role
  type: dict
  sample:
    Version: "2012-10-17"
    Statement:
      - {Sid: RegistryToken, Effect: Allow, Action: "ecr:GetAuthorizationToken", Resource: "*"}
external_id:
  description: The external ID.
  returned: if the share has one
  type: str
  sample: 7c2f4e0b-share
shared_at:
  description: The time when the share last changed.
  returned: if known
  type: str
  sample: "2026-01-31T23:59:59Z"
expires:
  description: The time when the access ends.
  returned: if it has an end
  type: str
  sample: "2026-12-31T00:00:00Z"
region:
  description: The region of the repositories.
  returned: if known
  type: str
  sample: ap-northeast-1
registry:
  description: The host name of the registry.
  returned: if known
  type: str
  sample: 111111111111.dkr.ecr.ap-northeast-1.amazonaws.com
repository_tags:
  description: The tags that grant access.
  returned: if known
  type: dict
  sample:
    environment: release
access:
  description: The access that the role grants, V(pull) or V(read).
  returned: success
  type: str
  sample: read
repositories:
  description: Repositories that must be readable.
  returned: success
  type: list
  elements: str
  sample: [release]
denied:
  description: Repositories that must be denied.
  returned: success
  type: list
  elements: str
  sample: [develop]
existing:
  description: Repositories that exist according to the hand-off.
  returned: success
  type: list
  elements: str
  sample: [release, develop]
images:
  description: Images to pull.
  returned: success
  type: list
  elements: str
  sample: ["release:v1.0"]
summary:
  description: A summary of the share, line by line.
  returned: success
  type: list
  elements: str
  sample:
    - "owner account:    111111111111 (as ecr_pull_owner_account requires)"
"""
