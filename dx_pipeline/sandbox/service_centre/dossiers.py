"""Dossiers of the one-stop sandbox that citizens may have rated: ended, handed over, and without any planted fault."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dx_pipeline.errors import SettingsError


@dataclass(frozen=True)
class EndedDossier:
    """A dossier's code, and when it ended and was handed over (local times)."""

    code: str
    ended: datetime
    returned: datetime


def ended_dossiers(url: str, truth_file: Path, most: int) -> list[EndedDossier]:
    """At most so many, spread over the whole time; in the order of their ids.

    Raises:
        SettingsError: the one-stop system is not there.
    """
    query = (
        'select "Id", "MaHoSo", "NgayKetThucXuLy", "NgayTra" from motcua.ho_so'
        ' where "TrangThaiHoSo" = \'10\' and "DeletedOn" is null and "MaHoSo" ~ \'^(H50|000[.])\''
        ' and "NgayKetThucXuLy" ~ \'^[0-9]{14}$\' and "NgayTra" ~ \'^[0-9]{14}$\' order by "Id"'
    )
    try:
        with psycopg.connect(url) as connection:
            rows = connection.execute(query).fetchall()
    except psycopg.Error:
        raise SettingsError(
            "the service centre's ratings need the dossiers of the one-stop sandbox, and they are not there",
            next_step="`dx sandbox build --fresh`",
        ) from None
    truth = pq.read_table(truth_file, columns=["table", "source_id", "ma_ho_so"])
    truth = truth.filter(pc.equal(truth["table"], "ho_so"))
    faulty, named = set(truth["source_id"].to_pylist()), set(truth["ma_ho_so"].to_pylist())
    clean = [row for row in rows if row[0] not in faulty and row[1] not in named]
    step = max(1, -(-len(clean) // most))
    return [EndedDossier(code, _moment(ended), _moment(returned)) for _, code, ended, returned in clean[::step]]


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%d%H%M%S")
