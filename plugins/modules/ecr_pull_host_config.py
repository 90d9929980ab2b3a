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
  - What else is in the files stays as it is. A file that can not be parsed is left byte for byte as it was, and nothing
    is written.
  - The files are read and written as O(user), the wrappers as who runs the module.
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
    type: path
  auth_file:
    description:
      - The file for C(credHelpers). The default is C(.docker/config.json) in the home, which docker, podman and skopeo
        read. For podman and skopeo alone, C(.config/containers/auth.json) in the home does as well.
      - podman and skopeo read C(/run/user/UID/containers/auth.json) or C(/run/containers/UID/auth.json) before it. A
        login in there that goes before the helper is named in a warning.
    type: path
  aws_config:
    description: The AWS configuration file. The default is C(.aws/config) in the home.
    type: path
  bin_dir:
    description: The folder for the wrappers, which has to be in the PATH of docker and podman.
    type: path
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
    details: Of the module's own entries alone. The files hold keys and tokens beside them.
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
import tempfile
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.crossaccount.ecr.plugins.module_utils import _pull_host
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import execute
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull_host import Change, Places

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
    "home": {"type": "path"},
    "auth_file": {"type": "path"},
    "aws_config": {"type": "path"},
    "bin_dir": {"type": "path", "default": "/usr/local/bin"},
    "require_helper": {"type": "bool", "default": True},
}


def account_of(user: str | None) -> pwd.struct_passwd:
    try:
        account = pwd.getpwnam(user) if user else pwd.getpwuid(os.geteuid())
    except KeyError:
        raise EcrError(f"User {user or os.geteuid()} is not known on this host. Create the user first.") from None
    if os.geteuid() not in (0, account.pw_uid):
        raise EcrError(f"The files of user {user} can not be written by another user. Say become: true.")
    return account


@contextlib.contextmanager
def acting_as(account: pwd.struct_passwd) -> t.Iterator[None]:
    """Within, files are read and written as this user: links in a home lead root nowhere that the user may not go."""
    if os.geteuid() == account.pw_uid:
        yield
        return
    groups, group = os.getgroups(), os.getegid()
    os.initgroups(account.pw_name, account.pw_gid)
    os.setegid(account.pw_gid)
    os.seteuid(account.pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)


def places_of(options: dict[str, t.Any], account: pwd.struct_passwd) -> Places:
    home = options["home"] or account.pw_dir
    return Places(
        account.pw_name,
        os.path.realpath(options["auth_file"] or f"{home}/.docker/config.json"),
        os.path.realpath(options["aws_config"] or f"{home}/.aws/config"),
        os.path.abspath(options["bin_dir"]),
    )


def read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def read_before(options: dict[str, t.Any], account: pwd.struct_passwd, auth_file: str) -> dict[str, bytes | None]:
    """What podman and skopeo read before `auth_file`, with what is in there. Source: containers-auth.json(5)."""
    home = options["home"] or account.pw_dir
    order = [
        f"/run/user/{account.pw_uid}/containers/auth.json",
        f"/run/containers/{account.pw_uid}/auth.json",
        f"{home}/.config/containers/auth.json",
        f"{home}/.docker/config.json",
    ]
    real = [os.path.realpath(path) for path in order]
    found = {}
    for path in order[: real.index(auth_file)] if auth_file in real else []:
        with contextlib.suppress(OSError):  # what the user may not read, podman does not read for the user
            found[path] = read(path)
    return found


def unwritable(path: str) -> str | None:
    """Where in the way to a file this process may not write, or None."""
    folder = os.path.dirname(path)
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    allowed = os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK, effective_ids=True)
    return None if allowed else folder


def write(change: Change) -> None:
    """In one step, so that docker and podman see the old file or the new one."""
    if change.content is None:
        os.unlink(change.path)
        return
    folder = os.path.dirname(change.path)
    os.makedirs(folder, mode=change.mode | 0o100, exist_ok=True)
    mode = os.stat(change.path).st_mode & 0o777 if os.path.exists(change.path) else change.mode
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".incoming-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(change.content)
            os.fchmod(handle, mode)
        os.replace(temporary, change.path)
    except BaseException:
        os.unlink(temporary)
        raise


def run(module: AnsibleModule) -> dict[str, t.Any]:
    options, present = module.params, module.params["state"] == "present"
    account, registries = account_of(options["user"]), options["registries"]
    installed = module.get_bin_path(_pull_host.HELPER) is not None
    hosts = list(_pull_host.hosts_of(registries))
    problems = Problems()
    for problem in _pull_host.registry_problems(registries, present):
        problems.add(problem)
    if present and options["require_helper"] and not installed:
        problems.add(
            f"{_pull_host.HELPER} is not installed (no such program in PATH). Install the package"
            " amazon-ecr-credential-helper, or have the role ecr_pull_host do it: ecr_pull_host_install."
        )

    def by_user(path: str) -> t.ContextManager[None]:
        """Who reads and writes a file: the user theirs, and who runs the module the wrappers."""
        return acting_as(account) if path in (places.auth_file, places.aws_config) else contextlib.nullcontext()

    with acting_as(account):
        places = places_of(options, account)
        earlier = read_before(options, account, places.auth_file)
    found: dict[str, bytes | None] = {}
    for path in [places.aws_config, places.auth_file, *map(places.wrapper, hosts)]:
        try:
            with by_user(path):
                found[path] = read(path)
        except OSError as error:
            found[path] = None
            problems.add(f"{path} can not be read: {error.strerror}. Mend that and run again.")
    changes = _pull_host.plan(registries, present, places, found, problems)
    for change in changes:
        with by_user(change.path):
            folder = unwritable(change.path)
        if folder:
            problems.add(f"{change.path} can not be written: {folder} is no folder that may be written to.")
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
