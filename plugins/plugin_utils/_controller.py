# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""For action plugins: ask AWS in `ansible-playbook` itself, and say what is waited for."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, printable
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import Result, wait_by_doing
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._show import displayable, show


class Controller:
    """What amazon.aws's functions want of a module: `params`, and ways to fail.

    :param name: the module's name
    :param argument_spec: its options beside amazon.aws's
    :param arguments: the task's
    :param rules: such as `required_if`, as AnsibleModule has them
    :raises EcrError: when the arguments are not as the specification says
    """

    def __init__(self, name: str, argument_spec: dict[str, t.Any], arguments: dict[str, t.Any], **rules: t.Any) -> None:
        self._name = name
        validated = ArgumentSpecValidator({**aws_argument_spec(), **argument_spec}, **rules).validate(arguments)
        if validated.unsupported_parameters:
            unknown = ", ".join(
                sorted(one if isinstance(one, str) else ".".join(one) for one in validated.unsupported_parameters)
            )
            raise EcrError(f"{name} has no option {unknown}.")
        if validated.error_messages:
            raise EcrError("; ".join(validated.error_messages))
        self.params: dict[str, t.Any] = validated.validated_parameters
        self.check_mode = False

    def warn(self, warning: str) -> None:
        Display().warning(printable(warning))

    def fail_json(self, msg: str, **_facts: t.Any) -> t.NoReturn:
        raise EcrError(msg)

    def fail_json_aws(self, error: Exception, msg: str) -> t.NoReturn:
        raise EcrError(f"{msg}: {error}")


def say_for(host: str) -> t.Callable[[Result, float], None]:
    """Who tells the user of `ansible-playbook`, while it runs, what a host is waiting for; once for each reason."""
    told = []

    def say(result: Result, left: float) -> None:
        facts = [result.get("denial"), result.get("msg"), *(result.get("problems") or [])]
        why = str(next(filter(None, facts), "An expectation is not met.")).splitlines()[0]
        if why not in told:
            told.append(why)
            show(f"{host}: waiting, {left:.0f} s at most, for AWS to know the share everywhere: {why}")

    return say


def run_in_steps(
    action: ActionBase,
    name: str,
    argument_spec: dict[str, t.Any],
    stays: t.Callable[[Result], bool],
    task_vars: dict[str, t.Any],
) -> Result:
    """Run the module on the host; repeat it from here while its result may change. A module cannot display anything."""
    arguments, wrap_async = dict(action._task.args), action._task.async_val
    try:
        options = Controller(name, argument_spec, arguments).params
    except EcrError:
        options = {"wait": False}  # the module reports what is wrong

    def attempt(given: dict[str, t.Any], wrap_async: bool = False) -> Result:
        done = action._execute_module(module_args=given, task_vars=task_vars, wrap_async=wrap_async)
        return t.cast(Result, displayable(done))

    if wrap_async or not options["wait"]:
        return attempt(arguments, bool(wrap_async))
    say = say_for(task_vars["inventory_hostname"])
    return wait_by_doing(lambda: attempt({**arguments, "wait": False}), stays, options, say)
