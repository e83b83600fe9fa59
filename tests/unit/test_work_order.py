"""In which order the datasets of a run are worked on."""

from __future__ import annotations

import pytest

from dx_pipeline.contract.catalog import load_catalog
from dx_pipeline.errors import LoadFileError
from dx_pipeline.orchestration.work_order import work_order
from dx_pipeline.settings import PROJECT_ROOT
from dx_pipeline.warehouse.load_file import parse_load_file
from dx_pipeline.warehouse.marts import load_marts


def test_catalogues_come_before_what_looks_them_up() -> None:
    order = work_order(load_catalog((PROJECT_ROOT,)).contracts.values(), load_marts((PROJECT_ROOT,)))
    dossiers = order.index("one_stop.ho_so")
    for catalogue in ("groups", "thu_tuc", "thay_doi_muc_do_thu_tuc", "linh_vuc"):
        assert order.index(f"one_stop.{catalogue}") < dossiers, catalogue


def test_a_statement_says_which_table_it_fills() -> None:
    load = parse_load_file(PROJECT_ROOT / "warehouse_sql" / "load" / "one_stop" / "thu_tuc.sql")
    assert load.filled == {"core.procedure_catalogue", "core.dim_procedure"}


def test_only_a_statement_may_say_so(tmp_path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "x.sql"
    file.write_text(
        "-- dx:step merge=upsert target=core.t key=k fills=core.u ledger\nselect 1 as k\n", encoding="utf-8"
    )
    with pytest.raises(LoadFileError, match="fills= belongs to a merge=sql step"):
        parse_load_file(file)
