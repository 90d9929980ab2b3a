# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret leaves the module that needs it: searched for in output, processes, logs and files, while runs go well,
fail, and are killed half-way."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import http.server
import itertools
import json
import os
import pathlib
import re
import signal
import stat
import subprocess
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import pytest

from tests.conftest import ROOT, Lab
from tests.lab import accounts, state

from .conftest import BIN, ROLE, Control

pytestmark = pytest.mark.engine

ENGINES = ("docker", "podman", "skopeo", "oci_layout")
#: Those that get the token in a file.
PROGRAMS = ENGINES[:3]
HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
MARK = "CROSSACCOUNT_TEST_RUN"
#: What stands in the place of Python's syslog in the modules, so that what goes to the log of the host can be read. In
#: Debian's Python it is built in, and no file in the path goes before it; so a Python that starts puts this there.
SYSLOG = """
import sys, types

class Syslog(types.ModuleType):
    LOG_USER, LOG_INFO = 8, 6

    def openlog(self, ident, option, facility):
        pass

    def syslog(self, priority, message):
        with open({path!r}, "a", encoding="utf-8") as file:
            file.write(message + "\\n")

sys.modules["syslog"] = Syslog("syslog")
"""

# --- what is searched for --------------------------------------------------------------------------------------------


class Secrets:
    """Finds 31 characters in a row of a secret, or of any form that it may take on its way."""

    GRAM, STRIDE = 12, 20

    def __init__(self, values: Iterable[str]) -> None:
        self.values = list(dict.fromkeys(values))
        assert min(map(len, self.values)) >= 40
        self._grams: dict[bytes, str] = {}
        for number, value in enumerate(self.values):
            # What all session tokens begin with is no secret, and in the tokens of other tests as well.
            for form, content in forms(value.removeprefix("IQoJb3JpZ2luX2Vj")):
                for start in range(len(content) - self.GRAM + 1):
                    self._grams.setdefault(content[start : start + self.GRAM], f"secret {number}, {form}")

    def within(self, content: bytes) -> set[str]:
        """Which secrets the content holds, in which form."""
        # Any 31 characters hold one of these pieces as a whole.
        pieces = {content[at : at + self.GRAM] for at in range(0, len(content) - self.GRAM + 1, self.STRIDE)}
        return {self._grams[piece] for piece in pieces & self._grams.keys()}


def forms(value: str) -> Iterator[tuple[str, bytes]]:
    """The value itself, and as it looks in URLs, JSON, base64 (alone and behind other text) and hexadecimal."""
    content = value.encode()
    yield "plain", content
    yield "quoted", urllib.parse.quote(value, safe="").encode()
    yield "JSON", value.replace("/", "\\/").encode()
    yield "hexadecimal", content.hex().encode()
    for before in range(3):
        # The first and the last four characters depend on the neighbours as well.
        encoded = base64.b64encode(bytes(before) + content)[4:-4]
        yield f"base64 behind {before}", encoded
        yield f"urlsafe base64 behind {before}", encoded.replace(b"+", b"-").replace(b"/", b"_")


# --- what stands in front of the registry ----------------------------------------------------------------------------


class Proxy(http.server.ThreadingHTTPServer):
    """In front of the lab, AWS and registry: may hold one layer half-way, or refuse it."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, endpoint: str, layer: str) -> None:
        super().__init__(("127.0.0.1", 0), _Forward)
        self.behind, self.layer = endpoint.partition("://")[2], layer
        self.here = f"127.0.0.1:{self.server_address[1]}"
        self.pass_on()

    def pass_on(self) -> None:
        self.refused, self.holding, self.released = "", False, threading.Event()
        self.held: list[str] = []

    def hold(self) -> None:
        self.pass_on()
        self.holding = True

    def refuse(self, what: str) -> None:
        """From now on refuse `manifest` or `layer`."""
        self.pass_on()
        self.refused = {"manifest": "/v2/release/manifests/", "layer": f"/v2/release/blobs/{self.layer}"}[what]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no error."""


class _Forward(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        connection = http.client.HTTPConnection(self.server.behind, timeout=60)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():  # Host as well: it is signed
            connection.putheader(name, value)
        connection.endheaders(body)
        reply = connection.getresponse()
        content, status = reply.read(), reply.status
        connection.close()
        if self.command == "POST":
            content = content.replace(self.server.behind.encode(), self.server.here.encode())
        layer = self.command == "GET" and self.path == f"/v2/release/blobs/{self.server.layer}"
        if self.server.refused and self.path.startswith(self.server.refused):
            status, content = 403, self._refusal()
        self.send_response(status)
        for name, value in reply.getheaders():
            if name.lower() not in ("content-length", "connection", "transfer-encoding", "date", "server"):
                self.send_header(name, value)
        length = reply.headers.get("Content-Length") if self.command == "HEAD" else str(len(content))
        if length is not None:
            self.send_header("Content-Length", length)
        self.end_headers()
        if layer and self.server.holding:
            self.wfile.write(content[: len(content) // 2])
            content = content[len(content) // 2 :]
            released = self.server.released
            self.server.held.append(self.headers.get("User-Agent", ""))
            released.wait(60)
        self.wfile.write(content)

    def _refusal(self) -> bytes:
        """A registry that says the token aloud, except to dockerd, which has a log of its own."""
        token = self.headers.get("Authorization", "").partition(" ")[2]
        if self.headers.get("User-Agent", "").startswith("docker/"):
            token = ""
        message = f"{base64.b64decode(token).decode()} or {token} is refused"
        return json.dumps({"errors": [{"code": "DENIED", "message": message}]}).encode()

    do_GET = do_HEAD = do_POST = forward  # noqa: N815

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing: standard error is not a log."""


# --- who watches -----------------------------------------------------------------------------------------------------


class Seen(NamedTuple):
    """A file as it was at one moment."""

    path: pathlib.Path
    mode: int
    folder_mode: int
    content: bytes


class Site(Control):
    """A control host whose every folder is watched, with four hosts on it: one for each engine."""

    def __init__(self, lab: Lab, folder: pathlib.Path, proxy: Proxy, digest: str, engines: dict[str, str]) -> None:
        super().__init__(lab, folder)
        self.proxy, self.digest, self.engines = proxy, digest, engines
        self._numbers = itertools.count(1)
        configuration = (lab.folder / state.CONFIG).read_text(encoding="utf-8")
        self.keys = re.findall(r"aws_secret_access_key = (\S+)", configuration)
        proxied = lab.folder / "aws-config-proxied"
        proxied.touch(0o600)
        proxied.write_text(configuration.replace(proxy.behind, proxy.here), encoding="utf-8")
        self.through = {"AWS_CONFIG_FILE": str(proxied)}
        self.begin()

    def begin(self) -> None:
        """New folders for a new run, no image in the engines, and a proxy that lets all pass."""
        self.proxy.pass_on()
        self.mark = f"{os.getpid()}-{next(self._numbers)}"
        self.run_folder = self.folder / f"run-{self.mark}"
        self.syslog, self.log = self.run_folder / "syslog", self.run_folder / "ansible.log"
        for name in ("tmp", "home", "ansible", "remote", "python", "dest"):
            (self.run_folder / name).mkdir(parents=True)
        (self.run_folder / "python/sitecustomize.py").write_text(SYSLOG.format(path=str(self.syslog)), encoding="utf-8")
        for engine in ("docker", "podman"):
            name = f"{self.proxy.here}/release"
            command = [engine, "images", "--quiet", "--filter", f"reference={name}*"]
            environment = {**os.environ, **self.engines}
            listed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            if identifiers := sorted(set(listed.stdout.split())):
                subprocess.run(
                    [engine, "rmi", "--force", *identifiers], env=environment, capture_output=True, check=True
                )

    def environment(self, profile: str | None) -> dict[str, str]:
        return {
            **super().environment(profile),
            **self.through,
            MARK: self.mark,
            "HOME": str(self.run_folder / "home"),
            "TMPDIR": str(self.run_folder / "tmp"),
            "ANSIBLE_HOME": str(self.run_folder / "ansible"),
            "ANSIBLE_REMOTE_TMP": str(self.run_folder / "remote"),
            "ANSIBLE_LOG_PATH": str(self.log),
            "ANSIBLE_SHOW_CUSTOM_STATS": "true",
            "PYTHONPATH": str(self.run_folder / "python"),
        }

    def inventory(self, *engines: str) -> str:
        """A host for each engine, named like it."""
        dests = {
            "skopeo": f"oci:{self.run_folder}/dest/skopeo:{{image_tag}}",
            "oci_layout": f"{self.run_folder}/dest/oci",
        }
        hosts = {
            engine: {
                "ansible_connection": "local",
                "ansible_python_interpreter": "{{ ansible_playbook_python }}",
                "ecr_pull_engine": engine,
                **({"ecr_pull_dest": dests[engine]} if engine in dests else {}),
            }
            for engine in engines
        }
        path = self.run_folder / "hosts.yml"
        path.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
        return str(path)

    def pull_command(self, credentials: str, *engines: str, **variables: Any) -> list[Any]:
        """The command that pulls into these engines at once."""
        options = {
            "ecr_pull_credentials": credentials,
            "ecr_pull_images": ["release:noise"],
            "ecr_pull_wait_timeout": 0,
        }
        command = [BIN / "ansible-playbook", "-i", self.inventory(*engines), "playbooks/pull.yml"]
        return [*command, "-e", f"ecr_pull_handoff={self.handoff}", "-e", json.dumps({**options, **variables})]

    def watch(
        self,
        command: list[Any],
        profile: str | None = "consumer",
        /,
        secrets: Iterable[str] = (),
        act: Callable[[Watch], None] | None = None,
        held: int = len(ENGINES),
        environment: Mapping[str, str] | None = None,
    ) -> Watch:
        """Run a command and look, until all its processes are gone.

        :param secrets: what is searched for beside what the lab hands out
        :param act: called when so many pulls are `held`
        """
        recorded = self.lab.folder / state.SECRETS
        recorded.write_text("", encoding="utf-8")
        try:
            watch = Watch(self)
            watch.run(command, {**self.environment(profile), **(environment or {})}, act, held)
            watch.secrets = Secrets([*self.keys, *secrets, *recorded.read_text(encoding="utf-8").split()])
        finally:
            recorded.unlink()
            self.proxy.released.set()
        return watch


class Watch:
    """All that could be seen of one run by someone else on the machine, and what it left."""

    def __init__(self, site: Site) -> None:
        self.site, self.started = site, time.time() - 0.1
        self.processes: dict[bytes, str] = {}
        self.files: dict[tuple[Any, ...], Seen] = {}
        self.output, self.errors, self.code = "", "", -1
        self.programs: set[str] = set()
        self.secrets = Secrets(site.keys)

    def run(
        self, command: list[Any], environment: dict[str, str], act: Callable[[Watch], None] | None, held: int
    ) -> None:
        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, text=True
            )
            deadline = time.monotonic() + 120
            try:
                while self.process.poll() is None or self.alive():
                    assert time.monotonic() < deadline, f"still there: {self.alive()}"
                    self.look(self.site.run_folder)
                    if act and len(self.site.proxy.held) >= held:
                        self.look(*self.everywhere())
                        self.programs = {pathlib.Path(arguments[0]).name for _pid, arguments in self._marked()}
                        act(self)
                        act = None
                    time.sleep(0.05)
            finally:
                self.process.kill()
                self.process.wait(10)
                for pid, _arguments in self._marked():  # there are some when a test fails
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            for file in (output, errors):
                file.seek(0)
            self.output, self.errors = output.read(), errors.read()
        assert act is None, self
        self.code = self.process.returncode
        self.log, self.syslog = (
            path.read_text(encoding="utf-8") if path.exists() else "" for path in (self.site.log, self.site.syslog)
        )
        self.during, self.files = self.files, {}
        self.look(*self.everywhere())

    def __repr__(self) -> str:
        return f"exit status {self.code}\n{self.output}{self.errors}"

    def look(self, *folders: pathlib.Path) -> None:
        """At the arguments and the environment of every process, and at the files of these folders."""
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                for name in ("cmdline", "environ"):
                    try:
                        content = (entry / name).read_bytes()
                    except OSError:
                        continue  # it is gone
                    self.processes.setdefault(content, f"{name} of process {entry.name}")
        for folder in folders:
            for path, file in changed(folder, self.started, self.site.lab.folder):
                try:
                    folder_mode = stat.S_IMODE(path.parent.stat().st_mode)
                    key = (path, file.st_ino, file.st_mtime_ns, file.st_ctime_ns, file.st_size, folder_mode)
                    if key not in self.files:
                        self.files[key] = Seen(path, stat.S_IMODE(file.st_mode), folder_mode, path.read_bytes())
                except OSError:
                    continue  # it is gone

    def everywhere(self) -> list[pathlib.Path]:
        """Where a run could leave a file."""
        system, home, own = pathlib.Path(tempfile.gettempdir()), pathlib.Path.home(), self.site.folder.parent
        return [
            own,  # with the folders of the engines
            *(path for path in system.iterdir() if path not in own.parents and _is_newer(path, self.started)),
            *map(pathlib.Path, ("/var/tmp", "/run", "/dev/shm", "/var/log", "/var/lib/containers")),  # noqa: S108
            *(home / name for name in (".ansible", ".aws", ".docker", ".config/containers", ".local/share/containers")),
            ROOT / ".venv/ansible-home",
        ]

    def alive(self) -> list[str]:
        """The processes of the run that are still there."""
        return [f"{pid} {' '.join(arguments)}" for pid, arguments in self._marked()]

    def modules(self) -> list[int]:
        """The processes of the module ecr_image_pull."""
        return [
            pid
            for pid, (program, *arguments) in self._marked()
            if "python" in program and (not arguments or "AnsiballZ_ecr_image_pull" in arguments[-1])
        ]

    def _marked(self) -> list[tuple[int, list[str]]]:
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and f"{MARK}={self.site.mark}\0".encode() in (entry / "environ").read_bytes():
                    arguments = (entry / "cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
                    found.append((int(entry.name), arguments))
            except OSError:
                continue  # it is gone
        return found

    def told(self) -> set[str]:
        """The secrets in the output, the log of ansible, and the log of the host."""
        texts = (self.output, self.errors, self.log, self.syslog)
        return set().union(*(self.secrets.within(text.encode()) for text in texts))

    def shown(self) -> list[str]:
        """The processes whose arguments or environment held a secret."""
        return [
            f"{where}: {content[:80]!r}" for content, where in self.processes.items() if self.secrets.within(content)
        ]

    def written(self) -> set[tuple[str, str, str]]:
        """The names of the files that held a secret at some moment, with their modes and those of their folders."""
        held = [seen for seen in self.during.values() if self.secrets.within(seen.content)]
        return {(seen.path.name, f"{seen.mode:o}", f"{seen.folder_mode:o}") for seen in held}

    def left(self) -> list[str]:
        """The files that hold a secret now that all is over."""
        return [str(seen.path) for seen in self.files.values() if self.secrets.within(seen.content)]


def _is_newer(path: pathlib.Path, since: float) -> bool:
    try:
        return path.lstat().st_ctime >= since
    except OSError:
        return False  # it is gone


def changed(path: pathlib.Path, since: float, apart: pathlib.Path) -> Iterator[tuple[pathlib.Path, os.stat_result]]:
    """The files in a folder, or the file itself, that were made or changed since then."""
    try:
        file = path.lstat()
        if stat.S_ISREG(file.st_mode) and max(file.st_mtime, file.st_ctime) >= since:
            yield path, file
        elif stat.S_ISDIR(file.st_mode) and path != apart:
            for entry in path.iterdir():
                yield from changed(entry, since, apart)
    except OSError:
        return  # it is gone


# --- the runs --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def layer() -> bytes:
    """A layer that no engine has from another test."""
    return accounts.layer({"noise": os.urandom(200_000)})


@pytest.fixture(scope="module")
def site(
    lab: Lab, layer: bytes, docker: dict[str, str], podman: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    token = lab.client("owner", "ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    digest = accounts.push(lab.endpoint, token, "release", "noise", [accounts.scenario_layers()[0], layer])
    proxy = Proxy(lab.endpoint, "sha256:" + hashlib.sha256(layer).hexdigest())
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield Site(lab, tmp_path_factory.mktemp("site"), proxy, digest, {**docker, **podman})
    finally:
        proxy.released.set()
        proxy.shutdown()
        thread.join(10)
        proxy.server_close()


def release(watch: Watch) -> None:
    watch.site.proxy.released.set()


def end_playbook(watch: Watch) -> None:
    watch.process.terminate()
    all_end(watch)


def end_modules(watch: Watch) -> None:
    modules = watch.modules()
    assert len(modules) == len(ENGINES), watch.alive()
    for pid in modules:
        os.kill(pid, signal.SIGTERM)
    all_end(watch)


def all_end(watch: Watch) -> None:
    """By the signal, and not because the layer comes after all."""
    deadline = time.monotonic() + 40
    while running := watch.alive():
        assert time.monotonic() < deadline, running
        watch.look(watch.site.run_folder)
        time.sleep(0.05)
    release(watch)


#: How the output is asked for: at its longest for people, and for programs.
VERBOSE: tuple[list[str], dict[str, str]] = (["-vvvv"], {})
FOR_PROGRAMS: tuple[list[str], dict[str, str]] = ([], {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"})
OUTPUTS = {"verbose": VERBOSE, "json": FOR_PROGRAMS}
PRIVATE_FILE = ("config.json", "600", "700")


def assert_no_secret_is_out(watch: Watch) -> None:
    """Not in output, logs, arguments, environments, and in no file that is left."""
    assert watch.told() == set(), watch
    assert watch.shown() == []
    assert watch.left() == []


def results_of(watch: Watch, action: str) -> list[dict[str, Any]]:
    """What the JSON callback says of a module, for each host."""
    tasks = [task for play in json.loads(watch.output)["plays"] for task in play["tasks"]]
    results = [result for task in tasks for result in task["hosts"].values()]
    return [result for result in results if result["action"] == f"crossaccount.ecr.{action}"]


def share_command(site: Site) -> list[Any]:
    """The command that shares the scenario's repositories."""
    command = [BIN / "ansible-playbook", "playbooks/share.yml", "-e", "@playbooks/vars/scenario.yml"]
    return [*command, "-e", f"ecr_share_handoff_path={site.handoff}"]


@pytest.fixture(scope="module")
def first_share(site: Site) -> Watch:
    site.begin()
    return site.watch([*share_command(site), "-vvvv"], "owner")


@pytest.fixture
def shared(site: Site, first_share: Watch) -> Site:
    """A site whose owner has shared, with new folders."""
    assert first_share.code == 0, first_share
    site.begin()
    return site


@pytest.mark.parametrize("form", [form for form, _content in forms("")])
def test_the_search_finds_a_piece_of_a_secret_in_every_form(form: str) -> None:
    value = base64.b64encode(os.urandom(60)).decode()
    secrets, content = Secrets([value]), dict(forms(value))[form]
    for start in range(len(content) - 30):
        assert secrets.within(b"something before" + content[start : start + 31] + b"something behind"), start
    assert secrets.within(b"something before" + base64.b64encode(os.urandom(60)) + b"something behind") == set()


def test_the_watch_finds_what_is_planted(site: Site, docker: dict[str, str], podman: dict[str, str]) -> None:
    site.begin()
    secret, system = site.keys[0], pathlib.Path(tempfile.mkdtemp())
    folders = [
        pathlib.Path(docker["DOCKER_HOST"].removeprefix("unix://")).parent / "data",
        pathlib.Path(podman["CONTAINERS_STORAGE_CONF"]).parent / "graph",
        system,
    ]
    left = [folder / "planted" for folder in folders]
    script = """
    umask 027
    printf %s "$PLANTED" > $TMPDIR/passing
    for path in "$@"; do cp $TMPDIR/passing "$path"; done
    cp $TMPDIR/passing $ANSIBLE_LOG_PATH
    sleep 1
    rm $TMPDIR/passing
    """
    try:
        watch = site.watch(["sh", "-c", script, "sh", *left], environment={"PLANTED": secret})
        assert sorted(watch.left()) == sorted(map(str, [*left, site.log]))
        assert ("passing", "640", "755") in watch.written()
        assert {place.split()[0] for place in watch.shown()} == {"environ"}
        assert watch.told() == {"secret 0, plain"}  # in the log
    finally:
        for path in left:
            path.unlink(missing_ok=True)
        system.rmdir()


def test_the_watch_finds_what_is_said(site: Site) -> None:
    site.begin()
    watch = site.watch(["sh", "-c", 'sleep 1; printf %s "$1" | base64 >&2', "sh", site.keys[0]])
    assert {text.split(",")[0] for text in watch.told()} == {"secret 0"}
    assert {place.split()[0] for place in watch.shown()} == {"cmdline"}
    assert watch.written() == set()


def test_the_first_share_shows_no_secret(first_share: Watch) -> None:
    assert first_share.code == 0, first_share
    assert "invocation:" not in first_share.output  # the modules run in ansible-playbook
    assert "Tag the shared repositories" in first_share.log
    assert "Invoked with" not in first_share.syslog
    assert_no_secret_is_out(first_share)
    assert first_share.written() == set()


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_share_by_modules_shows_no_secret(shared: Site, output: str) -> None:
    """With a Python of its own the host gets modules: they show their options, and log them."""
    flags, environment = OUTPUTS[output]
    changes = {"ansible_python_interpreter": str(BIN / "python"), "ecr_share_description": f"Now {output}"}
    command = [*share_command(shared), *flags, "-e", json.dumps(changes)]
    watch = shared.watch(command, "owner", environment=environment)
    assert watch.code == 0, watch
    if output == "json":
        (role,) = results_of(watch, "iam_ecr_pull_role")[0]["results"]
        for result in (role, *results_of(watch, "ecr_share_info")):
            assert result["invocation"]["module_args"]["secret_key"] is None
    else:
        assert "invocation:" in watch.output
        assert "AnsiballZ_iam_ecr_pull_role" in watch.log
    assert watch.syslog.count("Invoked with") == 3  # the plan, the role, the plan again
    assert_no_secret_is_out(watch)
    assert watch.written() == set()


def test_the_json_of_a_share_has_no_secret(shared: Site) -> None:
    watch = shared.watch(share_command(shared), "owner", environment=FOR_PROGRAMS[1])
    assert watch.code == 0, watch
    plan = results_of(watch, "ecr_share_info")[0]
    assert "roles" in plan
    assert "invocation" not in plan
    assert_no_secret_is_out(watch)
    assert watch.written() == set()


@pytest.mark.parametrize(("output", "credentials"), [("json", "host"), ("verbose", "controller")])
def test_a_pull_shows_no_secret(shared: Site, credentials: str, output: str) -> None:
    flags, environment = OUTPUTS[output]
    shared.proxy.hold()
    watch = shared.watch([*shared.pull_command(credentials, *ENGINES), *flags], act=release, environment=environment)
    assert watch.code == 0, watch
    assert len(watch.secrets.values) >= len(shared.keys) + len(ENGINES) * (4 + 2 + 2)  # two sessions, two tokens
    assert {*PROGRAMS} <= watch.programs
    hidden = HIDDEN if credentials == "controller" else None
    if output == "json":
        results = results_of(watch, "ecr_image_pull")
        assert [result["invocation"]["module_args"]["registry_token"] for result in results] == [hidden] * len(ENGINES)
        assert json.loads(watch.output)["global_custom_stats"]["ecr_pull"].keys() == {*ENGINES}
    else:
        assert watch.output.count(f"registry_token: {hidden or 'null'}\n") == len(ENGINES)
        assert "CUSTOM STATS" in watch.output
    steps = 2 if credentials == "controller" else 1  # the host reports its engine before the token is requested
    assert watch.syslog.count("registry_token=NOT_LOGGING_PARAMETER") == steps * len(ENGINES)
    assert_no_secret_is_out(watch)
    assert watch.written() == {PRIVATE_FILE}
    held = {seen.path for seen in watch.during.values() if watch.secrets.within(seen.content)}
    assert len(held) >= len(PROGRAMS)


@pytest.mark.parametrize(
    ("credentials", "output", "refused"),
    [("host", "json", "layer"), ("controller", "verbose", "layer"), ("host", "verbose", "manifest")],
)
def test_a_pull_that_the_registry_refuses_shows_no_secret(
    shared: Site, credentials: str, output: str, refused: str
) -> None:
    """The registry says the token aloud. Of a layer podman and skopeo do not tell it further, of a manifest they do."""
    flags, environment = OUTPUTS[output]
    shared.proxy.refuse(refused)
    watch = shared.watch([*shared.pull_command(credentials, *ENGINES), *flags], environment=environment)
    assert watch.code == 2, watch
    aloud = " ".join(watch.output.split()).count("AWS:******** or ******** is refused")
    # In the task's result and in the table of hosts; with many words, each of them twice.
    # Of a manifest skopeo's host says the same as that of oci_layout; Ansible displays equal errors once.
    once = 1 if (output, refused) == ("verbose", "manifest") else 0
    assert aloud == (1 if refused == "layer" else 3) * (4 if output == "verbose" else 2) - once, watch
    assert_no_secret_is_out(watch)
    assert watch.written() <= {PRIVATE_FILE}


@pytest.mark.parametrize(("credentials", "output"), [("host", "verbose"), ("controller", "json")])
def test_a_proof_that_fails_shows_no_secret(shared: Site, credentials: str, output: str) -> None:
    flags, environment = OUTPUTS[output]
    wrong = {"ecr_pull_repositories": ["develop"], "ecr_pull_denied": ["release"]}
    watch = shared.watch([*shared.pull_command(credentials, "docker", **wrong), *flags], environment=environment)
    assert watch.code == 2, watch
    assert "Repository develop cannot be pulled." in watch.output
    assert len(watch.secrets.values) >= len(shared.keys) + 2 + 2
    assert_no_secret_is_out(watch)
    assert watch.written() == set()


@pytest.mark.parametrize("credentials", ["host", "controller"])
@pytest.mark.parametrize("end", [end_playbook, end_modules])
def test_a_run_that_is_ended_half_way_leaves_no_secret(
    shared: Site, credentials: str, end: Callable[[Watch], None]
) -> None:
    shared.proxy.hold()
    watch = shared.watch([*shared.pull_command(credentials, *ENGINES), "-vvvv"], act=end)
    assert watch.code == (-signal.SIGTERM if end is end_playbook else 2), watch
    assert {*PROGRAMS} <= watch.programs
    assert_no_secret_is_out(watch)
    assert watch.written() == {PRIVATE_FILE}
    assert list(shared.run_folder.rglob("config.json")) == []


def token_of(site: Site) -> str:
    ecr = site.lab.assume("consumer", "ecr", ROLE, ExternalId="test")
    return str(ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"])


def by_token(site: Site, token: str) -> list[Any]:
    """The command that gives the token to the module as its option. It comes from a file, apart from the run's."""
    variables = site.lab.folder / "token.json"
    variables.touch(0o600)
    variables.write_text(json.dumps({"token": token}), encoding="utf-8")
    options = {
        "images": [f"release@{site.digest}"],
        "engine": "oci_layout",
        "dest": str(site.run_folder / "dest/oci"),
        "registry_url": f"http://{site.proxy.here}",
        "registry_token": "{{ token }}",
    }
    play = {"hosts": "localhost", "gather_facts": False, "tasks": [{"crossaccount.ecr.ecr_image_pull": options}]}
    playbook = site.run_folder / "play.yml"
    playbook.write_text(json.dumps([play]), encoding="utf-8")
    return [BIN / "ansible-playbook", playbook, "-vvvv", "-e", f"@{variables}"]


@pytest.mark.parametrize(
    ("pipelining", "files"), [("false", {("AnsiballZ_ecr_image_pull.py", "700")}), ("true", set[tuple[str, str]]())]
)
def test_a_token_as_an_option_shows_in_the_file_of_ansible_only(
    shared: Site, pipelining: str, files: set[tuple[str, str]]
) -> None:
    """Without pipelining the file is Ansible's way to every host, in a private folder; it is gone with the task."""
    shared.proxy.hold()
    token = token_of(shared)
    password = base64.b64decode(token).decode().partition(":")[2]
    environment = {"ANSIBLE_PIPELINING": pipelining}
    command = by_token(shared, token)
    watch = shared.watch(command, None, secrets=[token, password], act=release, held=1, environment=environment)
    assert watch.code == 0, watch
    assert f"registry_token: {HIDDEN}" in watch.output
    assert "registry_token=NOT_LOGGING_PARAMETER" in watch.syslog
    assert_no_secret_is_out(watch)
    assert {(name, folder_mode) for name, _mode, folder_mode in watch.written()} == files


@pytest.mark.parametrize(
    ("flags", "environment"),
    [
        ([], {"ANSIBLE_KEEP_REMOTE_FILES": "true"}),
        (["-e", "ansible_become=true", "-e", "ansible_become_method=su"], {}),
    ],
    ids=["keep_remote_files", "become_su"],
)
def test_where_ansible_can_not_pipeline_the_controller_s_token_goes_into_no_file(
    shared: Site, flags: list[str], environment: dict[str, str]
) -> None:
    watch = shared.watch([*shared.pull_command("controller", "oci_layout"), *flags, "-vvvv"], environment=environment)
    assert len(watch.secrets.values) >= len(shared.keys) + 2 + 2
    assert_no_secret_is_out(watch)
    assert watch.written() == set()


# --- a session token with a line break, from every source

#: The SDK prints such a token in its own error, if it gets the token.
BROKEN = base64.b64encode(os.urandom(120)).decode()
HALF_KEYS = ("AKIAIOSFODNN7EXAMPLE", base64.b64encode(os.urandom(30)).decode())
SENTENCE = "The session token contains a line break. Remove it where the value is stored, and run again."
SOURCES = ("environment", "AWS_SECURITY_TOKEN", "profile", "source_profile", "credential_process", "option")


def broken_keys(site: Site, source: str) -> tuple[dict[str, str], dict[str, str]]:
    """The environment and the options that supply the token in this way. Files are apart from those of the run."""
    key, secret = HALF_KEYS
    environment = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_REGION": accounts.REGION}
    if source in ("environment", "AWS_SECURITY_TOKEN"):
        name = "AWS_SESSION_TOKEN" if source == "environment" else source
        return {**environment, name: f"{BROKEN}\n"}, {}
    if source == "option":
        return {}, {"access_key": key, "secret_key": secret, "session_token": f"{BROKEN}\n", "region": accounts.REGION}
    keys = f"aws_access_key_id = {key}\naws_secret_access_key = {secret}\naws_session_token = {BROKEN}\n  more\n"
    if source == "credential_process":
        printed = {"Version": 1, "AccessKeyId": key, "SecretAccessKey": secret, "SessionToken": f"{BROKEN}\r\n"}
        output = site.lab.folder / "printed.json"
        output.touch(0o600)
        output.write_text(json.dumps(printed), encoding="utf-8")
        keys = f"credential_process = cat {output}\n"
    role = f"[profile above]\nrole_arn = arn:aws:iam::{accounts.OWNER}:role/x\nsource_profile = broken\n"
    path = site.lab.folder / "aws-config-broken"
    path.touch(0o600)
    proxied = f"endpoint_url = http://{site.proxy.here}\nregion = {accounts.REGION}\n"
    path.write_text(f"[profile broken]\n{keys}{proxied}{role}{proxied}", encoding="utf-8")
    return {"AWS_CONFIG_FILE": str(path), "AWS_PROFILE": "above" if source == "source_profile" else "broken"}, {}


def every_module(site: Site, options: dict[str, str], python: str | None) -> list[Any]:
    """The command that runs each module that sends requests to AWS, whether or not one before it fails."""
    role = {"role_arn": f"arn:aws:iam::{accounts.OWNER}:role/{ROLE}", "wait_timeout": 0}
    layout = {"images": ["release:v1.0"], "engine": "oci_layout", "dest": str(site.run_folder / "dest/oci")}
    share = {"repositories": ["release"], "consumers": [{"account": accounts.CONSUMER, "external_id": "test-1234"}]}
    asked: list[tuple[str, dict[str, Any]]] = [
        ("ecr_repository_tag", {"names": ["release"], "tags": {"a": "b"}}),
        ("iam_ecr_pull_role", {"name": "x", "repository_tags": {"a": "b"}, "consumers": share["consumers"]}),
        ("ecr_share_info", {"shares": [{"name": "x", **share}]}),
        *(("ecr_access_info", {**role, "readable": ["release"], "credentials": one}) for one in ("host", "controller")),
        *(("ecr_image_pull", {**role, **layout, "credentials": one}) for one in ("host", "controller")),
    ]
    tasks = [{f"crossaccount.ecr.{module}": {**wanted, **options}, "ignore_errors": True} for module, wanted in asked]
    variables = {"ansible_python_interpreter": python} if python else {}
    play = {"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": tasks}
    playbook = site.lab.folder / "play.yml"
    playbook.touch(0o600)
    playbook.write_text(json.dumps([play]), encoding="utf-8")
    return [BIN / "ansible-playbook", playbook, "-vvvv"]


def assert_the_token_is_refused(watch: Watch, times: int) -> None:
    words = " ".join((watch.output + watch.errors).split())
    assert words.count(SENTENCE) >= times, watch
    assert "Traceback" not in watch.output + watch.errors + watch.log
    assert watch.told() == set(), watch
    assert watch.left() == []


@pytest.mark.parametrize(
    ("source", "where"), [*((source, "here") for source in SOURCES), ("environment", "process"), ("option", "process")]
)
def test_no_module_prints_a_token_with_a_line_break(shared: Site, source: str, where: str) -> None:
    environment, options = broken_keys(shared, source)
    command = every_module(shared, options, str(BIN / "python") if where == "process" else None)
    watch = shared.watch(command, None, secrets=[BROKEN, HALF_KEYS[1]], environment=environment)
    assert watch.code == 0, watch  # errors are ignored
    assert_the_token_is_refused(watch, 7)


@pytest.mark.parametrize(
    ("playbook", "source"),
    [*(("share", source) for source in SOURCES[:-1]), ("host", "credential_process"), ("controller", "environment")],
)
def test_no_playbook_prints_a_token_with_a_line_break(shared: Site, source: str, playbook: str) -> None:
    environment, _options = broken_keys(shared, source)
    command = share_command(shared) if playbook == "share" else shared.pull_command(playbook, "oci_layout")
    watch = shared.watch([*command, "-vvvv"], None, secrets=[BROKEN, HALF_KEYS[1]], environment=environment)
    assert watch.code == 2, watch
    assert_the_token_is_refused(watch, 1)
