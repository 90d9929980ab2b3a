# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The accounts of an organization as hosts. Decisions are in functions; the class sends the requests to AWS."""

from __future__ import annotations

DOCUMENTATION = r"""
name: aws_organizations_accounts
short_description: List the accounts of an AWS organization, by organizational unit and tag
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Each active account of the organization is a host in the group C(aws_organizations_accounts).
  - A host is named C(NAME-ID) after its account, because several accounts can have the same name. Characters of the
    name other than ASCII letters, digits, C(.), C(_) and C(-) become C(-).
  - The name of the inventory file ends with C(aws_organizations_accounts.yml) or C(aws_organizations_accounts.yaml).
  - Only the management account and delegated administrator accounts can list the accounts. The caller needs
    C(ListRoots), C(ListAccountsForParent), C(ListOrganizationalUnitsForParent) and C(ListTagsForResource) of
    C(organizations).
options:
  organizational_units:
    description:
      - Include the accounts of these organizational units and of all units below them.
      - An organizational unit is a path of names from the root (V(/Workloads/Production)) or an ID
        (V(ou-ab12-11111111)).
      - If empty, all accounts are included, and so is the management account.
    type: list
    elements: str
    default: []
  tags:
    description: Include only accounts with all of these tags. If a value is a list, any value of the list matches.
    type: dict
    default: {}
extends_documentation_fragment:
  - inventory_cache
  - constructed
  - crossaccount.ecr._requirements.aws
  - amazon.aws.common.plugins
  - amazon.aws.region.plugins
  - amazon.aws.assume_role.plugins
seealso:
  - ref: ansible_collections.crossaccount.ecr.ecr_share_role
    description: The role C(crossaccount.ecr.ecr_share) shares the repositories of each account.
"""

EXAMPLES = r"""
# owners.aws_organizations_accounts.yml
plugin: crossaccount.ecr.aws_organizations_accounts
profile: management
organizational_units:
  - /Workloads/Production
tags:
  registry: ["yes", shared]
keyed_groups:
  - prefix: team
    key: account_tags.team

# A second inventory file sets the connection to each account:
# aws_organizations_accounts:
#   vars:
#     ansible_connection: local
#     ansible_python_interpreter: "{{ ansible_playbook_python }}"
#     ecr_share_assume_role_arn: "arn:aws:iam::{{ account_id }}:role/OrganizationAccountAccessRole"
"""

import re
import typing as t

try:
    import botocore
except ImportError:
    pass  # require_aws_sdk reports it

from ansible.errors import AnsibleError
from ansible_collections.amazon.aws.plugins.plugin_utils.inventory import AWSInventoryBase
from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import ASSUME_ROLE_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._failed_result import message_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import Client, session_of
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._controller import Controller
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._unsafe import as_data

GROUP = "aws_organizations_accounts"
#: The options that connect to AWS.
_CONNECTION = ("access_key", "secret_key", "session_token", "profile", "region", "endpoint_url", "assume_role_arn")


class Unit(t.NamedTuple):
    """A root or an organizational unit.

    :param ids: the IDs from the root to the unit
    :param path: the names from the root to the unit
    """

    ids: tuple[str, ...]
    path: str
    accounts: list[Json]


def accounts_within(units: t.Iterable[Unit], wanted: t.Sequence[str]) -> list[Json]:
    """The active accounts in the wanted units and their descendants, each with the path of its unit.

    AWS replaces the deprecated `Status` of an account by `State`.
    """
    return [
        {"id": account["Id"], "name": account["Name"], "organizational_unit": unit.path}
        for unit in units
        if not wanted or any(entry in unit.ids or _is_below(unit.path, entry) for entry in wanted)
        for account in unit.accounts
        if account.get("State", account.get("Status")) == "ACTIVE"
    ]


def _is_below(path: str, entry: str) -> bool:
    return f"{path.rstrip('/')}/".startswith(f"{entry.rstrip('/')}/")


def state_problems(units: t.Iterable[Unit], version: str) -> t.Iterator[str]:
    """The problem if the active accounts are unknown. Old versions of botocore ignore `State`, which replaces `Status`.

    :param version: the version of botocore
    """
    unknown = [
        account["Id"]
        for unit in units
        for account in unit.accounts
        if "State" not in account and "Status" not in account
    ]
    if unknown:
        yield (
            f"botocore {version} returns no state for {len(unknown)} accounts, such as {unknown[0]}, so it is unknown"
            " whether they are active. Install botocore 1.40.27 or later."
        )


def option_problems(units: t.Sequence[Unit], wanted: t.Iterable[str], tags: Json) -> t.Iterator[str]:
    """Problems with the options. A misspelled unit is an error, because it would select no account."""
    paths = {unit.path for unit in units}
    known = {identifier for unit in units for identifier in unit.ids}
    for entry in wanted:
        if entry not in known and (entry.rstrip("/") or "/") not in paths:
            yield (
                f"{entry} is not an organizational unit of this organization. The organization has"
                f" {', '.join(sorted(paths))}."
            )
    for key, values in tags.items():
        for value in values if isinstance(values, list) else [values]:
            if not isinstance(value, str):
                yield f"The value {value!r} of tag {key} is not a string. Quote it."


def has_tags(tags: dict[str, str], wanted: Json) -> bool:
    """Whether the tags have each wanted key with the wanted value or with one of the wanted values."""
    return all(tags.get(key) in (value if isinstance(value, list) else [value]) for key, value in wanted.items())


def host_of(account: Json) -> str:
    """The unique host name of an account."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", account["name"]).strip("-")
    return f"{name}-{account['id']}" if name else str(account["id"])


class InventoryModule(AWSInventoryBase):
    NAME = "crossaccount.ecr.aws_organizations_accounts"
    INVENTORY_FILE_SUFFIXES = (f"{GROUP}.yml", f"{GROUP}.yaml")

    def _set_frozen_credentials(self) -> None:
        """Assume no role here: amazon.aws would neither check the keys nor handle an error. `client` assumes it."""

    def client(self, service: str) -> Client:
        """A client with the keys in the options, which are checked, or with those of `assume_role_arn`."""
        options = {name: self.get_option(name) for name in _CONNECTION}
        given = {name: str(value) for name, value in options.items() if value}
        return session_of(Controller(GROUP, ASSUME_ROLE_ARGUMENTS, given)).client(service)

    def parse(self, inventory: object, loader: object, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache=cache)
        cached, accounts = self.get_cached_result(path, cache)
        if not cached:
            problem = ""
            try:
                accounts = self._accounts()
            except AnsibleError:
                raise
            except Exception as error:
                problem = f"The accounts of the organization cannot be listed: {message_of(error)}"
            if problem:  # outside the exception handler, because Ansible would display the traceback
                self.fail_aws(problem)
        self.update_cached_result(path, cache, accounts)
        self.inventory.add_group(GROUP)
        for account in accounts:
            self._add(account)

    def _accounts(self) -> list[Json]:
        client = self.client("organizations")
        wanted = self.get_option("organizational_units")
        roots = _all_pages(client, "list_roots", "Roots")
        units = [unit for root in roots for unit in _units(client, (root["Id"],), "/")]
        tags = self.get_option("tags")
        problems = Problems()
        problems.extend(option_problems(units, wanted, tags))
        problems.extend(state_problems(units, botocore.__version__))
        if problems.found:
            self.fail_aws("\n".join(problems.found))
        accounts = accounts_within(units, wanted)
        for account in accounts:
            labels = _all_pages(client, "list_tags_for_resource", "Tags", ResourceId=account["id"])
            account["tags"] = {label["Key"]: label["Value"] for label in labels}
        return [account for account in accounts if has_tags(account["tags"], tags)]

    def _add(self, account: Json) -> None:
        host, strict = host_of(account), self.get_option("strict")
        # Anyone with permission to name an account, a unit or a tag can choose these texts.
        variables = as_data(
            {
                "account_id": account["id"],
                "account_name": account["name"],
                "account_tags": account["tags"],
                "organizational_unit": account["organizational_unit"],
            }
        )
        self.inventory.add_host(host, group=GROUP)
        for name, value in variables.items():
            self.inventory.set_variable(host, name, value)
        self._set_composite_vars(self.get_option("compose"), variables, host, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, host, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, host, strict=strict)


def _units(client: Client, ids: tuple[str, ...], path: str) -> t.Iterator[Unit]:
    """A root or unit, followed by its descendants."""
    yield Unit(ids, path, _all_pages(client, "list_accounts_for_parent", "Accounts", ParentId=ids[-1]))
    below = _all_pages(client, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=ids[-1])
    for child in below:
        yield from _units(client, (*ids, child["Id"]), f"{path.rstrip('/')}/{child['Name']}")


def _all_pages(client: Client, operation: str, key: str, **arguments: str) -> list[Json]:
    """All elements that a list operation returns. A page may be empty although more pages follow."""
    pages = client.get_paginator(operation).paginate(**arguments)
    return [element for page in pages for element in page[key]]
