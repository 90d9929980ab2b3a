# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: access_change
short_description: Who gains and who loses which repository by a change of a share
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Computes from the documents and tags before and after a change who can pull what, and compares.
  - Knows the documents that this collection writes. What it can not judge in a document of others counts as allowed, so
    that no access goes unmentioned.
options:
  _input:
    description: The result of M(crossaccount.ecr.iam_ecr_pull_role), of a run or of check mode.
    type: dict
    required: true
  tagged:
    description:
      - Results of M(crossaccount.ecr.ecr_repository_tag) for the declared repositories, one for each region; with
        O(crossaccount.ecr.ecr_repository_tag#module:report_others), the others that carry the tags are judged, too.
    type: list
    elements: dict
    required: true
  exclusive:
    description: Whether the tags are taken off the others; if not, they keep them.
    type: bool
    default: false
  formerly:
    description:
      - Results of M(crossaccount.ecr.ecr_repository_tag) with O(crossaccount.ecr.ecr_repository_tag#module:all_except),
        in check mode, for repositories that carry the tags which the role's policy asked for before. They keep them.
    type: list
    elements: dict
    default: []
positional: tagged
"""

EXAMPLES = r"""
- name: Say what the change means
  crossaccount.ecr.show_lines:
    lines: "{{ (role | crossaccount.ecr.access_change([tagged])).lines }}"
"""

RETURN = r"""
_value:
  description:
    - C(gained) and C(lost), lists of C(principal), C(repository) and C(region), and C(lines) for a person, which name
      the region where there are several.
    - C(writes), whether there is anything to write.
  type: dict
  sample:
    gained:
      - principal: 222222222222 (external id)
        repository: release
        region: ap-northeast-1
    lost: []
    lines:
      - "+ 222222222222 (external id) can pull release"
    writes: true
"""

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._access import access_change


def filter_access_change(
    role: dict[str, t.Any],
    tagged: list[dict[str, t.Any]],
    exclusive: bool = False,
    formerly: t.Sequence[dict[str, t.Any]] = (),
) -> dict[str, t.Any]:
    named, others, former = (
        [one for result in results for one in result.get(key, [])]
        for results, key in ((tagged, "repositories"), (tagged, "others"), (formerly, "repositories"))
    )
    changing = [*named, *(others if exclusive else [])]
    keeping = [{**one, "tags": one["before"]} for one in [*others, *former]]
    repositories: dict[str, dict[str, t.Any]] = {}
    for one in [*changing, *keeping]:
        repositories.setdefault(one["arn"], one)
    # A role that is declared is attached; one that is gone has no documents.
    after = {"permissions": role["permissions"], "trust": role["trust"], "attached": True}
    change = access_change(role["before"], after, list(repositories.values()))
    return {**change, "writes": bool(role["steps"]) or any(one["changed"] for one in changing)}


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"access_change": filter_access_change}
