# SPDX-License-Identifier: GPL-3.0-or-later
"""The reduced matrix; and that its observer, its replay and its judge can see what is wrong."""

from __future__ import annotations

import functools
import json
import multiprocessing
import pathlib
import subprocess
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import error_code
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.lab import accounts, state
from tests.support.lab import Lab
from tests.support.paths import ROOT

from . import bench, matrix, runs

TAGS, OTHER_TAGS = {"environment": "release"}, {"environment": "other"}
#: Another external ID and fewer users for the consumer that stays, another consumer, another repository.
NEW: runs.Declaration = {
    "consumers": [
        {"account": accounts.CONSUMER, "external_id": "new-id", "principals": ["user/puller"]},
        {"account": accounts.STRANGER, "external_id": "other-id"},
    ],
    "repositories": ["develop"],
}


def test_nothing_is_lost_and_nothing_opened_at_any_call(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "faults.json"
    command = [sys.executable, "-m", "tests.faults", "--reduced", "--json", str(file)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800, check=False)
    assert run.returncode == 0, run.stdout[-20000:] + run.stderr
    result = json.loads(file.read_text())
    calls, faults, counts = result["calls"], result["faults"], result["counts"]
    assert len(faults) == 11
    assert sum(counts.values()) == len(calls) * len(faults)
    assert {name: sum(call["phase"] == name for call in calls) for name in result["clean_run_calls"]} == (
        result["clean_run_calls"]
    )
    hit = {(cell["phase"], cell["call"], cell["fault"]) for cell in result["cells"] if cell["verdict"] == "ok"}
    phases_of_policies = {"statements", "to registry"}
    assert {"change", "remove one", "new ends", "new tags", "to roles", *phases_of_policies, "cache"} < {
        *result["clean_run_calls"]
    }
    tried: dict[tuple[str, str], bool] = {}
    again: dict[tuple[str, str], bool] = {}
    made: Counter[tuple[str, int, str]] = Counter()
    for call in calls:
        at, read = (call["phase"], call["number"]), (call["module_name"], call["name"])
        was_hit = any(cell[:2] == at for cell in hit)
        if call["never_stale"] == "it is a write":
            assert (*at, matrix.KILLED_AFTER) in hit, call
            continue
        if call["phase"] in matrix.WRITES_ONLY:
            continue
        tried[read] = tried.get(read, False) or was_hit
        made[call["phase"], call["module"], call["name"]] += 1
        if made[call["phase"], call["module"], call["name"]] > 1:
            again[read] = again.get(read, False) or was_hit
    assert [read for read, was_hit in tried.items() if not was_hit] == []
    assert [read for read, was_hit in again.items() if not was_hit] == []
    assert min(Counter(fault for *_at, fault in hit).values()) >= 5
    assert all(cell["why"] for cell in result["cells"] if cell["verdict"] != "ok")


# --- the observer


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with bench.running(tmp_path_factory.mktemp("watched") / "bench") as folder:
        yield bench.Bench(folder)


@pytest.fixture(scope="module")
def nothing_shared(watched: bench.Bench) -> int:
    """The snapshot that each test that writes on the shared bench starts from, whatever other tests left."""
    return runs.prepare(watched)


def trust(account: str, external_id: str | None) -> str:
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "sts:AssumeRole",
    }
    if external_id:
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def reading(value: str) -> str:
    condition = {"StringEquals": {"ecr:ResourceTag/environment": value}}
    statement = {"Effect": "Allow", "Action": "ecr:*", "Resource": "*", "Condition": condition}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_the_observer_sees_what_policies_allow(watched: bench.Bench, nothing_shared: int) -> None:
    watched.plan()
    watched.lab("restore", snapshot=nothing_shared)
    ecr = Lab(watched.folder / "lab").client("owner", "ecr")
    pull = {"Sid": "pull", "Effect": "Allow", "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]}
    consumer = {"Principal": {"AWS": f"arn:aws:iam::{accounts.CONSUMER}:root"}}
    condition = {"StringEquals": {"ecr:ResourceTag/environment": "release"}}
    arn = f"arn:aws:ecr:{accounts.REGION}:{accounts.OWNER}:repository/"

    def seen(call: Any, **arguments: Any) -> set[tuple[str, str, str]]:
        watched.lab("begin", declarations=[runs.OWN])
        call(**arguments)
        found = watched.lab("report")["violations"]
        return {(violation["principal"], str(violation["external_id"]), violation["repository"]) for violation in found}

    def policy(name: str, **principal: Any) -> set[tuple[str, str, str]]:
        text = json.dumps({"Version": "2012-10-17", "Statement": [{**pull, **principal}]})
        return seen(ecr.set_repository_policy, repositoryName=name, policyText=text)

    assert policy("release", **consumer) == set()
    assert ("user/stranger", "None", "release") in policy("release", Principal="*")
    policy("release", **consumer)
    everywhere = {**pull, **consumer, "Resource": f"{arn}*", "Condition": condition}
    text = json.dumps({"Version": "2012-10-17", "Statement": [everywhere]})
    assert seen(ecr.put_registry_policy, policyText=text) == set()
    tag = {"tags": [{"Key": "environment", "Value": "release"}]}
    assert ("user/puller", "None", "develop") in seen(ecr.tag_resource, resourceArn=f"{arn}develop", **tag)


def test_the_observer_sees_what_is_wider_than_declared(watched: bench.Bench, nothing_shared: int) -> None:
    watched.plan()
    watched.lab("restore", snapshot=nothing_shared)
    lab = Lab(watched.folder / "lab")
    iam, ecr = lab.client("owner", "iam"), lab.client("owner", "ecr")

    def seen(call: Any, **arguments: Any) -> set[tuple[str | None, ...]]:
        watched.lab("begin", declarations=[runs.FIRST])
        call(**arguments)
        keys = ("after", "account", "principal", "external_id", "repository", "what")
        return {tuple(violation[key] for key in keys) for violation in watched.lab("report")["violations"]}

    def tag(name: str) -> set[tuple[str | None, ...]]:
        arn = f"arn:aws:ecr:{accounts.REGION}:{accounts.OWNER}:repository/{name}"
        return seen(ecr.tag_resource, resourceArn=arn, tags=[{"Key": "environment", "Value": "release"}])

    watched.lab("begin", declarations=[runs.FIRST], forget=True)
    assert not seen(iam.create_role, RoleName="wide", AssumeRolePolicyDocument=trust(accounts.CONSUMER, "test"))
    document = {"PolicyName": "it", "PolicyDocument": reading("release")}
    assert not seen(iam.put_role_policy, RoleName="wide", **document)
    assert not tag("release")
    results = tag("develop")
    assert ("ecr:TagResource", accounts.CONSUMER, "user/puller", "test", "develop", "pull") in results
    assert {difference[3:5] for difference in results} == {("test", "develop")}
    # Another account, and no external ID.
    results = seen(iam.update_assume_role_policy, RoleName="wide", PolicyDocument=trust(accounts.STRANGER, None))
    call = "iam:UpdateAssumeRolePolicy"
    for principal in ("user/stranger", "role/visitor"):
        assert (call, accounts.STRANGER, principal, None, "release", "pull") in results
    # A principal that assumed the role before keeps the session, although the trust policy has changed: develop, with
    # the id of before.
    assert (call, accounts.CONSUMER, "user/administrator", "test", "develop", "describe") in results
    iam.delete_role_policy(RoleName="wide", PolicyName="it")
    assert not seen(iam.get_role, RoleName="wide")


def test_the_observer_sees_what_only_the_time_of_a_read_opens(watched: bench.Bench, nothing_shared: int) -> None:
    """A revocation ends the sessions of before, but the role still trusts: a later request is allowed."""
    watched.plan()
    watched.lab("restore", snapshot=nothing_shared)
    iam = Lab(watched.folder / "lab").client("owner", "iam")
    watched.lab("begin", declarations=[], forget=True)
    created = iam.create_role(RoleName="wide", AssumeRolePolicyDocument=trust(accounts.STRANGER, None))
    now = parsedate_to_datetime(created["ResponseMetadata"]["HTTPHeaders"]["date"])
    # Each call comes three seconds after the one before: this covers the two writes, and not the read.
    covered = (now + timedelta(seconds=7)).strftime("%Y-%m-%dT%H:%M:%SZ")
    condition = {"DateLessThan": {"aws:TokenIssueTime": covered}}
    revoked = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}
    for name, statement in (("revoked", revoked), ("it", {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"})):
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName="wide", PolicyName=name, PolicyDocument=document)
    iam.get_role(RoleName="wide")
    violations = watched.lab("report")["violations"]
    assert {(violation["after"], violation["account"]) for violation in violations} == {
        ("iam:GetRole", accounts.STRANGER)
    }


def test_the_observer_sees_access_after_its_end(watched: bench.Bench, nothing_shared: int) -> None:
    """The trust policy ends, but not the permissions: a session that started before the end continues."""
    watched.plan()
    watched.lab("restore", snapshot=nothing_shared)
    iam = Lab(watched.folder / "lab").client("owner", "iam")
    end, later = runs.in_hours(4), runs.in_hours(8)
    declared = {**runs.FIRST, "repositories": ["release", "develop"], "expires": end}

    def seen(expires: str) -> set[tuple[str | None, ...]]:
        """The undeclared access of a role with this end of its permissions."""
        watched.lab("begin", declarations=[declared, {**runs.SECOND, "expires": later}], forget=True)
        document = json.loads(trust(accounts.CONSUMER, "test"))
        document["Statement"][0]["Condition"]["DateLessThan"] = {"aws:CurrentTime": end}
        iam.create_role(RoleName="ending", AssumeRolePolicyDocument=json.dumps(document))
        statement = {"Effect": "Allow", "Action": "ecr:*", "Resource": f"arn:aws:ecr:*:{accounts.OWNER}:repository/*e*"}
        condition = {"Condition": {"DateLessThan": {"aws:CurrentTime": expires}}} if expires else {}
        document = {"Version": "2012-10-17", "Statement": [{**statement, **condition}]}
        iam.put_role_policy(RoleName="ending", PolicyName="it", PolicyDocument=json.dumps(document))
        iam.delete_role_policy(RoleName="ending", PolicyName="it")
        iam.delete_role(RoleName="ending")
        violations = watched.lab("report")["violations"]
        return {(violation["after"], violation["external_id"], violation["later"]) for violation in violations}

    assert seen(end) == set()
    assert seen(later) == {("iam:PutRolePolicy", "test", end)}
    assert seen("") == {("iam:PutRolePolicy", "test", end), ("iam:PutRolePolicy", "test", later)}


# --- the proxy


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("reply cut", "ConnectionClosedError"),
        ("reset", "ConnectionClosedError"),
        ("timeout", "ReadTimeoutError"),
        ("500", "InternalFailure"),
        ("ThrottlingException", "ThrottlingException"),
        ("Throttling", "Throttling"),
        ("AccessDenied once", "AccessDenied"),
        ("expired token", "ExpiredToken"),
    ],
)
def test_fault_looks_real_to_a_client(watched: bench.Bench, fault: str, error: str) -> None:
    once = Config(retries={"total_max_attempts": 1}, read_timeout=0.5 if fault == "timeout" else 30)
    for service, call in (("iam", "list_roles"), ("ecr", "describe_repositories")):
        client = Lab(watched.folder / "lab").session("owner").client(service, config=once)
        watched.plan(2, fault, 0)
        getattr(client, call)()
        with pytest.raises((ClientError, BotoCoreError)) as raised:
            getattr(client, call)()
        assert error_code(raised.value) == error
        getattr(client, call)()
        assert watched.plan()["calls"] == [f"{service}:{call.title().replace('_', '')}"] * 3


# --- the replay


def by_hand(name: str, old: str, declaration: runs.Declaration, tags: dict[str, str]) -> runs.Phase:
    """A phase of two modules, without a playbook."""
    role = {"name": "made", "repository_tags": tags, "consumers": declaration["consumers"]}
    tagged = {"names": declaration["repositories"], "tags": tags}
    return runs.Phase(
        name,
        "owner",
        old,
        (runs.FIRST,),
        (declaration,),
        (
            {"module": "iam_ecr_pull_role", "arguments": role, "check": False, "task": "role"},
            {"module": "ecr_repository_tag", "arguments": tagged, "check": False, "task": "tag"},
        ),
    )


def sabotaged(folder: pathlib.Path, nothing_shared: int) -> list[tuple[str, str, str]]:
    """In a process of its own: phase, fault and verdict of cells, with the product as it is and broken in two ways."""
    bench.preload()
    from ansible_collections.crossaccount.ecr.plugins.module_utils._iam import PullRole

    here = bench.Bench(folder)
    phases = [by_hand("make", "", runs.FIRST, TAGS), by_hand("turn", "make", NEW, OTHER_TAGS)]
    replay = runs.Replay(here, nothing_shared, phases)
    rows = [row for name, calls in replay.calls.items() for row in matrix.rows_of(name, calls)]
    attach = next(row for row in rows if row.name == "iam:AttachRolePolicy")
    narrow = next(row for row in rows if row.name == "iam:UpdateAssumeRolePolicy")
    results = []

    def cell(what: str, row: matrix.Row, fault: str) -> None:
        replay.known.clear()
        cell = replay.cell(row, fault)
        results.append((what, cell.verdict, " ".join(cell.why)))

    cell("as it is", attach, matrix.KILLED_BEFORE)
    cell("as it is", narrow, matrix.KILLED_AFTER)
    for method, row, fault in (
        ("attach", attach, matrix.KILLED_BEFORE),
        ("revoke_sessions", narrow, matrix.KILLED_AFTER),
    ):
        original = getattr(PullRole, method)
        setattr(PullRole, method, lambda _self: None)
        cell(f"without {method}", row, fault)
        setattr(PullRole, method, original)
    return results


def test_skipped_write_makes_cells_fail(watched: bench.Bench, nothing_shared: int) -> None:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        whole, turned, unattached, unrevoked = pool.submit(sabotaged, watched.folder, nothing_shared).result(120)
    assert (whole, turned) == (("as it is", "ok", ""), ("as it is", "ok", ""))
    assert unattached[:2] == ("without attach", "FAIL")
    assert "Second run, role: Everything was written, but" in unattached[2]
    assert unrevoked[:2] == ("without revoke_sessions", "FAIL")
    assert "invariant 1: after tagging:TagResources" in unrevoked[2]


def test_a_misspelled_unshare_writes_nothing_whatever_fails(watched: bench.Bench, nothing_shared: int) -> None:
    """The role does not exist, but its tags do: they belong to live shares, so the run is rejected at each fault."""
    runs.start(watched, runs.PHASES[0], nothing_shared)
    assert runs.run_clean(watched, runs.PHASES[0]) > 1
    shares = ({**runs.FIRST, "role_name": "allow_ecr_relaese"},)
    declared = (runs.FIRST, runs.SECOND)
    phase = runs.Phase("misspelled", "owner", "share", declared, declared, shares=shares, state="absent")
    plan = next(runs.steps_of(phase))
    begin = watched.lab("report")

    def hit(at: int, fault: str, pid: int) -> None:
        watched.plan(at, fault, pid)

    def rejected(at: int, fault: str) -> list[str]:
        """The calls of the run, with a fault at one call."""
        watched.lab("begin", declarations=list(declared))
        outcome = watched.module(runs.quick(plan, fault), "owner", functools.partial(hit, at, fault))
        report = watched.lab("report")
        assert outcome.killed or outcome.result["failed"], (at, fault, outcome)
        assert (report["state"], report["violations"]) == (begin["state"], []), (at, fault)
        return [call for call, *_never in report["calls"]]

    calls = rejected(0, "")
    assert calls
    faults = [fault for fault in matrix.FAULTS if fault != matrix.STALE]
    for number in range(1, len(calls) + 1):
        created = rejected(number, faults[number % len(faults)])
        assert not [call for call in created if state.is_write(call)], created


# --- the judge

RAN = matrix.ModuleRun("task", False, False, 0, {"changed": False}, "", ["iam:GetRole"], [])
VIOLATION = {
    "after": "iam:CreateRole",
    "number": 1,
    "account": accounts.STRANGER,
    "principal": "user/stranger",
    "external_id": None,
    "repository": "develop",
    "what": "pull",
    "later": "",
}


def trial(
    first: matrix.ModuleRun = RAN, second: matrix.ModuleRun = RAN, third: matrix.ModuleRun = RAN, **facts: Any
) -> matrix.Trial:
    return matrix.Trial(**{"hit": True, "runs": [[first], [second], [third]], "end": {}, "clean": {}, **facts})


@pytest.mark.parametrize(
    ("tried", "words"),
    [
        (trial(hit=False), "The fault hit no call"),
        (trial(first=replace(RAN, code=1, result={}, printed="boom")), "neither succeeded nor said why not: boom"),
        (trial(first=replace(RAN, code=1, result={"failed": True, "msg": ""})), "neither succeeded nor said why not"),
        (trial(first=replace(RAN, printed="Traceback (most recent call last)")), "a traceback"),
        (trial(second=replace(RAN, code=1, result={"failed": True, "msg": "denied"})), "Second run, task: denied"),
        (trial(second=replace(RAN, killed=True)), "Second run"),
        (trial(clean={"a": {"b": 1}}, end={"a": {"b": 2}}), "/a/b: 1 became 2"),
        (trial(third=replace(RAN, result={"changed": True})), "Third run, task: changed"),
        (trial(third=replace(RAN, calls=["iam:CreateRole"])), "Third run, task: wrote iam:CreateRole"),
        (trial(first=replace(RAN, violations=[VIOLATION])), "invariant 1: after iam:CreateRole"),
        (trial(third=replace(RAN, violations=[VIOLATION])), "Third run, task: invariant 1"),
    ],
)
def test_judge_names_the_wrong_verdict(tried: matrix.Trial, words: str) -> None:
    (said,) = matrix.judge(tried)
    assert words in said


def test_judge_finds_nothing_in_correct_verdicts() -> None:
    assert matrix.judge(trial()) == []
    assert matrix.judge(trial(first=replace(RAN, killed=True, code=-9, result={}))) == []
    assert matrix.judge(trial(first=replace(RAN, code=1, result={"failed": True, "msg": "denied"}))) == []


def test_every_cell_is_accounted_for() -> None:
    role, tag = "iam_ecr_pull_role", "ecr_repository_tag"
    calls = [[("iam:GetRole", "", role), ("iam:CreateRole", "it is a write", role)], [("iam:GetRole", "", tag)]]
    rows = matrix.rows_of("share", calls)
    assert [(row.number, row.module, row.number_in_module) for row in rows] == [(1, 0, 1), (2, 0, 2), (3, 1, 1)]
    whole = matrix.chosen(rows, False)
    assert [len(faults) for faults in whole.values()] == [11, 10, 11]
    cells = [matrix.Cell(row, fault, "ok") for row, faults in matrix.chosen(rows, True).items() for fault in faults]
    assert len(cells) == 1 + 2 + 1
    assert matrix.counts(rows, cells) == {"ok": 4, "n/a": 0, "FAIL": 0, "-": 29}
    *_faults, heading, first, _second, _third = matrix.table(rows, cells)
    assert heading.split()[0] == "call"
    assert first.split()[3:] == ["ok", *["-"] * 10]


def test_the_reduced_matrix_tries_a_call_in_one_phase_and_again() -> None:
    read, write = ("iam:GetRole", "", "role"), ("iam:TagRole", "it is a write", "role")
    rows = [row for phase in ("a", "b", "c") for row in matrix.rows_of(phase, [[read, read, write, read], [read]])]
    tried: dict[str, list[int]] = {phase: [] for phase in ("a", "b", "c")}
    for row, faults in matrix.chosen(rows, True).items():
        tried[row.phase].append(len(faults))
    assert tried == {"a": [1, 1, 2, 0, 0], "b": [0, 0, 1, 0, 0], "c": [0, 0, 1, 0, 0]}
