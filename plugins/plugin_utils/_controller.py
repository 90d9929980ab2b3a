# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""For action plugins: ask AWS in `ansible-playbook` itself, with the controller's credentials."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError


class Controller:
    """What amazon.aws's functions want of a module: `params`, and ways to fail.

    :param name: the module's name
    :param argument_spec: its options beside amazon.aws's
    :param arguments: the task's
    :raises EcrError: when the arguments are not as the specification says
    """

    def __init__(self, name: str, argument_spec: dict[str, t.Any], arguments: dict[str, t.Any]) -> None:
        self._name = name
        validated = ArgumentSpecValidator({**aws_argument_spec(), **argument_spec}).validate(arguments)
        if validated.unsupported_parameters:
            unknown = ", ".join(sorted(".".join(one) for one in validated.unsupported_parameters))
            raise EcrError(f"{name} has no option {unknown}.")
        if validated.error_messages:
            raise EcrError("; ".join(validated.error_messages))
        self.params: dict[str, t.Any] = validated.validated_parameters

    def fail_json(self, msg: str, **_facts: t.Any) -> t.NoReturn:
        raise EcrError(msg)

    def fail_json_aws(self, error: Exception, msg: str) -> t.NoReturn:
        raise EcrError(f"{msg}: {error}")
