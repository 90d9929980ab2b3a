# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Selects the engine that pulls the images."""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._container_engine import (
    ContainerEngine,
    Docker,
    Podman,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._destination import (
    destination_of,
    destination_problems,
    is_destination,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._engine import Engine
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import Reference
from ansible_collections.crossaccount.ecr.plugins.module_utils._layout import Layout
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._platform import platform_of_host
from ansible_collections.crossaccount.ecr.plugins.module_utils._program import Program
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull_options import PullOptions
from ansible_collections.crossaccount.ecr.plugins.module_utils._skopeo import Skopeo
from ansible_collections.crossaccount.ecr.plugins.module_utils._stored_image import unsafe_destination_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._suggestion import sentence

#: The container engines in the order in which `auto` tries them.
_CONTAINER_ENGINES: dict[str, t.Callable[[str, str | None], ContainerEngine]] = {"docker": Docker, "podman": Podman}


def choose_engine(options: PullOptions, temporary: str) -> Engine:
    """The engine for the options.

    `auto` selects skopeo if `dest` is a destination of skopeo. Otherwise it selects the first engine of docker, podman
    and an OCI image layout that can be used.

    :param temporary: a folder for private files
    :raises EcrError: if the requested engine or `dest` cannot be used
    """
    wanted, dest, platform = options.engine, options.dest, options.platform
    if wanted == "skopeo" or (wanted == "auto" and is_destination(dest)):
        skopeo = Skopeo(temporary, dest or "", platform or platform_of_host(), bool(platform))
        _check(skopeo)
        _check_destinations(dest, options.references)
        return skopeo
    if wanted in _CONTAINER_ENGINES:
        engine = _CONTAINER_ENGINES[wanted](temporary, platform)
        _check(engine)
        return engine
    tried: list[str] = []
    for create in _CONTAINER_ENGINES.values() if wanted == "auto" else ():
        engine = create(temporary, platform)
        found = list(engine.connection_problems())
        if not found:
            return engine
        tried += found
    if not dest:
        reasons = " ".join(map(sentence, tried))
        raise EcrError(
            f"No container engine can be used on this host, and {option('dest')} is not set. {reasons} Start or install"
            f" docker or podman, or set {option('dest')} to a directory for an OCI image layout."
        )
    return Layout(dest, platform or platform_of_host(), bool(platform))


def _check(program: Program) -> None:
    for problem in program.connection_problems():
        next_step = "Start or repair it" if program.is_installed else "Install it"
        raise EcrError(
            f"Engine {program.name} cannot be used: {sentence(problem)} {next_step}, or choose another"
            f" {option('engine')}."
        )


def _check_destinations(dest: str | None, references: t.Sequence[Reference]) -> None:
    """Check the destination of each image, to report all problems before the first write."""
    problems = Problems()
    problems.extend(destination_problems(dest, references))
    if not problems.found:
        problems.extend(unsafe_destination_problems(destination_of(str(dest), reference) for reference in references))
    problems.check()
