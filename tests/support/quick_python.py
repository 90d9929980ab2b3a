# SPDX-License-Identifier: GPL-3.0-or-later
"""A Python that has already imported the libraries of modules. These imports are most of the run time on the lab.

The program of `running()` runs the input of Ansible in a process that is forked from a server: each
run is a process of its own, with its own arguments, environment, folder and files. Kept between two are only imports
and AWS's service models. The archive of AnsiballZ is not used, so the tests of the scenario run the real Python.

The server is a program of its own because what forks may have no threads, and pytest has. It ends with its input.

`running_ansible()` does the same for `ansible-playbook`: its imports, and those of boto3 in each task, are most of the
time of a playbook on the lab. Ansible reads its configuration from the environment while it is imported, so this
program runs playbooks with the configuration in `CONFIGURED` only.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

UTILITIES = (
    "_image_pull",
    "_pull_role",
    "_module",
    "_access_probe",
    "_pull",
    "_helper_plan",
    "_repository_tag",
    "_share_info",
    "_retry",
)
SERVICES = ("iam", "sts", "ecr", "resourcegroupstaggingapi")
STARTING = 300  # seconds
ROOT = pathlib.Path(__file__).parents[2]
CONFIGURATION = {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
#: With the headings of all tasks, as Ansible displays them without the configuration of this repository.
CONFIGURED = {**CONFIGURATION, "ANSIBLE_DISPLAY_OK_HOSTS": "true", "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "true"}


def running(folder: pathlib.Path, python: pathlib.Path) -> contextlib.AbstractContextManager[pathlib.Path]:
    """Context manager that yields a quick `python`.

    :param folder: contains the program and the socket of the server
    """
    return _serving(folder, python, "python", PYTHONPATH=str(ROOT / ".venv/collections"))


def running_ansible(
    folder: pathlib.Path, python: pathlib.Path, configuration: dict[str, str] | None = None
) -> contextlib.AbstractContextManager[pathlib.Path]:
    """Context manager that yields a quick `ansible-playbook` with this configuration.

    It is a quick `ansible` if its first argument is `--ad-hoc`.

    :param configuration: variables of the environment; `CONFIGURED` if omitted
    """
    return _serving(folder, python, "ansible-playbook", **(configuration or CONFIGURED))


def serves(environment: dict[str, str]) -> bool:
    """Whether the quick `ansible-playbook` has the configuration of a run."""
    return {name: value for name, value in environment.items() if name.startswith("ANSIBLE_")} == CONFIGURED


@contextlib.contextmanager
def _serving(folder: pathlib.Path, python: pathlib.Path, name: str, **variables: str) -> Iterator[pathlib.Path]:
    path, program = folder / f"{name}.socket", folder / name
    program.write_text(f"#!/bin/sh\nexec '{python}' -IS '{__file__}' client '{path}' \"$@\"\n", encoding="utf-8")
    program.chmod(0o755)
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **variables}
    command = [str(python), __file__, name, str(path), str(python)]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as server:
        deadline = time.monotonic() + STARTING
        while not path.exists():
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The quick {name} did not start.")
            time.sleep(0.02)
        try:
            yield program
        finally:
            server.communicate(timeout=STARTING)


# --- the program


def client(path: str, arguments: list[str]) -> int:
    """Send the command to the server. Returns the exit status."""
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        socket.send_fds(server, [b"."], [0, 1, 2])
        server.sendall(json.dumps([arguments, dict(os.environ), os.getcwd()]).encode())
        server.shutdown(socket.SHUT_WR)
        received = server.recv(1)
    return received[0] if received else 1  # a killed child sends nothing


# --- the server


def preload() -> None:
    """Import what modules import, and read AWS's service models, once for all forked processes."""
    import gc
    import importlib

    import boto3
    import botocore.session

    botocore.session.create_loader = functools.cache(botocore.session.create_loader)
    for name in UTILITIES:
        importlib.import_module(f"ansible_collections.crossaccount.ecr.plugins.module_utils.{name}")
    session = boto3.session.Session(aws_access_key_id="none", aws_secret_access_key="none", region_name="eu-west-1")
    for service in SERVICES:
        session.client(service)
    gc.freeze()  # untouched memory is not copied to a child


def preload_ansible() -> None:
    """Import what `ansible-playbook` imports, with its own loader of collections."""
    import glob
    import importlib

    sys.path.pop(0)  # the folder of this file
    import ansible.cli.adhoc
    import ansible.cli.playbook  # noqa: F401
    from ansible.plugins import loader

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
    preload()


def be_ansible(archives: str, arguments: list[str]) -> int:
    """Be `ansible-playbook` with these arguments, or `ansible` with those after `--ad-hoc`.

    :param archives: a folder in which Ansible finds the archive of a module that an earlier run has built
    """
    import atexit

    import ansible.constants
    from ansible.cli import adhoc, playbook

    atexit._clear()  # the server's temporary folder stays
    local = pathlib.Path(
        ansible.constants.config.get_config_value("DEFAULT_LOCAL_TMP", variables=vars(ansible.constants))
    )
    (local / "ansiballz_cache").symlink_to(archives)
    ansible.constants.DEFAULT_LOCAL_TMP = str(local)
    ansible.constants.DEFAULT_INTERNAL_POLL_INTERVAL = 0.005  # seconds
    if arguments[:1] == ["--ad-hoc"]:
        adhoc.main(["ansible", *arguments[1:]])
    else:
        playbook.main(["ansible-playbook", *arguments])
    return 0


def serve(path: str) -> socket.socket | None:
    """Fork a child for each connection. Returns the connection in a child, and None in the server at its end."""
    import select
    import signal

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # a child reports its own exit status
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{path}.new")
        server.listen(100)
        os.rename(f"{path}.new", path)
        while server.fileno() in select.select([server.fileno(), 0], [], [])[0]:
            connection, _address = server.accept()
            if not os.fork():
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                return connection
            connection.close()
    return None


def run(connection: socket.socket, be: Callable[[list[str]], int]) -> None:
    """Run the program with the arguments, the environment, the folder and the files that the client sent."""
    import atexit
    import tempfile
    import traceback

    _dot, files, _flags, _address = socket.recv_fds(connection, 1, 3)
    with connection.makefile("rb") as rest:
        arguments, environment, folder = json.loads(rest.read())
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # it was another environment's
    code: object = 0
    try:
        code = be(arguments)
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        traceback.print_exc()
        code = 1
    atexit._run_exitfuncs()  # no temporary folder remains at the end
    sys.stdout.flush()
    sys.stderr.flush()
    connection.sendall(bytes([code & 255 if isinstance(code, int) else 1]))
    os._exit(0)


def be_python(python: str, arguments: list[str]) -> int:
    """Run Python with these arguments: a script or a module in this process, everything else in the real Python."""
    import runpy

    if arguments and arguments[0].endswith(".py"):
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")
        return 0
    if arguments[:1] == ["-m"]:
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        return 0
    return subprocess.run([python, *arguments], check=False).returncode


def main() -> None:
    kind, path, *arguments = sys.argv[1:]
    if kind == "client":
        sys.exit(client(path, arguments))
    is_python = kind == "python"
    (preload if is_python else preload_ansible)()
    archives = f"{path}.archives"
    os.makedirs(archives, mode=0o700, exist_ok=True)
    connection = serve(path)
    if connection:
        be = functools.partial(be_python, arguments[0]) if is_python else functools.partial(be_ansible, archives)
        run(connection, be)


if __name__ == "__main__":
    main()
