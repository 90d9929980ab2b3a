"""docker, podman and skopeo are shell scripts here, which write down how they were called and what they found."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._engine import (
    Engine,
    Skopeo,
    choose_engine,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._image import (
    destinations,
    digest_of,
    is_destination,
    parse_reference,
    split_destination,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry import Registry

ROOT = pathlib.Path(__file__).parents[4]
HOST = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"
PASSWORD = "secret-token-of-one-caller"
TOKEN = base64.b64encode(f"AWS:{PASSWORD}".encode()).decode()
DIGEST = "sha256:" + "a" * 64
REFERENCE = f"{HOST}/team/app@{DIGEST}"
NAME = f"{HOST}/team/app:v1"
LOOPBACK = "http://127.0.0.1:5000"
DEST = "containers-storage:app:v1"
#: What the registry has under DIGEST; skopeo's own part is the configuration, which the fake has.
MANIFEST = {
    "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": DIGEST, "size": 1},
    "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": DIGEST, "size": 1}],
}

# The images are files in $log/images whose names are the references. For docker and podman they hold what
# `image inspect` answers, for skopeo what `inspect --config` does.
FAKE = r"""#!/bin/sh
PATH=/usr/bin:/bin
log=@LOG@
echo "$@" >> $log/calls
env >> $log/environment
for word in "$@"; do
  case $word in
    --*authfile=*) login=${word#*=} ;;
    --platform=*) architecture=$(echo "$word" | cut -d/ -f2) ;;
    --*cert-dir=*) (cd "${word#*=}" && ls -A && cat *) > $log/certificates ;;
  esac
  reference=$previous previous=$word
done
while [ $# -gt 0 ]; do
  case $1 in
    --config) login=$2/config.json; shift 2 ;;
    --context) shift 2 ;;
    --override-*) shift ;;
    *) break ;;
  esac
done
file() { echo $log/images/$(echo "${1#docker://}" | tr '/:@' '___'); }
found() { cat "$(file "$1")" 2>/dev/null || { echo "no such image" >&2; exit 1; }; }
keep() {
  echo '[{"Id": "sha256:id", "Os": "linux", "Architecture": "'"${architecture:-amd64}"'",' \
    '"RepoDigests": ["'"$2"'"]}]' > "$(file "$1")"
}
if [ -n "$login" ]; then
  folder=$(dirname "$login")
  stat -c %a "$folder" "$login" > $log/modes
  ls -A "$folder" > $log/names
  cat "$login" > $log/auth
fi
case $1 in
  context) cat $log/context 2>/dev/null || exit 1 ;;
  info) @INFO@ ;;
  image) case $2 in inspect) found "$3" ;; rm) @REMOVE@ ;; esac ;;
  inspect) found "$previous" ;;
  tag) cp "$(file "$2")" "$(file "$3")" || { echo "tag: refused" >&2; exit 1; } ;;
  delete) @REMOVE@ ;;
  pull) reference=$previous; @PULL@ ;;
  copy) @PULL@ ;;
esac
"""
PULLS = 'keep "$reference" "$reference"'
COPIES = 'cp "$(file "$reference")" "$(file "$previous")"'
#: The image stands in no index: what it is of comes, whatever was asked for.
ONLY_AMD64 = f"architecture=amd64; {PULLS}"
#: Another image arrives than the one asked for.
SWAPS = 'keep "$reference" "${reference%@*}@sha256:other"'
DIFFERS = 'echo "{}" > "$(file "$previous")"'
FAILS = 'echo "first line" >&2; echo "denied: not you" >&2; exit 1'
TELLS = f'echo "with {TOKEN} and {PASSWORD}" >&2; exit 1'
HANGS = "touch $TMPDIR/layer; echo $TMPDIR > $log/large; echo $$ > $log/pid; exec sleep 60"

Install = Callable[..., pathlib.Path]


@pytest.fixture
def temporary(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@pytest.fixture(autouse=True)
def _manifest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Registry, "manifest", lambda *_words: (json.dumps(MANIFEST).encode(), None))


@pytest.fixture
def install(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a fake program into the PATH, where nothing else is; its log. skopeo finds the image in the registry."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", os.fspath(programs))
    for variable in ("DOCKER_HOST", "CONTAINER_HOST", "CONTAINER_CONNECTION"):
        monkeypatch.delenv(variable, raising=False)

    def put(
        name: str, pull: str = "", info: str = "echo '{}'", context: str = "", remove: str = "exit 0"
    ) -> pathlib.Path:
        log = tmp_path / f"log-{name}"
        (log / "images").mkdir(parents=True)
        (log / "context").write_text(context or docker_context("default", "unix:///var/run/docker.sock"))
        if name == "skopeo":
            image(log, REFERENCE).write_text('{"os": "linux", "rootfs": {"diff_ids": ["sha256:1"]}}')
        pull = pull or (COPIES if name == "skopeo" else PULLS)
        script = FAKE.replace("@LOG@", str(log)).replace("@INFO@", info)
        program = programs / name
        program.write_text(script.replace("@PULL@", pull).replace("@REMOVE@", remove))
        program.chmod(0o755)
        return log

    return put


def docker_context(name: str, host: str, *, tls: bool = False, metadata: str = "<IN MEMORY>") -> str:
    """What `docker context inspect` prints."""
    return json.dumps(
        {
            "Name": name,
            "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False}},
            "TLSMaterial": {"docker": ["ca.pem"]} if tls else {},
            "Storage": {"MetadataPath": metadata},
        }
    )


def image(log: pathlib.Path, reference: str) -> pathlib.Path:
    """The file of an image of a fake program."""
    return log / "images" / reference.translate(str.maketrans("/:@", "___"))


def registry(url: str = f"https://{HOST}", validate_certs: bool = True, ca_path: str | None = None) -> Registry:
    return Registry(url, TOKEN, validate_certs, ca_path)


def usable(name: str, temporary: pathlib.Path, platform: str | None = None) -> Engine:
    engine = Engine(name, str(temporary), platform)
    assert engine.problem() is None
    return engine


def bring(name: str, temporary: pathlib.Path, source: Registry) -> None:
    """Pull with docker or podman, copy with skopeo."""
    if name == "skopeo":
        Skopeo(str(temporary), "linux/amd64").copy(REFERENCE, DEST, source)
    else:
        usable(name, temporary).pull(REFERENCE, source)


def calls(log: pathlib.Path) -> list[str]:
    return (log / "calls").read_text().splitlines()


PROGRAMS = ["docker", "podman", "skopeo"]


# --- the private file


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_the_token_is_in_a_private_file_during_the_pull(
    install: Install, temporary: pathlib.Path, name: str, umask: int
) -> None:
    log = install(name)
    before = os.umask(umask)
    try:
        bring(name, temporary, registry())
    finally:
        os.umask(before)
    assert (log / "modes").read_text().split() == ["700", "600"]
    assert (log / "names").read_text().split() == ["config.json"]
    assert json.loads((log / "auth").read_text()) == {"auths": {HOST: {"auth": TOKEN}}}
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("pull", ["", FAILS])
def test_the_token_is_nowhere_else(install: Install, temporary: pathlib.Path, name: str, pull: str) -> None:
    log = install(name, pull)
    message = ""
    try:
        bring(name, temporary, registry())
    except EcrError as error:
        message = str(error)
    assert bool(message) is (pull == FAILS)
    assert (log / "auth").exists()
    for secret in (TOKEN, PASSWORD):
        assert secret not in (log / "calls").read_text() + (log / "environment").read_text() + message
        assert secret not in str(os.environ)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_that_tells_the_token_is_not_repeated(install: Install, temporary: pathlib.Path, name: str) -> None:
    install(name, TELLS)
    with pytest.raises(EcrError) as caught:
        bring(name, temporary, registry())
    assert str(caught.value).endswith(f"{REFERENCE}: with ******** and ********")


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_programs_see_no_aws_credentials_but_all_else(
    install: Install, temporary: pathlib.Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, f"value of {variable}")
    log = install(name)
    bring(name, temporary, registry())
    environment = (log / "environment").read_text()
    assert "AWS_" not in environment
    assert environment.count("HTTPS_PROXY=value of HTTPS_PROXY\n") == len(calls(log))
    assert os.environ["AWS_PROFILE"] == "value of AWS_PROFILE"


@pytest.mark.parametrize(("name", "verb"), [("docker", "pull"), ("podman", "pull"), ("skopeo", "copy")])
@pytest.mark.parametrize(
    ("pull", "said"),
    [(FAILS, "denied: not you"), ("echo only said >&1; exit 1", "only said"), ("exit 7", "exit status 7")],
)
def test_it_is_gone_after_a_failure(
    install: Install, temporary: pathlib.Path, name: str, verb: str, pull: str, said: str
) -> None:
    log = install(name, pull)
    with pytest.raises(EcrError) as caught:
        bring(name, temporary, registry())
    assert str(caught.value) == f"{name} could not {verb} {REFERENCE}: {said}"
    assert (log / "modes").read_text().split() == ["700", "600"]
    assert list(temporary.iterdir()) == []


PULLING = """
import sys
from ansible_collections.crossaccount.ecr.plugins.module_utils._engine import Engine, Skopeo
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry import Registry
name, temporary, url, reference, destination, manifest = sys.argv[1:]
Registry.manifest = lambda *_words: (manifest.encode(), None)
registry = Registry(url, sys.stdin.read())
if name == "skopeo":
    Skopeo(temporary, "linux/amd64").copy(reference, destination, registry)
else:
    engine = Engine(name, temporary)
    assert engine.problem() is None
    engine.pull(reference, registry)
"""


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_it_is_gone_after_a_signal(
    install: Install, temporary: pathlib.Path, name: str, number: signal.Signals
) -> None:
    large = temporary.parent / "large"
    large.mkdir()
    # podman says where it keeps layers on their way, skopeo follows TMPDIR, dockerd is another process.
    log = install(name, HANGS, info=f"""echo '{{"store": {{"imageCopyTmpDir": "{large}"}}}}'""")
    process = subprocess.Popen(
        [sys.executable, "-c", PULLING, name, temporary, f"https://{HOST}", REFERENCE, DEST, json.dumps(MANIFEST)],
        env={**os.environ, "PYTHONPATH": str(ROOT / ".venv/collections"), "TMPDIR": str(large)},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts what it puts into the background with SIGINT ignored, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        assert process.stdin
        process.stdin.write(TOKEN)
        process.stdin.close()
        deadline = time.monotonic() + 10
        while not (log / "pid").exists() or not (log / "pid").read_text().strip():
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        client = int((log / "pid").read_text())
        (folder,) = temporary.iterdir()
        assert TOKEN in (folder / "config.json").read_text()
        assert pathlib.Path((log / "large").read_text().strip()).parent == (large if name != "docker" else large.parent)
        process.send_signal(number)
        assert process.wait(10) == (128 + number if number != signal.SIGINT else -signal.SIGINT)
    finally:
        process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()
    assert list(temporary.iterdir()) == []
    assert [one.name for one in large.iterdir()] == (["layer"] if name == "docker" else [])
    with pytest.raises(ProcessLookupError):
        os.kill(client, 0)


# --- how docker and podman are called


def test_docker_is_called_with_the_private_configuration_and_the_users_context(
    install: Install, temporary: pathlib.Path
) -> None:
    contexts = temporary.parent / "contexts"
    log = install("docker", context=docker_context("mine", "ssh://engine", metadata=f"{contexts}/meta/1"))
    engine = usable("docker", temporary)
    engine.pull(REFERENCE, registry())
    engine.name_image(REFERENCE, NAME)
    inspect, info, pull, there, tag = calls(log)
    assert inspect == "context inspect --format {{json .}}"
    assert info == "--context mine info --format {{json .}}"
    config, folder, rest = pull.split(" ", 2)
    assert config == "--config"
    assert pathlib.Path(folder).parent == temporary
    assert rest == f"--context mine pull --quiet {REFERENCE}"
    assert there == f"--context mine image inspect {REFERENCE}"
    assert tag == f"--context mine tag {REFERENCE} {NAME}"
    assert (log / "names").read_text().split() == ["config.json", "contexts"]


@pytest.mark.parametrize(
    ("context", "reason"),
    [
        ("exit", "docker does not report its context: exit status 1"),
        ("{}", "docker does not report the address of its engine"),
        ("[]", "docker does not report the address of its engine"),
    ],
)
def test_docker_without_a_context_is_rejected(
    install: Install, temporary: pathlib.Path, context: str, reason: str
) -> None:
    log = install("docker", context=context)
    if context == "exit":
        (log / "context").unlink()
    assert Engine("docker", str(temporary)).problem() == reason
    assert len(calls(log)) == 1


#: url, validate_certs, whether ca_path is given: whether the registry's certificate is checked.
TLS = [
    (f"https://{HOST}", True, False, True),
    (f"https://{HOST}", True, True, True),
    (f"https://{HOST}", False, False, False),
    (LOOPBACK, True, False, False),
]


@pytest.mark.parametrize(("url", "validate_certs", "authority", "checked"), TLS)
def test_podman_checks_certificates_as_it_is_told(
    install: Install, temporary: pathlib.Path, url: str, validate_certs: bool, authority: bool, checked: bool
) -> None:
    log = install("podman")
    certificates = temporary.with_name("mine.pem")
    certificates.write_text("a certificate\n")
    ca_path = str(certificates) if authority else None
    usable("podman", temporary).pull(REFERENCE, registry(url, validate_certs, ca_path))
    info, pull, _image = calls(log)
    assert info == "info --format {{json .}}"
    verb, quiet, authfile, *rest = pull.split()
    assert (verb, quiet) == ("pull", "--quiet")
    assert pathlib.Path(authfile.removeprefix("--authfile=")).parent.parent == temporary
    if authority:
        folder = rest.pop(-2).removeprefix("--cert-dir=")
        assert pathlib.Path(folder).parent == temporary
        assert (log / "certificates").read_text() == "ca.crt\na certificate\n"
    assert rest == [*([] if checked else ["--tls-verify=false"]), REFERENCE]
    assert list(temporary.iterdir()) == []


def test_docker_is_not_told_what_only_dockerd_can_check(install: Install, temporary: pathlib.Path) -> None:
    log = install("docker")
    usable("docker", temporary).pull(REFERENCE, registry(validate_certs=False, ca_path=__file__))
    assert [call for call in calls(log) if "tls" in call or "cert" in call] == []


@pytest.mark.parametrize("name", ["docker", "podman"])
def test_a_platform_that_was_asked_for_is_pulled(install: Install, temporary: pathlib.Path, name: str) -> None:
    log = install(name)
    usable(name, temporary, "linux/arm64/v8").pull(REFERENCE, registry())
    (pull,) = [call for call in calls(log) if " --quiet " in call]
    assert pull.endswith(f" --platform=linux/arm64/v8 {REFERENCE}")


# --- what docker and podman have


@pytest.mark.parametrize("name", ["docker", "podman"])
def test_has_and_name(install: Install, temporary: pathlib.Path, name: str) -> None:
    log = install(name)
    engine = usable(name, temporary)
    assert not engine.has(REFERENCE, None)
    engine.pull(REFERENCE, registry())
    assert engine.has(REFERENCE, None)
    assert not engine.has(REFERENCE, NAME)
    engine.name_image(REFERENCE, NAME)
    assert engine.has(REFERENCE, NAME)
    image(log, REFERENCE).write_text('[{"Id": "sha256:other"}]')
    assert engine.has(REFERENCE, None)
    assert not engine.has(REFERENCE, NAME)


@pytest.mark.parametrize("platform", [None, "linux/amd64", "linux/amd64/v1", "linux/arm64", "linux/amd"])
def test_an_image_of_another_platform_is_not_the_one(
    install: Install, temporary: pathlib.Path, platform: str | None
) -> None:
    install("docker")
    usable("docker", temporary).pull(REFERENCE, registry())
    there = platform not in ("linux/arm64", "linux/amd")
    assert usable("docker", temporary, platform).has(REFERENCE, None) is there


@pytest.mark.parametrize("name", ["docker", "podman"])
@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("platform", ["linux/arm64", "linux/amd64p32", "windows/amd64"])
def test_an_image_of_another_platform_is_refused_and_removed_if_it_was_not_there_before(
    install: Install, temporary: pathlib.Path, name: str, before: bool, platform: str
) -> None:
    log = install(name, ONLY_AMD64, remove='rm "$(file "$previous")"')
    if before:
        usable(name, temporary).pull(REFERENCE, registry())
    with pytest.raises(EcrError) as caught:
        usable(name, temporary, platform).pull(REFERENCE, registry())
    assert str(caught.value) == f"{REFERENCE} has no image for {platform}; it has linux/amd64."
    assert image(log, REFERENCE).exists() is before


def test_skopeo_copies_no_image_of_another_platform_than_asked_for(install: Install, temporary: pathlib.Path) -> None:
    log = install("skopeo")
    image(log, REFERENCE).write_text('{"os": "linux", "architecture": "amd64"}')
    with pytest.raises(EcrError) as caught:
        Skopeo(str(temporary), "linux/arm64", exact=True).copy(REFERENCE, DEST, registry())
    assert str(caught.value) == f"{REFERENCE} has no image for linux/arm64; it has linux/amd64."
    assert not image(log, DEST).exists()
    Skopeo(str(temporary), "linux/amd64", exact=True).copy(REFERENCE, DEST, registry())
    image(log, DEST).unlink()
    Skopeo(str(temporary), "linux/arm64").copy(REFERENCE, DEST, registry())  # the host's platform, not asked for
    assert image(log, DEST).exists()


def test_a_name_that_is_refused(install: Install, temporary: pathlib.Path) -> None:
    install("podman")
    with pytest.raises(EcrError) as caught:
        usable("podman", temporary).name_image(REFERENCE, NAME)
    assert str(caught.value) == f"podman could not name {REFERENCE} {NAME}: tag: refused"


@pytest.mark.parametrize("name", ["docker", "podman"])
def test_an_image_that_was_pulled_and_is_not_there(install: Install, temporary: pathlib.Path, name: str) -> None:
    install(name, "exit 0")
    with pytest.raises(EcrError) as caught:
        usable(name, temporary).pull(REFERENCE, registry())
    assert str(caught.value) == f"{name} pulled {REFERENCE}, but has no image of that digest."


@pytest.mark.parametrize("name", ["docker", "podman"])
@pytest.mark.parametrize(
    ("pull", "remove", "what"),
    [
        (SWAPS, "exit 0", "but has it as sha256:other. It was removed."),
        (SWAPS, "echo in use >&2; exit 1", "but has it as sha256:other. Remove it (in use)."),
        (
            """echo '[{"Id": "sha256:id"}]' > "$(file "$reference")\"""",
            "exit 0",
            "but has it as nothing. It was removed.",
        ),
    ],
)
def test_an_image_of_another_digest_is_removed(
    install: Install, temporary: pathlib.Path, name: str, pull: str, remove: str, what: str
) -> None:
    log = install(name, pull, remove=remove)
    with pytest.raises(EcrError) as caught:
        usable(name, temporary).pull(REFERENCE, registry())
    assert str(caught.value) == f"{name} pulled {REFERENCE}, {what}"
    assert calls(log)[-1].endswith("image rm --force sha256:id")
    assert list(temporary.iterdir()) == []


# --- skopeo


@pytest.mark.parametrize(("url", "validate_certs", "authority", "checked"), TLS)
def test_skopeo_is_called_with_private_files(
    install: Install, temporary: pathlib.Path, url: str, validate_certs: bool, authority: bool, checked: bool
) -> None:
    log = install("skopeo")
    certificates = temporary.with_name("mine.pem")
    certificates.write_text("a certificate\n")
    source = registry(url, validate_certs, str(certificates) if authority else None)
    Skopeo(str(temporary), "linux/arm64/v8").copy(REFERENCE, DEST, source)
    override = ["--override-os=linux", "--override-arch=arm64", "--override-variant=v8"]
    copied, there, here = (call.split() for call in calls(log))
    assert there == [*override, "inspect", "--config", DEST]
    for call, prefix, verb, last in (
        (copied, "src-", ["copy", "--quiet"], [f"docker://{REFERENCE}", DEST]),
        (here, "", ["inspect", "--config"], [f"docker://{REFERENCE}"]),
    ):
        authfile = call.pop(5)
        assert pathlib.Path(authfile.removeprefix(f"--{prefix}authfile=")).parent.parent == temporary
        if authority:
            folder = call.pop(-1 - len(last)).removeprefix(f"--{prefix}cert-dir=")
            assert pathlib.Path(folder).parent == temporary
        assert call == [*override, *verb, *([] if checked else [f"--{prefix}tls-verify=false"]), *last]
    assert (log / "certificates").exists() is authority
    if authority:
        assert (log / "certificates").read_text() == "ca.crt\na certificate\n"
    assert list(temporary.iterdir()) == []


def test_skopeo_is_told_no_variant_where_there_is_none(install: Install, temporary: pathlib.Path) -> None:
    log = install("skopeo")
    Skopeo(str(temporary), "linux/amd64").copy(REFERENCE, DEST, registry())
    assert {call.split()[2] for call in calls(log)} == {"copy", "inspect"}


@pytest.mark.parametrize("dest", [DEST, "docker-daemon:app:v1"])
@pytest.mark.parametrize("host", [None, "unix:///run/user/1/docker.sock"])
def test_skopeo_is_led_to_the_users_docker_for_docker_daemon_only(
    install: Install, temporary: pathlib.Path, monkeypatch: pytest.MonkeyPatch, dest: str, host: str | None
) -> None:
    log = install("skopeo")
    if host:
        monkeypatch.setenv("DOCKER_HOST", host)
    Skopeo(str(temporary), "linux/amd64").copy(REFERENCE, dest, registry())
    words = [word for call in calls(log) for word in call.split() if "daemon-host" in word]
    led = host is not None and dest.startswith("docker-daemon:")
    assert words == ([f"--dest-daemon-host={host}", f"--daemon-host={host}"] if led else [])


def test_skopeo_has_an_image_whose_configuration_is_the_registrys(install: Install, temporary: pathlib.Path) -> None:
    log = install("skopeo")
    skopeo = Skopeo(str(temporary), "linux/amd64")
    assert not skopeo.has(REFERENCE, DEST, registry())
    assert len(calls(log)) == 1  # the registry need not be asked
    image(log, DEST).write_text('{"rootfs": {"diff_ids": ["sha256:1"]},\n "os": "linux"}')
    assert skopeo.has(REFERENCE, DEST, registry())
    image(log, DEST).write_text('{"os": "linux", "rootfs": {"diff_ids": ["sha256:2"]}}')
    assert not skopeo.has(REFERENCE, DEST, registry())


@pytest.mark.parametrize(
    ("manifest", "has"),
    [
        (MANIFEST, True),
        ({**MANIFEST, "layers": [{"digest": "sha256:" + "b" * 64}]}, False),
        ({"manifests": [{"digest": DIGEST}]}, True),
    ],
)
def test_skopeo_has_an_image_whose_layers_another_registry_lists(
    install: Install, temporary: pathlib.Path, manifest: dict[str, object], has: bool
) -> None:
    mirror = "docker://mirror.example.com/app:v1"
    log = install("skopeo")
    program = pathlib.Path(os.environ["PATH"], "skopeo")
    raw = f"inspect) case $* in *--raw*) echo '{json.dumps(manifest)}'; exit ;; esac;"
    program.write_text(program.read_text().replace("inspect) found", f"{raw} found"))
    image(log, mirror.removeprefix("docker://")).write_text(image(log, REFERENCE).read_text())
    assert Skopeo(str(temporary), "linux/amd64").has(REFERENCE, mirror, registry()) is has


def test_skopeo_copies_the_image_that_is_chosen_from_an_index(
    install: Install, temporary: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = json.dumps(MANIFEST).encode()
    chosen = digest_of(content)
    entry = {"mediaType": MANIFEST["mediaType"], "digest": chosen, "size": len(content)}
    listed = [
        {**entry, "digest": DIGEST, "platform": {"os": "linux", "architecture": "amd64"}},
        {**entry, "platform": {"os": "linux", "architecture": "arm64"}},
    ]
    index = {"mediaType": "application/vnd.oci.image.index.v1+json", "manifests": listed}
    documents = {DIGEST: json.dumps(index).encode(), chosen: content}
    monkeypatch.setattr(Registry, "manifest", lambda _self, _repository, digest: (documents[digest], None))
    log = install("skopeo")
    one = f"{HOST}/team/app@{chosen}"
    image(log, one).write_text("{}")
    Skopeo(str(temporary), "linux/arm64", exact=True).copy(REFERENCE, DEST, registry())
    assert [word for call in calls(log) for word in call.split() if word.startswith("docker://")] == [
        f"docker://{one}",
        f"docker://{one}",
    ]
    with pytest.raises(EcrError, match="has no image for linux/s390x; it has linux/amd64, linux/arm64"):
        Skopeo(str(temporary), "linux/s390x").copy(REFERENCE, DEST, registry())


def test_skopeo_that_can_not_look_at_the_registry(install: Install, temporary: pathlib.Path) -> None:
    log = install("skopeo")
    image(log, DEST).write_text("{}")
    image(log, REFERENCE).unlink()
    program = pathlib.Path(os.environ["PATH"], "skopeo")
    program.write_text(program.read_text().replace("no such image", f"no such image for {PASSWORD}"))
    with pytest.raises(EcrError) as caught:
        Skopeo(str(temporary), "linux/amd64").has(REFERENCE, DEST, registry())
    assert str(caught.value) == f"skopeo could not look at {REFERENCE}: no such image for ********"
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("pull", [DIFFERS, "exit 0"])
@pytest.mark.parametrize(
    ("remove", "what"), [("exit 0", "It was removed."), ("echo not me >&2; exit 1", f"Remove {DEST}.")]
)
def test_a_destination_with_another_image_is_removed(
    install: Install, temporary: pathlib.Path, pull: str, remove: str, what: str
) -> None:
    log = install("skopeo", pull, remove=remove)
    with pytest.raises(EcrError) as caught:
        Skopeo(str(temporary), "linux/amd64").copy(REFERENCE, DEST, registry())
    assert str(caught.value) == f"skopeo copied {REFERENCE}, but {DEST} has another image. {what}"
    assert calls(log)[-1] == f"delete {DEST}"


# --- skopeo's destinations


@pytest.mark.parametrize(
    ("dest", "filled"),
    [
        ("oci:/srv/{repository}:{image_tag}", ["oci:/srv/team/app:v1", "oci:/srv/team/app:v2"]),
        ("dir:/srv/{image_tag}-{image_tag}", ["dir:/srv/v1-v1", "dir:/srv/v2-v2"]),
        ("docker://mirror/{other}:{image_tag}", ["docker://mirror/{other}:v1", "docker://mirror/{other}:v2"]),
    ],
)
def test_a_destination_is_filled_in_for_each_image(dest: str, filled: list[str]) -> None:
    images = ["team/app:v1", f"team/app:v2@{DIGEST}"]
    assert destinations(dest, [parse_reference(one) for one in images]) == filled


@pytest.mark.parametrize(
    ("dest", "images", "problems"),
    [
        (
            DEST,
            ["a/b:v1", "a/c:v1", "a/d:v1"],
            [f"Image a/{one}:v1 would go to {DEST}, where another goes. Use {{repository}} in dest." for one in "cd"],
        ),
        (
            "oci:{repository}:{image_tag}",
            ["a/b:v1", f"a/c@{DIGEST}"],
            [f"Image a/c@{DIGEST} has no image tag for the {{image_tag}} in dest. Write one before the digest."],
        ),
    ],
)
def test_what_is_wrong_with_a_destination_is_said_for_every_image(
    dest: str, images: list[str], problems: list[str]
) -> None:
    with pytest.raises(EcrError) as caught:
        destinations(dest, [parse_reference(one) for one in images])
    assert caught.value.facts["problems"] == problems


@pytest.mark.parametrize("dest", [None, "/srv/image"])
def test_skopeo_needs_a_transport(dest: str | None) -> None:
    with pytest.raises(EcrError) as caught:
        destinations(dest, [parse_reference("a/b:v1")])
    assert str(caught.value).startswith("Engine skopeo needs a dest with its transport, such as docker-archive:")


# --- which engine

NO_ANSWER = 'echo "warning" >&2; echo "Cannot connect" >&2; exit 1'
#: docker exits with 0 in some versions although no engine answered.
SERVER_ERRORS = """echo '{"ServerErrors":["Cannot connect"]}'"""


def choose(
    wanted: str, temporary: pathlib.Path, dest: str | None = None, platform: str | None = None
) -> Engine | Skopeo | None:
    return choose_engine(wanted, dest, str(temporary), platform, "linux/mips64")


@pytest.mark.parametrize("dest", [None, "/srv/image", "image", "./docker:image"])
@pytest.mark.parametrize(
    ("docker", "podman", "chosen"),
    [
        ("", "", "docker"),
        ("", None, "docker"),
        (None, "", "podman"),
        (NO_ANSWER, "", "podman"),
        (SERVER_ERRORS, "", "podman"),
        (NO_ANSWER, NO_ANSWER, None),
        (None, NO_ANSWER, None),
        (None, None, None),
    ],
)
def test_auto_without_a_transport_takes_the_first_engine_that_answers(
    install: Install,
    temporary: pathlib.Path,
    docker: str | None,
    podman: str | None,
    chosen: str | None,
    dest: str | None,
) -> None:
    log = install("skopeo")
    for name, info in (("docker", docker), ("podman", podman)):
        if info is not None:
            install(name, info=info or "echo '{}'")
    engine = choose("auto", temporary, dest)
    assert (engine.name if engine else None) == chosen
    assert not (log / "calls").exists()


@pytest.mark.parametrize(
    "dest", ["oci:/srv/image:app", "docker-archive:image.tar", "docker://mirror.example.com/app", "dir:image"]
)
def test_auto_with_a_transport_takes_skopeo(install: Install, temporary: pathlib.Path, dest: str) -> None:
    logs = [install(name) for name in ("docker", "podman")]
    with pytest.raises(EcrError) as caught:
        choose("auto", temporary, dest)
    reason = "skopeo is not installed (no such program in PATH)"
    assert str(caught.value) == f"Engine skopeo cannot be used: {reason}. Fix that, or choose another engine."
    install("skopeo")
    engine = choose("auto", temporary, dest)
    assert isinstance(engine, Skopeo)
    assert not [log for log in logs if (log / "calls").exists()]


@pytest.mark.parametrize(
    ("dest", "there"),
    [
        (None, False),
        ("", False),
        ("/srv/a:b", False),
        ("./a:b", False),
        ("C:/image", False),
        ("1:x", False),
        ("containers-storage:app", True),
        ("docker-daemon:app:v1", True),
    ],
)
def test_a_destination_begins_with_a_transport(dest: str | None, there: bool) -> None:
    assert is_destination(dest) is there


@pytest.mark.parametrize("name", ["docker", "podman"])
@pytest.mark.parametrize(
    ("info", "reason"),
    [
        (None, "is not installed (no such program in PATH)"),
        (NO_ANSWER, "is installed but its engine does not answer: Cannot connect"),
        ("exit 3", "is installed but its engine does not answer: exit status 3"),
        (SERVER_ERRORS, """is installed but its engine does not answer: {"ServerErrors":["Cannot connect"]}"""),
    ],
)
def test_an_engine_that_was_asked_for_must_work(
    install: Install, temporary: pathlib.Path, name: str, info: str | None, reason: str
) -> None:
    other = "podman" if name == "docker" else "docker"
    install(other)
    if info is not None:
        install(name, info=info)
    with pytest.raises(EcrError) as caught:
        choose(name, temporary)
    assert str(caught.value) == (f"Engine {name} cannot be used: {name} {reason}. Fix that, or choose another engine.")


@pytest.mark.parametrize("wanted", PROGRAMS)
def test_the_engine_that_was_asked_for_is_taken(install: Install, temporary: pathlib.Path, wanted: str) -> None:
    for name in PROGRAMS:
        install(name)
    engine = choose(wanted, temporary, DEST)
    assert engine
    assert engine.name == wanted


def test_a_layout_asks_no_engine(install: Install, temporary: pathlib.Path) -> None:
    logs = [install(name) for name in PROGRAMS]
    assert choose("oci_layout", temporary, "/srv/image") is None
    assert not [log for log in logs if (log / "calls").exists()]


@pytest.mark.parametrize(
    ("wanted", "platform", "words"),
    [
        ("docker", None, []),
        ("podman", "linux/arm64", ["--platform=linux/arm64"]),
        ("skopeo", None, ["--override-os=linux", "--override-arch=mips64"]),
        ("skopeo", "linux/arm64", ["--override-os=linux", "--override-arch=arm64"]),
    ],
)
def test_only_skopeo_is_told_the_hosts_platform(
    install: Install, temporary: pathlib.Path, wanted: str, platform: str | None, words: list[str]
) -> None:
    log = install(wanted)
    engine = choose(wanted, temporary, platform=platform)
    if isinstance(engine, Skopeo):
        engine.copy(REFERENCE, DEST, registry())
    elif engine:
        engine.pull(REFERENCE, registry())
    (call,) = [call for call in calls(log) if "--quiet" in call]
    assert [word for word in call.split() if word.startswith(("--platform", "--override"))] == words


@pytest.mark.parametrize(
    ("destination", "parts"),
    [
        ("dir:/srv/images", ("dir", "/srv/images", "")),
        ("dir:/srv/with:colon", ("dir", "/srv/with:colon", "")),
        ("oci:/srv/images:app:v1", ("oci", "/srv/images", ":app:v1")),
        ("oci-archive:/srv/a.tar", ("oci-archive", "/srv/a.tar", "")),
        ("docker-archive:/srv/a.tar:app:v1", ("docker-archive", "/srv/a.tar", ":app:v1")),
        ("docker://mirror.example.com/app:v1", ("docker", None, "//mirror.example.com/app:v1")),
    ],
)
def test_the_parts_of_a_destination(destination: str, parts: tuple[str, str | None, str]) -> None:
    assert split_destination(destination) == parts


@pytest.mark.parametrize("transport", ["dir", "docker-archive"])
def test_one_image_would_replace_the_other_where_a_place_holds_only_one(transport: str) -> None:
    images = [parse_reference("app:v1"), parse_reference("app:v2")]
    name = "" if transport == "dir" else ":app:{image_tag}"
    with pytest.raises(EcrError, match=r"Image app:v2 would go to .*, where another goes"):
        destinations(f"{transport}:/srv/image{name}", images)
    assert len(destinations(f"{transport}:/srv/{{image_tag}}{name}", images)) == 2
    assert len(destinations("oci:/srv/image:{image_tag}", images)) == 2
