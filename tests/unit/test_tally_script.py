"""Tallies of marts: how the SQL is read, and what every tally of the project must say of itself."""

from __future__ import annotations

import re

import pytest

from dx_pipeline.errors import LoadFileError
from dx_pipeline.settings import PROJECT_ROOT
from dx_pipeline.warehouse.load_file import parse_load_file
from dx_pipeline.warehouse.marts import Mart, load_marts
from dx_pipeline.warehouse.tally_changes import TABLES
from dx_pipeline.warehouse.tally_script import Tally, split_at_tallies

MARTS = load_marts([PROJECT_ROOT])
TALLIES = [
    pytest.param(mart, piece, id=f"{mart.name}-{piece.name}")
    for mart in MARTS
    for piece in split_at_tallies(mart.script)
    if isinstance(piece, Tally)
]

SCRIPT = """-- What it is; a semicolon in a comment ends nothing.
set local enable_sort = off;

create temporary view recent as
select d.code, d.day from core.fact_dossier as d;

create temporary view not_read as select 1 as recently;

-- dx:tally adds=dossiers,late rebuilt_by=one_stop.thu_tuc
create temporary table counted on commit drop as
select r.day, count(*) as dossiers, 0::bigint as late -- core.dim_date; never read
from recent as r group by r.day;

delete from mart.probe;
"""


def test_a_script_is_split_at_its_tallies() -> None:
    before, tally, after = split_at_tallies(SCRIPT)
    assert isinstance(before, str)
    assert isinstance(after, str)
    assert isinstance(tally, Tally)
    assert "create temporary view recent" in before
    assert "delete from mart.probe" in after
    assert tally.name == "counted"
    assert tally.body.startswith("select r.day")
    assert tally.body.endswith("group by r.day")
    assert "dim_date" not in tally.body
    assert (tally.adds, tally.rebuilt_by, tally.clock) == (("dossiers", "late"), ("one_stop.thu_tuc",), None)
    assert tally.views == {"recent": "select d.code, d.day from core.fact_dossier as d"}


def test_a_script_without_tallies_is_one_piece() -> None:
    assert len(split_at_tallies("delete from mart.probe; -- nothing is kept")) == 1


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("-- dx:tally adds=n", "1 lines `-- dx:tally`, 0 tables"),
        ("-- dx:tally sums=n\ncreate temporary table t on commit drop as select 1 as n;", "unknown sums"),
        ("-- dx:tally clock=p\ncreate temporary table t on commit drop as select 1 as n;", "adds= or highest="),
        ("-- dx:tally adds=n clock=p\ncreate temporary table t on commit drop as select 1 as n;", "go together"),
        (
            "-- dx:tally adds=n clock=p moments=m dossier=x.code,x.day\n"
            "create temporary table t on commit drop as with a as (select 1) select 1 as n from a group by 1;",
            "one SELECT from one view",
        ),
    ],
)
def test_a_line_that_cannot_be_read_is_refused(line: str, told: str) -> None:
    with pytest.raises(LoadFileError, match=re.escape(told)):
        split_at_tallies(line)


@pytest.mark.parametrize(("mart", "tally"), TALLIES)
def test_no_name_of_a_kept_table_is_cut_off(mart: Mart, tally: Tally) -> None:
    assert len(f"{mart.name}__{tally.name}__open") <= 63


def test_the_marts_of_dossiers_keep_tallies() -> None:
    named = {parameter.values[0].name for parameter in TALLIES}  # type: ignore[attr-defined]
    read = {mart.name for mart in MARTS if re.search(r"\bcore\.fact_dossier\b", re.sub(r"--.*", "", mart.script))}
    assert read - named == set(), "a mart that reads all dossiers each time"


@pytest.mark.parametrize(("mart", "tally"), TALLIES)
def test_what_moves_a_tally_beside_its_dossiers_rebuilds_it(mart: Mart, tally: Tally) -> None:
    """Whatever else it reads must be told by ``rebuilt_by``: the datasets whose load files write those tables."""
    text = "\n".join([tally.body, *tally.views.values()])
    others = set(re.findall(r"\b(?:core|restricted)\.[a-z_]+\b", text)) - set(TABLES) - {"core.duplicate_dossier"}
    writers = set()
    for path in sorted((PROJECT_ROOT / "warehouse_sql" / "load").glob("*/*.sql")):
        for step in parse_load_file(path).steps:
            written = {step.target, step.fills, *step.changes}
            if step.merge != "infer" and written & others:  # a member is inferred for rows of the same batch only
                writers.add(f"{path.parent.name}.{path.stem}")
    assert set(tally.rebuilt_by) == writers
