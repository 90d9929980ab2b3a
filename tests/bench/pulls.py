# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of images: how a pull compares with skopeo's and docker's own, and what twenty hosts cost.

The image of rows 8 and 9 comes from a registry that wants no token, without any latency. Neither side asks AWS: ours is
given the registry's URL and a token, as a host is with `credentials: control_node`.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from tests.lab import accounts
from tests.support import aws_cli

from . import registry
from .ground import BIN, Command, Ground
from .rows import SHARE, START, Measure, Pair, Row, Work, share

HOSTS = 20
IMAGE = "1 GiB in 10 layers"
ROLE_ARN = f"arn:aws:iam::{accounts.OWNER}:role/{SHARE}"
MEASURES: tuple[Measure, Measure] = ("s", "CPU s")
TOKEN = "QVdTOnRva2Vu"  # AWS:token


def pull(ground: Ground, host: str, digest: str, check: bool = False, **options: Any) -> Command:
    """A playbook that pulls the image with our module, whose memory is measured."""
    arguments = {
        "registry_url": f"http://{host}",
        "registry_token": TOKEN,
        "images": [f"{registry.REPOSITORY}@{digest}"],
        **options,
    }
    return measured(ground, ground.task(f"pull-{check}", "crossaccount.ecr.ecr_image_pull", arguments, check=check))


def measured(ground: Ground, command: Command) -> Command:
    """The same command; the memory of its modules is measured."""
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
        os.sync()  # the next run does not wait for the writes of this one

    skopeo = [registry.program("skopeo", "skopeo"), "copy", "--quiet", "--src-tls-verify=false"]
    copy = [*skopeo, f"docker://{host}/{registry.REPOSITORY}@{digest}", f"oci:{work / 'skopeo'}:release"]
    dest = str(work / "ours")
    ways = {
        START: Work(measured(ground, ground.task("start", "ansible.builtin.ping", {}))),
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
            start=True,
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
            start=True,
            measure="MiB",
            idle="check mode",
            note="Of ours and of the start, the module's process, which is what the host runs.",
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
    variables = registry.dockerd(ground.servers, ground.folder / "docker")
    ground.run(share(ground))
    work = ground.folder / "work"
    inventory = ground.folder / "hosts"
    # Each host has its own logins, and all of them share one dockerd.
    lines = [f"host-{number:02} ansible_connection=local" for number in range(1, HOSTS + 1)]
    inventory.write_text("\n".join([*lines, ""]), encoding="utf-8")

    def before() -> None:
        shutil.rmtree(work, ignore_errors=True)
        environment = {**os.environ, **dict(variables)}
        subprocess.run(
            ["docker", "image", "prune", "--all", "--force"], env=environment, check=True, capture_output=True
        )

    def on_all(playbook: str, **options: str) -> Work:
        words = [str(BIN / "ansible-playbook"), "-i", str(inventory), "-f", str(HOSTS), playbook]
        options["ansible_python_interpreter"] = sys.executable
        path = f"{aws_cli.folder()}:{os.environ['PATH']}"
        return Work(Command([*words, "-e", json.dumps(options)], "consumer", (*variables, ("PATH", path))))

    task = {
        "role_arn": ROLE_ARN,
        "external_id": "test",
        "images": [f"release:{accounts.IMAGE_TAG}"],
        "engine": "docker",
    }
    pull = {"name": "Pull the image", "crossaccount.ecr.ecr_image_pull": task}
    handoff = str(ground.folder / "handoff.yml")
    ways = {
        "module": on_all(ground.playbook("pull-only", "all", [pull])),
        "pull.yml": on_all("playbooks/pull.yml", ecr_pull_handoff=handoff, ecr_pull_engine="docker"),
        "by hand": on_all(pull_by_hand(ground, f"{work}/{{{{ inventory_hostname }}}}")),
    }
    notes = {
        "module": ("ecr_image_pull", "The same work; ours verifies what it pulled."),
        "pull.yml": ("pull.yml", "pull.yml also proves first what the consumer can and cannot pull, on each host."),
    }
    here = "The hosts are all this machine; the CPU time is without dockerd's."
    pairs = [
        Pair(
            f"10{letter}",
            f"{name} on {HOSTS} hosts, one image{', CPU time' if measure == 'CPU s' else ''}",
            "sts_assume_role, a docker login with command, docker_image_pull",
            1.0,
            ours,
            "by hand",
            measure=measure,
            note=f"{note} {here}",
        )
        for letter, (ours, measure) in zip("abcd", itertools.product(notes, MEASURES))
        for name, note in [notes[ours]]
    ]
    return Row(ways, pairs, before)


def pull_by_hand(ground: Ground, logins: str) -> str:
    """A playbook that pulls as one would without this collection.

    :param logins: the folder of a host's logins to registries
    """
    keys = {
        "AWS_ACCESS_KEY_ID": "access_key",
        "AWS_SECRET_ACCESS_KEY": "secret_key",
        "AWS_SESSION_TOKEN": "session_token",
    }
    host = ground.bench.authority
    named = ground.lab.client("owner", "ecr").describe_images(repositoryName=registry.REPOSITORY)
    # By its digest: the proxy answers HEAD, with which docker looks up an image tag, without the length.
    image = f"{host}/{registry.REPOSITORY}@{named['imageDetails'][0]['imageDigest']}"
    login = f"aws ecr get-login-password | docker login --username AWS --password-stdin {host}"
    tasks: list[dict[str, Any]] = [
        {
            "name": "Assume the pull role",
            "amazon.aws.sts_assume_role": {
                "role_arn": ROLE_ARN,
                "role_session_name": "pull",
                "external_id": "test",
            },
            "register": "session",
        },
        {
            "name": "Log in to the registry",
            "ansible.builtin.command": {"argv": ["sh", "-c", login]},
            "environment": {name: f"{{{{ session.sts_creds.{key} }}}}" for name, key in keys.items()},
        },
        {
            "name": "Pull the image",
            "community.docker.docker_image_pull": {"name": image},
        },
    ]
    environment = {"DOCKER_CONFIG": logins}
    return ground.playbook(
        "pull-by-hand",
        "all",
        [{**task, "environment": {**environment, **task.get("environment", {})}} for task in tasks],
    )


#: Each with how many repositories there are beside the lab's own.
ROWS: dict[str, tuple[Callable[[Ground], Row], int]] = {"8": (row_8, 0), "9": (row_9, 0), "10": (row_10, 0)}
