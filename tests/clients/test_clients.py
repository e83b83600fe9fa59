"""One analyst of one agency, made by `dx access grant`, in the programs people use: each shows him the same.

psql, psqlODBC (what Excel and Power BI use), PostgreSQL's JDBC driver, SQLAlchemy and pandas. He sees his agency's own rows
and the shared ones and is refused the rest; foreign keys and comments are there to draw a model from. Superset is asked the
same in test_superset.py.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from dx_pipeline.warehouse.connection import Warehouse
from tests.clients.installed import JDBC_DRIVER, ODBC_DRIVER, require, require_program
from tests.in_process import over_warehouse
from tests.integration.star_warehouse import migrated_warehouse, running_server
from tests.security.access_rows import DISTRICT, OWN_ROWS, dossier_of, plant_rows
from tests.security.logins import owner_url

DOSSIERS = "select dossier_code from core.fact_dossier order by 1"
SYSTEMS = "select owner_agency_code from mart.system_compliance order by 1"
SHARED = "select total from mart.service_level_on_date"
REFUSED = (
    "select dossier_code from restricted.dossier_applicant",
    "select dossier_code from core_partition.fact_dossier_2024_06",
    "select batch_id from ops.batch",
    "select raw_record from ops.quarantine",
    "select department_code from mart.quality_open_reason",
)
COMMENTS = (
    "select obj_description('mart.system_compliance'::regclass)",
    "select col_description(attrelid, attnum) from pg_attribute"
    " where attrelid = 'mart.system_compliance'::regclass and attname = 'complies'",
)
KEYS = {
    ("agency_sk", "dim_agency"),
    ("procedure_sk", "dim_procedure"),
    ("field_sk", "dim_field"),
    ("commune_sk", "dim_admin_unit"),
    ("received_date_key", "dim_date"),
    ("channel_sk", "dim_channel"),
    ("status_sk", "dim_dossier_status"),
    ("applicant_kind_sk", "dim_applicant_kind"),
}
OWN = sorted(OWN_ROWS[DISTRICT])
TABLE_COMMENT = (
    "Hệ thống thông tin: cấp độ an toàn, IPv6, EMC, LGSP theo đơn vị chủ quản"
    " | Information systems: security level, IPv6, EMC and LGSP, by owner"
)
COLUMN_COMMENT = "Đủ cả bốn | Has all four"


@dataclass
class Seen:
    """What a client showed."""

    dossiers: list[str]
    systems: list[str]
    shared: list[str]
    keys: set[tuple[str, str]]
    comments: list[str]
    refused: set[str] = field(default_factory=set)


@pytest.fixture(scope="module")
def analyst(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.URL]:
    """Address and password of an analyst of a district, as the command gave them."""
    folder = tmp_path_factory.mktemp("analyst")
    with running_server() as server, migrated_warehouse(server) as warehouse:
        plant_rows(warehouse)
        yield granted(warehouse, folder)


def granted(warehouse: Warehouse, folder: Path) -> sa.URL:
    with over_warehouse(owner_url(warehouse), folder, {}) as installation:
        file = folder / "an_nguyen.pw"
        installation.dx(
            *("access", "grant", "an_nguyen", "--kind", "analyst", "--agency", DISTRICT),
            *("--for", "Nguyễn Văn An, UBND huyện", "--password-file", str(file)),
        )
        return warehouse.url.set(username="an_nguyen", password=file.read_text(encoding="ascii").strip())


def check(seen: Seen) -> None:
    assert seen.dossiers == sorted(dossier_of(agency) for agency in OWN)
    assert seen.systems == OWN
    assert seen.shared == ["10"]
    assert seen.keys == KEYS
    assert seen.comments == [TABLE_COMMENT, COLUMN_COMMENT]
    assert seen.refused == set(REFUSED)


def test_psql(analyst: sa.URL) -> None:
    psql = require_program("psql", "postgresql-client")

    def ask(statement: str, *options: str) -> subprocess.CompletedProcess[str]:
        place = ["-h", str(analyst.host), "-p", str(analyst.port), "-U", str(analyst.username), str(analyst.database)]
        environment = {
            **os.environ,
            "PGPASSWORD": str(analyst.password),
            "PGCLIENTENCODING": "UTF8",
            "LC_ALL": "C.UTF-8",
        }
        return subprocess.run(
            [psql, "-XAw", *(options or ("-t",)), "-v", "VERBOSITY=sqlstate", *place, "-c", statement],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    described = ask(r"\d core.fact_dossier", "-q").stdout
    keys = {
        (line.split("(")[1].split(")")[0], line.split("REFERENCES core.")[1].split("(")[0])
        for line in described.splitlines()
        if "FOREIGN KEY" in line
    }
    check(
        Seen(
            *(ask(statement).stdout.splitlines() for statement in (DOSSIERS, SYSTEMS, SHARED)),
            keys,
            [*ask(COMMENTS[0]).stdout.splitlines(), *ask(COMMENTS[1]).stdout.splitlines()],
            {statement for statement in REFUSED if "42501" in ask(statement).stderr},
        )
    )


def test_odbc(analyst: sa.URL) -> None:
    require_program("odbcinst", "unixodbc odbc-postgresql")
    import pyodbc

    require(ODBC_DRIVER in pyodbc.drivers(), f"the ODBC driver {ODBC_DRIVER}", "apt-get install odbc-postgresql")
    place = f"SERVER={analyst.host};PORT={analyst.port};DATABASE={analyst.database}"
    login = f"UID={analyst.username};PWD={{{analyst.password}}}"
    with closing(pyodbc.connect(f"DRIVER={{{ODBC_DRIVER}}};{place};{login}", autocommit=True)) as connection:
        cursor = connection.cursor()

        def ask(statement: str) -> list[str]:
            return [str(row[0]) for row in cursor.execute(statement).fetchall()]

        refused = set()
        for statement in REFUSED:
            with pytest.raises(pyodbc.Error) as refusal:
                ask(statement)
            if refusal.value.args[0] == "42501":
                refused.add(statement)
        found = cursor.foreignKeys(foreignSchema="core", foreignTable="fact_dossier").fetchall()
        # The driver gives no remarks (SQLTables, SQLColumns): comments are asked for.
        check(
            Seen(
                ask(DOSSIERS),
                ask(SYSTEMS),
                ask(SHARED),
                {(row.fkcolumn_name, row.pktable_name) for row in found},
                [*ask(COMMENTS[0]), *ask(COMMENTS[1])],
                refused,
            )
        )
        shown = {row.table_name: row.table_type for row in cursor.tables(schema="mart").fetchall()}
        assert shown["system_compliance"] == "TABLE"


def test_jdbc(analyst: sa.URL) -> None:
    java = require_program("java", "default-jdk-headless")
    require(JDBC_DRIVER.exists(), "PostgreSQL's JDBC driver", "apt-get install libpostgresql-jdbc-java")
    place = f"jdbc:postgresql://{analyst.host}:{analyst.port}/{analyst.database}"
    done = subprocess.run(
        [
            *(java, "-Dstdout.encoding=UTF-8", "-Dfile.encoding=UTF-8", "-cp", str(JDBC_DRIVER)),
            *(str(Path(__file__).with_name("Jdbc.java")), DOSSIERS, SYSTEMS, SHARED, *REFUSED),
        ],
        env={
            **os.environ,
            "DX_URL": place,
            "DX_USER": str(analyst.username),
            "DX_PASSWORD": str(analyst.password),
            "LC_ALL": "C.UTF-8",
        },
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = [line.split("\t") for line in done.stdout.splitlines()]
    answers = {
        question: [line[2] for line in told if line[:2] == ["row", question]]
        for question in (DOSSIERS, SYSTEMS, SHARED)
    }
    check(
        Seen(
            *answers.values(),
            {(line[1], line[2]) for line in told if line[0] == "key"},
            [line[1] for line in told if line[0] in ("table", "column")],
            {line[1] for line in told if line[0] == "refused" and line[2] == "42501"},
        )
    )


def test_sqlalchemy_and_pandas(analyst: sa.URL) -> None:
    engine = sa.create_engine(analyst.set(drivername="postgresql+psycopg"))
    try:
        catalogue = sa.inspect(engine)
        keys = catalogue.get_foreign_keys("fact_dossier", schema="core")
        columns = {column["name"]: column["comment"] for column in catalogue.get_columns("system_compliance", "mart")}
        with engine.connect() as connection:

            def ask(statement: str) -> list[str]:
                return [str(value) for value in pd.read_sql_query(sa.text(statement), connection).iloc[:, 0]]

            def is_refused(statement: str) -> bool:
                with pytest.raises(sa.exc.ProgrammingError) as refusal, connection.begin_nested():
                    connection.execute(sa.text(statement))
                return getattr(refusal.value.orig, "sqlstate", "") == "42501"

            check(
                Seen(
                    ask(DOSSIERS),
                    ask(SYSTEMS),
                    ask(SHARED),
                    {(key["constrained_columns"][0], key["referred_table"]) for key in keys},
                    [str(catalogue.get_table_comment("system_compliance", "mart")["text"]), str(columns["complies"])],
                    {statement for statement in REFUSED if is_refused(statement)},
                )
            )
            star = sa.MetaData()
            star.reflect(connection, schema="core", only=["fact_dossier"])
            joined = sa.join(star.tables["core.fact_dossier"], star.tables["core.dim_agency"])
            named = connection.execute(sa.select(star.tables["core.dim_agency"].c.name).select_from(joined)).scalars()
            assert sorted(named) == [f"Cơ quan {agency}" for agency in OWN]
    finally:
        engine.dispose()
