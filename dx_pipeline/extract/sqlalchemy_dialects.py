"""What differs between the servers that are read through SQLAlchemy: SQL Server and Oracle.

Each difference is one method; the reader itself knows no server. Sources: the vendors' references for
CONVERT styles and snapshot isolation (SQL Server), for datetime formats and SET TRANSACTION (Oracle).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal, cast
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects import mssql, oracle
from sqlalchemy.sql.elements import ColumnElement

from dx_pipeline.extract.physical_type import base_type, normalise_type

BoundKind = Literal["whole", "time", "zoned"]
Fault = Literal["account", "entry", "relation", "column", "permission", "stopped", "refused", "value"]

_WHOLE_NUMBERS = ("tinyint", "smallint", "mediumint", "integer", "bigint")
_COLLATION = re.compile(r"\s+collate\s+\S+", re.IGNORECASE)


class SourceDialect:
    """A server of the SQL standard; subclasses tell where theirs is not."""

    server: ClassVar[str] = "the server"
    extra: ClassVar[str | None] = None  # of this project, that brings the default driver
    driver: ClassVar[str | None] = None  # where the URL names none
    connect_options: ClassVar[Mapping[str, Mapping[str, Any]]] = {}  # by driver
    engine_options: ClassVar[Mapping[str, Any]] = {}
    true_false: ClassVar[tuple[str, str]] = ("true", "false")  # a truth value as the server writes it
    takes_with_in_subquery: ClassVar[bool] = True
    faults: ClassVar[Mapping[str, Fault]] = {}

    def isolation(self, connection: sa.Connection) -> tuple[str | None, str | None]:
        """The isolation level that gives one snapshot, and a warning where there is none."""
        return "REPEATABLE READ", None

    def begin(self, connection: sa.Connection) -> None:
        """Run first in the transaction that reads."""

    def type_text(self, declared: Any, dialect: sa.Dialect) -> str:
        """A reflected type in our spelling; "" if SQLAlchemy does not know it."""
        if isinstance(declared, sa.types.NullType):
            return ""
        return normalise_type(_COLLATION.sub("", declared.compile(dialect=dialect)))

    def bound_kind(self, type_text: str) -> BoundKind | None:
        """How a column of this type can bound a read; None if it cannot."""
        base = base_type(type_text)
        if base in _WHOLE_NUMBERS or re.fullmatch(r"numeric(\(\d+(,0)?\))?", type_text):
            return "whole"
        if base == "timestamptz":
            return "zoned"
        return "time" if base in ("timestamp", "date", "datetime") else None

    def moment(self, moment: datetime, timezone: str, type_text: str) -> ColumnElement[Any]:
        """A bound of the window as a bound value: naive local time, as a column of this type is compared."""
        return sa.cast(sa.literal(moment.isoformat(), sa.String), sa.TIMESTAMP)

    def exact(self, column: ColumnElement[Any], type_text: str) -> ColumnElement[Any] | None:
        """The column as text, where the driver would lose a part of the value; else None."""
        return None

    def iso_text(self, value: ColumnElement[Any], type_text: str) -> ColumnElement[Any]:
        """A time as ISO 8601 text, with offset if the type has one."""
        return sa.cast(value, sa.String)

    def now(self) -> ColumnElement[Any]:
        """The server's clock as ISO 8601 text with offset."""
        return sa.cast(sa.func.current_timestamp(), sa.String)

    def count(self) -> ColumnElement[Any]:
        """The number of rows."""
        return sa.func.count()

    def codes(self, error: BaseException) -> list[str]:
        """What the driver's error is called by the server, most exact first."""
        return []


class SqlServer(SourceDialect):
    """Microsoft SQL Server 2016 or newer, over pymssql, pyodbc or mssql-python."""

    server = "SQL Server"
    extra = "mssql"
    driver = "mssql+pymssql"
    connect_options = {
        "pymssql": {"login_timeout": 15, "appname": "dx_pipeline"},
        "pyodbc": {"timeout": 15},
    }
    true_false = ("1", "0")
    takes_with_in_subquery = False
    faults = {
        **dict.fromkeys(("208", "2760", "911"), "relation"),
        **dict.fromkeys(("207", "4413"), "column"),
        **dict.fromkeys(("229", "230", "297", "300", "262", "916"), "permission"),
        **dict.fromkeys(("18456", "18452", "18470", "18486", "18487", "18488", "4064"), "account"),
        **dict.fromkeys(("4060", "20002", "20009", "17142"), "entry"),
        **dict.fromkeys(("1204", "1205", "1222", "3960", "8645", "20003", "HYT00"), "stopped"),
        **dict.fromkeys(("220", "232", "241", "242", "245", "248", "295", "8114", "8115", "8134", "9420"), "value"),
        **dict.fromkeys(("102", "105", "156", "1033", "1038", "3952", "8155", "8156", "8120", "8158"), "refused"),
    }
    _TIMES = ("date", "time", "datetime", "datetime2", "smalldatetime", "datetimeoffset")
    _ISO = 126  # yyyy-mm-ddThh:mi:ss.nnnnnnn, with offset for datetimeoffset; independent of the language
    _MONEY = 2  # all four decimals; style 0 rounds to two

    def isolation(self, connection: sa.Connection) -> tuple[str | None, str | None]:
        """SNAPSHOT where the database allows it: a stricter level would lock the department's own writers out."""
        databases = sa.table("databases", schema="sys")
        state: sa.Select[Any] = sa.select(sa.column("snapshot_isolation_state")).select_from(databases)
        allowed = connection.execute(state.where(sa.column("name") == sa.func.db_name())).scalar()
        if allowed == 1:
            return "SNAPSHOT", None
        return "READ COMMITTED", (
            "the database does not allow snapshots, so rows that change while they are read may come twice or not at "
            "all; ask its owner for: alter database ... set allow_snapshot_isolation on"
        )

    def bound_kind(self, type_text: str) -> BoundKind | None:
        """``timestamp`` is no time here but a row version (8 bytes)."""
        base = base_type(type_text)
        if base in ("timestamp", "rowversion"):
            return None
        if base in ("datetime2", "smalldatetime"):
            return "time"
        return "zoned" if base == "datetimeoffset" else super().bound_kind(type_text)

    def moment(self, moment: datetime, timezone: str, type_text: str) -> ColumnElement[Any]:
        """datetime2 has the widest range and rounds nothing; ISO text with T is read alike in every language."""
        if base_type(type_text) == "datetimeoffset":
            aware = moment.replace(tzinfo=ZoneInfo(timezone))
            return sa.cast(sa.literal(aware.isoformat(), sa.String), cast(Any, mssql.DATETIMEOFFSET)())
        return sa.cast(sa.literal(moment.isoformat(), sa.String), cast(Any, mssql.DATETIME2)())

    def exact(self, column: ColumnElement[Any], type_text: str) -> ColumnElement[Any] | None:
        """Times have seven decimals and offsets, money four decimals; drivers differ in what they keep."""
        base = base_type(type_text)
        if base in self._TIMES:
            return self._converted(column, self._ISO)
        if base in ("money", "smallmoney"):
            return self._converted(column, self._MONEY)
        if base in ("sql_variant", "hierarchyid", "xml"):
            return sa.cast(column, mssql.NVARCHAR())
        return None

    def iso_text(self, value: ColumnElement[Any], type_text: str) -> ColumnElement[Any]:
        return self._converted(value, self._ISO)

    def now(self) -> ColumnElement[Any]:
        return self._converted(sa.func.sysdatetimeoffset(), self._ISO)

    def count(self) -> ColumnElement[Any]:
        return sa.func.count_big(sa.text("*"))

    def codes(self, error: BaseException) -> list[str]:
        """pymssql gives ``(number, bytes)``; ODBC a SQLSTATE and the number in brackets."""
        first = error.args[0] if error.args else None
        if isinstance(first, tuple) and first:
            first = first[0]
        numbers = re.findall(r"\((\d{2,5})\)", str(error.args[1])) if len(error.args) > 1 else []
        return [str(first), *numbers] if isinstance(first, int) else [*numbers, str(first or "")]

    def _converted(self, value: ColumnElement[Any], style: int) -> ColumnElement[Any]:
        return sa.func.convert(sa.literal_column("varchar(40)"), value, sa.literal_column(str(style)))


class Oracle(SourceDialect):
    """Oracle Database 12.1 or newer, over python-oracledb.

    An empty text is null there: it arrives as null. Names written without quotes are stored in capitals.
    """

    server = "Oracle"
    extra = "oracle"
    driver = "oracle+oracledb"
    connect_options = {"oracledb": {"tcp_connect_timeout": 15.0}}
    engine_options = {"arraysize": 2_000}
    faults = {
        **dict.fromkeys(("ORA-00942", "ORA-04043", "ORA-00980", "ORA-12154"), "relation"),
        **dict.fromkeys(("ORA-00904",), "column"),
        **dict.fromkeys(("ORA-01031", "ORA-41900", "ORA-01720"), "permission"),
        **dict.fromkeys(("ORA-01017", "ORA-01045", "ORA-28000", "ORA-28001"), "account"),
        **dict.fromkeys(("ORA-12505", "ORA-12514"), "entry"),
        **dict.fromkeys(("ORA-12541", "ORA-12170", "ORA-01034", "ORA-01033", "ORA-00018"), "entry"),
        **dict.fromkeys(("DPY-6000", "DPY-6001", "DPY-6003", "DPY-6005", "DPY-3010", "DPY-4026", "DPY-4027"), "entry"),
        **dict.fromkeys(("ORA-01555", "ORA-01013", "ORA-00060", "ORA-00054", "ORA-30006", "DPY-4024"), "stopped"),
        **dict.fromkeys(("ORA-01722", "ORA-01840", "ORA-01841", "ORA-01843", "ORA-01858", "ORA-01861"), "value"),
        **dict.fromkeys(("ORA-29275", "ORA-01426", "ORA-01476", "ORA-06502"), "value"),
    }
    _FORMAT = 'YYYY-MM-DD"T"HH24:MI:SS.FF6'
    _ZONED = 'YYYY-MM-DD"T"HH24:MI:SS.FF6TZH:TZM'

    def isolation(self, connection: sa.Connection) -> tuple[str | None, str | None]:
        return None, None

    def begin(self, connection: sa.Connection) -> None:
        """All statements of a read-only transaction see the moment of its start."""
        connection.execute(sa.text("set transaction read only"))

    def bound_kind(self, type_text: str) -> BoundKind | None:
        """DATE holds the time of day as well; a NUMBER with decimals counts nothing."""
        if "with local time zone" in type_text:
            return "zoned"
        return super().bound_kind(type_text)

    def moment(self, moment: datetime, timezone: str, type_text: str) -> ColumnElement[Any]:
        """Of the column's own type: compared with a timestamp, an index on a DATE would not be used."""
        if self.bound_kind(type_text) == "zoned":
            aware = moment.replace(tzinfo=ZoneInfo(timezone))
            text = aware.isoformat(timespec="microseconds")
            return sa.func.to_timestamp_tz(sa.literal(text, sa.String), sa.literal(self._ZONED, sa.String))
        text = moment.isoformat(timespec="microseconds")
        value = sa.func.to_timestamp(sa.literal(text, sa.String), sa.literal(self._FORMAT, sa.String))
        return sa.cast(value, oracle.DATE()) if base_type(type_text) == "date" else value

    def exact(self, column: ColumnElement[Any], type_text: str) -> ColumnElement[Any] | None:
        """The driver drops the time zone, reads FLOAT (up to 38 digits) in double precision, and an interval has no
        text of its own."""
        if self.bound_kind(type_text) == "zoned":
            return sa.func.to_char(column, sa.literal(self._ZONED, sa.String))
        if type_text.startswith("interval"):
            return sa.func.to_char(column)
        return sa.cast(column, cast(Any, oracle.NUMBER)()) if base_type(type_text) == "float" else None

    def iso_text(self, value: ColumnElement[Any], type_text: str) -> ColumnElement[Any]:
        """DATE knows no fraction format: it is made a timestamp first."""
        if self.bound_kind(type_text) == "zoned":
            return sa.func.to_char(value, sa.literal(self._ZONED, sa.String))
        return sa.func.to_char(sa.cast(value, oracle.TIMESTAMP()), sa.literal(self._FORMAT, sa.String))

    def now(self) -> ColumnElement[Any]:
        return sa.func.to_char(sa.literal_column("systimestamp"), sa.literal(self._ZONED, sa.String))

    def codes(self, error: BaseException) -> list[str]:
        """``ORA-00942`` is the server's, ``DPY-6005`` the driver's; an ORA code inside says more."""
        found = re.findall(r"\b(?:ORA|DPY)-\d{4,5}\b", str(error))
        return sorted(found, key=lambda code: code.startswith("DPY"))


DIALECTS: Mapping[str, type[SourceDialect]] = {"mssql": SqlServer, "oracle": Oracle}
