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
  - For a host that pulls for years without a renewal of tokens. For each registry, the module writes a profile of the
    AWS configuration that assumes the owner account's pull role, a wrapper of amazon-ecr-credential-helper with that
    profile, and an entry of C(credHelpers) that names the wrapper. docker, podman and skopeo then run the wrapper for
    each pull.
  - Everything else in the files stays as it is, byte by byte. If a file cannot be parsed, nothing is written.
  - An entry of C(credHelpers) that the user wrote for one of the registries is named in a warning and replaced.
    O(state=absent) restores it. The wrapper keeps it until then.
  - The wrappers set C(HOME), the paths of the AWS files, and C(PATH), so they also work when cron, systemd or another
    user runs docker.
  - The files in the home are read and written with the rights of O(user). The wrappers are written by the user who runs
    the module, with mode V(0755), in a directory that no other user can change.
  - Only regular files of at most 1 MiB are read.
  - In the path options, a leading C(~) is the home of O(user). Environment variables are not expanded.
  - The module does not call AWS and does not need boto3. The role
    P(crossaccount.ecr.ecr_credential_helper#role) also installs the helper.
options:
  state:
    description:
      - V(absent) removes the profiles, the wrappers and the entries of O(registries), and nothing else. It restores the
        entries of C(credHelpers) that V(present) replaced. It deletes a file only if V(present) created it and nothing
        else is left in it.
    type: str
    choices: [present, absent]
    default: present
  registries:
    description: The registries. Others that were set up before stay. Required without O(share).
    type: list
    elements: dict
    default: []
    suboptions:
      registry:
        description: The registry's host, as C(ecr_pull_registry) of the hand-off. With O(state=absent), this is enough.
        type: str
        required: true
      role_arn:
        description: The pull role, in the account that owns the registry. From the hand-off.
        type: str
      external_id:
        description: The external ID. From the hand-off.
        type: str
      role_session_name:
        description: The name of the sessions in the owner account's logs. The default is that of the helper.
        type: str
      credential_source:
        description:
          - The source of the credentials that assume the role. Mutually exclusive with O(registries[].source_profile).
          - Environment variables are not supported. With keys in the environment, the helper does not assume the role.
        type: str
        choices: [Ec2InstanceMetadata, EcsContainer]
      source_profile:
        description: The user's profile with the credentials that assume the role.
        type: str
  share:
    description:
      - The result of M(crossaccount.ecr.ecr_handoff_info). Its registry is added to O(registries), with its pull role
        and external ID. The result of a task that was skipped adds nothing.
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
    description: The user who pulls. The default is the user who runs the module. For another user, run it as root.
    type: str
  home:
    description: The user's home, if it is not that of the user database.
    type: str
  auth_file:
    description:
      - The file for C(credHelpers). The default is C(.docker/config.json) in the home, which docker, podman and skopeo
        read. If only podman and skopeo pull, C(.config/containers/auth.json) in the home is possible, too.
      - podman and skopeo read C(/run/user/UID/containers/auth.json) or C(/run/containers/UID/auth.json) before it. A
        login there that takes precedence over the helper is named in a warning.
      - A symbolic link stays. The file that it leads to is changed.
    type: str
  aws_config:
    description: The AWS configuration file. The default is C(.aws/config) in the home.
    type: str
  aws_credentials:
    description:
      - The AWS credentials file, which may have the O(registries[].source_profile). The default is C(.aws/credentials)
        in the home. The module only writes its path to the wrappers.
    type: str
  bin_dir:
    description:
      - The directory for the wrappers. It must be in the PATH of docker and podman. The PATH of cron is often
        C(/usr/bin:/bin). For pulls by cron, set C(PATH) in the crontab, or use V(/usr/bin).
      - Only root and the user who runs the module may be able to write to it and to its parents up to V(/). A parent
        with the sticky bit, such as V(/tmp), is accepted. Links are resolved, and the directories that they lead
        through are checked, too.
      - A link or a foreign file in the place of a wrapper is an error. It is never followed, shown or removed.
    type: str
    default: /usr/local/bin
  require_helper:
    description: Whether it is an error that C(docker-credential-ecr-login) is not installed. It is needed for a pull.
    type: bool
    default: true
extends_documentation_fragment:
  - crossaccount.ecr.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: >-
      The diff shows the entries of this module only, because the files also hold keys and tokens. It shows a former
      wrapper only if it has the text that this version writes.
"""

EXAMPLES = r"""
- name: Configure root's docker and podman for the registry of the hand-off
  crossaccount.ecr.ecr_credential_helper_config:
    registries:
      - registry: "{{ ecr_pull_registry }}"
        role_arn: "{{ ecr_pull_role_arn }}"
        external_id: "{{ ecr_pull_external_id }}"
        credential_source: Ec2InstanceMetadata
  become: true

- name: Pull from two owner accounts, as another user, with the credentials of a profile
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

- name: Remove one of them
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
  description: The files that were changed, or would be in check mode.
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
    declared, helper, problems = declaration_of(module.params), module.get_bin_path(HELPER), Problems()
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
