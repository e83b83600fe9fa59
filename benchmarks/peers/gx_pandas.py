"""Plain Great Expectations on pandas: the suite file in one ``validate``. FILE SUITE

Times in nanoseconds and numbers as int64, which its pandas engine checks fastest. Its three rules in SQL, which pandas
does not have, are the nearest expectations of its own over helper columns, made within the time.
"""

from __future__ import annotations

from pathlib import Path

import great_expectations as gx
import pandas as pd
import yaml
from great_expectations.data_context.types.base import ProgressBarsConfig
from order import read_validation_order, timed

_NOT = "expect_column_values_to_not_match_regex"
_INSTEAD_OF_SQL = {
    "ten_legacy_encoding": (_NOT, {"column": "_names_note", "regex": "legacy_(tcvn3|vni)"}),
    "so_giay_to_placeholder": (_NOT, {"column": "so_giay_to_chu_ho_so__note", "regex": "placeholder"}),
    "ngay_tiep_nhan_in_future": (
        "expect_column_pair_values_a_to_be_greater_than_b",
        {
            "column_A": "_latest",
            "column_B": "ngay_tiep_nhan",
            "or_equal": True,
            "ignore_row_if": "either_value_is_missing",
        },
    ),
}


def main() -> None:
    file, suite_file = read_validation_order()
    entries = yaml.safe_load(Path(suite_file).read_text(encoding="utf-8"))["expectations"]
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    suite = gx.ExpectationSuite(name="dossiers", expectations=[_for_pandas(entry) for entry in entries])
    assert len(suite.expectations) == len(entries), "it leaves out types it does not know without a word"
    batches = context.data_sources.add_pandas("p").add_dataframe_asset("d").add_batch_definition_whole_dataframe("b")

    def work() -> dict[str, object]:
        frame = _read(file)
        result = batches.get_batch({"dataframe": frame}).validate(suite, result_format="SUMMARY")
        broken = {}
        for one in result.results:
            assert not one.exception_info.get("raised_exception"), one.exception_info
            if count := one.result.get("unexpected_count"):
                broken[one.expectation_config.meta["code"]] = count
        return {"rows": len(frame), "broken": broken}

    timed(work)


def _for_pandas(entry: dict[str, object]) -> dict[str, object]:
    code = entry["meta"]["code"]  # type: ignore[index]
    if code not in _INSTEAD_OF_SQL:
        return entry
    kind, kwargs = _INSTEAD_OF_SQL[code]
    return {**entry, "type": kind, "kwargs": kwargs}


def _read(file: str) -> pd.DataFrame:
    frame = pd.read_parquet(file)
    times = {name: "datetime64[ns, UTC]" for name, kind in frame.dtypes.items() if "UTC" in str(kind)}
    whole = {name: "int64" for name, kind in frame.dtypes.items() if str(kind) in ("int16", "int32")}
    frame = frame.astype({**times, **whole})
    frame["_names_note"] = frame["ten_tthc__note"].fillna("") + frame["don_vi_xu_ly__note"].fillna("")
    frame["_latest"] = frame["ngay_cap_nhat"] + pd.Timedelta(hours=24)
    return frame


if __name__ == "__main__":
    main()
