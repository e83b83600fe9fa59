"""A real public file becomes one more system: by contract, suite and load SQL alone.

Every expected number is counted from the file itself with the standard library, not with the pipeline.
Set ``DX_REAL_DATA`` to the folder that holds ``nyc311_service_requests_*.csv``.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.conftest import ROOT, Installation

PROJECT = ROOT / "examples" / "nyc311"
NEW_YORK = ZoneInfo("America/New_York")

pytestmark = pytest.mark.timeout(600)

Row = dict[str, str]


@pytest.fixture(scope="module")
def rows(real_data: Path) -> list[Row]:
    """The file, row by row, as text."""
    (path,) = real_data.glob("nyc311_service_requests_*.csv")
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def warehouse(make_installation: Callable[[], Installation], real_data: Path) -> Installation:
    """An installation into which the file was loaded once."""
    installation = make_installation()
    installation.environment["DX_CONNECTION_NYC311"] = real_data.resolve().as_uri()
    installation.dx("run", "--project", str(PROJECT), "nyc311")
    return installation


def ask(warehouse: Installation, statement: str) -> list[Row]:
    """Rows of a statement as text, by column name."""
    return list(csv.DictReader(io.StringIO(warehouse.dx("sql", "--format", "csv", statement).stdout)))


def counts(warehouse: Installation, statement: str) -> dict[str, int]:
    """Answer of a statement with the columns ``name`` and ``n``."""
    return {row["name"]: int(row["n"]) for row in ask(warehouse, statement)}


# -- what the file says ------------------------------------------------------------------------------


def moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK) if text else None


def seconds_between(start: str, end: str) -> int:
    first, last = moment(start), moment(end)
    assert first is not None
    assert last is not None
    return round((last - first) / timedelta(seconds=1))


def broken_rules(row: Row) -> set[str]:
    """Verdicts one row of the file deserves, from the text of the file."""
    closed = row["status"] == "Closed"
    created, done, last_action = (
        moment(row[name]) for name in ("created_date", "closed_date", "resolution_action_updated_date")
    )
    assert created is not None
    found = {
        "closed_without_time": closed and done is None,
        "closing_time_on_open_request": not closed and done is not None,
        "closed_before_created": done is not None and done < created,
        "due_missing": not closed and not row["due_date"],
        "channel_unknown": row["open_data_channel_type"] == "UNKNOWN",
        "borough_missing": row["borough"] == "Unspecified",
        "last_action_before_created": last_action is not None and last_action < created,
    }
    return {code for code, broken in found.items() if broken}


CRITICAL = {"closed_without_time", "closing_time_on_open_request", "closed_before_created"}


def is_accepted(row: Row) -> bool:
    return not broken_rules(row) & CRITICAL


def test_the_file_is_the_one_the_example_was_written_for(rows: list[Row]) -> None:
    """The faults that this public file really has, so that the expectations below are not empty."""
    assert len(rows) == len({row["unique_key"] for row in rows}) == 1_000
    assert Counter(code for row in rows for code in broken_rules(row)) == {
        "due_missing": 691,
        "last_action_before_created": 370,
        "channel_unknown": 47,
        "borough_missing": 1,
        "closed_without_time": 1,
    }


# -- what the warehouse says -------------------------------------------------------------------------


def test_contract_suite_and_load_sql_are_right(warehouse: Installation) -> None:
    checked = warehouse.dx("contract", "check", str(PROJECT / "assets/nyc311/service_request.odcs.yaml"))
    assert "1 right, 0 broken" in checked.stdout


def test_every_row_is_accounted_for(warehouse: Installation, rows: list[Row]) -> None:
    accepted = sum(map(is_accepted, rows))
    (batch,) = ask(
        warehouse,
        "select status, source_rows, extracted, accepted, quarantined, duplicate, inserted, updated,"
        " unchanged, flagged from ops.batch where system = 'nyc311' and dataset = 'service_request'",
    )
    assert batch == {
        "status": "published",
        "source_rows": "1000",
        "extracted": str(len(rows)),
        "accepted": str(accepted),
        "quarantined": str(len(rows) - accepted),
        "duplicate": "0",
        "inserted": str(accepted),
        "updated": "0",
        "unchanged": "0",
        "flagged": str(sum(bool(broken_rules(row)) for row in rows if is_accepted(row))),
    }


def test_each_rule_counts_what_the_file_holds(warehouse: Installation, rows: list[Row]) -> None:
    told = counts(
        warehouse,
        "select r.code as name, r.unexpected as n from ops.rule_result as r"
        " join ops.batch as b using (batch_id) where b.system = 'nyc311' and r.unexpected > 0",
    )
    assert told == Counter(code for row in rows for code in broken_rules(row))


def test_quarantine_names_the_row_and_the_reason(warehouse: Installation, rows: list[Row]) -> None:
    told = ask(
        warehouse,
        "select row_key, reasons::text as reasons, owner_agency, status from ops.quarantine where system = 'nyc311'",
    )
    (rejected,) = [row for row in rows if not is_accepted(row)]
    assert told == [
        {
            "row_key": rejected["unique_key"],
            "reasons": "{closed_without_time}",
            "owner_agency": "NYC.OTI",
            "status": "open",
        }
    ]


def test_warnings_travel_with_the_accepted_rows(warehouse: Installation, rows: list[Row]) -> None:
    told = counts(
        warehouse,
        "select w as name, count(*) as n from nyc311.fact_service_request, unnest(warnings) as w group by w",
    )
    assert told == Counter(code for row in rows if is_accepted(row) for code in broken_rules(row))


@pytest.mark.parametrize(
    ("source", "statement"),
    [
        (
            "agency",
            "select a.agency_code as name, count(*) as n from nyc311.fact_service_request"
            " join nyc311.dim_agency as a using (agency_sk) group by 1",
        ),
        (
            "complaint_type",
            "select t.complaint_type as name, count(*) as n from nyc311.fact_service_request"
            " join nyc311.dim_complaint_type as t using (complaint_type_sk) group by 1",
        ),
        (
            "open_data_channel_type",
            "select upper(c.channel_code) as name, count(*) as n from nyc311.fact_service_request"
            " join nyc311.dim_channel as c using (channel_sk) group by 1",
        ),
        (
            "status",
            "select initcap(replace(s.status_code, '_', ' ')) as name, count(*) as n"
            " from nyc311.fact_service_request join nyc311.dim_status as s using (status_sk) group by 1",
        ),
        (
            "borough",
            "select coalesce(upper(replace(borough, '_', ' ')), 'Unspecified') as name, count(*) as n"
            " from nyc311.fact_service_request group by 1",
        ),
        (
            "park_facility_name",
            "select coalesce(park_name, 'Unspecified') as name, count(*) as n"
            " from nyc311.fact_service_request group by 1",
        ),
        (
            "descriptor",
            "select coalesce(descriptor, 'N/A') as name, count(*) as n from nyc311.fact_service_request group by 1",
        ),
    ],
)
def test_the_star_counts_as_the_file_does(
    warehouse: Installation, rows: list[Row], source: str, statement: str
) -> None:
    assert counts(warehouse, statement) == Counter(row[source] for row in rows if is_accepted(row))


def test_times_are_new_york_times(warehouse: Installation, rows: list[Row]) -> None:
    (told,) = ask(
        warehouse,
        "select sum(extract(epoch from created_at))::bigint as created,"
        " sum(extract(epoch from due_at))::bigint as due,"
        " sum(seconds_to_close) as to_close, count(closed_at) as closed from nyc311.fact_service_request",
    )
    accepted = [row for row in rows if is_accepted(row)]
    closed = [row for row in accepted if row["closed_date"]]

    def epochs(name: str) -> int:
        return round(sum(found.timestamp() for row in accepted if (found := moment(row[name]))))

    assert told == {
        "created": str(epochs("created_date")),
        "due": str(epochs("due_date")),
        "to_close": str(sum(seconds_between(row["created_date"], row["closed_date"]) for row in closed)),
        "closed": str(len(closed)),
    }


def test_one_known_request(warehouse: Installation) -> None:
    """The first request of the file: a pothole in Queens, reported at 03:03:15 in New York (UTC-4)."""
    (told,) = ask(
        warehouse,
        "select f.created_on, to_char(f.created_at at time zone 'UTC', 'YYYY-MM-DD HH24-MI-SS') as utc,"
        " a.agency_code, a.agency_name, t.complaint_type, f.descriptor, f.borough, f.park_name,"
        " c.channel_code, s.status_code, s.is_closed, f.closed_at, f.due_at, f.seconds_to_close,"
        " f.warnings::text as warnings from nyc311.fact_service_request as f"
        " join nyc311.dim_agency as a using (agency_sk)"
        " join nyc311.dim_complaint_type as t using (complaint_type_sk)"
        " join nyc311.dim_channel as c using (channel_sk)"
        " join nyc311.dim_status as s using (status_sk) where f.request_key = '60879417'",
    )
    assert told == {
        "created_on": "2024-04-16",
        "utc": "2024-04-16 07-03-15",
        "agency_code": "DOT",
        "agency_name": "Department of Transportation",
        "complaint_type": "Street Condition",
        "descriptor": "Pothole",
        "borough": "queens",
        "park_name": "",
        "channel_code": "unknown",
        "status_code": "open",
        "is_closed": "False",
        "closed_at": "",
        "due_at": "",
        "seconds_to_close": "",
        "warnings": "{channel_unknown,due_missing}",
    }


def test_no_place_of_a_person_reaches_the_warehouse(warehouse: Installation, rows: list[Row]) -> None:
    names = {
        row["name"]
        for row in ask(
            warehouse,
            "select attname as name from pg_attribute where attnum > 0 and attrelid in ("
            "select oid from pg_class where relnamespace = 'nyc311'::regnamespace)",
        )
    }
    assert "descriptor" in names
    left_out = ("address", "street", "latitude", "longitude", "location", "zip", "bbl", "landmark")
    assert [name for name in names if any(word in name for word in left_out)] == []


def test_every_table_and_column_is_described_in_both_languages(warehouse: Installation) -> None:
    undescribed = ask(
        warehouse,
        "select c.relname, a.attname from pg_class as c join pg_attribute as a on a.attrelid = c.oid"
        " where c.relnamespace = 'nyc311'::regnamespace and c.relkind = 'r' and a.attnum > 0"
        " and (position(' | ' in coalesce(col_description(c.oid, a.attnum), '')) = 0"
        " or position(' | ' in coalesce(obj_description(c.oid, 'pg_class'), '')) = 0)",
    )
    assert undescribed == []


def test_the_same_file_again_changes_nothing(warehouse: Installation, rows: list[Row]) -> None:
    touched = "select min(first_batch_id) as first, max(last_batch_id) as last from nyc311.fact_service_request"
    before = ask(warehouse, touched)
    warehouse.dx("run", "--project", str(PROJECT), "nyc311")
    batches = ask(
        warehouse,
        "select status, accepted, inserted, updated, unchanged from ops.batch where system = 'nyc311'"
        " order by batch_id",
    )
    accepted = str(sum(map(is_accepted, rows)))
    assert batches[-1] == {
        "status": "published",
        "accepted": accepted,
        "inserted": "0",
        "updated": "0",
        "unchanged": accepted,
    }
    assert ask(warehouse, touched) == before
