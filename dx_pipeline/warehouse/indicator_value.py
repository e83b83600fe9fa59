"""The value of an indicator, computed from its declaration: one statement over its mart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import sqlalchemy as sa
import sqlglot
from sqlalchemy.engine import Connection
from sqlglot import exp

from dx_pipeline.contract.indicator import Indicator
from dx_pipeline.errors import SettingsError, WarehouseError


@dataclass(frozen=True)
class IndicatorValue:
    """The indicator for one part of what was asked for.

    Attributes:
        part: key and label of each dimension asked for, in that order.
        denominator: None if the indicator has none.
        value: None where the denominator is 0: not applicable, neither 0 nor 100.
    """

    part: tuple[tuple[str, str], ...]
    numerator: Decimal | None
    denominator: Decimal | None
    value: Decimal | None


def indicator_sql(indicator: Indicator, by: Sequence[str] = ()) -> str:
    """The statement; ``:since`` and ``:until`` are days of the periods asked for, null for no limit.

    Raises:
        SettingsError: the indicator cannot be broken down so.
    """
    unknown = [name for name in by if name not in indicator.dimensions]
    if unknown:
        known = ", ".join(indicator.dimensions) or "nothing"
        raise SettingsError(f"indicator {indicator.id} is not known by {unknown[0]}", next_step=f"known: {known}")
    keys, labels, order = _columns(indicator, by)
    where = [f"({indicator.condition})"] if indicator.condition else []
    if indicator.time is not None:
        limits = _limits(indicator.time.column, indicator.time.unit)
        where += limits
        if indicator.time.over_time == "latest" and indicator.time.unit not in by:
            latest = " and ".join([*where[: len(where) - len(limits)], *limits])
            where.append(
                f"m.{indicator.time.column} = (select max(m.{indicator.time.column}) from mart.{indicator.mart} as m"
                f" where {latest})"
            )
    denominator = f"cast({indicator.denominator} as numeric)" if indicator.denominator else "cast(null as numeric)"
    selected = [*keys, *labels, f"cast({indicator.numerator} as numeric) as numerator", f"{denominator} as denominator"]
    inner = f"select {', '.join(selected)} from mart.{indicator.mart} as m"
    if where:
        inner += f" where {' and '.join(where)}"
    if keys:
        inner += f" group by {', '.join(str(position + 1) for position in range(len(keys)))}"
    value = _value(indicator, "v.numerator", "v.denominator")
    return f"select v.*, {value} as value from ({inner}) as v" + (f" order by {', '.join(order)}" if order else "")


def indicator_expression(indicator: Indicator) -> str:
    """The indicator as one aggregate over rows of its mart, for tools that group and filter themselves.

    The condition stands in each aggregate, so that indicators of one mart can be shown side by side. A stock is right
    within one period only: see ``latest_rows_sql``.
    """
    numerator = f"cast({_conditional(indicator, indicator.numerator)} as numeric)"
    denominator = f"cast({_conditional(indicator, indicator.denominator)} as numeric)" if indicator.denominator else ""
    return _value(indicator, numerator, denominator)


def latest_rows_sql(mart: str, time_column: str) -> str:
    """The rows of a mart in its last period: what stocks are counted in."""
    return (
        f"select m.* from mart.{mart} as m where m.{time_column} = (select max(x.{time_column}) from mart.{mart} as x)"
    )


def indicator_values(
    connection: Connection,
    indicator: Indicator,
    *,
    by: Sequence[str] = (),
    since: date | None = None,
    until: date | None = None,
) -> list[IndicatorValue]:
    """Ask the warehouse.

    Args:
        since, until: first and last period, both included; any day of the period.

    Raises:
        SettingsError: the indicator cannot be broken down or limited so.
        WarehouseError: the mart does not have what the declaration names.
    """
    if indicator.time is None and (since or until):
        raise SettingsError(
            f"indicator {indicator.id}: mart.{indicator.mart} shows only the present",
            next_step="leave the period out",
        )
    statement = sa.text(indicator_sql(indicator, by))
    values = {} if indicator.time is None else {"since": since, "until": until}
    try:
        rows = connection.execute(statement, values).all()
    except sa.exc.DBAPIError as error:
        raise WarehouseError(
            f"indicator {indicator.id}: {str(error.orig).splitlines()[0]}",
            next_step=f"compare assets/indicators/{indicator.id}.yaml with the columns of mart.{indicator.mart}",
        ) from None
    count = len(by)
    return [
        IndicatorValue(
            part=tuple((str(row[i]), str(row[count + i])) for i in range(count)),
            numerator=row.numerator,
            denominator=row.denominator,
            value=row.value,
        )
        for row in rows
    ]


def _value(indicator: Indicator, numerator: str, denominator: str) -> str:
    """Numerator by denominator, empty where that is 0, times the factor, rounded."""
    quotient = f"{numerator} / nullif({denominator}, 0)" if indicator.denominator else numerator
    return f"round({quotient} * {Decimal(str(indicator.factor))}, {indicator.decimals})"


def _conditional(indicator: Indicator, fragment: str) -> str:
    if indicator.condition is None:
        return fragment
    tree = sqlglot.parse_one(fragment, dialect="postgres")
    condition = sqlglot.parse_one(indicator.condition, dialect="postgres")
    for aggregate in list(tree.find_all(exp.AggFunc)):
        holder = aggregate.parent
        if isinstance(holder, exp.Filter):
            holder.set("expression", exp.Where(this=exp.and_(holder.expression.this.copy(), condition.copy())))
            continue
        filtered = exp.Filter(this=aggregate.copy(), expression=exp.Where(this=condition.copy()))
        if aggregate is tree:
            tree = filtered
        else:
            aggregate.replace(filtered)
    return tree.sql(dialect="postgres")


def _columns(indicator: Indicator, by: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """Selected key columns, selected label columns, and the order of the rows."""
    keys, labels, order = [], [], []
    for position, name in enumerate(by):
        if indicator.time is not None and name == indicator.time.unit:
            column = f"m.{indicator.time.column}"
            key = f"to_char({column}, 'YYYY-MM')" if name == "month" else column
            label = key
        else:
            dimension = indicator.by[name]
            key = f"m.{dimension.key}"
            label = f"m.{dimension.label}" if dimension.label else key
        keys.append(f"{key} as key_{position}")
        labels.append(f"max(cast({label} as text)) as label_{position}")
        order.append(f"v.key_{position}")
    return keys, labels, order


def _limits(column: str, unit: str) -> list[str]:
    if unit == "year":
        return [
            f"m.{column} >= coalesce(extract(year from cast(:since as date)), m.{column})",
            f"m.{column} <= coalesce(extract(year from cast(:until as date)), m.{column})",
        ]
    return [
        f"m.{column} >= coalesce(cast(date_trunc('month', cast(cast(:since as date) as timestamp)) as date), m.{column})",
        f"m.{column} <= coalesce(cast(:until as date), m.{column})",
    ]
