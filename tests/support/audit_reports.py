# SPDX-License-Identifier: GPL-3.0-or-later
"""Audit reports for tests: a small one, a large one, and one whose texts are hostile."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

OWNER, REGION = "111111111111", "eu-west-1"
VERDICTS = {"describe": "allowed", "pull": "allowed", "push": "denied", "delete": "denied", "tag": "denied"}
DENIED = {"push": "no statement allows it", "delete": "no statement allows it", "tag": "no statement allows it"}


def path(name: str = "release", **changes: Any) -> dict[str, Any]:
    """An access path through a pull role."""
    role = f"arn:aws:iam::{OWNER}:role/allow_ecr_{name}"
    return {
        "path": "role",
        "actions": ["describe", "pull"],
        "document": f"managed policy allow_ecr_{name} of role {role}",
        "statement": "ReadTagged",
        "conditions": [f"external ID {name}-1234", f"tag environment={name}"],
        "role": role,
        "role_created": "2026-01-01T00:00:00Z",
        "role_last_used": "2026-11-01T00:00:00Z",
        "until": None,
        **changes,
    }


def policy_path(repository: str, region: str = REGION, **changes: Any) -> dict[str, Any]:
    """An access path through the policy of a repository."""
    return path(
        path="repository_policy",
        document=f"repository policy of {repository} in {region}",
        statement="AllowPull",
        conditions=[],
        role="",
        role_created=None,
        role_last_used=None,
        **changes,
    )


def access(principal: str = "user/puller", repository: str = "release", **changes: Any) -> dict[str, Any]:
    """The access of a principal of account 222222222222."""
    return {
        "principal": principal if principal.startswith("arn:") else f"arn:aws:iam::222222222222:{principal}",
        "principal_kind": "principal",
        "principal_account": "222222222222",
        "repository": repository,
        "region": REGION,
        "actions": dict(VERDICTS),
        "reasons": dict(DENIED),
        "paths": [path()],
        **changes,
    }


def finding(number: int = 1, **changes: Any) -> dict[str, Any]:
    role = f"arn:aws:iam::{OWNER}:role/partner-{number}"
    return {
        "id": "trust-without-external-id",
        "key": f"trust-without-external-id:{role}:222222222222",
        "severity": "high",
        "title": f"Role partner-{number} trusts account 222222222222 without an external ID",
        "resource": role,
        "region": "",
        "evidence": {
            "document": f"trust policy of role {role}",
            "statement": "1",
            "text": '{\n "Effect": "Allow",\n "Principal": {"AWS": "222222222222"},\n "Action": "sts:AssumeRole"\n}',
        },
        "fix": "- crossaccount.ecr.iam_ecr_pull_role:\n    name: partner\n    consumers: [{external_id: generate}]",
        **changes,
    }


def report(**changes: Any) -> dict[str, Any]:
    """The report of an account with one share, and two further access paths."""
    unknown = {**VERDICTS, "pull": "unknown"}
    other = {"principal_account": "333333333333", "principal": "arn:aws:iam::333333333333:root"}
    return {
        "schema": "crossaccount.ecr/audit/1",
        "account": OWNER,
        "regions": [REGION],
        "generated_at": "2026-11-27T02:40:00Z",
        "repository_tags": {"environment": ["release"]},
        "repositories": [
            {"name": name, "region": REGION, "tags": {"environment": "release"}}
            for name in ("release", "tools", "base")
        ]
        + [{"name": "develop", "region": REGION, "tags": None}],
        "access": [
            access(),
            access(repository="tools", paths=[path(), policy_path("tools")]),
            access(
                repository="base",
                principal_kind="account",
                actions={**VERDICTS, "push": "allowed"},
                reasons={"delete": "no statement allows it", "tag": "no statement allows it"},
                paths=[policy_path("base")],
                **other,
            ),
            access(
                repository="release",
                principal="user/auditor",
                actions=unknown,
                reasons={**DENIED, "pull": "whether the role can be assumed: the condition aws:SourceIp is unknown"},
            ),
        ],
        "tag_setters": [
            {
                "principal": f"arn:aws:iam::{OWNER}:role/ci",
                "actions": ["ecr:TagResource"],
                "verdict": "allowed",
                "reason": "",
                "document": f"inline policy ci of role arn:aws:iam::{OWNER}:role/ci",
                "statement": "Tag",
            }
        ],
        "findings": [
            finding(),
            finding(
                id="repository-open",
                key="repository-open:base",
                severity="critical",
                title="Repository base is open to everyone",
                resource=f"arn:aws:ecr:{REGION}:{OWNER}:repository/base",
                region=REGION,
            ),
        ],
        "not_seen": [{"what": "service control policies", "why": "an account cannot read them"}],
        **changes,
    }


def large(consumers: int = 50, repositories: int = 1000, mixed: bool = False) -> dict[str, Any]:
    """A report with this number of consumers and repositories.

    :param mixed: whether the access of each pair is random; if not, consumers share tags and teams
    """
    chosen = random.Random(21)  # noqa: S311
    names = [f"team-{number % 12}/service-{number:04}" for number in range(repositories)]
    rows, people = [], [(f"{200_000_000_000 + number}", f"role/ci-puller-{number}") for number in range(consumers)]
    for account, principal in people:
        for number, name in enumerate(names):
            share = chosen.randrange(6) if mixed else number % 12 if (number + int(account)) % 3 else 12
            if share >= (5 if mixed else 9):
                continue
            paths = [path(f"team-{share}")] + ([policy_path(name)] if share % 4 == 1 else [])
            row = access(principal, name, paths=paths)
            rows.append({**row, "principal": f"arn:aws:iam::{account}:{principal}", "principal_account": account})
    return report(
        repositories=[{"name": name, "region": REGION, "tags": {"environment": "release"}} for name in names],
        access=rows,
        findings=[finding(number) for number in range(consumers)]
        + [
            finding(
                id="mutable-image-tags", key=f"mutable-image-tags:{name}", severity="low", title=f"Repository {name}"
            )
            for name in names
        ],
    )


def hostile_texts() -> list[str]:
    """200 texts that an attacker could write."""
    kinds = [
        "</script><script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<!--",
        "]]>",
        "</style><style>*{display:none}</style>",
        "</title></table></details>",
        "{{ 7 * 7 }}",
        "{% raw %}{{ lookup('pipe', 'id') }}",
        "{0} [link](javascript:alert(1))",
        '" onmouseover="alert(1)',
        "' onfocus='alert(1)' autofocus='",
        "`id` ``` ~~~ $(id)",
        "\n## Heading\n\n- [ ] task | cell |\n",
        "![image](http://192.0.2.1/x.png) http://192.0.2.1/ www.example.com a@example.com",
        "\u202egnp.exe\u202c \u2066isolated\u2069 \u200e\u200f",
        "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
        "\x00\x01\x08\x0b\x1b[31mred\x1b[0m\x7f\x85\u2028\u2029",
        "\ufffe\uffff \ud800 \U000e0001",
        "S" * 10_240,
        "\ue000 in \ue001",
        "&lt;&#60;&amp;%3Cscript%3E\\u003cscript\\u003e",
        "@import url(http://192.0.2.1/); url(//192.0.2.1)",
        "\r\nSet-Cookie: a=b\r\n",
        "__proto__",
        "",
    ]
    return [f"{kind}{number or ''}" for number in range(8) for kind in kinds]


def hostile() -> dict[str, Any]:
    """A report with every hostile text in every field that others can write."""
    document = report(access=[], findings=[], tag_setters=[], repositories=[], not_seen=[], regions=[])
    for number, text in enumerate(hostile_texts()):
        row = access(repository=text, principal_account=text, region=text, paths=[path(statement=text, document=text)])
        row["principal"] = f"{number}{text}"
        row["paths"][0] |= {"conditions": [text], "role": text, "until": text}
        row["reasons"] = {**DENIED, "push": text}
        document["access"].append(row)
        evidence = {"document": text, "statement": text, "text": text}
        document["findings"].append(
            finding(id=f"hostile-{number % 25}", key=text, title=text, resource=text, region=text, evidence=evidence)
            | {"fix": text}
        )
        document["tag_setters"].append(
            report()["tag_setters"][0] | {"principal": text, "reason": text, "document": text}
        )
        document["repositories"].append({"name": text, "region": text, "tags": {text: text}})
        document["not_seen"].append({"what": text, "why": text})
        document["repository_tags"][text] = [text]
        document["regions"].append(text)
    return document


def texts_of(value: object) -> Iterator[str]:
    """All texts in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts_of(item)


def changed(document: dict[str, Any]) -> dict[str, Any]:
    """The report one day later, with one change of each kind."""
    later = copy.deepcopy(document) | {"generated_at": "2026-11-28T02:40:00Z"}
    later["access"][0]["actions"]["push"] = "allowed"
    later["access"] = [*later["access"][:-1], access("user/new", "release")]
    later["findings"][0]["severity"] = "critical"
    later["findings"] = [later["findings"][0], finding(9)]
    return later
