# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The forms of a hand-off: its files for other tools. Standard library only.

Each form is one file beside the YAML file. It has all values of the share, and names at its top the values that only
the consumer knows. A form that cannot express what the share requires says so, and names a method that can.
"""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._form_ecs_lambda import ecs_lambda
from ansible_collections.crossaccount.ecr.plugins.module_utils._form_kubernetes import (
    eks_pod_identity,
    external_secrets,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._form_pipeline import github_actions, terraform
from ansible_collections.crossaccount.ecr.plugins.module_utils._form_profile import aws_cli, docker, kubelet
from ansible_collections.crossaccount.ecr.plugins.module_utils._form_text import form_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff import Handoff

Form = t.Callable[[Handoff], str]
_FORMS: dict[str, tuple[str, Form]] = {
    "aws_cli": ("ini", aws_cli),
    "docker": ("sh", docker),
    "kubelet": ("yml", kubelet),
    "eks_pod_identity": ("sh", eks_pod_identity),
    "external_secrets": ("yml", external_secrets),
    "terraform": ("tf", terraform),
    "github_actions": ("yml", github_actions),
    "ecs_lambda": ("sh", ecs_lambda),
}
FORM_NAMES = tuple(_FORMS)
#: The form for a share without a role.
WITHOUT_ROLE = "ecs_lambda"


def form_endings(forms: t.Iterable[str]) -> list[str]:
    """The end of the name of each form's file, which follows the name of the hand-off without its extension."""
    return [f".{form}.{_FORMS[form][0]}" for form in forms]


def form_texts(handoff: Handoff, forms: t.Sequence[str]) -> dict[str, str]:
    """The text of each form, by the end of its file name.

    :raises EcrError: for a value that a consumer would reject
    """
    problems, of_a_role = Problems(), [form for form in forms if form != WITHOUT_ROLE and not handoff.role_arn]
    if of_a_role:
        problems.add(f"No form is written: the share has no role, but these forms assume one: {', '.join(of_a_role)}.")
    problems.extend(form_problems(handoff) if forms else ())
    problems.check()
    return {ending: _FORMS[form][1](handoff) for ending, form in zip(form_endings(forms), forms)}
