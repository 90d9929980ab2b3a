# SPDX-License-Identifier: GPL-3.0-or-later
"""Which accounts of an organization become hosts, and how they are called."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.inventory import aws_organizations_accounts as plugin

Unit = plugin.Unit


def account(number: int, state: dict[str, str] | None = None) -> dict[str, Any]:
    return {"Id": f"{number:012}", "Name": f"n{number}", **(state or {"Status": "ACTIVE"})}


UNITS = [
    Unit(("r-1",), "/", [account(1)]),
    Unit(("r-1", "ou-1-w"), "/Workloads", [account(2)]),
    Unit(("r-1", "ou-1-w", "ou-1-p"), "/Workloads/Production", [account(3)]),
    Unit(("r-1", "ou-1-o"), "/Workloads of others", [account(4)]),
]


@pytest.mark.parametrize(
    ("selected", "names"),
    [
        ([], ["n1", "n2", "n3", "n4"]),
        (["/"], ["n1", "n2", "n3", "n4"]),
        (["r-1"], ["n1", "n2", "n3", "n4"]),
        (["/Workloads"], ["n2", "n3"]),
        (["/Workloads/"], ["n2", "n3"]),
        (["ou-1-w"], ["n2", "n3"]),
        (["/Workloads/Production", "ou-1-o"], ["n3", "n4"]),
        (["/Work"], []),
    ],
)
def test_a_unit_is_with_all_that_is_below_it(selected: list[str], names: list[str]) -> None:
    assert [account["name"] for account in plugin.accounts_within(UNITS, selected)] == names


@pytest.mark.parametrize(
    ("state", "is_listed"),
    [
        ({"State": "ACTIVE"}, True),
        ({"State": "ACTIVE", "Status": "SUSPENDED"}, True),
        ({"State": "CLOSED", "Status": "ACTIVE"}, False),
        ({"Status": "PENDING_CLOSURE"}, False),
        ({"State": "PENDING_ACTIVATION"}, False),
    ],
)
def test_only_active_accounts_are_there(state: dict[str, str], is_listed: bool) -> None:
    found = plugin.accounts_within([Unit(("r-1",), "/", [account(1, state)])], [])
    assert found == ([{"id": "000000000001", "name": "n1", "organizational_unit": "/"}] if is_listed else [])


def test_a_problem_with_a_unit_names_the_existing_units() -> None:
    paths = ["/", "/Workloads/", "/Workloads/Production", "ou-1-o", "r-1"]
    tags = {"registry": "yes", "team": ["a", "b"]}
    assert list(plugin.option_problems(UNITS, paths, tags)) == []
    assert list(plugin.option_problems(UNITS, ["/Work", "ou-2"], {"registry": True, "team": ["a", 1]})) == [
        f"{wrong} is not an organizational unit of this organization."
        " The organization has /, /Workloads, /Workloads of others, /Workloads/Production."
        for wrong in ("/Work", "ou-2")
    ] + [
        f"The value {value} of tag {key} is not a string. Quote it."
        for key, value in (("registry", "True"), ("team", "1"))
    ]


@pytest.mark.parametrize(
    ("selected", "carried"),
    [
        ({}, True),
        ({"registry": "shared"}, True),
        ({"registry": ["private", "shared"], "team": "a"}, True),
        ({"registry": "private"}, False),
        ({"registry": "shared", "team": "b"}, False),
        ({"missing": ""}, False),
        ({"registry": []}, False),
    ],
)
def test_all_tags_must_be_there(selected: dict[str, Any], carried: bool) -> None:
    assert plugin.has_tags({"registry": "shared", "team": "a"}, selected) is carried


@pytest.mark.parametrize(
    ("name", "host"),
    [("payments", "payments-1"), ("Team A (prod)", "Team-A-prod-1"), ("品質", "1"), ("a.b_c-d", "a.b_c-d-1")],
)
def test_a_host_is_called_after_its_account(name: str, host: str) -> None:
    assert plugin.host_of({"name": name, "id": "1"}) == host


#: The children of a root or unit: id and name.
BELOW = {"r-1": [("ou-1-w", "Workloads")], "ou-1-w": [("ou-1-p", "Production")]}


class Pages:
    """A client of Organizations whose lists come in pages, some of them empty."""

    def get_paginator(self, operation: str) -> Pages:
        assert operation in ("list_accounts_for_parent", "list_organizational_units_for_parent")
        self.key = "Accounts" if "accounts" in operation else "OrganizationalUnits"
        return self

    def paginate(self, ParentId: str) -> list[dict[str, Any]]:  # noqa: N803
        units = [{"Id": entry, "Name": name} for entry, name in BELOW.get(ParentId, [])]
        found: list[dict[str, Any]] = [{"Id": f"{ParentId}-{n}"} for n in "12"] if self.key == "Accounts" else units
        return [{self.key: []}, *({self.key: [item]} for item in found)]


def test_the_organization_is_walked_with_all_pages() -> None:
    assert list(plugin._units(Pages(), ("r-1",), "/")) == [
        Unit(ids, path, [{"Id": f"{ids[-1]}-1"}, {"Id": f"{ids[-1]}-2"}])
        for ids, path in (
            (("r-1",), "/"),
            (("r-1", "ou-1-w"), "/Workloads"),
            (("r-1", "ou-1-w", "ou-1-p"), "/Workloads/Production"),
        )
    ]


@pytest.mark.parametrize(
    ("accounts", "unknown"),
    [
        ([{"Id": "1", "State": "ACTIVE"}], 0),
        ([{"Id": "1", "Status": "SUSPENDED"}], 0),
        ([{"Id": "1"}, {"Id": "2", "State": "ACTIVE"}], 1),
        ([{"Id": "1"}, {"Id": "2"}], 2),
        ([], 0),
    ],
)
def test_a_botocore_that_drops_the_state_is_an_error(accounts: list[dict[str, Any]], unknown: int) -> None:
    found = list(plugin.state_problems([plugin.Unit(("r-1",), "/", accounts)], "1.34.0"))
    assert len(found) == bool(unknown)
    if unknown:
        assert found[0].startswith(f"botocore 1.34.0 returns no state for {unknown} accounts, such as 1,")
