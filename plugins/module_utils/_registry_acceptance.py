# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Whether the policy of a registry accepts replication from an account. Standard library only."""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document, as_list, statements
from ansible_collections.crossaccount.ecr.plugins.module_utils._wildcard import matches_any_case


def not_accepted_names(
    policy: Document | None,
    source: Identity,
    registry: Identity,
    region: str,
    names: t.Iterable[str],
    actions: t.Collection[str],
) -> list[str]:
    """The repositories for which no Allow statement allows the actions to an account. Conditions are not evaluated."""
    return [
        name
        for name in names
        if not all(
            any(
                _allows(statement, source, action, registry.repository(region, name))
                for statement in statements(policy or {})
            )
            for action in actions
        )
    ]


def _allows(statement: Document, source: Identity, action: str, arn: str) -> bool:
    named = statement.get("Principal", {})
    principals = as_list(named.get("AWS", []) if isinstance(named, dict) else named)
    return (
        statement.get("Effect") == "Allow"
        and bool({source.root, source.account, "*"} & set(map(str, principals)))
        and any(matches_any_case(str(one), action) for one in as_list(statement.get("Action", [])))
        and any(matches_any_case(str(one), arn) for one in as_list(statement.get("Resource", [])))
    )
