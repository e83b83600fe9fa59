"""Great Expectations on one batch: rules compiled to SQL, what has no SQL form validated, results for all."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import duckdb
from great_expectations.core.expectation_validation_result import ExpectationValidationResult

from dx_pipeline.contract.model import Contract
from dx_pipeline.judge.batch_session import BatchSession, without_values
from dx_pipeline.judge.compile import CompiledRule, CompiledSuite, compile_rules
from dx_pipeline.judge.deduplicate import JUDGED
from dx_pipeline.judge.duckdb_dialect import shared_session
from dx_pipeline.judge.gx_suite import build_expectations, named_suite, quiet_context
from dx_pipeline.judge.outcome import MASK, RuleOutcome, masked_json, personal_columns
from dx_pipeline.judge.rule_spec import RuleSpec, Suite, rule_label
from dx_pipeline.judge.settled_configurations import settled_configurations
from dx_pipeline.judge.suite import suite_error
from dx_pipeline.judge.tagging import RowRule, TaggingQuery
from dx_pipeline.judge.tally import SUMMARY, RuleCounts, Tally, rule_result
from dx_pipeline.sql_quoting import identifier


class RuleEngine:
    """A suite bound to the view ``judged`` of a session, in a Great Expectations context of its own."""

    def __init__(self, contract: Contract, suite: Suite, session: BatchSession) -> None:
        self._suite = suite
        self._session = session
        self._personal = personal_columns(contract)
        self._tally: Tally | None = None
        self._resources = ExitStack()
        try:
            self._bind()
        except BaseException:
            self._resources.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._resources.close()

    def _bind(self) -> None:
        self._check_predicates()
        self._expectations = build_expectations(self._suite)
        url = self._resources.enter_context(shared_session(self._session.connection))
        name = url.rpartition("/")[2]
        context = quiet_context()
        source = context.data_sources.add_sql(name, connection_string=url)
        self._resources.callback(source.get_engine().dispose)
        self._resources.callback(source.get_execution_engine().close)
        asset = source.add_table_asset(name, table_name=JUDGED)
        self._batch = asset.add_batch_definition_whole_table(name).get_batch()
        with settled_configurations():
            compiled = compile_rules(self._suite.rules, self._expectations, self._batch, context)
        self._compiled = self._without_unbindable(compiled)

    def _check_predicates(self) -> None:
        """SuiteError if a SQL predicate reads columns it does not list, or is no condition at all."""
        problems = []
        for rule in self._suite.rules:
            if rule.type == "expect_columns_to_satisfy_sql":
                listed = ", ".join(identifier(name) for name in rule.kwargs["column_list"])
                try:
                    self._session.types_of(
                        f"select ({rule.kwargs['sql']})::boolean from (select {listed} from {JUDGED})"
                    )
                except duckdb.Error as error:
                    problems.append(f"{rule_label(rule.position, rule.code)}: broken sql: {without_values(error)}")
        if problems:
            raise suite_error(self._suite.path, problems)

    def _without_unbindable(self, compiled: CompiledSuite) -> CompiledSuite:
        """Leave rules whose condition does not fit the column types to Great Expectations, which says why."""
        if self._binds(*(rule.row_rule for rule in compiled.rules)):
            return compiled
        fitting = tuple(rule for rule in compiled.rules if self._binds(rule.row_rule))
        kept = {rule.row_rule.code for rule in fitting}
        unfit = {
            r.row_rule.code: self._expectations[r.row_rule.code] for r in compiled.rules if r.row_rule.code not in kept
        }
        return CompiledSuite(fitting, {**compiled.rest, **unfit}, compiled.engine)

    def _binds(self, *rules: RowRule) -> bool:
        conditions = [c for rule in rules for c in (rule.broken, rule.domain) if c is not None]
        if not conditions:
            return True
        try:
            self._session.types_of(f"select {', '.join(f'({c})::boolean' for c in conditions)} from {JUDGED}")
        except duckdb.Error:
            return False
        return True

    def crashing_rule(self) -> str | None:
        """Code of the first rule whose condition DuckDB cannot evaluate on some row, or None."""
        with self._session.connection.cursor() as cursor:
            for rule in self.row_rules():
                for condition in (rule.broken, rule.domain):
                    if condition is None:
                        continue
                    try:
                        cursor.execute(f"select count(*) filter (where {condition}) from {JUDGED}").fetchall()
                    except duckdb.Error:
                        return rule.code
        return None

    def row_rules(self) -> list[RowRule]:
        """The rules that the tagging pass judges."""
        return [rule.row_rule for rule in self._compiled.rules]

    def start_tally(self, query: TaggingQuery) -> Tally:
        """A tally for that query; ``outcomes`` reads it."""
        self._tally = Tally(query.flags, query.register.words)
        return self._tally

    def outcomes(self, rows: int) -> tuple[RuleOutcome, ...]:
        """Outcome of every rule in suite order, after the pass. ``rows``: rows judged."""
        compiled = {rule.row_rule.code: rule for rule in self._compiled.rules}
        counted = {code: self._counts(code) for code in compiled}
        values = self._sample_values(compiled, counted)
        rest = self._rest_results(rows)
        found = []
        for spec in self._suite.rules:
            if spec.code in compiled:
                counts = counted[spec.code]
                with settled_configurations():
                    result = rule_result(compiled[spec.code], counts, values[spec.code], self._compiled)
                evaluated = counts.in_domain - self._skipped(spec, counts)
                found.append(_outcome(spec, result, evaluated, hidden=False))
            elif spec.code in rest:
                result = rest[spec.code]
                evaluated = self._looked_at(spec, result, rows)
                found.append(_outcome(spec, result, evaluated, hidden=self._may_show_personal(spec)))
            else:
                found.append(_not_evaluated(spec))
        return tuple(found)

    def _counts(self, code: str) -> RuleCounts:
        return RuleCounts(0, 0, 0, 0, ()) if self._tally is None else self._tally.counts(code)

    def _skipped(self, spec: RuleSpec, counts: RuleCounts) -> int:
        """Rows the rule passes over because the value is missing (single-column rules do)."""
        looks_at_nulls = spec.type in (
            "expect_column_values_to_not_be_null",
            "expect_column_values_to_be_null",
        )
        return counts.missing if "column" in spec.kwargs and not looks_at_nulls else 0

    def _sample_values(
        self, compiled: Mapping[str, CompiledRule], counted: Mapping[str, RuleCounts]
    ) -> dict[str, list[Any]]:
        """Values of the sample rows per rule: one value, or a tuple for rules on several columns."""
        wanted = {code: rule.row_rule.columns for code, rule in compiled.items()}
        rows = sorted({row for counts in counted.values() for row in counts.sample_rows})
        columns = sorted({c for code, cs in wanted.items() if counted[code].sample_rows for c in cs} - self._personal)
        by_row: dict[int, dict[str, Any]] = {}
        if rows:
            listed = ", ".join(["_row", *(identifier(name) for name in columns if name != "_row")])
            fetched = self._session.connection.sql(
                f"select {listed} from {JUDGED} where _row in ({', '.join(map(str, rows))})"
            ).to_arrow_table()
            by_row = {record["_row"]: record for record in fetched.to_pylist()}
        samples: dict[str, list[Any]] = {}
        for code, names in wanted.items():
            shown = [
                tuple(MASK if name in self._personal else by_row[row][name] for name in names)
                for row in counted[code].sample_rows
            ]
            samples[code] = [values[0] if len(names) == 1 else values for values in shown]
        return samples

    def _rest_results(self, rows: int) -> dict[str, ExpectationValidationResult]:
        """Plain Great Expectations results of the rules without a SQL condition, by code.

        On an empty batch only rules about the table itself mean anything.
        """
        specs = {spec.code: spec for spec in self._suite.rules}
        chosen = [e for code, e in self._compiled.rest.items() if rows or specs[code].scope == "table"]
        if not chosen:
            return {}
        validation: Any = self._batch.validate(named_suite(self._suite.name, chosen), result_format=SUMMARY)
        return {result.expectation_config.meta["code"]: result for result in validation.results}

    def _looked_at(self, spec: RuleSpec, result: ExpectationValidationResult, rows: int) -> int:
        if spec.scope == "column" and len(spec.columns) == 1:
            column = identifier(spec.columns[0])
            row = self._session.connection.execute(f"select count({column}) from {JUDGED}").fetchone()
            return int(row[0]) if row else 0
        values: Any = result.result
        return int(values.get("element_count", rows)) - int(values.get("missing_count", 0) or 0)

    def _may_show_personal(self, spec: RuleSpec) -> bool:
        """A result that Great Expectations made itself may hold values; a query may return any column."""
        return spec.type == "unexpected_rows_expectation" or not self._personal.isdisjoint(spec.columns)


def _outcome(spec: RuleSpec, result: ExpectationValidationResult, evaluated: int, hidden: bool) -> RuleOutcome:
    values: Any = result.result
    exception = _exception(result)
    samples = [_text(value) for value in values.get("partial_unexpected_list") or []]
    return RuleOutcome(
        code=spec.code,
        type=spec.type,
        severity=spec.severity,
        message_vi=spec.message_vi,
        message_en=spec.message_en,
        passed=bool(result.success) and exception is None,
        evaluated=0 if exception else evaluated,
        unexpected=int(values.get("unexpected_count") or 0),
        unexpected_percent=float(values.get("unexpected_percent") or 0.0),
        missing=int(values.get("missing_count") or 0),
        samples=tuple(MASK if hidden else sample for sample in samples),
        vacuous=exception is None and evaluated == 0 and spec.scope != "table",
        exception=exception,
        gx_result=masked_json(result.to_json_dict(), exception, hidden=hidden),
    )


def _not_evaluated(spec: RuleSpec) -> RuleOutcome:
    """Outcome of a rule that an empty batch gives nothing to look at."""
    return RuleOutcome(
        code=spec.code,
        type=spec.type,
        severity=spec.severity,
        message_vi=spec.message_vi,
        message_en=spec.message_en,
        passed=True,
        evaluated=0,
        unexpected=0,
        unexpected_percent=0.0,
        missing=0,
        samples=(),
        vacuous=True,
        exception=None,
        gx_result={},
    )


def _text(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return ", ".join(_text(part) for part in value)
    return "null" if value is None else str(value)


def _exception(result: ExpectationValidationResult) -> str | None:
    """First exception of a result, without data values; Great Expectations nests them per metric."""
    info: Any = result.exception_info or {}
    if info.get("raised_exception"):
        return without_values(info.get("exception_message") or "unknown exception")
    for part in info.values():
        if isinstance(part, dict) and part.get("raised_exception"):
            return without_values(part.get("exception_message") or "unknown exception")
    return None
