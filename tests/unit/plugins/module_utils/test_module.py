"""How a module ends: never with a traceback at a user."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import result_of


def raising(error: Exception) -> Any:
    def run() -> dict[str, Any]:
        raise error

    return run


def test_a_result_passes() -> None:
    assert result_of(lambda: {"changed": True}) == {"changed": True}


def test_an_error_for_the_user_keeps_its_facts() -> None:
    assert result_of(raising(EcrError("No.", denial="x"))) == {"failed": True, "msg": "No.", "denial": "x"}


def test_an_error_of_the_host_is_shown() -> None:
    result = result_of(raising(PermissionError(13, "Permission denied", "/srv/images")))
    assert result == {
        "failed": True,
        "msg": "This host reports an error: [Errno 13] Permission denied: '/srv/images'. Correct it and run again.",
    }


def test_an_exception_of_any_other_class_is_one_message() -> None:
    result = result_of(raising(ZeroDivisionError("division\nby zero")))
    assert result["failed"]
    assert re.sub(r"line \d+", "line N", result["msg"]) == (
        "Unexpected error in result_of (_module.py, line N): ZeroDivisionError: division by zero. If a proxy or"
        " endpoint_url is set, check that the response comes from AWS. Otherwise, report this message as a bug of"
        " crossaccount.ecr."
    )
