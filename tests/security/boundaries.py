# SPDX-License-Identifier: GPL-3.0-or-later
"""Every input that crosses a trust boundary: which hostile values it may have, and what reads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import strategies as st

from . import from_aws, from_hosts, from_people, from_registries, hostile
from .observers import Observations, Sandbox
from .places import FakeServers

Run = Callable[[Sandbox, FakeServers, Observations, Any], None]


class Boundary(NamedTuple):
    """An input that crosses a trust boundary.

    :param name: as SECURITY.md and the security page have it
    :param values: the hostile values, with words that `Ground.plant` replaces
    :param run: passes a value to what reads it
    """

    name: str
    values: st.SearchStrategy[Any]
    run: Run


BOUNDARIES = [
    Boundary("Hand-off", from_people.handoffs, from_people.read_handoff),
    Boundary("Answers of a survey", hostile.texts_within(from_people.SURVEY), from_people.share_survey),
    Boundary("Artifacts of a job", from_people.texts_of_handoffs | hostile.anything, from_people.read_artifact),
    Boundary(
        "Fields of a credential",
        st.dictionaries(st.sampled_from([*from_people.CREDENTIAL]), hostile.texts, min_size=1),
        from_people.inject_credential,
    ),
    Boundary("Answers of AWS", from_aws.answers_of_aws, from_aws.ask_aws),
    Boundary("Names in AWS Organizations", from_aws.organizations, from_aws.list_accounts),
    Boundary("Answers of a registry", from_registries.answers_of_registries, from_registries.ask_registry),
    Boundary("Output of a container engine", from_registries.outputs_of_engines, from_registries.ask_engine),
    Boundary("Results of a host", from_hosts.results_of_hosts, from_hosts.use_results),
    Boundary("Files of a host", from_hosts.files_of_hosts, from_hosts.configure_host),
    Boundary("Existing image layout", from_registries.layouts, from_registries.pull_into_layout),
    Boundary("Existing hand-off", from_people.former_handoffs, from_people.ecr_handoff),
]
