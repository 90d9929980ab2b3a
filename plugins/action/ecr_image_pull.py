# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows the progress of a pull. If the controller has the credentials, it gives the host a token for the one pull."""

from __future__ import annotations

import contextlib
import tempfile
import typing as t

from ansible import constants
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import SessionOptions
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import Reference
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import result_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull import Authorization, authorize, pull_is_final
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull_options import (
    PULL_ARGUMENTS,
    PULL_RULES,
    PullOptions,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._retry import Say
from ansible_collections.crossaccount.ecr.plugins.module_utils._secrets import KNOWN
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import session_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._status import VARIABLE, read_status
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import RETRY_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._controller import Controller, run_in_steps, say_for
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._guard import guarded
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._progress import progress
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._role_action import RoleAction
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._show import displayable

#: What the host is told of the options; the rest is for AWS. Paths are the task's own text, which the host expands.
_FOR_THE_HOST = (
    *("engine", "dest", "platform", "ca_path", "validate_certs"),
    *RETRY_ARGUMENTS,  # the registry may know a share later than ECR's API
)


class ActionModule(RoleAction):
    _supports_async = True
    #: Whether the host gets a token.
    _gives_token = False
    #: The file for the status of the module, while it runs.
    _status_file = ""

    @guarded
    def run(self, tmp: object = None, task_vars: Json | None = None) -> Json:
        result: Json = super().run(tmp, task_vars)
        variables = task_vars or {}
        by_controller = self._task.args.get("credentials") == "controller"
        if constants.DEFAULT_DEBUG and (by_controller or self._task.args.get("registry_token")):
            msg = (
                "Ansible's debug mode prints the registry token. Unset ANSIBLE_DEBUG (debug in ansible.cfg), or set"
                " credentials: host without registry_token."
            )
            return {**result, "failed": True, "msg": msg}
        if not by_controller:
            with self._progress(variables):
                done = run_in_steps(self, "ecr_image_pull", PULL_ARGUMENTS, pull_is_final, variables)
            return {**result, **done}
        if self._task.async_val:
            return {**result, "failed": True, "msg": "credentials: controller does not go with async."}
        # The token goes into the host's Python by its standard input, and into no file.
        self._connection.set_option("pipelining", True)
        if not self._is_pipelining_enabled("new"):
            msg = (
                "credentials: controller needs pipelining, or the token would be in a file on the host. Use a"
                " connection and a become method that can, leave ANSIBLE_KEEP_REMOTE_FILES unset, or set"
                " credentials: host."
            )
            return {**result, "failed": True, "msg": msg}
        with self._progress(variables):
            done = displayable(self._pull(variables))
        return {**result, **done}

    @contextlib.contextmanager
    def _progress(self, variables: Json) -> t.Iterator[None]:
        """Within, show a line of progress every ten seconds. On a local connection, it has the module's status."""
        with tempfile.NamedTemporaryFile(dir=constants.DEFAULT_LOCAL_TMP, prefix="status-") as file:
            self._status_file = file.name
            what = f"{variables['inventory_hostname']}: {self._task.get_name()}"
            with progress(what, lambda: read_status(file.name)):
                yield

    def _compute_environment_string(self, *arguments: t.Any) -> str:
        """Name the file for its status to the module, if that runs on this host."""
        environment = str(super()._compute_environment_string(*arguments))
        if self._connection.transport != "local" or not self._status_file:
            return environment
        return f"{self._connection._shell.env_prefix(**{VARIABLE: self._status_file})} {environment}".rstrip()

    def _pull(self, variables: Json) -> Json:
        """The host's result. The host reports its engine before a token is requested."""
        checked = result_of(self._check)
        if checked.get("failed"):
            return checked
        controller, pull = checked["controller"], checked["options"]
        options = {name: controller.params[name] for name in _FOR_THE_HOST if controller.params[name] is not None}
        asked = {name: self._task.args[name] for name in ("images", "role_arn", "credentials")}
        ready: Json = self._execute_module(module_args={**options, **asked}, task_vars=variables)
        if ready.get("failed"):
            return ready
        say = say_for(variables["inventory_hostname"])
        authorized = result_of(lambda: self._authorize(controller, pull, say))
        if authorized.get("failed"):
            return authorized
        authorization: Authorization = authorized["authorization"]
        KNOWN.add(authorization.token)
        self._gives_token = True
        given = {**options, **_for_the_host(pull, authorization)}
        done: Json = self._execute_module(module_args=given, task_vars=variables)
        images = done.get("images")
        for reference, image in zip(pull.references, images if isinstance(images, list) else []):
            if isinstance(image, dict):  # a host may return anything
                image["image"] = str(reference)
        return done

    def _check(self) -> Json:
        """The parameters, validated on the controller."""
        controller = Controller("ecr_image_pull", PULL_ARGUMENTS, self._task.args, **PULL_RULES)
        return {"controller": controller, "options": PullOptions.of(controller.params)}

    def _authorize(self, controller: Controller, options: PullOptions, say: Say) -> Json:
        """The registry token and the digests, which no filter of secrets changes."""
        session = SessionOptions.of(controller.params)
        return {"authorization": authorize(session_of(controller), session, options.wait, options.references, say)}

    def _low_level_execute_command(self, *arguments: t.Any, **options: t.Any) -> t.Any:
        """Mask secrets in all that a host returns, before Ansible reads it, warns of it, or fails because of it."""
        if not self._gives_token:
            return super()._low_level_execute_command(*arguments, **options)
        context = self._connection._play_context
        before, context.no_log = context.no_log, True  # ssh shows what a host returns at -vvv
        try:
            return KNOWN.mask(super()._low_level_execute_command(*arguments, **options))
        except AnsibleConnectionFailure as error:
            raise AnsibleConnectionFailure(KNOWN.mask(str(error))) from None
        finally:
            context.no_log = before


def _for_the_host(options: PullOptions, authorization: Authorization) -> Json:
    """What the host gets instead of the role: digests, and a token."""
    pinned = [
        str(Reference(reference.repository, reference.image_tag, digest))
        for reference, digest in zip(options.references, authorization.digests)
    ]
    return {"images": pinned, "registry_url": authorization.url, "registry_token": authorization.token}
