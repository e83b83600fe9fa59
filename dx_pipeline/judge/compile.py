"""Great Expectations rules as SQL conditions on a row.

Every map expectation has a metric ``<map_metric>.condition`` whose value, on a SQL engine, is the
expression "this row is unexpected". Asking for it scans nothing (but z-scores, whose mean and deviation
are computed and written into the expression). What has no such metric stays with Great Expectations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from great_expectations.datasource.fluent.interfaces import Batch
from great_expectations.exceptions.exceptions import MetricProviderError
from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.expectation import (
    ColumnMapExpectation,
    ColumnPairMapExpectation,
    Expectation,
    MulticolumnMapExpectation,
)
from great_expectations.expectations.registry import get_metric_kwargs, get_metric_provider
from great_expectations.expectations.row_conditions import Condition, deserialize_row_condition
from great_expectations.validator.metric_configuration import MetricConfiguration
from great_expectations.validator.validator import Validator

from dx_pipeline.judge.duckdb_dialect import literal_sql
from dx_pipeline.judge.rule_spec import RuleSpec
from dx_pipeline.judge.tagging import RowRule

MAP_EXPECTATIONS = (ColumnMapExpectation, ColumnPairMapExpectation, MulticolumnMapExpectation)
_ROW_COUNT = "table.row_count"
_UNIQUENESS_METRICS = frozenset({"column_values.unique", "compound_columns.unique"})
_IGNORE_ALL_MISSING = ("both_values_are_missing", "all_values_are_missing")
_IGNORE_ANY_MISSING = ("either_value_is_missing", "any_value_is_missing")


@dataclass(frozen=True)
class CompiledRule:
    """A rule in SQL beside the expectation that turns its counts into a result."""

    row_rule: RowRule
    expectation: Expectation
    map_metric: str


@dataclass(frozen=True)
class CompiledSuite:
    """Rules that became SQL, and the expectations left to Great Expectations, by code."""

    rules: tuple[CompiledRule, ...]
    rest: Mapping[str, Expectation]
    engine: SqlAlchemyExecutionEngine


@dataclass(frozen=True)
class _Candidate:
    spec: RuleSpec
    expectation: Any
    condition: MetricConfiguration


def compile_rules(
    specs: Sequence[RuleSpec], expectations: Mapping[str, Expectation], batch: Batch, context: Any
) -> CompiledSuite:
    """Compile every row-level rule for the engine behind ``batch``; nothing is scanned."""
    engine = batch.data.execution_engine
    if not isinstance(engine, SqlAlchemyExecutionEngine):
        raise TypeError(f"rules compile on a SQL engine, not on {type(engine).__name__}")
    validator = Validator(execution_engine=engine, batches=[batch], data_context=context)
    rest: dict[str, Expectation] = {}
    candidates = []
    for spec in specs:
        candidate = _candidate(spec, expectations[spec.code], validator, engine)
        if candidate is None:
            rest[spec.code] = expectations[spec.code]
        else:
            candidates.append(candidate)
    wanted = [c.condition for c in candidates if c.expectation.map_metric not in _UNIQUENESS_METRICS]
    with _without_counting(engine):
        resolved, aborted = validator.compute_metrics(wanted, runtime_configuration=None)
    rules = []
    for candidate in candidates:
        code = candidate.spec.code
        if candidate.condition.id in aborted:
            rest[code] = expectations[code]  # Great Expectations reports the exception
            continue
        broken = None
        if candidate.expectation.map_metric not in _UNIQUENESS_METRICS:
            expression: Any = resolved[candidate.condition.id]
            broken = literal_sql(expression[0])
        rules.append(_compiled(candidate, broken, engine))
    return CompiledSuite(tuple(rules), rest, engine)


@contextmanager
def _without_counting(engine: SqlAlchemyExecutionEngine) -> Iterator[None]:
    """Within it, rows are not counted.

    Great Expectations makes ``table.row_count`` a dependency of every condition, one count for each ``row_condition``.
    No condition is made of it, and each is a scan of the batch.
    """
    work_out: Any = engine.resolve_metric_bundle

    def work_out_the_rest(metric_fn_bundle: Iterable[Any]) -> dict[Any, Any]:
        counts: dict[Any, Any] = {}
        rest = []
        for one in metric_fn_bundle:
            if one.metric_configuration.metric_name == _ROW_COUNT:
                counts[one.metric_configuration.id] = None
            else:
                rest.append(one)
        return {**counts, **work_out(rest)}

    engine.resolve_metric_bundle = work_out_the_rest  # type: ignore[method-assign]
    try:
        yield
    finally:
        del engine.resolve_metric_bundle


def _candidate(
    spec: RuleSpec, expectation: Expectation, validator: Validator, engine: SqlAlchemyExecutionEngine
) -> _Candidate | None:
    """The rule with its condition metric bound to the batch; None if it has none on this engine."""
    if not isinstance(expectation, MAP_EXPECTATIONS):
        return None
    [configuration] = validator.process_expectations_for_validation([expectation.configuration])
    bound: Any = configuration.to_domain_obj()
    try:
        get_metric_provider(f"{bound.map_metric}.condition", engine)
    except MetricProviderError:
        return None
    kwargs = get_metric_kwargs(
        metric_name=f"{bound.map_metric}.unexpected_count",
        configuration=configuration,
        runtime_configuration={},
    )
    condition = MetricConfiguration(
        f"{bound.map_metric}.condition", kwargs["metric_domain_kwargs"], kwargs["metric_value_kwargs"]
    )
    return _Candidate(spec, bound, condition)


def _compiled(candidate: _Candidate, broken: str | None, engine: SqlAlchemyExecutionEngine) -> CompiledRule:
    domain_kwargs = candidate.condition.metric_domain_kwargs
    columns = _domain_columns(domain_kwargs)
    row_condition = deserialize_row_condition(domain_kwargs.get("row_condition"))
    row_filter = engine.condition_to_filter_clause(row_condition) if isinstance(row_condition, Condition) else None
    domain = _domain(row_filter, domain_kwargs.get("ignore_row_if"), columns)
    return CompiledRule(
        row_rule=RowRule(
            code=candidate.spec.code,
            columns=tuple(name for name in columns if name in candidate.spec.columns),
            broken=broken,
            row_filter=None if row_filter is None else literal_sql(row_filter),
            domain=None if domain is None else literal_sql(domain),
            quarantines=candidate.spec.quarantines,
            flags=candidate.spec.flags,
        ),
        expectation=candidate.expectation,
        map_metric=str(candidate.expectation.map_metric),
    )


def _domain_columns(domain_kwargs: Mapping[str, Any]) -> tuple[str, ...]:
    if "column" in domain_kwargs:
        return (domain_kwargs["column"],)
    if "column_A" in domain_kwargs:
        return (domain_kwargs["column_A"], domain_kwargs["column_B"])
    return tuple(domain_kwargs["column_list"])


def _domain(row_filter: Any | None, ignore_row_if: object, columns: Sequence[str]) -> Any | None:
    """Expression "the rule looks at this row", or None when it looks at every row."""
    parts = [] if row_filter is None else [row_filter]
    missing = [sa.column(name).is_(None) for name in columns]
    if ignore_row_if in _IGNORE_ALL_MISSING:
        parts.append(sa.not_(sa.and_(*missing)))
    elif ignore_row_if in _IGNORE_ANY_MISSING:
        parts.append(sa.not_(sa.or_(*missing)))
    return sa.and_(*parts) if parts else None
