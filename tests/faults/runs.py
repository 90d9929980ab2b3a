# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the cells of the matrix.

In the owner account, the tasks of the role run as they are (`role.py`), with declarations of several shares. The
modules of `pull.yml` are recorded once, and then replayed. The first failure ends a run.

From the same state, a module that no fault hits does the same. So its outcome is kept and not worked out again, unless
the matrix is asked to run everything afresh. The state is that of the account and of the image folder, and which
sessions are out.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import pathlib
import shutil
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tests.lab import accounts
from tests.support.lab import Lab

from .bench import ROOT, Bench, Invocation
from .matrix import (
    FAIL,
    FAULTS,
    KILLED_AFTER,
    KILLED_BEFORE,
    NOT_APPLICABLE,
    OK,
    STALE,
    Cell,
    ModuleRun,
    Row,
    Trial,
    judge,
)
from .role import Role, Steps

PLAYBOOK = "share.yml"  # the phase of the cells that ansible-playbook itself runs
WORK = "WORK"  # stands for the bench's folder in what is recorded
#: What the observer allows: the consumers and the repositories of one share.
Declaration = dict[str, Any]
Share = dict[str, Any]

TAG, NEW_TAG = {"environment": "release"}, {"stage": "prod"}
FIRST: Share = {
    "role_name": "allow_ecr_release",
    "repository_tags": TAG,
    "repositories": ["release"],
    "consumers": [{"account": accounts.CONSUMER, "external_id": "test"}],
    "denied": ["develop"],
    "images": ["release:v1.0"],
}
#: Grants the same tag as the first share.
SECOND: Share = {
    "role_name": "second",
    "repository_tags": TAG,
    "repositories": ["release"],
    "consumers": [{"account": accounts.STRANGER, "external_id": "other-id"}],
}
#: Another external ID and fewer users, and one repository more.
NEW_FIRST: Share = {
    **FIRST,
    "repositories": ["release", "develop"],
    "consumers": [{"account": accounts.CONSUMER, "external_id": "new-id", "principals": ["user/puller"]}],
    "denied": [],
}
#: Another tag. While the first share gets its new repository, the consumer of the second one must not read it.
NEW_SECOND: Share = {**SECOND, "repository_tags": NEW_TAG, "exclusive": True}


def in_hours(hours: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(BEGIN + hours * 3600))


BEGIN = int(time.time())
PULLER: Declaration = {
    "account": accounts.CONSUMER,
    "external_id": "test",
    "principals": ["user/puller"],
    "role_name": "puller",
}
BUILDER: Declaration = {
    "account": accounts.CONSUMER,
    "external_id": "builder-id",
    "principals": ["user/administrator"],
    "role_name": "builder",
    "expires": in_hours(4),
}
VISITOR: Declaration = {"account": accounts.STRANGER, "external_id": "other-id"}
#: Each consumer has its own role. The share has an end, and one consumer an earlier one.
FAMILY: Share = {
    **FIRST,
    "roles": "per_consumer",
    "expires": in_hours(8),
    "consumers": [PULLER, BUILDER, VISITOR],
}
FEWER: Share = {**FAMILY, "consumers": [PULLER, VISITOR]}
#: A later end of the share and of one consumer, and an earlier one of another consumer.
NEW_ENDS: Share = {
    **FAMILY,
    "expires": in_hours(12),
    "consumers": [PULLER, {**BUILDER, "expires": in_hours(6)}, {**VISITOR, "expires": in_hours(2)}],
}
#: An earlier end of the share, and a consumer more.
SHORTER: Share = {**FAMILY, "expires": in_hours(3)}
#: Another tag and repository. One consumer has another external ID, one a later end, and one is replaced.
NEW_FAMILY: Share = {
    **FAMILY,
    "repository_tags": NEW_TAG,
    "repositories": ["develop"],
    "exclusive": True,
    "denied": [],
    "images": [],
    "consumers": [
        {**PULLER, "external_id": "new-id"},
        {**BUILDER, "expires": in_hours(6)},
        {**VISITOR, "principals": ["user/stranger"], "expires": in_hours(2)},
    ],
}
#: One role for two of the consumers; the share ends later.
ONE_ROLE: Share = {
    **FIRST,
    "expires": in_hours(12),
    "consumers": [{"account": accounts.CONSUMER, "external_id": "test", "principals": ["user/puller"]}, VISITOR],
}
#: One consumer of the role is replaced, and the share ends earlier.
NEW_ROLE: Share = {**ONE_ROLE, "expires": in_hours(6), "consumers": [{**VISITOR, "external_id": "new-id"}]}
#: The consumers pull with their own identity.
OWN: Share = {
    "role_name": "own",
    "mode": "repository_policy",
    "repository_tags": TAG,
    "repositories": ["release"],
    "consumers": [{"account": accounts.CONSUMER}],
}
#: One user of the consumer, another account, and one repository more.
NEW_OWN: Share = {
    **OWN,
    "repositories": ["release", "develop"],
    "consumers": [{"account": accounts.CONSUMER, "principals": ["user/puller"]}, {"account": accounts.STRANGER}],
}
#: Another mode, consumer and repository.
IN_REGISTRY: Share = {
    **OWN,
    "mode": "registry_policy",
    "repositories": ["develop"],
    "exclusive": True,
    "consumers": [{"account": accounts.STRANGER}],
}
OWN_ROLE: Share = {**NEW_OWN, "mode": "role", "consumers": [VISITOR]}
#: The first share without its role. Another repository would also get the tag of the second share.
WITHOUT_ROLE: Share = {**NEW_OWN, "role_name": "allow_ecr_release", "repositories": ["release"]}
#: Has the new tag before, and must not have it afterwards.
OTHER_REPOSITORY = "tools/build"
#: The declaration that `open_trust` amounts to: everyone may read what the first share shares.
OPENED: Declaration = {
    "consumers": [
        {"account": account, "external_id": external_id}
        for account in (accounts.CONSUMER, accounts.STRANGER, "444444444444")
        for external_id in (None, "test", "new-id", "other-id", "not-an-external-id")
    ],
    "repositories": ["release"],
}
REPLICATION: dict[str, Any] = {
    "ecr_replicate_owner_account": accounts.OWNER,
    "ecr_replicate_consumer_account": accounts.CONSUMER,
    "ecr_replicate_owner_profile": "owner",
    "ecr_replicate_consumer_profile": "consumer-administrator",
    "ecr_replicate_prefixes": ["release"],
    "ecr_replicate_templates": [{"prefix": "release", "image_tag_mutability": "IMMUTABLE"}],
    "ecr_replicate_wait_interval": 0.001,
    "ecr_replicate_images": [],
}
#: Another repository, whose image exists, and another setting.
MORE = {
    **REPLICATION,
    "ecr_replicate_prefixes": ["develop", "release"],
    "ecr_replicate_templates": [{"prefix": "release", "image_tag_mutability": "MUTABLE"}],
}
NO_LONGER = {**MORE, "ecr_replicate_state": "absent"}
CACHE: dict[str, Any] = {
    "ecr_cache_owner_account": accounts.OWNER,
    "ecr_cache_consumer_account": accounts.CONSUMER,
    "ecr_cache_owner_profile": "owner",
    "ecr_cache_consumer_profile": "consumer-administrator",
    "ecr_cache_prefix": "cache",
    "ecr_cache_allowed_prefixes": ["release"],
    "ecr_cache_template": {"image_tag_mutability": "MUTABLE"},
}
NO_CACHE = {**CACHE, "ecr_cache_state": "absent"}


@dataclass(frozen=True)
class Phase:
    """A playbook between two declarations."""

    name: str
    profile: str
    starts_from: str  # the phase before; empty: nothing is shared yet
    before: tuple[Declaration, ...]
    after: tuple[Declaration, ...]
    #: The phases: recorded modules, or the role with these shares.
    invocations: tuple[Invocation, ...] = ()
    shares: tuple[Share, ...] = ()
    state: str = "present"
    #: The role of another playbook than share.yml, without its prefix, and its variables.
    role: str = ""
    variables: dict[str, Any] = field(default_factory=dict)
    #: Whether a person widens the trust policy of the first share before.
    opened: bool = False
    #: Whether another program adds statements to policies before.
    others: bool = False
    #: Whether only what has ended is deleted, and how many hours after the first phases the phase begins.
    expired_only: bool = False
    hours: int = 0
    #: Whether the reduced matrix does not run the playbook itself, or does not have the phase.
    brief: bool = False
    left_out: bool = False
    #: How many modules run, and how many calls the playbook makes; 0 if no module runs.
    modules: int = 0
    calls: int = 0


PHASES = (
    Phase("share", "owner", "", (), (FIRST, SECOND), shares=(FIRST, SECOND)),
    Phase("pull", "consumer", "share", (FIRST, SECOND), (FIRST, SECOND)),
    # A person widened the trust policy: their sessions must not read what is shared next.
    Phase(
        "change",
        "owner",
        "share",
        (OPENED, FIRST, SECOND),
        (NEW_FIRST, NEW_SECOND),
        shares=(NEW_FIRST, NEW_SECOND),
        opened=True,
        brief=True,
    ),
    Phase(
        "end one",
        "owner",
        "share",
        (FIRST, SECOND),
        (SECOND,),
        shares=({**FIRST, "state": "absent"}, SECOND),
        brief=True,
    ),
    Phase("unshare", "owner", "change", (NEW_FIRST, NEW_SECOND), (), shares=(NEW_FIRST, NEW_SECOND), state="absent"),
    Phase("roles", "owner", "", (), (FAMILY,), shares=(FAMILY,), brief=True),
    Phase("remove one", "owner", "roles", (FAMILY,), (FEWER,), shares=(FEWER,), brief=True),
    Phase("add one", "owner", "remove one", (FEWER,), (SHORTER,), shares=(SHORTER,), brief=True, left_out=True),
    Phase("new ends", "owner", "roles", (FAMILY,), (NEW_ENDS,), shares=(NEW_ENDS,), brief=True),
    Phase("new tags", "owner", "roles", (FAMILY,), (NEW_FAMILY,), shares=(NEW_FAMILY,), brief=True),
    Phase("to one role", "owner", "roles", (FAMILY,), (ONE_ROLE,), shares=(ONE_ROLE,), brief=True, left_out=True),
    Phase("replace", "owner", "to one role", (ONE_ROLE,), (NEW_ROLE,), shares=(NEW_ROLE,), brief=True, left_out=True),
    # The second share has the same tag.
    Phase("to roles", "owner", "share", (FIRST, SECOND), (NEW_FAMILY, SECOND), shares=(NEW_FAMILY, SECOND), brief=True),
    Phase(
        "expired",
        "owner",
        "roles",
        (FAMILY,),
        (FEWER,),
        shares=(FAMILY,),
        brief=True,
        left_out=True,
        state="absent",
        expired_only=True,
        hours=5,
    ),
    Phase(
        "unshare roles", "owner", "roles", (FAMILY,), (), shares=(FAMILY,), brief=True, left_out=True, state="absent"
    ),
    Phase("statements", "owner", "", (), (OWN,), shares=(OWN,), others=True, brief=True),
    Phase("new statements", "owner", "statements", (OWN,), (NEW_OWN,), shares=(NEW_OWN,), brief=True, left_out=True),
    Phase("to registry", "owner", "statements", (OWN,), (IN_REGISTRY,), shares=(IN_REGISTRY,), brief=True),
    Phase(
        "to statements",
        "owner",
        "to registry",
        (IN_REGISTRY,),
        (NEW_OWN,),
        shares=(NEW_OWN,),
        brief=True,
        left_out=True,
    ),
    Phase(
        "to own role",
        "owner",
        "to registry",
        (IN_REGISTRY,),
        (OWN_ROLE,),
        shares=(OWN_ROLE,),
        brief=True,
        left_out=True,
    ),
    # The second share has the same tag.
    Phase(
        "from role",
        "owner",
        "share",
        (FIRST, SECOND),
        (WITHOUT_ROLE, SECOND),
        shares=(WITHOUT_ROLE, SECOND),
        others=True,
        brief=True,
        left_out=True,
    ),
    Phase("end statements", "owner", "to statements", (NEW_OWN,), (), shares=(NEW_OWN,), left_out=True, state="absent"),
    Phase(
        "end registry", "owner", "to registry", (IN_REGISTRY,), (), shares=(IN_REGISTRY,), left_out=True, state="absent"
    ),
    Phase("replicate", "owner", "", (), (), role="replicate", variables=REPLICATION, brief=True),
    Phase("replicate more", "owner", "replicate", (), (), role="replicate", variables=MORE, brief=True, left_out=True),
    Phase("end", "owner", "replicate more", (), (), role="replicate", variables=NO_LONGER, brief=True, left_out=True),
    Phase("cache", "owner", "", (), (), role="cache", variables=CACHE, brief=True),
    Phase("end cache", "owner", "cache", (), (), role="cache", variables=NO_CACHE, brief=True, left_out=True),
)


def prepare(bench: Bench) -> int:
    """Create the state before the first phase; the snapshot of it."""
    bench.plan()
    client = Lab(bench.folder / "lab").client("owner", "ecr")
    client.describe_repositories()  # the proxy loads AWS's models first; on a busy machine the client asks again
    arn = client.create_repository(repositoryName=OTHER_REPOSITORY)["repository"]["repositoryArn"]
    client.tag_resource(resourceArn=arn, tags=[{"Key": key, "Value": value} for key, value in NEW_TAG.items()])
    bench.lab("begin", declarations=[], forget=True)
    return int(bench.lab("report")["snapshot"])


def open_trust(bench: Bench) -> None:
    """A person opens the trust policy of the first share to everyone, in the console."""
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam = Lab(bench.folder / "lab").client("owner", "iam")
    iam.update_assume_role_policy(RoleName=FIRST["role_name"], PolicyDocument=document)


def add_documents_of_others(bench: Bench) -> None:
    """Another program has a replication rule, a registry policy, a creation template and a cache rule."""
    lab, place = Lab(bench.folder / "lab"), {"region": "eu-west-1", "registryId": accounts.STRANGER}
    owner, consumer = lab.client("owner", "ecr"), lab.client("consumer-administrator", "ecr")
    filters = [{"filter": "team/", "filterType": "PREFIX_MATCH"}]
    rule = {"destinations": [place], "repositoryFilters": filters}
    owner.put_replication_configuration(replicationConfiguration={"rules": [rule]})
    statement = {
        **{"Sid": "Others", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{accounts.STRANGER}:root"}},
        "Action": ["ecr:ReplicateImage"],
        "Resource": [f"arn:aws:ecr:{accounts.REGION}:{accounts.CONSUMER}:repository/team/*"],
    }
    consumer.put_registry_policy(policyText=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    consumer.create_repository_creation_template(prefix="team", appliedFor=["REPLICATION"])
    consumer.create_pull_through_cache_rule(ecrRepositoryPrefix="public", upstreamRegistryUrl="public.ecr.aws")


def add_policies_of_others(bench: Bench) -> None:
    """Another program has statements in policies of repositories and of the registry, which allow no one to pull."""
    ecr = Lab(bench.folder / "lab").client("owner", "ecr")
    statement = {
        **{"Sid": "Others", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{accounts.STRANGER}:root"}},
        "Action": ["ecr:ListImages"],
    }
    for name in ("release", "develop"):
        ecr.set_repository_policy(repositoryName=name, policyText=_policy(statement))
    everything = f"arn:aws:ecr:{accounts.REGION}:{accounts.OWNER}:repository/*"
    ecr.put_registry_policy(policyText=_policy({**statement, "Resource": everything}))


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def lost_statements(state: dict[str, Any]) -> list[str]:
    """The policies that have lost the statement of another program."""
    policies = {**state["statements"], **state["registries"]}
    return [name for name, policy in policies.items() if "Statement" in policy and "Others" not in str(policy)]


# --- recording


def playbook_of(phase: Phase, work: pathlib.Path) -> tuple[str, list[str], dict[str, Any]]:
    """The playbook of a phase, its flags and its variables."""
    handoff = work / "handoff.yml"
    if phase.name == "pull":
        chosen = {"ecr_pull_engine": "oci_layout", "ecr_pull_dest": str(work / "image")}
        return "pull", ["-e", f"ecr_pull_handoff={handoff}"], chosen
    if phase.role:
        return phase.role, [], phase.variables
    first, *others = phase.shares
    shares = [{**first, "handoff_path": str(handoff)}, *others]
    variables: dict[str, Any] = {"ecr_share_shares": shares, "ecr_share_expired_only": phase.expired_only}
    return "unshare" if phase.state == "absent" else "share", [], variables


def start(bench: Bench, phase: Phase, snapshot: int) -> None:
    """Be where a phase starts."""
    bench.lab("restore", snapshot=snapshot)
    if phase.opened:
        open_trust(bench)
    if phase.role and not phase.starts_from:
        add_documents_of_others(bench)
    if phase.others or (phase.role == "cache" and not phase.starts_from):
        add_policies_of_others(bench)
    at = BEGIN + phase.hours * 3600 if phase.hours else 0
    bench.lab("begin", declarations=[*phase.before, *phase.after], forget=True, at=at)
    bench.plan()


def phases_of(names: Sequence[str], in_short: bool) -> list[Phase]:
    """The phases with these names and those from which they start; all phases if no name is given."""
    wanted = {*(names or [phase.name for phase in PHASES if not (in_short and phase.left_out)])}
    for phase in reversed(PHASES):
        wanted |= {phase.starts_from} if phase.name in wanted else set()
    return [replace(phase, brief=phase.brief and in_short) for phase in PHASES if phase.name in wanted]


def record(bench: Bench, nothing_shared: int, phases: Sequence[Phase] = PHASES) -> list[Phase]:
    """Run each phase once without a fault: the phases with the numbers of their modules and calls.

    The real playbook runs through the proxy. A brief phase runs its modules only.
    """
    recorded, ends = [], {"": nothing_shared}
    for phase in phases:
        if not phase.brief:
            phase, ends[phase.name] = play(bench, phase, ends[phase.starts_from])
        start(bench, phase, ends[phase.starts_from])
        modules = run_clean(bench, phase)
        report = bench.lab("report")
        if report["violations"]:
            raise RuntimeError(f"{phase.name} broke invariant 1 in a clean run: {report['violations'][0]}")
        if lost := lost_statements(report["state"]):
            raise RuntimeError(f"{phase.name} lost the statements of others in {', '.join(lost)} in a clean run.")
        ends.setdefault(phase.name, report["snapshot"])
        recorded.append(replace(phase, modules=modules, calls=phase.calls or len(report["calls"])))
    return recorded


def play(bench: Bench, phase: Phase, snapshot: int) -> tuple[Phase, int]:
    """Run the playbook of a phase: the phase with its calls, and the snapshot after it."""
    start(bench, phase, snapshot)
    name, flags, variables = playbook_of(phase, bench.work)
    code, printed, invocations = bench.playbook(name, phase.profile, *flags, variables=variables)
    if code:
        raise RuntimeError(f"{name}.yml failed on the lab:\n{printed}")
    report = bench.lab("report")
    if report["violations"]:
        raise RuntimeError(f"{name}.yml broke invariant 1 in a clean run: {report['violations'][0]}")
    text = json.dumps(invocations).replace(str(bench.work), WORK)
    made = () if phase.shares or phase.role else tuple(json.loads(text))
    return replace(phase, calls=len(bench.plan()["calls"]), invocations=made), report["snapshot"]


def run_clean(bench: Bench, phase: Phase) -> int:
    """Run the modules of a phase without a fault; how many there are."""
    if phase.invocations:
        return len(phase.invocations)
    count, steps = 0, steps_of(phase)
    with contextlib.suppress(StopIteration):
        invocation = next(steps)
        while True:
            count += 1
            invocation = steps.send(bench.module(quick(invocation), phase.profile, lambda _pid: None).result)
    return count


def quick(invocation: Invocation, fault: str = "") -> Invocation:
    """With time compressed."""
    arguments = {"wait": True, **invocation["arguments"], "wait_timeout": 3, "wait_interval": 0.001}
    if fault == "timeout":
        arguments["aws_config"] = {"read_timeout": 0.7}
    return {**invocation, "arguments": arguments}


def steps_of(phase: Phase) -> Steps:
    """Each module of a run, which depends on the results of those before."""
    if phase.role:
        yield from Role(ROOT / f"roles/ecr_{phase.role}", phase.variables).steps()
        return
    if phase.shares:
        variables = {
            "ecr_share_shares": list(phase.shares),
            "ecr_share_state": phase.state,
            "ecr_share_expired_only": phase.expired_only,
        }
        yield from Role(ROOT / "roles/ecr_share", variables).steps()
        return
    for invocation in phase.invocations:
        result = yield invocation
        if result.get("failed"):
            return


# --- replaying


@dataclass(frozen=True)
class Hit:
    """Which call of which module is hit by what."""

    module: int
    number: int
    fault: str


@dataclass
class Snapshot:
    """The state of the lab and of the folder that images are pulled into."""

    snapshot: int
    state: Any
    sessions: Any
    files: dict[str, bytes]

    @property
    def key(self) -> str:
        files = {name: hashlib.sha256(content).hexdigest() for name, content in self.files.items()}
        return json.dumps([self.state, self.sessions, files], sort_keys=True)

    @property
    def end(self) -> Any:
        # The incomplete files of a killed pull remain: another pull may be at work there, so no run removes them.
        files = {name: file for name, file in self.files.items() if "/.incoming-" not in name}
        # A killed run may leave a backfill more. Its images count.
        state = {name: value for name, value in self.state.items() if name != "backfills"}
        return {**state, "files": {name: hashlib.sha256(file).hexdigest() for name, file in files.items()}}


@dataclass
class ModuleOutcome:
    """The work of one module, the state after it, the report of the lab, and the result of the module."""

    ran: ModuleRun
    moment: Snapshot
    report: dict[str, Any]
    result: dict[str, Any]


class Replay:
    """The recorded phases on one bench.

    :param nothing_shared: a snapshot
    :param afresh: whether nothing is kept of what was worked out before
    """

    def __init__(self, bench: Bench, nothing_shared: int, phases: list[Phase], afresh: bool = False) -> None:
        self.bench, self.phases, self.afresh = bench, {phase.name: phase for phase in phases}, afresh
        self.known: dict[tuple[str, ...], ModuleOutcome] = {}
        #: Before each module of a clean run, and after the last.
        self.moments: dict[str, list[Snapshot]] = {}
        self.calls: dict[str, list[list[tuple[str, str, str]]]] = {}
        #: Of each module of a clean run.
        self.results: dict[str, list[dict[str, Any]]] = {}
        #: Phase and results of the modules so far: the module that runs next.
        self.following: dict[tuple[str, str], Invocation | None] = {}
        for phase in phases:
            self._run_clean(phase, nothing_shared)

    def _run_clean(self, phase: Phase, nothing_shared: int) -> None:
        before = self.moments[phase.starts_from][-1] if phase.starts_from else Snapshot(nothing_shared, {}, [], {})
        self._be(before)
        start(self.bench, phase, before.snapshot)
        moments, calls = [self._now(self.bench.lab("report"))], []
        results: list[dict[str, Any]] = []
        while invocation := self._next(phase, results):
            done = self._module(phase, invocation, None, [*phase.before, *phase.after])
            if not done.ran.well:
                raise RuntimeError(f"{phase.name}, {done.ran.task}: {done.ran.result} {done.ran.printed}")
            if done.ran.violations:
                raise RuntimeError(f"{phase.name}, {done.ran.task}, in a clean run: {done.ran.violations[0]}")
            moments.append(done.moment)
            results.append(done.result)
            calls.append([(call[0], call[1], invocation["module"]) for call in done.report["calls"]])
        self.moments[phase.name], self.calls[phase.name], self.results[phase.name] = moments, calls, results
        replayed = sum(len(made) for made in calls)
        if phase.calls and replayed != phase.calls:
            raise RuntimeError(f"{phase.name}: the playbook made {phase.calls} calls, its replay {replayed}.")

    def cell(self, row: Row, fault: str) -> Cell:
        """Run one cell of the matrix."""
        phase = self.phases[row.phase]
        hit = Hit(row.module, row.number_in_module, fault)
        trial = self.trial(phase, hit)
        if fault == STALE and not trial.hit:
            return Cell(row, fault, NOT_APPLICABLE, ("another call came at this place; it cannot be stale",))
        wrong = judge(trial)
        return Cell(row, fault, FAIL if wrong else OK, tuple(wrong))

    def trial(self, phase: Phase, hit: Hit) -> Trial:
        """With the fault, without it, and once more."""
        moments = self.moments[phase.name]
        trial = Trial(False, clean=moments[-1].end)
        between = [*phase.before, *phase.after]
        at = 0 if self.afresh else hit.module
        moment = moments[at]
        self._be(moment)
        moment = self._run(trial, phase, between, moment, at, hit)
        moment = self._run(trial, phase, between, moment)
        trial.end = moment.end
        self._run(trial, phase, list(phase.after), moment)
        return trial

    def _run(
        self,
        trial: Trial,
        phase: Phase,
        declarations: list[Declaration],
        moment: Snapshot,
        at: int = 0,
        hit: Hit | None = None,
    ) -> Snapshot:
        """One run, from the module number `at` on; how it ends."""
        run: list[ModuleRun] = []
        trial.runs.append(run)
        results = self.results[phase.name][:at]
        while invocation := self._next(phase, results):
            here = hit if hit and hit.module == len(results) else None
            key = (phase.name, json.dumps([declarations, invocation], default=str), moment.key)
            if here is None and key in self.known and not self.afresh:
                done = self.known[key]
                self._be(done.moment)
            else:
                done = self._module(phase, invocation, here, declarations)
                if here:
                    trial.hit = done.report["hit"]
                else:
                    self.known[key] = done
            moment = done.moment
            run.append(done.ran)
            if not done.ran.well:
                break
            results.append(done.result)
        return moment

    def _next(self, phase: Phase, results: list[dict[str, Any]]) -> Invocation | None:
        """The module that runs after these results; None at the end. To template the role costs as much as a module."""
        key = (phase.name, json.dumps(results, default=str))
        if key not in self.following:
            steps = steps_of(phase)
            try:
                self.following[key] = next(steps)
                for result in results:
                    self.following[key] = steps.send(result)
            except StopIteration:
                self.following[key] = None
        return self.following[key]

    def _module(
        self, phase: Phase, invocation: Invocation, hit: Hit | None, declarations: list[Declaration]
    ) -> ModuleOutcome:
        """Run one module."""
        stale_at = hit.number if hit and hit.fault == STALE else 0
        self.bench.lab("begin", declarations=declarations, stale_at=stale_at)
        fault = hit.fault if hit and hit.fault != STALE else ""

        def started(pid: int) -> None:
            self.bench.plan(hit.number if hit else 0, fault, pid)

        outcome = self.bench.module(self._arguments(invocation, fault), phase.profile, started)
        proxied, report = self.bench.plan(), self.bench.lab("report")
        report["hit"] = bool(proxied["hit"])
        if stale_at and len(report["calls"]) >= stale_at:
            report["hit"] = not report["calls"][stale_at - 1][1]
        called = [name for name, _never in report["calls"]]
        result = {name: value for name, value in outcome.result.items() if name in ("failed", "msg", "changed")}
        if outcome.result.get("verdict", "pass") != "pass":  # the role stops there
            result.update(failed=True, msg="\n".join(outcome.result["problems"]))
        ran = ModuleRun(
            invocation["task"],
            invocation["check"],
            outcome.killed,
            outcome.code,
            result,
            "" if result and "Traceback" not in outcome.printed else outcome.printed,
            called,
            report["violations"],
        )
        return ModuleOutcome(ran, self._now(report), report, outcome.result)

    def _arguments(self, invocation: Invocation, fault: str) -> Invocation:
        """The invocation in this bench's folder, with time compressed."""
        return quick(json.loads(json.dumps(invocation).replace(WORK, str(self.bench.work))), fault)

    # --- the moments

    def _now(self, report: dict[str, Any]) -> Snapshot:
        image = self.bench.work / "image"
        files = {str(path.relative_to(image)): path.read_bytes() for path in sorted(image.rglob("*")) if path.is_file()}
        return Snapshot(report["snapshot"], report["state"], report["sessions"], files)

    def _be(self, moment: Snapshot) -> None:
        self.bench.lab("restore", snapshot=moment.snapshot)
        image = self.bench.work / "image"
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(image)
        for name, content in moment.files.items():
            (image / name).parent.mkdir(parents=True, exist_ok=True)
            (image / name).write_bytes(content)


# --- the playbooks themselves


def playbook_cells(replay: Replay, rows: list[Row]) -> tuple[list[Row], list[Cell]]:
    """The kills at the writes of share.yml, with ansible-playbook itself: so the replay is a true stand-in."""
    writes = [replace(row, phase=PLAYBOOK) for row in rows if row.phase == "share" and row.writes]
    cells = []
    for row in writes:
        for fault in (KILLED_BEFORE, KILLED_AFTER):
            wrong = judge(_playbook_trial(replay, row.number, fault))
            cells.append(Cell(row, fault, FAIL if wrong else OK, tuple(wrong)))
        others = [fault for fault in FAULTS if fault not in (KILLED_BEFORE, KILLED_AFTER)]
        cells += [Cell(row, fault, NOT_APPLICABLE, ("its replay is tried instead",)) for fault in others]
    return writes, cells


def _playbook_trial(replay: Replay, number: int, fault: str) -> Trial:
    phase, bench = replay.phases["share"], replay.bench
    begin, *_between, end = replay.moments["share"]
    replay._be(begin)
    trial = Trial(False, clean=end.end)
    for at in (number, 0, 0):
        bench.lab("begin", declarations=[*phase.before, *phase.after])
        name, flags, variables = playbook_of(phase, bench.work)

        def started(pid: int, at: int = at) -> None:
            bench.plan(at, fault if at else "", pid)

        code, printed, _modules = bench.playbook(name, phase.profile, *flags, variables=variables, started=started)
        report = bench.lab("report")
        if at:
            trial.hit = bool(bench.plan()["hit"])
        recap = printed.rpartition("changed=")[2].split()
        result = {"failed": bool(code), "msg": printed[-600:], "changed": recap[:1] != ["0"]}
        called = [call for call, _never in report["calls"]]
        ran = ModuleRun(PLAYBOOK, False, code == -signal.SIGKILL, code, result, "", called, report["violations"])
        if "Traceback" in printed:
            ran.printed = printed
        trial.runs.append([ran])
        if len(trial.runs) == 2:
            trial.end = replay._now(report).end
    return trial
