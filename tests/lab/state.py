# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a running lab, all in one folder."""

from __future__ import annotations

import json
import os
import pathlib
from typing import Any

from . import accounts

CONFIG, CREDENTIALS, ENVIRONMENT = "aws-config", "aws-credentials", "env"
PID, SERVER_LOG, REQUEST_LOG = "pid", "server.log", "requests.jsonl"
#: The address of the lab, without a proxy.
ENDPOINT = "endpoint"
#: While this file exists, the lab appends each secret that it issues. Tests search for these secrets.
SECRETS = "secrets"
#: While this file exists, writes are delayed, see `propagation`.
PROPAGATION = "propagation"
#: The deviations from the models of AWS, see `validation`.
MISFITS = "misfits"
#: The address of the VPC endpoint, and the policy that a test sets for it, see `endpoint_policy`.
VPC_ENDPOINT, ENDPOINT_POLICY = "vpc-endpoint", "vpc-endpoint-policy"
#: The failures that a test chooses for repositories, images and layers, see `pull_failures`.
PULL_FAILURES = "pull-failures"
#: While this file exists, no image is copied to another registry, see `replication`.
REPLICATION_HELD = "replication-held"
#: The dates that a test chooses for roles, see `account_details`.
ROLE_DATES = "role-dates"
#: The time that a test sets, see `clock`.
CLOCK = "clock"
#: Calls that change nothing; every other call is a write.
READS = ("Get", "List", "Describe", "BatchGet", "BatchCheck", "Simulate", "Validate", "AssumeRole")


def write(folder: pathlib.Path, endpoint: str, keys: dict[str, tuple[str, str]]) -> None:
    """Write the AWS configuration. `env` is the last file; it shows that the lab is ready."""
    profiles = [
        f"[profile {profile}]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n"
        f"region = {accounts.REGION}\nendpoint_url = {endpoint}\n"
        for profile, (key, secret) in keys.items()
    ]
    _private(folder / CONFIG, "\n".join(profiles))
    _private(folder / CREDENTIALS, f"# Nothing here: the lab's profiles are in {CONFIG}.\n")
    _private(
        folder / ENVIRONMENT,
        f"export AWS_CONFIG_FILE='{folder / CONFIG}'\nexport AWS_SHARED_CREDENTIALS_FILE='{folder / CREDENTIALS}'\n",
    )


def write_pid(folder: pathlib.Path) -> None:
    """Write the PID of this process, which is a lab."""
    _private(folder / PID, str(os.getpid()))


def ready(folder: pathlib.Path) -> bool:
    """Whether the lab in `folder` runs and has written its configuration."""
    return running(folder) is not None and (folder / ENVIRONMENT).exists()


def running(folder: pathlib.Path) -> int | None:
    """The PID of the lab's server, if that process runs and is a lab."""
    try:
        pid = int((folder / PID).read_text())
        # PIDs are reused, so only a process that runs this module is stopped.
        command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return pid if b"tests.lab" in command else None


def requests(folder: pathlib.Path) -> list[dict[str, Any]]:
    """The request log: `call` (`ecr:TagResource`), `status`, `access_key_id`, `time`."""
    lines = (folder / REQUEST_LOG).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def misfits(folder: pathlib.Path) -> str:
    """The deviations of the lab's responses from the models of AWS, one on each line."""
    file = folder / MISFITS
    return file.read_text(encoding="utf-8") if file.exists() else ""


def is_write(call: str) -> bool:
    """Whether a logged call changes anything in an account."""
    service, _colon, operation = call.partition(":")
    # A registry request may have a digest in its path.
    return bool(operation) and " " not in service and not operation.startswith(READS)


def _private(path: pathlib.Path, text: str) -> None:
    temporary = path.with_name(path.name + ".new")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)
