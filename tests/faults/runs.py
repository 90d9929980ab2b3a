"""Runs the cells of the matrix: what the real playbooks ran is recorded once, and then replayed.

A replay keeps the roles' rule: all checks first, and nothing is written if one of them fails; afterwards the first
failure ends the run. (The role forgives a failed look at repositories that are not declared; the replay does not.)

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
from dataclasses import dataclass, replace
from typing import Any

from tests.conftest import Lab
from tests.lab import accounts

from .bench import Bench, Invocation
from .matrix import FAIL, FAULTS, KILLED_AFTER, KILLED_BEFORE, NOT_APPLICABLE, OK, STALE, Cell, Ran, Row, Trial, judge

PLAYBOOK = "share.yml"  # the phase of the cells that ansible-playbook itself runs
WORK = "WORK"  # stands for the bench's folder in what is recorded
Declaration = dict[str, Any]

OLD: Declaration = {
    "consumers": [{"account": accounts.CONSUMER, "external_id": "test"}],
    "repositories": ["release"],
}
#: Another consumer, another external id and fewer users for the one that stays, another tag, another repository.
NEW: Declaration = {
    "consumers": [
        {"account": accounts.CONSUMER, "external_id": "new-id", "principals": ["user/puller"]},
        {"account": accounts.STRANGER, "external_id": "other-id"},
    ],
    "repositories": ["develop"],
}
#: Carries the new tag before, and shall not after.
OTHER_REPOSITORY = "tools/build"
NEW_TAG = {"stage": "prod"}


@dataclass(frozen=True)
class Phase:
    """A playbook between two declarations, and the modules that it ran."""

    name: str
    profile: str
    starts_from: str  # the phase before; empty: nothing is shared yet
    before: tuple[Declaration, ...]
    after: tuple[Declaration, ...]
    invocations: tuple[Invocation, ...] = ()
    #: How many calls the playbook made in all; 0: there was none.
    calls: int = 0


PHASES = (
    Phase("share", "owner", "", (), (OLD,)),
    Phase("pull", "consumer", "share", (OLD,), (OLD,)),
    Phase("change", "owner", "share", (OLD,), (NEW,)),
    Phase("unshare", "owner", "change", (NEW,), ()),
)


def prepare(bench: Bench) -> int:
    """Make what is there before the first phase; the snapshot of it."""
    bench.plan()
    client = Lab(bench.folder / "lab").client("owner", "ecr")
    arn = client.create_repository(repositoryName=OTHER_REPOSITORY)["repository"]["repositoryArn"]
    client.tag_resource(resourceArn=arn, tags=[{"Key": key, "Value": value} for key, value in NEW_TAG.items()])
    bench.lab("begin", declarations=[], forget=True)
    return int(bench.lab("report")["snapshot"])


# --- recording


def playbook_of(phase: Phase, work: pathlib.Path) -> tuple[str, list[str], dict[str, Any]]:
    """The playbook of a phase, its flags and its variables."""
    handoff = work / "handoff.yml"
    declaration = ["-e", "@playbooks/vars/scenario.yml"]
    if phase.name == "pull":
        variables = {"ecr_pull_engine": "oci_layout", "ecr_pull_dest": str(work / "image")}
        return "pull", ["-e", f"ecr_pull_handoff={handoff}"], variables
    variables = {"ecr_share_handoff_path": str(handoff)}
    if phase.name in ("change", "unshare"):
        changed = {
            "repository_tags": NEW_TAG,
            "repositories": NEW["repositories"],
            "consumers": NEW["consumers"],
            "exclusive": True,
        }
        variables.update({f"ecr_share_{name}": value for name, value in changed.items()})
    return ("unshare" if phase.name == "unshare" else "share"), declaration, variables


def record(bench: Bench, start: int) -> list[Phase]:
    """Run the real playbooks once, through the proxy: the phases with their modules and the number of their calls."""
    recorded, ends = [], {"": start}
    for phase in PHASES:
        bench.lab("restore", snapshot=ends[phase.starts_from])
        bench.lab("begin", declarations=[*phase.before, *phase.after], forget=True)
        bench.plan()
        name, flags, variables = playbook_of(phase, bench.work)
        code, printed, invocations = bench.playbook(name, phase.profile, *flags, variables=variables)
        if code or not invocations:
            raise RuntimeError(f"{name}.yml failed on the lab:\n{printed}")
        report = bench.lab("report")
        if report["violations"]:
            raise RuntimeError(f"{name}.yml broke invariant 1 in a clean run: {report['violations'][0]}")
        ends[phase.name] = report["snapshot"]
        text = json.dumps(invocations).replace(str(bench.work), WORK)
        recorded.append(replace(phase, invocations=tuple(json.loads(text)), calls=len(bench.plan()["calls"])))
    return recorded


# --- replaying


@dataclass(frozen=True)
class Hit:
    """Which call of which module is hit by what."""

    module: int
    number: int
    fault: str


@dataclass
class Moment:
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
        # What a killed pull had not finished stays: another pull may be at work there, so nobody removes it.
        files = {name: one for name, one in self.files.items() if "/.incoming-" not in name}
        return {**self.state, "files": {name: hashlib.sha256(one).hexdigest() for name, one in files.items()}}


class Replay:
    """The recorded phases on one bench.

    :param start: the snapshot of nothing shared
    :param afresh: whether nothing is kept of what was worked out before
    """

    def __init__(self, bench: Bench, start: int, phases: list[Phase], afresh: bool = False) -> None:
        self.bench, self.phases, self.afresh = bench, {phase.name: phase for phase in phases}, afresh
        self.known: dict[tuple[str, ...], tuple[Ran, Moment]] = {}
        #: Before each module of a clean run, and after the last.
        self.moments: dict[str, list[Moment]] = {}
        self.calls: dict[str, list[list[tuple[str, str]]]] = {}
        for phase in phases:
            self._run_clean(phase, start)

    def _run_clean(self, phase: Phase, start: int) -> None:
        before = self.moments[phase.starts_from][-1] if phase.starts_from else Moment(start, {}, [], {})
        self._be(before)
        self.bench.lab("begin", declarations=[*phase.before, *phase.after], forget=True)
        moments, calls = [self._now(self.bench.lab("report"))], []
        for invocation in phase.invocations:
            ran, moment, report = self._module(phase, invocation, None, [*phase.before, *phase.after])
            if not ran.well:
                raise RuntimeError(f"{phase.name}, {ran.task}: {ran.printed}")
            if ran.violations:
                raise RuntimeError(f"{phase.name}, {ran.task}, in a clean run: {ran.violations[0]}")
            moments.append(moment)
            calls.append([(one[0], one[1]) for one in report["calls"]])
        self.moments[phase.name], self.calls[phase.name] = moments, calls
        replayed = sum(len(made) for made in calls)
        if phase.calls and replayed != phase.calls:
            raise RuntimeError(f"{phase.name}: the playbook made {phase.calls} calls, its replay {replayed}.")

    def cell(self, row: Row, fault: str) -> Cell:
        """Run one cell of the matrix."""
        phase = self.phases[row.phase]
        hit = Hit(row.module, row.number_in_module, fault)
        trial = self.trial(phase, hit)
        if fault == STALE and not trial.hit:
            return Cell(row, fault, NOT_APPLICABLE, ("another call came at this place; it can not be stale",))
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
        moment: Moment,
        at: int = 0,
        hit: Hit | None = None,
    ) -> Moment:
        """One run, from the module number `at` on; how it ends."""
        run: list[Ran] = []
        trial.runs.append(run)
        for number, invocation in enumerate(phase.invocations[at:], at):
            if any(not ran.well and not (ran.check and invocation["check"]) for ran in run):
                break
            here = hit if hit and hit.module == number else None
            key = (phase.name, str(number), json.dumps(declarations), moment.key)
            if here is None and key in self.known and not self.afresh:
                ran, moment = self.known[key]
                self._be(moment)
            else:
                ran, moment, report = self._module(phase, invocation, here, declarations)
                if here:
                    trial.hit = report["hit"]
                else:
                    self.known[key] = ran, moment
            run.append(ran)
            if ran.killed:
                break
        return moment

    def _module(
        self, phase: Phase, invocation: Invocation, hit: Hit | None, declarations: list[Declaration]
    ) -> tuple[Ran, Moment, dict[str, Any]]:
        """Run one module; what it did, what is there then, and the lab's report."""
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
        result = {name: one for name, one in outcome.result.items() if name in ("failed", "msg", "changed")}
        if outcome.result.get("verdict", "pass") != "pass":  # the role stops there
            result.update(failed=True, msg="\n".join(outcome.result["problems"]))
        ran = Ran(
            invocation["task"],
            invocation["check"],
            outcome.killed,
            outcome.code,
            result,
            "" if result and "Traceback" not in outcome.printed else outcome.printed,
            called,
            report["violations"],
        )
        return ran, self._now(report), report

    def _arguments(self, invocation: Invocation, fault: str) -> Invocation:
        """The arguments as recorded, with time compressed."""
        recorded = json.loads(json.dumps(invocation["arguments"]).replace(WORK, str(self.bench.work)))
        recorded.update(wait=True, wait_timeout=3, wait_interval=0.001)
        if fault == "timeout":
            recorded["aws_config"] = {"read_timeout": 0.7}
        return {**invocation, "arguments": recorded}

    # --- the moments

    def _now(self, report: dict[str, Any]) -> Moment:
        image = self.bench.work / "image"
        files = {str(one.relative_to(image)): one.read_bytes() for one in sorted(image.rglob("*")) if one.is_file()}
        return Moment(report["snapshot"], report["state"], report["sessions"], files)

    def _be(self, moment: Moment) -> None:
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
    start, *_between, end = replay.moments["share"]
    replay._be(start)
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
        called = [one for one, _never in report["calls"]]
        ran = Ran(PLAYBOOK, False, code == -signal.SIGKILL, code, result, "", called, report["violations"])
        if "Traceback" in printed:
            ran.printed = printed
        trial.runs.append([ran])
        if len(trial.runs) == 2:
            trial.end = replay._now(report).end
    return trial
