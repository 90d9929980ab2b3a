# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and content may change in any release.
from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  prefix:
    description:
      - The first part of the names of the cached repositories, such as V(cache) for V(cache/release). ECR adds a slash
        to it. It has 2 to 30 characters.
      - V(ROOT) caches all names that no other rule matches.
    type: str
    required: true
  upstream_account:
    description: The account ID of the registry that has the images, 12 digits, quoted.
    type: raw
    required: true
  upstream_region:
    description: The region of the registry that has the images. The default is the region of the cache.
    type: str
  upstream_prefix:
    description:
      - The first part of the repository names in the registry that has the images, which O(prefix) replaces. With
        V(team), O(prefix=cache) caches V(team/app) as V(cache/app).
      - With V(ROOT), O(prefix=cache) caches V(team/app) as V(cache/team/app).
    type: str
    default: ROOT
"""
