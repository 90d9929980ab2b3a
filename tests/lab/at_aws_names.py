# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab at AWS's own host names: `python -m tests.lab at-aws-names -- COMMAND` (as root, by .venv-lab's Python).

COMMAND runs in private mount, network and process namespaces. In these namespaces, the names of `host_names` resolve to
the lab on port 443, only the certificate authority of this run is trusted, and the only network is loopback. Nothing
outside the namespaces changes. When COMMAND ends, every process that it started is killed. The exit status is that of
COMMAND.

The profiles are the lab's (`AWS_PROFILE=owner`), without `endpoint_url`: clients find AWS's names by themselves.

In a test, several commands use one lab:

    with at_aws_names.answering(folder, LAB_PYTHON) as inside:
        subprocess.run([*inside, "aws", "sts", "get-caller-identity"], env={**os.environ, **environment(folder)})

The commands start in ROOT. Programs that they leave running, such as dockerd, run until the block ends. Clients that
use the lab's profiles need `environment`. The request log is in `folder`.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from . import accounts, state

ROOT = pathlib.Path(__file__).parents[2]
DEADLINE = 300.0  # seconds; a start takes about two
#: In `folder`: the files that replace /etc/hosts and the system's certificates, and the lab's own key.
HOSTS, TRUSTED, CERTIFICATE, KEY = "hosts", "trusted", "certificate.pem", "key.pem"
SYSTEM_TRUSTED = "/etc/ssl/certs"
BUNDLE = "ca-certificates.crt"


def registry(account: str, region: str = accounts.REGION) -> str:
    """The host name of an account's registry."""
    return f"{account}.dkr.ecr.{region}.amazonaws.com"


def dual_stack(account: str, region: str = accounts.REGION) -> str:
    """The dual-stack host name of an account's registry."""
    return f"{account}.dkr-ecr.{region}.on.aws"


def host_names(region: str = accounts.REGION) -> list[str]:
    """The host names of the lab."""
    return [
        *(f"{service}.{region}.amazonaws.com" for service in ("api.ecr", "sts", "tagging")),
        *(f"{service}.amazonaws.com" for service in ("sts", "iam")),
        *(registry(account, region) for account in (accounts.OWNER, accounts.CONSUMER, accounts.STRANGER)),
        dual_stack(accounts.OWNER, region),
    ]


def environment(folder: pathlib.Path) -> dict[str, str]:
    """Variables for clients in the namespaces: the lab's profiles, and the certificates for botocore."""
    return {
        "AWS_CONFIG_FILE": str(folder / state.CONFIG),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / state.CREDENTIALS),
        "AWS_CA_BUNDLE": f"{SYSTEM_TRUSTED}/{BUNDLE}",
    }


@contextlib.contextmanager
def answering(folder: pathlib.Path, python: pathlib.Path | str = sys.executable) -> Iterator[list[str]]:
    """Start a lab in private namespaces. Yields the words that run a command there when they precede it.

    :param folder: the folder of this lab, created if it does not exist
    :param python: a Python with MiniStack
    """
    _check()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / state.ENVIRONMENT).unlink(missing_ok=True)
    _write_hosts(folder)
    _certify(folder)
    private = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    with (folder / state.SERVER_LOG).open("w") as log:
        namespaces = subprocess.Popen(
            # The namespaces end with this process, even if it is killed.
            ["setpriv", "--pdeathsig", "KILL", *private, python, "-m", "tests.lab.named", folder],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_until_ready(folder, namespaces)
        of = f"/proc/{namespaces.pid}/ns/pid_for_children"
        yield ["nsenter", f"--target={namespaces.pid}", "--mount", "--net", f"--pid={of}", f"--wdns={ROOT}", "--"]
    finally:
        _end(namespaces)
    deviations = state.misfits(folder)
    assert not deviations, f"The lab's responses deviate from the models of AWS:\n{deviations}"


def _check() -> None:
    if os.geteuid() != 0:
        raise SystemExit("at-aws-names makes namespaces, which only root may: run it as root.")
    missing = [name for name in ("openssl", "unshare", "nsenter", "setpriv") if shutil.which(name) is None]
    if not pathlib.Path(SYSTEM_TRUSTED).is_dir():
        missing.append("ca-certificates")
    if missing:
        raise SystemExit(
            f"at-aws-names needs {', '.join(missing)}: install Debian's openssl, ca-certificates and util-linux."
        )


def _write_hosts(folder: pathlib.Path) -> None:
    _readable(folder / HOSTS, "".join(f"127.0.0.1 {name}\n" for name in ("localhost", *host_names())))


def _certify(folder: pathlib.Path) -> None:
    """Create a certificate authority and the lab's certificate. The key of the authority is deleted."""
    authority, authority_key = folder / "ca.pem", folder / "ca-key.pem"
    names = ",".join(f"DNS:{name}" for name in host_names())
    by = ["-CA", str(authority), "-CAkey", str(authority_key), "-addext", "basicConstraints=critical,CA:FALSE"]
    _openssl(authority, authority_key, "-subj", "/CN=The lab's authority", "-addext", "keyUsage=critical,keyCertSign")
    _openssl(folder / CERTIFICATE, folder / KEY, "-subj", "/CN=The lab", *by, "-addext", f"subjectAltName={names}")
    authority_key.unlink()
    (folder / TRUSTED).mkdir(exist_ok=True)
    (folder / TRUSTED).chmod(0o755)
    _readable(folder / TRUSTED / BUNDLE, authority.read_text())


def _openssl(certificate: pathlib.Path, key: pathlib.Path, *words: str) -> None:
    new = ["openssl", "req", "-x509", "-nodes", "-days", "7", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    subprocess.run([*new, *words, "-out", certificate, "-keyout", key], check=True, capture_output=True)


def _readable(path: pathlib.Path, text: str) -> None:
    """Let every user in the namespaces read a file."""
    path.write_text(text)
    path.chmod(0o644)


def _wait_until_ready(folder: pathlib.Path, namespaces: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not (folder / state.ENVIRONMENT).exists():
        if namespaces.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"The lab did not start:\n{(folder / state.SERVER_LOG).read_text().strip()}")
        time.sleep(0.05)


def _end(namespaces: subprocess.Popen[bytes]) -> None:
    """Kill process 1 of the namespaces. The kernel then kills all others before the wait for process 1 returns."""
    children = pathlib.Path(f"/proc/{namespaces.pid}/task/{namespaces.pid}/children")
    with contextlib.suppress(OSError, ValueError):
        os.kill(int(children.read_text()), signal.SIGKILL)
        namespaces.wait(300)
    namespaces.kill()
    namespaces.wait()


def main(words: list[str]) -> int:
    """Run the command after `--`. Returns its exit status."""
    if len(words) < 2 or words[0] != "--":
        raise SystemExit("usage: python -m tests.lab at-aws-names -- COMMAND [ARGUMENT ...]")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="lab-") as name:
        folder = pathlib.Path(name)
        with answering(folder) as inside:
            # Not run(), which would kill nsenter before what it runs: the kernel then takes a second more to end that.
            status = subprocess.Popen([*inside, *words[1:]], env={**os.environ, **environment(folder)}).wait()
    return status if status >= 0 else 128 - status
