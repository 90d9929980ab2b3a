# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""How every module of the collection ends: with a result, or with one clear error."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._failure import failed_result
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import VARIABLE, use_names_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._secrets import KNOWN
from ansible_collections.crossaccount.ecr.plugins.module_utils._signals import interruptible


class Module(t.Protocol):
    """What the collection uses of an AnsibleAWSModule."""

    params: Json
    check_mode: bool

    def warn(self, warning: str) -> None: ...


#: Receives what a run is doing.
Progress = t.Callable[[str], None]


def no_progress(_status: str) -> None:
    """Ignores what a run is doing."""


class RunningModule(Module, t.Protocol):
    """A module that also has a folder for private files, and returns its result to Ansible."""

    tmpdir: str

    def exit_json(self, **result: object) -> t.NoReturn: ...

    def fail_json(self, msg: str, **result: object) -> t.NoReturn: ...


def warn(module: Module, warnings: t.Iterable[str]) -> None:
    """Return warnings with the result, without secrets."""
    for warning in warnings:
        module.warn(KNOWN.mask(warning))


def result_of(run: t.Callable[[], Json]) -> Json:
    """The result of `run`; or `failed`, the message of the error, and its facts. Known secrets in it are masked."""
    try:
        result = run()
    except Exception as error:
        result = failed_result(error)
    return KNOWN.mask(result)


def execute(module: RunningModule, run: t.Callable[[RunningModule], Json]) -> None:
    """Run the module and exit with its result, or fail with the message of the error."""
    KNOWN.add_from(module.params)
    use_names_of(os.environ.get(VARIABLE, ""))
    with interruptible():  # temporary folders of Python and Ansible are removed by `finally` and at exit
        result = result_of(lambda: run(module))
    # Outside of the handlers, because Ansible would attach their traceback at -vvv.
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)
