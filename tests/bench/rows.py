# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows: the work, by the collection and by the references, and the state before it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from tests.lab import accounts
from tests.support import aws_cli

from .ground import BIN, Command, Ground, Run
from .names import KNOWN_BY, SHARED_BY, names, several, shared
from .table import Comparison, Side

LATENCY = 30  # milliseconds
ROLE, SHARE = "bench", "allow_ecr_release"
OWNER_ARN = f"arn:aws:ecr:{accounts.REGION}:{accounts.OWNER}:repository/"
TAG_MODULE = "crossaccount.ecr.ecr_repository_tag"
MANY = 10_000  # repositories that there are
MOST = 100_000  # the same, as many as the default quota of a region
WHOLE = 1000  # of them, that are named
REPLICATED = 500  # repositories with an image
ROLES = 200  # that an audit reads
LOOPED = 10  # of these, that are looped over
START = "start"
#: By its unit: the time, the CPU time, the peak of memory.
Measure = Literal["s", "CPU s", "MiB"]


def nothing() -> None:
    """The preparation of work that needs a state."""


@dataclass(frozen=True)
class Work:
    """One way to do it.

    :param writes: how many it has to make, so that it is not fast by not doing it
    """

    command: Command
    writes: int = 0


@dataclass(frozen=True)
class Pair:
    """Two of the ways, compared.

    :param start: whether Ansible's fixed start is allowed on top
    :param scale: how many times the reference has to do it for the whole work
    :param scaled_start: whether the start of Ansible is a part of the reference, which does not grow with `scale`
    :param measure: the comparison: the time, the CPU time, or the peak of memory
    :param idle: the way that does all but the work itself
    """

    row: str
    work: str
    against: str
    factor: float
    ours: str
    reference: str
    start: bool = False
    scale: float = 1
    note: str = ""
    measure: Measure = "s"
    idle: str = ""
    scaled_start: bool = True


@dataclass(frozen=True)
class Row:
    """Ways to do the same work.

    :param before: makes, before each run, what it finds
    """

    ways: dict[str, Work]
    pairs: list[Pair]
    before: Callable[[], None] = nothing


def measure(ground: Ground, row: Row, runs: int) -> list[Comparison]:
    """Run all ways in turns, and what does nothing beside them, then compare."""
    ways = {START: Work(ground.task("start", "ansible.builtin.ping", {})), **row.ways}
    done: dict[str, list[Run]] = {name: [] for name in ways}
    for number in range(runs):
        order = list(ways)
        for name in order[number % len(order) :] + order[: number % len(order)]:
            if name != START:
                row.before()
            ground.latency(LATENCY)
            run = ground.run(ways[name].command)
            ground.latency(0)
            if run.writes != ways[name].writes:
                raise RuntimeError(f"{name} made {run.writes} writes, not {ways[name].writes}.")
            done[name].append(run)
    return [_compared(pair, {name: _side(of, pair.measure) for name, of in done.items()}) for pair in row.pairs]


def _compared(pair: Pair, sides: dict[str, Side]) -> Comparison:
    idle = f" Of ours, {sides[pair.idle]} are there without the work, in {pair.idle}." if pair.idle else ""
    return Comparison(
        pair.row,
        pair.work,
        pair.against,
        pair.factor,
        sides[pair.ours],
        _scaled(sides[pair.reference], sides[START].median if pair.scaled_start else 0, pair.scale),
        sides[START] if pair.start else None,
        pair.note + idle,
    )


def _side(runs: list[Run], measure: Measure) -> Side:
    measured = [{"s": run.seconds, "CPU s": run.cpu, "MiB": run.peak}[measure] for run in runs]
    return Side(measured, runs[-1].reads, runs[-1].writes, measure)


def _scaled(side: Side, start: float, scale: float) -> Side:
    if scale == 1:
        return side
    seconds = [start + (value - start) * scale for value in side.values]
    return Side(seconds, round(side.reads * scale), round(side.writes * scale))


# --- 1 and 2: the owner's part of the scenario


def with_aws_cli(words: Iterable[str]) -> Command:
    """Words that find `aws`."""
    return Command(list(words), variables=(("PATH", f"{aws_cli.folder()}:/usr/bin:/bin"),))


def share(ground: Ground) -> Command:
    handoff = f"ecr_share_handoff_path={ground.folder / 'handoff.yml'}"
    return Command(
        [str(BIN / "ansible-playbook"), "playbooks/share.yml", "-e", "@playbooks/vars/scenario.yml", "-e", handoff]
    )


def unshare(ground: Ground) -> None:
    """Remove the objects of both."""
    iam = ground.lab.client("owner", "iam")
    if SHARE in [role["RoleName"] for role in iam.list_roles()["Roles"]]:
        policy = f"arn:aws:iam::{accounts.OWNER}:policy/{SHARE}"
        iam.detach_role_policy(RoleName=SHARE, PolicyArn=policy)
        iam.delete_role(RoleName=SHARE)
        iam.delete_policy(PolicyArn=policy)
    ground.lab.client("owner", "ecr").untag_resource(resourceArn=OWNER_ARN + "release", tagKeys=["environment"])


def row_1(ground: Ground) -> Row:
    pair = Pair(
        "1",
        "share.yml from nothing",
        "a shell script of aws CLI calls",
        0.7,
        "share.yml",
        "script",
        note="share.yml reads back three times in a row, a quarter of a second apart; the script once.",
    )
    ways = {"share.yml": Work(share(ground), 4), "script": Work(with_aws_cli(["tests/bench/share-by-hand"]), 4)}
    return Row(ways, [pair], before=lambda: unshare(ground))


def row_2(ground: Ground) -> Row:
    unshare(ground)
    ground.run(share(ground))
    pair = Pair("2", "share.yml, nothing to do", "the same script's checks", 0.45, "share.yml", "script")
    checks = with_aws_cli(["tests/bench/share-by-hand", "--look"])
    return Row({"share.yml": Work(share(ground)), "script": Work(checks)}, [pair])


# --- 3, 4 and 5: tags on many repositories


def untag(ground: Ground, count: int) -> None:
    """Remove the tag from the first repositories."""
    tagging = ground.lab.client("owner", "resourcegroupstaggingapi")
    arns = [OWNER_ARN + name for name in names(count)]
    for at in range(0, count, 20):
        tagging.untag_resources(ResourceARNList=arns[at : at + 20], TagKeys=list(SHARED_BY))


def tag(ground: Ground, count: int, wait: bool = True) -> Work:
    arguments = {"names": names(count), "tags": SHARED_BY, "wait": wait}
    return Work(ground.task(f"tag-{count}-{wait}", TAG_MODULE, arguments), count // 20)


def loop_of_aws(ground: Ground) -> Work:
    words = ["aws", "ecr", "tag-resource", "--resource-arn", OWNER_ARN + "{{ item }}"]
    words += ["--tags", "Key=environment,Value=release"]
    loop = ground.task("loop-aws", "ansible.builtin.command", {"argv": words}, loop=names(LOOPED))
    return Work(with_aws_cli(loop.words), LOOPED)


def row_3(ground: Ground) -> Row:
    count = 200
    ways = {
        "wait: false": tag(ground, count, wait=False),
        "default": tag(ground, count),
        "boto3": Work(ground.floor("tag", count, 0), count // 20),
        "boto3, read back": Work(ground.floor("tag", count, 3), count // 20),
        "aws": loop_of_aws(ground),
    }
    loop = Pair(
        "3c",
        f"tag {count} repositories, wait: false",
        "a loop of aws ecr tag-resource",
        1 / 50,
        "wait: false",
        "aws",
        scale=count / LOOPED,
        note=f"Neither reads back. The loop ran over {LOOPED} repositories; its time for each was scaled to {count}.",
    )
    return Row(ways, [*against_boto3("3", f"tag {count} repositories"), loop], before=lambda: untag(ground, count))


def against_boto3(row: str, work: str) -> list[Pair]:
    """Tagging against a script of boto3 that checks as often: not at all, or with three reads in a row."""
    against = "bare boto3, 32 threads, TagResources by 20"
    return [
        Pair(
            f"{row}a",
            f"{work}, wait: false",
            against,
            1.3,
            "wait: false",
            "boto3",
            start=True,
            note="Neither reads back.",
        ),
        Pair(
            f"{row}b",
            f"{work}, read back",
            f"{against}, reading back",
            1.3,
            "default",
            "boto3, read back",
            start=True,
            note="Both read back three times, a quarter of a second apart.",
        ),
    ]


def row_4(ground: Ground) -> Row:
    work = tag(ground, WHOLE)
    ground.run(work.command)
    pair = Pair(
        "4",
        f"{WHOLE:,} repositories, nothing to change",
        "bare boto3, the same reads, 32 threads",
        1.3,
        "ours",
        "boto3",
        start=True,
    )
    return Row({"ours": Work(work.command), "boto3": Work(ground.floor("tags", WHOLE))}, [pair])


def row_5(ground: Ground) -> Row:
    ways = {
        "wait: false": tag(ground, WHOLE, wait=False),
        "default": tag(ground, WHOLE),
        "boto3": Work(ground.floor("tag", WHOLE, 0), WHOLE // 20),
        "boto3, read back": Work(ground.floor("tag", WHOLE, 3), WHOLE // 20),
    }
    pairs = against_boto3("5", f"{WHOLE:,} repositories, all to be tagged")
    return Row(ways, pairs, before=lambda: untag(ground, WHOLE))


# --- 6: discovery


def row_6(ground: Ground) -> Row:
    untag(ground, WHOLE)
    variants = {
        "a": ("all_except, 50 of 100 found", {"all_except": shared(ground.total)[::2]}),
        "b": ("a pattern of 100", {"names": ["bench/000*"]}),
    }
    ways = {"boto3": Work(ground.floor("discover", *SHARED_BY.keys(), *SHARED_BY.values()))}
    pairs = []
    for letter, (what, options) in variants.items():
        arguments: dict[str, Any] = {"tags": SHARED_BY, "state": "absent", **options}
        ways[letter] = Work(ground.task(f"discover-{letter}", TAG_MODULE, arguments, check=True))
        work = f"discovery over {ground.total:,} repositories, {what}"
        pairs.append(Pair(f"6{letter}", work, "bare boto3, the tags of each, 32 threads", 0.35, letter, "boto3"))
    return Row(ways, pairs)


# --- 7: the proof


def row_7(ground: Ground) -> Row:
    count = 100
    untag(ground, count)
    consumer = {"account": accounts.CONSUMER, "external_id": "test"}
    role = {"name": ROLE, "repository_tags": SHARED_BY, "consumers": [consumer]}
    ground.run(ground.task("role", "crossaccount.ecr.iam_ecr_pull_role", role))
    role_arn = f"arn:aws:iam::{accounts.OWNER}:role/{ROLE}"
    readable, denied = shared(ground.total)[: count // 2], names(count // 2)
    probe_options = {"role_arn": role_arn, "external_id": "test", "readable": readable, "denied": denied}
    ways = {
        "ours": Work(ground.task("prove", "crossaccount.ecr.ecr_access_info", probe_options, profile="consumer")),
        "boto3": Work(ground.floor("prove", role_arn, count, ground.total, profile="consumer")),
    }
    work = f"proof of access to {count} repositories, half of them denied"
    return Row(ways, [Pair("7", work, "bare boto3, one call after another", 0.25, "ours", "boto3")])


# --- 11: several shares in several regions


def row_11(ground: Ground) -> Row:
    count, regions = 10, [accounts.REGION, "eu-west-1", "us-east-1"]
    for region in regions:
        ecr = ground.lab.session("owner").client("ecr", region_name=region)
        for number in range(count):
            ecr.create_repository(repositoryName=several(number))
    declared = {"ecr_share_shares": [one_of_several(number, regions) for number in range(count)]}
    file = ground.folder / "several.yml"
    file.write_text(json.dumps(declared), encoding="utf-8")
    ours = Command([str(BIN / "ansible-playbook"), "playbooks/share.yml", "-e", f"@{file}"])
    ground.run(ours)
    ways = {
        "share.yml": Work(ours),
        "script": Work(with_aws_cli(["tests/bench/share-by-hand", "--look", several(0), *regions])),
        "boto3": Work(ground.floor("look", count, ",".join(regions))),
    }
    work = f"share.yml, {count} shares in {len(regions)} regions, nothing to do"
    script = Pair(
        "11a",
        work,
        "the script's checks, for each share",
        0.45,
        "share.yml",
        "script",
        scale=count,
        scaled_start=False,
        note=f"The script ran for one share in {len(regions)} regions; its time was scaled to {count} shares.",
    )
    floor = "bare boto3, the same reads, 32 threads"
    return Row(ways, [script, Pair("11b", work, floor, 1.3, "share.yml", "boto3", start=True)])


def one_of_several(number: int, regions: list[str]) -> dict[str, Any]:
    name = several(number)
    return {
        "role_name": name,
        "repository_tags": {"environment": name},
        "repositories": [name],
        "consumers": [{"account": accounts.CONSUMER, "external_id": "7c2f4e0b-share"}],
        "regions": regions,
    }


# --- 12: every repository has the tag


def row_12(ground: Ground) -> Row:
    """All repositories are found by their tag, and none of them has to be read: a pattern keeps them."""
    arguments = {"tags": KNOWN_BY, "state": "absent", "all_except": ["bench/*"]}
    ways = {
        "ours": Work(ground.task("found", TAG_MODULE, arguments, check=True)),
        "boto3": Work(ground.floor("tagged", *KNOWN_BY.keys(), *KNOWN_BY.values())),
    }
    work = f"{ground.total:,} repositories found by their tag"
    against = "bare boto3, the same pages of the tagging API"
    note = "The pages are read one after another: each one names the next one."
    return Row(ways, [Pair("12", work, against, 1.3, "ours", "boto3", start=True, note=note)])


def row_13(ground: Ground) -> Row:
    """An audit of 1,000 repositories and 200 roles of which each trusts another account."""
    iam = ground.lab.client("owner", "iam")
    for number in range(ROLES):
        trusted = {"AWS": f"arn:aws:iam::{accounts.CONSUMER}:root"}
        condition = {"StringEquals": {"sts:ExternalId": f"audit-{number}"}}
        trust = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole", "Condition": condition}
        tagged = {"StringEquals": {"ecr:ResourceTag/environment": several(number % 10)}}
        pull = {"Effect": "Allow", "Action": "ecr:BatchGetImage", "Resource": "*", "Condition": tagged}
        name = f"audit-{number}"
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(trust))
        iam.put_role_policy(RoleName=name, PolicyName="pull", PolicyDocument=_document(pull))
    ways = {
        "audit": Work(ground.task("audit", "crossaccount.ecr.ecr_audit_info", {})),
        "boto3": Work(ground.floor("audit")),
    }
    work = f"an audit of {ground.total:,} repositories and {ROLES} roles"
    against = "bare boto3, the same reads, 32 threads, without an evaluation"
    return Row(ways, [Pair("13", work, against, 1.2, "audit", "boto3", start=True)])


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


#: Each with how many repositories there are beside the lab's own.


# --- 15: a replication


def replicate() -> Command:
    variables = {"ecr_replicate_prefixes": ["bench/"], "ecr_replicate_images": [], "ecr_replicate_wait_interval": 0.05}
    words = ["playbooks/replicate.yml", "-e", "@playbooks/vars/replication.yml", "-e", json.dumps(variables)]
    return Command([str(BIN / "ansible-playbook"), *words])


def row_15(ground: Ground) -> Row:
    token = ground.lab.client("owner", "ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    layer = accounts.layer({"file": b"bench"})
    for name in names(REPLICATED):
        accounts.push(ground.lab.endpoint, token, name, "v1.0", [layer])
    ground.run(replicate())
    pair = Pair(
        "15",
        f"replicate {REPLICATED} repositories, nothing to change",
        "bare boto3, the same reads of both registries, 32 threads",
        1.3,
        "ours",
        "boto3",
        start=True,
    )
    return Row({"ours": Work(replicate()), "boto3": Work(ground.floor("replication", "bench/"))}, [pair])


# --- 16: one statement in the policies of many repositories


def row_16(ground: Ground) -> Row:
    arguments = {"name": SHARE, "names": names(WHOLE), "consumers": [{"account": accounts.CONSUMER}], "wait": False}
    ours = ground.task("statement", "crossaccount.ecr.ecr_repository_policy_statement", arguments)
    ground.run(ours)
    pair = Pair(
        "16",
        f"one statement in {WHOLE:,} repository policies, nothing to change",
        "bare boto3, the same reads, 32 threads",
        1.3,
        "ours",
        "boto3",
        start=True,
    )
    return Row({"ours": Work(ours), "boto3": Work(ground.floor("policies", WHOLE))}, [pair])


ROWS: dict[str, tuple[Callable[[Ground], Row], int]] = {
    "1": (row_1, 0),
    "2": (row_2, 0),
    "3": (row_3, MANY),
    "4": (row_4, MANY),
    "5": (row_5, MANY),
    "6": (row_6, MANY),
    "7": (row_7, MANY),
    "11": (row_11, 0),
    "12": (row_12, MOST),
    "13": (row_13, WHOLE),
    "15": (row_15, REPLICATED),
    "16": (row_16, WHOLE),
}
