# SPDX-License-Identifier: GPL-3.0-or-later
"""The terminal of a reader: one shell for a page, in a folder like a clone of the repository, with a lab of its own."""

from __future__ import annotations

import contextlib
import os
import pathlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from tests.lab import process

ROOT = pathlib.Path(__file__).parents[2]
#: The beginning of the tutorial, for a page that expects a running lab. Make takes longer than to see that one runs.
START = "{ [ -e .lab/env ] || make lab-up; } && . .lab/env && . .venv/bin/activate"
LONGEST = 300  # seconds for one block


@dataclass(frozen=True)
class Quick:
    """Programs of `tests.support.quick_python`, which do the same as the real ones in less time."""

    ansible: pathlib.Path
    python: pathlib.Path

    def functions(self) -> str:
        """Shell functions with the names of the real programs, which must still be in PATH or in the folder."""
        program = f"ANSIBLE_CONFIG='{ROOT}/ansible.cfg' ANSIBLE_NOCOLOR=1 '{self.ansible}'"
        python = f"-e ansible_python_interpreter='{self.python}'"
        return "\n".join(
            f'{name}() {{ if env | grep -q ^ANSIBLE_ || ! type -P {name} >/dev/null; then command {name} "$@";'
            f' else {program} {ad_hoc} "$@" {python}; fi; }}'
            for name, ad_hoc in (
                ("ansible", "--ad-hoc"),
                ("ansible-playbook", ""),
                (".venv/bin/ansible-playbook", ""),
            )
        )


class Terminal:
    """A shell that runs one block after another."""

    def __init__(self, folder: pathlib.Path, quick: Quick | None, engine: dict[str, str]) -> None:
        self.folder, self.number = folder, 0
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder / ".home"), "LC_ALL": "C.UTF-8", **engine}
        self.shell = subprocess.Popen(
            ["bash"], cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if quick:
            self.run(quick.functions())

    def run(self, commands: str) -> tuple[int, str]:
        """The exit status of the commands, and their output."""
        self.number += 1
        output = self.folder / f".output-{self.number}"
        assert self.shell.stdin
        assert self.shell.stdout
        self.shell.stdin.write(f"{{ {commands}\n}} >'{output}' 2>&1 </dev/null; echo $?\n")
        self.shell.stdin.flush()
        status = self.shell.stdout.readline()
        text = output.read_text(encoding="utf-8")
        if not status:
            raise RuntimeError(f"The shell ended in: {commands}\n{text}")
        return int(status), text

    def close(self) -> None:
        assert self.shell.stdin
        self.shell.stdin.close()
        self.shell.wait(LONGEST)


@contextlib.contextmanager
def terminal(
    folder: pathlib.Path, quick: Quick | None = None, engine: dict[str, str] | None = None
) -> Iterator[Terminal]:
    """Within, a reader's terminal. Its lab is stopped afterwards.

    :param folder: an empty folder, which becomes the reader's clone
    :param engine: the environment variables of a container engine
    """
    for environment, requirements in ((".venv", "tests"), (".venv-lab", "tests/lab")):
        if (ROOT / environment / "ready").stat().st_mtime < (ROOT / requirements / "requirements.txt").stat().st_mtime:
            raise RuntimeError(
                f"{environment} is older than its requirements, and make would replace it. Run make setup."
            )
    for path in ROOT.iterdir():
        if path.name not in (".lab", ".git", "build", ".cache"):
            (folder / path.name).symlink_to(path)
    (folder / ".home").mkdir()
    reader = Terminal(folder, quick, engine or {})
    try:
        yield reader
    finally:
        reader.close()
        process.down(folder / ".lab")
