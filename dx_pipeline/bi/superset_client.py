"""What we ask of a Superset by its REST API: log in, bring in the bundle, read charts and their data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import urllib3

from dx_pipeline.bi.superset_bundle import DATABASE_FILE
from dx_pipeline.bi.superset_server import SupersetError

Json = dict[str, Any]


@dataclass(frozen=True)
class ChartData:
    """A chart of Superset and what its query gave."""

    chart_id: int
    name: str
    dashboards: tuple[str, ...]
    rows: list[Json]
    error: str | None


class SupersetClient:
    """A session of one user.

    Raises (every method):
        SupersetError: it cannot be reached, or refuses; the message is Superset's.
    """

    def __init__(self, address: str, user: str, password: str) -> None:
        self._address = address.rstrip("/")
        self._http = urllib3.PoolManager(timeout=urllib3.Timeout(connect=10, read=180), retries=False)
        self._headers: dict[str, str] = {}
        login = {"username": user, "password": password, "provider": "db", "refresh": False}
        token = self.ask("POST", "/api/v1/security/login", json_body=login)["access_token"]
        self._headers = {"Authorization": f"Bearer {token}", "Referer": self._address}
        answer = self._send("GET", "/api/v1/security/csrf_token/")
        self._headers["X-CSRFToken"] = json.loads(answer.data)["result"]
        cookies = [value.split(";", 1)[0] for value in answer.headers.getlist("Set-Cookie")]
        if cookies:
            self._headers["Cookie"] = "; ".join(cookies)

    def bring_in(self, bundle: bytes, database_password: str) -> None:
        """Import a bundle of kind ``assets``: what has the same identity is replaced."""
        self.ask(
            "POST",
            "/api/v1/assets/import/",
            fields={
                "bundle": ("bundle.zip", bundle, "application/zip"),
                "passwords": json.dumps({DATABASE_FILE: database_password}),
            },
        )

    def chart_data(self) -> list[ChartData]:
        """Every chart, with the rows that ``/api/v1/chart/data`` gives for its saved query."""
        found = []
        for chart in self.list_of("chart", ["id", "slice_name"]):
            saved = self.ask("GET", f"/api/v1/chart/{chart['id']}")["result"]
            error, rows = None, []
            try:
                rows = self.query(json.loads(saved["query_context"]))
            except SupersetError as refusal:
                error = refusal.what
            titles = tuple(board["dashboard_title"] for board in saved["dashboards"])
            found.append(ChartData(chart["id"], chart["slice_name"], titles, rows, error))
        return found

    def query(self, context: Json) -> list[Json]:
        """Rows of one query context."""
        rows: list[Json] = self.ask("POST", "/api/v1/chart/data", json_body=context)["result"][0]["data"]
        return rows

    def list_of(self, kind: str, columns: list[str]) -> list[Json]:
        """Every chart, dashboard or dataset, by number, with these columns."""
        asked = f"(columns:!({','.join(columns)}),page_size:1000)"  # in Superset's notation, rison
        found: list[Json] = self.ask("GET", f"/api/v1/{kind}/", query={"q": asked})["result"]
        return sorted(found, key=lambda one: int(one["id"]))

    def ask(self, method: str, path: str, **arguments: Any) -> Json:
        """The JSON answer to a request; ``json_body``, ``fields`` or ``query`` is what it carries."""
        answer = self._send(method, path, **arguments)
        found: Json = json.loads(answer.data)
        return found

    def _send(
        self,
        method: str,
        path: str,
        *,
        json_body: Json | None = None,
        fields: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> urllib3.BaseHTTPResponse:
        given: Json = {"headers": self._headers}
        if json_body is not None:
            given["json"] = json_body
        elif fields is not None:
            given["fields"] = fields
        elif query is not None:
            given["fields"] = query
        try:
            answer = self._http.request(method, self._address + path, **given)
        except urllib3.exceptions.HTTPError as error:
            raise SupersetError(
                f"Superset at {self._address} cannot be reached: {error.__class__.__name__}",
                next_step="dx bi superset up starts the one of this installation",
            ) from None
        if answer.status >= 400:
            raise SupersetError(f"Superset answers {answer.status} to {path}: {_message(answer.data)}")
        return answer


def _message(data: bytes) -> str:
    """What Superset says went wrong, in one line."""
    try:
        told = json.loads(data)
    except ValueError:
        return data[:200].decode("utf-8", "replace")
    text = told.get("message") or told.get("errors") or told
    return (text if isinstance(text, str) else json.dumps(text, ensure_ascii=False))[:500]
