# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The work of the module `ecr_image_pull`: find which images are missing, then fetch those."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._engine import RegistryImage
from ansible_collections.crossaccount.ecr.plugins.module_utils._engine_choice import choose_engine
from ansible_collections.crossaccount.ecr.plugins.module_utils._files import expand_home
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import Reference
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull import Authorization, authorize, check, deliver
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry import Registry
from ansible_collections.crossaccount.ecr.plugins.module_utils._sts import session_of


def image_pull(module: t.Any) -> Json:
    """The result of the module."""
    options = {**module.params, **_expanded(module.params)}
    references = check(options)
    engine = choose_engine(options["engine"], options["dest"], references, options["platform"], module.tmpdir)
    if options["credentials"] == "controller":  # the first step: the controller has no token yet
        return {"changed": False, "engine": engine.name}
    authorization = _authorization(module, options, references)
    ca_path = options["ca_path"] or options["aws_ca_bundle"]
    registry = Registry(authorization.url, authorization.token, bool(options["validate_certs"]), ca_path)
    images = [RegistryImage(registry, *image) for image in zip(references, authorization.digests)]
    plan = [(image, not deliver(functools.partial(engine.has, image), options)) for image in images]
    if not module.check_mode:
        for image, is_missing in plan:
            if is_missing:
                deliver(functools.partial(engine.fetch, image), options)
    return {
        "changed": any(is_missing for _image, is_missing in plan),
        "engine": engine.name,
        "registry": registry.host,
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


def _authorization(module: t.Any, options: Json, references: list[Reference]) -> Authorization:
    """The registry token and the digests: from the options, or from AWS."""
    if options["registry_token"] is None:
        return authorize(session_of(module), options, references)
    digests = [str(reference.digest) for reference in references]
    return Authorization(options["registry_url"], options["registry_token"], digests)


def _expanded(options: Json) -> dict[str, str]:
    """The paths of this host, with `~` expanded and $NAME unchanged: the environment may hold secrets."""
    return {name: expand_home(options[name]) for name in ("dest", "ca_path") if options[name]}
