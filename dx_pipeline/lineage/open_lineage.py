"""Tells each batch as OpenLineage events (https://openlineage.io/spec/2-0-2): to a file by default, by HTTP where set.

A batch gives START and then COMPLETE or FAIL, with the times of the ledger. Inputs are the source's relation with the
results of its rules; outputs are the tables of the star with their column lineage. No data and no secret is in an event.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import URL

from dx_pipeline.contract.model import Contract
from dx_pipeline.lineage.column_ref import ColumnRef
from dx_pipeline.lineage.graph import SOURCE, LineageGraph
from dx_pipeline.settings import Settings
from dx_pipeline.warehouse.ledger import Batch
from dx_pipeline.warehouse.load_file import parse_load_file

if TYPE_CHECKING:
    from openlineage.client.transport import Transport

PRODUCER = "https://github.com/dx-pipeline"
NAMESPACE = "dx"
_TIMEOUT_SECONDS = 3.0


@dataclass(frozen=True)
class RuleResult:
    """One rule's result, as an assertion about the input."""

    code: str
    severity: str
    passed: bool
    message_en: str


class LineageEmitter:
    """Emits the events of batches; a receiver that does not answer is told of once and never stops a batch."""

    def __init__(
        self,
        settings: Settings,
        warehouse: URL,
        graph: Callable[[], LineageGraph],
        warn: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._warehouse = warehouse
        self._graph = graph
        self._warn = warn
        self._transport: Transport | None = None
        self._is_silent = settings.lineage == "off"

    def emit(self, contract: Contract, batch: Batch, rules: Sequence[RuleResult] = ()) -> None:
        """The events of a batch that was published, held or failed; an hour without a row is no event."""
        if self._is_silent or (batch.status == "published" and not batch.extracted):
            return
        try:
            transport = self._opened()
            for event in self._events(contract, batch, rules):
                transport.emit(event)
        except Exception as error:  # lineage is told about the work; it must never stop it
            self._is_silent = True
            self._warn(f"lineage events cannot be sent and are left out from now on: {type(error).__name__}")

    def _opened(self) -> Transport:
        if self._transport is None:
            self._transport = _transport(self._settings)
        return self._transport

    def _events(self, contract: Contract, batch: Batch, rules: Sequence[RuleResult]) -> Iterator[Any]:
        from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
        from openlineage.client.facet_v2 import error_message_run, parent_run, sql_job

        run_facets: dict[str, Any] = {}
        if batch.run_id is not None:
            parent = parent_run.ParentRunFacet(
                run=parent_run.Run(runId=batch.run_id), job=parent_run.Job(namespace=NAMESPACE, name="dx run")
            )
            run_facets["parent"] = parent
        state = RunState.COMPLETE if batch.status == "published" else RunState.FAIL
        if state is RunState.FAIL:
            run_facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(
                message=batch.message or batch.status, programmingLanguage="PYTHON"
            )
        query = contract.load_path.read_text(encoding="utf-8")
        job = Job(NAMESPACE, contract.id, facets={"sql": sql_job.SQLJobFacet(query=query)})
        run = Run(_run_id(self._warehouse, batch), facets=run_facets)
        inputs = [InputDataset(*_source(contract), facets=_schema(contract), inputFacets=_assertions(rules))]
        outputs = []
        if state is RunState.COMPLETE:
            ledger_table = parse_load_file(contract.load_path).ledger_step.target
            for table in parse_load_file(contract.load_path).targets:
                rows = (batch.inserted or 0) + (batch.updated or 0) if table == ledger_table else None
                outputs.append(
                    OutputDataset(
                        self._namespace(),
                        f"{self._warehouse.database}.{table}",
                        facets={"columnLineage": self._column_lineage(contract, table)},
                        outputFacets=_statistics(rows),
                    )
                )
        common: dict[str, Any] = {"run": run, "job": job, "producer": PRODUCER}
        yield RunEvent(eventTime=batch.started_at.isoformat(), eventType=RunState.START, **common)
        ended = (batch.published_at or batch.finished_at or batch.started_at).isoformat()
        yield RunEvent(eventTime=ended, eventType=state, inputs=inputs, outputs=outputs, **common)

    def _namespace(self) -> str:
        return f"postgres://{self._warehouse.host}:{self._warehouse.port or 5432}"

    def _column_lineage(self, contract: Contract, table: str) -> Any:
        from openlineage.client.facet_v2 import column_lineage_dataset as facet

        graph = self._graph()
        fields = {}
        for column in graph.columns(table):
            read = [self._dataset(contract, one) for one in _inputs(graph, ColumnRef(table, column))]
            if read:
                fields[column] = facet.Fields(
                    inputFields=[facet.InputField(namespace, name, field) for namespace, name, field in read]
                )
        return facet.ColumnLineageDatasetFacet(fields=fields)

    def _dataset(self, contract: Contract, column: ColumnRef) -> tuple[str, str, str]:
        if column.table.startswith(f"{SOURCE}:"):
            namespace, name = _source(contract)
            return namespace, name, column.column
        return self._namespace(), f"{self._warehouse.database}.{column.table}", column.column


def _inputs(graph: LineageGraph, column: ColumnRef) -> Iterator[ColumnRef]:
    """Direct inputs; a stage column, which lives for seconds, stands for the source's columns behind it."""
    seen: set[ColumnRef] = set()
    for source in graph.sources(column):
        for one in graph.sources(source) if source.table.startswith("stage.") else (source,):
            if one not in seen:
                seen.add(one)
                yield one


def _transport(settings: Settings) -> Transport:
    if settings.lineage.startswith(("http://", "https://")):
        from openlineage.client.transport.http import ApiKeyTokenProvider, HttpConfig, HttpTransport, TokenProvider

        key = settings.lineage_api_key
        auth = TokenProvider({}) if key is None else ApiKeyTokenProvider({"apiKey": key.get_secret_value()})
        return HttpTransport(HttpConfig(settings.lineage, timeout=_TIMEOUT_SECONDS, auth=auth, retry={"total": 1}))
    from openlineage.client.transport.file import FileConfig, FileTransport

    folder = settings.home / "lineage"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"openlineage-{datetime.now().astimezone():%Y-%m}.ndjson"
    return FileTransport(FileConfig(str(path), append=True))


def _run_id(warehouse: URL, batch: Batch) -> str:
    """A UUID that is the same whenever the batch is told of."""
    return str(
        uuid.uuid5(uuid.NAMESPACE_URL, f"{warehouse.host}/{warehouse.database}/{batch.started_at}/{batch.batch_id}")
    )


def _source(contract: Contract) -> tuple[str, str]:
    return f"{NAMESPACE}-source://{contract.system}", contract.source.label


def _schema(contract: Contract) -> dict[str, Any]:
    from openlineage.client.facet_v2 import schema_dataset as facet

    fields = [
        facet.SchemaDatasetFacetFields(
            name=column.source_name,
            type=column.physical_type or column.logical_type,
            description=f"{column.description_vi} | {column.description_en}",
        )
        for column in contract.columns
    ]
    return {"schema": facet.SchemaDatasetFacet(fields=fields)}


def _assertions(rules: Sequence[RuleResult]) -> dict[str, Any]:
    if not rules:
        return {}
    from openlineage.client.facet_v2 import data_quality_assertions_dataset as facet

    listed = [
        facet.Assertion(
            assertion=rule.code,
            success=rule.passed,
            severity="error" if rule.severity == "critical" else "warn",
            description=rule.message_en,
        )
        for rule in rules
    ]
    return {"dataQualityAssertions": facet.DataQualityAssertionsDatasetFacet(assertions=listed)}


def _statistics(rows: int | None) -> dict[str, Any]:
    if rows is None:
        return {}
    from openlineage.client.facet_v2 import output_statistics_output_dataset as facet

    return {"outputStatistics": facet.OutputStatisticsOutputDatasetFacet(rowCount=rows)}
