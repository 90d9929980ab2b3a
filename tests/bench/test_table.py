# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdicts, and that nothing that was missed is left out of the table, the JSON or the chart."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from . import growth
from .table import LEFT, MISSED, REACHED, Comparison, Side, as_json, chart, table

OURS, REFERENCE, START = Side([3.0, 5.0, 4.0], 1002, 50), Side([2.0, 2.0, 2.5], 1001, 50), Side([1.5, 1.5, 1.4])
MISS = Comparison("5", "tag <many>", "bare boto3", 1.3, OURS, REFERENCE)
#: As much as is allowed, to the last.
HIT = replace(MISS, row="4", start=START, factor=1.25)


def test_measurement_has_a_median_and_a_spread() -> None:
    assert (OURS.median, OURS.spread) == (4.0, 0.5)
    assert str(OURS) == "4.00 s ±25%"


def test_ratio_excludes_the_startup_time() -> None:
    assert (MISS.ratio, MISS.reached) == (2.0, False)
    assert (HIT.ratio, HIT.reached) == (1.25, True)
    assert not replace(HIT, factor=1.24).reached


@pytest.mark.parametrize(
    ("comparison", "target"),
    [(MISS, "≤ 1.3"), (HIT, "≤ 1.25 + start"), (replace(MISS, factor=1 / 50), "50 times faster")],
)
def test_target_of_a_benchmark_is_printed(comparison: Comparison, target: str) -> None:
    assert comparison.target == target


def test_missed_target_is_reported_with_the_measurement() -> None:
    assert HIT.reason == ""
    assert MISS.reason == (
        "4.00 s, for 1002 reads and 50 writes; the reference took 2.00 s, for 1001 reads and 50 writes;"
        " allowed were 2.60 s."
    )
    memory = Comparison("8b", "memory", "skopeo", 1, Side([60, 50], unit="MiB"), Side([25], unit="MiB"))
    assert (str(memory.ours), memory.ratio) == ("55.00 MiB ±9%", 2.2)
    assert memory.reason == "55.00 MiB; the reference took 25.00 MiB; allowed were 25.00 MiB."
    assert "4.00 s, 1.50 s of it Ansible's start, for" in replace(HIT, factor=1.2).reason
    lines = table([HIT, MISS])
    assert [line.split()[-1] for line in lines[:3]] == ["VERDICT", REACHED, MISSED]
    assert MISS.reason in " ".join(lines)


def test_the_json_has_every_sample_and_every_verdict() -> None:
    data = json.loads(json.dumps(as_json([HIT, MISS], runs=3)))
    assert data["runs"] == 3
    assert [comparison["reached"] for comparison in data["comparisons"]] == [True, False]
    assert [comparison["reason"] for comparison in data["comparisons"]] == ["", MISS.reason]
    assert data["comparisons"][0]["ours"] == {
        "values": [3.0, 5.0, 4.0],
        "unit": "s",
        "median": 4.0,
        "spread": 0.5,
        "reads": 1002,
        "writes": 50,
    }


def test_the_chart_has_bars_as_long_as_the_times() -> None:
    root = ElementTree.fromstring(chart([HIT, MISS], "a & b"))  # noqa: S314
    widths = {
        kind: [float(rectangle.attrib["width"]) for rectangle in root if rectangle.get("class") == kind]
        for kind in ("ours", "reference", "start")
    }
    for ours, reference in zip(widths["ours"], widths["reference"]):
        assert ours / reference == pytest.approx(2, abs=0.01)
    assert widths["start"] == [pytest.approx(widths["ours"][0] * 1.5 / 4, abs=0.1), 0]
    assert all(LEFT + float(rectangle.attrib["width"]) <= 1000 for rectangle in root if rectangle.get("class"))
    texts = " ".join(rectangle.text or "" for rectangle in root)
    assert "tag <many>" in texts
    assert (REACHED in texts, MISSED in texts) == (True, True)


def test_growth_is_a_straight_line_where_cost_grows_as_the_work() -> None:
    measured = [
        {
            "work": work,
            "repositories": 10**power,
            "reads": 4 * 10**power,
            "writes": 10**power,
            "seconds": 0.1 * 10**power,
        }
        for power in range(4)
        for work in ("all to be tagged", "nothing to change")
    ]
    root = ElementTree.fromstring(growth.chart(measured))  # noqa: S314
    lines = [rectangle.attrib["points"] for rectangle in root if rectangle.tag.endswith("polyline")]
    assert len(lines) == 4
    for line in lines:
        heights = [float(point.partition(",")[2]) for point in line.split()]
        steps = [below - above for below, above in zip(heights, heights[1:])]
        assert steps == [pytest.approx(steps[0], abs=0.2)] * 3
        assert steps[0] > 0
