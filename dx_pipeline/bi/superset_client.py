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
        token = self._ask("POST", "/api/v1/security/login", json_body=login)["access_token"]
        self._headers = {"Authorization": f"Bearer {token}", "Referer": self._address}
        answer = self._send("GET", "/api/v1/security/csrf_token/")
        self._headers["X-CSRFToken"] = json.loads(answer.data)["result"]
        cookies = [value.split(";", 1)[0] for value in answer.headers.getlist("Set-Cookie")]
        if cookies:
            self._headers["Cookie"] = "; ".join(cookies)

    def bring_in(self, bundle: bytes, database_password: str) -> None:
        """Import a bundle of kind ``assets``: what has the same identity is replaced."""
        self._ask(
            "POST",
            "/api/v1/assets/import/",
            fields={
                "bundle": ("bundle.zip", bundle, "application/zip"),
                "passwords": json.dumps({DATABASE_FILE: database_password}),
            },
        )

    def import_dashboards(self, bundle: bytes, database_password: str) -> None:
        """Import a bundle of kind ``Dashboard``, as the button does: dashboards are replaced, the rest is added if missing."""
        self._ask(
            "POST",
            "/api/v1/dashboard/import/",
            fields={
                "formData": ("bundle.zip", bundle, "application/zip"),
                "overwrite": "true",
                "passwords": json.dumps({DATABASE_FILE: database_password}),
            },
        )

    def datasets(self) -> list[Json]:
        """Id, table_name and schema of each dataset."""
        return self._list("dataset", ["id", "table_name", "schema"])

    def dataset(self, dataset_id: int) -> Json:
        """One dataset with its columns and metrics."""
        found: Json = self._ask("GET", f"/api/v1/dataset/{dataset_id}")["result"]
        return found

    def dashboards(self) -> list[Json]:
        """Id, slug and title of each dashboard."""
        return self._list("dashboard", ["id", "slug", "dashboard_title"])

    def chart_data(self) -> list[ChartData]:
        """Every chart, with the rows that ``/api/v1/chart/data`` gives for its saved query."""
        found = []
        for chart in self._list("chart", ["id", "slice_name"]):
            saved = self._ask("GET", f"/api/v1/chart/{chart['id']}")["result"]
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
        rows: list[Json] = self._ask("POST", "/api/v1/chart/data", json_body=context)["result"][0]["data"]
        return rows

    def add_database(self, name: str, uri: str) -> int:
        """Connect another database login; returns its number."""
        made = self._ask("POST", "/api/v1/database/", json_body={"database_name": name, "sqlalchemy_uri": uri})
        return int(made["id"])

    def sql(self, database_id: int, statement: str) -> list[Json]:
        """Rows of a statement in SQL Lab."""
        body = {"database_id": database_id, "sql": statement, "runAsync": False, "queryLimit": 1000}
        rows: list[Json] = self._ask("POST", "/api/v1/sqllab/execute/", json_body=body)["data"]
        return rows

    def _list(self, kind: str, columns: list[str]) -> list[Json]:
        asked = f"(columns:!({','.join(columns)}),page_size:1000)"  # in Superset's notation, rison
        found: list[Json] = self._ask("GET", f"/api/v1/{kind}/", query={"q": asked})["result"]
        return sorted(found, key=lambda one: int(one["id"]))

    def _ask(self, method: str, path: str, **arguments: Any) -> Json:
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
