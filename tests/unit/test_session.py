# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way to supply keys: all settings that boto3 accepts work, each failure is one sentence, and no text has a
secret.

A server on loopback answers as STS, as the instance metadata, and as the metadata of a container.
"""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import logging
import os
import pathlib
import sys
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import SessionOptions
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import capture_result
from ansible_collections.crossaccount.ecr.plugins.module_utils._secrets import KNOWN, PART
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import Session
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._controller import Controller

from tests.support.serving import serving

KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET, TOKEN, OTHER = (
    base64.b64encode(hashlib.sha512(name).digest()).decode() for name in (b"secret", b"token", b"other")
)
ROLE = "arn:aws:iam::111111111111:role/jump"
MFA = "arn:aws:iam::111111111111:mfa/me"
NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


class Aws(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls: list[str] = []
        self.tokens: list[str | None] = []
        self.metadata: dict[str, tuple[int, str]] = {}
        self.denied: dict[str, tuple[str, str]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Aws

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        action = urllib.parse.parse_qs(body)["Action"][0]
        self.server.calls.append(action)
        self.server.tokens.append(self.headers["X-Amz-Security-Token"])
        if action in self.server.denied:
            code, message = self.server.denied[action]
            self.reply(
                403, f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
            )
            return
        keys = f"<AccessKeyId>{KEY}</AccessKeyId><SecretAccessKey>{OTHER}</SecretAccessKey>"
        keys += f"<SessionToken>{OTHER}</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration>"
        result = f"<Credentials>{keys}</Credentials>"
        if action == "GetCallerIdentity":
            result = "<Account>222222222222</Account><Arn>arn:aws:iam::222222222222:user/me</Arn><UserId>U</UserId>"
        self.reply(
            200, f'<{action}Response xmlns="{NAMESPACE}"><{action}Result>{result}</{action}Result></{action}Response>'
        )

    def do_GET(self) -> None:
        self.reply(*self.server.metadata.get(self.path, (404, "")))

    def do_PUT(self) -> None:
        self.reply(200 if self.server.metadata else 403, "token")

    def reply(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture
def aws(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """AWS on loopback, and an environment without keys."""
    server = Aws()
    for name in ("HOME", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with serving(server):
        yield server


def configure(**profiles: dict[str, str]) -> None:
    """Write the configuration of the AWS CLI."""
    sections = [
        f"[{'default' if name == 'default' else f'profile {name}'}]\n"
        + "".join(f"{key} = {value}\n" for key, value in settings.items())
        for name, settings in profiles.items()
    ]
    pathlib.Path(os.environ["AWS_CONFIG_FILE"]).write_text("\n".join(sections), encoding="utf-8")


def ask(**options: Any) -> dict[str, Any]:
    """The result of a module that asks who it is, as the module and the action plugin return it."""
    return capture_result(lambda: {"identity": Session(Controller("any", {}, options)).identity})


def message(**options: Any) -> str:
    """The message of a failure, in which there is no part of a secret."""
    result = ask(**options)
    assert result.get("failed"), result
    assert_no_secret(str(result))
    return str(result["msg"])


def assert_no_secret(text: str) -> None:
    for secret in (SECRET, TOKEN, OTHER):
        assert not any(secret[at : at + PART] in text for at in range(len(secret) - PART))


def program(folder: pathlib.Path, source: str) -> str:
    """A credential_process, which counts how often it is started."""
    script = folder / "credential-process"
    count = f"open({str(folder / 'started')!r}, 'a').write('x')"
    script.write_text(f"import sys\n{count}\n{source}\n", encoding="utf-8")
    return f"{sys.executable} {script}"


def printing(folder: pathlib.Path, **keys: Any) -> str:
    text = json.dumps({"Version": 1, "AccessKeyId": KEY, "SecretAccessKey": SECRET, **keys})
    return program(folder, f"print({text!r})")


STATIC = {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET}
BREAK = "The session token contains a line break. Remove it where the value is stored, and run again."


# --- settings that boto3 accepts


def test_keys_from_options_cost_one_call(aws: Aws) -> None:
    assert ask(access_key=KEY, secret_key=SECRET, session_token=TOKEN)["identity"]["account"] == "222222222222"
    assert (aws.calls, aws.tokens) == (["GetCallerIdentity"], [TOKEN])
    assert KNOWN.mask(f"{SECRET} {TOKEN}") == "******** ********"


@pytest.mark.parametrize(
    "names", [["AWS_SESSION_TOKEN"], ["AWS_SECURITY_TOKEN"], ["AWS_SECURITY_TOKEN", "AWS_SESSION_TOKEN"]]
)
def test_keys_from_the_environment(aws: Aws, monkeypatch: pytest.MonkeyPatch, names: list[str]) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    for name, value in zip(names, (TOKEN, OTHER)):
        monkeypatch.setenv(name, value)
    assert "identity" in ask()
    assert (aws.calls, aws.tokens) == (["GetCallerIdentity"], [TOKEN])


def test_options_take_precedence_over_the_environment(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ACCESS_KEY_ID", KEY), ("SECRET_ACCESS_KEY", SECRET), ("SECURITY_TOKEN", OTHER)):
        monkeypatch.setenv(f"AWS_{name}", value)
    assert "identity" in ask(access_key=KEY, secret_key=SECRET, session_token=TOKEN)
    assert aws.tokens == [TOKEN]


def test_a_profile_is_asked_for_keys_once(aws: Aws, tmp_path: pathlib.Path) -> None:
    configure(ci={"credential_process": printing(tmp_path, SessionToken=TOKEN)})
    session = Session(Controller("any", {}, {"profile": "ci"}))
    for service in ("sts", "ecr", "iam"):
        session.client(service)
    assert session.identity["account"] == "222222222222"
    assert (tmp_path / "started").read_text() == "x"
    role = session.assume(SessionOptions(ROLE, None, "test"))
    role.client("ecr")
    assert role.identity["account"] == "222222222222"
    assert (tmp_path / "started").read_text() == "x"
    assert aws.tokens == [TOKEN, TOKEN, OTHER]
    assert KNOWN.mask(f"{SECRET} {TOKEN} {OTHER}") == "******** ******** ********"


def test_the_role_of_a_profile_is_assumed_once(aws: Aws) -> None:
    configure(keys=STATIC, jump={"role_arn": ROLE, "source_profile": "keys"})
    assert "identity" in ask(profile="jump")
    assert aws.calls == ["AssumeRole", "GetCallerIdentity"]
    assert KNOWN.mask(OTHER) == "********"


def test_ca_bundle_of_the_profile_is_used(aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    configure(ci={**STATIC, "ca_bundle": str(tmp_path / "missing.pem")})
    for options in ({}, {"validate_certs": True}):
        session = Session(Controller("any", {}, {"profile": "ci", **options}))
        assert session.client("sts")._endpoint.http_session._verify == str(tmp_path / "missing.pem")
    session = Session(Controller("any", {}, {"profile": "ci", "aws_ca_bundle": "/srv/other.pem"}))
    assert session.client("sts")._endpoint.http_session._verify == "/srv/other.pem"
    session = Session(Controller("any", {}, {"profile": "ci", "validate_certs": False}))
    assert session.client("sts")._endpoint.http_session._verify is False


# --- a line break, from every source


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\nmore"])
def test_a_line_break_in_an_option(aws: Aws, end: str) -> None:
    assert message(access_key=KEY, secret_key=SECRET, session_token=TOKEN + end) == BREAK
    assert aws.calls == []


@pytest.mark.parametrize("name", ["AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"])
def test_a_line_break_in_the_environment(aws: Aws, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv(name, f"{TOKEN}\n")
    assert message() == BREAK
    assert aws.calls == []


def test_a_line_break_in_a_profile(aws: Aws) -> None:
    configure(ci={**STATIC, "aws_session_token": f"{TOKEN}\n  more"})
    assert message(profile="ci") == BREAK
    configure(ci={**STATIC, "aws_session_token": f"{TOKEN}\n  more"}, jump={"role_arn": ROLE, "source_profile": "ci"})
    assert message(profile="jump") == BREAK
    assert aws.calls == []


def test_a_line_break_from_a_credential_process(aws: Aws, tmp_path: pathlib.Path) -> None:
    process = printing(tmp_path, SessionToken=f"{TOKEN}\n")
    configure(ci={"credential_process": process}, jump={"role_arn": ROLE, "source_profile": "ci"})
    assert message(profile="ci") == BREAK
    assert message(profile="jump") == BREAK
    assert aws.calls == []


def test_a_line_break_in_keys_that_a_role_gets(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(Controller("any", {}, {"access_key": KEY, "secret_key": SECRET}))
    monkeypatch.setattr(sys.modules[__name__], "OTHER", f"{OTHER}&#10;")
    result = capture_result(lambda: {"role": repr(session.assume(SessionOptions(ROLE, None, "test")))})
    assert result["msg"] == "2 problems, nothing was written:\n- " + "\n- ".join(
        BREAK.replace("session token", name) for name in ("secret access key", "session token")
    )


def test_half_of_the_keys(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    assert message() == "There is an access key ID but no secret access key. Set both, or none of them."
    assert aws.calls == []


# --- sources that fail


@pytest.mark.parametrize(
    "source",
    [
        "print('Login required')",
        "",
        "print('[]')",
        "print('null')",
        "print('{}')",
        "print('{\"Version\": 2}')",
        "print('{\"Version\": 1}')",
        f'print(\'{{"Version": 1, "AccessKeyId": "{KEY}"}}\')',
        f'print(\'{{"Version": 1, "AccessKeyId": 1, "SecretAccessKey": "{SECRET}"}}\')',
        f'print(\'Enter code: {{"SecretAccessKey": "{SECRET}"}}\')',
        "sys.stdout.buffer.write(b'\\xff\\xfe')",
    ],
)
def test_a_credential_process_that_prints_no_keys(aws: Aws, tmp_path: pathlib.Path, source: str) -> None:
    configure(ci={"credential_process": program(tmp_path, source)})
    assert message(profile="ci") == (
        "The credential_process of profile ci did not print the JSON that AWS specifies. Run its command in a shell: it"
        " must print an object with Version, AccessKeyId and SecretAccessKey, and nothing else."
    )
    assert (tmp_path / "started").read_text() == "x"
    assert aws.calls == []


def test_a_credential_process_that_fails(aws: Aws, tmp_path: pathlib.Path) -> None:
    configure(ci={"credential_process": program(tmp_path, f"sys.exit('no: {SECRET}')")})
    assert message(profile="ci").startswith("The credential_process of profile ci failed. Run its command in a shell")
    configure(ci={"credential_process": str(tmp_path / "missing")})
    assert message(profile="ci").startswith("The credential_process of profile ci cannot be started.")


def test_keys_that_have_expired_when_they_are_read(aws: Aws, tmp_path: pathlib.Path) -> None:
    configure(ci={"credential_process": printing(tmp_path, SessionToken=TOKEN, Expiration="2001-01-01T00:00:00Z")})
    assert message(profile="ci").startswith("The keys of profile ci had already expired when they were read.")
    assert aws.calls == []


def test_a_profile_that_requires_an_mfa_code(aws: Aws) -> None:
    configure(keys=STATIC, mfa={"role_arn": ROLE, "source_profile": "keys", "mfa_serial": MFA})
    assert message(profile="mfa").startswith("Profile mfa requires an MFA code (mfa_serial)")
    assert aws.calls == []


@pytest.mark.parametrize(
    "settings",
    [
        {"sso_session": "work", "sso_account_id": "111111111111", "sso_role_name": "x"},
        {
            "sso_start_url": "https://example.com/start",
            "sso_region": "eu-west-1",
            "sso_account_id": "111111111111",
            "sso_role_name": "x",
        },
    ],
)
@pytest.mark.parametrize("expired", [False, True])
def test_sso_without_a_token(aws: Aws, settings: dict[str, str], expired: bool) -> None:
    configure(sso=settings)
    path = pathlib.Path(os.environ["AWS_CONFIG_FILE"])
    session = "\n[sso-session work]\nsso_start_url = https://example.com/start\nsso_region = eu-west-1\n"
    path.write_text(path.read_text() + session)
    cache = pathlib.Path(os.environ["HOME"]) / ".aws/sso/cache"
    cache.mkdir(parents=True)
    if expired:
        name = hashlib.sha1(settings.get("sso_session", "https://example.com/start").encode()).hexdigest()  # noqa: S324
        (cache / f"{name}.json").write_text(json.dumps({"accessToken": TOKEN, "expiresAt": "2001-01-01T00:00:00Z"}))
    assert message(profile="sso").startswith(
        "Profile sso has no valid session of IAM Identity Center (SSO). Run aws sso"
    )


def test_a_web_identity_token_is_a_known_secret(aws: Aws, tmp_path: pathlib.Path) -> None:
    token = "eyJhbGciOiJSUzI1NiJ9." + "web-identity-" * 6
    (tmp_path / "token").write_text(token)
    configure(web={"role_arn": ROLE, "web_identity_token_file": str(tmp_path / "token")})
    assert ask(profile="web")["identity"]
    assert aws.calls[0] == "AssumeRoleWithWebIdentity"
    assert token[:PART] not in KNOWN.mask(f"The response contains {token}.")


def test_a_web_identity_without_its_file(aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "token"
    configure(web={"role_arn": ROLE, "web_identity_token_file": str(file)})
    assert message(profile="web").startswith(f"Profile web names the token file {file}, which cannot be read.")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(file))
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    assert message().startswith(f"The environment names the token file {file}, which cannot be read.")
    assert aws.calls == []


@pytest.mark.parametrize("code", ["ExpiredTokenException", "InvalidIdentityToken"])
def test_a_web_identity_that_has_expired(aws: Aws, tmp_path: pathlib.Path, code: str) -> None:
    (tmp_path / "token").write_text("a.b.c", encoding="utf-8")
    configure(web={"role_arn": ROLE, "web_identity_token_file": str(tmp_path / "token")})
    aws.denied["AssumeRoleWithWebIdentity"] = (code, "Token expired")
    assert message(profile="web").startswith("STS rejects the web identity token of profile web:")
    assert set(aws.calls) == {"AssumeRoleWithWebIdentity"}


def test_a_role_of_the_profile_that_cannot_be_assumed(aws: Aws) -> None:
    sentence = (
        f"User: arn:aws:iam::222222222222:user/me is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
    )
    configure(keys=STATIC, jump={"role_arn": ROLE, "source_profile": "keys"})
    aws.denied["AssumeRole"] = ("AccessDenied", sentence)
    pull_role = SessionOptions("arn:aws:iam::111111111111:role/allow_ecr_release", None, "test")

    def pull() -> dict[str, Any]:
        return {"role": Session(Controller("any", {}, {"profile": "jump"})).assume(pull_role)}

    result = capture_result(pull)
    assert result["msg"].startswith(
        f"The role of profile jump cannot be assumed: AssumeRole: AccessDenied: {sentence}."
    )
    assert "allow_ecr_release" not in str(result)
    assert "denial_kind" not in result
    assert aws.calls == ["AssumeRole"]


def test_metadata_of_an_instance_and_of_a_container(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    monkeypatch.setenv("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "1")
    configure(host={"role_arn": ROLE, "credential_source": "Ec2InstanceMetadata"})
    assert "hop limit" in message(profile="host")
    assert "hop limit" in message()
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{aws.url}/container")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", TOKEN)
    aws.metadata["/container"] = (403, f"no access with {TOKEN}")
    assert message().startswith("The instance or container metadata did not return credentials for the environment.")
    keys = {"AccessKeyId": KEY, "SecretAccessKey": SECRET, "Token": TOKEN, "Expiration": "2999-01-01T00:00:00Z"}
    aws.metadata["/container"] = (200, json.dumps(keys))
    assert "identity" in ask()
    aws.metadata["/container"] = (200, json.dumps({**keys, "Token": f"{TOKEN}\n"}))
    assert message() == BREAK
    aws.metadata["/container"] = (200, json.dumps({"Code": "x"}))
    assert "cannot be read: KeyError" in message()


def test_keys_of_an_instance(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    path = "/latest/meta-data/iam/security-credentials/"
    keys = {"AccessKeyId": KEY, "SecretAccessKey": SECRET, "Token": TOKEN, "Expiration": "2999-01-01T00:00:00Z"}
    aws.metadata[path] = (200, "role")
    aws.metadata[f"{path}role"] = (200, json.dumps({"Code": "Success", **keys}))
    assert "identity" in ask()
    assert aws.tokens == [TOKEN]
    aws.metadata[f"{path}role"] = (200, json.dumps({"Code": "Success", **keys, "Token": f"{TOKEN}\r\n"}))
    assert message() == BREAK


@pytest.mark.parametrize(
    ("settings", "fact"),
    [
        ({"aws_access_key_id": KEY}, "Profile ci has only a part of its keys: aws_secret_access_key is missing."),
        ({"role_arn": ROLE}, "Profile ci has only a part of its keys: source_profile or credential_source is missing."),
        ({"role_arn": ROLE, "source_profile": "none"}, 'The source_profile "none" referenced in the profile "ci"'),
        ({"role_arn": ROLE, "source_profile": "ci"}, "InfiniteLoopConfigError"),
        ({"output": "json"}, "No AWS credentials were found."),
    ],
)
def test_a_profile_that_is_not_complete(aws: Aws, settings: dict[str, str], fact: str) -> None:
    configure(ci=settings)
    assert fact in message(profile="ci")
    assert aws.calls == []


def test_a_profile_that_does_not_exist(aws: Aws) -> None:
    found = message(profile="ci")
    assert found.startswith("Profile ci does not exist in ")
    assert "AWS_CONFIG_FILE" in found


@pytest.mark.parametrize("place", ["option", "profile"])
def test_an_availability_zone_in_the_place_of_a_region(aws: Aws, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.delenv("AWS_REGION")
    configure(ci={**STATIC, **({"region": "eu-west-1a"} if place == "profile" else {})})
    options = {"region": "eu-west-1a"} if place == "option" else {}
    assert message(profile="ci", **options) == (
        "region 'eu-west-1a' is an Availability Zone. Set the region eu-west-1, also in the profile."
    )
    assert aws.calls == []


def test_the_sdk_writes_no_traceback_to_a_log(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ansible writes what reaches the root logger to its log file."""
    configure(keys=STATIC, jump={"role_arn": ROLE, "source_profile": "keys"})
    aws.denied["AssumeRole"] = ("AccessDenied", f"no access with {OTHER}")
    monkeypatch.setattr(logging.getLogger("botocore"), "propagate", True)
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", records.append)
    logging.getLogger().addHandler(handler)
    try:
        ask(profile="jump")
    finally:
        logging.getLogger().removeHandler(handler)
    assert [record.getMessage() for record in records if record.name.startswith("botocore")] == []
