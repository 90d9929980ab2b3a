# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Runs a module, and ends it with a result or with one error."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._failed_result import failed_result
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import VARIABLE, use_names_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._secrets import KNOWN
from ansible_collections.crossaccount.ecr.plugins.module_utils._signals import interruptible


class Module(t.Protocol):
    """The part of AnsibleAWSModule that the collection uses."""

    params: Json
    check_mode: bool

    def warn(self, warning: str) -> None: ...


#: A function that receives the current activity of a run.
Progress = t.Callable[[str], None]


def no_progress(_status: str) -> None:
    """Ignore the activity of a run."""


class RunningModule(Module, t.Protocol):
    """A module in its own process: it has a folder for private files, and returns its result to Ansible."""

    tmpdir: str

    def exit_json(self, **result: object) -> t.NoReturn: ...

    def fail_json(self, msg: str, **result: object) -> t.NoReturn: ...


def warn(module: Module, warnings: t.Iterable[str]) -> None:
    """Add warnings to the result, with secrets masked."""
    for warning in warnings:
        module.warn(KNOWN.mask(warning))


def capture_result(run: t.Callable[[], Json]) -> Json:
    """The result of `run` or, if it raises an exception, a failed result. Known secrets are masked."""
    try:
        result = run()
    except Exception as error:
        result = failed_result(error)
    return KNOWN.mask(result)


def run_and_exit(module: RunningModule, run: t.Callable[[RunningModule], Json]) -> None:
    """Run the module and exit with its result, or fail with the message of the error."""
    KNOWN.add_from(module.params)
    use_names_of(os.environ.get(VARIABLE, ""))
    with interruptible():  # so that the temporary folders of Python and Ansible are removed
        result = capture_result(lambda: run(module))
    # This is outside the exception handlers, because Ansible would add the traceback at -vvv.
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)
