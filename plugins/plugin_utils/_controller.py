# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""For action plugins: sends requests to AWS from `ansible-playbook`, and displays the reasons for waiting."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec
from ansible_collections.crossaccount.ecr.plugins.module_utils._aws_errors import is_transient_kind
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, printable
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import Progress, no_progress
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option, unknown_option
from ansible_collections.crossaccount.ecr.plugins.module_utils._retry import Report, retry_while_propagating
from ansible_collections.crossaccount.ecr.plugins.module_utils._secrets import KNOWN
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WaitOptions
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._display import display_line, displayable


class Controller:
    """The part of AnsibleAWSModule that this collection and amazon.aws use, for code in `ansible-playbook`.

    :param name: the name of the module
    :param argument_spec: its options in addition to those of amazon.aws
    :param arguments: the arguments of the task
    :param rules: further parameters of AnsibleModule, such as `required_if`
    :raises EcrError: if the arguments do not match the specification
    """

    def __init__(self, name: str, argument_spec: Json, arguments: Json, **rules: object) -> None:
        KNOWN.add_from(arguments)
        validated = ArgumentSpecValidator({**aws_argument_spec(), **argument_spec}, **rules).validate(arguments)
        if validated.unsupported_parameters:
            unknown = sorted(_path(parameter) for parameter in validated.unsupported_parameters)
            raise EcrError(" ".join(unknown_option(name, path, argument_spec) for path in unknown))
        if validated.error_messages:
            raise EcrError("; ".join(validated.error_messages))
        self.params: Json = validated.validated_parameters
        self.check_mode = False

    def warn(self, warning: str) -> None:
        Display().warning(printable(KNOWN.mask(warning)))

    def fail_json(self, msg: str, **_facts: object) -> t.NoReturn:
        raise EcrError(msg)

    def fail_json_aws(self, error: Exception, msg: str) -> t.NoReturn:
        raise EcrError(f"{msg}: {error}")


def _path(parameter: str | t.Sequence[str]) -> tuple[str, ...]:
    """The names that lead to a parameter. Ansible returns them as one name or as several names."""
    return (parameter,) if isinstance(parameter, str) else tuple(parameter)


def reject_async(action: ActionBase) -> None:
    """
    :raises EcrError: if the task has `async`, which runs a module on the host, and not on the control node
    """
    if action._task.async_val:
        raise EcrError(
            f"{option('credentials')}: control_node does not support async. Remove async from the task, or set"
            f" {option('credentials')}: host."
        )


def progress_reporter(host: str, progress: Progress = no_progress) -> Report:
    """Shows what a host is waiting for, while it waits; each reason once.

    :param progress: also receives the reason, for the next line of progress
    """
    shown = []

    def report(result: Json, left: float) -> None:
        busy = is_transient_kind(result.get("denial_kind"))
        progress(
            "waiting because AWS limits the rate of requests" if busy else "waiting until the share propagates in AWS"
        )
        facts = [result.get("denial"), result.get("msg"), *(result.get("problems") or [])]
        why = str(next(filter(None, facts), "An expectation is not met.")).splitlines()[0]
        if why not in shown:
            shown.append(why)
            if busy:
                display_line(f"{host}: waiting up to {left:.0f} s because AWS limits the rate of requests: {why}")
            else:
                display_line(f"{host}: waiting up to {left:.0f} s until the share propagates in AWS: {why}")

    return report


def _with_other_credentials(result: Json) -> Json:
    """The result of a host. If the host has no boto3, the message names the option that does not require it."""
    message = str(result.get("msg"))
    if not (result.get("failed") and message.startswith("Failed to import the required Python library (boto")):
        return result
    step = f"Or set {option('credentials')}: control_node, so that the host needs neither boto3 nor AWS credentials."
    return {**result, "msg": f"{message.rstrip('.')}. {step}"}


def run_in_steps(
    action: ActionBase,
    name: str,
    argument_spec: Json,
    is_final: t.Callable[[Json], bool],
    task_vars: Json,
    progress: Progress = no_progress,
) -> Json:
    """Run the module on the host, and repeat it while its result is not final.

    The repetition is here rather than in the module, because a module cannot display output.
    """
    arguments, wrap_async = dict(action._task.args), bool(action._task.async_val)
    try:
        wait = WaitOptions.of(Controller(name, argument_spec, arguments).params)
    except EcrError:
        wait = WaitOptions(False, 0, 0)  # the module reports the error

    def attempt(given: Json) -> Json:
        done = action._execute_module(module_args=given, task_vars=task_vars, wrap_async=wrap_async)
        return _with_other_credentials(displayable(done))

    if wrap_async or not wait.wait:
        return attempt(arguments)
    report = progress_reporter(task_vars["inventory_hostname"], progress)
    return retry_while_propagating(lambda: attempt({**arguments, "wait": False}), is_final, wait, report)
