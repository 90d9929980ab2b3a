# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab with many repositories: `python -m tests.bench.lab FOLDER REPOSITORIES [AUTHORITY]`, by .venv-lab's Python.

They exist from the start. And two calls answer in pages, as on AWS: MiniStack's DescribeRepositories leaves out
what does not fit into the first page, its GetResources has one page for all. A file `limit` in its folder says how many
calls a second that ECR accepts; it throttles the others.
"""

from __future__ import annotations

import json
import os
import pathlib
import sys
import time
from collections.abc import Callable
from typing import Any

from tests.lab import accounts, pages, server

# MiniStack is imported once its settings are in the environment.
from ministack.core import responses  # isort: skip
from ministack.services import ecr, tagging  # isort: skip

from . import names

Handler = Callable[[dict[str, Any]], Any]
LIMIT = "limit"
#: Entries of a page where the caller does not say how many.
PAGE = 100


def in_pages(
    every: Callable[[dict[str, Any]], list[Any]], key: str, token: str, size: str, shape: Callable[[Any], Any]
) -> Handler:
    """A handler that answers a page of what there is and where the next one begins.

    The list is read for the first page only: 100,000 repositories have 1,000 pages.
    """
    listings: dict[str, list[Any]] = {}

    def answer(data: dict[str, Any]) -> Any:
        listing, _separator, offset = str(data.get(token) or f"{len(listings)}:0").partition(":")
        start, length = int(offset), int(data.get(size) or PAGE)
        if not start:
            listings[listing] = every(data)
        entries = listings[listing]
        page = {key: [shape(entry) for entry in entries[start : start + length]]}
        more = {token: f"{listing}:{start + length}"} if start + length < len(entries) else {}
        return responses.json_response({**page, **more})

    return answer


def repositories() -> list[dict[str, Any]]:
    """Those of the caller; MiniStack's own way to them takes as long as a call, for each page."""
    mine = ecr._repositories._prefix()
    return [value for key, value in list(ecr._repositories._data.items()) if key[:2] == mine]


def tagged(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Those of the caller that carry a tag, and what the filters ask for."""
    entries = [
        (repository, {tag["Key"]: tag["Value"] for tag in repository["tags"]})
        for repository in repositories()
        if repository["tags"]
    ]
    for filter_ in data.get("TagFilters", []):
        entries = [(entry, tags) for entry, tags in entries if tags.get(filter_["Key"]) in filter_["Values"]]
    return [entry for entry, _tags in entries]


def install() -> None:
    """Put the pages into MiniStack, and the pages of repositories in the place of those of the lab."""
    get_others, install_pages = tagging._HANDLERS["GetResources"], pages.install
    describe = in_pages(lambda _data: repositories(), "repositories", "nextToken", "maxResults", ecr._repo_shape)

    def install_ours() -> None:
        install_pages()
        named = ecr._describe_repositories
        ecr._describe_repositories = lambda data: (named if data.get("repositoryNames") else describe)(data)

    pages.install = install_ours
    get = in_pages(
        tagged,
        "ResourceTagMappingList",
        "PaginationToken",
        "ResourcesPerPage",
        lambda repository: {"ResourceARN": repository["repositoryArn"], "Tags": repository["tags"]},
    )
    tagging._HANDLERS["GetResources"] = lambda data: (
        get if data.get("ResourceTypeFilters") == ["ecr:repository"] else get_others
    )(data)


def throttle(limit: pathlib.Path) -> None:
    """Limit ECR to the number of calls a second in the file, as soon as the file exists.

    Unused calls of a second are added to the next one.
    """
    handle, tokens, filled = ecr.handle_request, 0.0, 0.0

    async def limited(*request: Any) -> Any:
        nonlocal tokens, filled
        if limit.exists():
            rate, now = float(limit.read_text()), time.monotonic()
            tokens, filled = min(rate, tokens + (now - (filled or now)) * rate), now
            if tokens < 1:
                return responses.error_response_json("ThrottlingException", "Rate exceeded", 400)
            tokens -= 1
        return await handle(*request)

    ecr.handle_request = limited


def seed(total: int) -> None:
    """Make the repositories of the bench in the owner account."""
    responses._request_account_id.set(accounts.OWNER)
    responses.set_request_region(accounts.REGION)
    shared = set(names.shared(total))
    for name in names.names(total):
        tags = {**names.KNOWN_BY, **(names.SHARED_BY if name in shared else {})}
        created = [{"Key": key, "Value": value} for key, value in tags.items()]
        status, _headers, body = ecr._create_repository({"repositoryName": name, "tags": created})
        assert status == 200, json.loads(body)


def main(folder: pathlib.Path, total: int, authority: str | None) -> None:
    os.umask(0o077)
    folder.mkdir(parents=True)
    seed_lab = accounts.seed

    def seed_both(endpoint: str) -> dict[str, tuple[str, str]]:
        keys = seed_lab(endpoint)
        seed(total)
        return keys

    accounts.seed = seed_both
    install()
    throttle(folder / LIMIT)
    server.serve(folder, authority)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None)
