"""Land parcels and the business register by the ``dx`` command: files in, counts out, and nothing of a person.

The tests follow one installation through its life, in the order of this file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pandas as pd
import psycopg
import pytest

from dx_pipeline.sandbox.business.build import build_business
from dx_pipeline.sandbox.land.build import build_land
from tests.conftest import Installation
from tests.star import warehouse_url

SEED = 7
pytestmark = pytest.mark.timeout(600)


class Departments:
    """An installation with the two folders alone, loaded once."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.land, self.business = installation.home / "land", installation.home / "business"
        self.truth = installation.home / "truth"
        build_land(self.land, seed=SEED, truth_path=self.truth / "land")
        build_business(self.business, seed=SEED, truth_path=self.truth / "business")
        installation.environment["DX_CONNECTION_LAND"] = self.land.resolve().as_uri()
        installation.environment["DX_CONNECTION_BUSINESS"] = self.business.resolve().as_uri()
        installation.dx("run", "land", "business")
        self.url = warehouse_url(installation.home)

    def ask(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement, values or None).fetchall()

    def planted(self, system: str, code: str) -> list[str]:
        truth = pd.read_parquet(self.truth / system / "truth.parquet")
        return list(truth.row_key[truth.code == code])


@pytest.fixture(scope="module")
def departments(make_installation: Callable[[], Installation]) -> Departments:
    return Departments(make_installation())


@pytest.mark.parametrize(("system", "dataset"), [("land", "thua_dat"), ("business", "doanh_nghiep")])
def test_ledger_is_what_the_truth_says(departments: Departments, system: str, dataset: str) -> None:
    wanted = json.loads((departments.truth / system / "truth.json").read_text(encoding="utf-8"))["tables"][dataset]
    assert departments.ask(
        "select source_rows, accepted, quarantined, duplicate, inserted from ops.batch where system = %s", system
    ) == [(wanted["rows"], wanted["accepted"], wanted["quarantined"], wanted["duplicate"], wanted["accepted"])]


# -- land --------------------------------------------------------------------------------------------


def test_every_parcel_counts_once_and_the_one_under_its_former_number_not_at_all(departments: Departments) -> None:
    ((parcels, superseded),) = departments.ask("select count(*), count(superseded_by) from restricted.land_parcel")
    assert superseded == 40
    for table in ("core.fact_land_count", "mart.land_by_commune"):
        ((counted, area, several, further),) = departments.ask(
            f"select sum(parcels), sum(area_m2), sum(parcels_several_uses), sum(parcels_further_use) from {table}"
        )
        assert (counted, several, further) == (parcels - 40, 150, 150)
        assert departments.ask("select sum(area_m2) from restricted.land_parcel where superseded_by is null") == [
            (area,)
        ]
    flagged = departments.ask("select parcel_id::text from restricted.land_parcel where superseded_by is not null")
    assert {key for (key,) in flagged} == set(departments.planted("land", "thua_cu_da_co_so_moi"))


def test_a_former_number_that_is_another_parcel_now_supersedes_nobody(departments: Departments) -> None:
    keys = [int(key) for key in departments.planted("land", "so_cu_trung_so_moi")]
    assert len(keys) == 20
    assert departments.ask("select count(*) from restricted.land_parcel where superseded_by = any(%s)", keys) == [(0,)]


def test_certificates_in_doubt_are_those_with_two_entries_or_a_wrong_day(departments: Departments) -> None:
    assert departments.ask("select sum(certificates_in_doubt) from mart.land_by_commune") == [(24 + 14 + 14,)]
    shared = [int(key) for key in departments.planted("land", "mot_gcn_nhieu_thua")]
    assert departments.ask(
        "select count(*), count(*) filter (where has_certificate and not certificate_in_doubt)"
        " from restricted.land_parcel where parcel_id = any(%s)",
        shared,
    ) == [(60, 60)]
    years = departments.ask(
        "select min(certificate_year) filter (where certificate_year > 0) from core.fact_land_count"
    )
    assert years == [(1994,)]


def test_the_island_is_its_own_place_and_merged_communes_lead_to_their_successor(departments: Departments) -> None:
    assert departments.ask("select sum(parcels) from mart.land_by_commune where commune_code = '471'") == [(12,)]
    assert departments.ask("select sum(parcels) from mart.land_by_commune where commune_sk = -1") == [(9,)]
    ((flagged, known),) = departments.ask(
        "select count(*), count(*) filter (where u.level = 'commune' and p.data_day >= u.valid_from"
        " and p.data_day < u.valid_to) from restricted.land_parcel as p"
        " inner join core.dim_admin_unit as u on u.admin_unit_sk = p.commune_sk"
        " where 'xa_da_giai_the' = any(p.quality_flags)"
    )
    assert flagged == known == 24


def test_deleted_records_and_owners_are_not_there(departments: Departments) -> None:
    deleted = json.loads((departments.truth / "land" / "deleted.json").read_text(encoding="utf-8"))
    keys = [int(row["THUADATID"]) for row in deleted]
    assert len(keys) == 60
    assert departments.ask("select count(*) from restricted.land_parcel where parcel_id = any(%s)", keys) == [(0,)]
    landed = list((departments.installation.home / "landing" / "land").rglob("*.parquet"))
    assert landed
    assert all("TENCHU" not in pd.read_parquet(path).columns for path in landed)


# -- business ----------------------------------------------------------------------------------------


def test_the_mart_adds_up_to_the_register(departments: Departments) -> None:
    ((enterprises, units, capital, ended),) = departments.ask(
        "select count(*) filter (where k.group_code = 'enterprise'),"
        " count(*) filter (where k.group_code = 'dependent_unit'),"
        " sum(f.charter_capital_vnd) filter (where k.group_code = 'enterprise'),"
        " count(*) filter (where k.group_code = 'enterprise' and st.code = 'da_giai_the')"
        " from core.fact_business as f"
        " inner join core.dim_business_kind as k on k.business_kind_sk = f.business_kind_sk"
        " inner join core.dim_business_status as st on st.business_status_sk = f.business_status_sk"
    )
    assert departments.ask(
        "select sum(registered), sum(registered_units), sum(capital_vnd), sum(dissolved_now), sum(dissolved_in_year)"
        " from mart.business_by_commune_year"
    ) == [(enterprises, units, capital, ended, ended - 12)]  # of twelve nobody wrote when
    assert departments.ask(
        "select sum(in_force_at_year_end) from mart.business_by_commune_year"
        " where year = (select max(year) from mart.business_by_commune_year)"
    ) == [(enterprises - ended,)]


def test_branches_know_their_enterprise_by_pseudonym_only(departments: Departments) -> None:
    assert departments.ask(
        "select count(*) filter (where f.parent_register_no is not null),"
        " count(*) filter (where 'chi_nhanh_thieu_doanh_nghiep' = any(f.quality_flags)) from core.fact_business as f"
        " inner join core.dim_business_kind as k on k.business_kind_sk = f.business_kind_sk"
        " where k.group_code = 'dependent_unit'"
    ) == [(148, 12)]
    assert departments.ask("select count(*), count(distinct tax_code_pseudonym) from restricted.business_code") == [
        departments.ask("select count(*), count(*) from core.fact_business")[0]
    ]


def test_no_code_and_no_personal_number_is_in_core_or_mart(departments: Departments) -> None:
    """Twelve household businesses and six personal numbers were planted; all wait in quarantine."""
    assert departments.ask(
        "select count(*) from ops.quarantine where reasons && array['ho_kinh_doanh', 'ma_so_la_so_dinh_danh']"
    ) == [(18,)]
    files = [path.read_text("utf-16" if path.stem[-1] == "3" else "utf-8") for path in departments.business.iterdir()]
    codes = {code for text in files for code in re.findall(r"<(?:dk:)?MaSoDN>(?:<!\[CDATA\[)?([-\d]+)", text)}
    assert len(codes) == 3_000 + 160 - 4  # four are written twice
    for table in ("core.fact_business", "restricted.business_code", "mart.business_by_commune_year"):
        values = {value for row in departments.ask(f"select * from {table}") for value in map(str, row)}
        assert not values & codes
    results = departments.ask(
        "select count(*), count(*) filter (where r::text ~ '045[0-9]{9}') from ops.rule_result as r"
    )
    assert results[0][0] > 60
    assert results[0][1] == 0


def test_places_by_name_and_of_the_day_of_registration_are_found(departments: Departments) -> None:
    for code, rows in (("xa_theo_ten", 200), ("xa_cua_ngay_dang_ky", 15), ("cdata", 60), ("character_references", 60)):
        keys = departments.planted("business", code)
        assert departments.ask(
            "select count(*) from core.fact_business where register_no = any(%s) and commune_sk > 0", keys
        ) == [(rows,)]
    keys = departments.planted("business", "xa_cua_ngay_dang_ky")
    ((then,),) = departments.ask(
        "select count(*) from core.fact_business as f inner join core.dim_admin_unit as u"
        " on u.admin_unit_sk = f.commune_sk where f.register_no = any(%s) and u.valid_to = date '2020-01-01'",
        keys,
    )
    assert then == 12  # the other three bear codes that the first list of 2020 gave to the merged commune


def test_amounts_in_words_are_amounts(departments: Departments) -> None:
    keys = departments.planted("business", "von_bang_chu")
    found = departments.ask(
        "select distinct charter_capital_vnd from core.fact_business where register_no = any(%s) order by 1", keys
    )
    assert found == [(500_000_000,), (1_500_000_000,), (1_900_000_000,)]


# -- afterwards --------------------------------------------------------------------------------------


def test_what_left_its_source_is_closed_and_what_hung_on_it_follows(departments: Departments) -> None:
    """A parcel's new number is deleted in FoxPro's way, so the old one counts again; an enterprise with a branch leaves."""
    ((old, new, parcels),) = departments.ask(
        "select p.parcel_id, p.superseded_by, (select sum(parcels) from mart.land_by_commune)"
        " from restricted.land_parcel as p where p.superseded_by is not null order by p.parcel_id limit 1"
    )
    path = departments.land / f"THUADAT_{str(new)[:3]}.DBF"
    raw = bytearray(path.read_bytes())
    at = raw.index(b" " + f"{new:>9}".encode())
    raw[at : at + 1] = b"*"
    path.write_bytes(raw)
    (first_file,) = departments.business.glob("*_1.xml")
    text = first_file.read_text(encoding="utf-8")
    ((owner, registered),) = departments.ask(
        "select f.parent_register_no, (select sum(registered) from mart.business_by_commune_year)"
        " from core.fact_business as f where f.parent_register_no = any(%s) order by 1 limit 1",
        re.findall(r"<MaSoNoiBo>(\d+)<", text),
    )
    records = re.split(r"(?=  <DoanhNghiep>)|(?=</DanhSach>)", text)
    kept = [record for record in records if f"<MaSoNoiBo>{owner}<" not in record]
    assert len(records) - len(kept) == 1
    first_file.write_text("".join(kept), encoding="utf-8")

    departments.installation.dx("run", "land", "business")

    assert departments.ask(
        "select parcel_id, superseded_by, closed_on is not null from restricted.land_parcel"
        " where parcel_id in (%s, %s) order by closed_on nulls first",
        old,
        new,
    ) == [(old, None, False), (new, None, True)]
    assert departments.ask("select sum(parcels) from mart.land_by_commune") == [(parcels,)]
    assert departments.ask(
        "select register_no, 'chi_nhanh_thieu_doanh_nghiep' = any(quality_flags), closed_on is not null"
        " from core.fact_business where register_no = %s",
        owner,
    ) == [(owner, None, True)]
    assert departments.ask(
        "select count(*) from core.fact_business where 'chi_nhanh_thieu_doanh_nghiep' = any(quality_flags)"
    ) == [(13,)]
    assert departments.ask("select sum(registered) from mart.business_by_commune_year") == [(registered - 1,)]
    assert departments.ask("select sum(inserted), sum(updated) from ops.batch where batch_id > 2") == [(0, 2)]
