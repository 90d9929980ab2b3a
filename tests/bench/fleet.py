# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.bench.fleet [--accounts 40] [--against DIRECTORY]`: a whole organization is shared and unshared.

Each account is reached by its own role, from an inventory that asks AWS Organizations; one of them has two regions.
No latency is added: the measurement includes the work of this machine only, which also runs the lab. With `--against`,
a checkout
of another commit does the same in turns with this one, on the same accounts, and the ratio of the two is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import signal
import statistics
import sys
import tempfile
import time

from tests.lab import accounts
from tests.support.control import Control, Run
from tests.support.fleet import Fleet
from tests.support.lab import Lab, lab_command
from tests.support.paths import ROOT

#: The work, and its playbook. Each run of all three ends where it began.
WORK = {"everything to do": "share", "nothing to do": "share", "unshare": "unshare"}


def collections(checkout: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """A folder of collections that has the collection of a checkout."""
    link = folder / "ansible_collections/crossaccount/ecr"
    link.parent.mkdir(parents=True)
    link.symlink_to(checkout)
    return folder


def run(fleet: Fleet, checkout: pathlib.Path, playbook: str, forks: str) -> Run:
    """The same share in every account that can be reached."""
    return fleet.playbook(
        str(checkout / f"playbooks/{playbook}.yml"),
        "owner",
        *("-i", str(checkout / "docs/examples/fleet"), "--limit", f"!{fleet.closed.host}", "--forks", forks),
        ecr_share_hosts="owners",
        ecr_share_role_name="fleet",
        ecr_share_repository_tags={"environment": "release"},
        ecr_share_repositories=["release"],
        ecr_share_consumers=[{"account": accounts.CONSUMER, "external_id": "7c2f4e0b-share"}],
    )


def measure(fleet: Fleet, checkouts: dict[pathlib.Path, pathlib.Path], forks: str, runs: int) -> None:
    """Print what each checkout takes for each kind of work, and the ratio of the first one to the second one.

    :param checkouts: each with its folder of collections
    """
    taken: dict[tuple[str, pathlib.Path], list[float]] = {}
    for _run in range(runs):
        for checkout, path in checkouts.items():
            os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(path)
            for work, playbook in WORK.items():
                began = time.monotonic()
                ran = run(fleet, checkout, playbook, forks)
                taken.setdefault((work, checkout), []).append(time.monotonic() - began)
                assert ran.code == 0, ran
    for work in WORK:
        facts = {"work": work, "accounts": len(fleet.open), "forks": int(forks), "cores": os.cpu_count(), "runs": runs}
        ours, *others = (statistics.median(taken[work, checkout]) for checkout in checkouts)
        compared = {"against": round(others[0], 1), "ratio": round(ours / others[0], 2)} if others else {}
        print(json.dumps({**facts, "seconds": round(ours, 1), **compared}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.fleet", description=__doc__)
    parser.add_argument("--accounts", type=int, default=40)
    parser.add_argument("--forks", type=lambda text: text.split(","), default=["5", "10", "20"], metavar="N,N")
    parser.add_argument("--runs", type=int, default=1, help="of each checkout; default: 1")
    parser.add_argument("--against", type=pathlib.Path, metavar="DIRECTORY", help="a checkout of another commit")
    options = parser.parse_args()
    # SIGTERM ends the lab, too.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="bench-") as root:
        folder = pathlib.Path(root, "lab")
        compared = [ROOT, *([options.against.resolve()] if options.against else [])]
        checkouts = {
            checkout: collections(checkout, pathlib.Path(root, f"collections-{number}"))
            for number, checkout in enumerate(compared)
        }
        lab_command("up", folder)
        try:
            fleet = Fleet(Control(Lab(folder), pathlib.Path(root)), options.accounts)
            for forks in options.forks:
                measure(fleet, checkouts, forks, options.runs)
        finally:
            lab_command("down", folder)


if __name__ == "__main__":
    main()
