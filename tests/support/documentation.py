# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the plugins and the roles, as `ansible-doc` shows it."""

from __future__ import annotations

import functools
import json
import os
import pathlib
import subprocess
from typing import Any

from .paths import ROOT

PREFIX = "crossaccount.ecr."
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
PLUGINS = [
    (kind, path.stem)
    for folder, kind in (("modules", "module"), ("filter", "filter"), ("inventory", "inventory"))
    for path in sorted((ROOT / "plugins" / folder).glob("[a-z]*.py"))
]
KINDS = ("module", "filter", "inventory", "role")


@functools.cache
def documented(kind: str, programs: pathlib.Path = ROOT / ".venv/bin") -> dict[str, Any]:
    """The documentation of all plugins of a kind, or of all roles, by short name.

    :param programs: the folder of the program `ansible-doc`, which takes seconds
    """
    names = ROLES if kind == "role" else [name for of, name in PLUGINS if of == kind]
    command = [str(programs / "ansible-doc"), "--json", "--type", kind, *(PREFIX + name for name in names)]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=300)
    return {name.removeprefix(PREFIX): entry for name, entry in json.loads(shown.stdout).items()}
