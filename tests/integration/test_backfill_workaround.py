# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of the guide that copy existing images without a backfill, run by the real skopeo."""

from __future__ import annotations

import base64
import os
import pathlib
import subprocess

import pytest

from tests.lab import accounts
from tests.lab.replication_copies import digests, fill
from tests.support.control import Control
from tests.support.paths import ROOT

PAGE = ROOT / "docs/docsite/rst/backfill.rst"
HOSTS = {"SOURCE": accounts.OWNER, "DESTINATION": accounts.CONSUMER}
PROFILES = ("owner", "consumer-administrator")


def commands() -> str:
    """The commands on the page that copy images."""
    after = PAGE.read_text(encoding="utf-8").partition("test_backfill_workaround.py runs the commands")[2]
    lines = after.partition(".. code-block:: shell")[2].splitlines()[2:]
    end = next(number for number, line in enumerate(lines) if line and not line.startswith("   "))
    return "\n".join(line.removeprefix("   ") for line in lines[:end])


@pytest.fixture
def programs(control: Control, tmp_path: pathlib.Path, skopeo: str) -> dict[str, str]:
    """A PATH in which `aws` prints a password of the lab, and skopeo accepts the lab without TLS."""
    for profile in PROFILES:
        data = control.lab.client(profile, "ecr").get_authorization_token()["authorizationData"][0]
        password = base64.b64decode(data["authorizationToken"]).decode().partition(":")[2]
        (tmp_path / profile).write_text(password)
    # The fourth and last word of `aws ecr get-login-password --profile NAME` is the name of the profile.
    (tmp_path / "aws").write_text(f'#!/bin/sh\ncat "{tmp_path}/$4"\n')
    (tmp_path / "skopeo").write_text(
        f"""#!/bin/sh
case $1 in
  login) exec {skopeo} "$@" --tls-verify=false ;;
  *) exec {skopeo} "$@" --src-tls-verify=false --dest-tls-verify=false ;;
esac
"""
    )
    for name in ("aws", "skopeo"):
        (tmp_path / name).chmod(0o700)
    return {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path)}


@pytest.mark.engine
def test_the_commands_of_the_guide_copy_all_image_tags(
    control: Control, programs: dict[str, str], tmp_path: pathlib.Path
) -> None:
    owner, consumer = (control.lab.client(profile, "ecr") for profile in PROFILES)
    name = fill(control.lab, owner, "workaround", 3)
    consumer.create_repository(repositoryName=name)
    host, text = control.lab.endpoint.partition("://")[2], commands()
    for variable, account in HOSTS.items():
        assert f"{variable}={account}.dkr.ecr.ap-northeast-1.amazonaws.com\n" in text
        text = text.replace(f"{account}.dkr.ecr.ap-northeast-1.amazonaws.com", host)
    text = text.replace("$SOURCE/release $DESTINATION", f"$SOURCE/{name} $DESTINATION/workaround")
    command = ["bash", "-euo", "pipefail", "-c", text]
    done = subprocess.run(command, cwd=tmp_path, env=programs, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    assert digests(consumer, name) == digests(owner, name)
    assert not [*tmp_path.glob("*.json")]
