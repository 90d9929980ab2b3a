# SPDX-License-Identifier: GPL-3.0-or-later
"""The changes of the files of a host that pulls for years: their order, their diffs, and the way back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._credential_helper import HostPaths, wrapper
from ansible_collections.crossaccount.ecr.plugins.module_utils._helper_plan import Change, CurrentFiles, Plan, plan_host
from ansible_collections.crossaccount.ecr.plugins.module_utils._host_declaration import ARGUMENTS, declaration_of

HOST, OTHER = (f"{account}.dkr.ecr.ap-northeast-1.amazonaws.com" for account in ("111111111111", "333333333333"))
HOME = "/home/deploy"
PLACES = HostPaths(
    "deploy", HOME, f"{HOME}/.docker/config.json", f"{HOME}/.aws/config", f"{HOME}/.aws/credentials", "/usr/local/bin"
)
SECTION = f"profile ecr-pull-{HOST}"
SECRET = "QVdTOnRoZS10b2tlbiBvZg"


def entry(registry: str = HOST, /, **options: Any) -> dict[str, Any]:
    role_arn = f"arn:aws:iam::{'333333333333' if registry == OTHER else '111111111111'}:role/allow_ecr_release"
    return {"registry": registry, "role_arn": role_arn, "external_id": "test", "source_profile": "default", **options}


def planned(
    initial: dict[str, bytes],
    *registries: dict[str, Any],
    present: bool = True,
    faults: dict[str, str] | None = None,
    earlier: dict[str, bytes | None] | None = None,
) -> Plan:
    defaults = {name: spec.get("default") for name, spec in ARGUMENTS.items()}
    state = "present" if present else "absent"
    declared = declaration_of({**defaults, "state": state, "registries": list(registries)}, check_mode=False)
    paths = [PLACES.aws_config, PLACES.auth_file, *map(PLACES.wrapper, declared.by_host)]
    contents = {path: initial.get(path) for path in paths}
    return plan_host(declared, PLACES, CurrentFiles(contents, faults or {}, earlier or {}))


def plan(initial: dict[str, bytes], *registries: dict[str, Any], **options: Any) -> tuple[Change, ...]:
    """The changes to these files; any problem is an error."""
    host_plan = planned(initial, *registries, **options)
    assert host_plan.problems == ()
    return host_plan.changes


def written(initial: dict[str, bytes], changes: tuple[Change, ...]) -> dict[str, bytes]:
    """The files once the changes are made."""
    files: dict[str, bytes | None] = {**initial, **{change.path: change.content for change in changes}}
    return {path: content for path, content in files.items() if content is not None}


def test_two_owner_accounts_on_a_host_without_files_and_back() -> None:
    both = entry(), entry(OTHER, source_profile=None, credential_source="Ec2InstanceMetadata", external_id=None)
    changes = plan({}, *both)
    # No entry names a file that does not exist yet.
    expected = [PLACES.aws_config, PLACES.wrapper(HOST), PLACES.wrapper(OTHER), PLACES.auth_file]
    assert [change.path for change in changes] == expected
    assert [change.program for change in changes] == [False, True, True, False]
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
    assert plan(files, *both) == ()
    one_less = plan(files, {"registry": OTHER}, present=False)
    assert written(files, one_less) == written({}, plan({}, entry()))
    only_hosts = [{"registry": statement["registry"]} for statement in both]
    back = plan(files, *only_hosts, present=False)
    assert [change.path for change in back] == expected[::-1]
    assert written(files, back) == {}
    assert plan({}, *only_hosts, present=False) == ()


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


def test_other_content_of_the_files_stays_and_is_not_shown() -> None:
    initial = {PLACES.auth_file: AUTH_FILE.encode(), PLACES.aws_config: CONFIG.encode()}
    changes = plan(initial, entry())
    files = written(initial, changes)
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
    assert plan(files, entry()) == ()
    back = written(files, plan(files, {"registry": HOST}, present=False))
    assert json.loads(back[PLACES.auth_file]) == json.loads(AUTH_FILE)
    assert back[PLACES.aws_config].decode() == CONFIG.replace(former, "")  # with the region, which is not ours


# --- the user's own entry of credHelpers


@pytest.mark.parametrize("former", ["ecr-login", ""])
def test_the_users_own_entry_is_named_replaced_and_restored(former: str) -> None:
    initial = {PLACES.auth_file: json.dumps({"credHelpers": {HOST: former}}).encode()}
    assert plan(initial, {"registry": HOST}, present=False) == ()
    first = planned(initial, entry())
    assert first.warnings == (
        f"{PLACES.auth_file} names the helper {former!r} for {HOST}. ecr-pull-deploy-{HOST} replaces it, and state:"
        " absent restores it.",
    )
    files = written(initial, first.changes)
    again = planned(files, entry())
    assert (again.changes, again.warnings) == ((), ())
    # The entry is kept when something else in the wrapper changes, such as after an edit.
    edited = {**files, PLACES.wrapper(HOST): files[PLACES.wrapper(HOST)] + b"# edited"}
    assert written(edited, plan(edited, entry())) == files
    assert written(files, plan(files, {"registry": HOST}, present=False)) == initial


def test_a_run_that_is_killed_loses_no_entry() -> None:
    """After each write of present and of absent, the next run has the same result."""
    initial = {PLACES.auth_file: json.dumps({"credHelpers": {HOST: "ecr-login"}}).encode()}
    files = written(initial, plan(initial, entry()))
    for before, changes in ((initial, plan(initial, entry())), (files, plan(files, {"registry": HOST}, present=False))):
        for number in range(len(changes) + 1):
            killed = written(before, changes[:number])
            assert written(killed, plan(killed, entry())) == files
            assert written(killed, plan(killed, {"registry": HOST}, present=False)) == initial


def test_an_entry_that_the_user_changed_meanwhile_is_kept() -> None:
    files = written({}, plan({}, entry()))
    mine = {**files, PLACES.auth_file: json.dumps({"credHelpers": {HOST: "mine"}}).encode()}
    removed = plan(mine, {"registry": HOST}, present=False)
    assert PLACES.auth_file not in [change.path for change in removed]
    back = written(mine, plan(mine, entry()))
    restored = written(back, plan(back, {"registry": HOST}, present=False))
    assert json.loads(restored[PLACES.auth_file]) == {"credHelpers": {HOST: "mine"}}


def test_entry_removed_by_the_user_is_not_restored() -> None:
    initial = {PLACES.auth_file: json.dumps({"credHelpers": {HOST: "mine", "x": "y"}}).encode()}
    files = written(initial, plan(initial, entry()))
    files[PLACES.auth_file] = json.dumps({"credHelpers": {"x": "y"}}).encode()
    back = written(files, plan(files, entry()))
    restored = written(back, plan(back, {"registry": HOST}, present=False))
    assert json.loads(restored[PLACES.auth_file]) == {"credHelpers": {"x": "y"}}


@pytest.mark.parametrize("content", [b"", b"{}", b"{}\n", b"\n"])
def test_empty_files_are_left_as_they_were(content: bytes) -> None:
    initial = {PLACES.auth_file: content, PLACES.aws_config: content.replace(b"{}", b"")}
    files = written(initial, plan(initial, entry(), entry(OTHER)))
    assert written(files, plan(files, {"registry": HOST}, {"registry": OTHER}, present=False)) == initial


# --- diffs


def test_wrapper_with_wrong_mode_is_written_again() -> None:
    initial = written({}, plan({}, entry()))
    path, text = PLACES.wrapper(HOST), wrapper(PLACES, HOST, None)
    (change,) = plan(initial, entry(), faults={path: "mode 0777, owned by the user with ID 0"})
    assert (change.path, change.content, change.program) == (path, text.encode(), True)
    assert change.before == f"# mode 0777, owned by the user with ID 0\n{change.after}"


def test_diff_shows_no_text_of_others_in_our_entries() -> None:
    initial = {PLACES.aws_config: f"[{SECTION}]\nrole_arn = x\n  aws_secret_access_key = {SECRET}\n".encode()}
    diffs = [change.diff() for change in plan(initial, entry(), entry(OTHER))]
    assert SECRET not in str(diffs)
    assert "role_arn = (not shown)" in diffs[0]["before"]


def test_diff_has_no_control_characters() -> None:
    initial = {PLACES.aws_config: f"[{SECTION}]\nrole_arn = \x1b[2J\n".encode()}
    assert plan(initial, entry())[0].diff()["before"] == f"[{SECTION}]\nrole_arn = \\x1b[2J\n"


# --- problems and warnings


def test_all_problems_of_the_files_together() -> None:
    initial = {PLACES.auth_file: b"\xff", PLACES.aws_config: b"[x]\n\xff", PLACES.wrapper(HOST): SECRET.encode()}
    host_plan = planned(initial, entry())
    assert host_plan.changes == ()
    assert host_plan.problems == (
        f"{PLACES.aws_config} is not a text in UTF-8 (byte 4). It was left as it is.",
        f"{PLACES.wrapper(HOST)} was not written by this collection. Remove it, or use another bin_dir. It was left as"
        " it is.",
        f"{PLACES.auth_file} is not a text in UTF-8 (byte 0). It was left as it is.",
    )


def test_a_file_that_could_not_be_read_is_not_written() -> None:
    defaults = {name: spec.get("default") for name, spec in ARGUMENTS.items()}
    made = plan_host(declaration_of({**defaults, "registries": [entry()]}, False), PLACES, CurrentFiles({}, {}, {}))
    assert (made.changes, made.problems) == ((), ())


@pytest.mark.parametrize(("present", "number"), [(True, 2), (False, 0)])
def test_logins_are_named_if_the_helper_is_to_be_used(present: bool, number: int) -> None:
    login = json.dumps({"auths": {HOST: {"auth": SECRET}}}).encode()
    host_plan = planned({PLACES.auth_file: login}, entry(), present=present, earlier={"/run/auth.json": login})
    assert len(host_plan.warnings) == number
    assert SECRET not in str(host_plan.warnings)
