# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenario of a share between two accounts, in the order of this file, and questions that only AWS can answer.

Not named test_*: pytest takes it only where it is named, as `python -m tests.live` does.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _ecr
from botocore.exceptions import ClientError

from tests.lab import accounts

from .ground import DEADLINE, PAUSE, Live

ALLOWED = "allowed"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


@pytest.fixture(scope="module")
def shared(live: Live) -> Live:
    run = live.declare("share", live.names.release, live.names.develop)
    assert run.code == 0, run
    return live


def test_no_principal_assumes_the_role_before_the_share(live: Live) -> None:
    with pytest.raises(ClientError, match="AccessDenied") as refused:
        live.lab.become(live.role_arn)
    live.answers["Assuming a role that does not exist"] = sentence(refused.value)


def test_first_pull_waits_proves_and_pulls_by_digest(shared: Live) -> None:
    began = time.monotonic()
    run = shared.pull()
    seconds = time.monotonic() - began
    assert (run.code, run.changed) == (0, 1), run
    shared.answers["Time until a new share could be used"] = (
        f"proven and pulled by pull.yml {seconds:.0f} s after share.yml had ended, its own time included"
    )
    names = shared.names
    assert re.search(rf"{names.release} +readable( +allowed){{4}} +pass", run.output), run
    assert re.search(rf"{names.develop} +denied( +denied){{3}} +allowed +pass", run.output), run
    assert "role refused without the external ID: true" in run.output
    images = shared.lab.client("owner", "ecr").describe_images(repositoryName=names.release)
    digest = images["imageDetails"][0]["imageDigest"]
    layout = shared.folder / "layout"
    (entry,) = json.loads((layout / "index.json").read_text())["manifests"]
    assert entry["annotations"]["crossaccount.ecr.digest"] == digest
    blobs = sorted((layout / "blobs/sha256").iterdir())
    assert [blob.name for blob in blobs] == [hashlib.sha256(blob.read_bytes()).hexdigest() for blob in blobs]


def test_a_second_share_changes_nothing(shared: Live) -> None:
    run = shared.declare("share", shared.names.release, shared.names.develop)
    assert (run.code, run.changed) == (0, 0), run


@pytest.mark.parametrize("options", [{}, {"ExternalId": "another"}], ids=["none", "another"])
def test_without_the_right_external_id_the_role_is_refused(shared: Live, options: dict[str, str]) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        shared.lab.become(shared.role_arn, **options)


def test_decisions_of_the_tag_and_the_names(shared: Live) -> None:
    """The test asserts nothing: the responses of AWS go into the file."""
    names, ecr = shared.names, become(shared)

    def describe(*arguments: str) -> str:
        return answer(lambda: ecr.describe_repositories(**({"repositoryNames": list(arguments)} if arguments else {})))

    shared.answers |= {
        "A tag whose value differs in its case (Release)": images(ecr, names.value),
        "A tag whose key differs in its case": images(ecr, names.key),
        "DescribeRepositories with one permitted and one not permitted name": describe(names.release, names.develop),
        "DescribeRepositories without names": describe(),
        "A repository that does not exist": images(ecr, f"{names.prefix}-nowhere"),
        "The API's words for a denial": images(ecr, names.develop),
        "The registry's words for a denial": ConsumerCredentials(shared, names.develop).registry(),
    }


def test_statements_that_decide_about_session_tags(shared: Live) -> None:
    """Whether AWS passes the external ID to the decision about sts:TagSession. The test asserts nothing."""
    tags = [{"Key": "team", "Value": "live"}]
    ask = functools.partial(shared.lab.become, shared.role_arn, ExternalId=shared.external_id, Tags=tags)
    shared.answers["A session with tags, if sts:TagSession has a condition on the external ID"] = answer(ask)


def test_what_a_registry_policy_alone_allows(shared: Live) -> None:
    """Whether it lets the consumer pull with its own identity. The test asserts nothing."""
    ecr, image = shared.lab.client("consumer", "ecr"), {"imageTag": accounts.IMAGE_TAG}
    request = {"registryId": shared.lab.owner, "repositoryName": shared.names.release, "imageIds": [image]}
    ask = functools.partial(answer, lambda: ecr.batch_get_image(**request))
    question = "A pull by the consumer's own identity, {} a statement in the registry policy"
    shared.answers[question.format("without")] = ask()
    shared.allow_in_registry(True)
    until(lambda: ask() == ALLOWED)
    shared.answers[question.format("with")] = ask()
    shared.allow_in_registry(False)


def test_removal_of_the_tag_ends_the_access(shared: Live) -> None:
    names, held = shared.names, ConsumerCredentials(shared, shared.names.release).working()
    run = shared.declare("share", names.develop, names.release, ecr_share_exclusive=True)
    assert run.code == 0, run
    assert re.search(rf" loses (.+, )?{names.release}", " ".join(run.output.split())), run
    held.outlives("the tag was taken off")
    fresh, probes = become(shared), (_ecr.describe_images, _ecr.request_manifest, _ecr.request_layer)
    asks = [functools.partial(probe, fresh, names.release) for probe in probes]
    assert until(lambda: all("AccessDenied" in answer(ask) for ask in asks))


def test_removed_consumer_loses_its_sessions(shared: Live) -> None:
    """Another external ID is another consumer."""
    held, before = ConsumerCredentials(shared, shared.names.develop).working(), shared.external_id
    shared.external_id = f"{shared.names.prefix}-two"
    run = shared.declare("share", shared.names.develop, shared.names.release)
    assert run.code == 0, run
    held.outlives("the consumer was dropped")
    assert until(lambda: "AccessDenied" in answer(lambda: shared.lab.become(shared.role_arn, ExternalId=before)))


def test_unshare_leaves_nothing(shared: Live) -> None:
    names, held = shared.names, ConsumerCredentials(shared, shared.names.develop).working()
    run = shared.declare("unshare", names.develop, names.release)
    assert run.code == 0, run
    held.outlives("unshare.yml")
    ecr = shared.lab.client("owner", "ecr")
    (found,) = ecr.describe_repositories(repositoryNames=[names.develop])["repositories"]
    assert ecr.list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"] == []
    assert until(lambda: all(file.startswith("repository ") for file in shared.left()))


# --- credentials of a consumer


class ConsumerCredentials:
    """The credentials of a consumer: a session of the role, a registry token, and the address of a layer."""

    def __init__(self, live: Live, repository: str) -> None:
        self.live, self.repository = live, repository
        time.sleep(1)  # AWS returns whole seconds: a session of the same second as a revocation is revoked as well
        self.ecr = become(live)
        entry = self.ecr.get_authorization_token()["authorizationData"][0]
        self._registry, self._token = f"{entry['proxyEndpoint']}/v2/{repository}", entry["authorizationToken"]
        self.address = ""

    def working(self) -> ConsumerCredentials:
        """Once all of it opens the repository."""
        assert until(lambda: images(self.ecr, self.repository) == self.registry() == ALLOWED)
        layer = hashlib.sha256(accounts.scenario_layers()[0]).hexdigest()
        # ECR leads on to an address that is signed; the lab sends the layer itself.
        self.address = fetch(f"{self._registry}/blobs/sha256:{layer}", self._token)[1]
        return self

    def registry(self) -> str:
        """The response of the registry to the token."""
        status, _location, text = fetch(f"{self._registry}/manifests/{accounts.IMAGE_TAG}", self._token)
        return ALLOWED if status == 200 else f"{status} {text}"

    def outlives(self, event: str) -> None:
        """Keep what is worth what afterwards. The session must not be worth anything; AWS documents this."""
        began = time.monotonic()

        def ended(ask: Callable[[], str]) -> str:
            denied = until(lambda: ask() != ALLOWED)
            seconds = f"{time.monotonic() - began:.0f} s"
            return f"denied within {seconds}" if denied else f"still good after {seconds}"

        session = ended(lambda: images(self.ecr, self.repository))
        self.live.answers[f"A session of the role after {event}"] = session
        self.live.answers[f"A registry token after {event}"] = ended(self.registry)
        address = "none was given"
        if self.address:
            signed = re.search(r"X-Amz-Expires=(\d+)", self.address)
            address = f"answers {fetch(self.address)[0]}; signed for {signed[1] if signed else '?'} s"
        self.live.answers[f"The address of a layer after {event}"] = address
        assert session.startswith("denied")


def become(live: Live) -> Any:
    """ECR for the consumer as the role, after the permissions have propagated."""
    assume = functools.partial(live.lab.become, live.role_arn, ExternalId=live.external_id)
    assert until(lambda: answer(assume) == ALLOWED)
    return assume()


def images(ecr: Any, repository: str) -> str:
    """Whether a repository can be read, or AWS's words."""
    return answer(lambda: ecr.describe_images(repositoryName=repository))


def answer(call: Callable[[], Any]) -> str:
    try:
        call()
    except ClientError as error:
        return sentence(error)
    return ALLOWED


def sentence(error: ClientError) -> str:
    return "{Code}: {Message}".format(**error.response["Error"])


def until(ask: Callable[[], bool]) -> bool:
    """Whether something is so, in time."""
    deadline = time.monotonic() + DEADLINE
    while not ask():
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE)
    return True


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any) -> None:
        """Not followed: the token is for the registry alone."""


def fetch(url: str, authorization: str = "") -> tuple[int, str, str]:
    """The status, where it leads on to, and the words of an answer."""
    headers = {"Accept": MANIFEST, **({"Authorization": f"Basic {authorization}"} if authorization else {})}
    try:
        with urllib.request.build_opener(_NoRedirect).open(
            urllib.request.Request(url, headers=headers), timeout=30
        ) as reply:
            return reply.status, "", ""
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("Location", ""), error.read().decode(errors="replace").strip()
