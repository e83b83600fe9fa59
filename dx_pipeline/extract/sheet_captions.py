"""What a sheet says once, above its table: the unit of its amounts, its year, its office.

A caption is a cell above the header, or in it, that begins with one of the contract's texts: ``ĐVT: triệu đồng``,
``(Đơn vị tính: tỷ đồng)``. What follows the text is the value; if nothing does, the next cell that is filled. The value
lands in every row of the file as the column ``^name``, as written: the column's semantic type reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import SourceDrift, UnreadableSource
from dx_pipeline.extract.folder import SourceFile
from dx_pipeline.extract.sheet import Sheet
from dx_pipeline.extract.sheet_labels import folded_text

_AROUND = " :-–()[]*"


def caption_values(contract: Contract, file: SourceFile, sheet: Sheet) -> dict[str, str]:
    """The value of each caption of the contract in this file.

    Raises:
        SourceDrift: the sheet has no such caption: its amounts could be in any unit.
        UnreadableSource: it says two different things.
    """
    values = {}
    for name, beginnings in contract.source.captions.items():
        found = set(_found([*sheet.above, *sheet.header], beginnings))
        shown = " or ".join(map(repr, beginnings))
        if not found:
            raise SourceDrift(
                f"{contract.id}: {file.name}, sheet {sheet.name!r}: no cell above the data begins with {shown}, so "
                f"{name} is not known",
                next_step=f"ask the owner {contract.owner_agency} to write it, or mend source.captions in "
                f"{contract.path}",
            )
        if len(found) > 1:
            raise UnreadableSource(
                f"{contract.id}: {file.name}, sheet {sheet.name!r}: the cells that begin with {shown} say different "
                f"things: {', '.join(repr(text[:40]) for text in sorted(found))}",
                next_step=f"ask the owner {contract.owner_agency} which one is right",
            )
        values[name] = found.pop()
    return values


def _found(rows: Sequence[Sequence[str]], beginnings: Sequence[str]) -> Iterator[str]:
    wanted = [folded_text(text).casefold() for text in beginnings]
    for row in rows:
        for place, cell in enumerate(row):
            text = folded_text(cell).lstrip(_AROUND)
            for beginning in wanted:
                if not text.casefold().startswith(beginning):
                    continue
                rest = text[len(beginning) :]
                if rest[:1].isalnum():  # a longer word
                    continue
                value = rest.strip(_AROUND) or next(
                    (folded_text(after).strip(_AROUND) for after in row[place + 1 :] if after.strip()), ""
                )
                if value:
                    yield value
                break
