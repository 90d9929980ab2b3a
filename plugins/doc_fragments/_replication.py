# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and content may change in any release.
from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  prefixes:
    description:
      - The first parts of the names of the repositories, without C(*). V(release) also selects C(release-candidate);
        V(release/) selects only names with this slash.
      - ECR has no other filter. It replicates neither single images nor image tags.
    type: list
    elements: str
  all_repositories:
    description: Select all repositories. Excludes O(prefixes).
    type: bool
    default: false
"""
