# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Says what is waited for. Where the controller has the credentials, it gives the host a token for the one pull."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.crossaccount.ecr.plugins.module_utils._image import Reference
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import result_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull import (
    PULL_ARGUMENTS,
    PULL_RULES,
    authorize,
    check,
    stays,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._sts import session_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WAIT_BY_DOING_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._controller import Controller, run_in_steps, say_for
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._show import displayable

#: What the host is told of the options; the rest is for AWS.
_FOR_THE_HOST = (
    *("engine", "dest", "platform", "ca_path", "validate_certs"),
    *WAIT_BY_DOING_ARGUMENTS,  # the registry may know a share later than ECR's API
)


class ActionModule(ActionBase):
    _supports_async = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        if self._task.args.get("credentials") != "controller":
            return {**result, **run_in_steps(self, "ecr_image_pull", PULL_ARGUMENTS, stays, variables)}
        if self._task.async_val:
            return {**result, "failed": True, "msg": "credentials: controller does not go with async."}
        # The token goes into the host's Python by its standard input, and into no file.
        self._connection.set_option("pipelining", True)
        if not self._is_pipelining_enabled("new"):
            msg = (
                "credentials: controller needs pipelining, or the token would be in a file on the host. Use a"
                " connection and a become method that can, leave ANSIBLE_KEEP_REMOTE_FILES unset, or say"
                " credentials: host."
            )
            return {**result, "failed": True, "msg": msg}
        asked = result_of(lambda: self._ask(say_for(variables["inventory_hostname"])))
        if asked.get("failed"):
            return {**result, **asked}
        references = asked.pop("references")
        done = displayable(self._execute_module(module_args=asked, task_vars=task_vars))
        for reference, image in zip(references, done.get("images", [])):
            image["image"] = str(reference)
        return {**result, **done}

    def _ask(self, say: t.Callable[[dict[str, t.Any], float], None]) -> dict[str, t.Any]:
        """The module's options for the host, with digests and a token in the place of the role; `references`."""
        controller = Controller("ecr_image_pull", PULL_ARGUMENTS, self._task.args, **PULL_RULES)
        options = controller.params
        references = check(options)
        authorization = authorize(session_of(controller), options, references, say)
        pinned = [
            str(Reference(reference.repository, reference.image_tag, digest))
            for reference, digest in zip(references, authorization.digests)
        ]
        return {
            **{name: options[name] for name in _FOR_THE_HOST if options[name] is not None},
            "images": pinned,
            "registry_url": authorization.url,
            "registry_token": authorization.token,
            "references": references,
        }
