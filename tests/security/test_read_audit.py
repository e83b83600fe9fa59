"""Personal records are read on record: who, when, what for, how many; a rollback leaves the trace; nobody changes it."""

from __future__ import annotations

import psycopg
import pytest

from dx_pipeline.errors import WarehouseError
from dx_pipeline.warehouse.read_audit import list_audit, read_on_record
from tests.security.logins import Login, as_owner
from tests.security.test_roles import PEOPLE, A, B, Guarded, guarded  # noqa: F401

PURPOSE = "gửi phòng Một cửa sửa hồ sơ"


def test_a_department_reads_its_raw_records_on_record(guarded: Guarded) -> None:
    login = guarded.departments[A]
    ((request,),) = login.ask("select ops.request_read('ops.quarantine', %s)", [PURPOSE])
    rows = login.ask("select quarantine_id, raw_record ->> 'HoTen' from ops.read_quarantine(%s)", [request])
    assert rows == [(guarded.quarantined[A], PEOPLE[A])]
    with guarded.warehouse.owner() as connection:
        read, asked = list_audit(connection, who=login.name, limit=2)
    assert (asked.kind, asked.audit_id, asked.purpose, asked.rows) == ("request", request, PURPOSE, None)
    assert (read.kind, read.request_id, read.rows, read.client_address) == ("read", request, 1, "127.0.0.1")


def test_a_department_does_not_read_another_ones_record(guarded: Guarded) -> None:
    login = guarded.departments[A]
    scope = f'{{"quarantine_id": {guarded.quarantined[B]}}}'
    ((request,),) = login.ask("select ops.request_read('ops.quarantine', %s, %s)", [PURPOSE, scope])
    assert login.ask("select * from ops.read_quarantine(%s, %s)", [request, scope]) == []


def test_a_reader_who_rolls_back_has_left_his_trace(guarded: Guarded) -> None:
    login = guarded.departments[A]
    with login.connect(autocommit=False) as connection:
        (request,) = connection.execute("select ops.request_read('ops.quarantine', %s)", [PURPOSE]).fetchone()  # type: ignore[misc]
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="not committed yet"), connection.transaction():
            connection.execute("select * from ops.read_quarantine(%s)", [request])
        connection.execute("savepoint s")
        connection.rollback()
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="not yours"):
            connection.execute("select * from ops.read_quarantine(%s)", [request])
        connection.rollback()
        (request,) = connection.execute("select ops.request_read('ops.quarantine', %s)", [PURPOSE]).fetchone()  # type: ignore[misc]
        connection.commit()
        assert len(connection.execute("select * from ops.read_quarantine(%s)", [request]).fetchall()) == 1
        connection.rollback()
    found = as_owner(guarded.warehouse, "select who, purpose from ops.read_audit where audit_id = %s", [request])
    assert found == [(login.name, PURPOSE)]


@pytest.mark.parametrize(("request_scope", "read_scope"), [("{}", '{"status": "open"}'), ('{"agency": "x"}', "{}")])
def test_what_is_read_is_what_was_asked_for(guarded: Guarded, request_scope: str, read_scope: str) -> None:
    login = guarded.departments[A]
    ((request,),) = login.ask("select ops.request_read('ops.quarantine', %s, %s)", [PURPOSE, request_scope])
    login.refused("select * from ops.read_quarantine(%s, %s)", [request, read_scope])


def test_a_request_is_for_who_made_it_and_for_ten_minutes(guarded: Guarded) -> None:
    ((request,),) = guarded.departments[A].ask("select ops.request_read('ops.quarantine', %s)", [PURPOSE])
    guarded.departments[B].refused("select * from ops.read_quarantine(%s)", [request])
    as_owner(
        guarded.warehouse, "update ops.read_audit set at = at - interval '11 minutes' where audit_id = %s", [request]
    )
    guarded.departments[A].refused("select * from ops.read_quarantine(%s)", [request])


@pytest.mark.parametrize("purpose", ["", "x", "       ", "x" * 501])
def test_a_purpose_is_told(guarded: Guarded, purpose: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="read_audit_purpose_told"):
        guarded.departments[A].ask("select ops.request_read('ops.quarantine', %s)", [purpose])
    with pytest.raises(WarehouseError, match="does not say what personal records are read for"):
        read_on_record(guarded.warehouse, {}, purpose=purpose)


@pytest.mark.parametrize("object_", ["core.fact_dossier", "ops.quarantine; drop table ops.batch", "pg_authid", ""])
def test_only_protected_tables_are_asked_for(guarded: Guarded, object_: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="not a protected table"):
        guarded.departments[A].ask("select ops.request_read(%s, %s)", [object_, PURPOSE])


@pytest.mark.parametrize("name", ["dx_loader", "dx_engineer", "dx_department", "dx_auditor"])
@pytest.mark.parametrize(
    "statement",
    [
        "update ops.read_audit set who = 'nobody'",
        "delete from ops.read_audit",
        "truncate ops.read_audit",
        "insert into ops.read_audit default values",
        "update ops.operation set details = '{}'",
        "delete from ops.operation",
        "alter table ops.read_audit disable trigger all",
        "select ops.note_reading(1, 0)",
    ],
)
def test_the_record_is_only_added_to(guarded: Guarded, name: str, statement: str) -> None:
    guarded.logins[name].refused(statement)


@pytest.mark.parametrize("role", ["dx_engineer", "dx_analyst", "dx_bi", "dx_auditor"])
def test_no_other_role_reads_raw_records_even_on_record(guarded: Guarded, role: str) -> None:
    guarded.logins[role].refused("select ops.request_read('ops.quarantine', %s)", [PURPOSE])
    guarded.logins[role].refused("select * from ops.read_quarantine(1)")
    guarded.logins[role].refused("select * from ops.read_restricted(1, 'restricted.dossier_applicant')")


def test_who_answers_for_personal_data_reads_restricted_on_record(guarded: Guarded) -> None:
    officer = Login(guarded.warehouse, prefix="officer")
    for grant in (
        f"grant usage on schema ops to {officer.name}",
        f"grant execute on function ops.request_read(text, text, jsonb) to {officer.name}",
        f"grant execute on function ops.read_restricted(bigint, text, jsonb) to {officer.name}",
    ):
        as_owner(guarded.warehouse, grant)
    table, scope = "restricted.dossier_applicant", '{"phone_pseudonym": "\\\\xbb"}'
    ((request,),) = officer.ask("select ops.request_read(%s, %s, %s)", [table, "công dân yêu cầu xóa dữ liệu", scope])
    ((row,),) = officer.ask("select * from ops.read_restricted(%s, %s, %s)", [request, table, scope])
    assert (row["dossier_code"], row["key_version"]) == ("000.00.01.H50-240601-0001", 1)
    officer.refused(f"select * from {table}")
    told = as_owner(guarded.warehouse, "select scope from ops.read_audit where audit_id = %s", [request])
    assert told == [({"columns": ["phone_pseudonym"]},)]


@pytest.mark.parametrize(
    ("object_", "scope"),
    [
        ("restricted.dossier_applicant", '{"x\\" or true --": "1"}'),
        ("restricted.dossier_applicant where false union select 1 --", "{}"),
        ("restricted.pg_authid", "{}"),
    ],
)
def test_restricted_reading_takes_names_of_tables_and_columns_only(guarded: Guarded, object_: str, scope: str) -> None:
    ((request,),) = as_owner(guarded.warehouse, "select ops.request_read(%s, %s, %s)", [object_, PURPOSE, scope])
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        as_owner(guarded.warehouse, "select * from ops.read_restricted(%s, %s, %s)", [request, object_, scope])


def test_the_owners_commands_leave_their_user(guarded: Guarded) -> None:
    raw = read_on_record(guarded.warehouse, {"agency": B, "reason": None}, purpose=PURPOSE)
    assert raw == {guarded.quarantined[B]: {"HoTen": PEOPLE[B]}}
    with guarded.warehouse.owner() as connection:
        newest = list_audit(connection, limit=1)[0]
    assert (newest.rows, newest.scope) == (1, {"agency": B})
    assert (newest.application or "").startswith("dx, ")
