"""What the tests ask of Superset beside what the product asks."""

from __future__ import annotations

import json
from typing import Any

from dx_pipeline.bi.superset_bundle import DATABASE_FILE
from dx_pipeline.bi.superset_client import SupersetClient

Json = dict[str, Any]


class SupersetSession(SupersetClient):
    """A person's clicks, as requests."""

    def import_dashboards(self, bundle: bytes, database_password: str) -> None:
        """Import a bundle of kind ``Dashboard``, as the button does: dashboards are replaced, the rest is added if missing."""
        self.ask(
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
        return self.list_of("dataset", ["id", "table_name", "schema"])

    def dataset(self, dataset_id: int) -> Json:
        """One dataset with its columns and metrics."""
        found: Json = self.ask("GET", f"/api/v1/dataset/{dataset_id}")["result"]
        return found

    def dashboards(self) -> list[Json]:
        """Id, slug and title of each dashboard."""
        return self.list_of("dashboard", ["id", "slug", "dashboard_title"])

    def add_database(self, name: str, uri: str) -> int:
        """Connect another database login; returns its number."""
        made = self.ask("POST", "/api/v1/database/", json_body={"database_name": name, "sqlalchemy_uri": uri})
        return int(made["id"])

    def sql(self, database_id: int, statement: str) -> list[Json]:
        """Rows of a statement in SQL Lab."""
        body = {"database_id": database_id, "sql": statement, "runAsync": False, "queryLimit": 1000}
        rows: list[Json] = self.ask("POST", "/api/v1/sqllab/execute/", json_body=body)["data"]
        return rows
