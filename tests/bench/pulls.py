"""The rows of images: how a pull compares with skopeo's and docker's own, and what twenty hosts cost.

The image of rows 8 and 9 comes from a registry that wants no token, without any latency. Neither side asks AWS: ours is
given the registry's URL and a token, as a host is with `credentials: controller`.
"""

from __future__ import annotations

import dataclasses
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from . import registry
from .ground import BIN, Command, Ground
from .rows import Pair, Row, Work, share

HOSTS = 20
IMAGE = "1 GiB in 10 layers"
TOKEN = "QVdTOnRva2Vu"  # AWS:token


def pull(ground: Ground, host: str, digest: str, check: bool = False, **options: Any) -> Command:
    """A playbook that pulls the image with our module, whose memory is measured."""
    arguments = {
        "registry_url": f"http://{host}",
        "registry_token": TOKEN,
        "images": [f"{registry.REPOSITORY}@{digest}"],
        **options,
    }
    command = ground.task(f"pull-{check}", "crossaccount.ecr.ecr_image_pull", arguments, check=check)
    python = ground.folder / "python"
    python.write_text(f'#!/bin/sh\nexec {shlex.join(ground.measured(sys.executable))} "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    return dataclasses.replace(command, words=[*command.words, "-e", f"ansible_python_interpreter={python}"])


def row_8(ground: Ground) -> Row:
    host, digest = registry.running(ground.servers, ground.folder)
    work = ground.folder / "work"

    def before() -> None:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        os.sync()  # what one run wrote is not the next one's to wait for

    skopeo = [registry.program("skopeo", "skopeo"), "copy", "--quiet", "--src-tls-verify=false"]
    copy = [*skopeo, f"docker://{host}/{registry.REPOSITORY}@{digest}", f"oci:{work / 'skopeo'}:release"]
    dest = str(work / "ours")
    ways = {
        "ours": Work(pull(ground, host, digest, engine="oci_layout", dest=dest)),
        "check mode": Work(pull(ground, host, digest, check=True, engine="oci_layout", dest=dest)),
        "skopeo": Work(Command(ground.measured(*copy))),
    }
    against = "skopeo copy to an OCI layout"
    pairs = [
        Pair(
            "8a",
            f"oci_layout pull of {IMAGE}",
            against,
            1.0,
            "ours",
            "skopeo",
            idle="check mode",
            note="skopeo syncs each layer to the disk, ours leaves that to the kernel.",
        ),
        Pair(
            "8b",
            "the same, peak memory",
            against,
            1.0,
            "ours",
            "skopeo",
            memory=True,
            idle="check mode",
            note="Of ours, the module's process, which is what the host runs.",
        ),
    ]
    return Row(ways, pairs, before)


def row_9(ground: Ground) -> Row:
    host, digest = registry.running(ground.servers, ground.folder)
    variables = registry.dockerd(ground.servers, ground.folder / "docker")
    image = f"{host}/{registry.REPOSITORY}@{digest}"

    def before() -> None:
        environment = {**os.environ, **dict(variables)}
        subprocess.run(["docker", "image", "rm", image], env=environment, capture_output=True, check=False)
        left = subprocess.run(["docker", "images", "--quiet"], env=environment, capture_output=True, check=True)
        assert not left.stdout, "docker has an image before the run that is to pull it"
        os.sync()

    def ours(check: bool) -> Work:
        command = pull(ground, host, digest, check=check, engine="docker")
        return Work(dataclasses.replace(command, variables=variables))

    ways = {
        "ours": ours(check=False),
        "check mode": ours(check=True),
        "docker": Work(Command(["docker", "pull", "--quiet", image], variables=variables)),
    }
    pair = Pair(
        "9",
        f"docker engine pull of {IMAGE}",
        "docker pull",
        1.05,
        "ours",
        "docker",
        start=True,
        idle="check mode",
        note="dockerd unpacks what it pulls, into overlay2.",
    )
    return Row(ways, [pair], before)


def row_10(ground: Ground) -> Row:
    work = ground.folder / "work"
    ground.run(share(ground))

    def on(count: int) -> Work:
        inventory = ground.folder / f"hosts-{count}"
        lines = [f"host-{number:02} ansible_connection=local" for number in range(1, count + 1)]
        inventory.write_text("\n".join([*lines, ""]), encoding="utf-8")
        variables = [
            f"ecr_pull_handoff={ground.folder / 'handoff.yml'}",
            "ecr_pull_engine=oci_layout",
            f"ecr_pull_dest='{work}/{{{{ inventory_hostname }}}}'",
            f"ansible_python_interpreter={sys.executable}",
        ]
        words = [str(BIN / "ansible-playbook"), "-i", str(inventory), "-f", str(HOSTS), "playbooks/pull.yml"]
        return Work(Command([*words, *(word for one in variables for word in ("-e", one))], "consumer"))

    pair = Pair(
        "10",
        f"pull.yml on {HOSTS} hosts, one image",
        "pull.yml on one host",
        5.0,
        "twenty",
        "one",
        note="The hosts are all this machine, so its cores run the modules of all of them.",
    )
    return Row({"twenty": on(HOSTS), "one": on(1)}, [pair], before=lambda: shutil.rmtree(work, ignore_errors=True))


#: Each with how many repositories there are beside the lab's own.
ROWS: dict[str, tuple[Callable[[Ground], Row], int]] = {"8": (row_8, 0), "9": (row_9, 0), "10": (row_10, 0)}
