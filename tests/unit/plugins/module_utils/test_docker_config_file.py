# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries of credHelpers in docker's config.json: ours are set, and everything else stays byte by byte."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._docker_config_file import (
    files_before,
    helpers_of,
    login_warnings,
    logins,
    merge_helpers,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from hypothesis import given
from hypothesis import strategies as st

HOST, OTHER = (f"{account}.dkr.ecr.ap-northeast-1.amazonaws.com" for account in ("111111111111", "333333333333"))
OURS = f"ecr-pull-deploy-{HOST}"
SECRET = "QVdTOnRoZS10b2tlbiBvZg"


def present(content: bytes | None, host: str = HOST) -> bytes | None:
    return merge_helpers(content, {host: OURS}).content


def absent(content: bytes | None, former: str | None = None, host: str = HOST) -> bytes | None:
    return merge_helpers(content, {host: former}).content


def read(content: bytes | None) -> Any:
    return json.loads(content or b"null")


#: Files of docker, podman and people.
TEXTS = [
    "",
    "\n",
    " \t\n",
    "{}",
    "{}\n",
    "{ }",
    "{\n}\n",
    "\n{}",
    '{"credHelpers": {}}',
    '{"credHelpers":{}, "auths": {}}',
    '{"auths":{"a.example":{"auth":"eA=="}}}',
    '{\n\t"auths": {\n\t\t"a.example": {}\n\t}\n}',
    '{\n  "auths": {},\n  "credHelpers": {\n    "gcr.io": "gcloud"\n  },\n  "x": [1e400, 1.0, "\\ud800"]\n}\n',
    '{"credHelpers": {"gcr.io":"gcloud","x":"y"}}',
    '{"auths": {"a": {"auth": "eA=="}}, "auths": {"b": {"auth": "eQ=="}}}',
    '{"AUTHS": {}, "credhelpers": {"gcr.io": "gcloud"}}',
    '{"a": {"credHelpers": {}}, "b": "{\\"credHelpers\\": {}}"}',
]


@pytest.mark.parametrize("text", TEXTS)
def test_added_and_removed_entry_restores_the_file(text: str) -> None:
    content = text.encode()
    configured = present(content)
    assert helpers_of(configured, [HOST]) == {HOST: OURS}
    assert present(configured) == configured
    assert absent(configured) == content
    assert absent(content) == content


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("order", [(HOST, OTHER), (OTHER, HOST)])
def test_two_entries_go_in_any_order(text: str, order: tuple[str, str]) -> None:
    both = present(present(text.encode()), OTHER)
    assert helpers_of(both, [HOST, OTHER]) == {HOST: OURS, OTHER: OURS}
    assert absent(absent(both, host=order[0]), host=order[1]) == text.encode()


def test_a_file_that_was_created_is_deleted() -> None:
    configured = present(present(None), OTHER)
    assert read(configured) == {"credHelpers": {HOST: OURS, OTHER: OURS}}
    assert absent(absent(configured), host=OTHER) is None
    assert absent(None) is None


@pytest.mark.parametrize("former", ["ecr-login", ""])
@pytest.mark.parametrize(
    "form", ['{{"credHelpers": {{"{}": "{}"}}}}', '{{\n\t"credHelpers": {{\n\t\t"{}": "{}"\n\t}}\n}}\n']
)
def test_the_users_own_entry_is_restored(form: str, former: str) -> None:
    """The only entry of a file, too. With the empty name, docker uses the logins of the file."""
    content = form.format(HOST, former).encode()
    assert helpers_of(content, [HOST]) == {HOST: former}
    configured = present(content)
    assert read(configured) == {"credHelpers": {HOST: OURS}}
    assert absent(configured, former) == content


def test_duplicate_names_keep_their_logins() -> None:
    """podman reads both objects. A parser that keeps the last one loses a login."""
    text = f'{{"auths": {{"a.example": {{"auth": "{SECRET}"}}}}, "auths": {{"b.example": {{"auth": "eA=="}}}}}}'
    configured = present(text.encode())
    assert configured is not None
    assert configured.startswith(text[:-1].encode())


@pytest.mark.parametrize("null", ['{"credHelpers": null}', '{"auths": null, "credHelpers":null}'])
def test_null_is_an_empty_object(null: str) -> None:
    assert helpers_of(present(null.encode()), [HOST]) == {HOST: OURS}


BAD = {
    f'{{"auths": {{"{HOST}": "{SECRET}"}}': "is not JSON (Expecting ',' delimiter: line 1 column 90 (char 89)).",
    "[]": "is JSON, but not an object.",
    '{"auths": ["x"]}': "has auths that is not an object.",
    '{"auths": {}, "auths": "x"}': "has auths that is not an object.",
    '{"credHelpers": "x"}': "has credHelpers that is not an object.",
    '{"credhelpers": "x"}': "has credHelpers that is not an object.",
    "[" * 100_000: "is not JSON that can be read (nested too deep).",
    **dict.fromkeys(
        [
            '{"credHelpers": {"a": "x"}, "credHelpers": {"b": "y"}}',
            '{"credHelpers": {"a": "x"}, "CREDHELPERS": {"b": "y"}}',
            f'{{"credHelpers": {{"{HOST}": "x", "{HOST}": "y"}}}}',
        ],
        "has credHelpers, or a registry in credHelpers, more than once. Keep one of them.",
    ),
    **{
        f'{{"credHelpers": {{"{HOST}": {value}}}}}': (
            f"has an entry of credHelpers for {HOST} that is not the name of a helper. Remove it."
        )
        for value in (f'{{"auth": "{SECRET}"}}', "1", "null", f'"\\u001b {SECRET}"', '"-x"', '"../x"', '"a\\nb"')
    },
}


@pytest.mark.parametrize(("text", "message"), BAD.items())
def test_a_file_that_cannot_be_merged(text: str, message: str) -> None:
    with pytest.raises(EcrError) as refused:
        present(text.encode())
    assert str(refused.value) == message
    assert helpers_of(text.encode(), [HOST]) == {}


def test_a_file_that_is_not_text() -> None:
    with pytest.raises(EcrError, match=r"is not a text in UTF-8 \(byte 1\)"):
        present(b"{\xff}")


def test_a_diff_shows_only_our_entries() -> None:
    text = json.dumps({"auths": {"a": {"auth": SECRET}}, "credHelpers": {"gcr.io": "gcloud", HOST: "ecr-login"}})
    merged = merge_helpers(text.encode(), {HOST: OURS})
    assert merged.before == f'{{\n    "credHelpers": {{\n        "{HOST}": "ecr-login"\n    }}\n}}\n'
    assert read(merged.after.encode()) == {"credHelpers": {HOST: OURS}}


# --- logins


def test_a_login_that_is_in_the_way_is_named() -> None:
    keys = [HOST, f"https://{HOST}/v1/", f"{HOST}/release", OTHER, "other.example.com", f"{HOST}.example.com"]
    content = json.dumps({"auths": {key: {"auth": SECRET} for key in keys}}).encode()
    assert logins(content, [HOST]) == keys[:3]
    assert logins(b"{", [HOST]) == logins(None, [HOST]) == logins(b"", [HOST]) == []
    runtime, auth_file = "/run/containers/1000/auth.json", "/home/deploy/.docker/config.json"
    login = json.dumps({"auths": {HOST: {"auth": SECRET}}}).encode()
    assert list(login_warnings({runtime: login}, auth_file, login, [HOST])) == [
        f"{runtime} has a login for {HOST}, which takes precedence over the helper for podman and skopeo, even after it"
        f" expires. Remove it: podman logout --authfile {runtime} {HOST}",
        f"{auth_file} has a login for {HOST}, which docker uses if the helper fails, so that docker does not"
        " report the helper's error. Remove that entry of auths from the file.",
    ]


@pytest.mark.parametrize(("helper", "named"), [("ecr-login", True), (OURS, False), ("", False)])
def test_a_helper_that_podman_uses_first_is_named(helper: str, named: bool) -> None:
    content = json.dumps({"credHelpers": {HOST: helper, "gcr.io": "gcloud"}}).encode()
    warning = (
        f"/run/auth.json names the helper {helper!r} for {HOST}, which takes precedence for podman and skopeo. Remove"
        " that entry of credHelpers from the file."
    )
    assert list(login_warnings({"/run/auth.json": content}, "/x", None, [HOST])) == ([warning] if named else [])


@pytest.mark.parametrize(
    "entry", [{}, None, {"auth": ""}, {"auth": None, "identitytoken": ""}, {"email": "x@example.com"}, "x", []]
)
def test_an_empty_login_is_none(entry: object) -> None:
    """docker keeps such an entry for a login that is in a credential store, and skips it otherwise."""
    content = json.dumps({"auths": {HOST: entry}, "credsStore": "ecr-login"}).encode()
    assert logins(content, [HOST]) == []


@pytest.mark.parametrize("key", ["auth", "Auth", "username", "password", "identitytoken", "registrytoken"])
def test_any_credential_is_a_login(key: str) -> None:
    assert logins(json.dumps({"auths": {HOST: {key: SECRET}}}).encode(), [HOST]) == [HOST]


def test_logins_of_every_object_with_the_name_are_found() -> None:
    text = f'{{"auths": {{"{HOST}": {{"auth": "x"}}}}, "AUTHS": {{"{OTHER}": {{"auth": "x"}}}}}}'
    assert logins(text.encode(), [HOST, OTHER]) == [HOST, OTHER]


def test_command_in_login_warning_is_quoted() -> None:
    """The user of the home chooses the text after the registry, and root may paste the command."""
    login = json.dumps({"auths": {f"{HOST}/$(reboot)\x1b[2J": {"auth": "x"}}}).encode()
    (warning,) = login_warnings({"/run/a b": login}, "/x", None, [HOST])
    assert warning.endswith(f"podman logout --authfile '/run/a b' '{HOST}/$(reboot)\\x1b[2J'")


def test_files_that_podman_reads_before() -> None:
    run = ["/run/user/7/containers/auth.json", "/run/containers/7/auth.json"]
    known = {"/h/.config/containers/auth.json": "/etc/real"}
    found = [
        files_before(path, "/h", 7, lambda path: known.get(path, path))
        for path in ("/h/.docker/config.json", "/etc/real", "/x")
    ]
    assert found == [[*run, "/h/.config/containers/auth.json"], run, []]


# --- any content


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@given(
    documents | st.dictionaries(st.sampled_from(["auths", "credHelpers", HOST]), documents, max_size=3),
    st.sampled_from([None, 0, 1, "\t"]),
)
def test_any_file_is_merged_or_rejected(document: Any, indent: Any) -> None:
    content = json.dumps(document, indent=indent).encode()
    try:
        configured = present(content)
    except EcrError:
        return
    document = {} if document is None else document
    after = read(configured)
    assert after.pop("credHelpers").pop(HOST) == OURS
    assert json.dumps(after) == json.dumps({key: value for key, value in document.items() if key != "credHelpers"})
    assert present(configured) == configured
    if document.get("credHelpers", {}) is not None and HOST not in document.get("credHelpers", {}):
        assert absent(configured) == content
