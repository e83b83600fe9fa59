"""Agency ids: the old ``000.00.06.H50`` (QCVN 102:2016) and the new ``H50.14`` (Decision 20/2020/QĐ-TTg)."""

from __future__ import annotations

import pyarrow as pa

from dx_pipeline.clean.pattern_code import NEW_AGENCY, OLD_AGENCY, clean_code, code_reader, matching
from dx_pipeline.clean.semantic_type import Cleaned, SemanticType
from dx_pipeline.clean.text import text_type
from dx_pipeline.contract.model import Column

_CODE = f"{OLD_AGENCY}|{NEW_AGENCY}"
_STAGES = [matching(_CODE)]
_READER = code_reader(_CODE)


def _clean(array: pa.Array, column: Column) -> Cleaned:
    return clean_code(array, column, _STAGES, _READER)


AGENCY_CODE = SemanticType(
    name="agency_code",
    arrow_type=text_type,
    clean=_clean,
    can_fail=True,
    makes_notes=True,
    pseudonymised=False,
    description="mã định danh cơ quan, cũ và mới | agency id, old and new",
)
