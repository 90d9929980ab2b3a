# SPDX-License-Identifier: GPL-3.0-or-later
"""Destinations of skopeo."""

from __future__ import annotations

import re

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._destination import (
    destination_of,
    destination_problems,
    expand_destination,
    is_destination,
    split_destination,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import parse_reference

from tests.unit.fake_programs import (
    DEST,
    DIGEST,
)


@pytest.mark.parametrize(
    ("dest", "expanded"),
    [
        ("~/images", "/home/you/images"),
        ("/srv/~", "/srv/~"),
        ("docker-archive:~/{repository}.tar:app:v1", "docker-archive:/home/you/{repository}.tar:app:v1"),
        ("dir:~/images", "dir:/home/you/images"),
        ("oci:/srv/images:v1", "oci:/srv/images:v1"),
        ("docker://~mirror/app:v1", "docker://~mirror/app:v1"),
    ],
)
def test_home_directory_in_a_destination_is_expanded(dest: str, expanded: str) -> None:
    def expand(path: str) -> str:
        return f"/home/you{path[1:]}" if path.startswith("~") else path

    assert expand_destination(dest, expand) == expanded


@pytest.mark.parametrize(
    ("dest", "filled"),
    [
        ("oci:/srv/{repository}:{image_tag}", ["oci:/srv/team/app:v1", "oci:/srv/team/app:v2"]),
        ("dir:/srv/{image_tag}-{image_tag}", ["dir:/srv/v1-v1", "dir:/srv/v2-v2"]),
        ("docker://mirror/{other}:{image_tag}", ["docker://mirror/{other}:v1", "docker://mirror/{other}:v2"]),
    ],
)
def test_a_destination_is_filled_in_for_each_image(dest: str, filled: list[str]) -> None:
    images = ["team/app:v1", f"team/app:v2@{DIGEST}"]
    references = [parse_reference(image) for image in images]
    assert list(destination_problems(dest, references)) == []
    assert [destination_of(dest, reference) for reference in references] == filled


@pytest.mark.parametrize(
    ("dest", "images", "problems"),
    [
        (
            DEST,
            ["a/b:v1", "a/c:v1", "a/d:v1"],
            [
                f"Image a/{item}:v1 would be copied to {DEST}, like another image. Use {{repository}} in dest."
                for item in "cd"
            ],
        ),
        (
            "oci:{repository}:{image_tag}",
            ["a/b:v1", f"a/c@{DIGEST}"],
            [f"Image a/c@{DIGEST} has no image tag for the {{image_tag}} in dest. Write one before the digest."],
        ),
    ],
)
def test_destination_problem_is_reported_for_every_image(dest: str, images: list[str], problems: list[str]) -> None:
    assert list(destination_problems(dest, [parse_reference(image) for image in images])) == problems


@pytest.mark.parametrize("dest", [None, "/srv/image"])
def test_skopeo_needs_a_transport(dest: str | None) -> None:
    (problem,) = destination_problems(dest, [parse_reference("a/b:v1")])
    assert problem.startswith("Engine skopeo needs a dest with its transport, such as docker-archive:")


@pytest.mark.parametrize(
    ("dest", "there"),
    [
        (None, False),
        ("", False),
        ("/srv/a:b", False),
        ("./a:b", False),
        ("C:/image", False),
        ("1:x", False),
        ("containers-storage:app", True),
        ("docker-daemon:app:v1", True),
    ],
)
def test_a_destination_begins_with_a_transport(dest: str | None, there: bool) -> None:
    assert is_destination(dest) is there


@pytest.mark.parametrize(
    ("destination", "parts"),
    [
        ("dir:/srv/images", ("dir", "/srv/images", "")),
        ("dir:/srv/with:colon", ("dir", "/srv/with:colon", "")),
        ("oci:/srv/images:app:v1", ("oci", "/srv/images", ":app:v1")),
        ("oci-archive:/srv/a.tar", ("oci-archive", "/srv/a.tar", "")),
        ("docker-archive:/srv/a.tar:app:v1", ("docker-archive", "/srv/a.tar", ":app:v1")),
        ("docker://mirror.example.com/app:v1", ("docker", None, "//mirror.example.com/app:v1")),
    ],
)
def test_the_parts_of_a_destination(destination: str, parts: tuple[str, str | None, str]) -> None:
    assert split_destination(destination) == parts


@pytest.mark.parametrize("transport", ["dir", "docker-archive"])
def test_two_images_for_one_destination_are_rejected(transport: str) -> None:
    images = [parse_reference("app:v1"), parse_reference("app:v2")]
    name = "" if transport == "dir" else ":app:{image_tag}"
    (problem,) = destination_problems(f"{transport}:/srv/image{name}", images)
    assert re.match(r"Image app:v2 would be copied to .*, like another image", problem)
    assert not list(destination_problems(f"{transport}:/srv/{{image_tag}}{name}", images))
    assert not list(destination_problems("oci:/srv/image:{image_tag}", images))


@pytest.mark.parametrize(
    ("dest", "beginning"),
    [
        (
            "containers-storage:[overlay@/srv+/run:overlay.mount_program=/tmp/x]app",
            "dest '{}' has options of a storage",
        ),
        ("containers-storage:[overlay]app:v1", "dest '{}' has options of a storage"),
        ("ostree:app@/srv", "dest '{}' has the transport ostree. Choose one of dir, oci, "),
        ("containers-storage:app:v1", ""),
        ("docker://mirror.example.com/[app]", ""),
        ("dir:/srv/[app]", ""),
    ],
)
def test_only_known_transports_without_options_are_accepted(dest: str, beginning: str) -> None:
    """Options of a storage can name programs, which skopeo runs."""
    problems = list(destination_problems(dest, [parse_reference("app:v1")]))
    assert len(problems) == bool(beginning)
    assert all(problem.startswith(beginning.format(dest)) for problem in problems)
