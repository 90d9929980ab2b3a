# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Validates the options of a share for its hand-off. Standard library only."""

from __future__ import annotations

import fnmatch
import os.path
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import parse_reference, valid_references
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import repository_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import DeclaredHandoff


def declared_handoff(share: Json) -> DeclaredHandoff:
    """The declared hand-off of a share, without invalid images."""
    images, forms = valid_references(share["images"]), tuple(share["handoff_forms"])
    return DeclaredHandoff(share["handoff_path"] or None, tuple(share["denied"]), images, forms)


def handoff_declaration_problems(share: Json) -> t.Iterator[str]:
    """Problems with the options of a share for its hand-off."""
    yield from handoff_option_problems(share["images"], share["denied"], share["repositories"] or [])
    yield from handoff_path_problems(share["handoff_path"] or "", share["handoff_forms"])


def handoff_option_problems(
    images: t.Iterable[str], denied: t.Iterable[str], repositories: t.Sequence[str]
) -> t.Iterator[str]:
    """Problems with the images and the denied repositories of a share.

    The repository of each image must match a name or pattern that the share declares, because the hand-off lists the
    image for the consumer to pull. A denied repository must not match.

    :param repositories: the declared names and patterns; empty to skip the comparison
    """
    for image in images:
        try:
            repository = parse_reference(image).repository
        except EcrError as error:
            yield str(error)
            continue
        if repositories and not _is_declared(repository, repositories):
            yield (
                f"Image {image!r} is in repository {repository}, which this share does not declare. Add the repository"
                " to the share, or remove the image."
            )
    for name in denied:
        wrong = list(repository_problems(name))
        yield from (f"{option('denied')}: {problem}" for problem in wrong)
        if not wrong and _is_declared(name, repositories):
            yield f"Repository {name} is declared both as shared and as denied. Remove it from one of the two lists."


def _is_declared(repository: str, repositories: t.Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(repository, name) for name in repositories)


def handoff_path_problems(path: str, forms: t.Sequence[str] = ()) -> t.Iterator[str]:
    """Problems with the path of the hand-off file. This function does not access the file system.

    :param forms: the requested files for other tools
    """
    unprintable = [character for character in path if not character.isprintable()]
    if unprintable:
        yield (f"ecr_share_handoff_path {path!r} contains the unprintable character {unprintable[0]!r}. Remove it.")
    elif forms and not path:
        yield (
            f"ecr_share_handoff_forms requests {', '.join(forms)}, but no hand-off is written. Set"
            " ecr_share_handoff_path."
        )
    elif os.path.splitext(path)[1] == ".md":
        yield f"ecr_share_handoff_path {path} must not end in .md, the name of the page for people. Use .yml."
