"""`dx access`: real logins see their agencies' own rows and what all share, nothing else; a right that ends gives nothing."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from sqlalchemy.engine import make_url

from dx_pipeline.errors import SettingsError, WarehouseError
from dx_pipeline.orchestration.process import get_road
from dx_pipeline.warehouse.access import (
    Kind,
    end_lapsed,
    grant_access,
    list_agencies,
    readable_tables,
    revoke_access,
    sync_department_roles,
)
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.dump import restore_roles, roles_of
from tests.in_process import over_warehouse
from tests.integration.star_warehouse import migrated_warehouse, running_server
from tests.security.access_rows import AGENCIES, COMMUNE, DISTRICT, OWN_ROWS, PROVINCE, A, B, dossier_of, plant_rows
from tests.security.logins import as_owner, owner_url

IN_A_YEAR = datetime.now(UTC) + timedelta(days=365)
DOSSIERS = "select dossier_code from core.fact_dossier order by 1"
SYSTEMS = "select owner_agency_code from mart.system_compliance order by 1"
MENDING = "select owner_agency from ops.quarantine order by 1"
SHARED = "select total from mart.service_level_on_date"


@pytest.fixture(scope="module", params=[16, 18])
def warehouse(request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    with running_server(request.param) as server, migrated_warehouse(server) as opened:
        plant_rows(opened)
        yield opened


class Person:
    """A login given a right, with its password."""

    def __init__(
        self, warehouse: Warehouse, name: str, kind: Kind, *agencies: str, until: datetime = IN_A_YEAR
    ) -> None:
        self.name = name
        done = grant_access(
            warehouse, name, kind, agencies=agencies, holder="Nguyễn Văn An", valid_until=until, new_password=True
        )
        assert done.password is not None
        self.password = done.password
        url = make_url(owner_url(warehouse)).set(username=name, password=done.password)
        self.url = url.render_as_string(hide_password=False)

    def ask(self, statement: str) -> list[object]:
        """First column of a question, in a session of its own."""
        with psycopg.connect(self.url) as connection:
            return [row[0] for row in connection.execute(statement).fetchall()]

    def refused(self, statement: str) -> str:
        with pytest.raises(psycopg.errors.InsufficientPrivilege) as refusal:
            self.ask(statement)
        return str(refusal.value)


@pytest.mark.parametrize("agency", AGENCIES)
def test_an_analyst_of_an_agency_sees_its_own_rows_and_the_shared_ones(warehouse: Warehouse, agency: str) -> None:
    person = Person(warehouse, "an_nguyen", "analyst", agency)
    own = sorted(OWN_ROWS[agency])
    assert person.ask(DOSSIERS) == sorted(dossier_of(one) for one in own)
    assert person.ask(SYSTEMS) == own
    assert person.ask(MENDING) == own
    assert person.ask(SHARED) == [10]
    for table in ("ops.batch", "core.fact_dossier_event", "core.fact_business", "restricted.dossier_applicant"):
        assert "permission denied" in person.refused(f"select * from {table}")
    assert "permission denied" in person.refused("select raw_record from ops.quarantine")
    assert "permission denied" in person.refused("select * from mart.quality_open_reason")
    assert "permission denied" in person.refused("select * from core_partition.fact_dossier_2024_06")


@pytest.mark.parametrize(
    ("kind", "agencies", "dossiers", "systems"),
    [
        ("analyst", [], len(AGENCIES), len(AGENCIES)),
        ("analyst", [A, COMMUNE], 2, 2),
        ("engineer", [], len(AGENCIES), len(AGENCIES)),
        ("bi", [], None, len(AGENCIES)),
        ("bi", [DISTRICT], None, 2),
        ("department", [B], None, 1),
        ("auditor", [], None, None),
    ],
)
def test_each_kind_sees_what_it_is_for(
    warehouse: Warehouse, kind: Kind, agencies: list[str], dossiers: int | None, systems: int | None
) -> None:
    person = Person(warehouse, "binh_tran", kind, *agencies)
    for question, rows in ((DOSSIERS, dossiers), (SYSTEMS, systems)):
        if rows is None:
            person.refused(question)
        else:
            assert len(person.ask(question)) == rows
    assert person.ask("select distinct rolpassword is null from pg_roles where rolname = current_user") == [False]
    assert person.ask("show timezone") == ["Asia/Ho_Chi_Minh"]


def test_a_right_given_again_replaces_the_one_before_and_keeps_the_password(warehouse: Warehouse) -> None:
    person = Person(warehouse, "chi_le", "analyst", A)
    again = grant_access(warehouse, "chi_le", "department", agencies=[B], holder="Lê Chi", valid_until=IN_A_YEAR)
    assert again.password is None
    assert person.ask(SYSTEMS) == [B]
    person.refused(DOSSIERS)
    assert as_owner(
        warehouse, "select kind, end_reason from ops.access_grant where login = 'chi_le' order by grant_id"
    ) == [("analyst", "replaced"), ("department", None)]


def test_a_right_that_lapses_gives_nothing_to_old_sessions_and_lets_no_new_one_in(warehouse: Warehouse) -> None:
    ((end,),) = as_owner(warehouse, "select now() + interval '1500 milliseconds'")
    person = Person(warehouse, "dung_pham", "analyst", A, until=end)
    with psycopg.connect(person.url, autocommit=True) as session:
        assert session.execute(DOSSIERS).fetchall() == [(dossier_of(A),)]
        assert end_lapsed(warehouse) == []
        as_owner(warehouse, "select pg_sleep_until(%s)", [end])
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(person.url)
        assert [right.login for right in end_lapsed(warehouse)] == ["dung_pham"]
        with pytest.raises(psycopg.OperationalError, match="terminat"):
            session.execute(DOSSIERS)
    assert as_owner(
        warehouse,
        "select r.rolcanlogin, r.rolpassword is null, (select count(*) from pg_auth_members as m where m.member = r.oid)"
        " from pg_authid as r where r.rolname = 'dung_pham'",
    ) == [(False, True, 0)]
    as_owner(warehouse, "alter role dung_pham login password 'x' valid until '2999-01-01'")  # as if somebody helped
    url = make_url(person.url).set(password="x").render_as_string(hide_password=False)
    with psycopg.connect(url) as session, pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute(DOSSIERS)
    assert as_owner(
        warehouse, "select details ->> 'login' from ops.operation where kind = 'access_lapse'"
    ) == [("dung_pham",)]  # fmt: skip


def test_dagster_ends_rights_every_minute_without_a_run(warehouse: Warehouse, tmp_path: Path) -> None:
    from dx_pipeline.orchestration.definitions import defs

    sensor = defs.get_sensor_def("access_sensor")
    assert (sensor.minimum_interval_seconds, sensor.default_status) == (60, dg.DefaultSensorStatus.RUNNING)
    with over_warehouse(owner_url(warehouse), tmp_path, {}):
        get_road()  # opening it ends rights as well
        ((end,),) = as_owner(warehouse, "select now() + interval '500 milliseconds'")
        Person(warehouse, "phuc_ngo", "bi", until=end)
        as_owner(warehouse, "select pg_sleep_until(%s)", [end])
        done = sensor(dg.build_sensor_context())
    assert isinstance(done, dg.SkipReason)
    assert done.skip_message == "rights ended: phuc_ngo; roles and policies made: 0"


def test_a_revoked_login_loses_roles_given_by_hand_too(warehouse: Warehouse) -> None:
    person = Person(warehouse, "em_vo", "bi")
    as_owner(warehouse, "grant dx_engineer to em_vo")
    assert revoke_access(warehouse, "em_vo").kind == "bi"
    with pytest.raises(psycopg.OperationalError, match=r"not permitted to log in|password authentication failed"):
        psycopg.connect(person.url)
    with warehouse.owner() as connection:
        assert readable_tables(connection, "em_vo") == []
    with pytest.raises(WarehouseError, match="no right that could be revoked"):
        revoke_access(warehouse, "em_vo")


def test_a_new_agency_gets_its_role_and_a_new_version_of_an_agency_its_rows(warehouse: Warehouse) -> None:
    assert sync_department_roles(warehouse) == 0
    person = Person(warehouse, "giang_ho", "analyst", A)
    as_owner(
        warehouse,
        "insert into core.dim_agency (agency_code, name, level, valid_from) values (%s, 'mới', 'province', '2025-03-01')",
        [A],
    )
    as_owner(
        warehouse,
        "update core.fact_dossier set agency_sk = (select max(agency_sk) from core.dim_agency) where dossier_code = %s",
        [dossier_of(A)],
    )
    assert person.ask(DOSSIERS) == []  # not known yet whose it is: closed
    assert sync_department_roles(warehouse) == 4  # one policy for each fact with own rows
    assert person.ask(DOSSIERS) == [dossier_of(A)]
    with warehouse.owner() as connection:
        levels = {code: level for code, level, _ in list_agencies(connection)}
    assert levels == {PROVINCE: "province", A: "department", B: "department", DISTRICT: "district", COMMUNE: "commune"}


def test_an_agency_that_only_a_dossier_names_gets_no_role(warehouse: Warehouse) -> None:
    as_owner(
        warehouse,
        "insert into core.dim_agency (agency_code, name, is_inferred, valid_from) values"
        " ('H50.77', 'x', true, '2016-01-01'), ('x\"; drop role dx_bi', 'x', false, '2016-01-01')",
    )
    assert sync_department_roles(warehouse) == 0
    with pytest.raises(SettingsError, match=r"agency 'H50\.77' is not in the catalogue"):
        Person(warehouse, "hoa_bui", "analyst", "H50.77")


@pytest.mark.parametrize(
    ("login", "kind", "agencies", "what"),
    [
        ("dx_hacker", "bi", [], "is no name for a login"),
        ('x"; drop role dx_bi; --', "bi", [], "is no name for a login"),
        ("An", "bi", [], "is no name for a login"),
        ("an_nguyen2", "department", [], "needs --agency"),
        ("an_nguyen2", "engineer", [A], "is for the whole province"),
        ("an_nguyen2", "analyst", ["H50.99"], "is not in the catalogue"),
    ],
)
def test_what_cannot_be_granted_is_told(
    warehouse: Warehouse, login: str, kind: Kind, agencies: list[str], what: str
) -> None:
    with pytest.raises(SettingsError, match=what):
        grant_access(warehouse, login, kind, agencies=agencies, holder="ai đó", valid_until=IN_A_YEAR)


def test_a_role_that_was_not_made_here_is_left_alone(warehouse: Warehouse) -> None:
    as_owner(warehouse, "create role somebody login")
    with pytest.raises(WarehouseError, match="was not made by"):
        grant_access(warehouse, "somebody", "bi", holder="ai đó", valid_until=IN_A_YEAR)


def test_what_departments_share_of_an_agency_is_named(warehouse: Warehouse) -> None:
    """A mart with an agency's rows that departments read has a policy, or is one of those the province publishes."""
    open_to_all = as_owner(
        warehouse,
        "select distinct c.relname from pg_class as c join pg_attribute as a on a.attrelid = c.oid"
        " where c.relnamespace = 'mart'::regnamespace and a.attname ~ 'agency_code$' and not c.relrowsecurity"
        " and has_table_privilege('dx_department', c.oid, 'select') order by 1",
    )
    assert [name for (name,) in open_to_all] == [
        "digitisation_by_agency_month",
        "online_by_agency_month",
        "petition_by_agency_month",
        "procedure_use_by_year",
        "satisfaction_by_agency_month",
    ]
    views = as_owner(
        warehouse,
        "select c.oid::regclass::text from pg_class as c where c.relkind in ('v', 'm')"
        " and c.relnamespace in ('mart'::regnamespace, 'core'::regnamespace, 'ops'::regnamespace)"
        " and (has_table_privilege('dx_department', c.oid, 'select')"
        " or has_table_privilege('dx_department_analyst', c.oid, 'select'))",
    )
    assert views == []


def test_an_end_survives_backup_and_restore(warehouse: Warehouse) -> None:
    Person(warehouse, "khoa_do", "bi")
    with warehouse.owner() as connection:
        kept = roles_of(connection)
    as_owner(warehouse, "drop role khoa_do")
    with warehouse.owner() as connection:
        assert restore_roles(connection, kept) == ["khoa_do"]
    assert as_owner(
        warehouse,
        "select rolvaliduntil = %s, rolpassword is null from pg_authid where rolname = 'khoa_do'",
        [IN_A_YEAR],
    ) == [(True, True)]


def test_the_command_shows_a_password_once_and_writes_it_nowhere(warehouse: Warehouse, tmp_path: Path) -> None:
    with over_warehouse(owner_url(warehouse), tmp_path, {}) as installation:
        told = installation.dx("access", "grant", "lan_mai", "-k", "analyst", "-a", A, "--for", "Mai Lan, Sở A")
        (line,) = [line for line in told.output.splitlines() if line.startswith("password")]
        password = line.split()[1]
        assert len(password) == 32
        file = tmp_path / "lan.pw"
        told = installation.dx(
            "access", "grant", "lan_mai", "-k", "bi", "--for", "Mai Lan", "--password-file", str(file)
        )
        second = file.read_text(encoding="ascii").strip()
        assert second not in told.output
        assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
        shown = installation.dx("access", "show", "lan_mai").output
        assert "replaced" in shown
        assert "all rows: mart." in shown
        assert "mart.business_by_commune_year" in shown
        audit = installation.dx("audit", "--operations").output
        assert "access_grant" in audit
        for secret in (password, second):
            assert secret not in shown + audit
            found = as_owner(
                warehouse, "select count(*) from ops.operation where details::text like %s", [f"%{secret}%"]
            )
            assert found == [(0,)]
    url = make_url(owner_url(warehouse)).set(username="lan_mai", password=second)
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        assert connection.execute("select count(*) from mart.system_compliance").fetchone() == (len(AGENCIES),)
