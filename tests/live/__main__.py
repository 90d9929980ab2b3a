# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.live`: the collection against two real AWS accounts, see docs/docsite/rst/live.rst.

Exit status 2 when it refuses to begin, and nothing was made.
"""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import secrets
import signal
import sys
import tempfile
import types
from collections.abc import Mapping
from typing import Any

import pytest

from .ground import FAILED, LONGEST_PREFIX, PREFIX, STOPPED_BY, Accounts, Live, unhurried

REFUSED = 2
WAIT_INTERVAL = 0.5  # seconds, as share.yml has it; the lab needs none
PLAN = """\
Owner account {owner} (profile {profiles[owner]}), consumer account {consumer} (profile {profiles[consumer]}), {region}.
In the owner account this makes, and deletes at the end:
  repositories      {repositories}
  role and policy   {role}
  a statement in the registry policy, whose other statements stay
In the consumer account it makes nothing.
Two of the repositories get an image of about a kilobyte, which is pulled a few times. ECR costs about 0.10 USD for a
GB and month, and about 0.09 USD for a GB that leaves AWS (https://aws.amazon.com/ecr/pricing/, by region); IAM and
STS are free. This takes some minutes, and stays far below a cent."""


class RefusedError(Exception):
    """Why the suite does not begin."""


def plugin(live: Live) -> types.ModuleType:
    """The fixtures of the suite. Without them, the suite has no accounts."""
    module = types.ModuleType("live_accounts")
    vars(module)["live"] = pytest.fixture(scope="session", name="live")(lambda: live)
    return module


def prepare(environment: Mapping[str, str], folder: pathlib.Path) -> Live:
    """The ground of a run, with nothing on it.

    :raises RefusedError: when this may not begin
    """
    prefix = environment.get("LIVE_PREFIX") or f"ecr-live-{secrets.token_hex(3)}"
    problems = [f"{name} is not set." for name in ("OWNER_PROFILE", "CONSUMER_PROFILE") if not environment.get(name)]
    if problems:
        problems.append("Name the AWS profiles of two accounts: make test-live OWNER_PROFILE=… CONSUMER_PROFILE=…")
    if len(prefix) > LONGEST_PREFIX or not PREFIX.fullmatch(prefix):
        problems.append(
            f"LIVE_PREFIX {prefix!r} needs lower-case letters and digits, with a letter first and single hyphens"
            f" between, {LONGEST_PREFIX} characters at most."
        )
    if problems:
        raise RefusedError(" ".join(problems))
    try:
        lab = Accounts(environment, environment["OWNER_PROFILE"], environment["CONSUMER_PROFILE"])
        if lab.owner == lab.consumer:
            profiles = " and ".join(lab.profiles.values())
            raise RefusedError(f"Profiles {profiles} are both of account {lab.owner}. Name profiles of two accounts.")
        live = Live(lab, folder, prefix, float(environment.get("LIVE_WAIT_INTERVAL", WAIT_INTERVAL)))
        existing = live.left()
    except FAILED as error:
        raise RefusedError(f"The accounts cannot be used: {error}") from None
    if existing:
        raise RefusedError(
            f"Account {lab.owner} has {', '.join(existing)}. Delete that, or choose another LIVE_PREFIX."
        )
    return live


def confirmed(environment: Mapping[str, str]) -> bool:
    if environment.get("LIVE_CONFIRM"):
        return environment["LIVE_CONFIRM"] == "yes"
    return sys.stdin.isatty() and input("Begin? [y/N] ").strip().lower() in ("y", "yes")


def run(live: Live) -> int:
    """Make, test, and take away again in every case; the exit status."""
    code = 1
    try:
        live.create()
        suite = pathlib.Path(__file__).with_name("suite.py")
        code = int(pytest.main(["-vv", "--no-header", str(suite)], plugins=[plugin(live)]))
    except FAILED as error:
        print(f"The repositories could not be made: {live.lab.masked(str(error))}", file=sys.stderr)
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
    finally:
        unhurried()
        print("Cleaning up.")
        left = live.remove()
    if left:
        print(f"Left in account {live.lab.owner}, delete it by hand: {'; '.join(left)}", file=sys.stderr)
    else:
        print(f"Nothing that begins with {live.names.prefix}- is left.")
    return code or int(bool(left))


def write(live: Live, path: pathlib.Path) -> None:
    """The answers, even if the run ended early."""
    when = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    answers = {question: live.lab.masked(answer) for question, answer in live.answers.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    found = {"when": when, "region": live.lab.region, "answers": answers}
    path.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"Answers: {path}")


def main(environment: Mapping[str, str]) -> int:
    with tempfile.TemporaryDirectory(prefix="live-") as folder:
        try:
            live = prepare(environment, pathlib.Path(folder))
            names: dict[str, Any] = {"repositories": ", ".join(live.names.repositories), "role": live.names.role}
            print(PLAN.format(**vars(live.lab), **names), flush=True)
            if not confirmed(environment):
                raise RefusedError("Not confirmed. Say LIVE_CONFIRM=yes, or answer y.")
        except RefusedError as refused:
            print(f"{refused} Nothing was made.", file=sys.stderr)
            return REFUSED
        code = run(live)
        write(live, pathlib.Path(environment.get("LIVE_ANSWERS", "build/live-answers.json")))
    return code


if __name__ == "__main__":
    for number in STOPPED_BY:
        signal.signal(number, signal.default_int_handler)  # a signal leads to the cleanup first
    sys.exit(main(dict(os.environ)))
