# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The work of the module `ecr_image_pull`: finds the missing images, and fetches them."""

from __future__ import annotations

import functools

from ansible_collections.crossaccount.ecr.plugins.module_utils._denial import CALLER, ROLE
from ansible_collections.crossaccount.ecr.plugins.module_utils._destination import expand_destination
from ansible_collections.crossaccount.ecr.plugins.module_utils._engine import Engine, RegistryImage
from ansible_collections.crossaccount.ecr.plugins.module_utils._engine_choice import choose_engine
from ansible_collections.crossaccount.ecr.plugins.module_utils._failed_result import reporting_changes
from ansible_collections.crossaccount.ecr.plugins.module_utils._files import expand_home
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import Module, RunningModule
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull import Authorization, authorize, fetch_with_retry
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull_options import PullOptions
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry import Registry
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import session_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._status import published


def image_pull(module: RunningModule) -> Json:
    """The result of the module."""
    options = PullOptions.of({**module.params, **_expanded(module.params)})
    engine = choose_engine(options, module.tmpdir)
    if options.credentials == "control_node":  # the first of two runs, in which the control node has no token yet
        return {"changed": False, "engine": engine.name}
    authorization = _authorization(module, options)
    registry = Registry(authorization.url, authorization.token, options.validate_certs, options.ca_path)
    images = [RegistryImage(registry, *image) for image in zip(options.references, authorization.digests)]
    retried = functools.partial(fetch_with_retry, wait=options.wait, called=_called(options))
    plan = [(image, not retried(functools.partial(engine.has, image))) for image in images]
    if not module.check_mode:
        fetched: list[RegistryImage] = []
        for image in [image for image, is_missing in plan if is_missing]:
            with reporting_changes(fetched), published(functools.partial(_status, engine, image)):
                retried(functools.partial(engine.fetch, image))
            fetched.append(image)
    return {
        "changed": any(is_missing for _image, is_missing in plan),
        "engine": engine.name,
        "registry": registry.host,
        "predicted": module.check_mode,
        "images": [
            {
                "image": str(image.reference),
                "reference": engine.location(image),
                "digest": image.digest,
                "changed": is_missing,
            }
            for image, is_missing in plan
        ],
    }


def _called(options: PullOptions) -> str:
    """The owner of the registry token, as in `_denial`."""
    if options.own:
        return CALLER
    return options.session.called if options.session else ROLE


def _status(engine: Engine, image: RegistryImage) -> str:
    return f"{image.reference.name}: {engine.status() or engine.name}"


def _authorization(module: Module, options: PullOptions) -> Authorization:
    """The registry token and the digests, from AWS or from the options."""
    source, host = options.session or options.own, options.registry_host
    if source is not None:
        session = session_of(module)
        return authorize(session, source, options.wait, options.references, denied=options.denied, registry_host=host)
    digests = [str(reference.digest) for reference in options.references]
    return Authorization(str(options.registry_url), str(options.registry_token), digests)


def _expanded(params: Json) -> Json:
    """The paths of this host, with `~` expanded and $NAME unchanged: the environment may hold secrets."""
    return {name: expand_destination(params[name], expand_home) for name in ("dest", "ca_path") if params[name]}
