"""Every SQL block of the BI guide runs on a migrated warehouse."""

from __future__ import annotations

import re

import pytest

from dx_pipeline.warehouse.connection import Warehouse
from tests.conftest import ROOT
from tests.warehouse_fixture import warehouse  # noqa: F401

BLOCKS = re.findall(r"```sql\n(.*?)```", (ROOT / "docs" / "for-bi.md").read_text(encoding="utf-8"), re.DOTALL)


def test_the_guide_has_questions() -> None:
    assert len(BLOCKS) >= 6


@pytest.mark.parametrize("statement", BLOCKS)
def test_a_bi_user_may_ask(warehouse: Warehouse, statement: str) -> None:
    role = "dx_analyst" if "core." in statement else "dx_bi"
    with warehouse.owner() as connection:
        connection.exec_driver_sql(f"set local role {role}")
        assert connection.exec_driver_sql(statement.replace("%", "%%")).keys()
