"""A project folder with as many small datasets as a test wants, each a register of codes, names and amounts."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

HEADER = "Ma,Ten,SoTien\n"
GOOD_ROWS = HEADER + "A1,Một,100\nA2,Hai,200\nA3,Ba,300\n"


class SmallProject:
    """Writes contracts, suites and load SQL; every dataset is right until a test breaks its files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files = root / "files"
        self.files.mkdir(parents=True)

    def add_csv(
        self, system: str, dataset: str, content: str | bytes, *, cap: float = 0.2, schema: str = "small"
    ) -> None:
        """A dataset over one CSV file; the connection of its system must lead to ``files``."""
        self.write_csv(dataset, content)
        self._add(system, dataset, f'{{kind: csv, path: "{dataset}.csv", encoding: utf-8}}', cap, schema)

    def add_table(self, system: str, dataset: str, table: str) -> None:
        """A dataset over a table of schema ``motcua``."""
        self._add(system, dataset, f"{{kind: table, schema: motcua, table: {table}}}", 0.2, "small")

    def add_file(self, system: str, dataset: str, source: str, *, cap: float = 0.2) -> None:
        """A dataset over files the caller writes into ``files``; ``source`` is the contract's source in YAML."""
        self._add(system, dataset, source, cap, "small")

    def write_csv(self, dataset: str, content: str | bytes) -> None:
        data = content if isinstance(content, bytes) else content.encode("utf-8")
        (self.files / f"{dataset}.csv").write_bytes(data)

    def contract(self, system: str, dataset: str) -> Path:
        return self.root / "assets" / system / f"{dataset}.odcs.yaml"

    def suite(self, system: str, dataset: str) -> Path:
        return self.root / "expectations" / system / f"{dataset}.yaml"

    def load(self, system: str, dataset: str) -> Path:
        return self.root / "warehouse_sql" / "load" / system / f"{dataset}.sql"

    def replace(self, path: Path, old: str, new: str) -> None:
        """Break or mend a file; the old text must be there."""
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {path}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def _add(self, system: str, dataset: str, source: str, cap: float, schema: str) -> None:
        for path, text in (
            (self.contract(system, dataset).with_name("system.yaml"), _SYSTEM),
            (self.contract(system, dataset), _CONTRACT),
            (self.suite(system, dataset), _SUITE),
            (self.load(system, dataset), _LOAD),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            values = {"SYSTEM": system, "DATASET": dataset, "SOURCE": source, "CAP": str(cap), "SCHEMA": schema}
            for name, value in values.items():
                text = text.replace(name, value)
            path.write_text(dedent(text), encoding="utf-8")


_SYSTEM = """\
name: SYSTEM
title: {vi: Hệ thống SYSTEM, en: System SYSTEM}
connection: SYSTEM
owners: ["team:SYSTEM"]
kinds: [csv]
"""

_CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: SYSTEM.DATASET
name: SYSTEM.DATASET
version: 1.0.0
status: active
domain: SYSTEM
description: {purpose: Sổ nhỏ | A small register, usage: Thử | Test, limitations: Không | None}
team:
  name: SYSTEM
  members:
    - {username: SYSTEM, role: owner}
customProperties:
  - {property: system, value: SYSTEM}
  - {property: ownerAgency, value: H50.99}
  - {property: source, value: SOURCE}
  - {property: load, value: {mode: snapshot}}
  - {property: rejectedShareCap, value: CAP}
  - {property: minSourceRows, value: 1}
schema:
  - name: DATASET
    physicalName: DATASET
    description: Sổ | Register
    dataGranularityDescription: Mỗi dòng một mã | One row per code
    properties:
      - name: code
        physicalName: Ma
        logicalType: string
        required: true
        primaryKey: true
        primaryKeyPosition: 1
        classification: public
        description: Mã | Code
        customProperties:
          - {property: semanticType, value: identifier}
      - name: title
        physicalName: Ten
        logicalType: string
        classification: public
        description: Tên | Name
        customProperties:
          - {property: semanticType, value: text}
      - name: amount
        physicalName: SoTien
        logicalType: integer
        classification: public
        description: Số tiền | Amount
        customProperties:
          - {property: semanticType, value: money_vnd}
"""

_SUITE = """\
name: SYSTEM.DATASET
expectations:
  - type: expect_column_values_to_not_be_null
    kwargs: {column: code}
    meta: {code: code_missing, vi: "Thiếu mã", en: "the code is missing"}
  - type: expect_column_values_to_be_unique
    kwargs: {column: code}
    meta: {code: code_conflict, vi: "Mã bị lặp", en: "the code is there twice"}
  - type: expect_column_values_to_be_null
    kwargs: {column: amount__unreadable}
    meta: {code: amount_unreadable, vi: "Số tiền không đọc được", en: "the amount cannot be read"}
"""

_LOAD = """\
-- Grain: SCHEMA.DATASET has one row per code.

-- dx:tables
create schema if not exists SCHEMA;

grant usage on schema SCHEMA to dx_loader, dx_engineer;

create table if not exists SCHEMA.DATASET (
    code text primary key,
    title text,
    amount bigint,
    closed_on date,
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null
);

grant select, insert, update on SCHEMA.DATASET to dx_loader;

grant select on SCHEMA.DATASET to dx_engineer;

-- dx:step merge=snapshot target=SCHEMA.DATASET key=code ledger
select
    s.code,
    s.title,
    s.amount,
    s._row_hash as row_hash
from stage.SYSTEM__DATASET as s
"""
