"""Which of the forms that a contract allows is a CSV file in? Excel saves "CSV" with ``;`` or "Unicode text" with tabs.

Nothing is guessed beyond the contract: the first declared form fits whose encoding the bytes do not contradict and in
which the header holds every column of the contract. If none fits, it is the usual form that the file is held against.
"""

from __future__ import annotations

import csv
from itertools import islice

from dx_pipeline.contract.csv_form import CsvForm
from dx_pipeline.contract.model import Contract
from dx_pipeline.extract.encoding import codec_name, contradicting_encoding, file_codec
from dx_pipeline.extract.folder import header_name


def form_of(contract: Contract, sample: bytes) -> CsvForm:
    """The form of a file that begins with ``sample``.

    Raises:
        ContractError: a declared encoding does not exist.
    """
    usual = CsvForm(contract.source.encoding, contract.source.delimiter)
    further = contract.source.further_forms
    return next((form for form in (usual, *further) if further and _fits(contract, form, sample)), usual)


def _fits(contract: Contract, form: CsvForm, sample: bytes) -> bool:
    if contradicting_encoding(sample, codec_name(contract, form.encoding)) is not None:
        return False
    # A letter cut at the end of the sample says nothing; what is broken in the header is found when it is read.
    text = sample.decode(file_codec(contract, form.encoding, sample), errors="replace")
    lines = islice(text.splitlines(keepends=True), contract.source.header_row - 1, None)
    try:
        record = next((record for record in csv.reader(lines, delimiter=form.delimiter) if record), [])
    except csv.Error:
        return False
    names = {header_name(cell) for cell in record}
    return all(header_name(column.source_name) in names for column in contract.columns)
