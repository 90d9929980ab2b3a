# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Requests a manifest that does not exist from a host name of the registry, to find out whether it is allowed."""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._concurrency import map_concurrently
from ansible_collections.crossaccount.ecr.plugins.module_utils._ecr import NO_DIGEST
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, RefusalError
from ansible_collections.crossaccount.ecr.plugins.module_utils._observation import (
    ERROR,
    Observation,
    observation_of_registry,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._proof import ProofOptions
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry import Registry


def probe_registry(options: ProofOptions, token: str, names: t.Sequence[str]) -> list[Observation]:
    """The observation of each repository at the chosen host name.

    :param token: base64 of `AWS:password`
    """
    registry = Registry(f"https://{options.registry_host}", token, options.validate_certs, options.ca_path)
    observations = map_concurrently(lambda name: _probe(registry, name, options.session.called), names)
    return list(observations)


def _probe(registry: Registry, name: str, called: str) -> Observation:
    try:
        registry.manifest(name, NO_DIGEST)
    except RefusalError as error:
        return observation_of_registry(error.status, error.reason, called)
    except EcrError as error:
        return Observation(ERROR, str(error), "unknown_error", str(error))
    message = f"Registry {registry.host} returned a manifest for a digest that no content has."
    return Observation(ERROR, message, "unknown_error", message)
