# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTML page of an audit report, without a browser."""

from __future__ import annotations

import base64
import collections
import hashlib
import html.parser
import re
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_compare import document_of
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_diagram import diagram_of
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_html import html_report
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_matrix import matrix_of

from tests.support.audit_reports import access, changed, hostile, large, policy_path, report

KILOBYTES = 600


class Elements(html.parser.HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.content: dict[str, str] = collections.defaultdict(str)
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.found.append(("", {}))

    def handle_data(self, data: str) -> None:
        self.content[self.found[-1][0] if self.found else ""] += data


def test_policy_allows_the_style_and_the_script_of_the_page_only() -> None:
    page = Elements(html_report(report()))
    (policy,) = [attributes["content"] for _tag, attributes in page.found if "http-equiv" in attributes]
    hashes = [
        base64.b64encode(hashlib.sha256(page.content[tag].encode()).digest()).decode() for tag in ("style", "script")
    ]
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; base-uri 'none';"
        " form-action 'none'"
    )


def test_texts_add_no_element_and_no_attribute() -> None:
    def names(document: dict[str, Any]) -> set[tuple[str, str]]:
        return {(tag, name) for tag, attributes in Elements(html_report(document)).found for name in ("", *attributes)}

    usual = names(document_of(changed(report()), report())) | names(report())
    assert names(hostile()) <= usual
    assert not [name for _tag, name in usual if name.startswith("on") or name in ("style", "src", "srcdoc", "action")]


def test_the_page_has_no_address() -> None:
    page = Elements(html_report(large(5, 20)))
    addresses = [value for _tag, attributes in page.found for name, value in attributes.items() if name == "href"]
    assert addresses
    assert all(address and address.startswith("#") for address in addresses)
    assert not re.search(r"url\(|@import|https?:", page.content["style"] + page.content["script"])


def test_unprintable_characters_are_escaped() -> None:
    page = html_report(hostile())
    assert not {character for character in page if not character.isprintable()} - {"\n"}
    assert "\\u202e" in page


@pytest.mark.parametrize("mixed", [False, True])
def test_page_of_50_consumers_and_1000_repositories_is_small(mixed: bool) -> None:
    document = large(mixed=mixed)
    assert len({row["principal"] for row in document["access"]}) == 50
    assert len(document["repositories"]) == 1000
    assert len(html_report(document).encode()) <= KILOBYTES * 1000


def test_first_report_and_unchanged_report_state_it() -> None:
    assert "This is the first report" in html_report(report())
    empty: dict[str, list[object]] = {kind: [] for kind in ("new", "changed", "gone")}
    changes = {"since": "2026-11-26T00:00:00Z", "findings": empty, "access": empty}
    assert "No change since the report of 2026-11-26T00:00:00Z" in html_report(report(changes=changes))


def test_report_without_access_has_a_page() -> None:
    page = html_report(report(access=[], findings=[], not_seen=[], tag_setters=[], repositories=[]))
    assert "No principal outside the account has access." in page


# --- the matrix


def test_repositories_with_the_same_access_are_one_row() -> None:
    rows = [access(repository=name, paths=[policy_path(name)]) for name in ("b", "a", "c")]
    matrix = matrix_of(report(access=[*rows, access("user/other", "c")]))
    assert [[name for name, _region in row.repositories] for row in matrix.rows] == [["a", "b"], ["c"]]
    assert [row.cells for row in matrix.rows] == [(None, 0), (1, 0)]


def test_a_name_inside_other_text_is_kept() -> None:
    (cell,) = matrix_of(report(access=[access(repository="e")])).cells
    assert cell.ways[0].document == access()["paths"][0]["document"]


@pytest.mark.parametrize(
    ("verdicts", "letter"),
    [
        ("allowed allowed denied denied denied", "P"),
        ("allowed denied denied denied denied", "D"),
        ("denied denied denied denied allowed", "W"),
        ("allowed allowed unknown denied denied", "P?"),
        ("denied unknown denied denied denied", "?"),
    ],
)
def test_letter_is_the_most_that_is_allowed(verdicts: str, letter: str) -> None:
    actions = dict(zip(("describe", "pull", "push", "delete", "tag"), verdicts.split()))
    (cell,) = matrix_of(report(access=[access(actions=actions)])).cells
    assert cell.letter == letter


@pytest.mark.parametrize(
    ("principal", "kind", "account", "label"),
    [
        ("arn:aws:iam::222222222222:user/puller", "principal", "222222222222", "222222222222 user/puller"),
        ("arn:aws:iam::222222222222:root", "account", "222222222222", "222222222222"),
        ("222222222222", "account", "222222222222", "222222222222"),
        ("*", "everyone", "", "everyone"),
        ("o-1234567890", "organization", "", "o-1234567890"),
        ("lambda.amazonaws.com", "service", "", "lambda.amazonaws.com"),
    ],
)
def test_label_of_a_consumer(principal: str, kind: str, account: str, label: str) -> None:
    row = {**access(), "principal": principal, "principal_kind": kind, "principal_account": account}
    (consumer,) = matrix_of(report(access=[row])).consumers
    assert consumer.label == label


# --- the diagram


def test_diagram_has_every_path_and_at_most_eight_sources() -> None:
    diagram = diagram_of(matrix_of(large(50, 24)))
    texts = [(box.text, box.detail) for box in diagram.boxes]
    assert ("roles", "18 repositories") in texts
    assert ("repository policies", "4 repositories") in texts
    assert texts[0] == ("18 repositories", "")
    sources = [box.text for box in diagram.boxes if box.x == 0]
    assert len(sources) == 8
    assert sources[-1] == "43 other consumers"
    assert all(0 <= box.y <= diagram.height - 32 for box in diagram.boxes)


def test_diagram_text_has_the_numbers() -> None:
    assert diagram_of(matrix_of(report())).description == (
        "222222222222: 2 through roles, 1 through repository policies; 333333333333: 1 through repository policies"
    )
