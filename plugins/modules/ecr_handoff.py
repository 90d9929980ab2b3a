#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This is a virtual module that is entirely implemented as an action plugin and runs on the control node.

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_handoff
short_description: Write the hand-off as a YAML file and as a page
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Writes the values that the consumer account needs to pull. The YAML file is for the role
    P(crossaccount.ecr.ecr_pull#role), which reads it as data. The Markdown page beside it is for people who pull
    without Ansible.
  - The module runs on the control node and writes the files there, with the mode C(0600). The files contain no secrets.
  - Each consumer and each region has separate files. See O(path).
  - All values and paths are validated before the first file is written. In check mode, pass the results that the other
    modules return in check mode. The module then finds every problem before anything is shared.
options:
  path:
    description:
      - The path of the YAML file. The page has the same name with the extension C(.md).
      - With several consumers, C(-NUMBER-ACCOUNT) or C(-NUMBER-ORGANIZATION) is inserted before the extension. With
        several regions, C(-REGION) is inserted. An organization has one file for all of its accounts.
      - The directory must exist and be writable. An existing file must be a regular file of at most 1 MiB.
      - A leading C(~) is expanded. Environment variables are not expanded.
      - If omitted, no file is written.
    type: str
  forms:
    description:
      - Other tools for which the module writes files beside the YAML file, with the values of the share. The comment at
        the top of each file lists the values that only the consumer knows.
      - V(aws_cli) writes a profile of the AWS CLI, C(NAME.aws_cli.ini).
      - V(docker) writes a credential helper of docker, podman and skopeo, C(NAME.docker.sh). It runs
        amazon-ecr-credential-helper.
      - V(kubelet) writes a C(CredentialProviderConfig) for C(ecr-credential-provider), C(NAME.kubelet.yml).
      - V(eks_pod_identity) writes a command that creates an association of EKS Pod Identity with the pull role as the
        target role, C(NAME.eks_pod_identity.sh).
      - V(external_secrets) writes a C(SecretStore) and the generator C(ECRAuthorizationToken) of External Secrets,
        C(NAME.external_secrets.yml).
      - V(terraform) writes a configuration of the provider hashicorp/aws, C(NAME.terraform.tf).
      - V(github_actions) writes a workflow of GitHub Actions, C(NAME.github_actions.yml).
      - V(ecs_lambda) writes a command that allows a role of the consumer to pull, C(NAME.ecs_lambda.sh). ECS and Lambda
        cannot use a pull role. They need a share without a role.
      - If a tool cannot send what the share requires, such as the external ID, the comment states this and names
        another form.
      - Requires O(path).
    type: list
    elements: str
    choices: [aws_cli, docker, kubelet, eks_pod_identity, external_secrets, terraform, github_actions, ecs_lambda]
    default: []
  role:
    description:
      - The result of M(crossaccount.ecr.iam_ecr_pull_role).
      - For a share without a role, a dictionary with C(mode), C(account), C(consumers) and C(sid). C(mode) is
        V(repository_policy) or V(registry_policy). C(account) is the owner account. C(sid) is the Sid of the statement.
        The Sid becomes part of the policy name in V(ecs_lambda). The hand-off then contains the IAM policy of the
        consumer.
    type: dict
    required: true
  tagged:
    description:
      - The results of M(crossaccount.ecr.ecr_repository_tag), one for each region.
      - A repository whose C(tags) lack O(repository_tags) stays in the hand-off. The page, and the comment at the top
        of each of the other files, state that there is no access to it yet, and when it begins.
    type: list
    elements: dict
    required: true
  repository_tags:
    description: The tags that grant access.
    type: dict
    required: true
  repositories:
    description:
      - The declared repositories, by name or pattern. Each image of O(images) must be in one of them. No repository of
        O(denied) may be one of them.
      - If empty, O(images) and O(denied) are not compared with O(repositories).
    type: list
    elements: str
    default: []
  access:
    description: The access that the role grants, see O(crossaccount.ecr.iam_ecr_pull_role#module:access).
    type: str
    choices: [pull, read]
    default: read
  denied:
    description: The names of repositories that the consumer must not be able to read.
    type: list
    elements: str
    default: []
  images:
    description: Images that the consumer pulls, as C(REPOSITORY:IMAGE_TAG) or C(REPOSITORY@DIGEST).
    type: list
    elements: str
    default: []
  share_changed:
    description:
      - Whether this run changed the share. If it did not, the time of the last change in the existing file is kept,
        provided that it is a valid time.
    type: bool
    required: true
  artifact:
    description:
      - Publish the text of a single hand-off under this name, as M(ansible.builtin.set_stats) does. With several
        hand-offs or several hosts, nothing is published.
    type: str
extends_documentation_fragment:
  - crossaccount.ecr._attributes
  - crossaccount.ecr._requirements
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
  async:
    support: none
  action_group:
    support: none
    membership: []
seealso:
  - module: crossaccount.ecr.ecr_handoff_info
    description: Reads the file in the consumer account.
  - ref: ansible_collections.crossaccount.ecr.ecr_share_role
    description: The role C(crossaccount.ecr.ecr_share) shares the repositories and writes the hand-off.
"""

EXAMPLES = r"""
- name: Create the pull role
  crossaccount.ecr.iam_ecr_pull_role:
    name: allow_ecr_release
    repository_tags:
      environment: release
    consumers:
      - account: "222222222222"
        external_id: 7c2f4e0b-share
  register: role

- name: Tag the repository
  crossaccount.ecr.ecr_repository_tag:
    region: ap-northeast-1
    names: [release]
    tags:
      environment: release
  register: tagged

- name: Write the hand-off
  crossaccount.ecr.ecr_handoff:
    path: handoff.yml
    role: "{{ role }}"
    tagged: ["{{ tagged }}"]
    repository_tags:
      environment: release
    share_changed: "{{ role is changed or tagged is changed }}"
"""

RETURN = r"""
files:
  description: The files of the hand-off, changed or not.
  returned: success
  type: list
  elements: str
  sample: [/srv/handoff.yml, /srv/handoff.md]
handoffs:
  description: The hand-offs.
  returned: success
  type: list
  elements: dict
  contains:
    account:
      description: The account ID of the consumer account. V(null) if the consumer is an organization.
      type: str
      sample: "222222222222"
    organization:
      description: The ID of the organization that is the consumer. V(null) if the consumer is an account.
      type: str
      sample: null
    region:
      description: The region of the repositories.
      type: str
      sample: ap-northeast-1
    text:
      description: The content of the YAML file.
      type: str
      sample: "ecr_pull_role_arn: ..."
"""
