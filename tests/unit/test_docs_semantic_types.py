"""The table of semantic types in the onboarding guide is complete."""

from __future__ import annotations

import re
from pathlib import Path

from dx_pipeline.clean.registry import SEMANTIC_TYPES

GUIDE = Path(__file__).parents[2] / "docs" / "onboard-a-source.md"


def test_every_type_and_option_stands_in_the_guide() -> None:
    section = GUIDE.read_text(encoding="utf-8").split("## Semantic types")[1].split("\n## ")[0]
    rows = {}
    for line in section.splitlines():
        if line.startswith("| `"):
            name, meaning, _, unreadable, options = [cell.strip() for cell in line.strip("|").split(" | ")]
            rows[name.strip("`")] = (meaning, unreadable, set(re.findall(r"`(\w+)`", options)))
    assert {name: unreadable == "yes" for name, (_, unreadable, _) in rows.items()} == {
        name: kind.can_fail for name, kind in SEMANTIC_TYPES.items()
    }
    assert {name: options for name, (_, _, options) in rows.items()} == {
        name: set(kind.options) for name, kind in SEMANTIC_TYPES.items()
    }
