"""Dossier codes: ``agency-yymmdd-number`` with the old or the new agency id, or of the national portal.

``000.00.06.H50-231027-0361`` (old), ``H50.14-240823-0001`` (new), ``G22.99-240823-000123`` (portal). The
number of the day is padded to four digits and may be longer; the day must exist.
"""

from __future__ import annotations

import pyarrow as pa

from dx_pipeline.clean.pattern_code import NEW_AGENCY, OLD_AGENCY, clean_code, code_reader, matching
from dx_pipeline.clean.semantic_type import Cleaned, SemanticType
from dx_pipeline.clean.text import text_type
from dx_pipeline.contract.model import Column

# yymmdd of a day that exists in 2000-2099: months of 31, of 30, February, 29 February of leap years.
_DAY = (
    r"(?:\d\d(?:(?:0[13578]|1[02])(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)(?:0[1-9]|[12]\d|30)"
    r"|02(?:0[1-9]|1\d|2[0-8]))|(?:[02468][048]|[13579][26])0229)"
)
_CODE = rf"(?:{OLD_AGENCY}|{NEW_AGENCY})-{_DAY}-\d{{4,6}}|G22\.99(?:\.[0-9A-Z]{{1,3}})*-{_DAY}-\d{{4,10}}"
_STAGES = [matching(_CODE)]
_READER = code_reader(_CODE)

# Cheaper than strptime; a cleaned code always holds a day that exists.
_NUMBER = "split_part({column}, '-', 2)::integer"
_DAY_SQL = f"make_date(2000 + {_NUMBER} // 10000, {_NUMBER} // 100 % 100, {_NUMBER} % 100)"


def _clean(array: pa.Array, column: Column) -> Cleaned:
    return clean_code(array, column, _STAGES, _READER)


DOSSIER_CODE = SemanticType(
    name="dossier_code",
    arrow_type=text_type,
    clean=_clean,
    can_fail=True,
    makes_notes=True,
    pseudonymised=False,
    description="mã hồ sơ một cửa, cũ, mới và của Cổng DVCQG | dossier code, old, new and national portal",
    day_sql=_DAY_SQL,
)
