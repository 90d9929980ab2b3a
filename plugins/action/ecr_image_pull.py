# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Displays the progress of a pull. With `credentials: control_node`, it requests a registry token for the host."""

from __future__ import annotations

import contextlib
import tempfile
import typing as t

from ansible import constants
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import SessionOptions
from ansible_collections.crossaccount.ecr.plugins.module_utils._declared_account import RegistryAccount
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import Reference
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import capture_result
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull import Authorization, authorize, pull_is_final
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull_options import (
    PULL_ARGUMENTS,
    PULL_RULES,
    PullOptions,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._retry import Report
from ansible_collections.crossaccount.ecr.plugins.module_utils._secrets import KNOWN
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import session_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._status import VARIABLE, read_status
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import RETRY_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._controller import (
    Controller,
    progress_reporter,
    reject_async,
    run_in_steps,
)
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._display import displayable
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._guard import guarded
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._progress import progress
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._role_action import RoleAction

#: The options that are passed to the host. The other options are for requests to AWS. The host expands the paths.
_FOR_THE_HOST = (
    *("engine", "dest", "platform", "ca_path", "validate_certs"),
    *RETRY_ARGUMENTS,  # a new share may propagate to the registry later than to the API of ECR
)


class ActionModule(RoleAction):
    _supports_async = True
    #: Whether a token is passed to the host.
    _gives_token = False
    #: The path of the file for the status of the running module.
    _status_file = ""

    @guarded
    def run(self, tmp: object = None, task_vars: Json | None = None) -> Json:
        result: Json = super().run(tmp, task_vars)
        variables = task_vars or {}
        by_controller = self._task.args.get("credentials") == "control_node"
        if constants.DEFAULT_DEBUG and (by_controller or self._task.args.get("registry_token")):
            msg = (
                "Ansible's debug mode prints the registry token. Unset ANSIBLE_DEBUG (debug in ansible.cfg), or set"
                f" {option('credentials')}: host without registry_token."
            )
            return {**result, "failed": True, "msg": msg}
        if not by_controller:
            with self._progress(variables):
                done = run_in_steps(self, "ecr_image_pull", PULL_ARGUMENTS, pull_is_final, variables)
            return {**result, **done}
        reject_async(self)
        # The token goes into the host's Python by its standard input, and into no file.
        self._connection.set_option("pipelining", True)
        if not self._is_pipelining_enabled("new"):
            msg = (
                f"{option('credentials')}: control_node needs pipelining, or the token would be in a file on the host."
                " Use a connection and a become method that support pipelining, leave ANSIBLE_KEEP_REMOTE_FILES unset,"
                f" or set {option('credentials')}: host."
            )
            return {**result, "failed": True, "msg": msg}
        with self._progress(variables):
            done = displayable(self._pull(variables))
        return {**result, **done}

    @contextlib.contextmanager
    def _progress(self, variables: Json) -> t.Iterator[None]:
        """Context manager that displays a line every ten seconds, with the status of a module on a local connection."""
        with tempfile.NamedTemporaryFile(dir=constants.DEFAULT_LOCAL_TMP, prefix="status-") as file:
            self._status_file = file.name
            label = f"{variables['inventory_hostname']}: {self._task.get_name()}"
            with progress(label, lambda: read_status(file.name)):
                yield

    def _compute_environment_string(self, *arguments: t.Any) -> str:
        """Add the path of the status file to the environment of the module, if the module runs on this host."""
        environment = str(super()._compute_environment_string(*arguments))
        if self._connection.transport != "local" or not self._status_file:
            return environment
        return f"{self._connection._shell.env_prefix(**{VARIABLE: self._status_file})} {environment}".rstrip()

    def _pull(self, variables: Json) -> Json:
        """The result of the host. The host checks its engine before a token is requested."""
        checked = capture_result(self._check)
        if checked.get("failed"):
            return checked
        controller, pull = checked["controller"], checked["options"]
        options = {name: controller.params[name] for name in _FOR_THE_HOST if controller.params[name] is not None}
        names = ("images", "role_arn", "account", "registry_account", "credentials")
        image_options = {name: self._task.args[name] for name in names if name in self._task.args}
        ready: Json = self._execute_module(module_args={**options, **image_options}, task_vars=variables)
        if ready.get("failed"):
            return ready
        report = progress_reporter(variables["inventory_hostname"])
        authorized = capture_result(lambda: self._authorize(controller, pull, report))
        if authorized.get("failed"):
            return authorized
        authorization: Authorization = authorized["authorization"]
        KNOWN.add(authorization.token)
        self._gives_token = True
        given = {**options, **_for_the_host(pull, authorization)}
        done: Json = self._execute_module(module_args=given, task_vars=variables)
        images = done.get("images")
        for reference, image in zip(pull.references, images if isinstance(images, list) else []):
            if isinstance(image, dict):  # the result of a host is not trusted
                image["image"] = str(reference)
        return done

    def _check(self) -> Json:
        """Validate the parameters on the control node."""
        controller = Controller("ecr_image_pull", PULL_ARGUMENTS, self._task.args, **PULL_RULES)
        return {"controller": controller, "options": PullOptions.of(controller.params)}

    def _authorize(self, controller: Controller, options: PullOptions, report: Report) -> Json:
        """The registry token and the digests, as an object, so that the token is not masked."""
        source = t.cast(t.Union[SessionOptions, RegistryAccount], options.session or options.own)
        session, wait, denied, host = session_of(controller), options.wait, options.denied, options.registry_host
        return {"authorization": authorize(session, source, wait, options.references, report, denied, host)}

    def _low_level_execute_command(self, *arguments: t.Any, **options: t.Any) -> t.Any:
        """Mask secrets in the output of a host before Ansible processes it."""
        if not self._gives_token:
            return super()._low_level_execute_command(*arguments, **options)
        context = self._connection._play_context
        before, context.no_log = context.no_log, True  # ssh displays the output of a host at -vvv
        try:
            return KNOWN.mask(super()._low_level_execute_command(*arguments, **options))
        except AnsibleConnectionFailure as error:
            raise AnsibleConnectionFailure(KNOWN.mask(str(error))) from None
        finally:
            context.no_log = before


def _for_the_host(options: PullOptions, authorization: Authorization) -> Json:
    """The options for the host in place of the role: digests and a token."""
    pinned = [
        str(Reference(reference.repository, reference.image_tag, digest))
        for reference, digest in zip(options.references, authorization.digests)
    ]
    return {"images": pinned, "registry_url": authorization.url, "registry_token": authorization.token}
