# SPDX-License-Identifier: GPL-3.0-or-later
"""Give ansible-test its pip from the package index.

ansible-test fetches the pip for its environments from a host of its own. Where only a package index is reached, that
fails, so this puts the same pip, as a wheel, where ansible-test looks before it fetches.
"""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

from ansible_test._internal import python_requirements

CACHE = pathlib.Path.home() / ".ansible/test/cache"
SCRIPT = """import sys
sys.path.insert(0, {wheel!r})
from pip._internal.cli.main import main
unknown = ("--no-setuptools", "--no-wheel")
sys.exit(main(["install", "--quiet", "--no-compile", *(word for word in sys.argv[1:] if word not in unknown)]))
"""


def main() -> None:
    source = pathlib.Path(str(python_requirements.__file__)).read_text(encoding="utf-8")
    match = re.search(r"default_packages = dict\(\s*pip='([^']+)'", source)
    if match is None:
        raise SystemExit("This ansible-test does not name its pip where it used to: tests/sanity_pip.py needs a look.")
    version = match[1]
    CACHE.mkdir(parents=True, exist_ok=True)
    wheel = CACHE / f"pip-{version}-py3-none-any.whl"
    if not wheel.exists():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(CACHE)]
        subprocess.run([*command, f"pip=={version}"], check=True)
    script = CACHE / f"get_pip_{version.replace('.', '_')}.py"
    script.write_text(SCRIPT.format(wheel=str(wheel)), encoding="utf-8")


main()
