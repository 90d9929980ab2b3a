# SPDX-License-Identifier: GPL-3.0-or-later
"""The Markdown pages in a clone, and the front page of the documentation site."""

from __future__ import annotations

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PAGES = ("README.md", "README.ja.md", "CONTRIBUTING.md", "SECURITY.md", "docs/README.md")


def targets(text: str) -> list[str]:
    """The targets of the links and pictures of a Markdown text, without those in code blocks."""
    prose = re.sub(r"(?ms)^```.*?^```$", "", text)
    return [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", prose)]


def broken_links(folder: pathlib.Path, text: str) -> list[str]:
    """The links that do not work in a clone: to files that do not exist, and to pages of this repository on GitHub."""
    on_github = "https://github.com/crossaccount/ecr/blob"
    return [
        target
        for target in targets(text)
        if (not (folder / target).exists() if "://" not in target else target.startswith(on_github))
    ]


@pytest.mark.parametrize("page", PAGES)
def test_links_of_a_page_work_in_a_clone(page: str) -> None:
    path = ROOT / page
    assert broken_links(path.parent, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("link", "broken"),
    [
        ("LICENSE", False),
        ("docs/README.md#tests", False),
        ("https://semver.org", False),
        ("missing.md", True),
        ("https://github.com/crossaccount/ecr/blob/main/LICENSE", True),
    ],
)
def test_broken_links_are_found(link: str, broken: bool) -> None:
    assert broken_links(ROOT, f"[text](LICENSE) and [other\ntext]({link})") == ([link] if broken else [])


@pytest.mark.parametrize(("page", "status"), [("README.md", "**Status: "), ("README.ja.md", "**状態: ")])
def test_readme_has_the_status_before_the_first_section(page: str, status: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    assert status in text.partition("\n## ")[0]


def test_front_page_lists_each_page_once_as_the_sections_do() -> None:
    sections = (ROOT / "docs/docsite/extra-docs.yml").read_text(encoding="utf-8")
    front = (ROOT / "docs/index.rst").read_text(encoding="utf-8")
    listed = re.findall(r"(?m)^ +reference/docsite/(\w+)$", front)
    assert sorted(listed) == sorted(re.findall(r"(?m)^ +- (\w+)$", sections))
    assert len(listed) == len(set(listed))


def test_links_of_the_site_to_the_repository_lead_to_files() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "docs/docsite").rglob("*.*")]
    paths = re.findall(r"https://github\.com/crossaccount/ecr/(?:blob|tree)/main/([\w./-]+)", "\n".join(texts))
    assert len(paths) > 2
    assert [path for path in paths if not (ROOT / path).exists()] == []
