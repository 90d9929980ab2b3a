# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The host names of one ECR registry, and the validation of the one that a consumer chooses. Standard library only.

Sources: ECR User Guide, "Making requests to Amazon ECR registries" (dual-stack) and "Amazon ECR interface VPC
endpoints" (the endpoint of the registry needs its private DNS names, which are the default host name);
amazon-ecr-credential-helper 0.12 (the names of all partitions); the file partitions.json of botocore (the suffixes).
"""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import arn_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option

#: The suffixes of the default and of the dual-stack host names, by the partition. A partition whose dual-stack name AWS
#: does not document has only the first.
_SUFFIXES: dict[str, tuple[str, str | None]] = {
    "aws": ("amazonaws.com", "on.aws"),
    "aws-us-gov": ("amazonaws.com", "on.aws"),
    "aws-cn": ("amazonaws.com.cn", "on.amazonwebservices.com.cn"),
    "aws-eusc": ("amazonaws.eu", None),
    "aws-iso": ("c2s.ic.gov", None),
    "aws-iso-b": ("sc2s.sgov.gov", None),
    "aws-iso-e": ("cloud.adc-e.uk", None),
    "aws-iso-f": ("csp.hci.ic.gov", None),
}


def registry_hosts(owner_arn: str, region: str, registry: str | None = None) -> list[str]:
    """The host names of the registry of the share. A token is valid for each of them.

    :param owner_arn: an ARN of the account that owns the registry
    :param registry: the host name in the hand-off, which is the only one in an unknown partition
    """
    identity = arn_of(owner_arn).identity
    suffixes = _SUFFIXES.get(identity.partition, (None, None))
    found = [registry] if registry else []
    for service in ("ecr", "ecr-fips"):
        for separator, suffix in zip(".-", suffixes):
            found += [f"{identity.account}.dkr{separator}{service}.{region}.{suffix}"] if suffix else []
    return list(dict.fromkeys(found))


def registry_host_problems(
    host: str | None, owner_arn: str, region: str | None, registry: str | None = None
) -> t.Iterator[str]:
    """Problems with the host name that a consumer chooses.

    :param region: the region of the share; None if it is unknown yet
    """
    if host is None:
        return
    if not region:
        yield f"{option('registry_host')} needs the region of the share. Set {option('region')}."
        return
    hosts = registry_hosts(owner_arn, region, registry)
    if host in hosts:
        return
    valid = " or ".join(hosts) or "the default host name"
    if ".vpce." in host:
        yield (
            f"{option('registry_host')} {host!r} is the name of a VPC endpoint, which does not contain the account."
            " Enable private DNS names for the endpoint, so that the default host name resolves to it. Valid is"
            f" {valid}."
        )
    else:
        yield (f"{option('registry_host')} {host!r} is not a host name of the registry of the share. Valid is {valid}.")


def check_registry_host(host: str | None, owner_arn: str, region: str) -> None:
    """Validate the host name that a consumer chooses.

    :raises EcrError: if it is not a host name of the registry
    """
    problems = Problems()
    problems.extend(registry_host_problems(host, owner_arn, region))
    problems.check()
