# SPDX-License-Identifier: GPL-3.0-or-later
"""AWX's rules for surveys and credential types, and the values that a job gets from them.

Source: the documentation of AWX 24: User Guide, "Surveys" (in "Job Templates") and "Custom Credential Types"; API
Reference, `job_templates/{id}/survey_spec/` and `credential_types/`.
"""

from __future__ import annotations

import json
import pathlib
import re
from typing import Any

import jinja2
import jinja2.sandbox

#: The types of questions, each with the types of its default and its answer.
TEXT = ("text", "textarea", "password")
QUESTION_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(TEXT, (str,)),
    "multiplechoice": (str,),
    "multiselect": (str, list),
    "integer": (int,),
    "float": (int, float),
}
_VARIABLE = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_FILE = re.compile(r"template(\.[a-zA-Z_][a-zA-Z0-9_]*)?")
#: Keys of an input of a credential type, and what they are.
_FIELD_KEYS: dict[str, type] = {
    "id": str,
    "label": str,
    "type": str,
    "format": str,
    "help_text": str,
    "choices": list,
    "multiline": bool,
    "secret": bool,
    "ask_at_runtime": bool,
}
#: Variables that a credential cannot set, beside all of ANSIBLE_*.
_NOT_FOR_CREDENTIALS = {"VIRTUAL_ENV", "PATH", "PYTHONPATH", "JOB_ID", "INVENTORY_ID", "AWX_HOST", "PROJECT_REVISION"}
Named = dict[str, str]
_JINJA = jinja2.sandbox.ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)


_QUESTION: dict[str, type] = {"type": str, "question_name": str, "variable": str, "required": bool}


def _of_other_types(given: dict[str, Any], expected: dict[str, type]) -> list[str]:
    return [f"{key} is no {kind.__name__}" for key, kind in expected.items() if not isinstance(given.get(key), kind)]


def survey_problems(survey: dict[str, Any]) -> list[str]:
    problems = _of_other_types(survey, {"name": str, "description": str, "spec": list})
    questions = [] if problems else survey["spec"]
    variables = [question.get("variable") for question in questions]
    problems += [f"{name} is asked twice" for name in set(variables) if variables.count(name) > 1]
    return problems + [problem for question in questions for problem in _question_problems(question)]


def _question_problems(question: dict[str, Any]) -> list[str]:
    problems = _of_other_types(question, _QUESTION)
    kind, choices, default = question.get("type", ""), question.get("choices"), question.get("default", "")
    if kind not in QUESTION_TYPES:
        return [*problems, f"{kind} is no type of question"]
    if not _VARIABLE.fullmatch(question.get("variable", "")):
        problems.append("its variable is no name of a variable")
    problems += [
        f"{key} is no integer" for key in ("min", "max") if not isinstance(question.get(key), (int, type(None)))
    ]
    if kind.startswith("multi") and not choices:
        problems.append("it has no choices")
    if default != "":
        if not isinstance(default, QUESTION_TYPES[kind]):
            problems.append("its default is of another type")
        # AWX leaves a default out, silently, that it would not take as an answer.
        problems += answer_problems({**question, "required": False}, default)
    return [f"{question.get('variable')}: {problem}" for problem in problems]


def answer_problems(question: dict[str, Any], answer: Any) -> list[str]:
    """AWX's problems with an answer at launch. None means that the user gave no answer."""
    if answer is None:
        return ["it is required"] if question["required"] else []
    kind, least, most = question["type"], question.get("min"), question.get("max")
    if kind.startswith("multi"):
        given = answer if kind == "multiselect" else [answer]
        return [f"{choice!r} is none of the choices" for choice in given if choice not in question["choices"]]
    if not isinstance(answer, QUESTION_TYPES[kind]):
        return ["it is of another type"]
    measured = len(answer) if isinstance(answer, str) else answer
    too_small = least is not None and measured < least
    too_large = most is not None and measured > most
    return ["it is too small or too large"] if too_small or too_large else []


def credential_type_problems(declared: dict[str, Any]) -> list[str]:
    inputs, injectors = declared["inputs"], declared["injectors"]
    problems = [f"inputs has {key}" for key in inputs.keys() - {"fields", "required"}]
    ids = [field.get("id", "") for field in inputs["fields"]]
    for field in inputs["fields"]:
        problems += [
            f"a field has {key}" for key, value in field.items() if not isinstance(value, _FIELD_KEYS.get(key, ()))
        ]
        problems += [f"{field.get('id')} has no {key}" for key in ("id", "label") if key not in field]
        if field.get("type", "string") not in ("string", "boolean"):
            problems.append(f"{field['type']} is no type of a field")
    problems += [f"{name} cannot be a field" for name in ids if not _VARIABLE.fullmatch(name) or name == "tower"]
    problems += [f"{name} is there twice" for name in set(ids) if ids.count(name) > 1]
    problems += [f"{name} is required, and no field" for name in set(inputs.get("required", ())) - set(ids)]
    problems += [f"there is no injector {key}" for key in injectors.keys() - {"file", "env", "extra_vars"}]
    problems += [f"{name} is no name of a file" for name in injectors.get("file", {}) if not _FILE.fullmatch(name)]
    if "template" in injectors.get("file", {}) and len(injectors["file"]) > 1:
        problems.append("of several files, each needs a name of its own")
    for name, value in injectors.get("env", {}).items():
        if name.startswith("ANSIBLE_") or name in _NOT_FOR_CREDENTIALS or not _VARIABLE.fullmatch(name):
            problems.append(f"a credential cannot set {name}")
        if not value.isascii():
            problems.append(f"{name} is not ASCII")
    try:
        _rendered(injectors, dict.fromkeys(ids, "EXAMPLE"), dict.fromkeys(injectors.get("file", {}), "FILE"))
    except jinja2.TemplateError as error:
        problems.append(str(error))
    return problems


def _rendered(injectors: dict[str, Any], inputs: Named, files: Named) -> dict[str, Named]:
    """Every template of the injectors, with the paths of the files under `tower.filename`."""
    named = {name.partition(".")[2]: path for name, path in files.items()}
    space = {**inputs, "tower": {"filename": named.get("", named)} if files else {}}
    return {
        part: {name: _JINJA.from_string(template).render(space) for name, template in templates.items()}
        for part, templates in injectors.items()
    }


def inject(injectors: dict[str, Any], inputs: Named, folder: pathlib.Path) -> tuple[Named, Named]:
    """The environment and the extra variables that a credential gives to a job; its files go into `folder`.

    An input that is empty is not defined in the templates.
    """
    given = {name: value for name, value in inputs.items() if value}
    folder.mkdir(exist_ok=True)
    files = {name: str(folder / name) for name in injectors.get("file", {})}
    rendered = _rendered(injectors, given, files)
    for name, text in rendered.get("file", {}).items():
        path = pathlib.Path(files[name])
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
    return rendered.get("env", {}), rendered.get("extra_vars", {})


def extra_vars_file(variables: dict[str, Any]) -> str:
    """Extra variables as AWX writes them: no answer of a survey, and no artifact, is a template."""

    def tagged(value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(f"{tagged(key)}: {tagged(element)}" for key, element in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(map(tagged, value)) + "]"
        return ("!unsafe " if isinstance(value, str) else "") + json.dumps(value)

    return "".join(f"{name}: {tagged(value)}\n" for name, value in variables.items())
