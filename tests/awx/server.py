# SPDX-License-Identifier: GPL-3.0-or-later
"""As much of AWX's REST API as the modules of awx.awx speak to make the pattern; it keeps what it is given.

It refuses what AWX documents to refuse (tests/awx/rules.py), a field that names an object that does not exist, and a
request without the token.
"""

from __future__ import annotations

import http.server
import json
import urllib.parse
from typing import Any

from .rules import credential_type_problems, survey_problems

TOKEN = "token-of-the-test"
PREFIX = "/api/v2/"
#: A field that holds the id of an object of this collection.
REFERENCES = {
    "organization": "organizations",
    "inventory": "inventories",
    "project": "projects",
    "execution_environment": "execution_environments",
    "credential_type": "credential_types",
    "workflow_job_template": "workflow_job_templates",
}
_APPROVALS = "workflow_approval_templates"
Object = dict[str, Any]


class Awx(http.server.ThreadingHTTPServer):
    """A server on loopback, and all that is in it: the objects of each collection, by their ids."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, dict[int, Object]] = {}
        self.linked: dict[str, list[int]] = {}
        self.surveys: dict[str, Object] = {}
        self.writes: list[str] = []
        self.create("organizations", {"name": "Default"})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def all(self, collection: str) -> list[Object]:
        if collection == "unified_job_templates":
            kinds = ("job_templates", "projects", "workflow_job_templates", _APPROVALS)
            return [resource for kind in kinds for resource in self.all(kind)]
        return list(self.objects.get(collection, {}).values())

    def named(self, collection: str) -> dict[str, Object]:
        return {str(resource.get("name", resource.get("identifier"))): resource for resource in self.all(collection)}

    def create(self, collection: str, fields: Object) -> Object:
        number = sum(map(len, self.objects.values())) + 1
        url = f"{PREFIX}{collection}/{number}/"
        related = {"survey_spec": f"{url}survey_spec/"}
        kind = collection[:-1]
        created = {**fields, "id": number, "url": url, "type": kind, "related": related, "summary_fields": {}}
        if collection == "projects":
            created["scm_revision"] = ""
            update = self.create("project_updates", {"status": "successful"})
            created["summary_fields"] = {"current_update": {"id": update["id"]}}
        self.objects.setdefault(collection, {})[number] = created
        return created

    def answer(self, method: str, path: str, query: dict[str, str], body: Object) -> tuple[int, Any]:
        collection, number, part = [*path.removeprefix(PREFIX).strip("/").split("/"), "", ""][:3]
        if method != "GET":
            self.writes.append(f"{method} {path}")
        if part:
            return self._part(method, path, self.objects[collection][int(number)], part, body)
        if method == "GET" and number:
            return 200, self.objects[collection][int(number)]
        if method == "GET":
            matches = [
                resource
                for resource in self.all(collection)
                if all(str(resource.get(key)) == query[key] for key in query)
            ]
            return 200, {"count": len(matches), "results": matches, "next": None}
        problems = [
            f"There is no {name} {body[name]}."
            for name, kind in REFERENCES.items()
            if body.get(name) is not None and body[name] not in self.objects.get(kind, {})
        ]
        if collection == "credential_types":
            problems += credential_type_problems(body)
        if problems:
            return 400, {"__all__": problems}
        if number:
            stored = self.objects[collection][int(number)]
            # A field that an object does not have is passed over, as by AWX. Of an approval, awx.awx sends its node's.
            stored.update({name: body[name] for name in body if name in stored or collection != _APPROVALS})
            return 200, stored
        return 201, self.create(collection, body)

    def _part(self, method: str, path: str, owner: Object, part: str, body: Object) -> tuple[int, Any]:
        if part == "survey_spec":
            problems = survey_problems(body) if method == "POST" else []
            if method == "POST" and not problems:
                self.surveys[path] = body
            return (400, {"error": "; ".join(problems)}) if problems else (200, self.surveys.get(path, {}))
        if part == "create_approval_template":
            created = self.create(_APPROVALS, {"name": body["name"], "description": body["description"]})
            owner["unified_job_template"] = created["id"]
            owner["related"]["unified_job_template"] = created["url"]
            return 201, created
        if method == "POST":
            self.linked.setdefault(path, []).append(body["id"])
            return 204, None
        return 200, {
            "count": 0,
            "results": [{"id": identifier} for identifier in self.linked.get(path, [])],
            "next": None,
        }


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Awx

    def _answer(self) -> None:
        address = urllib.parse.urlsplit(self.path)
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.loads(text) if text else {}
        status, answer = 401, None
        if self.headers.get("Authorization") == f"Bearer {TOKEN}":
            query = dict(urllib.parse.parse_qsl(address.query))
            status, answer = self.server.answer(self.command, address.path, query, body)
        data = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PATCH = _answer  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:
        pass
