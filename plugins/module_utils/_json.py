# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The type of what AWS, registries and Ansible exchange as JSON. Standard library only.

The collection's own values are dataclasses. This alias is for responses and results at the edge only.
"""

from __future__ import annotations

import typing as t

#: A JSON object: an element of a response of AWS, a module's result, a policy document.
Json = dict[str, t.Any]
