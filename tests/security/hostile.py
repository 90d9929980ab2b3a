# SPDX-License-Identifier: GPL-3.0-or-later
"""Hostile values for inputs that cross a trust boundary.

Texts contain the placeholders MARKER, OUTSIDE and SECRET. `planted` replaces them with values that exist only during a
test.
"""

from __future__ import annotations

import copy
import json
import os
import pathlib
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import yaml
from hypothesis import strategies as st

#: The file that exists once a hostile text has been executed.
MARKER = "@MARKER@"
#: A directory that must not change.
OUTSIDE = "@OUTSIDE@"
#: A credential of the run.
SECRET = "@SECRET@"

COMMAND = f"touch {MARKER}"
PIPE = f"lookup('pipe', '{COMMAND}')"

TEMPLATES = [
    f"{{{{ {PIPE} }}}}",
    f"{{{{ '{{{{' }}}} {PIPE} {{{{ '}}}}' }}}}",
    f"{{% if {PIPE} %}}{{% endif %}}",
    f"{{% for one in query('pipe', '{COMMAND}') %}}{{% endfor %}}",
    f"{{% set x = {PIPE} %}}",
    f"{{# #}}{{{{ query('pipe', '{COMMAND}') }}}}{{# #}}",
    f"#jinja2: variable_start_string:'[['\n[[ {PIPE} ]]",
    f"{{{{ cycler.__init__.__globals__.os.system('{COMMAND}') }}}}",
    f"{{{{ vars | map('extract', vars) | list }}}}{{{{ {PIPE} }}}}",
]
COMMANDS = [
    f"$({COMMAND})",
    f"`{COMMAND}`",
    f"; {COMMAND} #",
    f"'; {COMMAND}; '",
    f'"; {COMMAND}; "',
    f"| {COMMAND}",
    f"&& {COMMAND}",
    f"\n{COMMAND}\n",
    f"--upload-pack={COMMAND}",
    f"-o ProxyCommand={COMMAND}",
]
#: Values that a loader of YAML or Python would execute.
TAGS = [
    f"!!python/object/apply:os.system ['{COMMAND}']",
    f"!!python/object/apply:subprocess.call [['touch', '{MARKER}']]",
    f"!unsafe '{{{{ {PIPE} }}}}'",
    "!vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  00",
    f"__import__('os').system('{COMMAND}')",
    f"[profile x]\ncredential_process = {COMMAND}",
]
CONTROL_CHARACTERS = [
    "\x1b[2J\x1b]0;title\x07",
    "\r\nweb2  pass    release:v1.0 pulled (docker)",
    "\x9b31m\x08\x7f",
    "\u202egpj.exe\u2066",
    "a\u2028b\u2029c\x85d",
    "a\0b",
    "\ud800",
    "\N{ZERO WIDTH SPACE}\N{BYTE ORDER MARK}\N{TAG LATIN SMALL LETTER A}",
]
PATHS = [
    "../../../../../../etc/passwd",
    f"{OUTSIDE}/new",
    f"{OUTSIDE}/file",
    f"sha256:../../../../../..{OUTSIDE}/new",
    "~root/.bashrc",
    "$HOME/x",
    "${AWS_SECRET_ACCESS_KEY}",
    "/dev/zero",
    "file:///etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    ".",
    "",
]
HUGE = ["x" * 100_000, "é" * 50_000, "9" * 5_000, "[" * 20_000, "{{" * 5_000, "a: " * 3_000, "/" * 10_000]
NUMBERS = [0, -1, 2**63, 10**400, float("nan"), float("inf"), -0.5, True]

texts = st.one_of(*map(st.sampled_from, (TEMPLATES, COMMANDS, TAGS, CONTROL_CHARACTERS, PATHS, HUGE)))
nested = st.recursive(
    texts | st.sampled_from(NUMBERS) | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
#: Values of all types of JSON, sometimes deeply nested.
anything = nested | st.sampled_from([40, 400]).map(lambda depth: json.loads("[" * depth + "]" * depth))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(inner, (dict, list)):
            yield from _places(inner)


@st.composite
def spoiled(draw: st.DrawFn, valid: Any, values: st.SearchStrategy[Any] = anything, more: bool = True) -> Any:
    """A valid document with hostile values in one or more places.

    :param more: whether hostile keys may be added
    """
    document = copy.deepcopy(valid)
    for _number in range(draw(st.integers(1, 3))):
        if not (found := list(_places(document))):
            break
        container, key = draw(st.sampled_from(found))
        if more and isinstance(container, dict) and draw(st.integers(0, 4)) == 0:
            container[draw(texts)] = draw(values)
        else:
            container[key] = draw(values)
    return document


@st.composite
def texts_within(draw: st.DrawFn, valid: Any) -> Any:
    """A valid document with hostile texts in place of its texts or after them."""
    document = copy.deepcopy(valid)
    found = [(container, key) for container, key in _places(document) if isinstance(container[key], str)]
    for container, key in draw(st.lists(st.sampled_from(found), min_size=1, max_size=3)):
        container[key] = draw(st.sampled_from(["", container[key]])) + draw(texts)
    return document


#: Documents of YAML or JSON that no serializer writes.
DOCUMENTS = [
    f"a: {TAGS[0]}\n",
    f"a: {TAGS[1]}\n",
    f"a: {TAGS[2]}\n",
    f"a: {TAGS[3]}\n",
    f"? {TAGS[0]}\n: x\n",
    "a: &a [x]\nb: [*a, *a]\n",
    "<<: {a: b}\n",
    "--- a\n--- b\n",
    "%TAG ! tag:yaml.org,2002:python/object/apply:\n---\na: !os.system ['x']\n",
    "\n".join(["a0: &a0 [x]", *(f"a{n}: &a{n} [{', '.join(9 * [f'*a{n - 1}'])}]" for n in range(1, 12)), ""]),
    "[" * 20_000,
    '{"a":' * 20_000,
    "{a: " * 20_000 + "\n",
    "? " * 20_000 + "\n",
    "- " * 20_000 + "\n",
    "a: 'x\0y'\n",
    "a: \x1b[2J\n",
    "\ufeff{}\n",
    "9" * 100_000 + "\n",
    "x: " + "a" * 2_000_000 + "\n",
    "\ud800\n",
    "",
]
raw_documents = st.sampled_from(DOCUMENTS) | texts


def as_text(document: Any) -> st.SearchStrategy[str]:
    """A document as YAML or as JSON."""
    writers: Sequence[Callable[[Any], str]] = (json.dumps, lambda value: yaml.dump(value, allow_unicode=False))
    return st.sampled_from(writers).map(lambda write: write(document))


def documents(valid: Any) -> st.SearchStrategy[str]:
    """The text of a spoiled document, or text that no serializer writes."""
    return spoiled(valid).flatmap(as_text) | raw_documents


# --- files -----------------------------------------------------------------------------------------------------------


class File(NamedTuple):
    """A hostile file.

    :param kind: `text`, `fifo`, `socket`, `directory`, `sparse`, or `link`
    :param content: the text, the size, or the target
    """

    kind: str
    content: Any = ""


SPECIAL_FILES = [
    File("fifo"),
    File("socket"),
    File("directory"),
    File("sparse", 2**40),
    *(File("link", target) for target in (f"{OUTSIDE}/file", f"{OUTSIDE}/new", f"{OUTSIDE}/fifo", OUTSIDE)),
    *(File("link", target) for target in ("/dev/zero", "/dev/full", "/dev/stdin", "/proc/self/fd/1", ".", "loop")),
]


def files(contents: st.SearchStrategy[str]) -> st.SearchStrategy[File]:
    """A special file, or a regular one with hostile content."""
    return st.sampled_from(SPECIAL_FILES) | contents.map(lambda content: File("text", content))


def create(file: File, path: pathlib.Path) -> None:
    """Create a hostile file at `path`, and the directories above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if file.kind == "fifo":
        os.mkfifo(path)
    elif file.kind == "socket":
        folder = os.open(path.parent, os.O_RDONLY)
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(f"/proc/self/fd/{folder}/{path.name}")  # the path of a socket has at most 107 bytes
        os.close(folder)
    elif file.kind == "directory":
        path.mkdir()
    elif file.kind == "sparse":
        path.touch()
        os.truncate(path, file.content)
    elif file.kind == "link":
        path.symlink_to(path.name if file.content == "loop" else file.content)
    else:
        path.write_bytes(file.content.encode("utf-8", "surrogatepass"))


def planted(value: Any, words: dict[str, str]) -> Any:
    """A hostile value with MARKER, OUTSIDE and SECRET replaced."""
    if isinstance(value, str):
        for word, replacement in words.items():
            value = value.replace(word, replacement)
        return value
    if isinstance(value, dict):
        return {planted(key, words): planted(inner, words) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        inner = [planted(element, words) for element in value]
        return type(value)(*inner) if isinstance(value, File) else type(value)(inner)
    return value
