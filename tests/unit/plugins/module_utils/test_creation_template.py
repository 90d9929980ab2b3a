# SPDX-License-Identifier: GPL-3.0-or-later
"""The writes of a creation template while another program writes it, and after a lost response."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _creation_template
from ansible_collections.crossaccount.ecr.plugins.module_utils._creation_template import read_template, write_template
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_plan import Template
from botocore.exceptions import ClientError, EndpointConnectionError

from tests.unit.aws_answers import stubbed_client

TEMPLATE = Template("team", ("REPLICATION",))
OTHER = dataclasses.replace(TEMPLATE, mutability="IMMUTABLE")
LOST = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")


def aws_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "CreateRepositoryCreationTemplate")


class Ecr:
    """A registry whose writes raise an error, after another program has left a template or none."""

    def __init__(self, error: Exception | None = None, left: Template | None = None) -> None:
        self.meta = stubbed_client("ecr").meta
        self.error, self.left = error, left
        self.create_repository_creation_template = self._write
        self.update_repository_creation_template = self._write
        self.delete_repository_creation_template = self._write

    def _write(self, **_request: object) -> None:
        if self.error:
            raise self.error

    def get_paginator(self, _name: str) -> Any:
        listed = [self.left.request(None)] if self.left else []
        page = {"repositoryCreationTemplates": listed}
        return types.SimpleNamespace(paginate=lambda: [page])


def changed(write: Callable[[], None]) -> tuple[str, object]:
    """The message of the error, and its fact `changed`."""
    with pytest.raises(EcrError) as caught:
        write()
    return str(caught.value), caught.value.facts.get("changed")


@pytest.mark.parametrize("prefix", ["team", "team/"])
def test_template_is_found_with_and_without_a_slash(prefix: str) -> None:
    left = dataclasses.replace(TEMPLATE, prefix=prefix)
    assert read_template(Ecr(left=left), "team") == left
    assert read_template(Ecr(left=left), "tea") is None


def test_repeated_creation_after_a_lost_response() -> None:
    write_template(Ecr(aws_error("TemplateAlreadyExistsException"), TEMPLATE), None, TEMPLATE)


def test_creation_by_another_program_is_reported() -> None:
    ecr = Ecr(aws_error("TemplateAlreadyExistsException"), OTHER)
    message, _changed = changed(lambda: _creation_template._write(ecr, None, TEMPLATE))
    assert message.startswith("Repository creation template team was created by another program")
    with pytest.raises(ClientError):
        write_template(Ecr(aws_error("LimitExceededException")), None, TEMPLATE)


def test_deletion_of_a_deleted_template() -> None:
    write_template(Ecr(aws_error("TemplateNotFoundException")), TEMPLATE, None)
    write_template(Ecr(aws_error("unused")), None, None)
    with pytest.raises(ClientError):
        write_template(Ecr(aws_error("ServerException")), TEMPLATE, None)


@pytest.mark.parametrize(
    ("error", "left", "expected"),
    [
        (LOST, OTHER, True),
        (LOST, TEMPLATE, False),
        (aws_error("AccessDeniedException"), OTHER, False),
    ],
)
def test_failed_update_reports_whether_it_was_applied(error: Exception, left: Template, expected: bool) -> None:
    assert changed(lambda: _creation_template._write(Ecr(error, left), TEMPLATE, OTHER))[1] is expected
