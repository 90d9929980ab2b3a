# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.bench.growth [--json FILE] [--svg FILE] [--largest 10000]`: how cost grows, and what it is made of.

API calls, seconds and memory of the module's own process by the number of repositories and of consumers, 30 ms for each
call; the same work against a limit of calls a second; and what one task costs before its first call.
"""

from __future__ import annotations

import argparse
import json
import math
import pathlib
import statistics
import sys
import tempfile
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

from tests.support.paths import ROOT

from .ground import BIN, Command, Ground, running
from .names import SHARED_BY, names
from .rows import LATENCY, TAG_MODULE, untag

COUNTS = (1, 10, 100, 1000, 10_000)
CONSUMERS = (1, 5, 20)
LIMIT, LIMITED = 50, 1000  # calls a second; repositories
MODULES = "ansible_collections.crossaccount.ecr.plugins.modules"
COLLECTIONS = (("PYTHONPATH", str(ROOT / ".venv/collections")),)
RUNS = 5
ROLE = "grown"


def module(ground: Ground, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Run a module as Ansible runs it on a host, by itself: `seconds`, `reads`, `writes`, and `mib` at the most."""
    command = ground.measured(str(BIN / "python"), "-m", f"{MODULES}.{name}")
    run = ground.run(Command(command, variables=COLLECTIONS, typed=json.dumps({"ANSIBLE_MODULE_ARGS": arguments})))
    return {"seconds": round(run.seconds, 2), "reads": run.reads, "writes": run.writes, "mib": round(run.peak, 1)}


def by_repositories(ground: Ground, largest: int) -> list[dict[str, Any]]:
    """All to be tagged, then nothing to change."""
    measured = []
    for count in [count for count in COUNTS if count <= largest]:
        untag(ground, count)
        module_options = {"names": names(count), "tags": SHARED_BY}
        ground.latency(LATENCY)
        for work in ("all to be tagged", "nothing to change"):
            measured.append(
                {"work": work, "repositories": count, **module(ground, "ecr_repository_tag", module_options)}
            )
        ground.latency(0)
    return measured


def by_consumers(ground: Ground) -> list[dict[str, Any]]:
    """A role from nothing, the same with nothing to change, and back."""
    measured = []
    share = {"name": ROLE, "repository_tags": SHARED_BY, "trust_policy_quota": 4096}
    ground.latency(LATENCY)
    for count in CONSUMERS:
        consumers = [{"account": f"{number:012}", "external_id": "test"} for number in range(1, count + 1)]
        for work, options in (
            ("from nothing", {"consumers": consumers}),
            ("nothing to change", {"consumers": consumers}),
            ("taken back", {"state": "absent"}),
        ):
            done = module(ground, "iam_ecr_pull_role", {**share, **options})
            measured.append({"work": f"role, {work}", "consumers": count, **done})
    ground.latency(0)
    return measured


def throttled(ground: Ground) -> dict[str, Any]:
    """So many repositories, nothing to change, against a limit: the floor is what the limit lets through."""
    module_options = {"names": names(LIMITED), "tags": SHARED_BY, "wait": False}
    module(ground, "ecr_repository_tag", module_options)
    limit = ground.folder / "lab" / "limit"
    limit.write_text(str(LIMIT))
    ground.latency(LATENCY)
    done = module(ground, "ecr_repository_tag", module_options)
    limit.unlink()
    ground.latency(0)
    # The log also contains the throttled calls.
    taken = LIMITED + 1  # ListTagsForResource, and one DescribeRepositories
    floor = taken / LIMIT
    return {**done, "limit": LIMIT, "repositories": LIMITED, "floor": floor, "ratio": round(done["seconds"] / floor, 2)}


def fixed(ground: Ground) -> dict[str, float]:
    """Seconds of each part of a task that reads one repository, medians: each less than the next by what is in it."""
    imported = f"import {MODULES}.ecr_repository_tag"
    python = {
        "python": "pass",
        "ansible.module_utils.basic": "import ansible.module_utils.basic",
        "boto3": "import ansible.module_utils.basic, boto3",
        "the module": imported,
    }
    request = {"names": names(1), "tags": SHARED_BY, "wait": False}
    module(ground, "ecr_repository_tag", request)
    ways: dict[str, Callable[[], float]] = {
        part: lambda code=code: (
            ground.run(  # type: ignore[misc]
                Command([str(BIN / "python"), "-c", code], variables=COLLECTIONS)
            ).seconds
        )
        for part, code in python.items()
    }
    ways["its run"] = lambda: float(module(ground, "ecr_repository_tag", request)["seconds"])
    empty, task = ground.task("empty", "ansible.builtin.ping", {}), ground.task("request", TAG_MODULE, request)
    ways["ansible-playbook, an empty module"] = lambda: ground.run(empty).seconds
    ways["ansible-playbook, this module"] = lambda: ground.run(task).seconds
    taken: dict[str, list[float]] = {part: [] for part in ways}
    for _run in range(RUNS):
        for part, way in ways.items():
            taken[part].append(way())
    return {part: round(statistics.median(seconds), 3) for part, seconds in taken.items()}


# --- the chart: two panels with logarithmic axes, calls and seconds by repositories

WIDTH, HEIGHT, EDGE = 460, 320, 56
COLOURS = {"reads": "#2563a8", "writes": "#b3261e", "all to be tagged": "#2563a8", "nothing to change": "#8a8a8a"}


def chart(measured: list[dict[str, Any]]) -> str:
    """An SVG of what `by_repositories` measured."""
    tagged = [measurement for measurement in measured if measurement["work"] == "all to be tagged"]
    calls = {
        kind: [(repository["repositories"], repository[kind]) for repository in tagged] for kind in ("reads", "writes")
    }
    seconds = {
        work: [
            (measurement["repositories"], measurement["seconds"])
            for measurement in measured
            if measurement["work"] == work
        ]
        for work in ("all to be tagged", "nothing to change")
    }
    panels = [
        _panel(0, "API calls, all to be tagged", calls),
        _panel(WIDTH, f"seconds of the module, {LATENCY} ms for each call", seconds),
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {HEIGHT}" role="img" font-size="12"'
    title = "How cost grows with the number of repositories"
    return "\n".join([f'{head} font-family="sans-serif"><title>{title}</title>', *panels, "</svg>", ""])


def _panel(left: int, title: str, lines: dict[str, list[tuple[float, float]]]) -> str:
    points = [point for line in lines.values() for point in line]
    across = _axis([x for x, _y in points], left + EDGE, left + WIDTH - 20)
    up = _axis([y for _x, y in points], HEIGHT - EDGE, EDGE)
    parts = [
        f'<rect x="{left}" width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{left + EDGE}" y="24" font-weight="bold">{escape(title)}</text>',
        f'<text x="{left + EDGE}" y="{HEIGHT - 14}">repositories</text>',
    ]
    for power in range(5):
        parts.append(
            f'<text x="{across(10**power):.0f}" y="{HEIGHT - EDGE + 18}" text-anchor="middle">{10**power}</text>'
        )
    for power in range(-1, 6):
        if EDGE - 1 <= up(10**power) <= HEIGHT - EDGE + 1:
            parts.append(
                f'<text x="{left + EDGE - 8}" y="{up(10**power) + 4:.0f}" text-anchor="end">{10.0**power:g}</text>'
            )
            parts.append(
                f'<path d="M{left + EDGE} {up(10**power):.1f}H{left + WIDTH - 20}" stroke="#dddddd" fill="none"/>'
            )
    for number, (name, line) in enumerate(lines.items()):
        path = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in line)
        colour = COLOURS[name]
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{left + EDGE + 8}" y="{EDGE + 16 * number}" fill="{colour}">{escape(name)}</text>')
    return "\n".join(parts)


def _axis(values: list[float], begin: float, end: float) -> Callable[[float], float]:
    low, high = math.log10(min(values)), math.log10(max(values))
    return lambda value: begin + (math.log10(value) - low) / ((high - low) or 1) * (end - begin)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.growth", description=__doc__)
    parser.add_argument("--json", type=pathlib.Path, default=pathlib.Path("build/growth.json"), metavar="FILE")
    parser.add_argument("--svg", type=pathlib.Path, default=pathlib.Path("build/growth.svg"), metavar="FILE")
    parser.add_argument("--largest", type=int, default=COUNTS[-1], help="number of repositories")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        running(pathlib.Path(folder), max(options.largest, LIMITED)) as ground,
    ):
        grown = [*by_repositories(ground, options.largest), *by_consumers(ground)]
        result = {"grown": grown, "throttled": throttled(ground), "fixed": fixed(ground)}
    for row in grown:
        print(json.dumps(row))
    print("throttled:", json.dumps(result["throttled"]))
    print("fixed cost, seconds:", json.dumps(result["fixed"]))
    for file, text in ((options.json, json.dumps(result, indent=1) + "\n"), (options.svg, chart(grown))):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    print(f"{options.json}, {options.svg}", file=sys.stderr)


if __name__ == "__main__":
    main()
