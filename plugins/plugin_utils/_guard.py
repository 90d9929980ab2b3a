# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""For action and filter plugins: converts an exception of any class to one message."""

from __future__ import annotations

import functools
import typing as t

from ansible.errors import AnsibleError, AnsibleFilterError
from ansible_collections.crossaccount.ecr.plugins.module_utils._failed_result import failed_result, message_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json

Value = t.TypeVar("Value")
#: The method `run` of an action plugin.
Run = t.Callable[..., Json]


def guarded(run: Run) -> Run:
    """Decorate `run` of an action plugin, so that it returns a failed result for an exception.

    Exceptions of Ansible are not caught, because Ansible processes them, for example an unreachable host.
    """

    @functools.wraps(run)
    def call(action: object, tmp: object = None, task_vars: Json | None = None) -> Json:
        try:
            return run(action, tmp, task_vars)
        except AnsibleError:
            raise
        except Exception as error:
            return failed_result(error)

    return call


def guarded_filter(name: str, call: t.Callable[..., Value]) -> t.Callable[..., Value]:
    """Decorate a filter, so that it raises an AnsibleFilterError with one message if its input is not as documented."""

    @functools.wraps(call)
    def filtered(*arguments: object, **options: object) -> Value:
        try:
            return call(*arguments, **options)
        except Exception as error:
            if isinstance(error, AnsibleError):
                raise
            raise AnsibleFilterError(
                f"The input of the filter {name} does not have the documented form. {message_of(error)}"
            ) from None

    return filtered
