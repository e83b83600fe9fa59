"""Which pseudonym keys the warehouse was filled with, known by check values, and where each version is."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import SettingsError


def known_keys(connection: Connection) -> dict[int, str]:
    """Version → check value of every key that was used here."""
    return {
        row[0]: row[1] for row in connection.exec_driver_sql("select key_version, check_value from ops.pseudonym_key")
    }


def deleted_keys(connection: Connection) -> set[int]:
    """Versions that were deleted on purpose."""
    return set(
        connection.exec_driver_sql("select key_version from ops.pseudonym_key where deleted_at is not null").scalars()
    )


def register_key(connection: Connection, version: int, check_value: str) -> None:
    """Note the first use of a key.

    Raises:
        SettingsError: another key was used under this number before.
    """
    connection.execute(
        sa.text(
            "insert into ops.pseudonym_key (key_version, check_value, first_used_at) values (:version, :value, now())"
            " on conflict (key_version) do nothing"
        ),
        {"version": version, "value": check_value},
    )
    known = known_keys(connection)[version]
    if known != check_value:
        raise SettingsError(
            f"key {version} in the key file is not the key {version} that this warehouse was filled with"
            f" (check value {check_value}, not {known})",
            next_step="put the right key file back from its own backup; if it is lost, `dx keys rotate --lost` begins a"
            " new version, whose pseudonyms match no earlier ones",
        )


def staged_key_version(connection: Connection, contract: Contract) -> int | None:
    """Version of the key that made the pseudonyms in the stage table of a dataset; None if there are none."""
    return connection.execute(
        sa.text("select key_version from ops.stage_content where system = :system and dataset = :dataset"),
        {"system": contract.system, "dataset": contract.dataset},
    ).scalar()


def pseudonym_tables(connection: Connection) -> list[str]:
    """Tables of ``restricted`` that hold pseudonyms and say by which version of the key."""
    return list(
        connection.exec_driver_sql(
            "select format('%%I.%%I', n.nspname, c.relname) from pg_class as c"
            " join pg_namespace as n on n.oid = c.relnamespace"
            " join pg_attribute as a on a.attrelid = c.oid and a.attname = 'key_version' and not a.attisdropped"
            " where n.nspname = 'restricted' and c.relkind in ('r', 'p') and not c.relispartition order by 1"
        ).scalars()
    )


def rows_by_version(connection: Connection) -> Mapping[str, dict[int, int]]:
    """Table → version of the key → rows."""
    return {
        table: {
            row[0]: row[1]
            for row in connection.exec_driver_sql(f"select key_version, count(*) from {table} group by 1 order by 1")
        }
        for table in pseudonym_tables(connection)
    }
