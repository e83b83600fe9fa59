"""Decisions of people about rows that a source no longer has: a part was withdrawn, or all that vanished is accepted.

A decision waits for the next delivery that speaks for the whole dataset, which carries it out in its own transaction.
"""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import SettingsError
from dx_pipeline.warehouse.delivery import Delivery
from dx_pipeline.warehouse.load_file import parse_load_file
from dx_pipeline.warehouse.merge_closing import scope_columns

HOURS_VALID = 24  # an acceptance was given for what the source is now, not for what it may be next month
_WAITING = f"carried_out_by is null and (part is not null or decided_at > now() - interval '{HOURS_VALID} hours')"


@dataclass(frozen=True)
class VanishingDecision:
    """One row of ``ops.vanishing_decision``; without a part all that vanished is accepted."""

    decision_id: int
    dataset: str
    part: str | None
    reason: str
    decided_by: str
    decided_at: datetime
    carried_out_by: int | None
    rows_closed: int | None


def scope_of(contract: Contract) -> str | None:
    """Column of the target by which deliveries of the dataset are told apart, if there is exactly one."""
    if not contract.load.covers:
        return None
    delivery = Delivery(key=contract.key_columns, covers=contract.load.covers)
    for step in parse_load_file(contract.load_path).steps:
        if (step.ledger and step.close_missing) or step.closes:
            scope = scope_columns(step, delivery)
            return scope[0] if len(scope) == 1 else None
    return None


def decide(connection: Connection, contract: Contract, *, part: str | None, by: str, reason: str) -> None:
    """Write down a decision.

    Args:
        part: ``column=value`` as messages name it; None accepts whatever the next whole read does not hold any more.

    Raises:
        SettingsError: name or reason is missing, or the part is not one of this dataset.
    """
    if not by.strip() or not reason.strip():
        raise SettingsError(
            f"{contract.id}: the decision needs a name and a reason", next_step='--by "Nguyễn Văn A" --reason "…"'
        )
    value = None
    if part is not None:
        scope = scope_of(contract)
        if scope is None:
            raise SettingsError(
                f"{contract.id}: a delivery of this dataset speaks for all of it, so it has no parts to withdraw",
                next_step=f"`dx vanished accept {contract.id}` closes what the source no longer has",
            )
        name, _, value = part.partition("=")
        if name != scope or not value.strip():
            raise SettingsError(
                f"{contract.id}: {part[:60]!r} is no part of it", next_step=f"write {scope}=VALUE, as `dx run` names it"
            )
        value = value.strip()
    connection.execute(
        sa.text(
            "insert into ops.vanishing_decision (dataset, part, reason, decided_by, login)"
            " values (:dataset, :part, :reason, :by, :login)"
        ),
        {"dataset": contract.id, "part": value, "reason": reason.strip(), "by": by.strip(), "login": getpass.getuser()},
    )


def decided(connection: Connection, contract: Contract) -> tuple[str | None, ...]:
    """The parts of the decisions that wait for the next whole delivery; None stands for an acceptance."""
    found = connection.execute(
        sa.text(f"select distinct part from ops.vanishing_decision where dataset = :dataset and {_WAITING}"),
        {"dataset": contract.id},
    )
    return tuple(found.scalars())


def carry_out(connection: Connection, contract: Contract, batch_id: int, closed: int) -> None:
    """Note that this batch has carried out what was decided; in its publishing transaction."""
    connection.execute(
        sa.text(
            "update ops.vanishing_decision set carried_out_by = :batch_id, rows_closed = :closed"
            f" where dataset = :dataset and {_WAITING.replace('now()', 'cast(:now as timestamptz)')}"
        ),
        {
            "batch_id": batch_id,
            "closed": closed,
            "dataset": contract.id,
            "now": connection.execute(sa.text("select now()")).scalar_one(),
        },
    )


def list_decisions(connection: Connection, *, limit: int = 50) -> list[VanishingDecision]:
    """Decisions, newest first."""
    rows = connection.execute(
        sa.text(
            "select decision_id, dataset, part, reason, decided_by, decided_at, carried_out_by, rows_closed"
            " from ops.vanishing_decision order by decision_id desc limit :limit"
        ),
        {"limit": limit},
    ).mappings()
    return [VanishingDecision(**row) for row in rows]
