#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_credential_helper_config
short_description: Configure docker and podman of a host to assume the pull role
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Configures amazon-ecr-credential-helper for long-lived hosts, so that no token needs to be renewed. For each
    registry, the module writes an AWS profile that assumes the pull role of the owner account, a wrapper that runs the
    helper with that profile, and an entry of C(credHelpers) that names the wrapper. docker, podman and skopeo then run
    the wrapper for each pull.
  - Everything else in the files is preserved, byte for byte. If a file cannot be parsed, nothing is written.
  - If C(credHelpers) already has an entry for one of the registries, a warning names it, and the entry is replaced.
    O(state=absent) restores it. The wrapper stores it until then.
  - The wrappers set C(HOME), the paths of the AWS files, and C(PATH), so they also work when cron, systemd or another
    user runs docker.
  - The module reads and writes the files in the home directory with the permissions of O(user). The user who runs the
    module owns the wrappers. They have the mode V(0755) and are in a directory that no other user can change.
  - Only regular files of at most 1 MiB are read.
  - In the path options, a leading C(~) is the home directory of O(user). Environment variables are not expanded.
  - The module does not send requests to AWS and does not need boto3.
options:
  state:
    description:
      - V(present) adds the registries to the configuration.
      - V(absent) removes the profiles, the wrappers and the entries of O(registries), and nothing else. It restores the
        entries of C(credHelpers) that V(present) replaced. It deletes a file only if V(present) created the file and
        nothing else is left in it.
    type: str
    choices: [present, absent]
    default: present
  registries:
    description:
      - The registries. Other registries that were configured earlier are preserved. Required without O(share).
    type: list
    elements: dict
    default: []
    suboptions:
      registry:
        description:
          - The host name of the registry, C(ecr_pull_registry) in the hand-off. With O(state=absent), no other
            suboption is required.
        type: str
        required: true
      role_arn:
        description: The ARN of the pull role, from the hand-off. The role is in the account that owns the registry.
        type: str
      external_id:
        description: The external ID, from the hand-off.
        type: str
      role_session_name:
        description:
          - The name of the sessions in the CloudTrail logs of the owner account. By default, the helper chooses it.
        type: str
      credential_source:
        description:
          - The source of the credentials that assume the role. Mutually exclusive with O(registries[].source_profile).
          - Environment variables are not supported. With keys in the environment, the helper does not assume the role.
        type: str
        choices: [Ec2InstanceMetadata, EcsContainer]
      source_profile:
        description: The AWS profile of the user whose credentials assume the role.
        type: str
  share:
    description:
      - The result of M(crossaccount.ecr.ecr_handoff_info). Its registry is added to O(registries), with its pull role
        and external ID. The result of a skipped task adds nothing.
    type: dict
  credentials:
    description: The credentials that assume the pull role of O(share).
    type: dict
    suboptions:
      role_session_name:
        description: See O(registries[].role_session_name).
        type: str
      credential_source:
        description: See O(registries[].credential_source).
        type: str
        choices: [Ec2InstanceMetadata, EcsContainer]
      source_profile:
        description: See O(registries[].source_profile).
        type: str
  user:
    description:
      - The user whose files are configured. The default is the user who runs the module. To configure another user, run
        the module as root.
    type: str
  home:
    description: The home directory of the user. The default is that of the user database.
    type: str
  auth_file:
    description:
      - The file with C(credHelpers). The default is C(.docker/config.json) in the home directory, which docker, podman
        and skopeo read. If only podman and skopeo pull, C(.config/containers/auth.json) works as well.
      - podman and skopeo first read C(/run/user/UID/containers/auth.json) or C(/run/containers/UID/auth.json). A
        warning names a login in that file which takes precedence over the helper.
      - A symbolic link is preserved, and its target is changed.
    type: str
  aws_config:
    description: The AWS configuration file. The default is C(.aws/config) in the home directory.
    type: str
  aws_credentials:
    description:
      - The AWS credentials file, which can contain the O(registries[].source_profile). The default is
        C(.aws/credentials) in the home directory. The module only writes its path to the wrappers.
    type: str
  bin_dir:
    description:
      - The directory for the wrappers. It must be in the PATH of docker and podman. The PATH of cron is often
        C(/usr/bin:/bin). For pulls by cron, set C(PATH) in the crontab, or use V(/usr/bin).
      - Only root and the user who runs the module may be able to write to the directory and its parents up to V(/). A
        parent with the sticky bit, such as V(/tmp), is accepted. Links are resolved, and the directories on the way are
        checked as well.
      - A link, or a file that this module did not write, in the place of a wrapper is an error. The module never
        follows, shows or removes it.
    type: str
    default: /usr/local/bin
  require_helper:
    description:
      - Whether to fail if C(docker-credential-ecr-login) is not installed. A pull needs it.
      - By default, the module fails, except in check mode, in which an earlier task may not have installed it yet.
    type: bool
extends_documentation_fragment:
  - crossaccount.ecr._attributes
  - crossaccount.ecr._requirements
requirements:
  - amazon-ecr-credential-helper
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: >-
      The diff shows only the entries of this module, because the files also contain keys and tokens. It shows a
      previous wrapper only if the wrapper has the text that this version writes.
  idempotent:
    support: full
  async:
    support: full
  action_group:
    support: none
    membership: []
seealso:
  - ref: ansible_collections.crossaccount.ecr.ecr_credential_helper_role
    description: The role C(crossaccount.ecr.ecr_credential_helper) also installs the helper.
  - module: crossaccount.ecr.ecr_handoff_info
    description: Reads the values for O(share).
  - name: amazon-ecr-credential-helper
    description: The program that gets a registry token for each pull.
    link: https://github.com/awslabs/amazon-ecr-credential-helper
"""

EXAMPLES = r"""
- name: Configure docker and podman of root for one registry
  crossaccount.ecr.ecr_credential_helper_config:
    registries:
      - registry: 111111111111.dkr.ecr.ap-northeast-1.amazonaws.com
        role_arn: arn:aws:iam::111111111111:role/allow_ecr_release
        external_id: 7c2f4e0b-share
        credential_source: Ec2InstanceMetadata
  become: true

- name: Configure the registries of two owner accounts for another user, with the credentials of a profile
  crossaccount.ecr.ecr_credential_helper_config:
    user: deploy
    registries:
      - registry: 111111111111.dkr.ecr.ap-northeast-1.amazonaws.com
        role_arn: arn:aws:iam::111111111111:role/allow_ecr_release
        external_id: 7c2f4e0b-share
        source_profile: default
      - registry: 333333333333.dkr.ecr.ap-northeast-1.amazonaws.com
        role_arn: arn:aws:iam::333333333333:role/allow_ecr_release
        external_id: 51d0a9c2-share
        source_profile: default
  become: true

- name: Remove one of the two registries
  crossaccount.ecr.ecr_credential_helper_config:
    state: absent
    user: deploy
    registries:
      - registry: 333333333333.dkr.ecr.ap-northeast-1.amazonaws.com
  become: true
"""

RETURN = r"""
helpers:
  description: The helper that C(credHelpers) names for each registry.
  returned: success
  type: dict
  sample:
    111111111111.dkr.ecr.ap-northeast-1.amazonaws.com: ecr-pull-root-111111111111.dkr.ecr.ap-northeast-1.amazonaws.com
helper_installed:
  description: Whether C(docker-credential-ecr-login) is installed.
  returned: success
  type: bool
  sample: true
files:
  description: The files that changed, or would change in check mode.
  returned: success
  type: list
  elements: str
  sample: [/home/deploy/.aws/config]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.crossaccount.ecr.plugins.module_utils._credential_helper import HELPER
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._helper_plan import plan_host
from ansible_collections.crossaccount.ecr.plugins.module_utils._host_declaration import (
    ARGUMENTS,
    declaration_of,
    host_declaration_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._host_files import (
    apply,
    local_account,
    paths_of,
    read_host,
    write_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import run_and_exit, warn


def run(module: AnsibleModule) -> Json:
    helper, problems = module.get_bin_path(HELPER), Problems()
    declared = declaration_of(module.params, module.check_mode)
    problems.extend(host_declaration_problems(declared, helper))
    account = local_account(declared.user)
    paths, found = read_host(declared, account, paths_of(declared, account, helper), problems)
    plan = plan_host(declared, paths, found)
    problems.extend(plan.problems)
    problems.extend(write_problems(plan.changes, account))
    problems.check()
    warn(module, plan.warnings)
    if not module.check_mode:
        apply(plan.changes, account)
    return {
        "changed": bool(plan.changes),
        "diff": [change.diff() for change in plan.changes],
        "helpers": {host: paths.helper(host) for host in declared.by_host},
        "helper_installed": helper is not None,
        "files": [change.path for change in plan.changes],
    }


def main() -> None:
    run_and_exit(AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True), run)


if __name__ == "__main__":
    main()
