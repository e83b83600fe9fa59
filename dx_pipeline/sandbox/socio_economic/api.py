"""The reporting system's API: ``/indicators`` gives one value, ``/indicators/hasdata`` and ``/offices`` are lists.

Every answer is HTTP 200; whether it went well stands in ``error.code``: 0 success, 1 a parameter is missing, 3 no data,
99 busy. The codes are made up; the shape of the answer is the real one.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from dx_pipeline.sandbox.web.answer import Answer, Data, number

KEY = ("officeCode", "indicatorCode", "dataTypeId", "periodId", "dataYear")
_MOST = 100
_BUSY_EVERY = 83
_asked = itertools.count(1)


def answer_socio_economic(path: str, query: Mapping[str, str], data: Data) -> Answer | None:
    """One value, or one page of a list."""
    if path in ("/indicators", "/indicators/hasdata", "/offices") and next(_asked) % _BUSY_EVERY == 0:
        return _answer(None, 0, 99, "busy", "Hệ thống đang bận, vui lòng thử lại")
    if path == "/indicators":
        return _value(query, data)
    if path in ("/indicators/hasdata", "/offices"):
        records = data["hasdata" if path == "/indicators/hasdata" else "offices"]
        size, page = number(query, "pageSize", 20, _MOST), number(query, "page", 1, 10**6)
        if not size or not page:
            return _answer(None, 0, 1, "bad paging", "page, pageSize phải là số nguyên")
        return _answer(list(records[(page - 1) * size : page * size]), len(records))
    return None


def _value(query: Mapping[str, str], data: Data) -> Answer:
    missing = [name for name in KEY if not query.get(name)]
    if missing:
        return _answer(None, 0, 1, f"missing {missing}", "Thiếu tham số")
    asked = tuple(query[name] for name in KEY)
    for record in data["values"]:
        if tuple(str(record[name]) for name in KEY) == asked:
            return _answer({name: record[name] for name in ("answeredCode", "unit", "value")}, 1)
    return _answer(None, 0, 3, "no row", "Không có dữ liệu")


def _answer(data: Any, total: int, code: int = 0, internal: str = "", user: str = "") -> Answer:
    if isinstance(data, dict):
        data = {"indicatorCode": data.pop("answeredCode"), **data}
    error = {"code": code, "internalMessage": internal, "userMessage": user}
    return Answer({"data": data, "error": error, "total": total})
