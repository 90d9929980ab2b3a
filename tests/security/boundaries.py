# SPDX-License-Identifier: GPL-3.0-or-later
"""Every input that crosses a trust boundary, its hostile values, and the code that reads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import strategies as st

from . import aws_boundaries, handoff_boundaries, host_boundaries, hostile, registry_boundaries
from .fake_servers import FakeServers
from .observers import Observations, Sandbox

Run = Callable[[Sandbox, FakeServers, Observations, Any], None]


class Boundary(NamedTuple):
    """An input that crosses a trust boundary.

    :param name: the name in SECURITY.md and on the security page
    :param values: the hostile values, with placeholders that `Sandbox.plant` replaces
    :param run: passes a value to the code that reads it
    """

    name: str
    values: st.SearchStrategy[Any]
    run: Run


BOUNDARIES = [
    Boundary("Hand-off", handoff_boundaries.handoffs, handoff_boundaries.read_handoff),
    Boundary(
        "Hand-off of a replication", handoff_boundaries.handoffs_of_replications, handoff_boundaries.read_replication
    ),
    Boundary("Forms of a hand-off", handoff_boundaries.values_of_forms, handoff_boundaries.write_forms),
    Boundary("Answers of a survey", hostile.texts_within(handoff_boundaries.SURVEY), handoff_boundaries.share_survey),
    Boundary(
        "Artifacts of a job", handoff_boundaries.texts_of_handoffs | hostile.anything, handoff_boundaries.read_artifact
    ),
    Boundary(
        "Fields of a credential",
        st.dictionaries(st.sampled_from([*handoff_boundaries.CREDENTIAL]), hostile.texts, min_size=1),
        handoff_boundaries.inject_credential,
    ),
    Boundary("Answers of AWS", aws_boundaries.answers_of_aws, aws_boundaries.ask_aws),
    Boundary("Names in AWS Organizations", aws_boundaries.organizations, aws_boundaries.list_accounts),
    Boundary("Answers of a registry", registry_boundaries.answers_of_registries, registry_boundaries.ask_registry),
    Boundary("Output of a container engine", registry_boundaries.outputs_of_engines, registry_boundaries.ask_engine),
    Boundary("Results of a host", host_boundaries.results_of_hosts, host_boundaries.use_results),
    Boundary("Files of a host", host_boundaries.files_of_hosts, host_boundaries.configure_host),
    Boundary("Existing image layout", registry_boundaries.layouts, registry_boundaries.pull_into_layout),
    Boundary("Existing hand-off", handoff_boundaries.former_handoffs, handoff_boundaries.ecr_handoff),
]
