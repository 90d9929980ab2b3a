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
def ground(tmp_path: pathlib.Path) -> Sandbox:
    return Sandbox(tmp_path, SECRET)


def test_safe_run_has_no_findings(ground: Sandbox) -> None:
    def run(seen: Observations) -> None:
        (ground.inside / "result").write_text("written where it may be")
        seen.shown.append("release: pulled\n\tby its digest")
        seen.sent.append("Authorization: no")

    assert findings(ground, run) == []


@pytest.mark.parametrize("template", [one for one in TEMPLATES if not one.startswith("#") and "cycler" not in one])
def test_templates_are_executed_by_ansible(ground: Sandbox, template: str) -> None:
    value = trusted(ground.plant(template))
    for _level in range(2):  # a template may make another one
        found = findings(ground, lambda seen: evaluate("{{ value }}", {"value": value}, seen))
        if found or not (value := trusted(evaluate("{{ value }}", {"value": value}, Observations()))):
            break
    assert found == ["a hostile text was executed"]


@pytest.mark.parametrize("command", [one for one in COMMANDS if not one.startswith("-")])
def test_commands_are_executed_by_a_shell(ground: Sandbox, command: str) -> None:
    quote = next((one for one in "'\"" if command.startswith(one)), "")
    line = f"true {quote}{ground.plant(command)}{quote}"

    def run(_seen: Observations) -> None:
        subprocess.run(["sh", "-c", line], check=False)

    assert "a hostile text was executed" in findings(ground, run)


@pytest.mark.parametrize("tag", TAGS[:2])
def test_tags_are_executed_by_an_unsafe_loader(ground: Sandbox, tag: str) -> None:
    assert findings(ground, lambda _seen: yaml.unsafe_load(ground.plant(tag))) == ["a hostile text was executed"]


WRITERS: dict[str, Program] = {
    "new file": lambda ground, _seen: (ground.outside / "tmp/new").write_text("x"),
    "changed file": lambda ground, _seen: (ground.home / ".bashrc").write_text("x"),
    "removed file": lambda ground, _seen: (ground.outside / "file").unlink(),
    "mode": lambda ground, _seen: (ground.outside / "file").chmod(0o777),
    "working directory": lambda _ground, _seen: pathlib.Path("new").write_text("x"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_write_outside_is_found(ground: Sandbox, name: str) -> None:
    (found,) = findings(ground, lambda seen: WRITERS[name](ground, seen))
    assert found.endswith(" was changed")


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
    "shown": lambda _ground, seen, text: seen.shown.append(f"denied: {text}!"),
    "sent": lambda _ground, seen, text: seen.sent.append(f"Authorization: Basic {text}"),
    "has a secret": lambda ground, _seen, text: (ground.inside / "log").write_text(text),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("form", ENCODED)
def test_leak_is_found(ground: Sandbox, place: str, form: str) -> None:
    found = findings(ground, lambda seen: PLACES[place](ground, seen, ENCODED[form]))
    assert found
    assert all(place in one for one in found)


@pytest.mark.parametrize("text", CONTROL_CHARACTERS, ids=ascii)
def test_control_characters_are_found(ground: Sandbox, text: str) -> None:
    assert findings(ground, lambda seen: seen.shown.append(text))


@pytest.mark.parametrize("file", [one for one in SPECIAL_FILES if one.kind != "text"], ids=str)
def test_special_files_stop_a_naive_read(ground: Sandbox, file: Any) -> None:
    path = ground.inside / "file"
    create(ground.plant(file), path)

    def run(seen: Observations) -> None:
        with path.open("rb") as opened:
            seen.shown.append(opened.read().decode())

    try:
        found = findings(ground, run, seconds=2)
    except OSError:
        return  # no read at all
    leads_to_text = file.content in ("@OUTSIDE@/file", "/dev/stdin", "/proc/self/fd/1")
    assert found or leads_to_text


def test_endless_computation_is_found(ground: Sandbox) -> None:
    def run(_seen: Observations) -> None:
        while True:
            pass

    assert findings(ground, run, seconds=0.2) == ["the run did not end within 0.2 s"]
