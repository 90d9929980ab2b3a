# SPDX-License-Identifier: GPL-3.0-or-later
"""Observes a run: its programs, files, output and requests, and whether it ends."""

from __future__ import annotations

import base64
import contextlib
import os
import pathlib
import resource
import shutil
import signal
import stat
import unicodedata
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .hostile import MARKER, OUTSIDE, SECRET, planted

#: Longer than any run takes, even on a loaded machine.
DEADLINE = 300
#: More memory than any run needs, and less than a read of /dev/zero takes.
MEMORY = 1 << 30
#: Characters that change how a terminal or a log shows a text: controls, formats, surrogates, separators.
_FORBIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_SMALL = 100_000


class Hang(BaseException):
    """A run did not end by its deadline."""


@dataclass
class Observations:
    """The output of a run for its user, and its requests to others."""

    shown: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)


class Sandbox:
    """The directories for a run with hostile values.

    The run may write to `inside`. `outside` represents everything else: the home, the working directory, and the
    neighbors of `inside`.

    :param folder: a directory without blanks in its path
    :param secrets: the credentials of the run
    """

    def __init__(self, folder: pathlib.Path, *secrets: str) -> None:
        self.folder, self.secrets = folder, secrets
        self.inside, self.outside, self.marker = folder / "inside", folder / "outside", folder / "executed"
        for name in ("home/.ssh", "cwd", "tmp"):
            (self.outside / name).mkdir(parents=True)
        (self.outside / "file").write_text("a file of another user\n")
        (self.outside / "home/.bashrc").write_text("# unchanged\n")
        os.mkfifo(self.outside / "fifo")
        self.clear()

    @property
    def home(self) -> pathlib.Path:
        return self.outside / "home"

    def clear(self) -> None:
        """Empty the directory `inside`."""
        shutil.rmtree(self.inside, ignore_errors=True)
        self.inside.mkdir()

    def plant(self, value: Any) -> Any:
        """A hostile value with this sandbox's marker, outside directory and first secret as placeholders' values."""
        words = {MARKER: str(self.marker), OUTSIDE: str(self.outside), SECRET: self.secrets[0] if self.secrets else ""}
        return planted(value, words)

    def tree(self) -> dict[str, tuple[int, int, bytes]]:
        """The mode, the size and the content of everything outside."""
        return {str(path): _snapshot(path) for path in self.outside.rglob("*")}


def _snapshot(path: pathlib.Path) -> tuple[int, int, bytes]:
    status = path.lstat()
    small = stat.S_ISREG(status.st_mode) and status.st_size < _SMALL
    return status.st_mode, status.st_size, path.read_bytes() if small else b""


# --- the observers ---------------------------------------------------------------------------------------------------


def executions(sandbox: Sandbox) -> list[str]:
    """Reports the marker, which exists only if a hostile text was executed."""
    if not sandbox.marker.exists():
        return []
    sandbox.marker.unlink()
    return ["a hostile text was executed"]


def writes(sandbox: Sandbox, before: dict[str, Any]) -> list[str]:
    """Reports changes outside of the run's directory."""
    after = sandbox.tree()
    return [
        f"{path} was changed" for path in sorted({*before, *after}) if before.get(path, path) != after.get(path, path)
    ]


def forms(secret: str) -> Iterator[str]:
    """A secret as it is, in a URL, in hexadecimal, and in base64 at each of the three places within other bytes."""
    content = secret.encode()
    yield from (secret, urllib.parse.quote(secret, safe=""), content.hex(), content.hex().upper())
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + content).decode()
        # The first characters and the last ones depend on the neighboring bytes.
        whole = encoded[(0, 2, 3)[before] : len(encoded) - (4 if encoded.endswith("=") else 0)]
        yield whole
        yield whole.replace("+", "-").replace("/", "_")


def leaks(sandbox: Sandbox, observations: Observations) -> list[str]:
    """Reports secrets in displayed text, in requests, and in remaining files."""
    secret_forms = {form for secret in sandbox.secrets for form in forms(secret)}
    problems = [
        f"a secret was {how}: {form}"
        for how, texts in (("shown", observations.shown), ("sent", observations.sent))
        for form in secret_forms
        if any(form in text for text in texts)
    ]
    for path in sandbox.folder.rglob("*"):
        status = path.lstat()
        if stat.S_ISREG(status.st_mode) and status.st_size < 10_000_000:
            content = path.read_bytes().decode(errors="replace")
            problems += [f"{path} has a secret: {form}" for form in secret_forms if form in content]
    return problems


def control_characters(observations: Observations) -> list[str]:
    """Reports characters that change how a terminal shows the text around them."""
    problems = {
        character
        for text in observations.shown
        for character in set(text)
        if unicodedata.category(character) in _FORBIDDEN
    }
    return [f"{item!a} was shown" for item in sorted(problems - {"\n", "\t"})]


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Context manager that ends an endless wait or computation. The memory limit ends reads of endless files."""

    def hang(_number: int, _frame: Any) -> None:
        raise Hang

    former = signal.signal(signal.SIGALRM, hang)
    limits = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, limits[1]))
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
        resource.setrlimit(resource.RLIMIT_AS, limits)


def findings(sandbox: Sandbox, run: Callable[[Observations], None], seconds: float = DEADLINE) -> list[str]:
    """The problems of a run.

    :param run: uses hostile values, and records what it displays and sends
    """
    observations, before, problems = Observations(), sandbox.tree(), []
    here = os.getcwd()
    os.chdir(sandbox.outside / "cwd")
    try:
        with deadline(seconds):
            run(observations)
    except Hang:
        problems.append(f"the run did not end within {seconds} s")
    except MemoryError:
        problems.append("the run used too much memory")
    finally:
        os.chdir(here)
    return [
        *problems,
        *executions(sandbox),
        *writes(sandbox, before),
        *leaks(sandbox, observations),
        *control_characters(observations),
    ]
