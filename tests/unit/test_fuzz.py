# SPDX-License-Identifier: GPL-3.0-or-later
"""External input in unexpected forms: valid values, and then some of their parts replaced.

The properties: no exception but the collection's own, whose message can be shown on a terminal and in a log (printable,
and of bounded length); no example takes long; parsing keeps nothing.

`make test` tries the same examples each time; HYPOTHESIS_PROFILE=long tries twenty times as many, and others each time.

atheris is not used. It changes bytes and follows the branches that they take; here all bytes (JSON, XML, HTTP, YAML)
are read by the standard library, botocore and Ansible. Our code makes decisions over the parsed values. Changed parts
of valid values reach them, and changed bytes hardly do.

Only `_docker_config_file.py` and `_aws_config_file.py` read a `config.json` or an AWS configuration file. Their
properties are in test_docker_config_file.py and test_aws_config_file.py.
"""

from __future__ import annotations

import base64
import contextlib
import copy
import dataclasses
import datetime
import email.message
import functools
import gc
import io
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time
import tracemalloc
import urllib.error
import urllib.parse
import xml.etree.ElementTree
from collections.abc import Callable, Iterator
from typing import Any

import botocore.exceptions
import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.crossaccount.ecr.plugins.filter.access_junit import filter_access_junit
from ansible_collections.crossaccount.ecr.plugins.module_utils import (
    _access_probe,
    _assume,
    _consumers,
    _container_engine,
    _convergence,
    _denial,
    _destination,
    _errors,
    _granted_access,
    _image,
    _image_reference,
    _layout_index,
    _manifest,
    _names,
    _platform,
    _policy,
    _policy_document,
    _program,
    _proof,
    _pull_options,
    _registry,
    _role_declaration,
    _role_ownership,
    _role_plan,
    _role_state,
    _skopeo,
    _tag_plan,
    _timestamp,
    _verdict,
    _wait,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._engine import RegistryImage
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff_schema import handoff_problems, share_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff_values import CHECKS
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._secrets import SHORTEST
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_access import RoleChange, TagsChange, access_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_roles import NewValues, plan_pull_role
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_declaration import (
    tag_declaration,
    tag_declaration_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._transfer import Transfer
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._controller import Controller
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

ROOT = pathlib.Path(__file__).parents[2]
LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
#: The longest line of a message.
LINE = 9000
DIGEST = "sha256:" + "a" * 64
ACCOUNT, PARTITION = "111111111111", "aws"
IDENTITY = Identity(PARTITION, ACCOUNT)
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/allow_ecr_release"
TOKEN = base64.b64encode(b"AWS:the-password-of-the-registry").decode()

fuzz = settings(
    max_examples=2_000 if LONG else 100,
    derandomize=not LONG,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)

# --- unexpected values --------------------------------------------------------------------------------------

texts = st.sampled_from(
    [
        "",
        " ",
        "*",
        "\x1b[2J\x1b[31mred",
        "\x9b31m",
        "a\0b",
        "\ud800",
        "\u202egpj.exe",
        "line\r\n::error::two",
        "x" * 3000,
        "ä" * 300,
        "\N{FULLWIDTH DIGIT TWO}" * 12,
        "{{ 7 * 7 }}",
        "%s{0}%00",
        "sha256:../../etc/passwd",
        "[" * 3000,
    ]
) | st.text(st.characters(exclude_categories=()), max_size=20)
numbers = st.sampled_from([0, -1, 2**63, 10**400, 0.5, float("nan"), float("inf"), -float("inf")]) | st.integers()
scalars = st.none() | st.booleans() | numbers | texts
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=5
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container within a value, with each key or index of it."""
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(inner, (dict, list)):
            yield from places(inner)


@st.composite
def mutated(draw: st.DrawFn, valid: st.SearchStrategy[Any], most: int = 2) -> Any:
    """A valid document, of which a few parts are replaced, taken away, wrapped, or doubled."""
    document = copy.deepcopy(draw(valid))
    for _number in range(draw(st.integers(0, most))):
        if not (found := list(places(document))):
            break
        container, key = draw(st.sampled_from(found))
        how = draw(st.sampled_from(["replace", "replace", "remove", "wrap", "add"]))
        if how == "replace":
            container[key] = draw(anything)
        elif how == "remove":
            del container[key]
        elif how == "wrap":
            container[key] = [container[key]]
        elif isinstance(container, dict):
            container[draw(texts)] = draw(anything)
        else:
            container.append(copy.deepcopy(container[key]))
    return document


@st.composite
def spoilt(draw: st.DrawFn, documents: st.SearchStrategy[Any]) -> bytes:
    """A document as bytes of JSON, now and then not whole, or no JSON at all."""
    content = json.dumps(draw(documents)).encode()
    how = draw(st.sampled_from(["whole"] * 6 + ["cut", "other byte", "deep", "number", "none"]))
    at = draw(st.integers(0, len(content)))
    return {
        "whole": content,
        "cut": content[:at],
        "other byte": content[:at] + draw(st.binary(min_size=1, max_size=1)) + content[at + 1 :],
        "deep": draw(st.sampled_from([b"[", b'{"a":'])) * 20_000,
        "number": b'{"size":' + b"9" * 5000 + b"}",
        "none": draw(st.binary(max_size=50)),
    }[how]


def fit(message: str) -> None:
    """A message that can be shown: no escape sequence, no second line that was not meant, and not too long."""
    wrong = [character for character in message if not character.isprintable() and character != "\n"]
    assert not wrong, ascii(message[:500])
    assert max(map(len, message.split("\n"))) <= LINE, message[:500]


def test_printable_text_is_unchanged() -> None:
    short, long = _errors.printable("a\x1b[31m\nb"), _errors.printable("\0" * 100_000)
    assert (short, long[-26:]) == ("a\\x1b[31m\nb", "\\x00... (100000 characters)"[-26:])
    assert (_errors.printable(short), _errors.printable(long)) == (short, long)


def survives(work: Callable[[], Any]) -> Any:
    """The result of the work; None where it raises the collection's own error, with a message that is fit."""
    started = time.process_time()
    try:
        return work()
    except EcrError as error:
        fit(str(error))
        return None
    finally:
        assert time.process_time() - started < 2


def whole(work: Callable[[Problems], Any]) -> None:
    """The same for what collects problems: those are fit as well."""
    problems = Problems()
    work(problems)
    survives(problems.check)


# --- image references, manifests, layouts ----------------------------------------------------------------------------

pieces = st.sampled_from(
    [
        "release",
        "tools/app",
        ":",
        "@",
        "/",
        "v1.0",
        DIGEST,
        "localhost",
        f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com",
        ".",
    ]
)


@fuzz
@given(st.lists(pieces | texts, max_size=6).map("".join))
@example("\x1b[31mlocalhost:5000/app:v1")
@example("x" * 100_000 + ":y/app:v1")
def test_reference_is_the_text_it_was_parsed_from(text: str) -> None:
    reference = survives(lambda: _image_reference.parse_reference(text))
    if reference:
        assert str(reference) in text
        assert _image_reference.parse_reference(str(reference)) == dataclasses.replace(reference, registry=None)
        found = list(_destination.destination_problems("oci:/srv/{repository}:{image_tag}", [reference]))
        assert bool(found) is (reference.image_tag is None)
        whole(lambda problems: problems.extend(found))


digests = st.binary(min_size=1, max_size=1).map(_manifest.digest_of)
descriptors = st.fixed_dictionaries(
    {
        "mediaType": st.sampled_from([*_layout_index._OCI_TYPES, *_layout_index._OCI_TYPES.values()]),
        "digest": digests,
        "size": st.integers(0, 10**12),
    },
    optional={"urls": st.just([]), "annotations": st.dictionaries(texts, texts, max_size=2)},
)
LAYER = {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": DIGEST, "size": 1}
OUTSIDE = "sha256:../../../etc/passwd"
manifests = st.fixed_dictionaries(
    {"schemaVersion": st.just(2), "config": descriptors, "layers": st.lists(descriptors, max_size=3)},
    optional={"mediaType": st.sampled_from(_manifest.MANIFEST_TYPES)},
)
platforms = st.fixed_dictionaries(
    {"os": st.sampled_from(["linux", "windows"]), "architecture": st.sampled_from(["amd64", "arm64"])},
    optional={"variant": st.sampled_from(["v8", ""])},
)
indexes = st.fixed_dictionaries(
    {
        "schemaVersion": st.just(2),
        "manifests": st.lists(st.tuples(descriptors, platforms).map(lambda p: {**p[0], "platform": p[1]}), max_size=3),
    },
    optional={"mediaType": st.sampled_from(_manifest.INDEX_TYPES)},
)
media_types = st.none() | st.sampled_from([*_manifest.INDEX_TYPES, *_manifest.MANIFEST_TYPES, "text/plain"]) | texts
layouts = st.fixed_dictionaries(
    {
        "schemaVersion": st.just(2),
        "manifests": st.lists(
            st.tuples(descriptors, digests).map(
                lambda p: {**p[0], "annotations": {_layout_index.REF_NAME: "app:v1", _layout_index.SOURCE_DIGEST: p[1]}}
            ),
            max_size=3,
        ),
    }
)


def take_in(content: bytes, media_type: str | None) -> Any:
    """All that is done with a manifest on its way into a layout."""
    survives(lambda: _image.find_image(lambda _digest: (content, media_type), DIGEST, "linux/amd64", "app:v1"))
    manifest = _manifest.parse_manifest(content, media_type, "app:v1")
    if manifest["mediaType"] in _manifest.INDEX_TYPES:
        return _platform.choose(manifest, "linux/amd64", "app:v1")
    for item in _manifest.contents(manifest, "app:v1"):
        assert re.fullmatch("blobs/sha256/[0-9a-f]{64}", _layout_index.file_of(item.digest))
    converted, kind = _layout_index.as_oci(content, manifest)
    _manifest.contents(_manifest.parse_manifest(converted, kind, "app:v1"), "app:v1")
    return kind


@fuzz
@given(spoilt(mutated(manifests) | mutated(indexes) | anything), media_types)
@example(json.dumps({"layers": [], "config": {**LAYER, "digest": OUTSIDE}}).encode(), _manifest.MANIFEST_TYPES[0])
def test_a_manifest(content: bytes, media_type: str | None) -> None:
    survives(lambda: take_in(content, media_type))


@fuzz
@given(spoilt(mutated(layouts) | anything), st.booleans())
def test_the_index_of_a_layout(content: bytes, exact: bool) -> None:
    notes = {_layout_index.REF_NAME: "app:v1", _layout_index.SOURCE_DIGEST: DIGEST}
    entry = _manifest.Descriptor(_manifest.MANIFEST_TYPES[0], DIGEST, 1)
    survives(lambda: _layout_index.layout_entry(content, "app:v1", DIGEST, "linux/amd64", exact))
    index = survives(lambda: _layout_index.layout_index(content, entry, notes))
    if index:
        assert _layout_index.layout_entry(index, "app:v1", DIGEST, "linux/amd64") == entry


@fuzz
@given(spoilt(mutated(platforms) | anything))
def test_the_configuration_of_an_image(content: bytes) -> None:
    survives(lambda: _platform.check_platform(content, "linux/arm64/v8", "app:v1"))


# --- responses of a registry -----------------------------------------------------------------------------------------

refusals = st.fixed_dictionaries(
    {"errors": st.lists(st.fixed_dictionaries({"code": texts, "message": texts}), max_size=2)}
)


class Event:
    """In the place of what a registry waits with."""

    def __init__(self) -> None:
        self.waited: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.waited.append(seconds)
        return False

    def is_set(self) -> bool:
        return False


def registry(url: str = "http://127.0.0.1:5000", token: str = TOKEN) -> _registry.Registry:
    made = _registry.Registry(url, token)
    made.stopped = Event()  # type: ignore[assignment]
    vars(made)["_tls"] = None  # not read from the machine for each example
    return made


def answering(status: int, headers: dict[str, str], body: bytes) -> Callable[..., Any]:
    """Replaces `Transfer.open`, so that nothing is sent."""

    def answer(_transfer: Any, path: str, _authorization: str, **_headers: str) -> Any:
        message = email.message.Message()
        for name, value in headers.items():
            message[name] = value
        error = urllib.error.HTTPError(path, status, "reason", message, io.BytesIO(body))
        if status < 400:
            return error  # it has the headers, the status and the body of a reply
        raise error

    return answer


@fuzz
@given(
    st.sampled_from([200, 206, 401, 403, 404, 429, 503]),
    st.fixed_dictionaries(
        {},
        optional={
            "Content-Type": texts,
            "Content-Range": st.sampled_from(["bytes 0-9/10", "bytes 1-", "items 1-2/3"]) | texts,
            "Retry-After": st.sampled_from(["0", "9" * 400, "-1", "1e9", "nan", "Wed, 21 Oct 2015 07:28:00 GMT", "²"])
            | texts,
        },
    ),
    spoilt(mutated(refusals) | mutated(manifests) | anything),
)
@example(403, {}, json.dumps({"errors": [{"code": "\x1b[31m", "message": TOKEN + "\x1b[2J" + "x" * 60_000}]}).encode())
@example(429, {"Retry-After": "9" * 400}, b"")
@example(429, {"Retry-After": "\N{SUPERSCRIPT TWO}"}, b"")
def test_responses_of_a_registry(status: int, headers: dict[str, str], body: bytes) -> None:
    here = registry()
    with pytest.MonkeyPatch.context() as patch:
        # As http.client reads them: Latin-1, a line.
        headers = {
            name: " ".join(value.encode("latin-1", "replace").decode("latin-1").split())
            for name, value in headers.items()
        }
        patch.setattr(Transfer, "open", answering(status, headers, body))
        survives(lambda: here.manifest("app", _manifest.digest_of(body)))
        survives(lambda: here.manifest("app", DIGEST))
        with here._transfer("layer") as transfer, tempfile.TemporaryFile() as file:
            survives(lambda: here._copy(transfer, "/app/blobs/x", file, len(body) + 1, "layer"))
    assert all(0 <= seconds <= 30 for seconds in here.stopped.waited)  # type: ignore[attr-defined]


@fuzz
@given(
    st.sampled_from(["http://127.0.0.1:5000", "https://registry.example.com", "http://[::1", "https://", "ftp://x"])
    | st.tuples(st.sampled_from(["", "http://", "https://", "https://user@"]), texts).map("".join),
    st.sampled_from([TOKEN, "QVdTOg==", "===", "/" * 40]) | texts,
    texts,
)
def test_a_registry_and_its_token(url: str, token: str, text: str) -> None:
    here = survives(lambda: registry(url, token))
    if here:
        assert len(token) < SHORTEST or token not in str(EcrError(f"{text}{token}{text}"))
        assert repr(here) == repr(registry(url, TOKEN))  # which so says nothing of a token
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Transfer, "open", answering(401, {}, b""))
            survives(lambda: here.manifest("app", DIGEST))


# --- output of engines ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return tmp_path_factory.mktemp("fuzz")


def test_bytes_that_are_not_text(folder: pathlib.Path) -> None:
    engine = _program.Program("printf", str(folder))
    assert engine._run("\\377").stdout == "\N{REPLACEMENT CHARACTER}"


def remote(image_tag: str | None = None) -> RegistryImage:
    reference = _image_reference.Reference("app", image_tag, None if image_tag else DIGEST)
    return RegistryImage(registry(), reference, DIGEST)


inspected = st.lists(
    st.fixed_dictionaries(
        {
            "Id": st.just("sha256:id"),
            "RepoDigests": st.lists(st.sampled_from([f"127.0.0.1:5000/app@{DIGEST}", "app@sha256:other"]), max_size=2),
            "Os": st.just("linux"),
            "Architecture": st.just("amd64"),
        },
        optional={"Variant": st.just("v8")},
    ),
    min_size=1,
    max_size=2,
)


@fuzz
@given(
    st.sampled_from(["docker", "podman"]), spoilt(mutated(inspected) | anything), texts, st.sampled_from([0, 0, 0, 1])
)
def test_responses_of_docker_and_podman(
    folder: pathlib.Path, name: str, content: bytes, output: str, code: int
) -> None:
    def answer(_program: Any, *arguments: str, **_variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(arguments, code, content.decode(errors="replace"), output)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_program.Program, "_run", answer)
        create = {"docker": _container_engine.Docker, "podman": _container_engine.Podman}[name]
        engine = create(str(folder), "linux/arm64")
        engine._program = name
        found = survives(lambda: list(engine.connection_problems()))
        whole(lambda problems: problems.extend(found or []))
        survives(lambda: engine.has(remote("v1")))
        survives(lambda: engine.fetch(remote("v1")))
        survives(lambda: engine.fetch(remote()))


@fuzz
@given(spoilt(mutated(platforms) | anything), spoilt(mutated(platforms) | anything), texts, st.sampled_from([0, 0, 1]))
def test_responses_of_skopeo(folder: pathlib.Path, there: bytes, here: bytes, output: str, code: int) -> None:
    def answer(_program: Any, *arguments: str, **_variables: str) -> subprocess.CompletedProcess[str]:
        content = here if arguments[-1].startswith("docker://") else there
        return subprocess.CompletedProcess(arguments, code, content.decode(errors="replace"), output)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_program.Program, "_run", answer)
        survives(lambda: _skopeo.Skopeo(str(folder), "oci:/srv/x:y", "linux/amd64", True).has(remote()))
        survives(lambda: _skopeo.Skopeo(str(folder), "docker-daemon:app:v1", "linux/amd64", True).fetch(remote()))


# --- responses of IAM ------------------------------------------------------------------------------------------------

PRINCIPALS = [
    f"arn:aws:iam::{ACCOUNT}:root",
    "222222222222",
    "arn:aws:iam::222222222222:role/path/name",
    "AIDAEXAMPLEEXAMPLEEX",
    "*",
]


def one_or_several(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return values | st.lists(values, max_size=2)


principals = st.just("*") | st.dictionaries(
    st.sampled_from(["AWS", "Service", "Federated", "CanonicalUser"]),
    one_or_several(st.sampled_from(PRINCIPALS)),
    max_size=2,
)
conditions = st.dictionaries(
    st.sampled_from(
        [
            "StringEquals",
            "StringLike",
            "Bool",
            "ArnEquals",
            "ForAnyValue:StringEquals",
            "StringNotEqualsIfExists",
            "Null",
        ]
    ),
    st.dictionaries(
        st.sampled_from(
            [
                "sts:ExternalId",
                "STS:externalid",
                "aws:PrincipalArn",
                "aws:PrincipalOrgID",
                "aws:MultiFactorAuthPresent",
                "ecr:ResourceTag/environment",
                "AWS:ResourceTag/x",
            ]
        ),
        one_or_several(
            st.sampled_from(["release", "*", "true", *PRINCIPALS]) | st.booleans() | st.integers(0, 9) | texts
        ),
        max_size=2,
    ),
    max_size=2,
)
actions = one_or_several(
    st.sampled_from(["*", "ecr:*", "ecr:BatchGetImage", "ECR:getdownloadurlforlayer", "sts:AssumeRole"])
)
resources = one_or_several(
    st.sampled_from(["*", f"arn:aws:ecr:*:{ACCOUNT}:repository/*", "arn:aws:ecr:eu-west-1:1:repository/[!]", "a*" * 40])
)
statements = st.builds(
    lambda effect, parts: {"Effect": effect, **parts},
    st.sampled_from(["Allow", "Deny"]),
    st.fixed_dictionaries(
        {},
        optional={
            "Sid": st.just("One"),
            "Action": actions,
            "NotAction": actions,
            "Resource": resources,
            "NotResource": resources,
            "Principal": principals,
            "NotPrincipal": principals,
            "Condition": conditions,
        },
    ),
)
#: Documents as IAM accepts and returns them: a single statement or several, a string or a list.
documents = st.builds(
    lambda statement, more: {"Statement": statement, **more},
    one_or_several(statements),
    st.fixed_dictionaries({}, optional={"Version": st.just("2012-10-17"), "Id": st.just("x")}),
)
NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
REPOSITORIES = [
    TagsChange(
        "eu-west-1",
        "release",
        f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/release",
        {"environment": "release", "X": "1"},
        {"environment": "other"},
    )
]


def judge_documents(
    trust: _policy_document.Document, permissions: _policy_document.Document, declared: list[dict[str, Any]]
) -> None:
    """Everything that is done with the documents of a role as it is."""
    _policy_document.dangling_principals(trust)
    named = [_consumers.consumer_of(item) for item in declared]
    consumers = _consumers.with_external_ids(named, PARTITION, trust, lambda: "made")
    before = _role_state.RoleState(
        role_exists=True, policy_exists=True, trust=trust, permissions=permissions, attached=True
    )
    expected = _policy.permissions_document(IDENTITY, {"environment": ("release",)})
    after = dataclasses.replace(before, trust=_policy.trust_document(PARTITION, consumers), permissions=expected)
    plan = _role_plan.plan_role(before, after)
    assert not plan.steps or plan.steps[-1].name in ("update_trust", "create_version", "end_revocation"), plan.steps
    assert _policy_document.equivalent(trust, copy.deepcopy(trust))
    _convergence.unmet(plan, before)
    list(_role_ownership.ownership_problems(before, after, _role_declaration.RoleDeclaration("role", "policy")))
    _granted_access.granting_tags(permissions)
    change = access_of(
        [RoleChange("role", before, dataclasses.replace(before, permissions=expected))], REPOSITORIES, NOW
    )
    fit("\n".join(change.lines))


DECLARED = [{"account": "222222222222", "external_id": "generate"}]


@fuzz
@given(documents, documents)
@example({"Statement": {"Effect": "Allow", "Principal": {"AWS": "\x1b[31m"}}}, {"Statement": []})
def test_documents_that_iam_takes(trust: _policy_document.Document, permissions: _policy_document.Document) -> None:
    """Each of them is understood; a foreign entry is not an error."""
    for document in (trust, permissions):
        written = json.dumps(document)
        # Some numbers are equal to themselves only as text.
        for form in (document, written, urllib.parse.quote(written)):
            assert json.dumps(_policy_document.parse(form)) == written
    judge_documents(trust, permissions, DECLARED)


@fuzz
@given(mutated(documents), mutated(documents), spoilt(mutated(documents) | anything), st.booleans())
@example({"Statement": [["x"]]}, {}, b"", False)
@example({}, {"Statement": {"Effect": "Allow", "Action": {"a": 1}, "Condition": [1]}}, b"%7B", True)
def test_documents_that_iam_would_not_take(trust: Any, permissions: Any, content: bytes, quoted: bool) -> None:
    text = content.decode("utf-8", "replace")
    survives(lambda: _policy_document.parse(urllib.parse.quote(text) if quoted else text))
    parsed = [survives(functools.partial(_policy_document.parse, item)) for item in (trust, permissions)]
    if None not in parsed:
        judge_documents(parsed[0], parsed[1], DECLARED)


# --- denials of AWS -----------------------------------------------------------------------------------

codes = st.sampled_from(
    ["AccessDenied", "AccessDeniedException", "ExpiredToken", "RepositoryNotFoundException", "Throttling"]
)
answers = st.fixed_dictionaries(
    {},
    optional={
        "Error": st.fixed_dictionaries({}, optional={"Code": codes | texts, "Message": texts}),
        "ResponseMetadata": st.dictionaries(texts, scalars, max_size=1),
    },
)


@fuzz
@given(answers)
def test_denials_of_aws(answer: dict[str, Any]) -> None:
    error = botocore.exceptions.ClientError(answer, "GetRole")
    fit(_errors.explain(error))
    sentence = _errors.aws_sentence(error)
    fit(sentence)
    for called in (_denial.ROLE, _denial.ASSUME, _denial.CALLER):
        denial = _denial.read_denial(sentence, called)
        fit(denial.advice(called))
        assert denial.kind in {kind for kind, _called, _advice in _denial.kinds()}

    def refuse() -> None:
        raise error

    with contextlib.suppress(botocore.exceptions.ClientError):
        observation = _access_probe.probe_request(refuse)
        probes = dict.fromkeys(_verdict.PROBES, observation)
        expectations = _verdict.Expectations(("release",), ("develop",))
        verdicts = _verdict.verdicts_of(expectations, {"release": probes, "develop": probes}, observation, {})
        proof = _proof.proof_result(_assume.SessionOptions(ROLE_ARN), {}, ("true", ""), observation, verdicts)
        fit("\n".join(proof["summary"]))
        xml.etree.ElementTree.fromstring(filter_access_junit(proof, "role"))  # noqa: S314 - it is ours


# --- declarations of users

ends = st.sampled_from([None, "14d", "2026-12-31T00:00:00Z", "14d 2026-12-31T00:00:00Z", 14]) | anything
strings = texts | st.sampled_from(["release", "tools/*", "user/NAME", ROLE_ARN, "eu-west-1", "generate"])
consumers = st.fixed_dictionaries(
    {},
    optional={
        "account": st.sampled_from(["222222222222", 222222222222]) | anything,
        "principals": st.none() | st.lists(strings, max_size=2),
        "external_id": st.none() | strings,
        "allow_no_external_id": st.booleans(),
        "principal_match": st.sampled_from(["principal", "condition"]),
        "organization_id": st.none() | st.sampled_from(["o-a1b2c3d4e5"]) | strings,
        "organization_units": st.none() | st.lists(strings, max_size=2),
        "require_mfa": st.booleans(),
        "session_tags": st.booleans(),
        "service": st.none() | strings,
        "source_arns": st.none() | st.lists(strings, max_size=2),
    },
)
tags = st.dictionaries(st.sampled_from(["environment", "aws:x", "Environment"]) | texts, strings | anything, max_size=3)


@fuzz
@given(
    st.fixed_dictionaries(
        {
            "name": strings,
            "policy_name": st.none() | strings,
            "consumers": st.none() | st.lists(consumers, max_size=2),
            "repository_tags": st.none() | tags,
            "tags": st.none() | tags,
            "access": st.sampled_from(["pull", "read"]),
            "condition_key": st.sampled_from(["ecr", "aws"]),
            "regions": st.none() | st.lists(strings, max_size=2),
            "path": strings,
            "description": st.none() | strings,
            "max_session_duration": st.none() | st.integers(),
            "permissions_boundary": st.none() | strings,
            "trust_policy_quota": st.sampled_from([2048, 4096]),
            "adopt": st.booleans(),
            "state": st.sampled_from(["present", "narrowed", "absent"]),
            "expires": ends,
            "role_expires": ends,
        }
    )
)
def test_a_declared_role(options: dict[str, Any]) -> None:
    def declare(problems: Problems) -> None:
        declared = _role_declaration.role_declaration_of(options)
        problems.extend(_names.name_problems(declared.name, declared.policy_name, declared.path))
        plan_pull_role(_role_state.RoleState(), declared, IDENTITY, NewValues(lambda: "made", NOW), problems)

    whole(declare)


@fuzz
@given(
    st.dictionaries(
        st.sampled_from(["release", "tools/build"]), st.tuples(strings, st.dictionaries(texts, texts, max_size=2))
    ),
    tags,
    st.sampled_from(["present", "absent"]),
    st.lists(strings, max_size=3),
)
def test_declared_tags(
    repositories: dict[str, tuple[str, dict[str, str]]], tags: dict[str, Any], state: str, names: list[str]
) -> None:
    declared = tag_declaration({"names": names, "all_except": None, "tags": tags, "state": state})
    whole(lambda problems: problems.extend(tag_declaration_problems(declared)))
    known = [*repositories, *names]
    whole(lambda problems: problems.extend(_tag_plan.unmatched_pattern_problems(names, known)))
    _tag_plan.select(names, known)
    whole(lambda problems: problems.extend(_policy.repository_tags_problems(tags)))
    values = {key: value for key, value in tags.items() if isinstance(value, str)}
    known_tags = [_tag_plan.TaggedRepository(name, arn, had) for name, (arn, had) in repositories.items()]
    plan = _tag_plan.plan_tags(known_tags, values, state == "present")
    plan.batches()
    whole(lambda problems: problems.extend(_tag_plan.tag_plan_problems(plan)))


def options_of(name: str, spec: Any, arguments: Any, rules: Any, check: Any) -> Any:
    """The options of a module as its action plugin has them."""
    options = Controller(name, spec, arguments, **rules).params
    check(options)
    return options


def check_proof(params: Any) -> None:
    problems = Problems()
    problems.extend(_proof.proof_problems(_proof.ProofOptions.of(params)))
    problems.check()


with (ROOT / "roles/ecr_pull/meta/argument_specs.yml").open(encoding="utf-8") as file:
    PULL = yaml.safe_load(file)["argument_specs"]["main"]["options"]
#: The consumer's own variables: those of the share, and the others.
own_variables = st.just(
    {
        "ecr_pull_role_arn": ROLE_ARN,
        "ecr_pull_external_id": "7c2f4e0b-share",
        "ecr_pull_repositories": ["release"],
        "ecr_pull_denied": ["develop"],
        "ecr_pull_images": ["release:v1.0"],
        "ecr_pull_region": "eu-west-1",
        "ecr_pull_shared_at": "2026-01-31T23:59:59Z",
        "ecr_pull_repository_tags": {"environment": "release"},
        "ecr_pull_platform": "linux/arm64",
        "ecr_pull_dest": "/srv/image",
        "ecr_pull_duration_seconds": 3600,
        "ecr_pull_wait_interval": 2.0,
        "ecr_pull_wait_timeout": 60,
    }
)
#: Options that the role names differently from the modules.
RENAMED = {"repositories": "readable"}


@fuzz
@given(mutated(own_variables, most=3))
@example({"ecr_pull_role_arn": ROLE_ARN, "ecr_pull_wait_interval": float("nan")})
@example({"ecr_pull_role_arn": ROLE_ARN, "ecr_pull_wait_timeout": -1})
@example({"ecr_pull_role_arn": ROLE_ARN, "ecr_pull_wait_timeout": 10**400})
def test_variables_of_a_pull(variables: dict[str, Any]) -> None:
    """As Ansible checks them for the role, and each module for itself."""
    try:
        checked = ArgumentSpecValidator(PULL).validate(variables)
    except OverflowError:  # ansible-core itself, of an infinite number
        return
    if checked.error_messages:
        return
    values = {name.removeprefix("ecr_pull_"): value for name, value in checked.validated_parameters.items()}
    values = {name: value for name, value in values.items() if value is not None}
    own = {name: value for name, value in values.items() if name in CHECKS}
    share = survives(lambda: share_of(None, own, values.get("owner_account"), values.get("expected_external_id")))
    if share is None:
        return
    values = {RENAMED.get(name, name): value for name, value in {**values, **share.values()}.items()}
    values.setdefault("role_session_name", share.role_arn.split("/")[-1])
    for name, spec, rules, check in (
        ("ecr_access_info", _proof.ACCESS_INFO_ARGUMENTS, {}, check_proof),
        ("ecr_image_pull", _pull_options.PULL_ARGUMENTS, _pull_options.PULL_RULES, _pull_options.PullOptions.of),
    ):
        arguments = {option: value for option, value in values.items() if option in spec}

        options = survives(functools.partial(options_of, name, spec, arguments, rules, check))
        if options:
            wait = _wait.WaitOptions.of(options)
            assert 0 <= wait.retry_window(time.time()) <= max(0, wait.timeout)
            assert wait.interval >= 0


#: A hand-off as the owner account writes it, without the consumer's own side.
handoffs = st.just(
    {
        "ecr_pull_role_arn": ROLE_ARN,
        "ecr_pull_external_id": "7c2f4e0b-share",
        "ecr_pull_consumer_account": "222222222222",
        "ecr_pull_shared_at": "2026-01-31T23:59:59Z",
        "ecr_pull_region": "eu-west-1",
        "ecr_pull_registry": "127.0.0.1:5000",
        "ecr_pull_repository_tags": {"environment": "release"},
        "ecr_pull_access": "read",
        "ecr_pull_repositories": ["release"],
        "ecr_pull_denied": ["develop"],
        "ecr_pull_images": ["release:v1.0"],
    }
)


@fuzz
@given(mutated(handoffs, most=3))
def test_a_hand_off(handoff: dict[str, Any]) -> None:
    """It is rejected with a message that is fit, or no value in it is a template or has a control character."""
    if any(not isinstance(name, str) for name in handoff):
        return  # which the loader does not return
    for problem in handoff_problems(handoff):
        assert problem
    share = survives(lambda: share_of(handoff, {}, None, None))
    if share is not None:
        text = json.dumps(share.values(), ensure_ascii=False)
        assert "{{" not in text
        assert "{%" not in text
        assert text.isprintable()


@fuzz
@given(
    st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", fullmatch=True)
    | st.datetimes().map(lambda time: time.strftime("%Y-%m-%dT%H:%M:%SZ"))
    | texts,
    numbers.filter(lambda number: abs(number) < 10**9),
)
def test_a_time(text: str, now: float) -> None:
    fit("".join(_timestamp.shared_at_problems(text)))
    assert 0 <= _wait.WaitOptions(True, 60, 1.0, text).retry_window(now) <= 60


@fuzz
@given(strings | st.none(), strings | st.none(), strings)
def test_the_way_a_role_is_assumed(role_arn: str | None, external_id: str | None, session_name: str) -> None:
    found = list(_names.assume_problems(role_arn, external_id, session_name))
    whole(lambda problems: problems.found.extend(map(_errors.printable, found)))


# --- memory ----------------------------------------------------------------------------------------------------------


def test_nothing_is_kept() -> None:
    """Hundreds of documents after the first leave no more memory in use than the first did."""

    def parse(number: int) -> None:
        digest = _manifest.digest_of(str(number).encode())
        layer = {"mediaType": f"type/{number}", "digest": digest, "size": number}
        manifest = {"mediaType": _manifest.MANIFEST_TYPES[0], "config": layer, "layers": [layer] * 20}
        survives(lambda: take_in(json.dumps(manifest).encode(), None))
        survives(lambda: take_in(b'{"mediaType": "%d"}' % number, None))
        survives(lambda: _image_reference.parse_reference(f"repository-{number}:v{number}@{digest}"))
        survives(lambda: _image_reference.parse_reference(f"no reference {number}"))
        statement = {"Effect": "Allow", "Action": "ecr:*", "Sid": f"{number}", "Principal": {"AWS": f"{number:012}"}}
        document = _policy_document.parse(urllib.parse.quote(json.dumps({"Statement": statement})))
        judge_documents(document, document, DECLARED)
        _errors.explain(botocore.exceptions.ClientError({"Error": {"Code": f"{number}", "Message": "x" * 999}}, "Get"))
        _timestamp.time_of(f"20{number % 90 + 10}-01-01T00:00:00Z")

    parse(0)
    tracemalloc.start()
    try:
        parse(1)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for number in range(2, 152):
            parse(number)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 100_000
    finally:
        tracemalloc.stop()
