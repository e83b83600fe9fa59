"""What contracts say of a delivery fits the load files that close what vanished."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dx_pipeline.contract.loader import load_contract
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import ContractError, LoadFileError
from dx_pipeline.settings import PROJECT_ROOT
from dx_pipeline.warehouse.delivery import Delivery
from dx_pipeline.warehouse.load_file import LoadStep, parse_load_file
from dx_pipeline.warehouse.merge_closing import scope_columns

CONTRACTS = [load_contract(path, PROJECT_ROOT) for path in sorted(PROJECT_ROOT.glob("assets/*/*.odcs.yaml"))]
STEP = "-- dx:step merge=snapshot target=core.fact_x key=month,commune"
CLOSING = [
    (contract, step)
    for contract in CONTRACTS
    for step in parse_load_file(contract.load_path).steps
    if step.close_missing or step.closes
]


def name_of(value: object) -> str | None:
    return value.id if isinstance(value, Contract) else None


@pytest.mark.parametrize(("contract", "step"), CLOSING, ids=name_of)
def test_a_step_that_closes_knows_what_a_delivery_covers(contract: Contract, step: LoadStep) -> None:
    scope = scope_columns(step, Delivery(key=contract.key_columns, covers=contract.load.covers))
    assert bool(contract.load.covers) <= bool(scope)


@pytest.mark.parametrize(("contract", "step"), [one for one in CLOSING if one[1].close_missing], ids=name_of)
def test_its_columns_hold_the_key_of_the_contract(contract: Contract, step: LoadStep) -> None:
    """In the SELECT each of them is the contract's column of the same place, as it is or cast."""
    columns = step.identity or step.key
    assert len(columns) == len(contract.key_columns)
    for target, column in zip(columns, contract.key_columns, strict=True):
        if target != column:
            assert re.search(rf"\b\w+\.{column}(::\w+)? as {target}\b", step.sql), f"{target} is not {column}"


def test_a_period_that_can_be_read_again_closes_what_is_gone() -> None:
    cut = [contract for contract in CONTRACTS if contract.load.period is not None]
    assert [contract.id for contract in cut] == ["one_stop.ho_so"]
    step = parse_load_file(cut[0].load_path).ledger_step
    assert (step.close_missing, step.period) == (True, "submitted_at")


@pytest.mark.parametrize(
    ("load", "reason"),
    [
        ("{mode: snapshot, covers: ngay}", "must be a list of columns"),
        ("{mode: snapshot, covers: [nowhere]}", "'nowhere' is not a column of the contract"),
        ("{mode: incremental, cursor: ngay, covers: [ngay]}", "belongs to mode snapshot"),
    ],
)
def test_a_contract_that_covers_what_it_does_not_have_is_refused(tmp_path: Path, load: str, reason: str) -> None:
    source = PROJECT_ROOT / "assets" / "one_stop" / "ngay_nghi.odcs.yaml"
    text = source.read_text(encoding="utf-8").replace("{mode: snapshot}", load)
    path = tmp_path / "assets" / "one_stop" / source.name
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ContractError, match=re.escape(reason)):
        load_contract(path, tmp_path)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (f"{STEP} identity=Month ledger", "name columns of the target"),
        (f"{STEP} close_missing ledger", "a snapshot closes what vanished anyway"),
        (f"{STEP} closes ledger", "closes belongs to a merge=sql step"),
        (f"{STEP} history=core.x ledger", "unknown history in dx:step"),
    ],
)
def test_a_step_that_says_it_wrongly_is_refused(tmp_path: Path, header: str, reason: str) -> None:
    path = tmp_path / "x.sql"
    path.write_text(f"-- Grain: x\n\n{header}\nselect 1;\n", encoding="utf-8")
    with pytest.raises(LoadFileError, match=re.escape(reason)):
        parse_load_file(path)


def test_a_step_that_does_not_hold_what_the_contract_covers_is_told_what_to_write(tmp_path: Path) -> None:
    path = tmp_path / "x.sql"
    path.write_text(f"-- Grain: x\n\n{STEP.replace(',commune', '')} ledger\nselect 1;\n", encoding="utf-8")
    with pytest.raises(LoadFileError, match="a delivery covers month, district") as refused:
        scope_columns(
            parse_load_file(path).ledger_step, Delivery(key=("month", "commune"), covers=("month", "district"))
        )
    assert "scope=column" in refused.value.next_step
