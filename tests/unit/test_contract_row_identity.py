"""A row may not be followed by a column that never reaches the warehouse."""

from __future__ import annotations

from pathlib import Path

import pytest

from dx_pipeline.contract.loader import load_contract
from dx_pipeline.errors import ContractError
from tests.conftest import ROOT

FIELDS = ROOT / "assets" / "one_stop" / "linh_vuc.odcs.yaml"


@pytest.mark.parametrize("classification", ["personal", "sensitive"])
def test_a_personal_key_is_refused(tmp_path: Path, classification: str) -> None:
    copy = tmp_path / "assets" / "one_stop" / FIELDS.name
    copy.parent.mkdir(parents=True)
    text = FIELDS.read_text(encoding="utf-8")
    before, name, after = text.partition("name: ma_linh_vuc\n")
    assert "classification: public" in after
    copy.write_text(
        before + name + after.replace("classification: public", f"classification: {classification}", 1),
        encoding="utf-8",
    )
    with pytest.raises(ContractError) as refused:
        load_contract(copy, tmp_path)
    assert f"'ma_linh_vuc' is {classification}" in refused.value.what
    assert str(copy) in refused.value.what
    assert "rowIdentity" in refused.value.what
