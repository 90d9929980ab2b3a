"""A Python that has imported already what modules import, which is most of the time that a module takes on the lab.

What Ansible gives to an interpreter, `running()`'s program has done by a process that is forked from a server's: each
run is a process of its own, with its own arguments, environment, folder and files. Kept between two are only imports
and AWS's service models. What AnsiballZ packed is not looked into, so the tests of whole stories keep the real Python.

The server is a program of its own because what forks may have no threads, and pytest has. It ends with its input.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

UTILITIES = (
    "_iam",
    "_image_pull",
    "_module",
    "_prove",
    "_pull",
    "_pull_host",
    "_share_plan",
    "_tagging",
    "_retry",
)
SERVICES = ("iam", "sts", "ecr", "resourcegroupstaggingapi")
STARTING = 30  # seconds


@contextlib.contextmanager
def running(folder: pathlib.Path, python: pathlib.Path) -> Iterator[pathlib.Path]:
    """Within, the program that this yields is a quick `python`.

    :param folder: for the program and the server's socket
    """
    path, program = folder / "socket", folder / "python"
    program.write_text(f"#!/bin/sh\nexec '{python}' -IS '{__file__}' client '{path}' \"$@\"\n", encoding="utf-8")
    program.chmod(0o755)
    collections = pathlib.Path(__file__).parents[1] / ".venv/collections"
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "PYTHONPATH": str(collections)}
    command = [str(python), __file__, "server", str(path), str(python)]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE) as server:
        deadline = time.monotonic() + STARTING
        while not path.exists():
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("The quick Python did not start.")
            time.sleep(0.02)
        try:
            yield program
        finally:
            server.communicate(timeout=STARTING)


# --- the program


def client(path: str, arguments: list[str]) -> int:
    """Have it done; the exit status."""
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        socket.send_fds(server, [b"."], [0, 1, 2])
        server.sendall(json.dumps([arguments, dict(os.environ), os.getcwd()]).encode())
        server.shutdown(socket.SHUT_WR)
        said = server.recv(1)
    return said[0] if said else 1  # it says nothing if it was killed


# --- the server


def preload() -> None:
    """Import what modules import, and read AWS's service models, once for all that are forked from here."""
    import functools
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
    gc.freeze()  # what is never touched is never copied to a child


def serve(path: str) -> socket.socket | None:
    """In each child its connection; None in the server, when its input has ended."""
    import select
    import signal

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a child ended: it says so itself
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


def run(connection: socket.socket, python: str) -> None:
    """Be a Python with these arguments: for a script or a module of Python here, for all else the real one."""
    import atexit
    import runpy
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
    is_script = bool(arguments) and arguments[0].endswith(".py")
    code: object = 0
    try:
        if is_script:
            sys.argv = arguments
            runpy.run_path(arguments[0], run_name="__main__")
        elif arguments[:1] == ["-m"]:
            sys.argv = arguments[1:]
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        else:
            code = subprocess.run([python, *arguments], check=False).returncode
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        traceback.print_exc()
        code = 1
    atexit._run_exitfuncs()  # whoever waits for the end finds no temporary folder
    sys.stdout.flush()
    sys.stderr.flush()
    connection.sendall(bytes([code & 255 if isinstance(code, int) else 1]))
    os._exit(0)


def main() -> None:
    what, path, *arguments = sys.argv[1:]
    if what == "client":
        sys.exit(client(path, arguments))
    preload()
    connection = serve(path)
    if connection:
        run(connection, arguments[0])


if __name__ == "__main__":
    main()
