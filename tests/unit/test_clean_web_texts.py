"""What web forms and apps leave in a column: markup in texts, moments as a count of milliseconds."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest

from dx_pipeline.clean.registry import SEMANTIC_TYPES
from dx_pipeline.clean.semantic_type import Cleaned
from dx_pipeline.contract.model import Column
from dx_pipeline.errors import ContractError


def clean(kind: str, texts: list[str | None], **options: Any) -> Cleaned:
    column = Column(name="c", source_name="c", semantic_type=kind, logical_type="string", options=options)
    semantic = SEMANTIC_TYPES[kind]
    if semantic.check is not None:
        semantic.check(column)
    return semantic.clean(pa.array(texts, pa.string()), column)


def test_milliseconds_and_texts_in_one_column() -> None:
    texts = ["1704150000000", "2024-01-02T06:00:00+07:00", "02/01/2024 06:00:00", "20240102060000", None]
    moment = datetime(2024, 1, 1, 23, 0, tzinfo=UTC)
    assert clean("datetime", texts, epoch="ms").value.to_pylist() == [moment, moment, moment, moment, None]
    assert clean("date", texts[:1], epoch="ms").value.to_pylist() == [date(2024, 1, 2)]  # the local day


def test_a_count_of_another_unit_or_without_the_option_is_unreadable() -> None:
    assert clean("datetime", ["1704150000"], epoch="ms").unreadable.to_pylist() == ["1704150000"]
    assert clean("datetime", ["1704150000"], epoch="s").value.to_pylist() == [datetime(2024, 1, 1, 23, tzinfo=UTC)]
    assert clean("datetime", ["1704150000000"]).unreadable.to_pylist() == ["1704150000000"]
    assert clean("datetime", ["9999999999999"], epoch="ms").unreadable.to_pylist() == ["9999999999999"]  # year 2286


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("<p>Môi trường</p>", "Môi trường"),
        ("M&ocirc;i tr&#432;ờng", "Môi trường"),
        ("&nbsp;Môi<br/>trường ", "Môi trường"),
        ("<span style='color:red'>Môi</span> <!-- cũ -->trường", "Môi trường"),
        ("a < b & c > d", "a < b & c > d"),
        ("<br/>", None),
    ],
)
def test_markup_goes_and_what_only_looks_like_it_stays(text: str, seen: str | None) -> None:
    assert clean("text", [text], html=True).value.to_pylist() == [seen]
    assert clean("text", ["<p>x</p>"]).value.to_pylist() == ["<p>x</p>"]


def test_a_code_is_looked_up_without_its_markup() -> None:
    codes = {"moi_truong": ["Môi trường"]}
    done = clean("code_list", ["<b>Môi trường</b>", "Môi trường", "<b>khác</b>"], codes=codes, html=True)
    assert done.value.to_pylist() == ["moi_truong", "moi_truong", None]
    assert done.unreadable.to_pylist() == [None, None, "<b>khác</b>"]
    assert done.note.to_pylist()[0].startswith("html")
    assert clean("code_list", ["<b>Môi trường</b>"], codes=codes).value.to_pylist() == [None]


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("datetime", {"epoch": "us"}, "option epoch"),
        ("text", {"html": "yes"}, "option html"),
        ("code_list", {"codes": {"a": []}, "html": 1}, "option html"),
    ],
)
def test_an_option_that_is_wrong_is_refused(kind: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ContractError, match=words):
        clean(kind, ["x"], **options)
