"""The guide for departments explains every reason code a row can get."""

from __future__ import annotations

import pytest

from dx_pipeline.cli.reasons import reasons_markdown
from dx_pipeline.contract.catalog import load_catalog
from dx_pipeline.contract.model import Contract
from dx_pipeline.judge.suite import load_suite
from tests.conftest import ROOT

GUIDE = (ROOT / "docs" / "for-departments.md").read_text(encoding="utf-8")
CONTRACTS = load_catalog([ROOT]).select([])


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.id)
def test_every_reason_is_explained(contract: Contract) -> None:
    """``dx contract reasons --markdown`` writes the section anew when a suite has changed."""
    rules = load_suite(contract).rules
    section = reasons_markdown(contract, rules)
    assert len(rules) >= 2
    assert section.strip() in GUIDE
