# SPDX-License-Identifier: GPL-3.0-or-later
"""A Python that has already imported the libraries of modules. These imports are most of the run time on the lab.

The program of `running()` runs the input of Ansible in a process that is forked from a server: each
run is a process of its own, with its own arguments, environment, folder and files. Kept between two are only imports
and AWS's service models. The archive of AnsiballZ is not used, so the tests of the scenario run the real Python.

The server is a program of its own because what forks may have no threads, and pytest has. It ends with its input.

`running_ansible()` does the same for `ansible-playbook`: its imports, and those of boto3 in each task, are most of the
time of a playbook on the lab. Each run has the configuration of its own environment, except the folders of plugins and
collections, which Ansible reads while it is imported.
"""

from __future__ import annotations

import contextlib
import functools
import os
import pathlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence

#: Imports of a running module, beside the `module_utils` of this collection.
LATE = (
    "ansible.module_utils._internal._json._profiles._module_legacy_c2m",
    "ansible.module_utils._internal._json._profiles._module_legacy_m2c",
    "ansible_collections.amazon.aws.plugins.module_utils.modules",
)
SERVICES = ("iam", "sts", "ecr", "resourcegroupstaggingapi")
STARTING = 300  # seconds
ROOT = pathlib.Path(__file__).parents[2]
CLIENT = pathlib.Path(__file__).with_name("quick_client.py")
CONFIGURATION = {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
#: With the headings of all tasks, as Ansible displays them without the configuration of this repository.
CONFIGURED = {**CONFIGURATION, "ANSIBLE_DISPLAY_OK_HOSTS": "true", "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "true"}


def running(
    folder: pathlib.Path, python: pathlib.Path, inside: Sequence[str] = ()
) -> contextlib.AbstractContextManager[pathlib.Path]:
    """Context manager that yields a quick `python`.

    :param folder: contains the program and the socket of the server
    :param inside: the words before the command of the server
    """
    return _serving(folder, python, "python", None, inside, PYTHONPATH=str(ROOT / ".venv/collections"))


def running_ansible(
    folder: pathlib.Path,
    python: pathlib.Path,
    quick: pathlib.Path,
    configuration: dict[str, str] | None = None,
    inside: Sequence[str] = (),
) -> contextlib.AbstractContextManager[pathlib.Path]:
    """Context manager that yields a quick `ansible-playbook` with this configuration.

    It is a quick `ansible` if its first argument is `--ad-hoc`.

    :param quick: the quick `python`. It is `sys.executable` in a run, so modules with this interpreter run there
    :param configuration: variables of the environment; `CONFIGURED` if omitted
    """
    return _serving(folder, python, "ansible-playbook", quick, inside, **(configuration or CONFIGURED))


def serves(environment: dict[str, str]) -> bool:
    """Whether the quick `ansible-playbook` has the file of the configuration and the folders of a run."""
    folders = [name for name in environment if name.startswith("ANSIBLE_") and name.endswith(("_PATH", "_PLUGINS"))]
    return environment["ANSIBLE_CONFIG"] == CONFIGURED["ANSIBLE_CONFIG"] and {*folders} <= {"ANSIBLE_LOG_PATH"}


@contextlib.contextmanager
def _serving(
    folder: pathlib.Path,
    python: pathlib.Path,
    name: str,
    quick: pathlib.Path | None,
    inside: Sequence[str],
    **variables: str,
) -> Iterator[pathlib.Path]:
    path, program = folder / f"{name}.socket", folder / name
    program.write_text(f"#!/bin/sh\nexec '{python}' -IS '{CLIENT}' '{path}' \"$@\"\n", encoding="utf-8")
    program.chmod(0o755)
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **variables}
    command = [*inside, str(python), "-m", "tests.support.quick_python", name, str(path), str(quick or python)]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as server:
        deadline = time.monotonic() + STARTING
        while not path.exists():
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The quick {name} did not start.")
            time.sleep(0.02)
        try:
            yield program
        finally:
            server.communicate(timeout=STARTING)


# --- the server


def preload() -> None:
    """Import what modules import, and read AWS's service models, once for all forked processes."""
    import gc
    import importlib

    import boto3

    from tests.lab import client_caches

    client_caches.install()
    for file in (ROOT / "plugins/module_utils").glob("*.py"):
        importlib.import_module(f"ansible_collections.crossaccount.ecr.plugins.module_utils.{file.stem}")
    for name in LATE:
        with contextlib.suppress(ImportError):  # older versions of Ansible have no such file
            importlib.import_module(name)
    session = boto3.session.Session(aws_access_key_id="none", aws_secret_access_key="none", region_name="eu-west-1")
    for service in SERVICES:
        client_caches.preload(session.client(service))
    gc.freeze()  # untouched memory is not copied to a child


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
    import gc
    import runpy
    import tempfile
    import traceback

    gc.disable()  # the process ends soon, and a collection would copy all memory

    _dot, files, _flags, _address = socket.recv_fds(connection, 1, 3)
    with connection.makefile("rb") as rest:
        count, *words = rest.read().split(b"\0")
    arguments, (folder, *variables) = words[: int(count)], words[int(count) :]
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environb.clear()
    os.environb.update(variable.partition(b"=")[::2] for variable in variables)
    tempfile.tempdir = None  # it was another environment's
    for start in os.environ.get("PYTHONPATH", "").split(":"):
        if os.path.exists(f"{start}/sitecustomize.py"):
            runpy.run_path(f"{start}/sitecustomize.py")
    code: object = 0
    try:
        code = be([os.fsdecode(argument) for argument in arguments])
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
    """Run a script, a module, or the program in standard input in this process, and all else in the real Python."""
    import runpy
    import types

    if arguments and arguments[0].endswith(".py"):
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")
        return 0
    if arguments[:1] == ["-m"]:
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        return 0
    if not arguments:
        sys.argv, sys.modules["__main__"] = [""], types.ModuleType("__main__")
        exec(compile(sys.stdin.buffer.read(), "<stdin>", "exec"), vars(sys.modules["__main__"]))  # noqa: S102
        return 0
    return subprocess.run([python, *arguments], check=False).returncode


def main() -> None:
    kind, path, python = sys.argv[1:]
    sys.path.pop(0)  # the folder of the tests
    if kind == "python":
        be = functools.partial(be_python, python)
    else:
        from tests.support import quick_ansible

        archives = f"{path}.archives"
        os.makedirs(archives, mode=0o700, exist_ok=True)
        quick_ansible.preload()
        be = functools.partial(quick_ansible.be_ansible, python, archives)
    preload()
    connection = serve(path)
    if connection:
        run(connection, be)


if __name__ == "__main__":
    main()
