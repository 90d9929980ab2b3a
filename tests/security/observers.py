# SPDX-License-Identifier: GPL-3.0-or-later
"""Observes a run: programs, files, output and requests of a run, and its end."""

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

#: Longer than any run takes, also on a loaded machine.
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
    """Where hostile values are tried.

    `inside` is where the run may write. `outside` stands for everything else: the home, the working directory, and the
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
        """Start again, with nothing inside."""
        shutil.rmtree(self.inside, ignore_errors=True)
        self.inside.mkdir()

    def plant(self, value: Any) -> Any:
        """A hostile value that creates this marker, writes outside, or repeats the first secret."""
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


def executions(ground: Sandbox) -> list[str]:
    """The marker, which only a program creates."""
    if not ground.marker.exists():
        return []
    ground.marker.unlink()
    return ["a hostile text was executed"]


def writes(ground: Sandbox, before: dict[str, Any]) -> list[str]:
    """Changes outside of the run."""
    after = ground.tree()
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


def leaks(ground: Sandbox, seen: Observations) -> list[str]:
    """The secrets in what was shown or sent, and in files that remain."""
    wanted = {form for secret in ground.secrets for form in forms(secret)}
    found = [
        f"a secret was {how}: {form}"
        for how, texts in (("shown", seen.shown), ("sent", seen.sent))
        for form in wanted
        if any(form in text for text in texts)
    ]
    for path in ground.folder.rglob("*"):
        status = path.lstat()
        if stat.S_ISREG(status.st_mode) and status.st_size < 10_000_000:
            content = path.read_bytes().decode(errors="replace")
            found += [f"{path} has a secret: {form}" for form in wanted if form in content]
    return found


def control_characters(seen: Observations) -> list[str]:
    """Characters that change how the text around them is shown."""
    found = {one for text in seen.shown for one in set(text) if unicodedata.category(one) in _FORBIDDEN}
    return [f"{one!a} was shown" for one in sorted(found - {"\n", "\t"})]


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Ends what waits for a FIFO or computes without end. Reads of endless files end at the limit of memory."""

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


def findings(ground: Sandbox, run: Callable[[Observations], None], seconds: float = DEADLINE) -> list[str]:
    """Everything that is wrong with a run; an empty list if nothing is.

    :param run: does something with hostile values, and notes what it shows and sends
    """
    seen, before, found = Observations(), ground.tree(), []
    here = os.getcwd()
    os.chdir(ground.outside / "cwd")
    try:
        with deadline(seconds):
            run(seen)
    except Hang:
        found.append(f"the run did not end within {seconds} s")
    except MemoryError:
        found.append("the run used too much memory")
    finally:
        os.chdir(here)
    return [
        *found,
        *executions(ground),
        *writes(ground, before),
        *leaks(ground, seen),
        *control_characters(seen),
    ]
