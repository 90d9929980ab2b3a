"""How a module ends: never with a traceback at a user."""

from __future__ import annotations

from typing import Any

import pytest
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


def test_what_the_host_refuses_is_said() -> None:
    result = result_of(raising(PermissionError(13, "Permission denied", "/srv/images")))
    assert result == {
        "failed": True,
        "msg": "This host refused it: [Errno 13] Permission denied: '/srv/images'. Mend that and run again.",
    }


def test_a_defect_of_ours_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        result_of(raising(ZeroDivisionError()))
