"""Marts as files, a release of open data and aggregates for other systems, from a real warehouse and to a real server."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from dx_pipeline.cli.main import app
from dx_pipeline.contract.catalog import load_catalog
from dx_pipeline.contract.indicator import load_indicators
from dx_pipeline.contract.open_data import load_open_data
from dx_pipeline.errors import ContractError, SettingsError, WarehouseError
from dx_pipeline.export import delivery, table_writer
from dx_pipeline.export.aggregates import emc_report, indicator_report, parse_period
from dx_pipeline.export.dictionary import MartDictionary, read_dictionary
from dx_pipeline.export.mart import export_mart
from dx_pipeline.export.open_data import REPORT, release
from dx_pipeline.settings import PROJECT_ROOT
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.embedded import EmbeddedServer
from dx_pipeline.warehouse.marts import load_marts
from tests.http_server import Reply, Request, serving
from tests.integration.star_warehouse import migrated_warehouse

ROOTS = [PROJECT_ROOT]
NOW = datetime(2024, 7, 1, 8, 0, tzinfo=UTC)
EID = "eid_by_commune_month"
# commune, issued, activated: 3 activated is small, and so is 118 - 116
COUNTS = (("19351", 300, 200), ("19354", 90, 3), ("19357", 118, 116), ("19360", 800, 500), ("19363", 60, 30))


@pytest.fixture(scope="module")
def warehouse(source_server: EmbeddedServer) -> Iterator[Warehouse]:
    with migrated_warehouse(source_server) as opened:
        with opened.owner() as connection:
            for number, (code, issued, activated) in enumerate(COUNTS, start=1):
                connection.execute(
                    sa.text(
                        "insert into mart.eid_by_commune_month (month, commune_sk, commune_code, commune_name,"
                        " source_rows, eligible, issued, activated, activation_rate, is_drop, refreshed_at)"
                        " values ('2024-06-01', :sk, :code, :name, 1, null, :issued, :activated,"
                        " round(100.0 * :activated / :issued, 3), false, '2024-06-30 17:00+00')"
                    ),
                    {
                        "sk": number,
                        "code": code,
                        "name": "=HYPERLINK(1)" if number == 1 else f"Xã {number}",
                        "issued": issued,
                        "activated": activated,
                    },
                )
        yield opened


def dictionary(warehouse: Warehouse, name: str = EID) -> MartDictionary:
    catalog = load_catalog(ROOTS, strict=False)
    return read_dictionary(warehouse, name, catalog=catalog, marts=load_marts(ROOTS), roots=ROOTS)


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


# -- marts


def test_a_mart_is_the_same_in_every_format(warehouse: Warehouse, tmp_path: Path) -> None:
    about = dictionary(warehouse)
    for kind in table_writer.FORMATS:
        assert export_mart(warehouse, about, role="dx_bi", kind=kind, out=tmp_path).rows == 5
    table = pq.read_table(tmp_path / f"{EID}.parquet")
    assert table.schema.field("month").type == "date32[day]"
    assert str(table.schema.field("activation_rate").type) == "decimal128(7, 3)"
    assert table["issued"].to_pylist() == [300, 90, 118, 800, 60]
    assert table["month"].to_pylist() == [date(2024, 6, 1)] * 5
    shown = lines(tmp_path / f"{EID}.csv")
    assert [row["activated"] for row in shown] == ["200", "3", "116", "500", "30"]
    assert [row["commune_name"] for row in shown][:2] == ["'=HYPERLINK(1)", "Xã 2"]
    assert {row["eligible"] for row in shown} == {""}
    book = openpyxl.load_workbook(tmp_path / f"{EID}.xlsx")
    data, words = book.worksheets
    (name,) = [cell for cell in data[2] if cell.value == "=HYPERLINK(1)"]
    assert (name.data_type, name.quotePrefix) == ("s", True)
    assert [row[6].value for row in data.iter_rows(min_row=2)] == [300, 90, 118, 800, 60]
    rows = {row[0].value: row for row in words.iter_rows()}
    assert set(table.column_names) <= set(rows)
    assert rows["Nguồn · Source"][1].value == "eid.dinh_danh_xa_thang"


def test_the_dictionary_beside_it_tells_of_columns_owner_and_source(warehouse: Warehouse, tmp_path: Path) -> None:
    export_mart(warehouse, dictionary(warehouse), role="dx_bi", kind="csv", out=tmp_path)
    told = json.loads((tmp_path / f"{EID}.dictionary.json").read_text(encoding="utf-8"))
    assert told["rows"] == 5
    assert told["grain"].startswith("one row per commune and month")
    assert told["sources"][0]["dataset"] == "eid.dinh_danh_xa_thang"
    assert told["sources"][0]["owner"]["code"]
    meaning = {column["name"]: column["meaning"] for column in told["columns"]}
    assert list(meaning) == [column.name for column in dictionary(warehouse).columns]
    assert all(one["vi"] and one["en"] for one in meaning.values())


def test_a_role_reads_what_it_may(warehouse: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="dx_auditor may not read it") as refused:
        export_mart(warehouse, dictionary(warehouse), role="dx_auditor", kind="csv", out=tmp_path)
    assert "dx_bi" in refused.value.next_step
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(SettingsError, match="there is no mart 'restricted'"):
        dictionary(warehouse, "restricted")


def test_more_rows_than_a_sheet_holds_are_refused(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_writer, "LAST_ROW", 5)
    with pytest.raises(SettingsError, match="holds 4 rows below its header") as refused:
        export_mart(warehouse, dictionary(warehouse), role="dx_bi", kind="xlsx", out=tmp_path)
    assert "parquet" in refused.value.next_step
    assert list(tmp_path.iterdir()) == []


def test_the_name_of_a_mart_is_a_command() -> None:
    for arguments in (["export", "mart", EID], ["export", EID]):
        shown = CliRunner().invoke(app, [*arguments, "--format", "doc"])
        assert shown.exit_code == 1
        assert "--format 'doc' is unknown" in shown.output


# -- open data


def make_release(warehouse: Warehouse, out: Path, **changes: Any) -> dict[str, Any]:
    publisher, declared = load_open_data(ROOTS)
    assert publisher is not None
    (eid,) = [one.model_copy(update=changes) for one in declared if one.mart == EID]
    release(warehouse, [(eid, dictionary(warehouse))], publisher, out=out, k=5, now=NOW)
    catalogue: dict[str, Any] = json.loads((out / "public" / "catalog.jsonld").read_text(encoding="utf-8"))
    return catalogue


def test_a_release_hides_small_cells_and_describes_itself(warehouse: Warehouse, tmp_path: Path) -> None:
    out = tmp_path / "mo"
    catalogue = make_release(warehouse, out)
    rows = lines(out / "public" / f"{EID}.csv")
    hidden = {row["commune_code"] for row in rows if row["is_suppressed"] == "true"}
    assert hidden == {"19354", "19357"}  # together 119 activated and 89 not: each may be many things
    assert all(row["issued"] == row["activation_rate"] == "" for row in rows if row["is_suppressed"] == "true")
    (total,) = [row for row in rows if row["row_kind"] == "total"]
    assert (total["month"], total["issued"], total["activated"]) == ("2024-06-01", "1368", "849")
    parquet = pq.read_table(out / "public" / f"{EID}.parquet").to_pylist()
    assert [row["issued"] for row in parquet] == [300, None, None, 800, 60, 1368]
    report = json.loads((out / REPORT).read_text(encoding="utf-8"))
    assert report["datasets"][0]["levels"][0]["hidden"] == [
        {"key": ["19354", "2024-06-01"], "why": "small"},
        {"key": ["19357", "2024-06-01"], "why": "small"},
    ]
    assert (out / REPORT).stat().st_mode & 0o777 == 0o600
    (dataset,) = catalogue["dcat:dataset"]
    assert dataset["dct:temporal"]["dcat:endDate"]["@value"] == "2024-06-30"
    assert catalogue["dct:spatial"]["dct:identifier"] == "45"
    assert catalogue["dct:license"]["@id"].startswith("https://creativecommons.org/")
    for file in dataset["dcat:distribution"]:
        written = (out / "public" / file["dcat:downloadURL"]["@id"]).read_bytes()
        assert file["spdx:checksum"]["spdx:checksumValue"]["@value"] == hashlib.sha256(written).hexdigest()
        assert file["dcat:byteSize"]["@value"] == str(len(written))


def test_a_release_takes_the_place_of_the_last_one_and_of_nothing_else(warehouse: Warehouse, tmp_path: Path) -> None:
    out = tmp_path / "mo"
    make_release(warehouse, out)
    with pytest.raises(ContractError, match="stands in two rows"):
        make_release(warehouse, out, keys=("month",), totals=())
    assert len(lines(out / "public" / f"{EID}.csv")) == 6  # the last good one is still there
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    with pytest.raises(SettingsError, match="no release of open data"):
        make_release(warehouse, tmp_path / "other")


def test_only_what_a_file_declares_is_open(tmp_path: Path) -> None:
    folder = tmp_path / "assets" / "open_data"
    folder.mkdir(parents=True)
    assert load_open_data([tmp_path]) == (None, [])
    good = (PROJECT_ROOT / "assets" / "open_data" / f"{EID}.yaml").read_text(encoding="utf-8")
    for wrong, told in (
        (good.replace("classification: open\n", ""), "classification: Field required"),
        (good.replace("  - [month]", "  - [month]\n  - [commune_code]"), "must be fewer of"),
        (good.replace("activated: issued", "activated: eligible"), "eligible is none of the counts"),
    ):
        (folder / f"{EID}.yaml").write_text(wrong, encoding="utf-8")
        with pytest.raises(ContractError, match=told):
            load_open_data([tmp_path])


# -- aggregates


def test_indicators_are_written_as_the_reporting_system_writes_values(warehouse: Warehouse) -> None:
    indicators = load_indicators(ROOTS)
    told = indicator_report(warehouse, indicators, parse_period("2024-06"), office_code="000.00.00.H50", role="dx_bi")
    values = {row["indicatorCode"]: row for row in told["data"]}
    assert values["EID_ACTIVATION"] == {
        "officeCode": "000.00.00.H50", "indicatorCode": "EID_ACTIVATION", "dataTypeId": 3, "periodId": 6,
        "dataYear": 2024, "unit": "%", "value": 62.061,  # 849 of 1368
    }  # fmt: skip
    assert told["total"] == len(told["data"])
    assert told["error"]["code"] == 0


@pytest.mark.parametrize(
    ("text", "period_id", "first", "last"),
    [("2024-02", 2, "2024-02-01", "2024-02-29"), ("2024-Q3", 15, "2024-07-01", "2024-09-30"),
     ("2024-H2", 18, "2024-07-01", "2024-12-31"), ("2024", 20, "2024-01-01", "2024-12-31")],
)  # fmt: skip
def test_periods_have_the_numbers_of_the_reporting_system(text: str, period_id: int, first: str, last: str) -> None:
    period = parse_period(text)
    assert (period.period_id, str(period.first), str(period.last)) == (period_id, first, last)


def test_emc_gets_counts_and_no_dossier(warehouse: Warehouse) -> None:
    with warehouse.owner() as connection:
        connection.exec_driver_sql("select ops.create_monthly_partition('core.fact_dossier', '2024-06-01')")
        for number, (channel, level, finished) in enumerate([(2, 4, "2024-06-05"), (2, 4, "2024-06-06"), (1, 2, None)]):
            connection.execute(
                sa.text(
                    "insert into core.fact_dossier (dossier_code, registered_on, agency_sk, procedure_sk, field_sk,"
                    " commune_sk, received_date_key, channel_sk, status_sk, applicant_kind_sk, service_level,"
                    " submitted_through, received_on, received_at, finished_at, source_updated_at, loaded_at, row_hash,"
                    " first_batch_id, last_batch_id) values (:code, '2024-06-03', -1, -1, -1, -1, 20240603, :channel, -1,"
                    " -1, :level, 2, '2024-06-03', '2024-06-03', :finished, now(), now(), 0, 1, 1)"
                ),
                {"code": f"000.00.00.H50-{number}", "channel": channel, "level": level, "finished": finished},
            )
    told = emc_report(warehouse, parse_period("2024-06"), role="dx_analyst")
    assert told["dossiers"] == 3
    assert [(row["Status"], row["FormsReception"], row["Level"], row["Count"]) for row in told["data"]] == [
        (2, 2, 0, 1),
        (3, 1, 4, 2),
    ]
    assert "000.00.00.H50-0" not in json.dumps(told)


# -- delivery


def test_a_document_is_posted_again_until_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "FIRST_WAIT", 0.01)
    answers = iter([Reply(status=503), Reply(status=429, headers={"Retry-After": "0"}), Reply(status=201)])
    with serving(lambda _: next(answers)) as api:
        done = delivery.deliver({"số": 1}, "x", f"{api.url}/nhan?khoa=1", "bi-mat")
    assert done == delivery.Delivered(api.url.removeprefix("http://"), 3)
    assert {request.headers["Authorization"] for request in api.requests} == {"Bearer bi-mat"}
    assert len({request.headers["Idempotency-Key"] for request in api.requests}) == 1
    assert [json.loads(request.body) for request in api.requests] == [{"số": 1}] * 3


@pytest.mark.parametrize(
    ("status", "told", "requests"),
    [
        (401, "refuses the token", 1),
        (302, "leads to another address", 1),
        (400, "does not take", 1),
        (503, "HTTP 503", 4),
    ],
)
def test_a_refusal_is_told_without_token_and_path(
    status: int, told: str, requests: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "FIRST_WAIT", 0.01)

    def answer(_: Request) -> Reply:
        return Reply(b"bi-mat", status, {"Location": "/elsewhere"})

    with serving(answer) as api, pytest.raises(SettingsError, match=told) as refused:
        delivery.deliver({}, "x", f"{api.url}/nhan?khoa=1", "bi-mat")
    assert len(api.requests) == requests
    assert not any(secret in str(refused.value) for secret in ("bi-mat", "nhan", "khoa"))


def test_a_server_that_says_nothing_or_is_not_there_ends_in_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(delivery, "READ_SECONDS", 0.1)
    with (
        serving(lambda _: Reply(raw=lambda socket: socket.recv(1))) as api,
        pytest.raises(SettingsError, match="did not take the document: no answer"),
    ):
        delivery.deliver({}, "x", api.url, None)
    with pytest.raises(SettingsError, match="did not take the document: no answer"):
        delivery.deliver({}, "x", api.url, None)
    with pytest.raises(SettingsError, match="everyone on the way reads the token"):
        delivery.deliver({}, "x", "http://192.0.2.1/x", "bi-mat")
    with pytest.raises(SettingsError, match="holds a user or a token"):
        delivery.deliver({}, "x", "https://a:bi-mat@192.0.2.1/x", None)


def test_a_folder_gets_a_file(tmp_path: Path) -> None:
    done = delivery.deliver({"total": 0}, "emc-2024-06", str(tmp_path / "new"), None)
    assert json.loads(Path(done.where).read_text(encoding="utf-8")) == {"total": 0}
