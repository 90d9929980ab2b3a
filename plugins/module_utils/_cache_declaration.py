# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The declaration of a pull through cache of another ECR registry, and the limits of AWS for it. Standard library only.

Sources: ECR API Reference, CreatePullThroughCacheRule; ECR User Guide, "Sync an upstream registry" and "Customizing
repository prefixes for ECR to ECR pull through cache".
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import account_problems, region_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_declaration import partition_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_declaration import PREFIX, without_slash

#: The prefix of every repository name.
ROOT = "ROOT"
_FEWEST_CHARACTERS, _MOST_CHARACTERS = 2, 30

#: The options that declare a cache.
CACHE_ARGUMENTS: Json = {
    "prefix": {"type": "str", "required": True},
    "upstream_account": {"type": "raw", "required": True},
    "upstream_region": {"type": "str"},
    "upstream_prefix": {"type": "str", "default": ROOT},
}


@dataclass(frozen=True)
class Cache:
    """A declared cache.

    :param prefix: the first part of the names of the cached repositories, or `ROOT`
    :param upstream_region: empty for the region of the cache
    :param upstream_prefix: the part of the names in the upstream registry that `prefix` replaces, or `ROOT`
    """

    prefix: str
    upstream_account: t.Any
    upstream_region: str = ""
    upstream_prefix: str = ROOT

    @classmethod
    def of(cls, params: Json) -> Cache:
        """The cache in the parameters of a module."""
        return cls(
            without_slash(params["prefix"]),
            params["upstream_account"],
            params["upstream_region"] or "",
            without_slash(params["upstream_prefix"]),
        )

    def problems(self) -> t.Iterator[str]:
        """Problems that can be found without a request to AWS."""
        yield from _prefix_problems("prefix", self.prefix)
        yield from _prefix_problems("upstream_prefix", self.upstream_prefix)
        yield from (f"{option('upstream_account')}: {one}" for one in account_problems(self.upstream_account))
        if self.upstream_region:
            yield from region_problems(self.upstream_region, "upstream_region")
        if self.prefix == ROOT != self.upstream_prefix:
            yield (
                f"{option('upstream_prefix')} {self.upstream_prefix} needs a {option('prefix')} other than ROOT."
                f" Declare such a prefix, or remove {option('upstream_prefix')}."
            )

    def problems_in(self, account: str, region: str) -> t.Iterator[str]:
        """Problems that depend on the registry of the cache."""
        upstream = self.region_in(region)
        if (self.upstream_account, upstream) == (account, region):
            yield (
                f"{option('upstream_account')} {account} in {region} is the registry of the cache itself. Use the"
                f" credentials of the account that caches the images, correct {option('upstream_account')}, or set"
                f" {option('upstream_region')} to another region."
            )
        # Source: ECR User Guide, "Considerations for using pull through cache rules", and the documented host names.
        for place in dict.fromkeys((region, upstream)):
            if partition_of(place) != "aws":
                yield (
                    f"Region {place} is in partition {partition_of(place)}. AWS documents pull through cache rules only"
                    " for partition aws. Use a share or a replication there."
                )

    def region_in(self, region: str) -> str:
        """The region of the upstream registry.

        :param region: the region of the cache
        """
        return self.upstream_region or region

    def host(self, region: str) -> str:
        """The host of the upstream registry."""
        return f"{self.upstream_account}.dkr.ecr.{self.region_in(region)}.amazonaws.com"

    def repositories(self, registry: Identity, region: str) -> str:
        """The ARN of all cached repositories, with a wildcard."""
        return registry.repository(region, _pattern(self.prefix))

    def upstream_repositories(self, registry: Identity, region: str, prefixes: t.Iterable[str] = ("",)) -> list[str]:
        """The ARNs of the upstream repositories whose names begin with one of the prefixes, with wildcards.

        :param registry: the account of the cache
        """
        upstream, place = Identity(registry.partition, str(self.upstream_account)), self.region_in(region)
        names = dict.fromkeys(name for name in map(self._common, prefixes) if name is not None)
        return [upstream.repository(place, f"{name}*") for name in names]

    def prefix_problems(self, prefixes: t.Iterable[str]) -> t.Iterator[str]:
        """Problems with prefixes of upstream repositories that the cache does not reach."""
        for prefix in prefixes:
            if self._common(prefix) is None:
                yield (
                    f"{option('prefixes')}: {prefix} selects no repository below {option('upstream_prefix')}"
                    f" {self.upstream_prefix}. Remove it, or correct one of the two options."
                )

    def _common(self, prefix: str) -> str | None:
        """The longer one of a prefix and the upstream prefix; None if no name has both."""
        own = "" if self.upstream_prefix == ROOT else f"{self.upstream_prefix}/"
        return max(own, prefix, key=len) if prefix.startswith(own) or own.startswith(prefix) else None


def _pattern(prefix: str) -> str:
    return "*" if prefix == ROOT else f"{prefix}/*"


def _prefix_problems(name: str, prefix: str) -> t.Iterator[str]:
    if not PREFIX.fullmatch(prefix) or not _FEWEST_CHARACTERS <= len(prefix) <= _MOST_CHARACTERS:
        yield (
            f"{option(name)} {prefix!r} is not a valid prefix of repository names, such as release or team/release. Use"
            f" {_FEWEST_CHARACTERS} to {_MOST_CHARACTERS} lowercase letters, digits and ._-/, or ROOT for every name."
        )
