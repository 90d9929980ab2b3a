# SPDX-License-Identifier: GPL-3.0-or-later
"""An exception of any class, raised at any call of a file or of AWS, in the plugins that test_exceptions.py lacks.

These are the actions display_lines, ecr_handoff and ecr_handoff_info, the module ecr_credential_helper_config, and the
inventory.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import os
import pathlib
import shutil
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.inventory import BaseInventoryPlugin
from ansible.template import Templar
from ansible.utils.display import Display
from ansible_collections.crossaccount.ecr.plugins.inventory import aws_organizations_accounts as inventory
from ansible_collections.crossaccount.ecr.plugins.module_utils import _session
from ansible_collections.crossaccount.ecr.plugins.modules import ecr_credential_helper_config
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._controller import Controller

from tests.security.hostile_aws import CONSUMER, OWNER, REGION, ROLE_ARN
from tests.unit.exceptions import each_exception
from tests.unit.fake_aws import FakeAws

Result = dict[str, Any]
PACKAGE = "ansible_collections.crossaccount.ecr."
REGISTRY = f"{OWNER}.dkr.ecr.{REGION}.amazonaws.com"
CALLS = [
    *((os, name) for name in ("open", "replace", "lstat", "stat", "fstat", "readlink", "unlink", "makedirs", "access")),
    *((os, name) for name in ("fchmod", "chmod", "fdopen", "umask", "listxattr")),
    (builtins, "open"),
    (Display, "display"),
]
SECRET = "IQoJb3JpZ2luX2VjEJr0123456789abcdefghijklmnopqrstuvwxyz"


class Failing:
    """Functions of Python that raise an exception at one of the calls by this collection.

    :param at: the number of the call that fails, from 0
    """

    def __init__(self, at: int = -1, error: Exception | None = None) -> None:
        self.at, self.error, self.names = at, error, list[str]()

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            for owner, name in CALLS:
                patch.setattr(owner, name, self._failing(name, getattr(owner, name)))
            yield

    def _failing(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if not str(sys._getframe(1).f_globals.get("__name__")).startswith(PACKAGE):
                return function(*arguments, **options)
            self.names.append(name)
            if len(self.names) - 1 == self.at and self.error is not None:
                raise self.error
            return function(*arguments, **options)

        return call


def action(name: str, options: Result, variables: Result, failing: Failing) -> Result:
    """The result of an action plugin."""
    plugin = importlib.import_module(f"{PACKAGE}plugins.action.{name}").ActionModule
    task = types.SimpleNamespace(
        args=options, async_val=0, check_mode=False, diff=True, run_once=False, action=name, environment=None
    )
    connection = types.SimpleNamespace(_shell=types.SimpleNamespace(tmpdir="/nonexistent"), become=None)
    loader = DataLoader()
    run = plugin(task, connection, types.SimpleNamespace(), loader, Templar(loader, variables), None)
    with failing():
        result: Result = run.run(task_vars={"inventory_hostname": "localhost", **variables})
    return result


def display_lines(_folder: pathlib.Path, failing: Failing) -> Result:
    return action("display_lines", {"lines": ["one", "two"]}, {}, failing)


def handoff_options(folder: pathlib.Path) -> Result:
    repositories = [{"name": "release", "arn": f"arn:aws:ecr:{REGION}:{OWNER}:repository/release"}]
    return {
        "path": str(folder / "handoff.yml"),
        "role": {"role_arn": ROLE_ARN, "consumers": [{"account": CONSUMER, "external_id": "test"}]},
        "tagged": [{"region": REGION, "registry": REGISTRY, "repositories": repositories}],
        "repository_tags": {"environment": "release"},
        "share_changed": False,
    }


def write_handoff(folder: pathlib.Path, failing: Failing) -> Result:
    return action("ecr_handoff", handoff_options(folder), {}, failing)


def read_handoff(folder: pathlib.Path, failing: Failing) -> Result:
    action("ecr_handoff", handoff_options(folder), {}, Failing())
    variables = {"ecr_pull_handoff": str(folder / "handoff.yml")}
    return action("ecr_handoff_info", {"owner_account": OWNER}, variables, failing)


def credential_helper(folder: pathlib.Path, failing: Failing) -> Result:
    registry = {"registry": REGISTRY, "role_arn": ROLE_ARN, "source_profile": "default"}
    (folder / "bin").mkdir(exist_ok=True)
    options = {"home": str(folder), "bin_dir": str(folder / "bin"), "registries": [registry], "require_helper": False}
    helper: Any = ecr_credential_helper_config
    module: Any = Controller("module", helper.ARGUMENTS, options)
    module.get_bin_path, module.result = shutil.which, {}
    module.exit_json = module.result.update
    module.fail_json = lambda **result: module.result.update(result, failed=True)
    with failing():
        helper.run_and_exit(module, helper.run)
    result: Result = module.result
    return result


@pytest.mark.parametrize("run", [display_lines, write_handoff, read_handoff, credential_helper])
def test_each_exception_at_each_call_of_a_file(
    run: Callable[[pathlib.Path, Failing], Result], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Display, "display", lambda *_arguments, **_options: None)
    usual, number = Failing(), 0
    assert not run(_new(tmp_path, number), usual).get("failed")
    expected = _files(tmp_path / "0")
    assert usual.names
    errors = list(each_exception())
    for at, name in enumerate(usual.names):
        # All of them at the first call of a function, and another one of them at each further call.
        for error in errors if name not in usual.names[:at] else [errors[at % len(errors)]]:
            number += 1
            folder = _new(tmp_path, number)
            with _closing_files():
                result = run(folder, Failing(at, error))
            where = (at, name, type(error), result)
            assert "Traceback" not in str(result), where
            assert "<exception str() failed>" not in str(result.get("msg")), where
            if result.get("failed"):
                assert str(result["msg"]).strip(), where
            else:
                assert _files(folder) == expected, where


@contextlib.contextmanager
def _closing_files() -> Iterator[None]:
    """Close the files that a run leaves open, because the function that would have closed them failed."""
    before = {int(name) for name in os.listdir("/dev/fd")}
    yield
    for number in {int(name) for name in os.listdir("/dev/fd")} - before:
        with contextlib.suppress(OSError):
            os.close(number)


def _new(parent: pathlib.Path, number: int) -> pathlib.Path:
    folder = parent / str(number)
    folder.mkdir()
    return folder


def _files(folder: pathlib.Path) -> dict[str, str]:
    """The text of each file, in which the folder has no name."""
    return {
        str(path.relative_to(folder)): path.read_text().replace(str(folder), "").partition("shared_at")[0]
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


ORGANIZATION: Result = {
    "list_roots": {"Roots": [{"Id": "r-1", "Name": "Root"}]},
    "list_accounts_for_parent": {"Accounts": [{"Id": OWNER, "Name": "owner", "State": "ACTIVE"}]},
    "list_organizational_units_for_parent": {"OrganizationalUnits": []},
    "list_tags_for_resource": {"Tags": []},
}


class Organization(FakeAws):
    def reply(self, operation: str) -> Result:
        return dict(self.replies.get(operation, {}))


def parse(monkeypatch: pytest.MonkeyPatch, aws: FakeAws | None, **options: Any) -> tuple[list[str], str]:
    """The hosts of the inventory, and the message of its error."""
    plugin = inventory.InventoryModule()
    plugin._options = {
        **dict.fromkeys(inventory._CONNECTION),
        **{"organizational_units": [], "tags": {}, "strict": False, "compose": {}, "groups": {}, "keyed_groups": []},
        **{"region": REGION, "cache": False, "use_extra_vars": False, **options},
    }
    plugin.templar = Templar(DataLoader())
    monkeypatch.setattr(BaseInventoryPlugin, "_read_config_data", lambda _plugin, _path: {})
    monkeypatch.setattr(inventory.InventoryModule, "get_cached_result", lambda *_arguments: (False, None))
    monkeypatch.setattr(inventory.InventoryModule, "update_cached_result", lambda *_arguments: None)
    if aws:
        monkeypatch.setattr(_session.Session, "client", lambda _session, *asked, **_config: aws.client(*asked))
    hosts = InventoryData()
    try:
        plugin.parse(hosts, DataLoader(), "x.aws_organizations_accounts.yml")
    except AnsibleError as error:
        return list(hosts.hosts), str(error)
    return list(hosts.hosts), ""


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("options", [{}, {"assume_role_arn": ROLE_ARN}], ids=["keys", "role"])
def test_each_exception_at_each_call_of_the_inventory(monkeypatch: pytest.MonkeyPatch, options: Result) -> None:
    keys = {"access_key": "AKIAIOSFODNN7EXAMPLE", "secret_key": "example", **options}
    replies = {**ORGANIZATION}
    usual = Organization(OWNER, replies=replies)
    monkeypatch.setattr("tests.unit.fake_aws._is_denied", lambda *_arguments: False)
    assert parse(monkeypatch, usual, **keys) == ([f"owner-{OWNER}"], "")
    assert len(usual.calls) == 4 + bool(options)
    for number, operation in enumerate(usual.calls):
        for error in each_exception():
            aws = Organization(OWNER, replies=replies, fail_at=number, error=error)
            hosts, message = parse(monkeypatch, aws, **keys)
            where = (operation, type(error), message)
            assert not hosts, where
            assert message.startswith("The accounts of the organization cannot be listed: "), where
            assert "Traceback" not in message, where


@pytest.mark.parametrize("token", [f"{SECRET}\n", f"{SECRET}\r\n", f"{SECRET[:30]}\n{SECRET[30:]}", f" {SECRET}"])
@pytest.mark.parametrize("source", ["options", "environment"])
@pytest.mark.parametrize("options", [{}, {"assume_role_arn": ROLE_ARN}], ids=["keys", "role"])
def test_inventory_never_shows_an_invalid_session_token(
    monkeypatch: pytest.MonkeyPatch, token: str, source: str, options: Result
) -> None:
    """An error of the HTTP library contains the whole token."""
    if source == "environment":
        for name, value in (("ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"), ("SECRET_ACCESS_KEY", "example")):
            monkeypatch.setenv(f"AWS_{name}", value)
        monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    else:
        options = {**options, "access_key": "AKIAIOSFODNN7EXAMPLE", "secret_key": "example", "session_token": token}
    hosts, message = parse(monkeypatch, None, endpoint_url="http://127.0.0.1:9", **options)
    assert not hosts
    assert "The session token " in message
    assert not any(SECRET[at : at + 8] in message for at in range(len(SECRET) - 8))
