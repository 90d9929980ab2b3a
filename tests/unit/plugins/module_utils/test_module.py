# SPDX-License-Identifier: GPL-3.0-or-later
"""How a module ends: never with a traceback at a user."""

from __future__ import annotations

import base64
import hashlib
import pathlib
import re
from typing import Any

import botocore.exceptions
import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import capture_result, run_and_exit, warn
from ansible_collections.crossaccount.ecr.plugins.module_utils._secrets import KNOWN, MASK, PART


def raising(error: Exception) -> Any:
    def run() -> dict[str, Any]:
        raise error

    return run


def test_a_result_passes() -> None:
    assert capture_result(lambda: {"changed": True}) == {"changed": True}


def test_an_error_for_the_user_keeps_its_facts() -> None:
    assert capture_result(raising(EcrError("No.", denial="x"))) == {"failed": True, "msg": "No.", "denial": "x"}


def test_an_error_of_the_host_is_shown() -> None:
    result = capture_result(raising(PermissionError(13, "Permission denied", "/srv/images")))
    assert result == {
        "failed": True,
        "msg": "This host reports an error: [Errno 13] Permission denied: '/srv/images'. Correct it and run again.",
    }


def test_an_exception_of_any_other_class_is_one_message() -> None:
    result = capture_result(raising(ZeroDivisionError("division\nby zero")))
    assert result["failed"]
    assert re.sub(r"in \w+ \(\w+\.py, line \d+\)", "in PLACE", result["msg"]) == (
        "Unexpected error in PLACE: ZeroDivisionError: division by zero. If a proxy or endpoint_url is set, check that"
        " the response comes from AWS. Otherwise, report this message as a bug of crossaccount.ecr."
    )


SECRET = base64.b64encode(hashlib.sha512(b"token").digest()).decode()
BROKEN = f"{SECRET}\n"


@pytest.mark.parametrize(
    "error",
    [
        EcrError(f"No {SECRET}", denial=SECRET),
        botocore.exceptions.HTTPClientError(error=ValueError(f"Invalid header value {BROKEN.encode()!r}")),
        OSError(f"no such file {SECRET}"),
        ValueError(SECRET),
    ],
)
def test_an_error_shows_no_secret(error: Exception) -> None:
    KNOWN.add(BROKEN)
    result = capture_result(raising(error))
    assert result["failed"] is True
    assert SECRET[:PART] not in str(result)
    assert MASK in result["msg"]


def test_a_result_shows_no_secret() -> None:
    KNOWN.add(SECRET)
    assert capture_result(lambda: {"diff": [{"before": SECRET, "after": "x"}]}) == {
        "diff": [{"before": MASK, "after": "x"}]
    }


def test_the_secrets_of_the_options_are_known() -> None:
    module = FakeModule({"secret_key": SECRET, "session_token": None})
    run_and_exit(module, lambda module: {"msg": f"used {module.params['secret_key']}"})
    assert module.result == {"msg": f"used {MASK}"}


def test_a_warning_shows_no_secret() -> None:
    module = FakeModule({})
    KNOWN.add(SECRET)
    warn(module, [f"replaces {SECRET}", "other"])
    assert module.warnings == [f"replaces {MASK}", "other"]


def test_every_warning_passes_through_the_filter() -> None:
    plugins = pathlib.Path(__file__).parents[4] / "plugins"
    direct = [file.name for file in plugins.rglob("*.py") if "module.warn(" in file.read_text(encoding="utf-8")]
    assert direct == ["_module.py"]


class FakeModule:
    check_mode, tmpdir = False, "/nowhere"

    def __init__(self, params: dict[str, Any]) -> None:
        self.params, self.warnings, self.result = params, list[str](), dict[str, Any]()

    def warn(self, warning: str) -> None:
        self.warnings.append(warning)

    def exit_json(self, **result: Any) -> Any:
        self.result = result

    def fail_json(self, msg: str, **result: Any) -> Any:
        self.result = {"failed": True, "msg": msg, **result}
