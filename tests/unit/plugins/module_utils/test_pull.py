"""Bringing an image: what the registry does not know yet is waited for, all else is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull import deliver
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WaitOptions

WAIT = WaitOptions(True, 60, 0)
DENIED = "docker could not pull it: denied: User: x is not authorized to perform: ecr:BatchGetImage on resource: y"
LATE, LASTING = " because no identity-based policy allows it", " with an explicit deny in an identity-based policy"


def bringing(*outcomes: str | bool) -> tuple[Any, list[str | bool]]:
    """What fails with each text, and ends with what is no text; and what is left of it."""
    left = list(outcomes)

    def bring() -> bool:
        outcome = left.pop(0)
        if isinstance(outcome, str):
            raise EcrError(outcome)
        return outcome

    return bring, left


@pytest.mark.parametrize("changed", [True, False])
def test_a_denial_that_may_be_an_old_answer_is_tried_again(changed: bool) -> None:
    bring, left = bringing(DENIED + LATE, DENIED + LATE, changed)
    assert deliver(bring, WAIT) is changed
    assert not left


@pytest.mark.parametrize(
    ("said", "options", "kind"),
    [
        (DENIED + LASTING, WAIT, "explicit_deny"),
        (DENIED + LATE, replace(WAIT, wait=False), "no_identity_policy"),
        (DENIED + LATE, replace(WAIT, shared_at="2020-01-01T00:00:00Z"), "no_identity_policy"),
        ("The layer broke off.", WAIT, None),
    ],
)
def test_what_lasts_is_not_tried_again(said: str, options: WaitOptions, kind: str | None) -> None:
    bring, left = bringing(said, True)
    with pytest.raises(EcrError) as raised:
        deliver(bring, options)
    assert (str(raised.value), raised.value.facts.get("denial_kind")) == (said, kind)
    assert left == [True]
