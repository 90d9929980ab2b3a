# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The accounts that policies name, and the services and identity providers that `*` may include.

AWS does not document whether `*` includes services and identity providers. Standard library only.
"""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_patterns import account_within
from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import whole_account
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Statement

#: The keys of requests of services.
_OF_SERVICES = (
    "aws:principalisawsservice",
    "aws:principalservicenameslist",
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
)
#: Stands for the services that no policy names.
_ANY_SERVICE = "*.amazonaws.com"
#: Stands for the identity providers that no policy names, by the action of their users.
_PROVIDERS = {
    "sts:assumerolewithwebidentity": "arn:aws:iam::*:oidc-provider/*",
    "sts:assumerolewithsaml": "arn:aws:iam::*:saml-provider/*",
}


def accounts_in(document: t.Iterable[Statement]) -> list[str]:
    """The accounts that the statements of a document name, by their IDs or patterns of them, and any other one."""
    found: dict[str, None] = {}
    for statement in document:
        values = [value for _kind, value in statement.names.listed] if statement.names else []
        checks = [one for one in statement.condition if one.key.lower() == "aws:principalaccount"]
        compared = [value for check in checks for value in check.values if "${" not in value]
        found.update(dict.fromkeys(map(whole_account, [*values, *compared])))
        found.update(dict.fromkeys(value for value in compared if value.strip("*") and account_within(value)))
    return [*(account for account in found if account), "*"]


def not_of_accounts(statement: Statement) -> t.Iterator[tuple[str, str]]:
    """The kinds and names of services and identity providers to which a statement for everyone refers."""
    for check in statement.condition:
        if check.key.lower() == "aws:principalservicename" and check.base.startswith("string"):
            for name in check.values:
                yield "Service", name
        elif check.key.lower() in _OF_SERVICES:
            yield "Service", _ANY_SERVICE
    for action, provider in _PROVIDERS.items():
        if any(pattern.lower() == action for pattern in statement.actions.patterns):
            yield "Federated", provider
