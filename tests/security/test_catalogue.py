"""Classified columns stay where they belong: for every contract and every table there is, and every one to come."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from dx_pipeline.clean.pseudonym import PSEUDONYM_SUFFIX, pseudonymised_columns
from dx_pipeline.contract.catalog import load_catalog
from dx_pipeline.contract.model import Contract
from dx_pipeline.lineage.graph import stage_columns
from dx_pipeline.lineage.sql_columns import select_lineage
from dx_pipeline.orchestration.staging import accepted_schema
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.embedded import EmbeddedServer
from dx_pipeline.warehouse.load_file import parse_load_file
from tests.conftest import ROOT
from tests.integration.star_warehouse import ask, migrated_warehouse

CONTRACTS = sorted(load_catalog([ROOT]).contracts.values(), key=lambda contract: contract.id)
PERSONAL_NAMES = (
    r"(pseudonym|(^|_)phone|email|address|birth|citizen|ethnic|religion|applicant_name|(^|_)(ho_ten|cccd|cmnd|dan_toc|ton_giao"
    r"|ngay_sinh|dia_chi|dien_thoai|so_dinh_danh|so_giay_to))"
)


@pytest.fixture(scope="module")
def warehouse(source_server: EmbeddedServer) -> Iterator[Warehouse]:
    with migrated_warehouse(source_server) as opened:
        yield opened


def personal(contract: Contract) -> set[str]:
    return {column.name for column in contract.columns if column.is_personal}


def test_there_are_personal_columns_to_look_for() -> None:
    assert len({name for contract in CONTRACTS for name in personal(contract)}) >= 5


def test_no_personal_column_reaches_core_or_mart(warehouse: Warehouse) -> None:
    """By the names in the contracts, by names that mean a person, and by type: a bytea is a pseudonym."""
    columns = ask(
        warehouse,
        "select n.nspname || '.' || c.relname, a.attname::text, a.atttypid = 'bytea'::regtype from pg_attribute as a"
        " join pg_class as c on c.oid = a.attrelid join pg_namespace as n on n.oid = c.relnamespace"
        " where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition"
        " and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'restricted', 'ops', 'stage')",
    )
    assert len(columns) > 250
    names = {name for contract in CONTRACTS for name in personal(contract)}
    found = [
        f"{table}.{column}"
        for table, column, is_bytea in columns
        if is_bytea or column in names or re.search(PERSONAL_NAMES, column)
    ]
    assert found == []


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.id)
def test_sensitive_columns_reach_no_stage_table(contract: Contract) -> None:
    pseudonyms = [column.name + PSEUDONYM_SUFFIX for column in pseudonymised_columns(contract)]
    staged = set(accepted_schema(contract, pseudonyms).names)
    assert staged & personal(contract) == set()
    assert {name for name in staged if name.endswith(PSEUDONYM_SUFFIX)} == set(pseudonyms)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.id)
def test_no_load_puts_a_pseudonym_outside_restricted(contract: Contract) -> None:
    """A step may compare pseudonyms; no column that it writes outside of restricted is computed from one."""
    tables = {f"stage.{contract.stage_table}": stage_columns(contract)}
    for step in parse_load_file(contract.load_path).steps:
        if PSEUDONYM_SUFFIX in step.sql and step.target is not None and not step.target.startswith("restricted."):
            for name, sources in select_lineage(step.sql, tables).items():
                read = [source.column for source in sources if source.column.endswith(PSEUDONYM_SUFFIX)]
                # A flag and the hash of a row say no more than that two codes agree.
                is_told = bool(read) and name not in ("quality_flags", "row_hash")
                assert not is_told, f"{contract.load_path} line {step.line}: {name} is computed from {read}"


def test_a_pseudonym_that_is_written_would_be_found() -> None:
    sql = "with s as (select t.* from stage.x as t) select s.code, upper(s.so_pseudonym) as hidden from s"
    found = select_lineage(sql, {"stage.x": ["code", "so_pseudonym"]})
    assert [source.column for source in found["hidden"]] == ["so_pseudonym"]


def test_no_role_that_people_have_may_use_restricted(warehouse: Warehouse) -> None:
    granted = ask(
        warehouse,
        "select distinct a.grantee::regrole::text from pg_class as c join pg_namespace as n on n.oid = c.relnamespace"
        " cross join aclexplode(c.relacl) as a where n.nspname in ('restricted', 'core_partition') and a.grantee <> c.relowner"
        " union select a.grantee::regrole::text from pg_namespace as n cross join aclexplode(n.nspacl) as a"
        " where n.nspname in ('restricted', 'core_partition') and a.grantee <> n.nspowner",
    )
    assert granted == [("dx_loader",)]


def test_nothing_is_granted_to_everybody(warehouse: Warehouse) -> None:
    granted = ask(
        warehouse,
        "select c.relname from pg_class as c join pg_namespace as n on n.oid = c.relnamespace"
        " cross join aclexplode(c.relacl) as a where a.grantee = 0 and n.nspname !~ '^pg_'"
        " and n.nspname <> 'information_schema'",
    )
    assert granted == []
