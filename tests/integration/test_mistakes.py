# SPDX-License-Identifier: GPL-3.0-or-later
"""Typical mistakes of a new user: each message names the object, the fact and the next step.

Each row is one mistake, made with the playbooks. A run that fails writes nothing, and shows no traceback.
"""

from __future__ import annotations

import pathlib
import shutil
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pytest

from tests.lab import accounts
from tests.support.control import ROLE_ARN, Control, Run
from tests.support.lab import Lab

CONSUMER = {"account": accounts.CONSUMER, "external_id": "test"}
CONFIG = {"AWS_CONFIG_FILE": "/nowhere/config", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere/credentials"}
DOCKER = """#!/bin/sh
case "$*" in
context*) echo '{"Name":"default","Endpoints":{"docker":{"Host":"unix:///var/run/docker.sock","SkipTLSVerify":false}},\
"TLSMaterial":{},"Storage":{"MetadataPath":"<IN MEMORY>"}}' ;;
*) echo "Cannot connect to the Docker daemon. Is the docker daemon running?" >&2; exit 1 ;;
esac
"""
KEY = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}


class Mistake(NamedTuple):
    """A run, and what it shows.

    :param playbook: share, unshare or pull, with the scenario's variables; bare-share and bare-pull have none
    :param shown: sentences of the output
    :param variables: those that are different
    :param environment: variables of the process; `PATH` is a folder of programs, by their names
    """

    playbook: str
    shown: Sequence[str]
    variables: Mapping[str, Any] = {}
    profile: str | None = ""
    environment: Mapping[str, str] = {}
    arguments: Sequence[str] = ()


def consumers(**changed: Any) -> dict[str, Any]:
    """The variables of a share with one consumer, without the options that are None."""
    consumer = {name: value for name, value in {**CONSUMER, **changed}.items() if value is not None}
    return {"ecr_share_consumers": [consumer]}


MISTAKES = {
    "01-no-variables": Mistake(
        "bare-share",
        [
            "missing required arguments: ecr_share_consumers, ecr_share_repositories, ecr_share_repository_tags,"
            " ecr_share_role_name. Declare the share, or a list of shares as ecr_share_shares.",
        ],
    ),
    "02-misspelled-profile": Mistake(
        "share",
        [
            "Profile ownr does not exist in ",
            "Available profiles: consumer, consumer-administrator, fifth-administrator, fourth-administrator, owner,",
            "Did you mean owner? Correct ecr_share_profile or AWS_PROFILE",
        ],
        profile="ownr",
    ),
    "03-profile-of-another-account": Mistake(
        "share",
        [
            f"User: arn:aws:iam::{accounts.CONSUMER}:user/puller is not authorized to perform: iam:",
            "Grant this action to the caller, or use other credentials.",
        ],
        profile="consumer",
    ),
    "03b-administrator-of-the-consumer": Mistake(
        "share",
        [
            f"Consumer {accounts.CONSUMER} is the owner account. Remove this consumer, or use credentials of"
            " the account"
            " that owns the repositories.",
        ],
        profile="consumer-administrator",
    ),
    "04-wrong-region": Mistake(
        "share",
        [
            "Repository release does not exist in account 111111111111, region eu-west-1. Create it, or"
            " correct its name"
            " or ecr_share_region.",
        ],
        {"ecr_share_region": "eu-west-1"},
    ),
    "05-misspelled-region": Mistake(
        "share",
        ["ecr_share_region: 'ap-northeast1' does not look like a region, such as ap-northeast-1."],
        {"ecr_share_region": "ap-northeast1"},
    ),
    "06-account-as-number": Mistake(
        "share",
        ["Consumer 1: 222222222222 is a number, not an AWS account ID of 12 digits. Quote it: YAML reads"],
        consumers(account=222222222222),
    ),
    "07-account-with-leading-zero": Mistake(
        "share", ["222222222222 can describe and pull"], consumers(), arguments=["--check"]
    ),
    "08-octal-account": Mistake(
        "share",
        ["Consumer 1: 1402433619 is a number, not an AWS account ID of 12 digits. Quote it: YAML reads"],
        consumers(account=1402433619),
    ),
    "09-no-external-id": Mistake(
        "share",
        ["Consumer 1 (222222222222) has no external_id. Set one, or set allow_no_external_id: true."],
        consumers(external_id=None),
    ),
    "10-misspelled-repository": Mistake(
        "share",
        [
            "2 problems, nothing was written:",
            "Pattern 'nope/*' matches none of the 2 repositories in this registry and region. Correct the pattern or"
            " ecr_share_region.",
            "Repository relaese does not exist in account 111111111111, region ap-northeast-1. Did you mean release?"
            " Create it, or correct its name or ecr_share_region.",
        ],
        {"ecr_share_repositories": ["relaese", "nope/*"], "ecr_share_images": []},
    ),
    "12-reserved-tag": Mistake(
        "share",
        ["ecr_share_repository_tags: tag key 'aws:env' starts with aws:, which AWS reserves. Choose another key."],
        {"ecr_share_repository_tags": {"aws:env": "release"}},
    ),
    "13-boolean-tag": Mistake(
        "share",
        ["ecr_share_repository_tags: the value of shared must be a string; True is not. Quote it."],
        {"ecr_share_repository_tags": {"shared": True}},
    ),
    "14-no-credentials": Mistake(
        "share",
        ["No AWS credentials were found. Name a profile (ecr_share_profile or AWS_PROFILE), set AWS_ACCESS_KEY_ID"],
        profile=None,
    ),
    "15-profile-and-keys": Mistake(
        "share",
        [
            "Profile owner and an access key are both set, so it is not clear which credentials to use. Unset"
            " AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or unset ecr_share_profile and"
            " AWS_PROFILE.",
        ],
        environment=KEY,
    ),
    "16-misspelled-variable": Mistake(
        "share",
        [
            "Variable ecr_share_exlusive is unknown, so it would be ignored. The nearest valid name is"
            " ecr_share_exclusive.",
        ],
        {"ecr_share_exlusive": True},
    ),
    "17-yaml-syntax": Mistake("share", ["YAML"], arguments=["-e", "{unclosed: ["]),
    "18-misspelled-option-of-a-consumer": Mistake(
        "share",
        ["An entry of ecr_share_consumers has an unknown option acount. Did you mean account? Valid are account,"],
        {"ecr_share_consumers": [{"acount": accounts.CONSUMER, "external_id": "test"}]},
    ),
    "19-boolean-as-text": Mistake(
        "share", ["222222222222 can describe and pull"], {"ecr_share_exclusive": "true"}, arguments=["--check"]
    ),
    "20-misspelled-option-of-a-share": Mistake(
        "share",
        ["An entry of ecr_share_shares has an unknown option rolename. Did you mean role_name? Valid are access,"],
        {"ecr_share_shares": [{"rolename": "release"}]},
    ),
    "21-no-folder-for-the-hand-off": Mistake(
        "share",
        ["The directory of ecr_share_handoff_path nowhere/handoff.yml does not exist. Create it first."],
        {"ecr_share_handoff_path": "nowhere/handoff.yml"},
    ),
    "23-pull-without-hand-off": Mistake(
        "bare-pull",
        [
            "No hand-off and no ecr_pull_role_arn. Pass the hand-off of the owner account, as a file or as its text: -e"
            " ecr_pull_handoff=FILE.",
        ],
    ),
    "24-hand-off-does-not-exist": Mistake(
        "bare-pull",
        ["The hand-off /nowhere.yml cannot be read: No such file or directory. Check ecr_pull_handoff."],
        {"ecr_pull_handoff": "/nowhere.yml"},
    ),
    "25-docker-is-down": Mistake(
        "pull",
        [
            "Engine docker cannot be used: docker is installed but its engine does not answer: Cannot connect to the"
            " Docker daemon. Is the docker daemon running? Start or repair it, or choose another ecr_pull_engine.",
        ],
        {"ecr_pull_engine": "docker"},
        environment={"docker": DOCKER},
    ),
    "26-podman-is-not-installed": Mistake(
        "pull",
        [
            "Engine podman cannot be used: podman is not installed (no such program in PATH). Install it, or choose"
            " another ecr_pull_engine.",
        ],
        {"ecr_pull_engine": "podman"},
        environment={"docker": DOCKER},
    ),
    "27-no-engine": Mistake(
        "pull",
        [
            "No container engine can be used on this host, and ecr_pull_dest is not set. docker is installed but its"
            " engine does not answer: Cannot connect to the Docker daemon. Is the docker daemon running? podman is not"
            " installed (no such program in PATH). Start or install docker or podman, or set ecr_pull_dest to a"
            " directory for an OCI image layout.",
        ],
        environment={"docker": DOCKER},
    ),
    "28-folder-that-cannot-be-written": Mistake(
        "pull",
        [
            "Image release:v1.0 cannot be written to /proc/image: No such file or directory. Free disk space or correct"
            " the permissions, or choose another ecr_pull_dest.",
        ],
        {"ecr_pull_engine": "oci_layout", "ecr_pull_dest": "/proc/image"},
    ),
    "29-dest-is-a-file": Mistake(
        "pull",
        ["/etc/passwd exists and is not a directory. Choose another ecr_pull_dest."],
        {"ecr_pull_engine": "oci_layout", "ecr_pull_dest": "/etc/passwd"},
    ),
    "30-dest-has-other-files": Mistake(
        "pull",
        ["Directory /usr contains no OCI image layout. Choose an empty ecr_pull_dest."],
        {"ecr_pull_engine": "oci_layout", "ecr_pull_dest": "/usr"},
    ),
    "32-layout-without-dest": Mistake(
        "pull",
        ["Engine oci_layout needs a directory. Set ecr_pull_dest."],
        {"ecr_pull_engine": "oci_layout"},
    ),
    "33-wrong-external-id": Mistake(
        "pull",
        [f"Role {ROLE_ARN} cannot be assumed: User:", "Check, in this order: the trust policy of the role names"],
        {"ecr_pull_external_id": "wrong"},
    ),
    "34-pull-as-the-owner": Mistake(
        "pull",
        [
            f"Role {ROLE_ARN} is in account 111111111111, the account of these credentials. A pull role belongs to"
            " another account: use the credentials of the consumer account, or check the hand-off.",
        ],
        profile="owner",
    ),
    "35-hand-off-of-another-share": Mistake(
        "pull",
        ["This hand-off is for 222222222222; these credentials are of 333333333333. Use credentials of account"],
        profile="stranger",
    ),
    "36-image-without-tag": Mistake(
        "pull",
        ["ecr_pull_images: Image 'release' has no image tag and no digest. Write release:IMAGE_TAG"],
        {"ecr_pull_images": ["release"]},
    ),
    "38-image-tag-does-not-exist": Mistake(
        "pull",
        ["Image release:none does not exist: repository release has no such image."],
        {"ecr_pull_images": ["release:none"], "ecr_pull_engine": "oci_layout", "ecr_pull_dest": "/proc/image"},
    ),
    "41-unshare-of-a-misspelled-role": Mistake(
        "unshare",
        [
            "Role allow_ecr_relase does not exist, but repository release in ap-northeast-1 has the tag"
            " environment=release of this share.",
            "Correct ecr_share_role_name.",
        ],
        {"ecr_share_role_name": "allow_ecr_relase"},
    ),
    "42-unknown-engine": Mistake(
        "pull",
        ["value of ecr_pull_engine must be one of: auto, docker, podman, skopeo, oci_layout, got: rkt"],
        {"ecr_pull_engine": "rkt"},
    ),
    "43-four-mistakes-in-a-consumer": Mistake(
        "share",
        [
            "4 problems, nothing was written:",
            "Consumer 1: '1' is not an AWS account ID of 12 digits. Write the digits, as in",
            "Consumer 1 (1): external_id has 1 characters, or a character that AWS does not accept. It needs",
            "Consumer 1 (1): organization_id 'x' does not look like o-exampleorgid.",
            "Consumer 1 (1): principal 'user/*' contains a wildcard. Name each user or role, or omit principals",
        ],
        consumers(account="1", external_id="a", organization_id="x", principals=["user/*"]),
    ),
    "48-endpoint-is-down": Mistake(
        "share",
        [
            'Could not connect to the endpoint URL: "http://127.0.0.1:1/". Nothing listens on 127.0.0.1:1. Correct'
            " endpoint_url or AWS_ENDPOINT_URL, or start the server there.",
        ],
        environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
    ),
    "50-new-shell": Mistake(
        "share",
        [
            "Profile owner does not exist in /nowhere/config or /nowhere/credentials. They contain no profile. Correct"
            " ecr_share_profile or AWS_PROFILE, or set AWS_CONFIG_FILE to the file that has the profile.",
        ],
        environment=CONFIG,
    ),
    "11-tags-as-text": Mistake(
        "share",
        ["No access is gained or lost."],
        {"ecr_share_repository_tags": "environment=release"},
        arguments=["--check"],
    ),
    "22-hand-off-is-a-device": Mistake(
        "share",
        ["/dev/null exists and is not a regular file, so it is not replaced. Remove it, or use another path."],
        {"ecr_share_handoff_path": "/dev/null"},
    ),
    "37-image-of-another-registry": Mistake(
        "pull",
        ["but the images are in registry 127.0.0.1:", "If this image is one of them, write release:v1.0."],
        {"ecr_pull_images": ["999999999999.dkr.ecr.eu-west-1.amazonaws.com/release:v1.0"]},
    ),
    "51-wrong-owner-account": Mistake(
        "share",
        [
            "The credentials belong to account 111111111111, but the declared owner account is 999999999999."
            " Use credentials of account 999999999999, or correct ecr_share_account."
        ],
        {"ecr_share_account": "999999999999"},
    ),
    "52-hand-off-ends-in-md": Mistake(
        "share",
        ["ecr_share_handoff_path handoff.md must not end in .md, the name of the page for people. Use .yml."],
        {"ecr_share_handoff_path": "handoff.md"},
    ),
    "53-short-session": Mistake(
        "share",
        ["ecr_share_max_session_duration is 60 seconds; IAM accepts 3,600 to 43,200."],
        {"ecr_share_max_session_duration": 60},
    ),
    "54-no-regions": Mistake(
        "share",
        ["ecr_share_regions is an empty list. Name the regions, or omit the option to include all regions."],
        {"ecr_share_regions": []},
    ),
    "55-text-for-a-number": Mistake(
        "pull",
        ["argument 'ecr_pull_wait_timeout' is of type str and we were unable to convert to int"],
        {"ecr_pull_wait_timeout": "soon"},
    ),
    "56-platform-without-system": Mistake(
        "pull",
        ["ecr_pull_platform 'arm64' is not os/architecture, such as linux/arm64 or linux/arm/v7."],
        {"ecr_pull_platform": "arm64"},
    ),
    "57-malformed-digest": Mistake(
        "pull",
        ["ecr_pull_images: Image 'release@sha256:12': a digest is sha256: and 64 hexadecimal digits."],
        {"ecr_pull_images": ["release@sha256:12"]},
    ),
    "58-shared-and-denied": Mistake(
        "share",
        ["Repository release is declared both as shared and as denied. Remove it from one of the two lists."],
        {"ecr_share_denied": ["release"]},
    ),
    "59-image-of-an-undeclared-repository": Mistake(
        "share",
        [
            "Image 'develop:v1.0' is in repository develop, which this share does not declare. Add the"
            " repository to the share, or remove the image."
        ],
        {"ecr_share_images": ["develop:v1.0"]},
    ),
    "60-registry-in-repository-name": Mistake(
        "share",
        [
            "release:v1' is not a repository name. A name has 2 to 256 characters of a-z, 0-9 and . _ - /,"
            " and begins and ends with a letter or digit. Omit the registry and the image tag."
        ],
        {"ecr_share_repositories": ["111111111111.dkr.ecr.eu-west-1.amazonaws.com/release:v1"]},
    ),
    "62-no-consumers": Mistake(
        "share",
        ["ecr_share_consumers is empty. Name at least one account that can assume the role."],
        {"ecr_share_consumers": []},
    ),
    "63-unexpected-owner": Mistake(
        "pull",
        ["but ecr_pull_owner_account is 999999999999. Use the hand-off of that account."],
        {"ecr_pull_owner_account": "999999999999"},
    ),
    "65-short-external-id-in-pull": Mistake(
        "pull",
        [
            "ecr_pull_external_id has 1 characters, or a character that AWS does not accept. It needs 2 to"
            " 1,224 letters,"
        ],
        {"ecr_pull_external_id": "x"},
    ),
}
SUCCEEDS = ("07-account-with-leading-zero", "11-tags-as-text", "19-boolean-as-text")


@pytest.fixture(scope="module")
def shared(control: Control) -> Control:
    """The scenario is shared."""
    run = control.share()
    assert run.code == 0, run
    return control


def programs(folder: pathlib.Path, scripts: Mapping[str, str]) -> str:
    """A PATH with the scripts, and with what Ansible needs."""
    for program in ("sh", "rm", "mkdir", "echo", "chmod", "sleep"):
        (folder / program).symlink_to(str(shutil.which(program)))
    for name, script in scripts.items():
        (folder / name).write_text(script, encoding="utf-8")
        (folder / name).chmod(0o755)
    return str(folder)


def make(control: Control, mistake: Mistake, folder: pathlib.Path) -> Run:
    scripts = {name: text for name, text in mistake.environment.items() if text.startswith("#!")}
    others = {name: text for name, text in mistake.environment.items() if name not in scripts}
    control.engines = {**others, **({"PATH": programs(folder, scripts)} if scripts else {})}
    side = "pull" if "pull" in mistake.playbook else "share"
    default = "consumer" if side == "pull" else "owner"
    profile = default if mistake.profile == "" else mistake.profile
    try:
        if mistake.playbook.startswith("bare-"):
            return control.playbook(side, profile, *mistake.arguments, **mistake.variables)
        if side == "pull":
            return control.pull(*mistake.arguments, profile=profile, **mistake.variables)
        if mistake.playbook == "unshare":
            words = ["-e", "@playbooks/vars/scenario.yml", *mistake.arguments]
            return control.playbook("unshare", profile, *words, **mistake.variables)
        return control.share(*mistake.arguments, profile=profile, **mistake.variables)
    finally:
        control.engines = {}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake(shared: Control, lab: Lab, tmp_path: pathlib.Path, name: str) -> None:
    mistake, mark = MISTAKES[name], len(lab.calls())
    run = make(shared, mistake, tmp_path)
    assert (run.code == 0) == (name in SUCCEEDS), run
    output = " ".join(run.output.split())
    for sentence in mistake.shown:
        assert sentence in output, run
    assert "Traceback" not in output
    assert "make lab-up" not in output
    assert lab.writes_since(mark) == []
