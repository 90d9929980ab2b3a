"""What is merged into the files of a host that pulls for years, and what is refused."""

from __future__ import annotations

import configparser
import dataclasses
import json
import os
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _host_files, _pull_host
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull_host import Change, Places
from hypothesis import example, given
from hypothesis import strategies as st

HOST, OTHER = (f"{account}.dkr.ecr.ap-northeast-1.amazonaws.com" for account in ("111111111111", "333333333333"))
PLACES = Places("deploy", "/home/deploy/.docker/config.json", "/home/deploy/.aws/config", "/usr/local/bin")
SECTION = f"profile ecr-pull-{HOST}"
SECRET = "QVdTOnRoZS10b2tlbiBvZg"


def entry(registry: str = HOST, /, **options: Any) -> dict[str, Any]:
    role_arn = f"arn:aws:iam::{'333333333333' if registry == OTHER else '111111111111'}:role/allow_ecr_release"
    return {"registry": registry, "role_arn": role_arn, "external_id": "test", "source_profile": "default", **options}


def wrapper_of(registry: str) -> str:
    return f"/usr/local/bin/docker-credential-ecr-pull-deploy-{registry}"


def plan(
    found: dict[str, bytes],
    *registries: dict[str, Any],
    present: bool = True,
    faults: dict[str, str] | None = None,
) -> list[Change]:
    """The changes to these files; any problem is an error."""
    paths = [PLACES.aws_config, PLACES.auth_file, *(wrapper_of(one["registry"]) for one in registries)]
    problems = Problems()
    read = {path: found.get(path) for path in paths}
    changes = _pull_host.plan(list(registries), present, PLACES, read, faults or {}, problems)
    problems.check()
    return changes


def written(found: dict[str, bytes], changes: list[Change]) -> dict[str, bytes]:
    """The files once the changes are made."""
    files: dict[str, bytes | None] = {**found, **{change.path: change.content for change in changes}}
    return {path: content for path, content in files.items() if content is not None}


# --- what is written -------------------------------------------------------------------------------------------------


def test_two_owner_accounts_on_a_host_without_files_and_back() -> None:
    both = entry(), entry(OTHER, source_profile=None, credential_source="Ec2InstanceMetadata", external_id=None)
    changes = plan({}, *both)
    # Nothing names what is not there yet.
    wanted = [PLACES.aws_config, wrapper_of(HOST), wrapper_of(OTHER), PLACES.auth_file]
    assert [change.path for change in changes] == wanted
    assert [change.mode for change in changes] == [0o600, 0o755, 0o755, 0o600]
    files = written({}, changes)
    assert files[PLACES.aws_config].decode() == (
        f"[profile ecr-pull-{HOST}]\n"
        "role_arn = arn:aws:iam::111111111111:role/allow_ecr_release\n"
        "external_id = test\n"
        "source_profile = default\n"
        "\n"
        f"[profile ecr-pull-{OTHER}]\n"
        "role_arn = arn:aws:iam::333333333333:role/allow_ecr_release\n"
        "credential_source = Ec2InstanceMetadata\n"
    )
    names = {host: f"ecr-pull-deploy-{host}" for host in (HOST, OTHER)}
    assert json.loads(files[PLACES.auth_file]) == {"credHelpers": names}
    assert plan(files, *both) == []
    one_less = plan(files, {"registry": OTHER}, present=False)
    assert written(files, one_less) == written({}, plan({}, entry()))
    only_hosts = [{"registry": one["registry"]} for one in both]
    back = plan(files, *only_hosts, present=False)
    assert [change.path for change in back] == wanted[::-1]
    assert written(files, back) == {}
    assert plan({}, *only_hosts, present=False) == []


def test_the_wrapper() -> None:
    text = _pull_host.wrapper(Places("deploy", "", "/home/de ploy/config", "/usr/local/bin"), HOST)
    unset = next(line for line in text.splitlines() if line.startswith("unset "))
    assert {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_WEB_IDENTITY_TOKEN_FILE"} <= {*unset.split()}
    assert "\nAWS_CONFIG_FILE='/home/de ploy/config'\n" in text
    assert f"\nAWS_PROFILE=ecr-pull-{HOST}\n" in text
    assert text.startswith("#!/bin/sh\n")
    assert text.endswith('\nexec docker-credential-ecr-login "$@"\n')


AUTH_FILE = json.dumps({"auths": {"other.example.com": {"auth": SECRET}}, "credHelpers": {"gcr.io": "gcloud"}, "x": 1})
CONFIG = f"""# mine
[default]
aws_secret_access_key = {SECRET}
s3 =
  max_concurrent_requests = 20

[{SECTION}]
# theirs
region = eu-west-1
source_profile: old
role_arn =
  arn:old
[profile last]
region=us-east-1"""


def test_what_else_is_in_the_files_stays_and_is_not_shown() -> None:
    found = {PLACES.auth_file: AUTH_FILE.encode(), PLACES.aws_config: CONFIG.encode()}
    changes = plan(found, entry())
    files = written(found, changes)
    assert json.loads(files[PLACES.auth_file]) == {
        **json.loads(AUTH_FILE),
        "credHelpers": {"gcr.io": "gcloud", HOST: f"ecr-pull-deploy-{HOST}"},
    }
    ours = (
        f"[{SECTION}]\nrole_arn = arn:aws:iam::111111111111:role/allow_ecr_release\n"
        "external_id = test\nsource_profile = default\n"
    )
    former = "source_profile: old\nrole_arn =\n  arn:old\n"
    assert files[PLACES.aws_config].decode() == CONFIG.replace(former, "").replace(f"[{SECTION}]\n", ours)
    assert SECRET not in str([change.diff() for change in changes])
    assert changes[0].diff()["before"] == f"[{SECTION}]\nsource_profile = old\nrole_arn = (not shown)\n"
    assert changes[0].diff()["after"] == ours
    assert plan(files, entry()) == []
    back = written(files, plan(files, {"registry": HOST}, present=False))
    assert json.loads(back[PLACES.auth_file]) == json.loads(AUTH_FILE)
    assert back[PLACES.aws_config].decode() == CONFIG.replace(former, "")  # with the region, which is not ours


def test_an_entry_of_another_helper_is_not_taken_out() -> None:
    found = {PLACES.auth_file: json.dumps({"credHelpers": {HOST: "ecr-login"}}).encode()}
    assert plan(found, {"registry": HOST}, present=False) == []
    assert json.loads(written(found, plan(found, entry()))[PLACES.auth_file])["credHelpers"][HOST].endswith(HOST)


@pytest.mark.parametrize("text", ["", "\n", "[default]\nregion = x", "[default]\nregion = x\n", "# only this\n\n"])
def test_a_section_that_came_and_went_leaves_the_text_as_it_was(text: str) -> None:
    found = {PLACES.aws_config: text.encode()}
    there = written(found, plan(found, entry()))
    back = written(there, plan(there, {"registry": HOST}, present=False))
    assert back.get(PLACES.aws_config, b"").decode() == (text + "\n" if text and not text.endswith("\n") else text)


def test_comments_for_what_follows_stay_when_a_section_goes() -> None:
    content = f"[{SECTION}]\nrole_arn = x\n\n# the last\n[profile last]\nregion = x\n"
    merged = _pull_host.merge_profiles(content.encode(), {SECTION: {}})
    assert merged[0] == b"\n# the last\n[profile last]\nregion = x\n"


# --- wrappers and diffs ----------------------------------------------------------------------------------------------


def wrapper_text(aws_config: str = PLACES.aws_config) -> bytes:
    return _pull_host.wrapper(dataclasses.replace(PLACES, aws_config=aws_config), HOST).encode()


@pytest.mark.parametrize("present", [True, False])
@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", SECRET.encode(), b"\xff", wrapper_text()[:40]])
def test_foreign_file_in_place_of_wrapper_is_refused_and_not_shown(content: bytes, present: bool) -> None:
    with pytest.raises(EcrError) as refused:
        plan({wrapper_of(HOST): content}, entry(), present=present)
    assert str(refused.value) == (
        f"{wrapper_of(HOST)} was not written by this collection. Remove it, or use another bin_dir. It was left as it"
        " is."
    )


@pytest.mark.parametrize("aws_config", ["/old", "/with space/config", "/it's/config"])
def test_former_wrapper_is_shown(aws_config: str) -> None:
    changes = {one.path: one for one in plan({wrapper_of(HOST): wrapper_text(aws_config)}, entry())}
    assert changes[wrapper_of(HOST)].before.encode() == wrapper_text(aws_config)


@pytest.mark.parametrize("present", [True, False])
@pytest.mark.parametrize(
    "content",
    [
        wrapper_text() + f"# {SECRET}\n".encode(),
        wrapper_text().replace(b"unset ", f"export A={SECRET}\nunset ".encode()),
        wrapper_text().replace(b"AWS_PROFILE", f"A={SECRET}\nAWS_PROFILE".encode()),
        wrapper_text().replace(b"\nAWS_PROFILE", f" A={SECRET}\nAWS_PROFILE".encode()),
        wrapper_text().replace(b"\nAWS_PROFILE", f";A={SECRET}\nAWS_PROFILE".encode()),
        wrapper_text()[:-20],
    ],
)
def test_edited_wrapper_is_replaced_but_not_shown(content: bytes, present: bool) -> None:
    changes = {one.path: one for one in plan({wrapper_of(HOST): content}, entry(), present=present)}
    assert changes[wrapper_of(HOST)].before == (
        f"# A former or edited wrapper of {len(content)} bytes, which is not shown.\n"
    )


def test_wrapper_with_wrong_mode_is_written_again() -> None:
    found = written({}, plan({}, entry()))
    (change,) = plan(found, entry(), faults={wrapper_of(HOST): "mode 0777, owned by the user with ID 0"})
    assert (change.path, change.content, change.mode) == (wrapper_of(HOST), wrapper_text(), 0o755)
    assert change.before == f"# mode 0777, owned by the user with ID 0\n{change.after}"


def test_diff_shows_no_text_of_others_in_our_entries() -> None:
    config = f"[{SECTION}]\nrole_arn = x\n  aws_secret_access_key = {SECRET}\n"
    auth_file = json.dumps({"credHelpers": {HOST: {"auth": SECRET}, OTHER: f"\x1b {SECRET}"}})
    found = {PLACES.aws_config: config.encode(), PLACES.auth_file: auth_file.encode()}
    diffs = [change.diff() for change in plan(found, entry(), entry(OTHER))]
    assert SECRET not in str(diffs)
    assert "role_arn = (not shown)" in diffs[0]["before"]


def test_diff_has_no_control_characters() -> None:
    found = {PLACES.aws_config: f"[{SECTION}]\nrole_arn = \x1b[2J\n".encode()}
    assert plan(found, entry())[0].diff()["before"] == f"[{SECTION}]\nrole_arn = \\x1b[2J\n"


@pytest.mark.parametrize("path", ["$HOME/x", "x", "", "~nobody-at-all/x", "/a\0b", "/a\nb", "/a\udcff"])
def test_path_that_cannot_be_used(path: str) -> None:
    (problem,) = _pull_host.path_problems({"home": "/home/it's a", "bin_dir": path})
    assert problem == (
        f"bin_dir {path!r} must be an absolute path of printable characters, or begin with ~/. Environment variables"
        " are not expanded."
    )


# --- what is refused -------------------------------------------------------------------------------------------------

NO_REGISTRY = (
    "is no ECR registry, such as 111111111111.dkr.ecr.ap-northeast-1.amazonaws.com. Give its host alone, without"
    " https:// and repository."
)


@pytest.mark.parametrize(
    ("registries", "message"),
    [
        ([], "registries is empty: name at least one registry."),
        ([entry("registry.example.com")], f"Registry 'registry.example.com' {NO_REGISTRY}"),
        ([entry(f"https://{HOST}")], f"Registry 'https://{HOST}' {NO_REGISTRY}"),
        ([entry(f"{HOST}/release")], f"Registry '{HOST}/release' {NO_REGISTRY}"),
        ([entry(HOST.replace("ecr", "s3"))], f"Registry '{HOST.replace('ecr', 's3')}' {NO_REGISTRY}"),
        ([entry(f"{HOST}.evil.example")], f"Registry '{HOST}.evil.example' {NO_REGISTRY}"),
        ([entry(f"../{HOST}")], f"Registry '../{HOST}' {NO_REGISTRY}"),
        (
            [entry(), entry(role_arn="arn:aws:iam::111111111111:role/other")],
            f"Registry {HOST} has 2 entries, with arn:aws:iam::111111111111:role/allow_ecr_release and"
            " arn:aws:iam::111111111111:role/other. docker and podman know one helper for a registry: keep one entry.",
        ),
        (
            [entry(role_arn="arn:aws:iam::333333333333:role/x")],
            f"Registry {HOST}: arn:aws:iam::333333333333:role/x is a role of another account. The pull role is of the"
            " account that owns the registry.",
        ),
        (
            [entry(role_arn=None)],
            f"Registry {HOST}: role_arn '' is not the ARN of a role, such as arn:aws:iam::111111111111:role/NAME.",
        ),
        (
            [entry(external_id="a\nb")],
            f"Registry {HOST}: external_id has 3 characters, or a character that AWS does not accept. It needs 2 to"
            " 1,224 letters, digits and _+=,.@:/-",
        ),
        (
            [entry(source_profile=None)],
            f"Registry {HOST}: give credential_source or source_profile, and not both: the role is assumed with these"
            " credentials.",
        ),
        (
            [entry(credential_source="EcsContainer")],
            f"Registry {HOST}: give credential_source or source_profile, and not both: the role is assumed with these"
            " credentials.",
        ),
        (
            [entry(source_profile="x\n[default]\ncredential_process = sh")],
            f"Registry {HOST}: source_profile 'x\\n[default]\\ncredential_process = sh' is not the name of a profile.",
        ),
    ],
)
def test_a_declaration_that_is_refused(registries: list[dict[str, Any]], message: str) -> None:
    assert list(_pull_host.registry_problems(registries, True)) == [message]


@pytest.mark.parametrize(
    "host",
    [
        HOST,
        "111111111111.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
        "111111111111.dkr-ecr.us-east-1.on.aws",
        "111111111111.dkr.ecr.cn-north-1.amazonaws.com.cn",
        "111111111111.dkr.ecr.eusc-de-east-1.amazonaws.eu",
    ],
)
def test_a_registry_of_any_partition(host: str) -> None:
    assert list(_pull_host.registry_problems([entry(host)], True)) == []


BAD_AUTH_FILES = {
    f'{{"auths": {{"{HOST}": "{SECRET}"}}': "is not JSON (Expecting ',' delimiter: line 1 column 90 (char 89)).",
    "[]": "is JSON, but not an object.",
    '{"auths": ["x"]}': "has auths that is not an object.",
    '{"credHelpers": "x"}': "has credHelpers that is not an object.",
    "[" * 100_000: "is not JSON that can be read (nested too deep).",
}
BAD_CONFIGS = {
    f"aws_secret_access_key = {SECRET}\n": "is not an AWS configuration file (line 1).",
    f"[default]\n{SECRET}\n": "is not an AWS configuration file (line 2).",
    "[default]\n[default]\n": "is not an AWS configuration file (line 2).",
    "[default]\na = 1\na = 2\n": "is not an AWS configuration file (line 3).",
    f"[{SECTION}]\n  role_arn = x\n": f"has one of {SECTION} in a form that cannot be merged. Remove it by hand.",
}


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        *((PLACES.auth_file, text, message) for text, message in BAD_AUTH_FILES.items()),
        *((PLACES.aws_config, text, message) for text, message in BAD_CONFIGS.items()),
    ],
)
def test_a_file_that_can_not_be_merged(path: str, text: str, message: str) -> None:
    with pytest.raises(EcrError) as refused:
        plan({path: text.encode()}, entry())
    assert str(refused.value) == f"{path} {message} It was left as it is."
    assert SECRET not in str(refused.value)


def test_a_merge_that_would_lose_something_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pull_host, "_replaced", lambda _text, section, wanted: _pull_host._written(section, wanted))
    with pytest.raises(EcrError, match="in a form that cannot be merged"):
        plan({PLACES.aws_config: b"[default]\nregion = x\n"}, entry())


def test_all_problems_of_the_files_together() -> None:
    with pytest.raises(EcrError) as refused:
        plan({PLACES.auth_file: b"\xff", PLACES.aws_config: b"[x]\n\xff"}, entry())
    assert [problem.split()[0] for problem in refused.value.facts["problems"]] == [PLACES.aws_config, PLACES.auth_file]


# --- logins that are in the way --------------------------------------------------------------------------------------


def test_a_login_that_is_in_the_way_is_named() -> None:
    keys = [HOST, f"https://{HOST}/v1/", f"{HOST}/release", OTHER, "other.example.com", f"{HOST}.example.com"]
    content = json.dumps({"auths": {key: {"auth": SECRET} for key in keys}}).encode()
    assert _pull_host.logins(content, [HOST]) == keys[:3]
    assert _pull_host.logins(b"{", [HOST]) == _pull_host.logins(None, [HOST]) == []
    runtime = "/run/containers/1000/auth.json"
    one = json.dumps({"auths": {HOST: {"auth": SECRET}}}).encode()
    warnings = list(_pull_host.login_warnings(PLACES, {runtime: one}, {PLACES.auth_file: one}, [HOST]))
    assert warnings == [
        f"{runtime} has a login for {HOST}, which takes precedence over the helper for podman and skopeo, even after it"
        f" expires. Remove it: podman logout --authfile {runtime} {HOST}",
        f"{PLACES.auth_file} has a login for {HOST}, which docker uses if the helper fails, so that docker does not"
        " report the helper's error. Remove that entry of auths from the file.",
    ]


def test_command_in_login_warning_is_quoted() -> None:
    """The user of the home chooses the text after the registry, and root may paste the command."""
    one = json.dumps({"auths": {f"{HOST}/$(reboot)\x1b[2J": {}}}).encode()
    (warning,) = _pull_host.login_warnings(PLACES, {"/run/a b": one}, {PLACES.auth_file: None}, [HOST])
    assert warning.endswith(f"podman logout --authfile '/run/a b' '{HOST}/$(reboot)\\x1b[2J'")


# --- whatever is in the files ----------------------------------------------------------------------------------------

lines = st.sampled_from(
    [
        f"[{SECTION}]",
        "[default]",
        "[profile x]",
        "role_arn = x",
        "source_profile: y",
        "region=z",
        "  nested = 1",
        "\tdeep",
        "",
        "# [profile x]",
        "; comment",
        "[",
        "=",
        " [default]",
        f"[{SECTION}] # ours",
        "a = [b]",
        "\r",
        "\x0b[x]",
        "\u2028",
        "[DEFAULT]",
        "%(x)s = %",
    ]
) | st.text(max_size=8)


def foreign(content: bytes) -> Any:
    """What is in a configuration beside our keys, read by a parser of its own."""
    parser = configparser.ConfigParser(default_section="\0", interpolation=None)
    parser.read_string(content.decode())
    found = {(section, key): value for section in parser.sections() for key, value in parser.items(section)}
    return {place: value for place, value in found.items() if place[0] != SECTION or place[1] not in _pull_host._KEYS}


@given(st.lists(lines, max_size=12).map("\n".join))
@example(f"[{SECTION}]\n\n[{SECTION}] # twice\n")
def test_any_configuration_is_merged_or_refused(text: str) -> None:
    found = {PLACES.aws_config: text.encode("utf-8", "surrogatepass")}
    try:
        files = written(found, plan(found, entry()))
    except EcrError:
        return
    back = written(files, plan(files, {"registry": HOST}, present=False))
    assert plan(files, entry()) == []
    assert foreign(files[PLACES.aws_config]) == foreign(found[PLACES.aws_config])
    assert foreign(back.get(PLACES.aws_config, b"")) == foreign(found[PLACES.aws_config])


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@given(documents | st.dictionaries(st.sampled_from(["auths", "credHelpers", HOST]), documents, max_size=3))
def test_any_auth_file_is_merged_or_refused(document: Any) -> None:
    found = {PLACES.auth_file: json.dumps(document).encode()}
    try:
        files = written(found, plan(found, entry()))
    except EcrError:
        return
    merged = json.loads(files[PLACES.auth_file])
    assert merged.pop("credHelpers").pop(HOST) == f"ecr-pull-deploy-{HOST}"
    assert json.dumps(merged) == json.dumps({key: value for key, value in document.items() if key != "credHelpers"})
    assert plan(files, entry()) == []


def test_who_is_not_root_has_no_files_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(EcrError) as caught:
        _host_files.account_of("daemon")
    assert str(caught.value) == "The files of user daemon cannot be written by another user. Set become: true."
