# SPDX-License-Identifier: GPL-3.0-or-later
"""Several at once: runs of the owner on one share, and pulls on one host."""

from __future__ import annotations

import functools
import json
import os
import pathlib
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _layout_index, _manifest, _retry

from tests.lab import accounts, state
from tests.support.control import REPOSITORY_ARN, ROLE, Control
from tests.support.forwarding import ResponseDroppingProxy
from tests.support.owner_side import CONSUMER, RELEASE, STRANGER, owner, pull_role, tags_of, versions

MANY, EIGHT, FOUR = 12, 8, 4


# --- one run in between another --------------------------------------------------------------------------------------

FORMER: dict[str, Any] = {"consumers": [CONSUMER]}
FIRST: dict[str, Any] = {"consumers": [STRANGER], "access": "pull", "tags": {"run": "first"}}
OTHER: dict[str, Any] = {"consumers": [CONSUMER, STRANGER], "regions": ["eu-west-1"], "description": "other"}
GONE: dict[str, Any] = {"state": "absent"}


@pytest.fixture
def one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """One read that agrees is enough here, where everything is known at once."""
    monkeypatch.setattr(_retry, "CONSISTENT_READS", 1)


def disturbed(
    control: Control, proxy: ResponseDroppingProxy, name: str, former: Any, first: Any, act: Callable[[], Any], at: int
) -> dict[str, Any]:
    """The result of the first run, in which something happens after its call of this number."""
    if former:
        pull_role(control, name, **former)
    proxy.calls.clear()
    proxy.at[at] = act
    return pull_role(control, name, endpoint_url=proxy.url, wait_timeout=0, **first)


@pytest.mark.usefixtures("one_read")
@pytest.mark.parametrize(
    ("former", "first", "other"),
    [({}, FIRST, OTHER), (FORMER, FIRST, OTHER), (FORMER, GONE, OTHER), (FORMER, FIRST, GONE)],
    ids=["both-create", "both-change", "one-deletes", "the-other-deletes"],
)
def test_a_run_in_between_another_is_noticed_wherever_it_comes(
    control: Control,
    dropping_proxy: ResponseDroppingProxy,
    request: pytest.FixtureRequest,
    former: Any,
    first: Any,
    other: Any,
) -> None:
    """The other run runs as a whole after the first read, after the last, after each write, and in the final reads."""
    name = request.node.callspec.id
    assert disturbed(control, dropping_proxy, name, former, first, lambda: None, 0).get("msg") is None
    writes = [number for number, call in enumerate(dropping_proxy.calls) if not call.startswith(state.READS)]
    assert len(writes) >= 3
    for number in [dropping_proxy.calls.index("GetRole"), writes[0] - 1, *writes, writes[-1] + 2]:
        name = f"{request.node.callspec.id}-{number}"
        came: list[dict[str, Any]] = []

        def come(name: str, came: list[dict[str, Any]]) -> None:
            came.append(pull_role(control, name, **other))

        result = disturbed(control, dropping_proxy, name, former, first, functools.partial(come, name, came), number)
        assert came[0].get("msg") is None, came
        if result.get("failed"):
            assert "Run again: completed" in result["msg"], result
        else:
            # The state is the declaration of this run, or that of the other run, which came later.
            states = [pull_role(control, name, check_mode=True, **declared) for declared in (first, other)]
            assert False in [state["changed"] for state in states], (result, states)
        again = pull_role(control, name, **first)
        assert (again.get("msg"), pull_role(control, name, check_mode=True, **first)["changed"]) == (None, False)
        assert first is GONE or len(versions(control, name)) <= 5


def test_overwritten_change_is_not_reported_as_done(control: Control, dropping_proxy: ResponseDroppingProxy) -> None:
    pull_role(control, "overwritten", consumers=[CONSUMER])
    trust = pull_role(control, "of-another", consumers=[CONSUMER, STRANGER])["trust"]
    iam, ecr = control.lab.client("owner", "iam"), control.lab.client("owner", "ecr")
    update = {"RoleName": "overwritten", "PolicyDocument": json.dumps(trust)}
    dropping_proxy.after("UpdateAssumeRolePolicy", lambda: iam.update_assume_role_policy(**update) and None)
    waits: dict[str, Any] = {"endpoint_url": dropping_proxy.url, "wait_timeout": 0}
    result = pull_role(control, "overwritten", consumers=[STRANGER], **waits)
    assert result["msg"] == (
        "Everything was written, but after 0 seconds AWS does not confirm the trust."
        " Run again: completed changes are not repeated."
    )
    assert (result["changed"], result["waiting_for"]) == (True, ["the trust"])
    tags: dict[str, Any] = {"names": ["release"], "tags": {"run": "first"}}
    untag = {"resourceArn": REPOSITORY_ARN + "release", "tagKeys": ["run"]}
    dropping_proxy.after("TagResources", lambda: ecr.untag_resource(**untag) and None)
    result = owner(control, "ecr_repository_tag", **tags, **waits)
    assert (result["changed"], result["waiting_for"]) == (True, ["the tags of release"])


def test_concurrent_changes_of_other_tags_do_not_matter(
    control: Control, dropping_proxy: ResponseDroppingProxy
) -> None:
    """Two shares, each with a tag of its own, on the same repository at once."""

    def tags() -> dict[str, str]:
        return {key: value for key, value in tags_of(control, "develop").items() if key in ("run", "team")}

    theirs: dict[str, Any] = {"names": ["develop"], "tags": {"run": "other"}}
    dropping_proxy.after("TagResources", lambda: owner(control, "ecr_repository_tag", **theirs) and None)
    ours: dict[str, Any] = {"names": ["develop"], "tags": {"team": "first"}, "endpoint_url": dropping_proxy.url}
    result = owner(control, "ecr_repository_tag", **ours, wait_timeout=0)
    assert (result.get("msg"), tags()) == (None, {"run": "other", "team": "first"})
    dropping_proxy.after(
        "UntagResources", lambda: owner(control, "ecr_repository_tag", **theirs, state="absent") and None
    )
    result = owner(control, "ecr_repository_tag", **ours, wait_timeout=0, state="absent")
    assert (result.get("msg"), tags()) == (None, {})


def test_concurrent_exclusive_shares_report_other_tags(control: Control, dropping_proxy: ResponseDroppingProxy) -> None:
    """The other run adds tags after this run removed them from every other repository."""
    dropping_proxy.after(
        "TagResources", lambda: owner(control, "ecr_repository_tag", names=["develop"], tags=RELEASE) and None
    )
    control.engines = {"AWS_ENDPOINT_URL": dropping_proxy.url}
    try:
        run = control.share(ecr_share_role_name="exclusive", ecr_share_exclusive=True, ecr_share_wait_timeout=1)
    finally:
        control.engines = {}
    words = " ".join(run.output.split())
    assert run.code == 2, run
    assert "does not confirm the removal of environment=release from develop in ap-northeast-1" in words
    assert (
        "Run again: completed changes are not repeated. If it happens again, another run changes the same share."
        in words
    )


# --- eight at once ---------------------------------------------------------------------------------------------------


def test_eight_concurrent_runs_leave_one_version(control: Control) -> None:
    """First from nothing, then with a new version of the policy, of which there are five places for the eight."""
    options: dict[str, Any] = {"name": "eight", "repository_tags": RELEASE, "consumers": [CONSUMER]}
    for access, left in (("read", {"v1"}), ("pull", {"v1", "default"})):
        options["access"] = access
        with ThreadPoolExecutor(EIGHT) as pool:
            running = [pool.submit(control.module, "iam_ecr_pull_role", "owner", **options) for _run in range(EIGHT)]
            results = [process.result() for process in running]
        assert [(result.get("msg"), result["code"]) for result in results] == [(None, 0)] * EIGHT
        existing = versions(control, "eight")
        assert {"default" if default and number != "v1" else number for number, default in existing.items()} == left
        assert pull_role(control, "eight", access=access)["changed"] is False


def as_declared(control: Control, declared: dict[str, Any]) -> bool:
    """Whether the share is as declared, without a playbook."""
    names = declared["ecr_share_repositories"]
    role = pull_role(control, ROLE, check_mode=True, consumers=declared["ecr_share_consumers"])
    others = owner(control, "ecr_repository_tag", True, all_except=names, tags=RELEASE, state="absent")
    tagged = owner(control, "ecr_repository_tag", True, names=names, tags=RELEASE)
    return not any(result["changed"] for result in (role, others, tagged))


def test_concurrent_declarations_end_in_one_or_fail(control: Control) -> None:
    first: dict[str, Any] = {
        "ecr_share_repositories": ["release"],
        "ecr_share_images": [],
        "ecr_share_denied": [],
        "ecr_share_consumers": [CONSUMER],
        "ecr_share_exclusive": True,
        "ecr_share_wait_timeout": 5,
        "ecr_share_wait_interval": 0.5,  # a run that another one overtakes reads until its deadline
    }
    second = {**first, "ecr_share_repositories": ["develop"], "ecr_share_consumers": [STRANGER]}
    with ThreadPoolExecutor(FOUR) as pool:
        runs = list(pool.map(lambda declared: control.share(**declared), [first, second] * (FOUR // 2)))
    for run in runs:
        words = " ".join(run.output.split())
        assert run.code == 0 or (run.code == 2 and "Run again: completed" in words), run
        assert "Traceback" not in run.output
    if all(run.code == 0 for run in runs):
        assert as_declared(control, first) or as_declared(control, second), runs
    assert len(versions(control, ROLE)) <= 5
    after = control.share(**second)
    assert after.code == 0, after
    assert as_declared(control, second)


# --- twelve pulls at once --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def images(control: Control) -> dict[str, str]:
    """Twelve images in one repository, which share a layer; the digest of each image tag."""
    ecr = control.lab.client("owner", "ecr")
    ecr.create_repository(repositoryName="many", tags=[{"Key": "many", "Value": "yes"}])
    created = pull_role(control, "many", repository_tags={"many": "yes"})
    assert created.get("msg") is None
    token = ecr.get_authorization_token()["authorizationData"][0]
    base = accounts.scenario_layers()
    return {
        f"v{number}": accounts.push(
            token["proxyEndpoint"],
            token["authorizationToken"],
            "many",
            f"v{number}",
            [*base, accounts.layer({"number": str(number).encode()})],
        )
        for number in range(MANY)
    }


def pull_at_once(control: Control, folder: pathlib.Path, **options: Any) -> dict[str, dict[str, Any]]:
    """The result of a pull of each of the images, all at once, each as a host of its own that is this one."""
    folder.mkdir()
    hosts = ",".join(f"v{number}" for number in range(MANY)) + ","
    arguments = {
        "role_arn": f"arn:aws:iam::{accounts.OWNER}:role/many",
        "external_id": "test",
        "images": ["many:{{ inventory_hostname }}"],
        "wait_timeout": 0,
        **options,
    }
    command = [*control.ad_hoc("consumer"), "all", "-i", hosts, "--forks", str(MANY), "--connection", "local"]
    command += ["-m", "crossaccount.ecr.ecr_image_pull", "-a", json.dumps(arguments), "--tree", str(folder)]
    command += ["-e", json.dumps({"ansible_python_interpreter": str(control.python)})]
    run = control._run(command, "consumer")
    assert run.code == 0, run
    return {path.name: json.loads(path.read_text()) for path in folder.iterdir()}


def test_twelve_pulls_at_once_fill_one_layout(control: Control, images: dict[str, str], tmp_path: pathlib.Path) -> None:
    dest = tmp_path / "layout"
    results = pull_at_once(control, tmp_path / "results", engine="oci_layout", dest=str(dest))
    assert {name: result["images"][0]["digest"] for name, result in results.items()} == images
    entries = json.loads((dest / "index.json").read_text())["manifests"]
    assert {entry["annotations"][_layout_index.REF_NAME] for entry in entries} == {f"many:{name}" for name in images}
    for path in dest.glob("blobs/sha256/*"):
        assert _manifest.digest_of(path.read_bytes()) == f"sha256:{path.name}"
    assert sorted(path.name for path in dest.iterdir()) == ["blobs", "index.json", "oci-layout"]


@pytest.mark.engine
@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_twelve_pulls_at_once_leave_the_engines_store_whole(
    control: Control,
    request: pytest.FixtureRequest,
    images: dict[str, str],
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
) -> None:
    environment = request.getfixturevalue(engine)
    monkeypatch.setattr(control, "engines", environment)
    results = pull_at_once(control, tmp_path / "results", engine=engine)
    assert {name: result["images"][0]["digest"] for name, result in results.items()} == images
    names = {name: result["images"][0]["reference"] for name, result in results.items()}
    command = [engine, "image", "inspect", *names.values()]
    listed = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    for name, image in zip(names, json.loads(listed.stdout)):
        assert images[name] in [digest.rpartition("@")[2] for digest in image["RepoDigests"]]
    for name in ("v0", f"v{MANY - 1}"):  # the layers are whole
        command = [engine, "save", names[name]]
        saved = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, check=True)
        assert b"Hello from the owner account." in saved.stdout
