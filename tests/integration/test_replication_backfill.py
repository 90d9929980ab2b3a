# SPDX-License-Identifier: GPL-3.0-or-later
"""ecr_replication_backfill: existing images are replicated, and an interrupted run is resumed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab import accounts
from tests.lab.clients import Account, allow, trust
from tests.lab.replication_copies import accept, configure, destination, digests, fill, rule
from tests.support.control import Control
from tests.support.paths import ROOT

MODULE = "ecr_replication_backfill"
START, STOP = "ecr:StartReplicationBackfill", "ecr:StopReplicationBackfill"
Place = dict[str, str]
#: Each test has a destination region of its own, because AWS returns the backfills of earlier tests.
_regions = (f"eu-test-{number}" for number in itertools.count(1))


@pytest.fixture
def owner(control: Control) -> Iterator[Any]:
    """The client of the source, whose images are in `backfill/*`. The test leaves no rule and no backfill behind."""
    ecr = control.lab.client("owner", "ecr")
    yield ecr
    configure(ecr)
    while any(one["status"] in ("PREPARING", "IN_PROGRESS", "STOPPING") for one in backfills(ecr)):
        pass


@pytest.fixture
def here() -> Place:
    """A destination without backfills."""
    return {"account": accounts.CONSUMER, "region": next(_regions)}


def client(control: Control, place: Place) -> Any:
    """The client of an administrator of a destination."""
    profile = {accounts.CONSUMER: "consumer", accounts.STRANGER: "stranger"}[place["account"]]
    return control.lab.session(f"{profile}-administrator").client("ecr", region_name=place["region"])


@pytest.fixture
def consumer(control: Control, here: Place) -> Any:
    """The client of the destination, which accepts images."""
    ecr = client(control, here)
    accept(ecr)
    return ecr


def backfills(ecr: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ecr.list_replication_backfills()["backfills"]
    return found


def replicate(ecr: Any, *destinations: dict[str, str], prefix: str) -> None:
    configure(ecr, rule(*(destination(one["account"], one["region"]) for one in destinations), prefix=prefix))


def run(control: Control, *destinations: dict[str, str], flags: tuple[str, ...] = (), **options: Any) -> Any:
    return control.module(MODULE, "owner", *flags, destinations=list(destinations), **options)


def statuses(result: dict[str, Any]) -> list[str]:
    return [one["status"] for one in result["backfills"]]


def test_existing_images_are_replicated_once(control: Control, owner: Any, here: Place, consumer: Any) -> None:
    name = fill(control.lab, owner, "once", 3)
    replicate(owner, here, prefix=name)
    mark = len(control.lab.calls())
    predicted = run(control, here, flags=("--check",))
    assert (predicted["changed"], statuses(predicted)) == (True, ["NOT_STARTED"]), predicted
    assert control.lab.writes_since(mark) == []
    done = run(control, here)
    assert (done["code"], done["changed"], statuses(done)) == (0, True, ["COMPLETE"]), done
    assert done.keys() == predicted.keys()
    assert digests(consumer, name) == digests(owner, name)
    (backfill,) = done["backfills"]
    assert (backfill["total"], backfill["completed"], backfill["failed"], backfill["started"]) == (3, 3, 0, True)
    for force in (False, True):
        mark = len(control.lab.calls())
        again = run(control, here, force=force)
        assert (again["code"], again["changed"]) == (0, force), again
        assert control.lab.writes_since(mark) == [START] * force


def test_an_interrupted_run_is_resumed(control: Control, owner: Any, here: Place, consumer: Any) -> None:
    name = fill(control.lab, owner, "resumed", 6)
    replicate(owner, here, prefix=name)
    first = run(control, here, wait_timeout=0)
    assert (first["code"], first["changed"]) == (2, True), first
    assert "After 0 seconds, backfills have not ended: to account 222222222222 in" in first["msg"]
    mark = len(control.lab.calls())
    second = run(control, here, force=True)
    assert (second["code"], second["changed"], statuses(second)) == (0, False, ["COMPLETE"]), second
    assert control.lab.writes_since(mark) == []
    assert second["backfills"][0]["id"] == first["backfills"][0]["id"]
    assert digests(consumer, name) == digests(owner, name)


def test_one_backfill_runs_for_each_region(control: Control, owner: Any, here: Place, consumer: Any) -> None:
    name = fill(control.lab, owner, "regions", 2)
    elsewhere, same_region = {**here, "region": next(_regions)}, {**here, "account": accounts.STRANGER}
    others = [client(control, elsewhere), client(control, same_region)]
    for other in others:
        accept(other)
    replicate(owner, here, elsewhere, same_region, prefix=name)
    started = run(control, here, elsewhere, same_region, wait=False)
    assert (started["code"], statuses(started)) == (0, ["PREPARING", "PREPARING", "NOT_STARTED"]), started
    assert "was not started. AWS runs one backfill at a time for each region" in " ".join(control.last.output.split())
    done = run(control, here, elsewhere, same_region)
    assert (done["code"], statuses(done)) == (0, ["COMPLETE"] * 3), done
    assert [one["started"] for one in done["backfills"]] == [False, False, True]
    assert [digests(ecr, name) for ecr in (consumer, *others)] == [digests(owner, name)] * 3


def test_images_that_were_not_replicated_are_named(control: Control, owner: Any, here: Place) -> None:
    name = fill(control.lab, owner, "refused", 2)
    replicate(owner, here, prefix=name)
    failed = run(control, here)
    assert (failed["code"], failed["changed"], statuses(failed)) == (2, True, ["COMPLETE"]), failed
    assert f"Not replicated: {name}:0@sha256:" in failed["msg"]
    assert f"the registry policy of account {accounts.CONSUMER} allows ecr:ReplicateImage" in failed["msg"]
    (backfill,) = failed["backfills"]
    assert {one["repository"]: one["failure_code"] for one in backfill["failures"]} == {name: "AccessDenied"}
    consumer = client(control, here)
    accept(consumer)
    again = run(control, here)
    assert (again["code"], again["changed"]) == (0, True), again
    assert digests(consumer, name) == digests(owner, name)


def test_a_backfill_is_stopped(control: Control, owner: Any, here: Place, consumer: Any) -> None:
    name = fill(control.lab, owner, "stopped", 3)
    replicate(owner, here, prefix=name)
    assert statuses(run(control, here, wait=False)) == ["PREPARING"]
    mark = len(control.lab.calls())
    predicted = run(control, here, flags=("--check",), state="stopped")
    assert (predicted["changed"], control.lab.writes_since(mark)) == (True, [])
    stopped = run(control, here, state="stopped")
    assert (stopped["code"], stopped["changed"], statuses(stopped)) == (0, True, ["STOPPED"]), stopped
    assert control.lab.writes_since(mark) == [STOP]
    again = run(control, here, state="stopped")
    assert (again["code"], again["changed"], control.lab.writes_since(mark)) == (0, False, [STOP]), again
    done = run(control, here)
    assert (done["code"], statuses(done)) == (0, ["COMPLETE"]), done


def test_a_destination_without_a_rule_is_reported(control: Control, owner: Any, here: Place) -> None:
    mark = len(control.lab.calls())
    result = run(control, here, {**here, "region": "eu-west-9"})
    assert (result["code"], len(result["problems"]), control.lab.writes_since(mark)) == (2, 2, []), result
    assert "contains account 222222222222 in eu-west-9. ECR starts a backfill only" in result["msg"]
    predicted = run(control, here, flags=("--check",))
    assert (predicted["code"], predicted["changed"]) == (0, True), predicted
    assert "No replication rule of account" in " ".join(control.last.output.split())
    itself = run(control, {"account": accounts.OWNER, "region": accounts.REGION})
    assert itself["msg"].endswith("is the registry of the images. Remove this entry."), itself


def test_the_policy_of_the_guide_is_sufficient(control: Control, owner: Any, here: Place, consumer: Any) -> None:
    name = fill(control.lab, owner, "allowed", 1)
    replicate(owner, here, prefix=name)
    policy = json.loads((ROOT / "playbooks/vars/backfill-policy.json").read_text())
    caller = Account(control.lab).role(trust(accounts.OWNER), *policy["Statement"])
    assert run(control, here, wait=False, assume_role_arn=caller)["code"] == 0
    assert run(control, here, state="stopped", assume_role_arn=caller)["changed"] is True
    done = run(control, here, assume_role_arn=caller)
    assert (done["code"], statuses(done)) == (0, ["COMPLETE"]), done


def test_the_denied_action_is_named(control: Control, owner: Any, here: Place) -> None:
    replicate(owner, here, prefix="none")
    reader = Account(control.lab).role(trust(accounts.OWNER), allow("ecr:Describe*", "ecr:List*"))
    result = run(control, here, assume_role_arn=reader)
    assert (result["code"], result["changed"]) == (2, False), result
    assert START in result["msg"]


def test_the_output_shows_the_end_of_the_backfill(control: Control, owner: Any, here: Place, consumer: Any) -> None:
    """The action plugin runs the module in the process of Ansible."""
    name = fill(control.lab, owner, "action", 2)
    replicate(owner, here, prefix=name)
    text = (ROOT / "docs/examples/playbook-backfill.yml").read_text()
    destination_of_page = f'account: "222222222222"\n            region: {accounts.REGION}'
    assert destination_of_page in text
    region = f'account: "222222222222"\n            region: {here["region"]}\n        wait_interval: 0.05'
    play = control.folder / "backfill.yml"
    play.write_text(text.replace(destination_of_page, region))
    done = control.playbook(str(play), "owner")
    assert (done.code, done.changed) == (0, 1), done
    assert digests(consumer, name) == digests(owner, name)
