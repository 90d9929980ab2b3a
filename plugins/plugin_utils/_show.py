# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""For action plugins: lines for whoever watches `ansible-playbook`."""

from __future__ import annotations

from ansible import constants
from ansible.utils.display import Display


def show(line: str) -> None:
    """Show a line as it is; not where the output is one JSON document, in which nothing else may be."""
    if "json" not in constants.DEFAULT_STDOUT_CALLBACK:
        Display().display(line)
