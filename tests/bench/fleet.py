"""`python -m tests.bench.fleet [--accounts 40] [--forks 5,10,20]`: share.yml and unshare.yml over an organization.

Each account is reached by its own role, from an inventory that asks AWS Organizations; one of them has two regions.
Nothing is injected: what is measured is the work of this machine, which has the accounts as well.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import signal
import sys
import tempfile
import time

from tests.conftest import Lab, lab_command
from tests.integration.conftest import Control, Run
from tests.integration.test_fleet import EXAMPLES, Fleet
from tests.lab import accounts


def run(fleet: Fleet, playbook: str, forks: str) -> Run:
    """The same share in every account that can be reached."""
    return fleet.playbook(
        playbook,
        "owner",
        *("-i", str(EXAMPLES / "fleet"), "--limit", f"!{fleet.closed.host}", "--forks", forks),
        ecr_share_hosts="owners",
        ecr_share_role_name="fleet",
        ecr_share_repository_tags={"environment": "release"},
        ecr_share_repositories=["release"],
        ecr_share_consumers=[{"account": accounts.CONSUMER, "external_id": "7c2f4e0b-share"}],
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.fleet", description=__doc__)
    parser.add_argument("--accounts", type=int, default=40)
    parser.add_argument("--forks", type=lambda text: text.split(","), default=["5", "10", "20"], metavar="N,N")
    options = parser.parse_args()
    # Who is stopped stops the lab first.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="bench-") as root:
        folder = pathlib.Path(root, "lab")
        lab_command("up", folder)
        try:
            fleet = Fleet(Control(Lab(folder), pathlib.Path(root)), options.accounts)
            for forks in options.forks:
                for work, playbook in (("share", "share"), ("nothing to do", "share"), ("unshare", "unshare")):
                    began = time.monotonic()
                    ran = run(fleet, playbook, forks)
                    took = round(time.monotonic() - began, 1)
                    assert ran.code == 0, ran
                    facts = {"work": work, "accounts": options.accounts, "forks": int(forks), "cores": os.cpu_count()}
                    print(json.dumps({**facts, "seconds": took}), flush=True)
        finally:
            lab_command("down", folder)


if __name__ == "__main__":
    main()
