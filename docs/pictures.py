# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the pictures of the documentation. `make pictures` writes them.

A picture is 400 units wide, so that a text of 14.5 units has at least 12 pixels on a screen of 390 pixels.
"""

from __future__ import annotations

import html
import pathlib
from collections.abc import Callable

FOLDER = pathlib.Path(__file__).parent
WIDTH = 400
#: The colors in light and in dark mode.
COLORS = {
    "paper": ("#ffffff", "#0d1117"),
    "card": ("#f6f8fa", "#161b22"),
    "text": ("#1f2328", "#e6edf3"),
    "soft": ("#57606a", "#9da7b3"),
    "line": ("#8c959f", "#6e7681"),
    "yes": ("#116329", "#56d364"),
    "yes-card": ("#dafbe1", "#12261e"),
    "no": ("#a40e26", "#ff7b72"),
    "no-card": ("#ffebe9", "#2d1214"),
    "info": ("#0550ae", "#79c0ff"),
    "info-card": ("#ddf4ff", "#0c2d4b"),
}
STYLE = """
  text { fill: currentColor; font: 14.5px system-ui, 'Segoe UI', Helvetica, Arial, sans-serif }
  .title { font-size: 17px; font-weight: 600 }
  .bold { font-weight: 600 }
  .code { font: 14.5px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace }
  .middle { text-anchor: middle }
  .end { text-anchor: end }
  text.soft { fill: var(--soft) } text.info { fill: var(--info) }
  text.yes { fill: var(--yes) } text.no { fill: var(--no) }
  rect { fill: var(--card); stroke: var(--line); stroke-width: 1.5 }
  rect.paper { fill: var(--paper); stroke: none }
  rect.yes { fill: var(--yes-card); stroke: var(--yes) } rect.no { fill: var(--no-card); stroke: var(--no) }
  rect.info { fill: var(--info-card); stroke: var(--info) }
  path { fill: none; stroke: var(--line); stroke-width: 2 }
  path.yes { stroke: var(--yes) } path.no { stroke: var(--no) } path.info { stroke: var(--info) }
  path.dashed { stroke-dasharray: 5 4 }
"""


def colors(mode: int) -> str:
    """The color variables of a mode: 0 is light, 1 is dark."""
    return "; ".join(f"--{name}: {pair[mode]}" for name, pair in COLORS.items())


def svg(title: str, description: str, width: int, height: int, body: str, style: str = STYLE, shown: int = 480) -> str:
    """A whole picture; `shown` is its width in pixels where there is room."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{shown}" role="img" '
        f'aria-labelledby="title desc">\n'
        f'<title id="title">{html.escape(title)}</title>\n<desc id="desc">{html.escape(description)}</desc>\n'
        f"<style>\n  :root {{ color-scheme: light dark; {colors(0)}; color: var(--text) }}\n"
        f"  @media (prefers-color-scheme: dark) {{ :root {{ {colors(1)} }} }}{style}</style>\n"
        f'<rect class="paper" width="{width}" height="{height}" rx="8"/>\n{body}</svg>\n'
    )


class Drawing:
    """Collects the elements of a picture."""

    def __init__(self) -> None:
        self.elements: list[str] = []

    def box(self, x: int, y: int, width: int, height: int, kind: str = "") -> None:
        self.elements.append(f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="6"/>')

    def text(self, x: int, y: int, text: str, kind: str = "") -> None:
        self.elements.append(f'<text class="{kind}" x="{x}" y="{y}">{html.escape(text, quote=False)}</text>')

    def lines(self, x: int, y: int, *lines: str, kind: str = "") -> None:
        for number, line in enumerate(lines):
            self.text(x, y + 20 * number, line, kind)

    def arrow(self, x1: int, y1: int, x2: int, y2: int, kind: str = "") -> None:
        """A straight arrow, along one axis."""
        dx, dy = (x2 > x1) - (x2 < x1), (y2 > y1) - (y2 < y1)
        tip = f"M{x2 - 7 * dx - 5 * dy} {y2 - 7 * dy - 5 * dx}L{x2} {y2}L{x2 - 7 * dx + 5 * dy} {y2 - 7 * dy + 5 * dx}"
        self.line(f"M{x1} {y1}L{x2} {y2}", kind)
        self.line(tip, kind.replace("dashed", ""))

    def line(self, path: str, kind: str = "") -> None:
        self.elements.append(f'<path class="{kind}" d="{path}"/>')

    def cross(self, x: int, y: int) -> None:
        self.line(f"M{x - 6} {y - 6}l12 12m0 -12l-12 12", "no")

    def check(self, x: int, y: int) -> None:
        self.line(f"M{x - 7} {y}l5 6l9 -12", "yes")

    def __str__(self) -> str:
        return "\n".join(self.elements) + "\n"


def flow() -> str:
    """The whole of a share, numbered from top to bottom."""
    d = Drawing()
    d.box(10, 10, 380, 372)
    d.text(26, 38, "Owner account 111111111111", "title")
    d.text(26, 60, "runs share.yml", "soft")
    d.text(26, 92, "1. makes the pull role", "bold")
    d.box(26, 104, 348, 78, "info")
    d.text(40, 128, "allow_ecr_release", "bold")
    d.lines(40, 150, "trust: 222222222222 with the external ID", "policy: read where environment=release")
    d.arrow(110, 182, 110, 254, "yes")
    d.arrow(290, 182, 290, 254, "no dashed")
    d.cross(290, 216)
    d.text(122, 221, "can read", "yes")
    d.text(308, 221, "cannot", "no")
    d.box(26, 256, 196, 62, "yes")
    d.text(40, 280, "release", "bold")
    d.text(40, 304, "environment=release")
    d.box(234, 256, 140, 62)
    d.text(248, 280, "develop", "bold")
    d.text(248, 304, "no tag", "soft")
    d.text(26, 342, "2. tags the repository release", "bold")
    d.text(26, 366, "3. writes the hand-off", "bold")
    d.arrow(200, 382, 200, 440)
    d.text(212, 408, "handoff.yml: role,", "soft")
    d.text(212, 428, "external ID, images", "soft")
    d.box(10, 444, 380, 156)
    d.text(26, 472, "Consumer account 222222222222", "title")
    d.text(26, 494, "runs pull.yml", "soft")
    d.text(26, 526, "4. assumes the role", "bold")
    d.text(26, 552, "5. proves that develop is denied", "bold")
    d.text(26, 578, "6. pulls release by its digest", "bold")
    d.check(360, 521)
    d.cross(360, 547)
    d.check(360, 573)
    return svg(
        "How a share works",
        "The owner account 111111111111 makes the pull role allow_ecr_release, tags the repository release and "
        "writes the hand-off. The consumer account 222222222222 assumes the role with the external ID, proves that "
        "the repository develop, which has no tag, is denied, and pulls release by its digest.",
        WIDTH,
        610,
        str(d),
    )


def gates() -> str:
    """The conditions of a pull."""
    d = Drawing()
    d.box(80, 10, 240, 42, "info")
    d.text(200, 36, "user puller of 222222222222", "middle")
    asked = [
        (
            "1. Trust policy of the role",
            "Is the account trusted, and is",
            "the external ID correct?",
            "role not assumed",
        ),
        (
            "2. Permissions policy of the role",
            "Is the action a read of images,",
            "such as ecr:BatchGetImage?",
            "ecr:PutImage",
        ),
        ("3. Tag of the repository", "Does the repository have the tag", "environment=release?", "repository develop"),
    ]
    for number, (name, first, second, denied) in enumerate(asked):
        top = 96 + 150 * number
        d.arrow(
            60 if number else 200, top - (46 if number else 44), 60 if number else 200, top - 2, "yes" if number else ""
        )
        d.box(30, top, 340, 104)
        d.text(46, top + 25, name, "bold")
        d.lines(46, top + 47, first, second)
        d.cross(52, top + 86)
        d.text(68, top + 91, f"no: AccessDenied, {denied}", "no")
        d.text(76, top + 131, "yes", "yes")
    d.text(212, 79, "sts:AssumeRole", "soft")
    d.arrow(60, 500, 60, 544, "yes")
    d.box(30, 546, 240, 42, "yes")
    d.text(150, 572, "release:v1.0 is pulled", "middle bold")
    return svg(
        "The three gates of a pull",
        "A request passes three gates. The trust policy admits the consumer account with the correct external "
        "ID. The permissions policy allows the actions that read images. The tag limits them to the repositories "
        "that have it. At each gate, anything else ends with AccessDenied.",
        WIDTH,
        598,
        str(d),
    )


def writes() -> str:
    """The order of the writes of a share."""
    d = Drawing()
    steps = [
        ("no", "1. Remove tags", "from repositories that are not shared"),
        ("no", "2. Narrow the trust", "and revoke the sessions of removed consumers"),
        ("", "3. Change the permissions", "of the role, for what both sides allow"),
        ("yes", "4. Widen the trust", "to the new consumers"),
        ("yes", "5. Add tags", "to the repositories that are shared"),
    ]
    d.text(14, 30, "share.yml writes in this order", "title")
    for number, (kind, name, what) in enumerate(steps):
        top = 48 + 86 * number
        d.box(14, top, 372, 58, kind)
        d.text(28, top + 24, name, "bold")
        d.text(28, top + 46, what)
        if kind:
            d.text(372, top + 24, "less access" if kind == "no" else "more access", f"end {kind}")
        if number < 4:
            d.arrow(60, top + 60, 60, top + 84)
            d.text(76, top + 77, "killed here: less access, never more", "soft")
    d.text(14, 490, "The next run continues from there.", "bold")
    d.text(14, 530, "unshare.yml writes in this order", "title")
    removals = ("Remove tags", "Detach policy", "Delete role", "Delete policy")
    for number, (act, what) in enumerate(one.split() for one in removals):
        left = 14 + 97 * number
        d.box(left, 546, 81, 60, "no")
        d.text(left + 40, 571, act, "middle bold")
        d.text(left + 40, 593, what, "middle")
        if number:
            d.arrow(left - 15, 576, left - 1, 576)
    return svg(
        "The order of the writes",
        "share.yml removes tags, narrows the trust and revokes the sessions of removed consumers, changes the "
        "permissions, widens the trust, and adds tags. unshare.yml removes the tags, detaches the "
        "policy, and deletes the role and the policy. A run that is killed between two writes leaves less access "
        "than declared, never more, and the next run continues from there.",
        WIDTH,
        618,
        str(d),
    )


def credentials() -> str:
    """The two values of ecr_pull_credentials."""
    d = Drawing()
    host = [(0, 1, "module"), (1, 2, "assume the role"), (2, 1, "token"), (1, 2, "pull by digest"), (1, 0, "digest")]
    lanes(d, 10, "ecr_pull_credentials: host", 1, host)
    control_node = [
        (0, 2, "assume the role"),
        (2, 0, "token"),
        (0, 1, "token"),
        (1, 2, "pull by digest"),
        (1, 0, "digest"),
    ]
    lanes(d, 350, "ecr_pull_credentials: control_node", 0, control_node)
    return svg(
        "Where the credentials are",
        "With ecr_pull_credentials: host, the module on the host assumes the role with the credentials of the host,"
        " and pulls. With ecr_pull_credentials: control_node, the control node assumes the role and sends the host "
        "only a registry token; the host pulls with it.",
        WIDTH,
        690,
        str(d),
    )


def lanes(d: Drawing, top: int, title: str, holder: int, messages: list[tuple[int, int, str]]) -> None:
    """A sequence of messages between the control node, the host and AWS; `holder` has the AWS credentials."""
    at = (68, 200, 332)
    d.text(14, top + 20, title, "code bold")
    for number, name in enumerate(("Control node", "Host", "AWS")):
        d.line(f"M{at[number]} {top + 76}V{top + 320}", "dashed")
        d.box(at[number] - 54, top + 34, 108, 42, "info" if number == holder else "")
        d.text(at[number], top + 60, name, "middle bold")
    d.box(at[holder] - 54, top + 84, 108, 28, "info")
    d.text(at[holder], top + 103, "credentials", "middle info")
    for number, (start, end, label) in enumerate(messages):
        y = top + 146 + 40 * number
        step = 1 if end > start else -1
        d.arrow(at[start] + 3 * step, y, at[end] - 3 * step, y, "info" if label == "token" else "")
        middle = (at[start] + at[end]) // 2
        if abs(end - start) == 2:
            d.elements.append(f'<rect class="paper" x="{middle - 56}" y="{y - 20}" width="112" height="16"/>')
        d.text(middle, y - 7, label, "middle info" if label == "token" else "middle")


def awx() -> str:
    """The workflow of the AWX pattern."""
    d = Drawing()
    nodes = [
        ("ECR Share", "owner credential"),
        ("ECR Prove access", "consumer credential"),
        ("ECR Pull", "consumer credential"),
        ("Approval", "a person ends the share"),
        ("ECR Unshare", "owner credential"),
    ]
    labels = ("success: ecr_share_handoff", "success", "success or failure", "approved")
    for number, (name, what) in enumerate(nodes):
        top = 10 + 116 * number
        d.box(14, top, 250, 62, "info" if name == "Approval" else "")
        d.text(30, top + 26, name, "bold")
        d.text(30, top + 48, what, "soft")
        if number < 4:
            kind = "" if number == 2 else "yes"
            d.arrow(60, top + 62, 60, top + 114, kind)
            d.text(74, top + 93, labels[number], kind)
    d.line("M264 157H330V389H266", "no dashed")
    d.line("M273 384L266 389L273 394", "no")
    d.text(342, 256, "failure", "no")
    return svg(
        "The workflow in AWX",
        "ECR Share hands the artifact ecr_share_handoff to ECR Prove access, which is followed by ECR Pull. An "
        "approval then waits for a person, even after a failure of ECR Prove access or ECR Pull. After the "
        "approval, ECR Unshare ends the share.",
        WIDTH,
        546,
        str(d),
    )


def choose() -> str:
    """The questions that lead to a way for another account."""
    d = Drawing()
    questions = [
        (
            "Is the consumer in another partition,",
            "such as AWS China?",
            "AWS does not support it",
            "Push the image there.",
            "no",
        ),
        (
            "Can it assume a role to pull, as hosts,",
            "pipelines and people can?",
            "A role",
            "One for each consumer, or for all.",
            "yes",
        ),
        (
            "May copies stay in its account when",
            "the access ends?",
            "Replication",
            "Or a cache, for pulled images only.",
            "yes",
        ),
    ]
    d.text(14, 30, "How does the consumer get images?", "title")
    for number, (first, second, way, what, kind) in enumerate(questions):
        top = 48 + 172 * number
        d.box(14, top, 372, 58, "info")
        d.lines(28, top + 24, first, second)
        d.arrow(200, top + 58, 200, top + 88, kind)
        d.text(212, top + 78, "yes", kind)
        d.box(110, top + 90, 276, 54, kind)
        d.text(124, top + 112, way, "bold")
        d.text(124, top + 134, what)
        d.arrow(50, top + 58, 50, top + 170)
        d.text(62, top + 121, "no", "soft")
    d.box(14, 564, 372, 58, "yes")
    d.text(28, 588, "Repository policy or registry policy", "bold")
    d.text(28, 610, "It pulls with its own roles.")
    return svg(
        "How to choose a way",
        "If the consumer is in another partition, AWS does not support it; push the image there. Otherwise, if the"
        " consumer can assume a role to pull, as hosts, pipelines and people can, use a role, one for each consumer or"
        " one for all. Otherwise, if copies may stay in its account when the access ends, use replication, or a cache"
        " for pulled images only. Otherwise, use a repository policy or a registry policy, with which the consumer"
        " pulls with its own roles.",
        WIDTH,
        634,
        str(d),
    )


PICTURES: dict[str, Callable[[], str]] = {
    "flow": flow,
    "gates": gates,
    "writes": writes,
    "credentials": credentials,
    "awx": awx,
    "choose": choose,
}


if __name__ == "__main__":
    for name, draw in PICTURES.items():
        (FOLDER / f"{name}.svg").write_text(draw(), encoding="utf-8")
