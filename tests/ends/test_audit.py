# SPDX-License-Identifier: GPL-3.0-or-later
"""The end that an audit reports is the second at which AWS begins to deny the requests."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._end_date import utc_text

from tests.lab import accounts
from tests.support.control import ROLE, Control
from tests.support.lab import LabClock
from tests.support.lab_accounts import Keys
from tests.support.pulling import ALLOWED, DENIED, Puller

from .shares import FORMS, LONGEST, Ground

END = datetime.datetime(2027, 3, 31, 22, tzinfo=datetime.timezone.utc)
SECOND, DAY = datetime.timedelta(seconds=1), datetime.timedelta(days=1)


@pytest.fixture(scope="module")
def ground(control: Control) -> Ground:
    return Ground(control.lab)


def audit(control: Control, clock: LabClock, time: datetime.datetime) -> dict[str, Any]:
    clock.stop_at(time)
    options = {"repository_tags": {"usage": "release"}, "repositories": ["release"], "ends_within_days": 14}
    return dict(control.module("ecr_audit_info", "owner", **options)["audit"])


def outcomes(puller: Puller, session: Keys, token: str) -> set[str]:
    answers = (puller.assume()[0], puller.describe(session), puller.manifest(token), puller.layer(token))
    return {answer.outcome for answer in answers}


@pytest.mark.parametrize("form", FORMS)
def test_end_in_the_audit_is_the_real_end(control: Control, ground: Ground, form: str) -> None:
    with control.lab.clock() as clock, ground.share(form, END, END + DAY) as puller:
        early = audit(control, clock, END - 20 * DAY)
        [row] = [row for row in early["access"] if row["principal_account"] == accounts.CONSUMER]
        assert {path["until"] for path in row["paths"]} == {utc_text(END)}
        clock.stop_at(END - SECOND)
        session = puller.assume(LONGEST)[1]
        token = puller.token(session)[1]
        puller.manifest(token)
        for time, outcome, rows in ((END - SECOND, ALLOWED, 1), (END, DENIED, 0)):
            found = audit(control, clock, time)
            assert len([row for row in found["access"] if row["principal_account"] == accounts.CONSUMER]) == rows
            assert outcomes(puller, session, token) == {outcome}
            kinds = {one["id"] for one in found["findings"] if one["id"].startswith("share-end")}
            assert kinds == {"share-ends-soon" if rows else "share-ended"}


def audited(control: Control) -> str:
    """The output of audit.yml."""
    run = control.playbook("audit", "owner", ecr_audit_repository_tags={"environment": "release"})
    assert run.code == 0, run
    return " ".join(run.output.split())


def test_shares_with_an_end_from_the_declaration_to_the_removal(control: Control) -> None:
    consumer = {"account": accounts.CONSUMER, "external_id": "test"}
    end = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + 6 * DAY + datetime.timedelta(hours=1)
    declared: dict[str, Any] = {"ecr_share_consumers": [consumer], "ecr_share_expires": utc_text(end)}
    shared = control.share(**declared)
    assert shared.code == 0, shared
    output = audited(control)
    assert (
        f"through role {ROLE}, statement ReadTaggedRepositories; access ends on {utc_text(end)} (in 6 days)" in output
    )
    assert f"through role {ROLE} ends on {end:%Y-%m-%d}" in output
    with control.lab.clock() as clock:
        clock.advance(7 * DAY)
        output = audited(control)
        assert f"{accounts.CONSUMER} can pull" not in output
        title = f"The access of account {accounts.CONSUMER} through role {ROLE} ended on {end:%Y-%m-%d}. Remove it with"
        assert f"{title} ansible-playbook crossaccount.ecr.unshare" in output
        scenario, only = ("-e", "@playbooks/vars/scenario.yml"), {"ecr_share_expired_only": True}
        removed = control.playbook("unshare", "owner", *scenario, **{**declared, **only})
        assert removed.code == 0, removed
        assert f"through role {ROLE}" not in audited(control)
