# SPDX-License-Identifier: GPL-3.0-or-later
"""The quick `ansible-playbook` of `quick_python`. A server imports modules and reads files once for all runs."""

from __future__ import annotations

import atexit
import functools
import glob
import importlib
import os
import pathlib
import sys
import types
from collections.abc import Iterator
from typing import Any

import ansible.cli.adhoc
import ansible.cli.playbook
import ansible.constants
from ansible.parsing.dataloader import DataLoader
from ansible.plugins import loader

ROOT = pathlib.Path(__file__).parents[2]
COLLECTIONS = ROOT / ".venv/collections/ansible_collections"


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
    _list_plugins()
    _parse_roles()


def _list_plugins() -> None:
    """Keep the names of the modules and actions. A group of modules searches each of its members with a wildcard."""
    packages = [
        importlib.import_module(f"ansible_collections.{package}")
        for package in (
            "amazon.aws.plugins.modules",
            "crossaccount.ecr.plugins.action",
            "crossaccount.ecr.plugins.modules",
        )
    ]
    folders = [os.path.dirname(str(package.__file__)) for package in packages]
    listed = {folder: sorted(os.listdir(folder)) for folder in folders}

    def iglob(pattern: str) -> Iterator[str]:
        folder, name = os.path.split(pattern)
        if folder not in listed or not name.endswith(".*"):
            return glob.iglob(pattern)
        return (f"{folder}/{file}" for file in listed[folder] if file.startswith(name[:-1]))

    loader.glob = types.SimpleNamespace(glob=glob.glob, iglob=iglob)


def _parse_roles() -> None:
    """Parse the files of the roles. A run takes each of them once, and then parses it itself."""
    parser, load = DataLoader(), DataLoader.load_from_file
    files = (COLLECTIONS / "crossaccount/ecr/roles").glob("*/*/*.yml")
    trusted = {"trusted_as_template": True}
    parsed = {str(file): load(parser, str(file), unsafe=True, **trusted) for file in files}

    @functools.wraps(load)
    def load_from_file(self: DataLoader, file_name: str, *arguments: Any, **options: Any) -> Any:
        ready = parsed.pop(self.path_dwim(file_name), None) if (arguments, options) == ((), trusted) else None
        return load(self, file_name, *arguments, **options) if ready is None else ready

    DataLoader.load_from_file = load_from_file


def be_ansible(python: str, archives: str, arguments: list[str]) -> int:
    """Be `ansible-playbook` with these arguments, or `ansible` with those after `--ad-hoc`.

    :param python: the path of the Python that this process is
    :param archives: a folder in which Ansible finds the archive of a module that an earlier run has built
    """
    sys.executable = python
    atexit._clear()  # the server's temporary folder stays
    local = pathlib.Path(
        ansible.constants.config.get_config_value("DEFAULT_LOCAL_TMP", variables=vars(ansible.constants))
    )
    (local / "ansiballz_cache").symlink_to(archives)
    ansible.constants.DEFAULT_LOCAL_TMP = str(local)
    ansible.constants.DEFAULT_INTERNAL_POLL_INTERVAL = 0.01  # seconds
    if arguments[:1] == ["--ad-hoc"]:
        ansible.cli.adhoc.main(["ansible", *arguments[1:]])
    else:
        ansible.cli.playbook.main(["ansible-playbook", *arguments])
    return 0
