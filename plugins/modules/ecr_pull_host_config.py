#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_pull_host_config
short_description: Have docker and podman of a host assume the pull role by themselves
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - For a host that pulls for years, without anyone refreshing a token. For each registry it writes a profile of the AWS
    configuration, which assumes the owner account's pull role; a wrapper of amazon-ecr-credential-helper with that
    profile; and an entry of C(credHelpers) that names the wrapper. docker, podman and skopeo then ask it for each pull.
  - What else is in the files stays as it is. If a file cannot be parsed, nothing is written.
  - The files in the home are read and written with the rights of O(user). The wrappers are written by the user who runs
    the module, with mode V(0755), in a directory that no other user can change.
  - Only regular files of at most 1 MiB are read.
  - In the path options, a leading C(~) is the home of O(user). Environment variables are not expanded.
  - It asks nothing of AWS, and needs no boto3. P(crossaccount.ecr.ecr_pull_host#role) also installs the helper.
options:
  state:
    description:
      - V(absent) takes the profiles, the wrappers and the entries of O(registries) out again, and nothing else.
    type: str
    choices: [present, absent]
    default: present
  registries:
    description: The registries. Others that were set up before stay.
    type: list
    elements: dict
    required: true
    suboptions:
      registry:
        description: The registry's host, as C(ecr_pull_registry) of the hand-off. With O(state=absent), this is enough.
        type: str
        required: true
      role_arn:
        description: The pull role, in the account that owns the registry. From the hand-off.
        type: str
      external_id:
        description: The external id. From the hand-off.
        type: str
      role_session_name:
        description: How the sessions are called in the owner account's logs. The default is the helper's.
        type: str
      credential_source:
        description:
          - Where the credentials are that assume the role. It takes this or O(registries[].source_profile).
          - Environment variables are no choice. With keys in the environment, the helper would not assume the role.
        type: str
        choices: [Ec2InstanceMetadata, EcsContainer]
      source_profile:
        description: The user's profile with the credentials that assume the role.
        type: str
  user:
    description: The user who pulls. The default is who runs the module. For another user, run it as root.
    type: str
  home:
    description: The user's home, where it is not that of the user database.
    type: str
  auth_file:
    description:
      - The file for C(credHelpers). The default is C(.docker/config.json) in the home, which docker, podman and skopeo
        read. For podman and skopeo alone, C(.config/containers/auth.json) in the home does as well.
      - podman and skopeo read C(/run/user/UID/containers/auth.json) or C(/run/containers/UID/auth.json) before it. A
        login in there that goes before the helper is named in a warning.
    type: str
  aws_config:
    description: The AWS configuration file. The default is C(.aws/config) in the home.
    type: str
  bin_dir:
    description:
      - The directory for the wrappers. It must be in the PATH of docker and podman.
      - Only root and the user who runs the module may be able to write to it and to its parents up to V(/). A parent
        with the sticky bit, such as V(/tmp), is accepted. Links are resolved, and the directories that they lead
        through are checked, too.
      - A link or a file of other origin in the place of a wrapper is an error. It is never followed, shown or removed.
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
- name: Have root's docker and podman pull as the hand-off says
  crossaccount.ecr.ecr_pull_host_config:
    registries:
      - registry: "{{ ecr_pull_registry }}"
        role_arn: "{{ ecr_pull_role_arn }}"
        external_id: "{{ ecr_pull_external_id }}"
        credential_source: Ec2InstanceMetadata
  become: true

- name: Pull from two owner accounts, as another user, with the credentials of a profile
  crossaccount.ecr.ecr_pull_host_config:
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

- name: Take one of them out again
  crossaccount.ecr.ecr_pull_host_config:
    state: absent
    user: deploy
    registries:
      - registry: 333333333333.dkr.ecr.ap-northeast-1.amazonaws.com
  become: true
"""

RETURN = r"""
helpers:
  description: What C(credHelpers) names for each registry.
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

import contextlib
import os
import pwd
import typing as t
from dataclasses import replace

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.crossaccount.ecr.plugins.module_utils import _pull_host
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._files import expand_home, read_regular
from ansible_collections.crossaccount.ecr.plugins.module_utils._host_files import (
    LIMIT,
    account_of,
    acting_as,
    read_wrapper,
    safe_folder,
    unwritable,
    write,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import execute
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull_host import Places

ARGUMENTS: dict[str, t.Any] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "registries": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "registry": {"type": "str", "required": True},
            "role_arn": {"type": "str"},
            "external_id": {"type": "str"},
            "role_session_name": {"type": "str"},
            "credential_source": {"type": "str", "choices": ["Ec2InstanceMetadata", "EcsContainer"]},
            "source_profile": {"type": "str"},
        },
    },
    "user": {"type": "str"},
    "home": {"type": "str"},
    "auth_file": {"type": "str"},
    "aws_config": {"type": "str"},
    "bin_dir": {"type": "str", "default": "/usr/local/bin"},
    "require_helper": {"type": "bool", "default": True},
}


def paths_of(options: dict[str, t.Any], account: pwd.struct_passwd) -> dict[str, str]:
    """The paths of the options and their defaults, with `~` as the home of the user."""
    home = expand_home(options["home"] or "~", account.pw_dir)
    given = {
        "auth_file": options["auth_file"] or "~/.docker/config.json",
        "aws_config": options["aws_config"] or "~/.aws/config",
        "bin_dir": options["bin_dir"],
    }
    return {"home": home, **{name: expand_home(path, home) for name, path in given.items()}}


def read_before(home: str, account: pwd.struct_passwd, auth_file: str) -> dict[str, bytes | None]:
    """The files that podman and skopeo read before `auth_file`. Source: containers-auth.json(5)."""
    order = [
        f"/run/user/{account.pw_uid}/containers/auth.json",
        f"/run/containers/{account.pw_uid}/auth.json",
        f"{home}/.config/containers/auth.json",
        f"{home}/.docker/config.json",
    ]
    real = [os.path.realpath(path) for path in order]
    found = {}
    for path in order[: real.index(auth_file)] if auth_file in real else []:
        with contextlib.suppress(EcrError):  # such a file is of no use to podman
            found[path] = read_regular(path, LIMIT)
    return found


def places_of(paths: dict[str, str], account: pwd.struct_passwd, problems: Problems) -> Places:
    """The places of the files, with the links of the user's files resolved."""
    unusable = list(_pull_host.path_problems(paths))
    if not unusable:
        with acting_as(account):
            paths = {**paths, **{name: os.path.realpath(paths[name]) for name in ("auth_file", "aws_config")}}
        unusable = list(_pull_host.path_problems(paths))
    for problem in unusable:
        problems.add(problem)
    if unusable:
        problems.check()
    return Places(account.pw_name, paths["auth_file"], paths["aws_config"], paths["bin_dir"])


def attempt(problems: Problems, function: t.Callable[..., t.Any], *arguments: t.Any) -> t.Any:
    """The result of the function; None if it fails, which is then one of the problems."""
    try:
        return function(*arguments)
    except EcrError as error:
        problems.add(str(error))
        return None


def read_home(paths: dict[str, str], places: Places, problems: Problems) -> dict[str, bytes | None]:
    """The user's files, read by the paths with their links: what /proc/self/fd leads to may have no real path."""
    return {
        places.aws_config: attempt(problems, read_regular, paths["aws_config"], LIMIT),
        places.auth_file: attempt(problems, read_regular, paths["auth_file"], LIMIT),
    }


def check_declaration(options: dict[str, t.Any], installed: bool, problems: Problems) -> None:
    present = options["state"] == "present"
    for problem in _pull_host.registry_problems(options["registries"], present):
        problems.add(problem)
    if present and options["require_helper"] and not installed:
        problems.add(
            f"{_pull_host.HELPER} is not installed (no such program in PATH). Install the package"
            " amazon-ecr-credential-helper, or have the role ecr_pull_host do it: ecr_pull_host_install."
        )


def run(module: AnsibleModule) -> dict[str, t.Any]:
    options, present = module.params, module.params["state"] == "present"
    account, registries = account_of(options["user"]), options["registries"]
    installed = module.get_bin_path(_pull_host.HELPER) is not None
    hosts = list(_pull_host.hosts_of(registries))
    problems = Problems()
    check_declaration(options, installed, problems)
    paths = paths_of(options, account)
    places = places_of(paths, account, problems)
    bin_dir = attempt(problems, safe_folder, places.bin_dir)
    places = replace(places, bin_dir=bin_dir or places.bin_dir)
    wrappers = [places.wrapper(host) for host in hosts]

    def by_user(path: str) -> t.ContextManager[None]:
        """The user reads and writes the files in the home; the user who runs the module, the wrappers."""
        return contextlib.nullcontext() if path in wrappers else acting_as(account)

    with acting_as(account):
        earlier = read_before(paths["home"], account, places.auth_file)
        found = read_home(paths, places, problems)
    existing = {path: attempt(problems, read_wrapper, path) if bin_dir else None for path in wrappers}
    found.update({path: wrapper and wrapper.content for path, wrapper in existing.items()})
    faults = {path: wrapper.fault for path, wrapper in existing.items() if wrapper and wrapper.fault}
    changes = _pull_host.plan(registries, present, places, found, faults, problems)
    for change in changes if bin_dir else ():
        with by_user(change.path):
            folder = unwritable(change.path)
        if folder:
            problems.add(f"{change.path} cannot be written: {folder} is not a writable directory.")
    problems.check()
    for warning in _pull_host.login_warnings(places, earlier, found, hosts) if present else ():
        module.warn(warning)
    for change in changes if not module.check_mode else ():
        with by_user(change.path):
            write(change)
    return {
        "changed": bool(changes),
        "diff": [change.diff() for change in changes],
        "helpers": {host: places.helper(host) for host in hosts},
        "helper_installed": installed,
        "files": [change.path for change in changes],
    }


def main() -> None:
    execute(AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True), run)


if __name__ == "__main__":
    main()
