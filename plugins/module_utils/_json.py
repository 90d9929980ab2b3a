# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The type of a JSON object. Standard library only.

It is used at the interfaces to AWS, registries and Ansible. The collection's own values are dataclasses.
"""

from __future__ import annotations

import typing as t

#: A JSON object, such as an element of an AWS response, the result of a module, or a policy document.
Json = dict[str, t.Any]
