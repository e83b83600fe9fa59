"""Assessment by people: files checked as a whole, places with ties, not applicable, excluded, published versions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from dx_pipeline.contract.indicator_set import load_indicator_sets, read_indicator_set
from dx_pipeline.errors import SettingsError
from dx_pipeline.warehouse import publication
from dx_pipeline.warehouse.assessment import exclude, load_entries
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.indicator_set import add_revision, sync_indicator_sets
from dx_pipeline.warehouse.marts import load_marts
from dx_pipeline.warehouse.national_figure import load_national_figures
from dx_pipeline.warehouse.score import provisional_years
from tests.conftest import ROOT
from tests.integration.star_warehouse import ask, migrated_warehouse, refresh, running_server

SET = "2793-2022"
SCORES = {
    "code": SET,
    "name": {"vi": "Bảng điểm thử", "en": "A score table for the test"},
    "source": {"kind": "legal", "text": {"vi": "2793/QĐ-UBND", "en": "2793/QĐ-UBND"}},
    "valid_from": "2022-10-31",
    "total": 100,
    "state": "complete",
    "assessed": True,
    "groups": [
        {
            "code": "A",
            "name": {"vi": "A", "en": "A"},
            "max_points": 100,
            "components": [
                {
                    "code": code,
                    "name": {"vi": code, "en": code},
                    "max_points": points,
                    "why": {"vi": "Người chấm", "en": "Scored by people"},
                }
                for code, points in (("A1", 60), ("A2", 30), ("A3", 10))
            ],
        }
    ],
}


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    with running_server() as server, migrated_warehouse(server) as opened:
        with opened.loader() as connection:
            for number in range(1, 6):
                connection.exec_driver_sql(
                    "insert into core.dim_agency (agency_code, name, kind, level, valid_from)"
                    f" values ('H50.0{number}', 'Sở {number}', 'so-ban-nganh', 'province', '1900-01-01')"
                )
        yield opened


def load(warehouse: Warehouse, path: Path, stage: str, lines: list[str], by: str) -> None:
    path.write_text("agency_code,component_code,score,evidence,remark\n" + "\n".join(lines) + "\n", encoding="utf-8")
    with warehouse.loader() as connection:
        load_entries(connection, path, set_code=SET, year=2024, stage=stage, by=by)  # type: ignore[arg-type]


def test_from_placeholder_to_published_places(warehouse: Warehouse, tmp_path: Path) -> None:
    file = tmp_path / "scores.csv"
    with warehouse.loader() as connection:
        assert len(sync_indicator_sets(connection, load_indicator_sets([ROOT]))) == 7
        assert sync_indicator_sets(connection, load_indicator_sets([ROOT])) == []
    with pytest.raises(SettingsError, match="no components with points"):
        load(warehouse, file, "self", ["H50.01,A1,1,x,"], "Sở 1")

    table = tmp_path / f"{SET}.yaml"
    table.write_text(yaml.safe_dump(SCORES, allow_unicode=True), encoding="utf-8")
    with warehouse.loader() as connection:
        assert add_revision(connection, read_indicator_set(table), "Sở TT&TT") == 2
        assert add_revision(connection, read_indicator_set(table), "Sở TT&TT") is None
        assert sync_indicator_sets(connection, load_indicator_sets([ROOT])) == []  # the placeholder does not come back

    own = {
        "H50.01": (60, 30, 10),
        "H50.02": (60, 30, 10),
        "H50.03": (60, 20, 10),
        "H50.04": (50, 30, 10),
        "H50.05": (9, 9, 9),
    }
    for agency, scores in own.items():
        lines = [
            f"{agency},{code},{score},văn bản số 1," for code, score in zip(("A1", "A2", "A3"), scores, strict=True)
        ]
        load(warehouse, file, "self", lines, f"Sở {agency[-1]}")
    # 45/90 and 50/100 are equal; 02 has nothing of A3 to be scored for; 04 is excluded; 05 is not verified in full.
    load(
        warehouse,
        file,
        "verified",
        [
            "H50.01,A1,30,,", "H50.01,A2,15,,", "H50.01,A3,5,,",
            "H50.02,A1,30,,", "H50.02,A2,15,,", "H50.02,A3,NA,,không có thủ tục",
            "H50.03,A1,10,,thiếu minh chứng", "H50.03,A2,20,,", "H50.03,A3,10,,",
            "H50.04,A1,60,,", "H50.04,A2,30,,", "H50.04,A3,10,,",
            "H50.05,A1,9,,",
        ],
        "Tổ thẩm định",
    )  # fmt: skip
    with warehouse.loader() as connection:
        exclude(
            connection, set_code=SET, unit="H50.04", since=date(2024, 1, 1), until=date(2025, 1, 1),
            reason="Mới thành lập", by="Sở Nội vụ",
        )  # fmt: skip
    refresh(warehouse, "assessment_ranking")
    rows = ask(
        warehouse,
        "select agency_code, max_points, verified_score, percent, status, place, peers, tied from mart.assessment_ranking"
        " where component_code = '*' order by agency_code",
    )
    assert rows == [
        ("H50.01", 100, 50, 50, "verified", 1, 3, 2),
        ("H50.02", 90, 45, 50, "verified", 1, 3, 2),
        ("H50.03", 100, 40, 40, "verified", 3, 3, 1),
        ("H50.04", 100, 100, None, "excluded", None, None, None),
        ("H50.05", 100, 9, None, "incomplete", None, None, None),
    ]

    mart = next(one for one in load_marts([ROOT]) if one.name == "assessment_ranking")
    with warehouse.loader() as connection:
        subject = publication.find_subject(connection, [mart], mart.name, "2024")
    first, is_new = publication.publish(warehouse, subject, "2024", by="UBND tỉnh", note="Quyết định 1")
    assert (first.version, is_new) == (1, True)
    load(warehouse, file, "verified", ["H50.03,A1,60,,xem lại"], "Tổ thẩm định")
    second, is_new = publication.publish(warehouse, subject, "2024", by="UBND tỉnh", note="Quyết định 2")
    assert (second.version, is_new) == (2, True)
    with warehouse.loader() as connection:
        published = [publication.published_rows(connection, one.publication_id) for one in (first, second)]
    places = [{key.split(" | ")[2]: row["place"] for key, row in one.items() if key.endswith("*")} for one in published]
    assert places[0] == {"H50.01": 1, "H50.02": 1, "H50.03": 3, "H50.04": None, "H50.05": None}
    assert places[1] == {"H50.01": 2, "H50.02": 2, "H50.03": 1, "H50.04": None, "H50.05": None}
    assert published[0][f"{SET} | 2024 | H50.03 | A1"]["points_lost"] == Decimal(50)


def test_every_day_of_the_calendar_has_a_source_and_years_tell_their_standing(warehouse: Warehouse) -> None:
    assert ask(
        warehouse,
        "select count(*), count(s.day), count(*) filter (where s.standing = 'provisional')"
        " from core.calendar_exception as e full join core.calendar_source as s on e.day = s.day",
    ) == [(34, 34, 1)]
    assert ask(
        warehouse,
        "select year, standing, provisional_days from core.calendar_year where year in (2021, 2022, 2026) order by 1",
    ) == [(2021, "weekends_only", None), (2022, "confirmed", None), (2026, "provisional", "24/11/2026")]
    with warehouse.loader() as connection:
        connection.exec_driver_sql("insert into core.holiday values ('2026-01-01', 'Tết', null, 1, 1, 1, now())")
        assert provisional_years(connection, "2026-11") == []  # the one-stop system lists the year now
        connection.rollback()
    with warehouse.loader() as connection:
        assert provisional_years(connection, "2026-11") == [(2026, "24/11/2026")]
        assert provisional_years(connection, "2022-H1") == []


@pytest.mark.parametrize(
    ("stage", "by", "line", "told"),
    [
        ("self", "Sở 1", "H50.01,A1,61,x,", "score 61 is not within 0 and 60"),
        ("self", "Sở 1", "H50.01,A1,10,,", "points without evidence"),
        ("self", "Sở 1", "H50.01,A9,1,x,", "the set has no component 'A9'"),
        ("self", "Sở 1", "H50.01,A1,khá,x,", "is no number"),
        ("self", "Sở 1", "H50.01,A1,NA,,", "not applicable: say why"),
        ("self", "Sở 1", "H50.77,A1,1,x,", "unknown agencies: H50.77"),
        ("verified", "Sở 1", "H50.01,A1,1,,", "cannot verify it"),
    ],
)
def test_a_wrong_line_loads_nothing(
    warehouse: Warehouse, tmp_path: Path, stage: str, by: str, line: str, told: str
) -> None:
    table = tmp_path / f"{SET}.yaml"
    table.write_text(yaml.safe_dump(SCORES, allow_unicode=True), encoding="utf-8")
    with warehouse.loader() as connection:
        sync_indicator_sets(connection, load_indicator_sets([ROOT]))
        add_revision(connection, read_indicator_set(table), "Sở TT&TT")
    if stage == "verified":
        load(warehouse, tmp_path / "own.csv", "self", ["H50.01,A1,60,văn bản số 1,"], by)
    before = ask(warehouse, "select count(*) from core.assessment_entry")
    with pytest.raises(SettingsError) as error:
        load(warehouse, tmp_path / "scores.csv", stage, [line], by)
    assert told in error.value.what
    assert ask(warehouse, "select count(*) from core.assessment_entry") == before


def test_national_figures_are_checked_and_kept(warehouse: Warehouse, tmp_path: Path) -> None:
    file = tmp_path / "national.csv"
    with warehouse.loader() as connection:
        sync_indicator_sets(connection, load_indicator_sets([ROOT]))
        file.write_text('period,unit_code,component,score,source\n2024-06,*,2.1,"19,8",Cổng\n2024-06,*,*,71.5,Cổng\n')
        assert load_national_figures(connection, file, set_code="766-2022", by="Sở TT&TT") == 2
        file.write_text("period,unit_code,component,score,source\n2024-06,*,2.1,20.5,Cổng\n2024-06,*,9.9,1,Cổng\n")
        with pytest.raises(SettingsError) as error:
            load_national_figures(connection, file, set_code="766-2022", by="Sở TT&TT")
    assert "line 2: score 20.5 is not within 0 and 20" in error.value.what
    assert "line 3: the set has no component '9.9'" in error.value.what
    assert ask(warehouse, "select component_code, score from core.national_figure order by 1") == [
        ("*", Decimal("71.5")),
        ("PROCESSING_ON_TIME", Decimal("19.8")),
    ]
