"""The control sums of a batch in the warehouse: taken of its stage and of the star, stored, and compared by gate."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.contract.model import Contract
from dx_pipeline.sql_quoting import identifier
from dx_pipeline.warehouse.load_file import LoadStep
from dx_pipeline.warehouse.merge_statement import LoadBinds, MergeCounts, Target, same_key, statement

GATES: Final = ("source", "landing", "cleaned", "accepted", "quarantined", "duplicate", "stage", "star")
_COMPARED: Final = (("source", "landing"), ("accepted", "stage"), ("stage", "star"))
MOST_ROWS_JOINED: Final = 20_000
"""Accepted rows up to which a batch is looked up in the star row by row; a larger one is added up."""
_BATCH: Final = "reconciled_batch"
_RELATIVE: Final = Decimal("1e-9")  # sums of floating point numbers depend on the order of the rows


@dataclass(frozen=True)
class Reconciled:
    """One measure through the gates: gate → value, and the pairs of gates that disagree."""

    measure: str
    values: Mapping[str, str | None]
    broken: tuple[tuple[str, str], ...]


def record_control_sums(connection: Connection, batch_id: int, gate: str, sums: Mapping[str, str | None]) -> None:
    """Store what a gate counted; what an earlier try stored there is replaced."""
    connection.execute(
        sa.text("delete from ops.control_sum where batch_id = :batch_id and gate = :gate"),
        {"batch_id": batch_id, "gate": gate},
    )
    if sums:
        connection.execute(
            sa.text(
                "insert into ops.control_sum (batch_id, gate, measure, value) values (:batch, :gate, :measure, :value)"
            ),
            [{"batch": batch_id, "gate": gate, "measure": name, "value": value} for name, value in sums.items()],
        )


def reconcile(connection: Connection, batch_id: int) -> list[Reconciled]:
    """The measures of a batch through all gates, rows first."""
    found = connection.execute(
        sa.text("select measure, gate, value from ops.control_sum where batch_id = :batch_id"), {"batch_id": batch_id}
    )
    values: dict[str, dict[str, str | None]] = {}
    for measure, gate, value in found:
        values.setdefault(measure, {})[gate] = value
    order = ("rows", "distinct_keys")
    measures = sorted(values, key=lambda name: (order.index(name) if name in order else len(order), name))
    return [
        Reconciled(
            measure,
            values[measure],
            tuple(_broken(measure, values[measure])),
        )
        for measure in measures
    ]


def _broken(measure: str, values: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    for before, after in _COMPARED:
        if before in values and after in values and not same_value(values[before], values[after]):
            yield before, after
    if measure == "rows" and {"landing", "cleaned"} <= values.keys() and values["landing"] != values["cleaned"]:
        yield "landing", "cleaned"
    parts = [values.get(gate) for gate in ("accepted", "quarantined", "duplicate")]
    if "cleaned" in values and None not in parts:
        total = sum(Decimal(str(part)) for part in parts)
        if not same_value(values["cleaned"], str(total)):
            yield "cleaned", "accepted + quarantined + duplicate"


def same_value(one: str | None, other: str | None) -> bool:
    """True for equal numbers (floating point sums may differ in the tenth digit), equal times, else equal texts."""
    if one is None or other is None:
        return one is other
    first, second = _number(one), _number(other)
    if first is not None and second is not None:
        return abs(first - second) <= _RELATIVE * max(abs(first), abs(second))
    then, now = _moment(one), _moment(other)
    return then == now if then is not None and now is not None else one == other


def stage_sums(
    connection: Connection, contract: Contract, totals: Sequence[str], *, count_keys: bool
) -> dict[str, str | None]:
    """Rows, sums and, if wanted, distinct keys of the accepted rows as the stage table holds them."""
    items = ["count(*)::text"] + [f"coalesce(sum({identifier(name)}), 0)::text" for name in totals]
    names = ["rows", *(f"sum({name})" for name in totals)]
    key = [name for name in contract.key_columns if not contract.column(name).is_personal]
    if count_keys and key and len(key) == len(contract.key_columns):
        items.append(f"count(distinct ({', '.join(identifier(name) for name in key)}))::text")
        names.append("distinct_keys")
    row = connection.exec_driver_sql(f"select {', '.join(items)} from stage.{identifier(contract.stage_table)}").one()
    return dict(zip(names, row, strict=True))


def star_sums(
    connection: Connection, step: LoadStep, target: Target, binds: LoadBinds, counts: MergeCounts, totals: Sequence[str]
) -> dict[str, str | None]:
    """Rows and sums of the batch as the star holds them, in the publishing transaction.

    A small batch is looked up by key: ``rows`` are those found, sums are over those the star holds with the same hash,
    the rest being newer there already. A large one that only inserted is added up by its number. For anything else, a
    large batch among existing rows, nothing is told.

    Args:
        totals: stage columns that are followed; the ledger step's SELECT says which star column holds each.
    """
    aliases = {name: alias for name in totals if (alias := star_column(step.sql, name)) is not None}
    if counts.rows <= MOST_ROWS_JOINED:
        row = _looked_up(connection, step, target, binds, list(aliases.values()))
    elif counts.inserted == counts.rows:
        row = _added_up(connection, target, binds, counts, list(aliases.values()))
    else:
        return {}
    found = dict(zip(["rows", *(f"sum({name})" for name in aliases)], row, strict=True))
    return {**found, "distinct_keys": found["rows"]}  # the key is the star table's primary key


def _looked_up(
    connection: Connection, step: LoadStep, target: Target, binds: LoadBinds, columns: list[str]
) -> Sequence[str]:
    wanted = ", ".join(f"q.{identifier(name)}" for name in dict.fromkeys([*step.key, "row_hash", *columns]))
    connection.execute(
        *statement(f"create temporary table {_BATCH} on commit drop as select {wanted} from ({step.sql}\n) as q", binds)
    )
    items = [f"count(t.{identifier(step.key[0])})::text"]
    for name in columns:
        value = f"case when t.row_hash = q.row_hash then t.{identifier(name)} else q.{identifier(name)} end"
        items.append(f"coalesce(sum({value}), 0)::text")
    # A few keys against millions of rows: each is looked up in the index of its month; the planner would read them all.
    connection.exec_driver_sql("set local enable_hashjoin = off; set local enable_mergejoin = off")
    row = connection.exec_driver_sql(
        f"select {', '.join(items)} from {_BATCH} as q left join {target.name} as t on {same_key('t', 'q', step.key)}"
    ).one()
    connection.exec_driver_sql(f"set local enable_hashjoin = on; set local enable_mergejoin = on; drop table {_BATCH}")
    return list(row)


def _added_up(
    connection: Connection, target: Target, binds: LoadBinds, counts: MergeCounts, columns: list[str]
) -> Sequence[str]:
    items = ["count(*)::text"] + [f"coalesce(sum(t.{identifier(name)}), 0)::text" for name in columns]
    where, bounds = "t.last_batch_id = :batch_id", {}
    if target.partition_column is not None and counts.months:
        cut_by = f"t.{identifier(target.partition_column)}"
        where += f" and {cut_by} >= :first_day and {cut_by} < :beyond"
        beyond = (max(counts.months) + timedelta(days=32)).replace(day=1)
        bounds = {"first_day": min(counts.months), "beyond": beyond}
    if target.kind_column is not None and counts.kind is not None:
        where += f" and t.{identifier(target.kind_column)} = {int(counts.kind)}"
    sql = f"select {', '.join(items)} from {target.name} as t where {where}"
    return list(connection.execute(*statement(sql, binds, **bounds)).one())


def star_column(sql: str, stage_column: str) -> str | None:
    """The name a SELECT gives to a stage column that it passes on as it is, or None.

    Read from lines of their own, as load files are written: ``s.so_tien as amount_vnd,``.
    """
    column = rf"[a-z_]\w*\.{re.escape(stage_column)}(?:::[a-z]\w*(?:\([\d, ]+\))?)?"
    line = rf"^\s*(?:select\s+)?{column}(?:\s+as\s+([a-z_]\w*))?\s*,?\s*$"
    found = re.findall(line, sql, re.MULTILINE)
    return (found[-1] or stage_column) if found else None


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
