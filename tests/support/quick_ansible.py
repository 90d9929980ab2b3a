# SPDX-License-Identifier: GPL-3.0-or-later
"""The quick `ansible-playbook` of `quick_python`. A server imports modules and reads files once for all runs."""

from __future__ import annotations

import atexit
import copy
import functools
import glob
import importlib
import io
import logging
import os
import pathlib
import sys
import types
from collections.abc import Iterator
from typing import Any

import ansible.cli.adhoc
import ansible.cli.playbook
import ansible.constants
from ansible._internal import _task
from ansible._internal._templating._engine import TemplateEngine
from ansible._internal._templating._jinja_bits import _TemplateCompileContext
from ansible.executor.process import worker
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.base import Base
from ansible.plugins import loader
from ansible.utils import display

from tests.support import compiled_templates

ROOT = pathlib.Path(__file__).parents[2]
COLLECTIONS = ROOT / ".venv/collections/ansible_collections"
TEMPORARY = "DEFAULT_LOCAL_TMP"  # the setting; to read it creates the folder


def preload() -> None:
    """Import what `ansible-playbook` imports, with its own loader of collections."""
    loader._configure_collection_loader()
    loader._configure_collection_loader = lambda _paths=None: None  # each run would warn that it is done
    for name in ("strategy.linear", "callback.default", "connection.local", "shell.sh", "action.normal"):
        importlib.import_module(f"ansible.plugins.{name}")
    for kind in ("action", "plugin_utils", "filter"):
        for file in glob.glob(f"{ROOT}/plugins/{kind}/*.py"):
            importlib.import_module(f"ansible_collections.crossaccount.ecr.plugins.{kind}.{pathlib.Path(file).stem}")
    # Each playbook loads all plugins of these kinds.
    kinds = (
        loader.connection_loader,
        loader.shell_loader,
        loader.become_loader,
        loader.filter_loader,
        loader.test_loader,
        loader.vars_loader,
        loader.inventory_loader,
    )
    for plugins in kinds:
        list(plugins.all(class_only=True))
    for path in loader.callback_loader.all(path_only=True):
        name = pathlib.Path(path).stem
        if name != "tree":  # when it is imported, it reads the option --tree
            loader.callback_loader.get(name, class_only=True)
    _resolve_actions()
    _parse_roles()
    _run_tasks_here()


def _resolve_actions() -> None:
    """Keep which plugin each action in a group of modules is. A role with `module_defaults` resolves all of them."""
    resolve = Base._resolve_action

    @functools.cache
    def resolve_member(name: str) -> str | None:
        return resolve(None, name, mandatory=False)

    def resolve_action(self: Base, name: str, mandatory: bool = True) -> str | None:
        return resolve(self, name) if mandatory else resolve_member(name)

    Base._resolve_action = resolve_action
    for collection in ("amazon.aws", "crossaccount.ecr"):
        package = importlib.import_module(f"ansible_collections.{collection}.plugins.modules")
        for file in pathlib.Path(str(package.__file__)).parent.glob("[!_]*.py"):
            resolve_member(f"{collection}.{file.stem}")


def _parse_roles() -> None:
    """Parse the files of the roles, and compile their templates. A run takes each file once, then it parses it."""
    parser, load = DataLoader(), DataLoader.load_from_file
    files = (COLLECTIONS / "crossaccount/ecr/roles").glob("*/*/*.yml")
    trusted = {"trusted_as_template": True}
    parsed = {str(file): load(parser, str(file), unsafe=True, **trusted) for file in files}

    @functools.wraps(load)
    def load_from_file(self: DataLoader, file_name: str, *arguments: Any, **options: Any) -> Any:
        ready = parsed.pop(self.path_dwim(file_name), None) if (arguments, options) == ((), trusted) else None
        return load(self, file_name, *arguments, **options) if ready is None else ready

    DataLoader.load_from_file = load_from_file
    _compile_templates(parsed)


def _compile_templates(values: object) -> None:
    """Keep the code of these templates, and of all others that are compiled."""
    compiled_templates.keep()
    environment = TemplateEngine(variables={}).environment
    with _TemplateCompileContext(escape_backslashes=True):
        for text in _texts(values):
            if "{{" in text:
                environment.compile(text)


def _texts(value: object) -> Iterator[str]:
    """The texts in a value of YAML."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for member in value.values() if isinstance(value, dict) else value:
            yield from _texts(member)


def _run_tasks_here() -> None:
    """Run the tasks of a play with one host in the process of the playbook. Each fork copies pages of memory.

    A task gets copies of what a forked process would change for itself.
    """
    fork = worker.WorkerProcess.start
    nothing = types.SimpleNamespace(stdout=io.StringIO(), stderr=io.StringIO())  # the output of a task

    def start(self: worker.WorkerProcess) -> None:
        alone = len(self._task_vars["ansible_play_hosts_all"]) == 1
        worker.sys = nothing if alone else sys
        if not alone:
            fork(self)
            return
        task = self._task.copy(exclude_parent=True)
        task._parent = self._task._parent
        self._task, self._host, self._task_vars = task, copy.copy(self._host), dict(self._task_vars)
        with _task.TaskContext(task):
            self._run()

    worker.WorkerProcess.start = start


def _settings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("ANSIBLE_")}


#: The variables of the environment that the constants of this process are from.
_READ = _settings()


def _configure() -> None:
    """Read the configuration of this run, and open its log."""
    constants = ansible.constants
    names = [TEMPORARY] if _settings() == _READ else constants.config.get_configuration_definitions()
    for name in names:
        constants.set_constant(name, constants.config.get_config_value(name, variables=vars(constants)))
    if constants.DEFAULT_LOG_PATH:
        form = "%(asctime)s p=%(process)d u=%(user)s n=%(name)s %(levelname)s| %(message)s"
        logging.basicConfig(filename=constants.DEFAULT_LOG_PATH, level=logging.INFO, format=form)
        logging.root.handlers[0].addFilter(display.FilterUserInjector())
        display.logger = logging.getLogger("ansible")


def be_ansible(python: str, archives: str, arguments: list[str]) -> int:
    """Be `ansible-playbook` with these arguments, or `ansible` with those after `--ad-hoc`.

    :param python: the path of the Python that this process is
    :param archives: a folder in which Ansible finds the archive of a module that an earlier run has built
    """
    sys.executable = python
    atexit._clear()  # the server's temporary folder stays
    _configure()
    (pathlib.Path(vars(ansible.constants)[TEMPORARY]) / "ansiballz_cache").symlink_to(archives)
    ansible.constants.DEFAULT_INTERNAL_POLL_INTERVAL = 0.01  # seconds
    if arguments[:1] == ["--ad-hoc"]:
        ansible.cli.adhoc.main(["ansible", *arguments[1:]])
    else:
        ansible.cli.playbook.main(["ansible-playbook", *arguments])
    return 0
