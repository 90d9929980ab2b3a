# SPDX-License-Identifier: GPL-3.0-or-later
"""The declaration of a hand-off is validated."""

from __future__ import annotations

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _handoff_declaration

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("images", "denied", "repositories"),
    [
        ([], [], []),
        (["release:v1", f"release@{DIGEST}", "tools/build:1"], ["develop"], ["release", "tools/*"]),
        (["release:v1"], ["develop"], []),
    ],
)
def test_valid(images: list[str], denied: list[str], repositories: list[str]) -> None:
    assert list(_handoff_declaration.handoff_option_problems(images, denied, repositories)) == []


@pytest.mark.parametrize(
    "image",
    [
        "release",
        "release:v1;id",
        "release:v1{{ lookup('pipe', 'id') }}",
        "release:v1\n```\n",
        "release:v1\x1b[2J",
        "-release:v1",
        "release:$(id)",
        "release:v1`id`",
        "release:\N{FULLWIDTH DIGIT ONE}",
        "",
    ],
)
def test_an_invalid_image(image: str) -> None:
    (problem,) = _handoff_declaration.handoff_option_problems([image], [], [])
    assert problem.startswith(f"Image {image!r}")


@pytest.mark.parametrize("name", ["develop`id`", "rel*", "{{ x }}", "x\n", "", "Develop", "registry:5000/x"])
def test_an_invalid_denied_repository(name: str) -> None:
    (problem,) = _handoff_declaration.handoff_option_problems([], [name], ["release"])
    assert problem.startswith("denied: ")
    assert "is not a repository name" in problem


def test_shared_and_denied_and_images_of_others() -> None:
    assert list(
        _handoff_declaration.handoff_option_problems(["base:1"], ["release", "tools/x"], ["release", "tools/*"])
    ) == [
        "Image 'base:1' is in repository base, which this share does not declare. Add the repository to the share, or"
        " remove the image.",
        "Repository release is declared both as shared and as denied. Remove it from one of the two lists.",
        "Repository tools/x is declared both as shared and as denied. Remove it from one of the two lists.",
    ]


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("handoff.yml", None),
        ("~/übergabe/handoff", None),
        (
            "handoff.md",
            "ecr_share_handoff_path handoff.md must not end in .md, the name of the page for people. Use .yml.",
        ),
        (
            "hand\noff.yml",
            "ecr_share_handoff_path 'hand\\noff.yml' contains the unprintable character '\\n'. Remove it.",
        ),
        ("a\x00b", "ecr_share_handoff_path 'a\\x00b' contains the unprintable character '\\x00'. Remove it."),
    ],
)
def test_the_path_of_the_hand_off(path: str, problem: str | None) -> None:
    assert next(_handoff_declaration.handoff_path_problems(path), None) == problem


def test_forms_need_a_path() -> None:
    problem = (
        "ecr_share_handoff_forms requests docker, kubelet, but no hand-off is written. Set ecr_share_handoff_path."
    )
    assert list(_handoff_declaration.handoff_path_problems("", ["docker", "kubelet"])) == [problem]
    assert list(_handoff_declaration.handoff_path_problems("handoff.yml", ["docker"])) == []
