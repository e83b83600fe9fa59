"""The places of a draft that a person has to fill in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from dx_pipeline.contract.catalog import SYSTEM_FILE
from dx_pipeline.contract.model import Contract
from dx_pipeline.onboarding.yaml_text import TODO

_MARK = re.compile(rf"\b{TODO}\b")


@dataclass(frozen=True)
class OpenPlaces:
    """Lines (from 1) of one file that still say TODO."""

    path: Path
    lines: tuple[int, ...]

    def __str__(self) -> str:
        shown = ", ".join(map(str, self.lines[:8])) + (" ..." if len(self.lines) > 8 else "")
        return f"{self.path}: {len(self.lines)} × {TODO}, line {shown}"


def open_places(contract: Contract) -> list[OpenPlaces]:
    """What is still to be filled in, in the files of a dataset and in the file of its system.

    Lines that are only a comment do not count.
    """
    files = (contract.path.with_name(SYSTEM_FILE), contract.path, contract.suite_path, contract.load_path)
    found = []
    for path in files:
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        marked = tuple(
            number
            for number, line in enumerate(lines, start=1)
            if _MARK.search(line) and not line.lstrip().startswith(("#", "--"))
        )
        if marked:
            found.append(OpenPlaces(path, marked))
    return found
