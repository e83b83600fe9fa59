"""Who may do what, tried by real logins: each role what it needs and no more, each department its own rows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import psycopg
import pytest

from dx_pipeline.warehouse.connection import Warehouse
from tests.conftest import ROOT
from tests.integration.star_warehouse import migrated_warehouse, running_server
from tests.security.isolation import SCHEMAS, relations, what_may_be_done
from tests.security.logins import Login, as_owner, owner_url

ROLES = ("dx_loader", "dx_engineer", "dx_analyst", "dx_bi", "dx_department", "dx_auditor")
A, B = "H50.14", "H50.15"
PEOPLE = {A: "Nguyễn Văn An", B: "Trần Thị Bình"}

# What each role may select of one table of each kind. Whatever is not named here is refused.
READS = {
    "dx_loader": {"core.fact_dossier", "core.dim_agency", "mart.dossier_on_time", "ops.batch", "ops.quarantine",
                  "restricted.dossier_applicant",
                  "restricted.poor_household", "core.fact_poor_household_year", "ops.pseudonym_key", "ops.alert",
                  "ops.alert_mute"},
    "dx_engineer": {"core.fact_dossier", "core.dim_agency", "mart.dossier_on_time", "ops.batch", "core.fact_poor_household_year",
                    "ops.operation", "ops.pseudonym_key", "ops.alert", "ops.alert_mute"},
    "dx_analyst": {"core.fact_dossier", "core.dim_agency", "mart.dossier_on_time"},
    "dx_bi": {"mart.dossier_on_time"},
    "dx_department": {"mart.dossier_on_time"},
    "dx_auditor": {"ops.batch", "ops.read_audit", "ops.operation", "ops.pseudonym_key", "ops.alert", "ops.alert_mute"},
}  # fmt: skip
TABLES = sorted({*(table for tables in READS.values() for table in tables), "ops.read_audit"})


class Guarded:
    """A migrated warehouse with rows of two departments, and a login for each role."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.logins = {role: Login(warehouse, role) for role in ROLES}
        self.departments = {}
        for agency in (A, B):
            ((role,),) = as_owner(warehouse, "select ops.create_department_role(%s)", [agency])
            self.departments[agency] = Login(warehouse, role)
        self.quarantined = {agency: self._quarantine(agency, name) for agency, name in PEOPLE.items()}
        as_owner(warehouse, "select ops.create_monthly_partition('core.fact_dossier', '2024-06-01')")
        as_owner(warehouse, "select ops.create_monthly_partition('restricted.dossier_applicant', '2024-06-01')")
        as_owner(
            warehouse,
            "insert into restricted.dossier_applicant values ('000.00.01.H50-240601-0001', '2024-06-01', 1, '\\xaa', '\\xbb',"
            " now(), 1, 1, 1)",
        )

    def _quarantine(self, agency: str, name: str) -> int:
        ((batch,),) = as_owner(
            self.warehouse,
            "insert into ops.batch (system, dataset, contract_version, kind, status) values ('s', 'd', '1', 'full', 'held')"
            " returning batch_id",
        )
        ((number,),) = as_owner(
            self.warehouse,
            "insert into ops.quarantine (system, dataset, row_key, reasons, raw_record, owner_agency, first_batch_id,"
            " last_batch_id, first_seen, last_seen) values ('s', 'd', %s, '{x}', jsonb_build_object('HoTen', %s::text), %s,"
            " %s, %s, now(), now()) returning quarantine_id",
            [agency, name, agency, batch, batch],
        )
        return int(number)


@pytest.fixture(scope="module", params=[16, 18])
def guarded(request: pytest.FixtureRequest) -> Iterator[Guarded]:
    with running_server(request.param) as server, migrated_warehouse(server) as warehouse:
        yield Guarded(warehouse)


def test_a_login_without_its_password_is_refused(guarded: Guarded) -> None:
    url = psycopg.conninfo.conninfo_to_dict(guarded.logins["dx_bi"].url)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(**{**url, "password": "wrong"})
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(**{**url, "password": ""})
    assert as_owner(guarded.warehouse, "select count(*) from pg_authid where rolpassword !~ '^SCRAM-SHA-256'") == [(0,)]


@pytest.mark.parametrize(("role", "table"), list(product(ROLES, TABLES)))
def test_each_role_reads_what_it_needs_and_no_more(guarded: Guarded, role: str, table: str) -> None:
    question = f"select * from {table} limit 1"
    if table in READS[role]:
        guarded.logins[role].ask(question)
    else:
        assert "permission denied" in guarded.logins[role].refused(question)


def test_the_matrix_of_the_guide_is_what_each_login_can_do(guarded: Guarded) -> None:
    """docs/reliability.md: role × schema × right, each statement carried out in a session of the role and rolled back."""
    guarded.logins["dx_loader"].ask("create table if not exists stage.of_the_loader (x integer)")
    found = relations(guarded.warehouse)
    assert {schema for schema, *_ in found} == set(SCHEMAS), "each schema has something to try"
    urls = {
        "owner": owner_url(guarded.warehouse),
        **{role: login.url for role, login in guarded.logins.items() if role != "dx_department"},
        f"dx_department:{A}": guarded.departments[A].url,
        "dx_department_analyst": Login(guarded.warehouse, "dx_department_analyst", f"dx_department:{A}").url,
    }
    lines = [f"| role | {' | '.join(f'`{schema}`' for schema in SCHEMAS)} |", "|---" * (len(SCHEMAS) + 1) + "|"]
    for role, url in urls.items():
        may = what_may_be_done(url, found)
        lines.append(f"| `{role}` | {' | '.join(may[schema] for schema in SCHEMAS)} |")
    matrix = "\n".join(lines)
    guide = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    assert matrix in guide, f"docs/reliability.md should hold this matrix:\n{matrix}"


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "statement",
    [
        "create table public.mine (x integer)",
        "create schema mine",
        "create table core.mine (x integer)",
        "alter role current_user superuser",
        "alter role current_user createrole",
        "create role mine",
        "set role dx_owner_of_all",
        "grant dx_loader to current_user",
        "set session authorization dx_admin",
        "drop table core.fact_dossier",
        "truncate ops.batch",
        "delete from ops.batch",
        "update ops.migration set checksum = ''",
        "copy (select 1) to program 'true'",
        "copy core.dim_agency to '/tmp/mine'",
        "select pg_read_file('/etc/passwd')",
        "select lo_import('/etc/passwd')",
        "select rolpassword from pg_authid",
        "alter table ops.quarantine disable row level security",
        "create policy mine on ops.quarantine using (true)",
        "alter function ops.read_quarantine(bigint, jsonb) security invoker",
        "select ops.create_department_role('H50.99')",
    ],
)
def test_no_role_breaks_out(guarded: Guarded, role: str, statement: str) -> None:
    login = guarded.logins[role]
    with login.connect() as connection, pytest.raises(psycopg.Error) as refusal:
        connection.execute(statement)
    state = str(refusal.value.sqlstate)
    assert state == "42501" or (state == "22023" and "dx_owner_of_all" in statement), refusal.value


@pytest.mark.parametrize("role", [role for role in ROLES if role != "dx_loader"])
@pytest.mark.parametrize("other", ["dx_loader", "dx_admin", "dx_auditor", "dx_engineer"])
def test_no_role_takes_another(guarded: Guarded, role: str, other: str) -> None:
    if role != other:
        assert "permission denied to set role" in guarded.logins[role].refused(f"set role {other}")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "partition", ["core_partition.fact_dossier_2024_06", "core_partition.dossier_applicant_2024_06"]
)
def test_a_partition_by_its_own_name_is_closed(guarded: Guarded, role: str, partition: str) -> None:
    assert as_owner(guarded.warehouse, f"select to_regclass('{partition}') is not null") == [(True,)]
    assert "permission denied for schema core_partition" in guarded.logins[role].refused(f"select * from {partition}")


def test_no_partition_has_a_grant_of_its_own(guarded: Guarded) -> None:
    found = as_owner(
        guarded.warehouse,
        "select c.relname from pg_class as c cross join aclexplode(c.relacl) as a"
        " where c.relispartition and a.grantee <> c.relowner",
    )
    assert found == []


def test_functions_of_the_owner_pin_their_search_path_and_are_granted_by_name(guarded: Guarded) -> None:
    definers = as_owner(
        guarded.warehouse,
        "select p.oid::regprocedure::text, coalesce(array_to_string(p.proconfig, ' '), ''),"
        " exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as a where a.grantee = 0)"
        " from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace"
        " where p.prosecdef and n.nspname !~ '^pg_' order by 1",
    )
    assert len(definers) >= 10
    for name, settings, is_public in definers:
        assert "search_path=pg_catalog, pg_temp" in settings, name
        assert not is_public, name


def test_every_login_sees_temporary_names_last(guarded: Guarded) -> None:
    """A table of the same name in pg_temp does not stand between a function and ops.quarantine."""
    login = guarded.departments[A]
    with login.connect() as connection:
        connection.execute("create temp table quarantine as select 1 as quarantine_id")
        connection.execute(
            "create function pg_temp.pg_has_role(name, oid, text) returns boolean language sql as 'select true'"
        )
        connection.execute("set search_path = pg_temp, pg_catalog")
        request = connection.execute("select ops.request_read('ops.quarantine', 'thử vượt quyền')").fetchone()
        rows = connection.execute("select quarantine_id from ops.read_quarantine(%s)", request).fetchall()
        assert rows == [(guarded.quarantined[A],)]
        assert connection.execute("select quarantine_id from ops.quarantine").fetchall() == rows


# -- departments -----------------------------------------------------------------------------------


def test_a_department_sees_the_rows_it_has_to_mend_and_no_other(guarded: Guarded) -> None:
    for agency, login in guarded.departments.items():
        assert login.ask("select quarantine_id, owner_agency from ops.quarantine") == [
            (guarded.quarantined[agency], agency)
        ]
    assert guarded.logins["dx_department"].ask("select row_key from ops.quarantine") == []
    assert len(guarded.logins["dx_engineer"].ask("select quarantine_id from ops.quarantine")) == 2


@pytest.mark.parametrize(
    "question",
    [
        "select raw_record from ops.quarantine",
        "select raw_record::text like '%Bình%' from ops.quarantine",
        "select * from ops.quarantine",
        "select q from ops.quarantine as q",
        "select quarantine_id from ops.quarantine order by raw_record",
    ],
)
def test_a_department_reads_no_raw_record_past_the_record_of_reads(guarded: Guarded, question: str) -> None:
    guarded.departments[A].refused(question)


def test_a_department_sees_its_own_months_of_a_mart(guarded: Guarded) -> None:
    with psycopg.connect(owner_url(guarded.warehouse)) as connection:
        connection.execute("set session_replication_role = replica")
        for agency in (A, B):
            zeros = ", ".join(["0"] * 8)
            connection.execute(
                "insert into mart.dossier_on_time (agency_code, month, agency_sk, agency_name, period_end, received,"
                " carried_over, finished, returned, in_progress, paused, early_local, on_time_local, overdue_local,"
                " received_or_handled, on_time_766, overdue_766, not_applicable, stopped_local_only, overdue_766_only,"
                " overdue_local_only, differing, differing_second_supplement, differing_missing_due, differing_withdrawn,"
                " differing_supplement_pause, differing_open_at_period_end, differing_clock_time, refreshed_at)"
                f" values (%s, '2024-06-01', -1, 'x', '2024-06-30', {zeros}, 0, {zeros}, 0, 0, 0, 0, 0, 0, now())",
                [agency],
            )
    assert guarded.departments[A].ask("select agency_code from mart.dossier_on_time") == [(A,)]
    assert len(guarded.logins["dx_bi"].ask("select agency_code from mart.dossier_on_time")) == 2
    both = Login(guarded.warehouse, f"dx_department:{A}", "dx_bi")
    assert both.ask("select agency_code from mart.dossier_on_time") == [(A,)]


@pytest.mark.parametrize(
    "code", ["", "x" * 41, 'H50"; drop table core.dim_agency; --', "H50 14", "-rf", None, "H50.14\n", "Sở"]
)
def test_a_department_role_needs_an_agency_code(guarded: Guarded, code: str | None) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="is not an agency code"):
        as_owner(guarded.warehouse, "select ops.create_department_role(%s)", [code])


def test_an_agency_code_that_is_no_code_opens_nothing(guarded: Guarded) -> None:
    """A hostile owner_agency in the data: no error, no row for anybody but those who see all."""
    for code in ('x"; drop table core.dim_agency; --', "H50.14" + "4" * 60, "postgres"):
        with psycopg.connect(owner_url(guarded.warehouse)) as connection:
            connection.execute(
                "update ops.quarantine set owner_agency = %s where quarantine_id = %s", [code, guarded.quarantined[B]]
            )
            for login in guarded.departments.values():
                connection.commit()
                assert (guarded.quarantined[B],) not in login.ask("select quarantine_id from ops.quarantine")
    as_owner(
        guarded.warehouse,
        "update ops.quarantine set owner_agency = %s where quarantine_id = %s",
        [B, guarded.quarantined[B]],
    )
