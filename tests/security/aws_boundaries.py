# SPDX-License-Identifier: GPL-3.0-or-later
"""Inputs from AWS: responses of its services, and names in AWS Organizations."""

from __future__ import annotations

import types
from typing import Any

from ansible.errors import AnsibleError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.crossaccount.ecr.plugins.inventory.aws_organizations_accounts import InventoryModule
from hypothesis import strategies as st

from . import hostile, hostile_aws
from .entries import evaluate, run_module, trusted
from .fake_servers import FakeServers
from .hostile_aws import CONSUMER, OWNER, ROLE_ARN
from .observers import Observations, Sandbox


def _answers_of(calls: list[str]) -> st.SearchStrategy[Any]:
    call = st.sampled_from(calls)
    valid = call.flatmap(lambda name: st.tuples(st.just(name), hostile.texts_within(hostile_aws.ANSWERS[name])))
    refusals = st.builds(
        hostile_aws.error, st.sampled_from(["AccessDenied", "NoSuchEntity"]) | hostile.texts, hostile.texts
    )
    return st.tuples(valid, st.just(False)) | st.tuples(
        st.tuples(call, refusals | hostile.raw_documents), st.just(True)
    )


answers_of_aws = st.sampled_from(["consumer", "owner"]).flatmap(
    lambda side: st.tuples(
        st.just(side),
        _answers_of(
            hostile_aws.CONSUMER_CALLS if side == "consumer" else hostile_aws.OWNER_CALLS + hostile_aws.REPOSITORY_CALLS
        ),
    )
)


def ask_aws(sandbox: Sandbox, servers: FakeServers, observations: Observations, value: Any) -> None:
    """Run the modules of one account with one hostile response."""
    side, ((call, answer), refused) = value
    servers.aws.answers, servers.aws.refused = {call: answer}, {call} if refused else set()
    variables = servers.aws.environment
    if side == "consumer":
        role = {"role_arn": ROLE_ARN, "external_id": "test", "wait_timeout": 0}
        expected = {"readable": ["release"], "denied": ["develop"]}
        run_module(sandbox, observations, "ecr_access_info", {**role, **expected}, variables)
        layout = {"engine": "oci_layout", "dest": str(sandbox.inside / "layout"), "images": ["release:v1.0"]}
        run_module(sandbox, observations, "ecr_image_pull", {**role, **layout}, variables)
    else:
        identity = hostile_aws.ANSWERS["GetCallerIdentity"]
        servers.aws.answers.setdefault("GetCallerIdentity", {**identity, "Account": OWNER})
        tags = {"environment": "release"}
        consumers = [{"account": CONSUMER, "external_id": "test"}]
        role = {"name": "allow_ecr_release", "repository_tags": tags, "consumers": consumers}
        run_module(sandbox, observations, "iam_ecr_pull_role", {**role, "wait_timeout": 0}, variables)
        names = {"names": ["release"], "tags": tags, "report_others": True}
        run_module(sandbox, observations, "ecr_repository_tag", {**names, "wait_timeout": 0}, variables)


organizations = st.tuples(
    st.sampled_from([[], ["/missing"], ["/Workloads"]]), st.lists(hostile.texts, min_size=4, max_size=4)
)


def list_accounts(_sandbox: Sandbox, _servers: FakeServers, observations: Observations, value: Any) -> None:
    """Run the inventory plugin with each option that evaluates expressions over names."""
    units, (account, unit, key, label) = value
    pages: dict[str, Any] = {
        "list_roots": {"Roots": [{"Id": "r-1", "Name": "Root"}]},
        "list_accounts_for_parent": {"Accounts": [{"Id": OWNER, "Name": account, "Status": "ACTIVE"}]},
        "list_tags_for_resource": {"Tags": [{"Key": key, "Value": label}, {"Key": "team", "Value": label}]},
    }
    below = {"r-1": {"OrganizationalUnits": [{"Id": "ou-1", "Name": unit}]}}

    def paginator(operation: str) -> Any:
        def paginate(ParentId: str = "", **_arguments: str) -> list[Any]:  # noqa: N803
            return [pages.get(operation) or below.get(ParentId, {"OrganizationalUnits": []})]

        return types.SimpleNamespace(paginate=paginate)

    plugin: Any = InventoryModule()
    plugin.inventory, plugin.templar, plugin.display = InventoryData(), Templar(DataLoader()), None
    plugin.inventory.add_group("aws_organizations_accounts")
    plugin.client = lambda _service: types.SimpleNamespace(get_paginator=paginator)
    composed = {"label": "account_name ~ organizational_unit ~ account_tags", "copy": "account_tags.team"}
    keyed = [{"key": "account_name", "prefix": "a"}, {"key": "account_tags", "prefix": "t"}]
    plugin._options = {
        "access_key": "AKIAIOSFODNN7EXAMPLE",
        "organizational_units": units,
        "tags": {},
        "strict": False,
        "compose": trusted(composed),
        "groups": trusted({"matching": "account_name in organizational_unit"}),
        "keyed_groups": trusted(keyed),
        "leading_separator": True,
        "use_extra_vars": False,
    }
    try:
        for found in plugin._accounts():
            plugin._add(found)
    except AnsibleError as error:
        observations.shown.append(str(error))
        return
    for host in plugin.inventory.hosts.values():
        observations.shown += [host.name, *(group.name for group in host.groups)]
        for name in ("label", "copy", "account_name", "account_tags", "organizational_unit"):
            evaluate(f"{{{{ {name} }}}}", host.vars, observations)
