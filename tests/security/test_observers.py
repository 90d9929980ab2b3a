# SPDX-License-Identifier: GPL-3.0-or-later
"""Each observer of the boundary tests finds what a vulnerable program does, and nothing in a run that is safe."""

from __future__ import annotations

import base64
import pathlib
import subprocess
import urllib.parse
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from .entries import evaluate, trusted
from .hostile import COMMANDS, CONTROL_CHARACTERS, SPECIAL_FILES, TAGS, TEMPLATES, create
from .observers import Observations, Sandbox, findings

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
Program = Callable[[Sandbox, Observations], Any]


@pytest.fixture
def sandbox(tmp_path: pathlib.Path) -> Sandbox:
    return Sandbox(tmp_path, SECRET)


def test_safe_run_has_no_findings(sandbox: Sandbox) -> None:
    def run(observations: Observations) -> None:
        (sandbox.inside / "result").write_text("written where it may be")
        observations.shown.append("release: pulled\n\tby its digest")
        observations.sent.append("Authorization: no")

    assert findings(sandbox, run) == []


@pytest.mark.parametrize(
    "template", [template for template in TEMPLATES if not template.startswith("#") and "cycler" not in template]
)
def test_templates_are_executed_by_ansible(sandbox: Sandbox, template: str) -> None:
    value = trusted(sandbox.plant(template))
    for _level in range(2):  # a template may make another one
        problems = findings(sandbox, lambda observations: evaluate("{{ value }}", {"value": value}, observations))
        if problems or not (value := trusted(evaluate("{{ value }}", {"value": value}, Observations()))):
            break
    assert problems == ["a hostile text was executed"]


@pytest.mark.parametrize("command", [command for command in COMMANDS if not command.startswith("-")])
def test_commands_are_executed_by_a_shell(sandbox: Sandbox, command: str) -> None:
    quote = next((item for item in "'\"" if command.startswith(item)), "")
    line = f"true {quote}{sandbox.plant(command)}{quote}"

    def run(_seen: Observations) -> None:
        subprocess.run(["sh", "-c", line], check=False)

    assert "a hostile text was executed" in findings(sandbox, run)


@pytest.mark.parametrize("tag", TAGS[:2])
def test_tags_are_executed_by_an_unsafe_loader(sandbox: Sandbox, tag: str) -> None:
    assert findings(sandbox, lambda _seen: yaml.unsafe_load(sandbox.plant(tag))) == ["a hostile text was executed"]


WRITERS: dict[str, Program] = {
    "new file": lambda sandbox, _seen: (sandbox.outside / "tmp/new").write_text("x"),
    "changed file": lambda sandbox, _seen: (sandbox.home / ".bashrc").write_text("x"),
    "removed file": lambda sandbox, _seen: (sandbox.outside / "file").unlink(),
    "mode": lambda sandbox, _seen: (sandbox.outside / "file").chmod(0o777),
    "working directory": lambda _sandbox, _seen: pathlib.Path("new").write_text("x"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_write_outside_is_found(sandbox: Sandbox, name: str) -> None:
    (problems,) = findings(sandbox, lambda observations: WRITERS[name](sandbox, observations))
    assert problems.endswith(" was changed")


ENCODED = {
    "raw": SECRET,
    "URL": urllib.parse.quote(SECRET, safe=""),
    "hexadecimal": SECRET.encode().hex(),
    "base64": base64.b64encode(SECRET.encode()).decode(),
    "Basic": base64.b64encode(f"AWS:{SECRET}\n".encode()).decode(),
    "Basic of another user": base64.b64encode(f"user:{SECRET}".encode()).decode(),
    "URL-safe base64": base64.urlsafe_b64encode(f"x{SECRET}x".encode()).decode(),
}
PLACES: dict[str, Callable[[Sandbox, Observations, str], Any]] = {
    "shown": lambda _sandbox, observations, text: observations.shown.append(f"denied: {text}!"),
    "sent": lambda _sandbox, observations, text: observations.sent.append(f"Authorization: Basic {text}"),
    "has a secret": lambda sandbox, _seen, text: (sandbox.inside / "log").write_text(text),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("form", ENCODED)
def test_leak_is_found(sandbox: Sandbox, place: str, form: str) -> None:
    problems = findings(sandbox, lambda observations: PLACES[place](sandbox, observations, ENCODED[form]))
    assert problems
    assert all(place in item for item in problems)


@pytest.mark.parametrize("text", CONTROL_CHARACTERS, ids=ascii)
def test_control_characters_are_found(sandbox: Sandbox, text: str) -> None:
    assert findings(sandbox, lambda observations: observations.shown.append(text))


@pytest.mark.parametrize(
    "file", [special_file for special_file in SPECIAL_FILES if special_file.kind != "text"], ids=str
)
def test_special_files_stop_a_naive_read(sandbox: Sandbox, file: Any) -> None:
    path = sandbox.inside / "file"
    create(sandbox.plant(file), path)

    def run(observations: Observations) -> None:
        with path.open("rb") as opened:
            observations.shown.append(opened.read().decode())

    try:
        problems = findings(sandbox, run, seconds=2)
    except OSError:
        return  # no read at all
    leads_to_text = file.content in ("@OUTSIDE@/file", "/dev/stdin", "/proc/self/fd/1")
    assert problems or leads_to_text


def test_endless_computation_is_found(sandbox: Sandbox) -> None:
    def run(_seen: Observations) -> None:
        while True:
            pass

    assert findings(sandbox, run, seconds=0.2) == ["the run did not end within 0.2 s"]
