# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures are those that the script draws. They suit small screens, light and dark mode, and screen readers."""

from __future__ import annotations

import importlib
import pathlib
import re
import sys
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.support.paths import ROOT

DOCS = ROOT / "docs"
PICTURES = sorted(DOCS.glob("*.svg"))
SVG = "{http://www.w3.org/2000/svg}"
#: The width of the text on the site, on a screen of 390 pixels.
COLUMN = 338
#: The width that style.css gives the terminal at least; it scrolls in its box.
TERMINAL = 800


def parsed(path: pathlib.Path) -> ElementTree.Element:
    return ElementTree.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314 - a file of ours


@pytest.fixture
def drawings(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(sys, "path", [str(DOCS), *sys.path])
    return importlib.import_module("pictures")


def test_each_picture_is_the_one_that_the_script_draws(drawings: Any) -> None:
    assert {path.stem for path in PICTURES} == {*drawings.PICTURES, "demo"}
    for name, draw in drawings.PICTURES.items():
        assert (DOCS / f"{name}.svg").read_text(encoding="utf-8") == draw(), f"{name}.svg is old: make pictures"


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_a_picture_has_a_title_and_a_description(path: pathlib.Path) -> None:
    root = parsed(path)
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "title desc"
    assert [root.findtext(SVG + name, "") != "" for name in ("title", "desc")] == [True, True]


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_the_text_has_twelve_pixels_on_a_small_screen(path: pathlib.Path) -> None:
    width = float((parsed(path).get("viewBox") or "").split()[2])
    sizes = [float(size) for size in re.findall(r"([\d.]+)px", path.read_text(encoding="utf-8").split("</style>")[0])]
    shown = TERMINAL if path.stem == "demo" else COLUMN
    assert min(sizes) * shown / width >= 12


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_every_color_has_a_value_for_each_mode(path: pathlib.Path) -> None:
    light, dark = path.read_text(encoding="utf-8").split("@media (prefers-color-scheme: dark)")
    named = set(re.findall(r"var\(--([\w-]+)\)", light + dark))
    for style in (light, dark.split("}")[0]):
        assert named <= set(re.findall(r"--([\w-]+): #", style))
    assert not re.search(r'(?:fill|stroke)(?:="|: )#', light + dark)


def test_the_demo_shows_its_table() -> None:
    lines = ["".join(text.itertext()) for text in parsed(DOCS / "demo.svg").iter(f"{SVG}text")]
    assert "   develop     denied    denied    denied    denied   allowed  pass" in lines
    assert max(map(len, lines)) <= 100
